"""Orders, their events and what a claim must say, for the tests of the proof ledger."""

from pipeline.proof.domain import Fact, Finding, Order, Verdict


def an_order(order_id: str = "o1", version: int = 2, status: str = "paid") -> Order:
    return Order(order_id, status, version, "GBP", 2000, {"sku": 2}, True, False, 2399, 2399)


def facts_of(order: Order) -> list[Fact]:
    types = ["order.placed.v1", "order.paid.v1", "order.packed.v1"][: order.version]
    return [
        Fact(f"{order.order_id}:{n}", kind, order.order_id, "checkout", False, "2026-11",
             order.currency, 2, order.subtotal_minor, order.total_minor)
        for n, kind in enumerate(types, start=1)
    ]  # fmt: skip


def by_id(*orders: Order) -> dict[str, Order]:
    return {order.order_id: order for order in orders}


def assert_names(check: Finding, *offenders: str) -> None:
    assert check.verdict is Verdict.INVALID
    assert check.offending_ids == list(offenders)
