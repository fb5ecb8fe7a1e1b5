"""From a change of an order row to its event, and the order in which events may be sent."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from pipeline.contracts.events import Envelope, OrderFact, OrderLine, Rejected
from pipeline.contracts.ids import order_event_id
from pipeline.contracts.orders import OrderStatus, event_type

S = OrderStatus
# Who brings an order into each state.
_SOURCE = {
    S.PLACED: "checkout",
    S.CANCELLED: "checkout",
    S.REFUNDED: "checkout",
    S.PAID: "payment",
    S.PAYMENT_FAILED: "payment",
    S.PACKED: "fulfilment",
    S.SHIPPED: "fulfilment",
    S.DELIVERED: "fulfilment",
}


def is_news(new: Mapping[str, Any], old: Mapping[str, Any] | None) -> bool:
    """Whether the row reached a version that it did not have before."""
    return old is None or new.get("version") != old.get("version")


def to_event(order: Mapping[str, Any]) -> Envelope:
    """The event of the order's present version; the same however often it is made.

    It carries the facts of `OrderFact` alone: no card, e-mail or postal address leaves the row.
    Raises: Rejected when the row is not an order as the contract says.
    """
    try:
        version, order_id = order["version"], order["order_id"]
        entry = next(e for e in order["timeline"] if e["version"] == version)
        refund = next((r for r in order.get("refunds", ()) if r["version"] == version), None)
        status = S.REFUNDED if refund else S(order["status"])
        told = {**order, **_given_back(refund)} if refund else order
        lines = [
            {name: line[name] for name in OrderLine.model_fields if name in line}
            for line in told["lines"]
        ]
        facts = {name: told[name] for name in OrderFact.model_fields if name in told}
        return Envelope(
            event_id=order_event_id(order_id, version),
            event_type=event_type(status),
            occurred_at=entry["at"],
            source=_SOURCE[status],
            correlation_id=order["correlation_id"],
            causation_id=order_event_id(order_id, version - 1) if version > 1 else None,
            partition_key=order_id,
            synthetic=order["synthetic"],
            payload=OrderFact.model_validate(facts | {"lines": lines}).model_dump(mode="json"),
            **_traced(order),
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Rejected("bad_order", f"{field}: {first['msg']}") from None
    except (KeyError, StopIteration, TypeError, ValueError) as error:
        raise Rejected("bad_order", f"{type(error).__name__}: {error}"[:200]) from None


def _given_back(refund: Mapping[str, Any]) -> dict[str, Any]:
    """The amounts of a refund, below zero, and its lines; the state stays the order's own."""
    amounts = ("subtotal_minor", "discount_minor", "shipping_minor", "tax_minor")
    return {
        "refund_id": refund["refund_id"],
        "lines": [
            line | {name: -line[name] for name in ("line_total_minor", "discount_minor")}
            for line in refund["lines"]
        ],
        **{name: -refund[name] for name in amounts},
        "total_minor": -refund["amount_minor"],
    }


def _traced(order: Mapping[str, Any]) -> dict[str, str]:
    """The trace of the order's move goes on in its event; the one thing a repeat may change."""
    header = order.get("trace")
    return {"trace_header": header} if isinstance(header, str) else {}


def in_waves(events: Iterable[Envelope]) -> list[list[Envelope]]:
    """Groups in which each order occurs once, so that a partial retry cannot swap its events."""
    waves: list[list[Envelope]] = []
    depth: dict[str, int] = {}
    for event in events:
        level = depth.get(event.partition_key, 0)
        depth[event.partition_key] = level + 1
        if level == len(waves):
            waves.append([])
        waves[level].append(event)
    return waves
