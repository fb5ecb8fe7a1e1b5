"""The dates of an order log, in the ways that spreadsheets and programs write them."""

import polars as pl

# Month before day is how the known log is written; a file may prove the other.
_MONTH_FIRST = (
    "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y", "%m/%d/%y %H:%M", "%m/%d/%y",
)  # fmt: skip
_DAY_FIRST = tuple(form.replace("%m/%d", "%d/%m") for form in _MONTH_FIRST)
_UNMISTAKABLE = (
    "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y",
)  # fmt: skip
_FIRST_YEAR, _LAST_YEAR = 1970, 9998  # what an event may say


def moments(column: pl.Series) -> tuple[pl.Series, bool]:
    """(Series[datetime us UTC?], whether `13/12/2010` is how this file writes dates).

    The log's wall-clock times are taken as UTC (docs/data.md). `1/2/2010` can be read both ways:
    the whole file is read the way that more of its dates allow, month first when both allow all.
    """
    if column.dtype != pl.String:
        return _bounded(column.cast(pl.Datetime("us"), strict=False)), False
    text = column.str.strip_chars().str.strip_suffix("Z")
    month_first, day_first = _parsed(text, _MONTH_FIRST), _parsed(text, _DAY_FIRST)
    is_day_first = day_first.null_count() < month_first.null_count()
    slashed = day_first if is_day_first else month_first
    return _parsed(text, _UNMISTAKABLE).zip_with(slashed.is_null(), slashed), is_day_first


def _parsed(text: pl.Series, forms: tuple[str, ...]) -> pl.Series:
    found = pl.Series(text.name, [None] * len(text), dtype=pl.Datetime("us", "UTC"))
    for form in forms:
        if not found.null_count():
            break
        # `%Y` takes two digits for the years 0 to 99; out of bounds is not found.
        more = _bounded(text.str.to_datetime(form, strict=False, time_unit="us"))
        found = found.zip_with(found.is_not_null(), more)
    return found


def _bounded(found: pl.Series) -> pl.Series:
    is_within = found.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR).fill_null(False)
    nothing = pl.Series([None] * len(found), dtype=found.dtype)
    return found.zip_with(is_within, nothing).dt.replace_time_zone("UTC")
