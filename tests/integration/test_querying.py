"""The documented ways to ask the lake give one answer: in every engine, and the right one."""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from iac.local.ports import ROOT
from pipeline.compaction.service import compact
from pipeline.contracts.names import Names
from pipeline.landing.service import land
from pipeline.landing.store import LakeFiles
from pipeline.replay.domain import events
from pipeline.replay.files import read_log
from pipeline.replay.products import DATA
from pipeline.runtime import clock
from pipeline.runtime.kinesis import StreamRecord
from pipeline.runtime.lake import Lake
from pipeline.runtime.query import Query, QueryFailed
from pipeline.sample.domain import draw
from tests.conftest import Stack
from tests.guide import BLOCKS, QUERIES, beginning_of, documented
from tests.integration.pipeline_stage import own_stage

# Days of four months of the order log, and visits that end at different steps.
DAYS = (date(2010, 12, 1), date(2011, 1, 5), date(2011, 3, 1), date(2011, 6, 1))
STEPS = ("page_viewed", "product_viewed", "cart_changed", "checkout_started", "order_completed")
VISITS = Counter({1: 9, 2: 7, 3: 4, 4: 2, 5: 1})  # steps taken -> visits
LEAPS = (("page_viewed", "checkout_started"), ("order_completed", "page_viewed"))


@pytest.fixture(scope="module")
def log() -> pl.DataFrame:
    """The log frame of DAYS."""
    whole = read_log(DATA / "online_retail.parquet")
    days = whole.group_by("invoice").agg(pl.col("at").first().dt.date().alias("day"))
    wanted = days.filter(pl.col("day").is_in(DAYS))
    return whole.join(wanted, on="invoice", how="semi", maintain_order="left")


@pytest.fixture(scope="module")
def stage(emulator: Stack, log: pl.DataFrame) -> Iterator[Names]:
    """A lake of its own, landed and compacted, with load tests that no answer may count."""
    names = own_stage(emulator)
    booked = [one.event for one in events(log, "GBP")]
    loads = [
        {**one, "event_id": f"load-{n}", "synthetic": True} for n, one in enumerate(booked[:9])
    ]
    found = [*booked, *loads, *clicks()]
    records = [
        StreamRecord("shardId-query", str(1000 + n), clock.now(), json.dumps(one).encode())
        for n, one in enumerate(found)
    ]
    for start in range(0, len(records), 500):
        land(records[start : start + 500], LakeFiles(names))
    assert not compact(names, clock.now, clock.new_id).is_skipped
    yield names


def clicks() -> Iterator[dict[str, Any]]:
    ways = (STEPS[:taken] for taken in VISITS.elements())
    for visit, way in enumerate((*ways, *LEAPS)):
        session = f"visit-{visit}"
        for minute, step in enumerate(way):
            yield {
                "event_id": f"{session}-{step}", "event_type": f"shopper.{step}.v1",
                "occurred_at": f"2011-06-01T10:{minute:02}:00.000Z", "source": "browser",
                "correlation_id": session, "partition_key": session,
                "payload": {"session_id": session, "query": "ann@example.com"},
            }  # fmt: skip


def run(emulator: Stack, stage: Names, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, text=True, capture_output=True, timeout=280,
        env=os.environ | emulator.env | {"HAS_STAGE": stage.stage, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ask(stage: Names, name: str) -> pl.DataFrame:
    return Query(stage.stage).sql(QUERIES[name])


@pytest.mark.parametrize("name", QUERIES)
def test_the_same_sql_gives_the_same_answer_on_the_laptop_and_in_athena(
    stage: Names, name: str
) -> None:
    query, sql = Query(stage.stage), QUERIES[name]
    here = query.sql(sql, engine="duckdb")
    assert here.height > 0
    assert_frame_equal(here, query.sql(sql, engine="athena"))


def test_sales_by_hour_and_revenue_are_the_logs_own(stage: Names, log: pl.DataFrame) -> None:
    total = (pl.col("minor") * pl.col("quantity")).round().cast(pl.Int64)
    own = log.filter(pl.col("fate").is_in(["sale", "refund"])).with_columns(total.alias("total"))
    revenue = ask(stage, "revenue_by_country_and_month")
    assert revenue["net_minor"].sum() == own["total"].sum()
    net = dict(own.group_by("country").agg(pl.col("total").sum()).iter_rows())
    found = revenue.group_by("country").agg(pl.col("net_minor").sum())
    assert dict(found.iter_rows()) == net
    sales = own.filter(pl.col("fate") == "sale")
    first = sales.with_columns(pl.col("at").first().over("invoice").dt.hour().alias("hour"))
    hours = first.group_by("hour").agg(pl.col("invoice").n_unique(), pl.col("total").sum())
    by_hour = ask(stage, "sales_by_hour")
    assert by_hour.select("hour_utc", "orders", "gross_minor").rows() == [
        (hour, orders, gross) for hour, orders, gross in sorted(hours.rows())
    ]


def test_retention_baskets_and_segments_are_what_sets_of_rows_say(
    stage: Names, log: pl.DataFrame
) -> None:
    months: dict[str, set[str]] = defaultdict(set)
    baskets: dict[str, set[str]] = defaultdict(set)
    spent = 0
    for row in log.filter(pl.col("fate") == "sale").iter_rows(named=True):
        baskets[row["invoice"]].add(row["stock_code"])
        if row["customer_id"]:
            months[row["customer_id"]].add(f"{row['at']:%Y-%m}")
            spent += round(row["minor"]) * row["quantity"]
    back = Counter((min(seen), month) for seen in months.values() for month in seen)
    cohorts = ask(stage, "cohort_retention")
    months_of = {"2010-12": 0, "2011-01": 1, "2011-03": 3, "2011-06": 6}
    assert {(f"{cohort:%Y-%m}", later): n for cohort, later, n, _ in cohorts.rows()} == {
        (first, months_of[month] - months_of[first]): n for (first, month), n in back.items()
    }
    segments = ask(stage, "rfm")
    assert segments["customers"].sum() == len(months)
    assert segments["spent_minor"].sum() == spent
    small = [basket for basket in baskets.values() if len(basket) <= 60]
    together = Counter(pair for basket in small for pair in combinations(sorted(basket), 2))
    alone = Counter(code for basket in small for code in basket)
    pairs = ask(stage, "basket")
    (best_orders, best_lift) = pairs.select("orders", "lift").row(0)
    often = {pair: n for pair, n in together.items() if 100 * n >= len(small)}
    lifts = {pair: n * len(small) / alone[pair[0]] / alone[pair[1]] for pair, n in often.items()}
    assert best_lift == round(max(lifts.values()), 1)
    assert best_orders in often.values()


def test_the_funnel_counts_visits_by_their_furthest_step(stage: Names) -> None:
    funnel = ask(stage, "funnel")
    furthest = [*VISITS.elements(), *(max(map(STEPS.index, leap)) + 1 for leap in LEAPS)]
    reached = [sum(taken >= step for taken in furthest) for step in range(1, 6)]
    assert funnel["visits"].to_list() == reached == [25, 16, 9, 5, 2]
    assert documented("funnel") == beginning_of(funnel, 5)


def test_what_an_engine_cannot_do_is_said_in_its_words(stage: Names) -> None:
    for engine in ("duckdb", "athena"):
        with pytest.raises(QueryFailed, match="titel"):
            Query(stage.stage).sql("SELECT titel FROM order_lines", engine=engine)


def test_the_notebook_runs_and_its_readers_agree_and_so_does_every_block_of_the_guide(
    emulator: Stack, stage: Names
) -> None:
    here = [block for block in BLOCKS if not block.startswith("# only on AWS")]
    assert len(here) >= 6
    guide = "\n".join(here).replace("has-local", f"has-{stage.stage}")
    script = (  # one process: half of the time goes into imports
        "import sys, json; sys.path.insert(0, 'docs/notebooks'); import lake as notebook\n"
        "_, found = notebook.app.run()\n"
        "rows = {n: found[n].height for n in ('hours', 'cohorts', 'funnel', 'pairs', 'segments')}\n"
        "said = {'agree': found['readers_agree'], **rows,\n"
        "        'same': found['by_duckdb'].equals(found['by_path'])}\n"
        f"{guide.replace('has_local', stage.glue_database)}\n"
        "print(json.dumps(said))"
    )
    said = json.loads(run(emulator, stage, "-c", script).splitlines()[-1])
    assert said.pop("agree") is said.pop("same") is True
    assert said["funnel"] == len(STEPS)
    assert min(said.values()) > 0
    for block in BLOCKS:
        compile(block, "docs/querying.md", "exec")


def test_a_sample_is_the_same_twice_whole_and_without_persons(
    emulator: Stack, stage: Names, tmp_path: Path
) -> None:
    said = run(emulator, stage, "-m", "pipeline.sample", "--out", str(tmp_path), "--rows", "500")
    assert str(tmp_path) in said
    lake = Lake(stage)
    tables = {
        "order_lines": lake.order_lines(),
        "orders": lake.orders(),
        "clickstream": lake.clickstream(),
    }
    again = draw(tables, rows=500, seed=1)
    written = {name: pl.read_parquet(tmp_path / f"{name}.parquet") for name in tables}
    assert all(frame.equals(again[name]) for name, frame in written.items())
    lines, orders, clicks = written.values()
    assert 500 <= lines.height < 2_000
    assert lines["order_id"].unique().sort().equals(orders["order_id"].unique().sort())
    assert lines["customer_id"].drop_nulls().str.contains(r"^customer-\d{6}$").all()
    assert clicks["query"].drop_nulls().is_empty()
    assert not lines["synthetic"].any()
    assert "10.24432/C5BW33" in (tmp_path / "README.md").read_text()
