"""Something to look at: a slice of the real order log, an order of today, clicks."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
from checkout_shop import an_order, put_on_sale

from pipeline.replay.products import DATA
from tests.conftest import Stack


def a_slice(path: Path) -> None:
    """Invoices of every country of the log, and credit notes, far from those of other tests."""
    log = pl.read_parquet(DATA / "online_retail.parquet").slice(300_000, 60_000)
    few = (
        log.group_by("Country", maintain_order=True)
        .agg(pl.col("InvoiceNo").unique(maintain_order=True).head(9))
        .explode("InvoiceNo")
    )
    log.join(few, on="InvoiceNo", how="semi", maintain_order="left").write_parquet(path)


def buy(stack: Stack) -> str:
    """A guest's real order through the edge; returns its id."""
    sku = put_on_sale(stack, 5)
    with stack.http() as http:
        http.put(f"/api/checkout/cart/items/{sku}", json={"quantity": 1}).raise_for_status()
        headers = {"Idempotency-Key": uuid4().hex}
        placed = http.post("/api/checkout/orders", json=an_order(), headers=headers)
    assert placed.status_code == 201, placed.text
    return str(placed.json()["order_id"])


def click(stack: Stack) -> None:
    def event(kind: str, session: str | None, **payload: Any) -> dict[str, Any]:
        own = {"session_id": session, "anonymous_id": session} if session else {}
        return {"event_type": f"shopper.{kind}.v1", **own, "payload": payload}

    events = [
        event("page_viewed", "session-one", path="/", device="phone"),
        event("product_viewed", "session-one", product_id="p1"),
        event("cart_changed", "session-one", sku="p1"),
        event("page_viewed", "session-two", path="/", device="<b>[x](http://a.test)"),
        event("searched", None, query=" Unfindable ", results_count=0),
        event("searched", None, query="unfindable", results_count=0),
    ]
    with stack.http() as http:
        answer = http.post("/api/analytics/events", json={"events": events})
    assert answer.json()["accepted"] == len(events)
