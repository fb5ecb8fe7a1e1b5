"""The users table as its stores use it: one read, one conditional write, one page of a list."""

from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.dynamo import Item, from_item, to_item


class UsersTable:
    """Plain values in and out; every write is conditional on what it assumes."""

    def __init__(self, names: Names) -> None:
        self._table = names.table("users")

    def _find(self, key: keys.Key) -> Item | None:
        answer = aws.client("dynamodb").get_item(
            TableName=self._table, Key=to_item(key), ConsistentRead=True
        )
        return from_item(answer["Item"]) if "Item" in answer else None

    def _delete(self, key: keys.Key) -> None:
        aws.client("dynamodb").delete_item(TableName=self._table, Key=to_item(key))

    def _update(self, key: keys.Key, update: str, condition: str, values: dict[str, Any]) -> bool:
        """False, with nothing written, if the condition does not hold."""
        client = aws.client("dynamodb")
        used = {name: value for name, value in values.items() if name in update + condition}
        try:
            client.update_item(
                TableName=self._table,
                Key=to_item(key),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_item(used),
            )
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _put_over(self, item: Item) -> bool:
        """False, with nothing written, if there is no item of this key."""
        client = aws.client("dynamodb")
        try:
            client.put_item(
                TableName=self._table,
                Item=to_item(item),
                ConditionExpression="attribute_exists(pk)",
            )
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _page(
        self, first: keys.Key, limit: int, after: keys.Key | None, *, newest_first: bool = False
    ) -> tuple[list[Item], bool]:
        """Items of a partition whose sort key begins as `first`'s; True when there are more."""
        condition, values = "pk = :pk", {":pk": first["pk"]}
        if first["sk"]:
            condition, values = (
                f"{condition} AND begins_with(sk, :sk)",
                {**values, ":sk": first["sk"]},
            )
        request: Item = {
            "TableName": self._table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": to_item(values),
            "Limit": limit,
            "ConsistentRead": True,
            "ScanIndexForward": not newest_first,
        }
        if after is not None:
            request["ExclusiveStartKey"] = to_item(after)
        answer = aws.client("dynamodb").query(**request)
        return [from_item(item) for item in answer["Items"]], "LastEvaluatedKey" in answer

    def _put_new(self, item: Item) -> Item:
        """An operation of a transaction."""
        return {
            "Put": {
                "TableName": self._table,
                "Item": to_item(item),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def _change(self, key: keys.Key, update: str, condition: str, values: dict[str, Any]) -> Item:
        """An operation of a transaction."""
        return {
            "Update": {
                "TableName": self._table,
                "Key": to_item(key),
                "UpdateExpression": update,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": to_item(values),
            }
        }

    def _remove(self, key: keys.Key, condition: str, values: dict[str, Any] | None = None) -> Item:
        """An operation of a transaction."""
        operation: Item = {
            "TableName": self._table,
            "Key": to_item(key),
            "ConditionExpression": condition,
        }
        if values:
            operation["ExpressionAttributeValues"] = to_item(values)
        return {"Delete": operation}
