"""Moves of an order from one state to the next, with the stock that moves along.

Checkout (cancel, refund) and the workers (payment, fulfilment, expiry) change an order only here:
one transaction per move, conditional on the order's version, so that a move happens exactly once
however often it is asked for, and stock is never released or sold twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.audit import Audit
from pipeline.contracts.errors import NotFound, Unavailable, Unprocessable
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.contracts.orders import RELEASES_STOCK, OrderStatus
from pipeline.runtime import aws, tracing
from pipeline.runtime.dynamo import Item, TransactionCancelled, from_item, to_item, transact
from pipeline.runtime.order_moves import (
    Outcome,
    StockMove,
    is_overdue,
    moved,
    refund_move,
    refunded,
    stock_move,
    verdict,
)
from pipeline.runtime.order_refunds import Refund, RefundRequest, find_refund, plan_refund

__all__ = ["Advance", "IdempotencyKeyReused", "OrderStore", "Outcome", "StockMismatch"]

# Each lost race means that somebody else changed the order, which has few states and refunds.
_MAX_RACES = 2 * len(OrderStatus)
_OWNED = frozenset(
    {"pk", "sk", "order_id", "owner", "status", "version", "timeline", "lines", "refunds", "trace"}
)
# The row after, what changed in it, goods that move, and what is written with it.
_Plan = tuple[Item, Item, StockMove | None, list[Item]]


class IdempotencyKeyReused(Unprocessable):
    slug, title = "idempotency-key-reused", "This key came with another request before"


class StockMismatch(Exception):
    """A stock row does not hold what the order says it took: never expected, for people to see."""


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
        self._ops = names.table("ops")

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
        only_if: Callable[[Item], bool] = lambda _: True,
    ) -> Advance:
        """Move an order to `to`: version + 1, a line in its timeline, and its stock, in one write.

        The move's event belongs to the trace that made it, not to the one that placed the order.
        Args: `extra` are more attributes of the order row to set with the move, e.g. `payment`;
        `only_if` says of the row as it stands at the write whether to move it.
        Raises: NotFound; Unavailable and boto3's errors, which may be retried; StockMismatch.
        """
        changes = dict(extra or {})
        assert not _OWNED & changes.keys(), "the move itself sets these"
        assert to is not OrderStatus.REFUNDED, "by `refund`, which says how much"

        def plan(order: Item) -> _Plan | Outcome:
            outcome = verdict(order, to, at)
            if outcome is Outcome.ADVANCED and not only_if(order):
                outcome = Outcome.REFUSED
            if outcome is not Outcome.ADVANCED:
                return outcome
            return moved(order, to, at, note, changes), changes, stock_move(order, to), []

        return self._change(order_id, plan)

    def expire(self, order_id: str, at: datetime) -> Advance:
        """Cancel an order whose payment did not come in time; REFUSED when it is not overdue."""
        return self.advance(
            order_id,
            OrderStatus.CANCELLED,
            at,
            note="Not paid in time",
            extra={"payment": {"status": "voided", "failure_code": None}},
            only_if=lambda order: is_overdue(order, at),
        )

    def refund(self, order_id: str, asked: RefundRequest, at: datetime) -> Advance:
        """Give back lines of an order, once per key: its record, and goods that have not left.

        Raises: what `plan_refund` does; IdempotencyKeyReused; as `advance`.
        """

        def plan(order: Item) -> _Plan | Outcome:
            known = find_refund(order, asked.key)
            if known is None:
                refund = plan_refund(order, asked)
                told = self._audit(order, refund, at)
                return *refunded(order, refund, at), refund_move(refund), [told]
            if known["body_hash"] != asked.body_hash:
                raise IdempotencyKeyReused(
                    "Use a new Idempotency-Key for another refund",
                    errors=[{"field": "Idempotency-Key", "message": "Came with another body"}],
                )
            return Outcome.ALREADY

        return self._change(order_id, plan)

    def _change(self, order_id: str, plan: Callable[[Item], _Plan | Outcome]) -> Advance:
        """Write what is planned for the row as it stands; plan anew when somebody was faster."""
        order = self.get_order(order_id)
        for _ in range(_MAX_RACES):
            planned = plan(order)
            if isinstance(planned, Outcome):
                return Advance(order, planned)
            after, changes, goods, also = planned
            traced = tracing.carried_in_row()
            after, changes = after | traced, changes | traced
            try:
                transact([*self._operations(order, after, changes, goods), *also])
            except TransactionCancelled as cancelled:
                if 0 not in cancelled.failed:
                    raise StockMismatch(
                        f"order {order_id} to {after['status']}: {cancelled}"
                    ) from None
                order = cancelled.failed[0] or self.get_order(order_id)
            else:
                return Advance(after, Outcome.ADVANCED)
        raise Unavailable("The order is changing; try again", headers={"Retry-After": "1"})

    def _operations(
        self, order: Item, after: Item, changes: Item, goods: StockMove | None
    ) -> list[Item]:
        written = {"status", "version", "timeline", *changes}
        names = {f"#{position}": name for position, name in enumerate(sorted(written))}
        values = {f":{position}": after[name] for position, name in enumerate(sorted(written))}
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
        to = OrderStatus(after["status"])
        return [{"Update": update}, *self._stock_moves(goods), *self._uses_back(order, to)]

    def _audit(self, order: Item, refund: Refund, at: datetime) -> Item:
        record = refund.record
        amount = f"{record['amount_minor']} {order['currency']} minor units"
        detail = f"{amount}: {record['reason']}" if record["reason"] else amount
        entry = Audit(
            record["refund_id"], to_iso_z(at), record["by"], "order.refunded", order["order_id"],
            detail,
        )  # fmt: skip
        return {"Put": {"TableName": self._ops, "Item": to_item(entry.to_item())}}

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

    def _stock_moves(self, goods: StockMove | None) -> list[Item]:
        if goods is None:
            return []
        names = {"#source": goods.source, "#target": goods.target}
        return [
            {
                "Update": {
                    "TableName": self._products,
                    "Key": to_item(keys.stock(sku)),
                    "UpdateExpression": "ADD #source :taken, #target :given",
                    "ConditionExpression": "#source >= :given",
                    "ExpressionAttributeNames": names,
                    "ExpressionAttributeValues": to_item({":taken": -quantity, ":given": quantity}),
                }
            }
            for sku, quantity in sorted(goods.units.items())
        ]
