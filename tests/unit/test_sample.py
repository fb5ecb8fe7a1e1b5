"""A sample of the lake: repeatable, with whole orders, and nobody in it."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.runtime.facts import CLICKSTREAM, ORDER_LINES, ORDERS, Table
from pipeline.sample.domain import Tables, draw

_AT = datetime(2026, 11, 1, 10, tzinfo=UTC)
_SECRETS = ("ann@example.com", "cust", "guest", "visit", "token")


def a_frame(table: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {"dt": pl.Date, **table.columns}
    usual = {"dt": date(2026, 11, 1), "placed_at": _AT, "occurred_at": _AT, "synthetic": False}
    return pl.DataFrame([dict.fromkeys(schema) | usual | row for row in rows], schema=schema)


def a_lake(orders: int = 30) -> Tables:
    """Orders of one to four lines and two events, each from a visit of five clicks."""
    lines, events, clicks = [], [], []
    for n in range(orders):
        order = {"order_id": f"visit-order-{n}", "customer_id": f"cust-{n % 7}" if n % 3 else None}
        for version in (1, 2):
            event_id = f"{order['order_id']}:{version}"
            events.append({**order, "event_id": event_id, "version": version})
        for line in range(n % 4 + 1):
            lines.append({**order, "event_id": f"{order['order_id']}:1", "line_no": line + 1})
        for click in range(5):
            clicks.append({
                "event_id": f"visit-{n}-{click}", "session_id": f"visit-{n}",
                "customer_id": order["customer_id"], "anonymous_id": f"guest-{n}",
                "order_id": order["order_id"] if click == 4 else None,
                "query": "ann@example.com", "referrer": "https://mail.example.com/inbox?token=1",
                "path": f"/orders/{order['order_id']}?token=1" if click else "/products/mug?a=1",
            })  # fmt: skip
    lines.append({"order_id": "load", "event_id": "load:1", "line_no": 1, "synthetic": True})
    return {
        "order_lines": a_frame(ORDER_LINES, lines),
        "orders": a_frame(ORDERS, events),
        "clickstream": a_frame(CLICKSTREAM, clicks),
    }


@given(st.integers(1, 60), st.integers(0, 5))
def test_orders_and_visits_are_whole_and_every_join_finds_its_other_side(
    rows: int, seed: int
) -> None:
    lake = a_lake()
    sample = draw(lake, rows, seed)
    lines, orders, clicks = (sample[name] for name in lake)
    assert rows <= lines.height or lines.height == lake["order_lines"].height - 1
    assert lines.height < rows + 4
    assert set(lines["order_id"]) == set(orders["order_id"])
    assert set(lines["event_id"]) <= set(orders["event_id"])
    assert orders.group_by("order_id").len()["len"].unique().to_list() == [2]
    assert clicks.group_by("session_id").len()["len"].unique().to_list() == [5]
    assert set(clicks["order_id"].drop_nulls()) == set(lines["order_id"])
    sizes = lines.group_by("order_id").agg(pl.len(), pl.col("line_no").max().alias("last"))
    assert (sizes["len"] == sizes["last"]).all()
    buyers = orders.select("order_id", "customer_id").unique()
    seen = clicks.drop_nulls("order_id").select("order_id", "customer_id")
    assert seen.join(buyers, on=["order_id", "customer_id"], nulls_equal=True).height == seen.height


def test_nothing_of_a_person_is_left() -> None:
    sample = draw(a_lake(), 60, 1)
    text = "\n".join(frame.write_csv() for frame in sample.values())
    assert [secret for secret in _SECRETS if secret in text.replace("customer", "")] == []
    clicks = sample["clickstream"]
    assert clicks["path"].unique().sort().to_list() == ["/orders", "/products/mug"]
    assert clicks["referrer"].unique().to_list() == ["https://mail.example.com"]


def test_the_same_seed_draws_the_same_whatever_the_order_of_rows() -> None:
    lake = a_lake()
    shuffled = {
        name: frame.sample(fraction=1, shuffle=True, seed=3) for name, frame in lake.items()
    }
    first, again, other = draw(lake, 20, 1), draw(shuffled, 20, 1), draw(lake, 20, 2)
    assert all(first[name].equals(again[name]) for name in first)
    assert not first["order_lines"].equals(other["order_lines"])
