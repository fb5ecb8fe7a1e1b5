"""Whether no unit of stock came from nowhere or went there, and none was sold twice; pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.proof.domain import Finding, Order, judge

_OWNED = frozenset({"received", "adjusted"})


@dataclass(frozen=True, slots=True)
class StockRow:
    sku: str
    received: int
    available: int
    held: int
    sold: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A distinct `stock.adjusted` of the lake: `delta` units moved the way `kind` says.

    `change` counts up with the writes to a SKU's row, of which each makes one movement or several;
    `received` is what the row says of it afterwards.
    """

    sku: str
    change: int
    kind: str
    delta: int
    received: int


def stock_is_conserved(rows: Sequence[StockRow]) -> Finding:
    broken = [
        r.sku
        for r in rows
        if r.received != r.available + r.held + r.sold or min(r.available, r.held, r.sold) < 0
    ]
    return judge(
        f"received {sum(r.received for r in rows):,}",
        f"{_say(rows)}, {len(rows):,} SKUs",
        broken,
    )


def stock_matches_orders(rows: Sequence[StockRow], orders: Iterable[Order]) -> Finding:
    """Held and sold are recomputed from the orders, so a doubled or lost move shows."""
    held: Counter[str] = Counter()
    sold: Counter[str] = Counter()
    for order in orders:
        if order.status == "placed":
            held.update(order.units)
        elif order.status in {"paid", "packed", "shipped", "delivered", "refunded"}:
            sold.update(order.units)
    return judge(
        f"held {sum(r.held for r in rows):,}, sold {sum(r.sold for r in rows):,} in stock rows",
        f"held {held.total():,}, sold {sold.total():,} in orders",
        [r.sku for r in rows if r.held != held[r.sku] or r.sold != sold[r.sku]],
    )


def movements_add_up(rows: Sequence[StockRow], movements: Sequence[Movement]) -> Finding:
    """Each SKU's row, computed from its events alone; one that never moved is as it was put there.

    What lay on the shelf before the first event is what that event found.
    """
    by_sku: defaultdict[str, list[Movement]] = defaultdict(list)
    for movement in movements:
        by_sku[movement.sku].append(movement)
    # A SKU that was taken out of the shop has no row, and events that add up to nothing.
    found = {r.sku: r for r in rows} | {
        sku: StockRow(sku, 0, 0, 0, 0) for sku in by_sku.keys() - {r.sku for r in rows}
    }
    told = {sku: _told(row, by_sku.get(sku, [])) for sku, row in found.items()}
    kinds: Counter[str] = Counter()
    for movement in movements:
        kinds[movement.kind] += movement.delta
    return judge(
        f"{_say(told.values())}, of {len(movements):,} movements of {len(by_sku):,} SKUs",
        f"{_say(rows)}, {len(rows):,} rows",
        [sku for sku, row in found.items() if told[sku] != row],
        ", ".join(f"{kind} {units:,}" for kind, units in sorted(kinds.items())),
    )


def _told(row: StockRow, movements: Sequence[Movement]) -> StockRow:
    """The row as its movements tell of it."""
    if not movements:
        return StockRow(row.sku, row.received, row.received, 0, 0)
    units: Counter[str] = Counter()
    for movement in movements:
        units[movement.kind] += movement.delta
    first = min(movement.change for movement in movements)
    opening = [m for m in movements if m.change == first]
    before = opening[0].received - sum(m.delta for m in opening if m.kind in _OWNED)
    owned = before + units["received"] + units["adjusted"]
    return StockRow(
        row.sku,
        owned,
        owned - units["reserved"] + units["released"] + units["returned"],
        units["reserved"] - units["released"] - units["sold"],
        units["sold"] - units["returned"],
    )


def _say(rows: Iterable[StockRow]) -> str:
    sums: Counter[str] = Counter()
    for row in rows:
        sums.update(available=row.available, held=row.held, sold=row.sold)
    return f"available {sums['available']:,} + held {sums['held']:,} + sold {sums['sold']:,}"
