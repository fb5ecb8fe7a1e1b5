"""How each reading can be repeated by hand, as text for the report.

`sql:` runs as it stands on the console's Explore page (over the whole range of dates), `s3:`,
`dynamodb:`, `sqs:` and `http:` name what is asked and which fields of the answer count.
"""

from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import journal as clients_journal
from pipeline.contracts import keys
from pipeline.contracts.events import ORDER_PLACED, REVERSALS, STOCK_ADJUSTED
from pipeline.contracts.names import Names
from pipeline.desk import figures

_FACTS = "SELECT DISTINCT ON (event_id) * FROM events WHERE"
_LIVE = f"event_type = '{ORDER_PLACED}' AND source <> 'replay'"
_BOOKED = ", ".join(f"'{kind}'" for kind in sorted({ORDER_PLACED, *REVERSALS}))
_REPORT = "/api/analytics/sales?grain=month&from=2000-01-01"
_SALE, _BACK = "FILTER (kind = 'sale')", "FILTER (kind = 'refund')"
_SUMS = (
    f"count(DISTINCT order_id) {_SALE} AS orders, sum(quantity) {_SALE} AS units, "
    f"sum(line_total_minor) {_SALE} AS gross, sum(line_total_minor) {_BACK} AS refunds"
)
_UNITS = ", ".join(
    f"sum(CAST(payload->>'$.delta' AS BIGINT)) FILTER (payload->>'$.kind' = '{kind}') AS {kind}"
    for kind in ("received", "adjusted", "reserved", "released", "sold", "returned")
)

ORDER_EVENTS = (
    "sql: SELECT DISTINCT event_id, event_type FROM events "
    "WHERE event_type LIKE 'order.%' AND source <> 'replay'"
)
PLACED = (
    "sql: SELECT payload->>'$.order_id' AS order_id, payload->>'$.currency' AS currency, "
    "CAST(payload->>'$.subtotal_minor' AS BIGINT) AS subtotal_minor, "
    "CAST(payload->>'$.total_minor' AS BIGINT) AS total_minor "
    f"FROM ({_FACTS} {_LIVE})"
)
LINE_SUMS = (
    "sql: SELECT order_id, currency, sum(CAST(line->>'$.line_total_minor' AS BIGINT)) AS minor "
    "FROM (SELECT payload->>'$.order_id' AS order_id, payload->>'$.currency' AS currency, "
    f"unnest(CAST(payload->'$.lines' AS JSON[])) AS line FROM ({_FACTS} {_LIVE})) GROUP BY ALL"
)
RAW_TOTALS = (
    f"sql: SELECT synthetic, month, currency, {_SUMS} FROM (SELECT synthetic, "
    "strftime(occurred_at AT TIME ZONE 'UTC', '%Y-%m') AS month, order_id, currency, kind, "
    "CAST(line->>'$.quantity' AS BIGINT) AS quantity, "
    "CASE kind WHEN 'sale' THEN 1 ELSE -1 END * abs(CAST(line->>'$.line_total_minor' AS BIGINT)) "
    "AS line_total_minor FROM (SELECT *, payload->>'$.order_id' AS order_id, "
    "payload->>'$.currency' AS currency, "
    f"CASE event_type WHEN '{ORDER_PLACED}' THEN 'sale' ELSE 'refund' END AS kind, "
    "unnest(CAST(payload->'$.lines' AS JSON[])) AS line "
    f"FROM ({_FACTS} event_type IN ({_BOOKED})))) GROUP BY ALL"
)
CURATED_TOTALS = (
    f"sql: SELECT synthetic, strftime(dt, '%Y-%m') AS month, currency, {_SUMS} "
    "FROM order_lines GROUP BY ALL"
)
MOVEMENTS = (
    f"sql: SELECT payload->>'$.sku' AS sku, {_UNITS} "
    f"FROM ({_FACTS} event_type = '{STOCK_ADJUSTED}') GROUP BY ALL"
)
RECEIVED = (figures.RECEIVED_FROM, figures.LAKE_FROM)
SET_ASIDE = (figures.FOUND_FROM, figures.ROWS_FROM, "s3: event_id of raw/**, of what was redriven")


@dataclass(frozen=True, slots=True)
class Queries:
    """Those that depend on where the shop is."""

    names: Names
    journal: Path
    edge_url: str
    gateway_url: str
    console_url: str

    @property
    def acknowledged(self) -> str:
        return f"file: {self.journal.name} of the edge, the tail of `location` of every line"

    @property
    def told(self) -> str:
        return (
            f"s3: s3://{self.names.lake_bucket}/{clients_journal.PREFIX}**, the lines of "
            f"part-*.jsonl (order_id, total_minor, currency) and {clients_journal.CLOSED} (lines)"
        )

    def orders(self, *fields: str) -> str:
        """Args: what is read of each row, beside its id."""
        return (
            f"dynamodb: query {self.names.table('orders')}, index by_time, listing = "
            f'"{keys.ORDERS}", then "{keys.SYNTHETIC_ORDERS}": order_id, {", ".join(fields)}'
        )

    @property
    def stock(self) -> str:
        return (
            f'dynamodb: scan {self.names.table("products")}, sk = "STOCK": '
            "sku, received, available, held, sold"
        )

    @property
    def aggregates(self) -> str:
        return (
            f'dynamodb: query {self.names.table("analytics")}, pk = "SALES#real#month", then '
            '"SALES#synthetic#month" (of a live generation but the first: "G#<generation>#" in '
            "front): sk, orders, units, gross, refunds"
        )

    @property
    def report(self) -> str:
        return (
            f"http: GET {self.edge_url}{_REPORT}&to=2100-01-01, without and with "
            "&synthetic=true: series"
        )

    @property
    def real_report(self) -> str:
        return f"http: GET {self.edge_url}{_REPORT}&to=<tomorrow>: series"

    @property
    def console(self) -> str:
        return f"http: GET {self.console_url}/figures: months, cards"

    @property
    def charges(self) -> str:
        return (
            f"http: GET {self.gateway_url}/v1/payments?page_size=1000, following next_cursor: "
            "key, status, currency, captured_minor, refunds"
        )

    @property
    def dead_letters(self) -> str:
        return (
            f"sqs: GetQueueAttributes of {self.names.queue('*')}: ApproximateNumberOfMessages, "
            "ApproximateNumberOfMessagesNotVisible, ApproximateNumberOfMessagesDelayed; "
            "given up are *-dlq and stream-failures"
        )
