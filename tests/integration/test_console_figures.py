"""The console's arithmetic: what it groups, fills and compares adds up."""

from datetime import date, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from console import wording
from console.periods import Period, preset_period
from console.queries import sales

_COUNTRY = st.sampled_from([f"Country {index}" for index in range(14)])
_ROW = st.tuples(_COUNTRY, st.integers(-(10**9), 10**9))


def series(rows: list[tuple[str, int]], bucket: str = "2026-11-01") -> pl.DataFrame:
    facts = {
        "bucket": bucket, "currency": "GBP", "orders": 1, "units": 1, "refunds": 0,
    }  # fmt: skip
    return pl.DataFrame(
        [{**facts, "group": group, "gross": net, "net": net} for group, net in rows],
        schema_overrides={"net": pl.Int64, "gross": pl.Int64},
    )


@given(st.lists(_ROW, min_size=1, max_size=40), st.integers(1, 8))
def test_the_groups_shown_and_the_others_are_all_there_is(
    rows: list[tuple[str, int]], top: int
) -> None:
    shown = sales.by_group(series(rows), "GBP", top)
    assert shown["net"].sum() == sum(net for _, net in rows)
    assert shown.height <= top + 1
    named = shown.head(min(top, shown.height))["net"].to_list()
    assert named == sorted(named, reverse=True)


def test_quiet_days_are_drawn_as_zero_and_no_sale_is_lost() -> None:
    frame = pl.concat([series([("", 500)], "2026-11-02"), series([("", 700)], "2026-11-05")])
    filled = sales.filled(frame, "GBP", Period(date(2026, 11, 1), date(2026, 11, 6)), "day")
    assert filled["net"].to_list() == [0, 500, 0, 0, 700]
    assert filled["bucket"][0] == datetime(2026, 11, 1)


def test_the_previous_period_is_equally_long_and_ends_where_this_one_begins() -> None:
    period = preset_period("28d", date(2026, 3, 1))
    before = period.previous
    assert before is not None
    assert (before.days, before.until) == (28, period.first)
    assert period.until == date(2026, 3, 2)  # today is in it
    assert preset_period("all", date(2026, 3, 1)).previous is None


@given(st.integers(-(10**12), 10**12))
def test_money_is_written_to_the_penny(amount_minor: int) -> None:
    text = wording.money(amount_minor, "GBP")
    digits = int(text.replace("−", "").replace("£", "").replace(",", "").replace(".", ""))
    assert digits == abs(amount_minor)
    assert text.startswith("−") == (amount_minor < 0)
