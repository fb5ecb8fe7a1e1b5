"""The countries of the world, from `data/countries.json` (which names its source)."""

import json
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "countries.json"


@cache
def _read(table: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(_FILE.read_text(encoding="utf-8"))[table]
    return found


def is_country(code: str) -> bool:
    """Whether this is an ISO 3166-1 alpha-2 code."""
    return code in _read("names")


def sales_country(code: str) -> str:
    """The name under which the sales book a country: the order log's own where it has one."""
    return _read("sales_names").get(code) or _read("names")[code]


def find_code(text: str) -> str | None:
    """The code of a country, given as such or by its English name; None for no country."""
    given = text.strip()
    return given.upper() if is_country(given.upper()) else _codes().get(given.casefold())


@cache
def _codes() -> dict[str, str]:
    return {
        name.casefold(): code
        for table in ("names", "sales_names")
        for code, name in _read(table).items()
    }
