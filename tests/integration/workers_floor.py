"""Orders and goods for the tests of the workers, and a stage where the test delivers messages."""

import importlib
import random
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from iac.local import messaging, tables
from iac.local.payment_gateway.store import GatewayStore, Waiting
from iac.local.topology import Topology
from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.contracts.orders import OrderStatus
from pipeline.contracts.payments import Payment
from pipeline.runtime import aws
from pipeline.runtime.clock import new_id, now
from pipeline.runtime.dynamo import Item, from_item, to_item, transact
from pipeline.runtime.order_store import OrderStore
from tests.conftest import Stack
from tests.integration.gateway_door import GATEWAY_TIMEOUT_S, GatewayDoor

HELD = 3
RECEIVED = 10
_WORKERS = ("payment", "fulfilment", "notification")


class Shelf:
    """The orders and products of one stage."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.orders = OrderStore(names)

    def put_on_sale(self, units: int = RECEIVED, product_id: str | None = None) -> str:
        """A SKU with this many units; its product is made too unless one is named."""
        sku = f"W-{uuid4().hex[:10]}"
        if product_id is None:
            product_id = f"product-{sku}"
            self._put(
                {**keys.product(product_id), "product_id": product_id, "version": 1,
                 "status": "active", "in_stock": units > 0, "changed_at": new_id()}
            )  # fmt: skip
        self._put({**keys.stock(sku), "product_id": product_id, "sku": sku, "received": units,
                   "available": units, "held": 0, "sold": 0})  # fmt: skip
        return sku

    def place(
        self, sku: str, card_token: str = "tok_visa", quantity: int = HELD, **changes: Any
    ) -> str:
        """An order as the checkout writes it, with its stock held; returns the order's id."""
        order_id, at = new_id(), to_iso_z(now())
        goods = {"line_no": 1, "sku": sku, "product_id": f"product-{sku}", "title": "Kettle",
                 "category": "Kitchen", "quantity": quantity, "unit_price_minor": 1_999,
                 "line_total_minor": quantity * 1_999}  # fmt: skip
        row = {
            **keys.order(order_id), "order_id": order_id, "owner": "guest:1", "customer_id": None,
            "email": "ada@shop.test", "status": "placed", "version": 1, "placed_at": at,
            "country": "United Kingdom", "currency": "GBP", "lines": [goods],
            "subtotal_minor": quantity * 1_999, "shipping_minor": 399, "tax_minor": 0,
            "total_minor": quantity * 1_999 + 399, "shipping_address": {"line1": "1 Street"},
            "shipping_method": "standard", "card_token": card_token,
            "payment": {"status": "pending", "failure_code": None},
            "timeline": [{"version": 1, "status": "placed", "at": at, "note": None}],
            "correlation_id": f"corr-{order_id}", "synthetic": True,
            "listing": keys.order_listing(True), **changes,
        }  # fmt: skip
        take = {
            "TableName": self.names.table("products"), "Key": to_item(keys.stock(sku)),
            "UpdateExpression": "ADD available :minus, held :plus",
            "ConditionExpression": "available >= :plus",
            "ExpressionAttributeValues": to_item({":minus": -quantity, ":plus": quantity}),
        }  # fmt: skip
        put = {"TableName": self.names.table("orders"), "Item": to_item(row)}
        transact([{"Put": put}, {"Update": take}])
        return order_id

    def receive(self, sku: str, units: int) -> None:
        """As an operator books a delivery."""
        aws.client("dynamodb").update_item(
            TableName=self.names.table("products"),
            Key=to_item(keys.stock(sku)),
            UpdateExpression="ADD available :units, received :units",
            ExpressionAttributeValues=to_item({":units": units}),
        )

    def states(self, order_id: str) -> list[str]:
        return [entry["status"] for entry in self.orders.get_order(order_id)["timeline"]]

    def stock(self, sku: str) -> tuple[int, int, int]:
        """(available, held, sold)."""
        row = self.read("products", keys.stock(sku))
        assert row["received"] == row["available"] + row["held"] + row["sold"]
        return row["available"], row["held"], row["sold"]

    def payment(self, order_id: str) -> Payment | None:
        """As the card gateway has it."""
        return GatewayStore(self.names).find(order_id)

    def notices(self, order_id: str) -> list[Waiting]:
        """Webhooks about an order that the gateway has still to deliver."""
        waiting = GatewayStore(self.names).due(now() + timedelta(days=1), 1_000)
        return [one for one in waiting if one.notice.payment.key == order_id]

    def mails(self, order_id: str) -> list[Item]:
        answer = aws.client("dynamodb").query(
            TableName=self.names.table("orders"),
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": keys.mail(order_id, 1)["pk"]}),
        )
        return [from_item(item) for item in answer["Items"]]

    def read(self, table: str, key: keys.Key) -> Item:
        """The row, or nothing."""
        answer = aws.client("dynamodb").get_item(
            TableName=self.names.table(table), Key=to_item(key), ConsistentRead=True
        )
        return from_item(answer.get("Item", {}))

    def _put(self, item: Item) -> None:
        table = self.names.table("products")
        aws.client("dynamodb").put_item(TableName=table, Item=to_item(item))


class Floor(Shelf):
    """A stage with everything but the mappings: what is delivered, when, is the test's to say."""

    def __init__(self, emulator: Stack) -> None:
        super().__init__(Names(f"w{uuid4().hex[:8]}"))
        topology = Topology(self.names)
        for table in ("orders", "products", "ops"):
            tables.apply_table(emulator.aws, self.names.table(table), topology.tables[table])
        for queue, declared in topology.queues.items():
            messaging.apply_queue(emulator.aws, self.names.queue(queue), declared)
        messaging.apply_stream(emulator.aws, self.names.events_stream, topology.streams["events"])
        messaging.apply_topic(emulator.aws, topology, "orders")
        self.gateway = GatewayDoor(self.names)
        self._urls: dict[str, str] = {}
        self._iterator = self._start_of_changes()
        self._handlers = {name: self._load(name) for name in ("relay", "stock", *_WORKERS)}

    def invoke(self, function: str, event: Item) -> Item:
        answer: Item = self._handlers[function](event, None)
        return answer

    def changes(self) -> list[Item]:
        """What the orders table's stream holds since the last time, of order rows only."""
        answer = aws.client("dynamodbstreams").get_records(ShardIterator=self._iterator)
        self._iterator = answer["NextShardIterator"]
        orders = [
            record for record in answer["Records"]
            if record["dynamodb"].get("NewImage", {}).get("sk") == {"S": "ORDER"}
        ]  # fmt: skip
        for record in orders:  # a function is told the seconds, where boto3 makes a datetime
            created = record["dynamodb"]["ApproximateCreationDateTime"]
            record["dynamodb"]["ApproximateCreationDateTime"] = created.timestamp()
        return orders

    def take_messages(self, queue: str) -> list[str]:
        """The bodies that lie in a queue, taken out of it."""
        sqs, url = aws.client("sqs"), self._url(queue)
        bodies = []
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def deliver(self, queue: str, *bodies: str) -> list[int]:
        """Hand messages to a worker; returns the positions of those that failed."""
        records = [
            {"messageId": str(position), "receiptHandle": "gone", "body": body,
             "eventSource": "aws:sqs", "attributes": {"ApproximateReceiveCount": "1"},
             "eventSourceARN": f"arn:aws:sqs:eu-west-2:000000000000:{self.names.queue(queue)}"}
            for position, body in enumerate(bodies)
        ]  # fmt: skip
        failures = self.invoke(queue, {"Records": records})["batchItemFailures"]
        return [int(failure["itemIdentifier"]) for failure in failures]

    def deliver_postponed(self, queue: str) -> None:
        """What a worker put off, for a gateway that took its time, until it puts nothing off."""
        for _ in range(10):
            bodies = self.take_messages(queue)
            if not bodies:
                return
            assert self.deliver(queue, *bodies) == []
        raise AssertionError(f"{queue} goes on putting off")

    def stream_bodies(self) -> list[str]:
        """Everything the event stream holds, oldest first."""
        kinesis, name = aws.client("kinesis"), self.names.events_stream
        (shard,) = kinesis.list_shards(StreamName=name)["Shards"]
        iterator = kinesis.get_shard_iterator(
            StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = kinesis.get_records(ShardIterator=iterator, Limit=10_000)["Records"]
        return [record["Data"].decode() for record in records]

    def play(self, dice: random.Random, cancel_after: int | None, order_id: str) -> None:
        """Deliver everything twice, webhooks too, in any order, until nothing is left."""
        pool: list[tuple[str, str]] = []
        seen: list[Item] = []
        for delivery in range(400):
            if delivery == cancel_after:
                self.orders.advance(order_id, OrderStatus.CANCELLED, now())
            if fresh := self.changes():
                seen += fresh
                self.invoke("relay", {"Records": fresh})
                self.invoke("relay", {"Records": dice.sample(seen, 1)})
                pool += self._arrived(*_WORKERS)
            pool += self._notices()
            if not pool:
                return
            queue, body = chosen = dice.choice(pool)
            if queue == "webhook":
                assert self.gateway.notify(body.encode()).status_code == 200
                pool.remove(chosen)
                pool += [("payment", settle) for settle in self.take_messages("payment")]
                continue
            if not self.deliver(queue, body):
                pool.remove(chosen)
            if queue == "fulfilment":
                pool += self._arrived(queue)
            if queue == "payment":  # what it put off
                pool += [(queue, settle) for settle in self.take_messages(queue)]
        raise AssertionError("the workers do not come to rest")

    def _arrived(self, *queues: str) -> list[tuple[str, str]]:
        """Each message twice: SQS promises at least once."""
        return [(queue, body) for queue in queues for body in self.take_messages(queue)] * 2

    def _notices(self) -> list[tuple[str, str]]:
        """Each webhook twice, and out of the gateway's outbox."""
        waiting = self.gateway.outbox()
        for one in waiting:
            self.gateway.store.delivered(one)
        return [("webhook", one.notice.model_dump_json()) for one in waiting] * 2

    def _load(self, function: str) -> Callable[[Item, Any], Any]:
        """The function's own handler, wired for this stage as a cold start would."""
        module = f"pipeline.{function}.handler"
        sys.modules.pop(module, None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HAS_STAGE", self.names.stage)
            patch.setenv("HAS_STEP_DELAY_S", "0")
            patch.setenv("HAS_LOG_LEVEL", "CRITICAL")
            patch.setenv("HAS_GATEWAY_URL", self.gateway.url)
            patch.setenv("HAS_GATEWAY_TIMEOUT_S", str(GATEWAY_TIMEOUT_S))
            patch.setenv("HAS_GATEWAY_PAUSE_S", "0")
            patch.setenv("HAS_CIRCUIT_FAILURES", "1000")  # the circuit has tests of its own
            handler: Callable[[Item, Any], Any] = importlib.import_module(module).handler
        sys.modules.pop(module)
        return handler

    def _start_of_changes(self) -> str:
        table = aws.client("dynamodb").describe_table(TableName=self.names.table("orders"))["Table"]
        streams, arn = aws.client("dynamodbstreams"), table["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator: str = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return iterator

    def _url(self, queue: str) -> str:
        """Asked for once: a play looks into its queues hundreds of times."""
        if queue not in self._urls:
            found = aws.client("sqs").get_queue_url(QueueName=self.names.queue(queue))
            self._urls[queue] = found["QueueUrl"]
        return self._urls[queue]
