"""`make cost`: what a million events cost on AWS, computed from real ones and the list prices.

The order log and the clicks of 2008 are counted event by event; how long the functions took is
read from the metrics of the running shop, so it should have replayed the log before. Per hour and
beside that: the stream's shard. Storage, alarms and what costs at rest are in iac/envs/dev.
"""

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from pydantic_core import to_json
from rich.markup import escape
from rich.table import Table

from pipeline.cost.domain import Pace, usage_of, usd_per_million
from pipeline.replay import clicks, domain
from pipeline.replay.files import open_log
from pipeline.replay.products import DATA
from pipeline.replay.settings import ReplaySettings
from pipeline.runtime import clock, terminal
from pipeline.runtime.metrics import NAMESPACE

# As iac/topology declares them.
MEMORY_GB = {"landing": 0.5, "folding": 0.5}
FULL = Pace(landing=1_000, folding=500)
_PACES = {"full batches": FULL, "50 events/s": Pace(landing=50, folding=50)}
_LOOKED_BACK = timedelta(hours=12)


def main() -> int:
    settings, console = ReplaySettings(), terminal.console()
    prices = json.loads(Path(__file__).with_name("prices.json").read_text())
    try:
        spent_s = {name: seconds for name in MEMORY_GB if (seconds := _seconds(name))}
    except (BotoCoreError, ClientError) as error:
        console.print(f"[red]✗[/] AWS does not answer: {escape(str(error))}")
        return 1
    gb_s = {name: seconds * MEMORY_GB[name] for name, seconds in spent_s.items()}
    table = Table("USD per million events", title=f"List prices of {prices['region']}")
    columns: list[dict[str, float]] = []
    for workload, bodies in (("orders", _orders(settings)), ("clicks", _clicks())):
        kept = list(bodies)
        for pace, size in _PACES.items():
            usage = usage_of(kept, size)
            table.add_column(f"{workload}, {pace}", justify="right")
            columns.append(usd_per_million(usage, gb_s, prices["usd"]))
    for name in columns[0]:
        table.add_row(name, *(f"{column[name]:,.2f}" for column in columns))
    table.add_section()
    table.add_row("all", *(f"{sum(column.values()):,.2f}" for column in columns))
    console.print(table)
    if gb_s.keys() == MEMORY_GB.keys():
        console.print("Functions take as long as for a record of this shop, mostly orders.")
    else:
        console.print("The functions' time is missing: no record has been handled lately.")
    return 0


def _orders(settings: ReplaySettings) -> Iterator[bytes]:
    log = open_log(DATA / "online_retail.parquet", None, settings.currency)
    for one in domain.events(log.rows, settings.currency):
        yield to_json(one.event)


def _clicks() -> Iterator[bytes]:
    for one in clicks.click_events(clicks.read_clicks()):
        yield to_json(one.event)


def _seconds(function: str) -> float:
    """How long a function took for a record, by its own metrics of the last hours; 0 without."""
    spent_ms, records = (_sum(metric, function) for metric in ("FunctionDuration", "BatchSize"))
    return spent_ms / 1_000 / records if records else 0.0


def _sum(metric: str, function: str) -> float:
    now = clock.now()
    found: dict[str, Any] = boto3.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE, MetricName=metric,
        Dimensions=[{"Name": "Function", "Value": function}],
        StartTime=now - _LOOKED_BACK, EndTime=now, Period=3_600, Statistics=["Sum"],
    )  # fmt: skip
    return float(sum(point["Sum"] for point in found["Datapoints"]))


if __name__ == "__main__":
    sys.exit(main())
