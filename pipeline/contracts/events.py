"""The event envelope and the payloads of every event type.

Unknown types and unknown fields pass through, and so does a version of a known type that still
fits the newest schema known of it. A body that fails its schema is refused with a reason
(`Rejected`), which the landing writes to quarantine; it never blocks the stream.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from pipeline.contracts.money import MAX_MINOR, Currency


def to_iso_z(moment: datetime) -> str:
    """UTC, ISO 8601, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")


def _require_zone(value: Any) -> Any:
    if isinstance(value, str) and not _ZONE.search(value):
        raise ValueError("a time needs a zone, e.g. a trailing Z")
    return value


def _to_utc(value: datetime) -> datetime:
    """In UTC, because hours and days are cut from it; the bounds keep every format four digits."""
    if not 1970 <= value.year < 9999:
        raise ValueError("a time lies between the years 1970 and 9998")
    return value.astimezone(UTC)


UtcTime = Annotated[
    datetime, BeforeValidator(_require_zone), AfterValidator(_to_utc), PlainSerializer(to_iso_z)
]
Text = Annotated[str, Field(max_length=512)]
Id = Annotated[str, Field(min_length=1, max_length=128)]
# From 1, and no more than the lake's columns hold: one that did not fit stopped every compaction.
Ordinal = Annotated[int, Field(ge=1, lt=2**63)]


class Open(BaseModel):
    """Adding a field never breaks a reader."""

    model_config = ConfigDict(extra="allow", frozen=True)

    def unknown(self) -> dict[str, Any]:
        """What was sent beyond the schema; of a list's members by their place, from `"0"`."""
        return dict(self.model_extra or {})


class OrderLine(Open):
    line_no: Ordinal
    sku: Id
    product_id: Id
    title: Text
    category: Text
    quantity: int = Field(gt=0, le=1_000_000, strict=True)
    unit_price_minor: int = Field(gt=0, le=MAX_MINOR, strict=True)
    line_total_minor: int = Field(ge=-MAX_MINOR, le=MAX_MINOR, strict=True)
    discount_minor: int = 0


class OrderFact(Open):
    """The payload of every `order.*` event: the whole order as it stands at `version`.

    Lines carry list prices, so that sales are merchandise before discounts; what a promotion took
    off is `discount_minor`, of the order and of each line:
    total = subtotal - discount + shipping + tax.

    In `order.refunded.v1` the lines are those given back, with positive `quantity` and amounts
    at or below zero, as are those of the order: `total_minor` is the money that goes back. There
    is one for each refund (`refund_id`); `status` tells whether anything of the order is left.
    `customer_id` is null for guests.
    """

    order_id: Id
    version: Ordinal
    status: str
    placed_at: UtcTime
    customer_id: Id | None = None
    country: Text
    currency: Currency
    lines: list[OrderLine] = Field(min_length=1, max_length=2_000)
    subtotal_minor: int
    discount_minor: int = 0
    shipping_minor: int = 0
    tax_minor: int = 0
    total_minor: int
    refund_id: Id | None = None

    def unknown(self) -> dict[str, Any]:
        lines = {str(n): line.model_extra for n, line in enumerate(self.lines) if line.model_extra}
        return {**(self.model_extra or {}), **({"lines": lines} if lines else {})}


class StockAdjusted(Open):
    """One movement of one SKU's stock, and how the row stands after it.

    `kind` is `received`, `reserved`, `released`, `sold`, `returned` or `adjusted`; `delta` counts
    units in its direction, and only an `adjusted` one may be below zero. For each SKU that did not
    come with the seed, all movements together give the row: received + adjusted = `received`,
    reserved - released - sold = `held`, sold - returned = `sold`.
    """

    sku: Id
    product_id: Id
    delta: int
    reason: Text
    available: int = Field(ge=0)
    kind: str = "adjusted"
    received: int | None = None
    held: int | None = None
    sold: int | None = None


class StockLow(Open):
    """A SKU fell to the threshold or below it; the next one comes after it was above again."""

    sku: Id
    product_id: Id
    available: int = Field(ge=0)
    threshold: int = Field(ge=0)


class Click(Open):
    """Payload of the browser's events; ids are null until the shopper consents."""

    session_id: Id | None = None
    anonymous_id: Id | None = None
    customer_id: Id | None = None
    product_id: Id | None = None
    sku: Id | None = None
    query: Text | None = None
    results_count: int | None = Field(default=None, ge=0)
    referrer: Text | None = None
    device: Text | None = None
    path: Text | None = None
    order_id: Id | None = None


ORDER_PLACED = "order.placed.v1"
ORDER_REFUNDED = "order.refunded.v1"
STOCK_ADJUSTED = "stock.adjusted.v1"
STOCK_LOW = "stock.low.v1"
ORDER_TYPES = tuple(
    f"order.{fact}.v1"
    for fact in (
        "placed",
        "paid",
        "payment_failed",
        "packed",
        "shipped",
        "delivered",
        "cancelled",
        "refunded",
    )
)
CLICK_TYPES = tuple(
    f"shopper.{fact}.v1"
    for fact in (
        "page_viewed",
        "product_viewed",
        "searched",
        "cart_changed",
        "checkout_started",
        "order_completed",
    )
)
# These take money back out of the sales: their lines are booked as kind `refund`.
REVERSALS = frozenset({"order.payment_failed.v1", "order.cancelled.v1", ORDER_REFUNDED})

PAYLOADS: dict[str, type[Open]] = {
    **dict.fromkeys(ORDER_TYPES, OrderFact),
    **dict.fromkeys(CLICK_TYPES, Click),
    STOCK_ADJUSTED: StockAdjusted,
    STOCK_LOW: StockLow,
}


class Envelope(Open):
    event_id: Id
    event_type: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+\.v[0-9]+$", max_length=64)]
    occurred_at: UtcTime
    source: Annotated[str, Field(min_length=1, max_length=64)]
    correlation_id: Id
    causation_id: Id | None = None
    partition_key: Id
    synthetic: bool = False
    payload: dict[str, Any]


class Rejected(Exception):
    """An event that can never succeed: `reason` is a slug, `detail` names the field."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def row_fault(quantity: Any, unit_price_minor: Any) -> str | None:
    """Why a sale line of the order log cannot be booked; the first rule that matches, or None.

    Args: `unit_price_minor` in minor units, possibly fractional (Decimal, int or numeric str).
    """
    if type(quantity) is type(unit_price_minor) is int and quantity >= 0 and unit_price_minor > 0:
        return None  # as nearly every line is: no decimals need be made of it
    price = Decimal(str(unit_price_minor))
    if price < 0:
        return "negative_price"
    if price == 0:
        return "zero_price"
    if price != price.to_integral_value():
        return "sub_minor_price"
    if Decimal(str(quantity)) < 0:
        return "negative_quantity"
    return None


@lru_cache(maxsize=1_024)
def known_type(event_type: str) -> str | None:
    """The type whose schema an event is read by: its own, else the newest known version of it."""
    if event_type in PAYLOADS:
        return event_type
    fact = event_type.rpartition(".v")[0]
    versions = [name for name in PAYLOADS if name.rpartition(".v")[0] == fact]
    return max(versions, key=lambda name: int(name.rpartition(".v")[2]), default=None)


def parse_event(body: bytes | str) -> Envelope:
    """One record of the stream to a checked envelope; raises Rejected with the reason.

    The payload is validated against its type's schema and kept as sent. A version that this code
    does not know gets the `event_type` that it was read as, and `sent_as` beside it.
    """
    return parse_fact(body)[0]


def parse_fact(body: bytes | str) -> tuple[Envelope, Open | None]:
    """As `parse_event`, with the payload as its type; None of a type that is unknown."""
    try:
        envelope = Envelope.model_validate_json(body)
    except ValidationError as error:
        raise Rejected("bad_envelope", _first_fault(error)) from None
    sent_as, event_type = envelope.event_type, known_type(envelope.event_type)
    if event_type is None:
        return envelope, None
    schema = PAYLOADS[event_type]
    if schema is OrderFact:
        _check_lines(envelope.payload)
    try:
        fact = schema.model_validate(envelope.payload)
    except ValidationError as error:
        fault = _first_fault(error)
        if sent_as == event_type:
            raise Rejected("bad_payload", f"{fault} ({event_type})") from None
        raise Rejected("bad_version", f"{sent_as}/{fault} (read as {event_type})") from None
    if sent_as != event_type:
        update = {"event_type": event_type, "sent_as": sent_as}
        envelope = envelope.model_copy(update=update)
    return envelope, fact


def _check_lines(payload: dict[str, Any]) -> None:
    lines = payload.get("lines")
    for line in lines if isinstance(lines, list) else []:
        if not isinstance(line, dict):
            continue
        try:
            fault = row_fault(line.get("quantity"), line.get("unit_price_minor"))
        except (ArithmeticError, ValueError):
            continue  # not numbers: the schema names the field
        if fault:
            raise Rejected(fault, f"line {line.get('line_no')}, sku {line.get('sku')}")


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "(body)"
    return f"{field}: {first['msg']}"
