"""What events cost is counted as AWS counts it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iac.local.ports import ROOT
from pipeline.cost.__main__ import FULL, MEMORY_GB
from pipeline.cost.domain import Aggregates, Pace, usage_of, usd_per_million
from pipeline.folding.domain import Increments
from tests.folding_model import a_click, an_order

PACE = Pace(landing=10, folding=5)


def bodies(*events: dict[str, object]) -> list[bytes]:
    return [json.dumps(event).encode() for event in events]


def test_memory_and_batches_are_those_that_are_declared() -> None:
    functions, mappings = (
        json.loads((ROOT / "iac" / "topology" / f"{name}.json").read_text())
        for name in ("functions", "mappings")
    )
    assert {name: functions[name]["memory_mb"] / 1024 for name in MEMORY_GB} == MEMORY_GB
    assert mappings["landing"]["batch_size"] == FULL.landing
    assert mappings["folding"]["batch_size"] == FULL.folding


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30))
def test_an_item_is_as_large_as_its_sums(amounts: list[int]) -> None:
    """Split over transactions or not, it ends at the same size."""
    item, name = ("pk", "sk"), "n" * 3_000
    by_and_by, at_once = Aggregates(), Aggregates()
    for amount in amounts:
        last = by_and_by.write_units(Increments({item: {name: amount}}), [])
    assert last == at_once.write_units(Increments({item: {name: sum(amounts)}}), [])
    assert last == 6, "two units for each KB that is begun"


def test_a_small_order_is_written_in_one_transaction() -> None:
    usage = usage_of(bodies(an_order("o", lines=1, customer="c")), PACE)
    # The progress; two for each of: check, marker, 3 sales, 2 products, customers.
    assert usage.write_units == 1 + 2 * (1 + 1 + 3 + 2 + 1)
    assert (usage.payload_units, usage.files, usage.invocations) == (1, 1, 2)


def test_clicks_of_a_batch_share_a_transaction() -> None:
    usage = usage_of(bodies(*(a_click(n, 0) for n in range(5))), PACE)
    assert usage.write_units == 1 + 2 * (1 + 1 + 1)
    assert usage.payload_units == 5


def test_a_record_of_more_than_25_kb_is_several_units_and_what_is_refused_is_none_of_folding() -> (
    None
):
    usage = usage_of([b"x" * 25_600, b"x" * 25_601], PACE)
    assert (usage.payload_units, usage.write_units) == (3, 1)


def test_batches_that_are_not_full_cost_more_files_and_invocations() -> None:
    usage = usage_of(bodies(*(a_click(n, 0) for n in range(11))), PACE)
    assert (usage.files, usage.invocations) == (2, 2 + 3)
    prices = dict.fromkeys(
        ("kinesis_payload_unit", "lambda_request", "lambda_gb_second", "dynamodb_write_unit",
         "s3_put"), 0.0,
    )  # fmt: skip
    found = usd_per_million(
        usage, {"landing": 2.0}, prices | {"s3_put": 11.0, "lambda_gb_second": 1.0}
    )
    assert found["S3, raw files"] == pytest.approx(2e6)
    assert found["Lambda, time of landing"] == pytest.approx(2e6)
