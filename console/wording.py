"""Numbers, money and ages as a person reads them."""

from datetime import UTC, datetime

_SIGNS = {"GBP": "£", "USD": "$", "EUR": "€"}


def money(amount_minor: int, currency: str) -> str:
    """`£10,666,684.54`; a currency without a sign of its own keeps its code."""
    sign = "−" if amount_minor < 0 else ""
    whole, cents = divmod(abs(int(amount_minor)), 100)
    return f"{sign}{_prefix(currency)}{whole:,}.{cents:02d}"


def money_short(amount_minor: int, currency: str) -> str:
    """Three or four figures: `£10.67M`, `£312.4k`, `£23.99`."""
    size = abs(amount_minor) / 100
    sign = "−" if amount_minor < 0 else ""
    if size >= 999_950:
        return f"{sign}{_prefix(currency)}{size / 1_000_000:.2f}M"
    if size >= 10_000:
        return f"{sign}{_prefix(currency)}{size / 1_000:.1f}k"
    return money(amount_minor, currency)


def count_short(number: int) -> str:
    if number >= 9_999_500:
        return f"{number / 1_000_000:.1f}M"
    return f"{number:,}" if number < 1_000_000 else f"{number / 1_000_000:.2f}M"


def change(now: int, before: int) -> float | None:
    """Relative change in percent, or None when there is nothing to compare with."""
    return (now - before) / abs(before) * 100 if before else None


def percent(value: float) -> str:
    """`+12.3 %`, `−4 %` (no decimals from 100 on)."""
    shown = f"{abs(value):,.0f}" if abs(value) >= 100 else f"{abs(value):.1f}"
    return f"{'+' if value >= 0 else '−'}{shown} %"


def age(seconds: float) -> str:
    """The two largest parts: `4 s`, `3 min 20 s`, `5 h 2 min`, `12 d`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole < 600 and whole % 60 else "")
    if whole < 86_400:
        return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 >= 60 else "")
    return f"{whole // 86_400:,} d"


def bytes_short(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:,.0f} {unit}" if unit == "B" or size >= 100 else f"{size:,.1f} {unit}"
        size /= 1000
    raise AssertionError("unreachable")


def moment(text: str | None) -> datetime | None:
    """An ISO time of ours, or None when there is none or it cannot be read."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def clock_time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%d %b %Y %H:%M:%S} UTC"


def money_sign(currency: str) -> str:
    return _prefix(currency)


def _prefix(currency: str) -> str:
    return _SIGNS.get(currency, f"{currency} ")
