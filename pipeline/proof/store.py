"""The readings: the edge's journal, the tables, the queues, the gateway and the API."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
from boto3.dynamodb.conditions import Attr, Key

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.contracts.payments import Payment, net_owed_minor
from pipeline.desk.domain import DEAD_LETTERS, STREAM_FAILURES
from pipeline.proof.charges import Charge
from pipeline.proof.domain import METRICS, Order, Totals
from pipeline.proof.stock import StockRow
from pipeline.runtime import aws, generations
from pipeline.runtime.order_refunds import units_kept

QUEUES = ("payment", "expiry", "fulfilment", "notification")


def acknowledged_orders(journal: Path) -> set[str]:
    """Order ids of every 201 that the edge handed to a client; empty before the first one."""
    if not journal.exists():
        return set()
    with journal.open() as lines:
        return {json.loads(line)["location"].rsplit("/", 1)[1] for line in lines if line.strip()}


def orders(names: Names) -> dict[str, Order]:
    query = aws.table(names.table("orders")).query
    rows = [
        _to_order(item)
        for listing in (keys.ORDERS, keys.SYNTHETIC_ORDERS)
        for item in _pages(
            query, IndexName="by_time", KeyConditionExpression=Key("listing").eq(listing)
        )
    ]
    return {row.order_id: row for row in rows}


def _to_order(item: dict[str, Any]) -> Order:
    return Order(
        order_id=item["order_id"],
        status=item["status"],
        version=int(item["version"]),
        currency=item["currency"],
        subtotal_minor=int(item["subtotal_minor"]),
        units=units_kept(item),
        was_paid=any(entry["status"] == "paid" for entry in item["timeline"]),
        synthetic=bool(item.get("synthetic", False)),
        total_minor=int(item["total_minor"]),
        owed_minor=net_owed_minor(item),
    )


def charges(names: Names, gateway_url: str) -> dict[str, Charge]:
    """The card gateway's own ledger, by order."""
    name = names.secret("payment-gateway")
    key = aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    found: dict[str, Charge] = {}
    query: dict[str, str] = {"page_size": "1000"}
    with httpx.Client(base_url=gateway_url, timeout=30, trust_env=False) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        while True:
            page = client.get("/v1/payments", params=query).raise_for_status().json()
            for payment in map(Payment.model_validate, page["items"]):
                found[payment.key] = Charge(
                    payment.key, payment.status.value, payment.currency,
                    payment.captured_minor, payment.refunded_minor,
                )  # fmt: skip
            if page["next_cursor"] is None:
                return found
            query["cursor"] = page["next_cursor"]


def stock_rows(names: Names) -> list[StockRow]:
    pages = _pages(
        aws.table(names.table("products")).scan,
        FilterExpression=Attr("sk").eq("STOCK"),
        ProjectionExpression="sku, received, available, held, sold",
    )
    return [
        StockRow(
            item["sku"],
            *(int(item[count]) for count in ("received", "available", "held", "sold")),
        )
        for item in pages
    ]


def _pages(call: Any, **arguments: Any) -> Iterator[dict[str, Any]]:
    while True:
        page = call(**arguments)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def aggregate_totals(names: Names) -> Totals:
    """The month items that folding keeps."""
    totals: Totals = {}
    live = generations.read(names).live
    for stream in ("real", "synthetic"):
        pk = keys.of_generation(live, f"SALES#{stream}#month")
        pages = _pages(
            aws.table(names.table("analytics")).query,
            KeyConditionExpression=Key("pk").eq(pk),
        )
        for item in pages:
            month, currency = item["sk"].split("#")
            totals[(stream, month, currency)] = {m: int(item.get(m, 0)) for m in METRICS}
    return totals


def api_totals(edge_url: str) -> Totals:
    """What the public report says, by month; synthetic is what it adds when asked to include it."""
    real = _report(edge_url, "real", synthetic=False)
    both = _report(edge_url, "real", synthetic=True)
    totals = dict(real)
    for key, row in both.items():
        without = real.get(key, dict.fromkeys(METRICS, 0))
        difference = {metric: row[metric] - without[metric] for metric in METRICS}
        if any(difference.values()):
            totals[("synthetic", *key[1:])] = difference
    return totals


def real_totals(edge_url: str, today: date) -> Totals:
    """What the public report says of real sales up to and including a day, by month."""
    tomorrow = (today + timedelta(days=1)).isoformat()
    return _report(edge_url, "real", synthetic=False, until=tomorrow)


def console_totals(console_url: str) -> tuple[Totals, dict[str, dict[str, int]]]:
    """What the console's Sales page draws of real sales: (its chart, its cards by currency)."""
    answer = httpx.get(f"{console_url}/figures", timeout=30, trust_env=False).raise_for_status()
    shown = answer.json()
    chart = {
        ("real", row["month"], row["currency"]): {metric: row[metric] for metric in METRICS}
        for row in shown["months"]
    }
    cards = {row["currency"]: {metric: row[metric] for metric in METRICS} for row in shown["cards"]}
    return chart, cards


def _report(edge_url: str, stream: str, *, synthetic: bool, until: str = "2100-01-01") -> Totals:
    answer = httpx.get(
        f"{edge_url}/api/analytics/sales",
        params={
            "from": "2000-01-01",
            "to": until,
            "grain": "month",
            "synthetic": str(synthetic).lower(),
        },
        timeout=30,
    )
    answer.raise_for_status()
    return {
        (stream, row["bucket"][:7], row["currency"]): {metric: row[metric] for metric in METRICS}
        for row in answer.json()["series"]
    }


def queue_depths(names: Names) -> dict[str, int]:
    """Messages of every queue, those of what was given up among them: visible, in flight and
    delayed."""
    sqs = aws.client("sqs")
    depths = {}
    for queue in (*QUEUES, *DEAD_LETTERS, STREAM_FAILURES):
        url = sqs.get_queue_url(QueueName=names.queue(queue))["QueueUrl"]
        counts = sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")
            ],
        )["Attributes"]
        depths[queue] = sum(int(count) for count in counts.values())
    return depths
