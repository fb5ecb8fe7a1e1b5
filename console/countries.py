"""Where a country of the sales lies on the map: `assets/maps/countries.csv` as a table."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.responses import FileResponse
from starlette.routing import Route

_FOLDER = Path(__file__).with_name("assets") / "maps"
# The page draws this file itself: without it plotly would ask its makers' site for one.
ADDRESS = "/maps/"
_HOUR_S = 3_600


@dataclass(frozen=True, slots=True)
class Place:
    """`lon` and `lat` in degrees, only for countries too small to be drawn."""

    iso3: str
    lon: float | None = None
    lat: float | None = None


def find(name: str) -> Place | None:
    """None for what is no country, e.g. `Unspecified`."""
    return _places().get(name)


@cache
def _places() -> dict[str, Place]:
    with (_FOLDER / "countries.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: _place(row) for row in csv.DictReader(file)}


def _place(row: dict[str, str]) -> Place:
    if not row["lon"]:
        return Place(row["iso3"])
    return Place(row["iso3"], float(row["lon"]), float(row["lat"]))


async def _world(_request: object) -> FileResponse:
    headers = {"Cache-Control": f"public, max-age={_HOUR_S}"}
    path = _FOLDER / "world_110m.json"
    return FileResponse(path, media_type="application/json", headers=headers)


ROUTES = [Route(f"{ADDRESS}world_110m.json", _world)]
