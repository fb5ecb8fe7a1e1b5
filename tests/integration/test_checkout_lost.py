"""Replicas of the checkout are killed with orders in their hands: each is made and charged once."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import uuid4

import httpx
import pytest
from checkout_shop import Browser, put_on_sale, stock_of

from iac.local.payment_gateway.store import GatewayStore
from tests.conftest import Stack, wait_until

BUYERS = 24
UNITS = 100


@pytest.fixture
def buyers(stack: Stack) -> Iterator[list[Browser]]:
    with ExitStack() as opened:
        yield [opened.enter_context(Browser(stack)) for _ in range(BUYERS)]


@pytest.mark.parametrize("lost", [("checkout-a",), ("checkout-a", "checkout-b")])
def test_orders_whose_replica_is_killed_are_made_and_charged_once(
    stack: Stack, buyers: list[Browser], lost: tuple[str, ...]
) -> None:
    sku = put_on_sale(stack, UNITS)
    for buyer in buyers:
        assert buyer.put(sku, 1).status_code == 200
    keys = [uuid4().hex for _ in buyers]
    running = stack.supervisor.running()
    with ThreadPoolExecutor(BUYERS) as pool:
        first = [pool.submit(_tried, *each) for each in zip(buyers, keys, strict=True)]
        # Some have taken their stock, others are on their way: now.
        wait_until(lambda: stock_of(stack, sku)["available"] <= UNITS - 2, pause_s=0.001)
        for replica in lost:
            os.kill(running[replica].pid, signal.SIGKILL)
    refused = [answer.result() for answer in first if answer.result() != 201]
    assert refused or len(lost) == 1, "killed too late: everybody had an answer"

    made = [
        wait_until(lambda b=buyer, k=key: _order_id(b, k))
        for buyer, key in zip(buyers, keys, strict=True)
    ]

    assert len(set(made)) == BUYERS
    assert all(len(buyer.get("/orders").json()["items"]) == 1 for buyer in buyers)
    gateway = GatewayStore(stack.names)

    def is_charged(order_id: str) -> bool:
        payment = gateway.find(order_id)
        return payment is not None and payment.status == "captured"

    wait_until(lambda: all(map(is_charged, made)))
    for buyer, order_id in zip(buyers, made, strict=True):
        total = buyer.get(f"/orders/{order_id}").json()["total"]["amount_minor"]
        payment = gateway.find(order_id)
        assert payment is not None
        assert payment.net_minor == total
    wait_until(lambda: stock_of(stack, sku)["sold"] == BUYERS)
    assert stock_of(stack, sku)["available"] == UNITS - BUYERS


def _tried(buyer: Browser, key: str) -> int:
    """The status of the first attempt; 0 when the connection broke."""
    try:
        return buyer.order(key).status_code
    except httpx.HTTPError:
        return 0


def _order_id(buyer: Browser, key: str) -> str | None:
    """As a client asks again that had no answer, under the same key."""
    answer = buyer.order(key)
    return str(answer.json()["order_id"]) if answer.status_code == 201 else None
