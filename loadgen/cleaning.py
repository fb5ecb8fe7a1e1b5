"""What a load run leaves behind is taken away, and what stays is said. `make load-clean`.

Order rows stay: they are facts that the proof ledger compares with the lake, and every one of
them is marked synthetic. What can still be cancelled is cancelled; goods of the others come back
as goods received, so that `received = available + held + sold` and every other claim still holds.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from boto3.dynamodb.conditions import Attr, Key

from loadgen.record import Records, plan_of
from loadgen.scenarios import correlation_prefix
from loadgen.summary import cut_short
from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.contracts.orders import OrderStatus
from pipeline.runtime import aws
from pipeline.runtime.clock import now
from pipeline.runtime.dynamo import TransactionCancelled, to_item, transact
from pipeline.runtime.order_refunds import units_kept
from pipeline.runtime.order_store import OrderStore, Outcome

_CANCELLABLE = frozenset({"placed", "paid"})
_UNDER_WAY = _CANCELLABLE | {"packed", "shipped"}
# Final states in which the order keeps its goods.
_SOLD = frozenset({"delivered", "refunded"})
# Placed by a request that was under way when the run ended, and clocks that differ.
_MARGIN = timedelta(minutes=5)
_PART = 50
_PAUSE_S = 1.0


@dataclass(slots=True)
class Removed:
    """What one cleaning did; `orders` stay, `under_way` of them have no final state yet."""

    carts: int = 0
    accounts: int = 0
    sign_ins: int = 0
    cancelled: int = 0
    units_restocked: int = 0
    skus_restocked: int = 0
    orders: int = 0
    under_way: int = 0
    not_synthetic: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        said = (
            f"removed {self.carts:,} carts, {self.accounts:,} accounts and {self.sign_ins:,} "
            f"sign-ins; cancelled {self.cancelled:,} orders; put back {self.units_restocked:,} "
            f"units of {self.skus_restocked:,} SKUs; kept {self.orders:,} order rows, "
        )
        wrong = len(self.not_synthetic)
        said += f"{wrong:,} of them NOT marked synthetic" if wrong else "all marked synthetic"
        return said + (f"; {self.under_way:,} are still under way" if self.under_way else "")


class Cleaning:
    """Takes away what one run left; to repeat it does no harm."""

    def __init__(self, names: Names, head: dict[str, Any]) -> None:
        self._names = names
        self._run_id = str(head["run_id"])
        self._head = head
        self._records = Records(aws.table(names.table("ops")))
        self._store = OrderStore(names)

    def execute(self, by: str, patience_s: float) -> Removed:
        """Waits at most `patience_s` for orders that can no longer be cancelled to be delivered."""
        if self._head["status"] == "running":
            self._close()
        done = Removed()
        orders = self._settle(done, time.monotonic() + patience_s)
        done.orders = len(orders)
        done.under_way = sum(order["status"] in _UNDER_WAY for order in orders)
        done.not_synthetic = [o["order_id"] for o in orders if not o.get("synthetic")][:20]
        self._restock(orders, done)
        owners, emails = self._shoppers()
        owners |= {str(order["owner"]) for order in orders}
        users = self._remove_accounts(emails, done)
        self._remove_carts(owners | {f"user:{user}" for user in users}, done)
        self._say(done, by)
        return done

    def _close(self) -> None:
        """It says that it runs, and does not: it died. What it measured until then is kept."""
        measured = cut_short(plan_of(self._head), self._records.minutes(self._run_id))
        self._records.end(self._run_id, "lost", measured)

    def _settle(self, done: Removed, deadline: float) -> list[dict[str, Any]]:
        """Cancel what can be, and wait for the rest; the orders as they stand then."""
        while True:
            orders = self._orders()
            for order in orders:
                if order["status"] not in _CANCELLABLE:
                    continue
                note = f"Load test {self._run_id} is over"
                moved = self._store.advance(order["order_id"], OrderStatus.CANCELLED, now(), note)
                order["status"] = moved.order["status"]
                done.cancelled += moved.outcome is Outcome.ADVANCED
            is_settled = not any(order["status"] in _UNDER_WAY for order in orders)
            if is_settled or time.monotonic() > deadline:
                return orders
            time.sleep(_PAUSE_S)

    def _orders(self) -> list[dict[str, Any]]:
        began = datetime.fromisoformat(self._head["started_at"]) - _MARGIN
        ended = self._head.get("ended_at")
        until = (datetime.fromisoformat(ended) if ended else now()) + _MARGIN
        fields = ["order_id", "owner", "status", "lines", "refunds", "synthetic", "version"]
        ours = Attr("correlation_id").begins_with(correlation_prefix(self._run_id))
        # Among the real ones, too: an order that is not marked synthetic must be found and said.
        return [
            order
            for listing in (keys.SYNTHETIC_ORDERS, keys.ORDERS)
            for order in _pages(
                aws.table(self._names.table("orders")).query,
                IndexName="by_time",
                KeyConditionExpression=Key("listing").eq(listing)
                & Key("placed_at").between(to_iso_z(began), to_iso_z(until)),
                FilterExpression=ours,
                ProjectionExpression=", ".join(f"#{name}" for name in fields),
                ExpressionAttributeNames={f"#{name}": name for name in fields},
            )
        ]

    def _restock(self, orders: list[dict[str, Any]], done: Removed) -> None:
        """Goods of orders that keep them, less what an earlier cleaning has put back.

        Each part is one transaction with a mark that says what it put back: never done twice.
        """
        while True:
            parts = self._parts()
            owed = Counter[str]()
            for order in orders:
                if order["status"] in _SOLD:  # less what refunds have put back already
                    owed.update(units_kept(order))
            for part in parts:
                owed.subtract({sku: int(units) for sku, units in part["units"].items()})
            wanted = dict(sorted((+owed).items())[:_PART])
            if not wanted or not self._put_back(len(parts), wanted):
                return
            done.units_restocked += sum(wanted.values())
            done.skus_restocked += len(wanted)

    def _put_back(self, part: int, units: dict[str, int]) -> bool:
        """False when somebody else is cleaning the same run: the rest is theirs."""
        mark = {**keys.load_restock(self._run_id, part), "units": units}
        operations: list[dict[str, Any]] = [
            {
                "Put": {
                    "TableName": self._names.table("ops"),
                    "Item": to_item(mark),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
        ]
        operations += [
            {
                "Update": {
                    "TableName": self._names.table("products"),
                    "Key": to_item(keys.stock(sku)),
                    "UpdateExpression": "ADD received :q, available :q",
                    "ConditionExpression": "attribute_exists(pk)",
                    "ExpressionAttributeValues": to_item({":q": quantity}),
                }
            }
            for sku, quantity in units.items()
        ]
        try:
            transact(operations)
        except TransactionCancelled:
            return False
        return True

    def _parts(self) -> list[dict[str, Any]]:
        partition = keys.load_restock(self._run_id, 0)["pk"]
        return list(
            _pages(
                aws.table(self._names.table("ops")).query,
                KeyConditionExpression=Key("pk").eq(partition) & Key("sk").begins_with("RESTOCK#"),
                ConsistentRead=True,
            )
        )

    def _shoppers(self) -> tuple[set[str], set[str]]:
        """(owners of carts, e-mail addresses of accounts), as the run noted them."""
        minutes = self._records.minutes(self._run_id).values()
        owners = {owner for minute in minutes for owner in minute.get("owners", [])}
        emails = {email for minute in minutes for email in minute.get("emails", [])}
        return owners, {email for email in emails if _is_ours(email, self._run_id)}

    def _remove_accounts(self, emails: set[str], done: Removed) -> set[str]:
        """Their ids."""
        table = aws.table(self._names.table("users"))
        users: set[str] = set()
        for email in sorted(emails):
            claim = table.delete_item(Key=keys.email(email), ReturnValues="ALL_OLD")
            if found := claim.get("Attributes"):
                users.add(str(found["user_id"]))
                table.delete_item(Key=keys.user(str(found["user_id"])))
        done.accounts += len(users)
        if users:
            theirs = _pages(
                table.scan,
                FilterExpression=Attr("pk").begins_with("FAMILY#")
                | Attr("pk").begins_with("CODE#")
                | Attr("pk").eq(keys.letter("")["pk"])
                | Attr("sk").begins_with(keys.session("", "")["sk"]),
                ProjectionExpression="pk, sk, user_id",
            )
            for row in theirs:
                if _user_of(row) in users:
                    table.delete_item(Key={"pk": row["pk"], "sk": row["sk"]})
                    done.sign_ins += row["pk"].startswith("FAMILY#")
        return users

    def _remove_carts(self, owners: set[str], done: Removed) -> None:
        table = aws.table(self._names.table("orders"))
        for owner in sorted(owners):
            gone = table.delete_item(Key=keys.cart(owner), ReturnValues="ALL_OLD")
            done.carts += "Attributes" in gone

    def _say(self, done: Removed, by: str) -> None:
        before = self._head.get("cleaned") or {}
        added = {
            name: value + int(before.get(name, 0))
            for name, value in asdict(done).items()
            if name in ("carts", "accounts", "sign_ins", "cancelled") or name.endswith("_restocked")
        }
        self._records.set(
            self._run_id,
            cleaned=json.dumps(asdict(done) | added | {"at": to_iso_z(now()), "by": by}),
        )
        self._records.audit(by, "load.clean", self._run_id, done.sentence())


def uncleaned(records: Records, running: str | None) -> list[dict[str, Any]]:
    """Heads of runs that are over and may have left something, oldest first."""
    return [
        head
        for head in reversed(records.list_runs())
        if head["run_id"] != running and ("cleaned" not in head or head["cleaned"].get("under_way"))
    ]


def _user_of(row: dict[str, Any]) -> str:
    """Sign-ins lie below their user; other rows name theirs."""
    return str(row.get("user_id") or row["pk"].partition("#")[2])


def _is_ours(email: str, run_id: str) -> bool:
    return email.startswith(f"load-{run_id.lower()}") and email.endswith("@load.test")


def _pages(call: Any, **arguments: Any) -> Iterator[dict[str, Any]]:
    while True:
        page = call(**arguments)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]
