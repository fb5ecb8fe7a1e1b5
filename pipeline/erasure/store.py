"""The traces of a person in the tables `users` and `orders`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.erasure.domain import uses_of_person
from pipeline.erasure.service import Closed
from pipeline.runtime import aws
from pipeline.runtime.dynamo import (
    Item,
    TransactionCancelled,
    from_item,
    read_all,
    to_item,
    transact,
)

_SESSION = keys.session("", "")["sk"]


class Traces:
    def __init__(self, names: Names) -> None:
        self._users = names.table("users")
        self._orders = names.table("orders")

    def list_closed(self, limit: int) -> list[str]:
        """The users whose closed accounts are not settled, at most `limit`."""
        answer = aws.client("dynamodb").query(
            TableName=self._users,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": keys.erasure("")["pk"]}),
            Limit=limit,
        )
        return [from_item(item)["user_id"] for item in answer["Items"]]

    def find_closed(self, user_id: str) -> Closed | None:
        answer = aws.client("dynamodb").get_item(
            TableName=self._users, Key=to_item(keys.erasure(user_id)), ConsistentRead=True
        )
        if "Item" not in answer:
            return None
        item = from_item(answer["Item"])
        return Closed(item["user_id"], datetime.fromisoformat(item["requested_at"]))

    def erase_account(self, user_id: str) -> int:
        """Addresses, sign-ins with their refresh families, letters; how many rows that were."""
        rows = 0
        for item in self._query(self._users, "pk = :pk", {":pk": keys.user(user_id)["pk"]}):
            if item["sk"].startswith(_SESSION):
                family_id = item["sk"].removeprefix(_SESSION)
                self._delete(self._users, keys.refresh_family(family_id))
            self._delete(self._users, {"pk": item["pk"], "sk": item["sk"]})
            rows += 1
        letters = {"FilterExpression": "user_id = :user"}
        values = {":pk": keys.letter("")["pk"], ":user": user_id}
        for item in self._query(self._users, "pk = :pk", values, **letters):
            self._delete(self._users, {"pk": item["pk"], "sk": item["sk"]})
            rows += 1
        return rows

    def erase_cart(self, user_id: str) -> None:
        self._delete(self._orders, keys.cart(_owner(user_id)))

    def unerased_orders(self, user_id: str) -> Iterator[dict[str, Any]]:
        """Eventually consistent, as indexes are: one placed just now is found the next time."""
        yield from self._query(
            self._orders,
            "#owner = :owner",
            {":owner": _owner(user_id)},
            IndexName="by_owner",
            FilterExpression="attribute_not_exists(erased_at)",
            ExpressionAttributeNames={"#owner": "owner"},
        )

    def erase_order(self, order: dict[str, Any], changes: dict[str, Any], at: datetime) -> bool:
        """False, with nothing written, if the order has moved since it was read, or is erased.

        Its version stays, as nothing happened to the order: the relay makes no event of it. The
        person's counters of its promotion code go with it, the last use with the row.
        """
        written = changes | {"erased_at": to_iso_z(at)}
        assignments = ", ".join(f"{name} = :{name}" for name in written)
        values = {f":{name}": value for name, value in written.items()}
        update = {
            "TableName": self._orders,
            "Key": to_item(keys.order(order["order_id"])),
            "UpdateExpression": f"SET {assignments}",
            "ConditionExpression": "version = :seen AND attribute_not_exists(erased_at)",
            "ExpressionAttributeValues": to_item(values | {":seen": order["version"]}),
        }
        try:
            transact([{"Update": update}, *self._uses_off(order)])
        except TransactionCancelled:
            return False
        return True

    def _uses_off(self, order: dict[str, Any]) -> list[Item]:
        code, subjects, taken = uses_of_person(order)
        rows = read_all({self._orders: [keys.promotion_uses(code, one) for one in subjects]})
        return [self._without(row, taken) for row in rows if taken or row["uses"] <= 0]

    def _without(self, counter: Item, taken: int) -> Item:
        values = {":seen": counter["uses"]}
        operation = {
            "TableName": self._orders,
            "Key": to_item({"pk": counter["pk"], "sk": counter["sk"]}),
            "ConditionExpression": "uses = :seen",
        }
        is_last = counter["uses"] <= taken
        if not is_last:
            operation["UpdateExpression"] = "ADD uses :off"
            values[":off"] = -taken
        operation["ExpressionAttributeValues"] = to_item(values)
        return {"Delete" if is_last else "Update": operation}

    def settle(self, user_id: str) -> None:
        """Nobody looks at this account again."""
        self._delete(self._users, keys.erasure(user_id))

    def _query(
        self, table: str, condition: str, values: dict[str, Any], **options: Any
    ) -> Iterator[dict[str, Any]]:
        request: Item = {
            "TableName": table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": to_item(values),
            **options,
        }
        while True:
            answer = aws.client("dynamodb").query(**request)
            yield from map(from_item, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _delete(self, table: str, key: keys.Key) -> None:
        aws.client("dynamodb").delete_item(TableName=table, Key=to_item(key))


def _owner(user_id: str) -> str:
    return f"user:{user_id}"
