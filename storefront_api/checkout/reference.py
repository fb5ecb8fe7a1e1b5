"""Tables of the outside world, from `data/` (each file names its source)."""

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


@cache
def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((_DATA / name).read_text(encoding="utf-8"))
    return document


def is_country(code: str) -> bool:
    """Whether this is an ISO 3166-1 alpha-2 code."""
    return code in _read("countries.json")["names"]


def sales_country(code: str) -> str:
    """The name under which the sales book a country: the order log's own where it has one."""
    countries = _read("countries.json")
    return str(countries["sales_names"].get(code) or countries["names"][code])


def tax_rate(country: str) -> Decimal:
    """The standard rate at the destination, a ratio; 0 where the shop collects none."""
    return Decimal(_read("vat_rates.json")["rates"].get(country, "0"))
