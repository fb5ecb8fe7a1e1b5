"""Times of traces as a person reads them."""


def ms(value: float | None) -> str:
    """`0.42 ms`, `12.3 ms`, `1.24 s`; `unknown` for what nothing measured."""
    if value is None:
        return "unknown"
    if abs(value) >= 999.5:
        return f"{value / 1000:,.2f} s"
    return f"{value:.2f} ms" if abs(value) < 1 else f"{value:.3g} ms"


def clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
