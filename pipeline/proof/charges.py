"""Whether the card gateway has of each order's money what the order says; pure, no reading."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.proof.domain import Finding, Order, judge, say_money


@dataclass(frozen=True, slots=True)
class Charge:
    """A payment as the card gateway's ledger holds it, under the order's id."""

    order_id: str
    status: str
    currency: str
    captured_minor: int
    refunded_minor: int

    @property
    def net_minor(self) -> int:
        return self.captured_minor - self.refunded_minor


def captured_is_owed(orders: Mapping[str, Order], charges: Mapping[str, Charge]) -> Finding:
    """An order that is still `placed` may be between the two: it is judged once it has settled."""
    settled = {i: o for i, o in orders.items() if o.status != "placed"}
    wrong = {i for i, o in settled.items() if not _is_right(o, charges.get(i))}
    nobodys = {i for i, c in charges.items() if i not in orders and c.net_minor}
    paid = [o for o in orders.values() if o.was_paid]
    took = [c for c in charges.values() if c.captured_minor]
    given_back = [(o.currency, o.total_minor - o.owed_minor) for o in paid]
    return judge(
        f"{say_money((c.currency, c.captured_minor) for c in took)} captured, "
        f"{say_money((c.currency, c.refunded_minor) for c in took)} refunded, "
        f"{say_money((c.currency, c.net_minor) for c in took)} net, "
        f"{len(charges):,} payments at the gateway",
        f"{say_money((o.currency, o.total_minor) for o in paid)} paid, "
        f"{say_money(given_back)} given back, "
        f"{say_money((o.currency, o.owed_minor) for o in orders.values())} net, "
        f"{len(paid):,} orders",
        wrong | nobodys,
    )


def _is_right(order: Order, charge: Charge | None) -> bool:
    if charge is None:
        return order.owed_minor == 0 and not (order.was_paid and order.total_minor)
    if charge.captured_minor and charge.currency != order.currency:
        return False
    is_held = charge.status in ("pending", "authorised")
    took = order.total_minor if order.was_paid else charge.refunded_minor
    return not is_held and charge.captured_minor == took and charge.net_minor == order.owed_minor
