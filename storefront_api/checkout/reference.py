"""What the shop collects for the states it delivers to, from `data/` (which names its source)."""

import json
from decimal import Decimal
from functools import cache
from pathlib import Path

_VAT_RATES = Path(__file__).parent / "data" / "vat_rates.json"


@cache
def _rates() -> dict[str, str]:
    rates: dict[str, str] = json.loads(_VAT_RATES.read_text(encoding="utf-8"))["rates"]
    return rates


def tax_rate(country: str) -> Decimal:
    """The standard rate at the destination, a ratio; 0 where the shop collects none."""
    return Decimal(_rates().get(country, "0"))
