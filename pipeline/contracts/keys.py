"""Key builders for every item of every table; the layout is in docs/architecture.md."""

from datetime import datetime
from typing import Literal
from zlib import crc32

from ulid import ULID

Key = dict[str, str]
Stream = Literal["real", "synthetic"]
Grain = Literal["hour", "day", "month"]

# Shards keep one item far below DynamoDB's 400 KB: products of a month, customers of a day.
PRODUCT_SHARDS = 8
CUSTOMER_SHARDS = 4
# These spread writes, and still let everything be listed by a few queries.
PAYMENT_SHARDS = 16
FIRST_GENERATION = "0"


def _key(pk: str, sk: str) -> Key:
    return {"pk": pk, "sk": sk}


# products
def product(product_id: str) -> Key:
    return _key(f"PRODUCT#{product_id}", "META")


def stock(sku: str) -> Key:
    return _key(f"SKU#{sku}", "STOCK")


def change_minute(at: datetime) -> str:
    """`listing` of goods changed in that minute: what `by_change` is asked for stays small."""
    return f"product#{at:%Y-%m-%dT%H:%MZ}"


def listing(changed_at: str) -> str:
    """The same, from the change's ULID."""
    return change_minute(ULID.from_str(changed_at).datetime)


# users
def user(user_id: str) -> Key:
    return _key(f"USER#{user_id}", "PROFILE")


def email(address: str) -> Key:
    return _key(f"EMAIL#{address.strip().lower()}", "USER")


def address(user_id: str, address_id: str) -> Key:
    return _key(f"USER#{user_id}", f"ADDRESS#{address_id}")


def refresh_family(family_id: str) -> Key:
    return _key(f"FAMILY#{family_id}", "REFRESH")


def session(user_id: str, family_id: str) -> Key:
    """A family in its user's list of sign-ins."""
    return _key(f"USER#{user_id}", f"SESSION#{family_id}")


def one_time_code(code_hash: str) -> Key:
    """What a link in a mail stands for."""
    return _key(f"CODE#{code_hash}", "CODE")


def letter(letter_id: str) -> Key:
    """A mail in the simulated mailbox. All lie together, by id and so by time."""
    return _key("MAILBOX", letter_id)


def erasure(user_id: str) -> Key:
    """A closed account whose traces are to be erased. All lie together, and few at a time."""
    return _key("ERASURES", user_id)


def failures(subject_hash: str) -> Key:
    """Failed sign-ins at one account, or from one network address; `subject_hash` hides which."""
    return _key(f"FAILURES#{subject_hash}", "SIGN_IN")


# orders
# `listing` of order rows: those of load tests lie apart, so that nobody has to pass over them.
ORDERS, SYNTHETIC_ORDERS = "order", "order-synthetic"


def order_listing(is_synthetic: bool) -> str:
    """Rows from before the two were parted say `order` in either case, and may stay so."""
    return SYNTHETIC_ORDERS if is_synthetic else ORDERS


def order(order_id: str) -> Key:
    return _key(f"ORDER#{order_id}", "ORDER")


def cart(owner: str) -> Key:
    return _key(f"CART#{owner}", "CART")


def promotion(code: str) -> Key:
    """What a promotion code gives, and to whom."""
    return _key(f"PROMOTION#{code}", "PROMOTION")


# `listing` of promotion codes; their `placed_at` is the version, the ULID of the last edit.
PROMOTIONS = "promotion"


def promotion_uses(code: str, subject: str | None = None) -> Key:
    """How many orders carry a code: all, or those of one shopper (`subject`)."""
    return _key(f"PROMOTION#{code}", f"USES#{subject}" if subject else "USES")


def idempotency(owner: str, key: str) -> Key:
    return _key(f"IDEMPOTENCY#{owner}#{key}", "IDEMPOTENCY")


def webhook(event_id: str) -> Key:
    """Marks that a notice of the card gateway was taken in."""
    return _key(f"WEBHOOK#{event_id}", "WEBHOOK")


def mail(order_id: str, version: int) -> Key:
    return _key(f"MAIL#{order_id}", f"{version:06d}")


# analytics
def bucket(moment: datetime, grain: Grain) -> str:
    """The start of the bucket in UTC: `2011-12-09T12`, `2011-12-09` or `2011-12`."""
    return moment.isoformat()[: {"hour": 13, "day": 10, "month": 7}[grain]]


def sales_partition(stream: Stream, grain: Grain, bucket: str) -> str:
    """Hours lie together by month, days by year, months all together."""
    return {
        "hour": f"SALES#{stream}#hour#{bucket[:7]}",
        "day": f"SALES#{stream}#day#{bucket[:4]}",
        "month": f"SALES#{stream}#month",
    }[grain]


def sales(stream: Stream, grain: Grain, bucket: str, currency: str) -> Key:
    return _key(sales_partition(stream, grain, bucket), f"{bucket}#{currency}")


def customers(stream: Stream, day: str, currency: str, customer_id: str) -> Key:
    shard = crc32(customer_id.encode()) % CUSTOMER_SHARDS
    return _key(f"CUSTOMERS#{stream}#{day[:4]}", f"{day}#{currency}#{shard}")


def products(
    stream: Stream, grain: Literal["day", "month"], bucket: str, currency: str, shard: int
) -> Key:
    return _key(f"PRODUCTS#{stream}#{grain}#{bucket}", f"{currency}#{shard}")


def product_shard(product_id: str) -> int:
    """Which of a bucket's items of products has this one's counters."""
    return crc32(product_id.encode()) % PRODUCT_SHARDS


def clicks(stream: Stream, day: str) -> Key:
    return _key(f"CLICKS#{stream}#{day[:4]}", day)


def searches(stream: Stream, day: str, term: str) -> Key:
    """One item a term: what is looked for has no bound, and an item has."""
    return _key(f"SEARCHES#{stream}#{day[:4]}", f"{day}#{term}")


def funnel_partition(stream: Stream) -> str:
    return f"FUNNEL#{stream}"


def funnel(stream: Stream, day: str) -> Key:
    """Sessions that began on a day, by how far they came."""
    return _key(funnel_partition(stream), day)


def folded(event_id: str) -> Key:
    return _key(f"EVENT#{event_id}", "FOLDED")


def shard_mark(shard: str) -> Key:
    return _key(f"SHARD#{shard}", "CLICKS")


def of_generation(generation: str, pk: str) -> str:
    """Where a generation of the aggregates keeps what the first one has under `pk`."""
    return pk if generation == FIRST_GENERATION else f"G#{generation}#{pk}"


def generations() -> Key:
    """Which generation of the aggregates is read, and which are written."""
    return _key("STATE#generations", "STATE")


def progress(reader: str) -> Key:
    """How far a reader of the stream has come, e.g. `folding`."""
    return _key(f"STATE#{reader}", "STATE")


# ops
def compaction_state() -> Key:
    return _key("COMPACTION#state", "STATE")


def funnel_state() -> Key:
    """Over which curated clicks the funnels were counted last: their `digest`."""
    return _key("FUNNEL#state", "STATE")


def lease(name: str) -> Key:
    return _key(f"LEASE#{name}", "LEASE")


def replay_run(run_id: str) -> Key:
    return _key(f"REPLAY#{run_id}", "RUN")


def proof_run(run_id: str) -> Key:
    return _key(f"PROOF#{run_id}", "RUN")


def past_proof(run_id: str) -> Key:
    """An entry of the proofs' history. All lie together, by id and so by time."""
    return _key("PROOFS", run_id)


def job(kind: str, run_id: str) -> Key:
    """A run of `RECONCILIATION` or `REBUILD`; `latest` is the last one."""
    return _key(f"{kind}#{run_id}", "RUN")


def past_job(kind: str, run_id: str) -> Key:
    """An entry of their history. All of a kind lie together, by id and so by time."""
    return _key(f"{kind}S", run_id)


def import_job(job_id: str) -> Key:
    """An import of goods and how far it is. All lie together, by id and so by time."""
    return _key("IMPORTS", job_id)


def open_import(job_id: str) -> Key:
    """Marks an import that has not ended. All lie together, the oldest first."""
    return _key("IMPORTS#OPEN", job_id)


def import_error(job_id: str, line: int) -> Key:
    """What was wrong with one line of an import."""
    return _key(f"IMPORT#{job_id}", f"LINE#{line:09d}")


def low_stock(sku: str) -> Key:
    """A SKU of which few units are left, while that is so. All lie together.

    Attributes: sku, product_id, title, options, available, threshold, `since` (ISO 8601 in UTC).
    """
    return _key("STOCK#LOW", sku)


def alarm_note(alarm: str) -> Key:
    """Who has last taken note of an alarm; `alarm` is its name without the stage's prefix."""
    return _key(f"ALARM#{alarm}", "NOTE")


def audit(day: str, entry_id: str) -> Key:
    return _key(f"AUDIT#{day}", entry_id)


def desk_case(place: str, case_id: str) -> Key:
    """What was done with a rejected event or a dead letter. Those of a place lie together."""
    return _key(f"DESK#{place}", case_id)


def desk_run() -> Key:
    """How far the latest redrive is."""
    return _key("DESK", "REDRIVE")


def console_session(secret_hash: str) -> Key:
    """One person's sign-in to the console."""
    return _key(f"CONSOLE#{secret_hash}", "SESSION")


def load_run(run_id: str) -> Key:
    """Head of a load run: what it is, how it ended. All lie together, by id and so by time."""
    return _key("LOAD#runs", run_id)


def load_minute(run_id: str, minute: int) -> Key:
    """The seconds of one minute of a load run."""
    return _key(f"LOAD#{run_id}", f"MINUTE#{minute:04d}")


def load_restock(run_id: str, part: int) -> Key:
    """Marks that a part of a load run's goods has been put back, so that it is done once."""
    return _key(f"LOAD#{run_id}", f"RESTOCK#{part:04d}")


def trace_index(minute: str, trace_id: str, segment_id: str = "") -> Key:
    """One kept root segment of a minute (`2026-11-24T17:05`, UTC, of its start), for the search.

    A trace has several where a page view made several calls, so read the attribute `trace_id`.
    Attributes: trace_id, service, route, status, duration_ms, zone, at, sampling (`head`|`tail`),
    expires_at_epoch_s (a day later) and, where known, order_id, correlation_id and problem.
    """
    return _key(f"TRACE#{minute}", f"{trace_id}#{segment_id}" if segment_id else trace_id)


# The simulated card gateway's own, in ops: nobody else reads the payments.
def gateway_payments(shard: int) -> str:
    return f"GATEWAY#PAYMENTS#{shard:02d}"


def gateway_payment(key: str) -> Key:
    return _key(gateway_payments(crc32(key.encode()) % PAYMENT_SHARDS), key)


def gateway_notice(due_at_epoch_ms: int, event_id: str = "") -> Key:
    """A webhook that is still to be delivered. All lie together, by when they are due."""
    return _key("GATEWAY#OUTBOX", f"{due_at_epoch_ms:013d}#{event_id}")


def gateway_knobs(operation: str) -> Key:
    """How the gateway behaves in one operation; the operator's to set."""
    return _key("GATEWAY#KNOBS", operation)


def circuit(name: str) -> Key:
    """A circuit breaker's state, shared by every worker."""
    return _key("CIRCUIT", name)


def saved_query(query_id: str) -> Key:
    return _key(f"QUERY#{query_id}", "QUERY")


def saved_queries(email: str, query_id: str) -> Key:
    """A line in a person's list of saved queries."""
    return _key(f"QUERIES#{email}", query_id)
