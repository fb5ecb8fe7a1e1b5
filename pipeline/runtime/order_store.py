"""Moves of an order from one state to the next, with the stock that moves along.

Checkout (cancel) and the workers (payment, fulfilment) change an order only through `advance`:
one transaction per move, conditional on the order's version, so that a move happens exactly once
however often it is asked for, and stock is never released or sold twice.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.errors import NotFound, Unavailable
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.contracts.orders import ALLOWED_FROM, RELEASES_STOCK, OrderStatus
from pipeline.runtime import aws
from pipeline.runtime.dynamo import Item, TransactionCancelled, from_item, to_item, transact

# Each lost race means that somebody else moved the order, and no path has more moves than states.
_MAX_RACES = len(OrderStatus)
_OWNED = frozenset({"pk", "sk", "order_id", "owner", "status", "version", "timeline", "lines"})


class StockMismatch(Exception):
    """A stock row does not hold what the order says it took: never expected, for people to see."""


class Outcome(StrEnum):
    ADVANCED = "advanced"  # this call moved the order
    ALREADY = "already"  # it had been in that state before: a replay, a success
    REFUSED = "refused"  # its present state does not lead there


@dataclass(frozen=True, slots=True)
class Advance:
    """`order` is the row as it stands now, whatever the outcome."""

    order: Item
    outcome: Outcome


class OrderStore:
    """Orders of one stage by id, as plain dicts (layout: docs/architecture.md, table orders)."""

    def __init__(self, names: Names) -> None:
        self._orders = names.table("orders")
        self._products = names.table("products")

    def find_order(self, order_id: str) -> Item | None:
        answer = aws.client("dynamodb").get_item(
            TableName=self._orders, Key=to_item(keys.order(order_id)), ConsistentRead=True
        )
        return from_item(answer["Item"]) if "Item" in answer else None

    def get_order(self, order_id: str) -> Item:
        """Strongly consistent. Raises NotFound."""
        order = self.find_order(order_id)
        if order is None:
            raise NotFound("There is no such order", order_id=order_id)
        return order

    def advance(
        self,
        order_id: str,
        to: OrderStatus,
        at: datetime,
        note: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Advance:
        """Move an order to `to`: version + 1, a line in its timeline, and its stock, in one write.

        Args: `extra` are more attributes of the order row to set with the move, e.g. `payment`.
        Raises: NotFound; Unavailable and boto3's errors, which may be retried; StockMismatch.
        """
        changes = dict(extra or {})
        assert not _OWNED & changes.keys(), "the move itself sets these"
        order = self.get_order(order_id)
        for _ in range(_MAX_RACES):
            if any(entry["status"] == to for entry in order["timeline"]):
                return Advance(order, Outcome.ALREADY)
            if order["status"] not in ALLOWED_FROM[to]:
                return Advance(order, Outcome.REFUSED)
            moved = _moved(order, to, at, note, changes)
            try:
                transact(self._operations(order, moved, changes))
            except TransactionCancelled as cancelled:
                if 0 not in cancelled.failed:
                    raise StockMismatch(f"order {order_id} to {to}: {cancelled}") from None
                order = cancelled.failed[0] or self.get_order(order_id)
            else:
                return Advance(moved, Outcome.ADVANCED)
        raise Unavailable("The order is changing; try again", headers={"Retry-After": "1"})

    def _operations(self, order: Item, moved: Item, changes: Item) -> list[Item]:
        written = {"status", "version", "timeline", *changes}
        names = {f"#{position}": name for position, name in enumerate(sorted(written))}
        values = {f":{position}": moved[name] for position, name in enumerate(sorted(written))}
        assignments = ", ".join(f"#{position} = :{position}" for position in range(len(names)))
        update = {
            "TableName": self._orders,
            "Key": to_item(keys.order(order["order_id"])),
            "UpdateExpression": f"SET {assignments}",
            "ConditionExpression": "#seen_version = :seen_version AND #seen_status = :seen_status",
            "ExpressionAttributeNames": names
            | {"#seen_version": "version", "#seen_status": "status"},
            "ExpressionAttributeValues": to_item(
                values | {":seen_version": order["version"], ":seen_status": order["status"]}
            ),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        to = OrderStatus(moved["status"])
        return [{"Update": update}, *self._stock_moves(order, to), *self._uses_back(order, to)]

    def _uses_back(self, order: Item, to: OrderStatus) -> list[Item]:
        """An order that fails or is cancelled has not used its promotion code."""
        used = order.get("promotion")
        if used is None or to not in RELEASES_STOCK:
            return []
        return [
            {
                "Update": {
                    "TableName": self._orders,
                    "Key": to_item(keys.promotion_uses(used["code"], subject)),
                    "UpdateExpression": "ADD uses :back",
                    "ExpressionAttributeValues": to_item({":back": -1}),
                }
            }
            for subject in (None, *used["subjects"])
        ]

    def _stock_moves(self, order: Item, to: OrderStatus) -> list[Item]:
        move = stock_move(OrderStatus(order["status"]), to)
        if move is None:
            return []
        source, target = move
        quantities: Counter[str] = Counter()
        for line in order["lines"]:
            quantities[line["sku"]] += line["quantity"]
        return [
            {
                "Update": {
                    "TableName": self._products,
                    "Key": to_item(keys.stock(sku)),
                    "UpdateExpression": "ADD #source :taken, #target :given",
                    "ConditionExpression": "#source >= :given",
                    "ExpressionAttributeNames": {"#source": source, "#target": target},
                    "ExpressionAttributeValues": to_item({":taken": -quantity, ":given": quantity}),
                }
            }
            for sku, quantity in sorted(quantities.items())
        ]


def stock_move(status: OrderStatus, to: OrderStatus) -> tuple[str, str] | None:
    """Which counter of the stock rows a move takes from and gives to, if it moves goods at all."""
    if to is OrderStatus.PAID:
        return "held", "sold"
    if to in RELEASES_STOCK:
        return ("held" if status is OrderStatus.PLACED else "sold"), "available"
    return None


def _moved(order: Item, to: OrderStatus, at: datetime, note: str | None, changes: Item) -> Item:
    version = order["version"] + 1
    entry = {"version": version, "status": to.value, "at": to_iso_z(at), "note": note}
    return {
        **order,
        **changes,
        "status": to.value,
        "version": version,
        "timeline": [*order["timeline"], entry],
    }
