"""Makes the two files of this folder from the npm packages `world-atlas` and `i18n-iso-countries`.

    npm pack world-atlas@2 i18n-iso-countries@7, unpack, then
    python console/assets/maps/build.py <world-atlas> <i18n-iso-countries>

`world_110m.json` is TopoJSON as plotly asks for it: objects `countries`, with ISO 3166 alpha-3
codes as ids and `ct` (the middle, where plotly puts its label), and `land`. `countries.csv` knows
every name the shop can book a sale under, and where to put a dot for those too small to be drawn
at this scale.
"""

import csv
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SHOP = HERE.parents[2] / "storefront_api" / "data" / "countries.json"
# The order log's own names for which ISO has another.
LOG_NAMES = {"EIRE": "IE", "USA": "US", "RSA": "ZA", "Channel Islands": "JE",
             "United Kingdom": "GB", "Czech Republic": "CZ"}  # fmt: skip
KOSOVO = "XKX"


def main(atlas: Path, codes: Path) -> None:
    alpha3, numeric = {}, {}
    for two, three, number, *_ in json.loads((codes / "codes.json").read_text()):
        alpha3[two] = three
        numeric[number] = three
    coarse = json.loads((atlas / "countries-110m.json").read_text())
    fine = json.loads((atlas / "countries-50m.json").read_text())
    kept = []
    for shape in coarse["objects"]["countries"]["geometries"]:
        name = shape.pop("properties")["name"]
        code = KOSOVO if name == "Kosovo" else numeric.get(shape.pop("id", ""))
        if code and code != "ATA":
            kept.append({**shape, "id": code, "properties": {"ct": _middle(coarse, shape)}})
    coarse["objects"]["countries"]["geometries"] = kept
    (HERE / "world_110m.json").write_text(json.dumps(coarse, separators=(",", ":")))
    drawn = {shape["id"] for shape in kept}
    dots = {
        numeric[shape["id"]]: _middle(fine, shape)
        for shape in fine["objects"]["countries"]["geometries"]
        if shape.get("id") in numeric and numeric[shape["id"]] not in drawn
    }
    names = {name: two for two, name in json.loads(SHOP.read_text())["names"].items()}
    with (HERE / "countries.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "iso3", "lon", "lat"])
        for name, two in sorted((names | LOG_NAMES).items()):
            code = alpha3[two]
            writer.writerow([name, code, *dots.get(code, ("", ""))])


def _middle(topology: dict[str, Any], shape: dict[str, Any]) -> tuple[float, float]:
    """The middle of the box around a shape's largest ring, in degrees."""
    polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
    rings = [[point for arc in rings[0] for point in _points(topology, arc)] for rings in polygons]
    ring = max(rings, key=_area)
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    return round((min(xs) + max(xs)) / 2, 2), round((min(ys) + max(ys)) / 2, 2)


def _area(ring: list[tuple[float, float]]) -> float:
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise([*ring, ring[0]])))


def _points(topology: dict[str, Any], arc: int) -> list[tuple[float, float]]:
    (scale_x, scale_y), (move_x, move_y) = (
        topology["transform"]["scale"], topology["transform"]["translate"]
    )  # fmt: skip
    x = y = 0
    found = []
    for dx, dy in topology["arcs"][arc if arc >= 0 else ~arc]:
        x, y = x + dx, y + dy
        found.append((x * scale_x + move_x, y * scale_y + move_y))
    return found if arc >= 0 else found[::-1]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
