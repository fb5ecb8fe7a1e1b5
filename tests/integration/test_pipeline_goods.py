"""Curated clicks say what the catalogue said of their products when they were compacted."""

from datetime import UTC, datetime
from typing import Any

import pytest
from ulid import ULID

from pipeline.compaction.service import compact
from pipeline.contracts import keys
from pipeline.contracts.names import CATALOGUE_SNAPSHOT, Names
from pipeline.runtime import aws, clock
from pipeline.runtime.facts import OF_PRODUCT
from pipeline.runtime.lake import Lake
from storefront_api.catalog.domain import Product
from storefront_api.catalog.snapshot import Snapshots
from tests.conftest import Stack
from tests.integration.pipeline_flow import Flow, a_click
from tests.integration.pipeline_stage import own_stage

AT = datetime(1994, 5, 17, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def stage(emulator: Stack) -> Names:
    return own_stage(emulator)


@pytest.fixture(scope="module")
def flow(stage: Names) -> Flow:
    return Flow(stage)


def view(number: int, product_id: str | None) -> dict[str, Any]:
    payload = {"product_id": product_id}
    return a_click(number, AT) | {"event_type": "shopper.product_viewed.v1", "payload": payload}


def a_product(product_id: str, title: str, *path: str, brand: str | None = None) -> Product:
    changed_at = str(ULID.from_datetime(AT))
    return Product(
        product_id, title, "", path, 100, "GBP", "1994-05-17T09:30:00Z", changed_at, brand=brand
    )


def compacted(stage: Names) -> dict[str, tuple[Any, ...]]:
    """Event id -> (title, category, brand), of the curated rows alone."""
    assert not compact(stage, clock.now, clock.new_id).is_skipped
    rows = Lake(stage).clickstream(fresh=False)
    return {row["event_id"]: tuple(row[name] for name in OF_PRODUCT) for row in rows.to_dicts()}


def test_without_a_catalogue_clicks_are_compacted_with_nothing_of_their_products(
    stage: Names, flow: Flow
) -> None:
    flow.deliver(view(1, "lamp"))
    assert compacted(stage) == {"click-0001": (None, None, None)}


def test_a_click_gets_what_the_catalogue_says_and_keeps_it(stage: Names, flow: Flow) -> None:
    Snapshots(stage).save(
        AT,
        [
            a_product("lamp", "Floor lamp", "Home", "Lighting", "Lamps", brand="Livostyle"),
            a_product("mug", "Mug", "Kitchen"), a_product("odd", "Odd"),
        ],
    )  # fmt: skip
    sent = [view(2, "lamp"), view(3, "mug"), view(4, "odd"), view(5, "unknown"), view(6, None)]
    flow.deliver(*sent, *sent[:2])
    first = {
        "click-0001": (None, None, None),
        "click-0002": ("Floor lamp", "Lighting", "Livostyle"),
        "click-0003": ("Mug", "Kitchen", None),
        "click-0004": ("Odd", "Uncategorised", None),
        "click-0005": (None, None, None),
        "click-0006": (None, None, None),
    }
    assert compacted(stage) == first
    Snapshots(stage).save(AT, [a_product("lamp", "Another lamp", "Garden")])
    flow.deliver(view(7, "lamp"))
    later = first | {"click-0007": ("Another lamp", "Garden", None)}
    assert compacted(stage) == later
    # As after a crash between the files and the state: everything is merged once more.
    aws.table(stage.table("ops")).delete_item(Key=keys.compaction_state())
    assert compacted(stage) == later


@pytest.mark.parametrize("content", [b"no gzip", b""])
def test_a_catalogue_that_cannot_be_read_stops_no_compaction(
    stage: Names, flow: Flow, content: bytes
) -> None:
    aws.batch_client("s3").put_object(
        Bucket=stage.lake_bucket, Key=CATALOGUE_SNAPSHOT, Body=content
    )
    flow.deliver(view(10 + len(content), "lamp"))
    assert compacted(stage)[f"click-00{10 + len(content)}"] == (None, None, None)
