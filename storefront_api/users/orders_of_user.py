"""The orders and the cart of one person, for the export of their data."""

from collections.abc import Iterator

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.dynamo import Item, from_item, to_item

# 400 KB an order at the very most, so that 20 pages of at most 1 MB are never too much.
_MAX_PAGES = 20


class OrderHistory:
    """Reads order rows as docs/architecture.md has them; checkout alone writes them."""

    def __init__(self, names: Names) -> None:
        self._table = names.table("orders")

    def list_orders(self, user_id: str) -> tuple[list[Item], bool]:
        """Newest first; False when there are more than an export holds."""
        orders: list[Item] = []
        for number, page in enumerate(self._pages(user_id)):
            if number == _MAX_PAGES:
                return orders, False
            orders += [from_item(item) for item in page]
        return orders, True

    def find_cart(self, user_id: str) -> Item | None:
        """As the checkout keeps it, what is saved for later included."""
        answer = aws.client("dynamodb").get_item(
            TableName=self._table, Key=to_item(keys.cart(f"user:{user_id}")), ConsistentRead=True
        )
        return from_item(answer["Item"]) if "Item" in answer else None

    def _pages(self, user_id: str) -> Iterator[list[Item]]:
        request: Item = {
            "TableName": self._table,
            "IndexName": "by_owner",
            "KeyConditionExpression": "#owner = :owner",
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": to_item({":owner": f"user:{user_id}"}),
            "ScanIndexForward": False,
        }
        while True:
            answer = aws.client("dynamodb").query(**request)
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
