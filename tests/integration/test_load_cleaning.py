"""What cleaning after a load run puts back on the shelf: each unit once, whoever put it back."""

from typing import Any

import pytest
from pipeline_stage import own_stage

from iac.local import tables
from iac.local.topology import Topology
from loadgen.cleaning import Cleaning
from loadgen.scenarios import correlation_prefix
from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.clock import new_id, now
from tests.conftest import Stack

RUN = "01RUN"


@pytest.fixture(scope="module")
def stage(emulator: Stack) -> Names:
    names = own_stage(emulator)
    for short in ("orders", "products", "users"):
        tables.apply_table(emulator.aws, names.table(short), Topology(names).tables[short])
    return names


def an_order(names: Names, sku: str, status: str, given_back: int, *, restocked: bool) -> None:
    """Of five units, of which a refund gave some back."""
    order_id, at = new_id(), to_iso_z(now())
    refund = {"is_restocked": restocked, "lines": [{"sku": sku, "quantity": given_back}]}
    item: dict[str, Any] = {
        **keys.order(order_id), "order_id": order_id, "owner": f"guest:{order_id}",
        "status": status, "version": 5, "placed_at": at, "synthetic": True,
        "listing": keys.SYNTHETIC_ORDERS, "correlation_id": f"{correlation_prefix(RUN)}1",
        "lines": [{"line_no": 1, "sku": sku, "quantity": 5}],
        "refunds": [refund] if given_back else [],
    }  # fmt: skip
    aws.table(names.table("orders")).put_item(Item=item)
    stock = {"sku": sku, "received": 10, "available": 5, "held": 0, "sold": 5}
    aws.table(names.table("products")).put_item(Item={**keys.stock(sku), **stock})


def test_what_a_refund_has_put_back_is_not_put_back_again(stage: Names) -> None:
    an_order(stage, "kept", "delivered", 0, restocked=False)
    an_order(stage, "sent-back", "delivered", 2, restocked=False)
    an_order(stage, "part", "delivered", 2, restocked=True)
    an_order(stage, "all", "refunded", 5, restocked=True)
    head = {"run_id": RUN, "status": "cleaning", "started_at": to_iso_z(now())}
    aws.table(stage.table("ops")).put_item(Item={**keys.load_run(RUN), **head})
    for _ in range(2):  # once, however often it is asked for
        Cleaning(stage, head).execute("operator", 0)
    shelf = aws.table(stage.table("products"))
    received = {
        sku: int(shelf.get_item(Key=keys.stock(sku))["Item"]["received"])
        for sku in ("kept", "sent-back", "part", "all")
    }
    assert received == {"kept": 15, "sent-back": 15, "part": 13, "all": 10}
