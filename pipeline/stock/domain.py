"""What a change of a stock row says: which units moved where, and whether few are left."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.contracts.events import STOCK_ADJUSTED, STOCK_LOW, Envelope

SOURCE = "stock"
_NOTHING = {"received": 0, "available": 0, "held": 0, "sold": 0}
# (from, to) -> what such a move is called.
_MOVES = {
    ("available", "held"): "reserved",
    ("held", "available"): "released",
    ("held", "sold"): "sold",
    ("sold", "available"): "returned",
}


@dataclass(frozen=True, slots=True)
class StockChange:
    """A record of the table's stream about a stock row; before it was there, and after it went,
    it is None."""

    sequence_number: str
    at: datetime
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None

    @property
    def row(self) -> Mapping[str, Any]:
        found = self.new if self.new is not None else self.old
        assert found is not None, "a record has an image"
        return found


def movements(change: StockChange) -> list[tuple[str, int]]:
    """(kind, units) of what moved; nothing for an edit that leaves the numbers alone.

    A write moves goods along one way. Should one do more, its parts still add up: what the shop
    owns changed by `received` or `adjusted`, and the rest went from one place to the next.
    """
    before, after = change.old or _NOTHING, change.new or _NOTHING
    moved = {name: int(after[name]) - int(before[name]) for name in _NOTHING}
    found: list[tuple[str, int]] = []
    if owned := moved.pop("received"):
        is_receipt = change.old is None or (owned > 0 and _note(change).get("kind") == "received")
        found.append(("received" if is_receipt else "adjusted", owned))
        moved["available"] -= owned
    for (source, target), kind in _MOVES.items():
        units = min(-moved[source], moved[target])
        if units > 0:
            found.append((kind, units))
            moved[source] += units
            moved[target] -= units
    return _by_hand(found, moved) if any(moved.values()) else found


def _by_hand(found: list[tuple[str, int]], moved: Mapping[str, int]) -> list[tuple[str, int]]:
    """From `available` or back to it without a reservation, as nobody does but by hand."""
    if units := moved["sold"]:
        path = [("reserved", units), ("sold", units)] if units > 0 else [("returned", -units)]
        found += path
    held = moved["held"]
    if held:
        found.append(("reserved", held) if held > 0 else ("released", -held))
    return found


def _note(change: StockChange) -> Mapping[str, Any]:
    """What this change says of itself; a row keeps the note of an earlier one."""
    note: Mapping[str, Any] = change.row.get("adjustment") or {}
    return {} if change.old and note == change.old.get("adjustment") else note


def is_low(change: StockChange, threshold: int) -> bool:
    """Whether this very change took the SKU to the threshold; a new SKU is not low, it is new."""
    if change.old is None or change.new is None:
        return False
    return int(change.old["available"]) > threshold >= int(change.new["available"])


def is_listed(change: StockChange, threshold: int) -> bool | None:
    """Whether the SKU belongs on the list of low ones from now on; None where this change says
    nothing of it. A new SKU is not low, it is new."""
    old, new = change.old, change.new
    if old is None:
        return None
    if new is None or new.get("status") == "archived":
        return False
    before, after = int(old["available"]), int(new["available"])
    if before == after:
        return None
    if after <= threshold:
        return True
    # More than there were: off the list, though a lower threshold may have put it there.
    return False if after > before or before <= threshold else None


def to_events(change: StockChange, threshold: int) -> Iterator[Envelope]:
    """The same, with the same ids, however often the record is delivered."""
    row, after = change.row, change.new or _NOTHING
    stand = {name: int(after[name]) for name in _NOTHING}
    for number, (kind, units) in enumerate(movements(change)):
        mark = f"{row['sku']}:{change.sequence_number}" + (f":{number}" if number else "")
        note = _note(change) if kind in ("received", "adjusted") else {}
        reason = note.get("reason") if change.old is not None else row.get("entered")
        unsaid = kind if kind != "adjusted" else "withdrawn" if units < 0 else "put back"
        payload = {
            "sku": row["sku"], "product_id": row["product_id"], "kind": kind, "delta": units,
            "reason": str(reason or unsaid), **stand,
        }  # fmt: skip
        yield _envelope(STOCK_ADJUSTED, mark, change, payload)
    if is_low(change, threshold):
        payload = {
            "sku": row["sku"], "product_id": row["product_id"],
            "available": stand["available"], "threshold": threshold,
        }  # fmt: skip
        yield _envelope(STOCK_LOW, f"{row['sku']}:{change.sequence_number}:low", change, payload)


def _envelope(kind: str, mark: str, change: StockChange, payload: dict[str, Any]) -> Envelope:
    return Envelope(
        event_id=mark,
        event_type=kind,
        occurred_at=change.at,
        source=SOURCE,
        correlation_id=mark,
        partition_key=change.row["sku"],
        payload=payload,
    )
