"""`make sample`: a part of the lake as Parquet files that may leave the house.

Exit codes: 0 written · 1 the lake does not answer · 2 an option is not usable, or no order is there
"""

import argparse
import sys
from pathlib import Path

import polars as pl
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.runtime import logs
from pipeline.runtime.lake import Lake
from pipeline.runtime.settings import RuntimeSettings
from pipeline.runtime.terminal import whole_number
from pipeline.sample.domain import WITHOUT, Tables, draw

_MAX_ROWS = 5_000_000
# What CC BY 4.0 asks to go along with rows of the two files that can be replayed.
_NOTICE = """\
Rows of source `replay` are from public data under CC BY 4.0
(https://creativecommons.org/licenses/by/4.0/), changed as said here and in the project's NOTICE:
- orders: Chen, D. (2015). Online Retail [Dataset]. https://doi.org/10.24432/C5BW33
- clicks: Lapczynski, M., Bialowas, S. (2019). Clickstream Data for Online Shopping [Dataset].
  https://doi.org/10.24432/C5QK7X
"""


def main() -> int:
    options = _options()
    settings = RuntimeSettings(service="sample")  # a missing value stops here, by name
    logs.configure("WARNING")
    try:
        tables = draw(_read(Lake(settings.names)), options.rows, options.seed)
    except (BotoCoreError, ClientError, pl.exceptions.PolarsError) as error:
        print(f"The lake does not answer: {error}")
        return 1
    if tables["order_lines"].is_empty():
        print("The lake has no orders to draw from; `make replay` brings some.")
        return 2
    try:
        _write(tables, options)
    except OSError as error:
        print(f"{options.out} cannot be written: {error.strerror}")
        return 2
    counts = ", ".join(f"{frame.height:,} {name}" for name, frame in tables.items())
    print(f"{counts}: {options.out}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make sample", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("var/sample"), help="a folder")
    parser.add_argument(
        "--rows", type=whole_number(1, _MAX_ROWS), default=10_000, help="order lines, at least"
    )
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _read(lake: Lake) -> Tables:
    return {
        "order_lines": lake.order_lines(),
        "orders": lake.orders(),
        "clickstream": lake.clickstream(),
    }


def _write(tables: Tables, options: argparse.Namespace) -> None:
    folder: Path = options.out
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        frame.write_parquet(folder / f"{name}.parquet", compression="zstd")
    (folder / "README.md").write_text(_about(tables, options.rows, options.seed))


def _about(tables: Tables, rows: int, seed: int) -> str:
    counts = "\n".join(f"| {name} | {frame.height:,} |" for name, frame in tables.items())
    changes = "\n".join(f"- {what}: {how}" for what, how in WITHOUT.items())
    return f"""\
# A sample of the lake
Drawn with ROWS={rows} SEED={seed}: whole orders with every line, event and refund, whole visits.
Rows of load tests are left out. The columns are in the project's data dictionary.

| table | rows |
|---|---|
{counts}

So that no person can be recognised:
{changes}

{_NOTICE}"""


if __name__ == "__main__":
    sys.exit(main())
