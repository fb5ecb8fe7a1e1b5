"""Carts, stock rows and new orders in DynamoDB; conditions, never locks."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import stamina
from botocore.exceptions import ClientError

from pipeline.contracts import keys
from pipeline.contracts.errors import Unavailable
from pipeline.contracts.names import Names
from pipeline.runtime import aws, tracing
from pipeline.runtime.dynamo import Item, TransactionCancelled, from_item, to_item, transact
from storefront_api.checkout.domain import Cart, CartLine, StockRow

CART_TTL_S = 30 * 86_400
IDEMPOTENCY_TTL_S = 86_400
_IF_ABSENT = "attribute_not_exists(pk)"
_IF_VERSION = "version = :seen"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one read of several rows found; an absent cart is an empty one of version 0."""

    cart: Cart
    guest: Cart | None
    idempotency: Item | None
    stock: StockRow | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing of a placement was written.

    `stock` has every SKU whose condition failed, with its row as it stands (None: no such row).
    """

    idempotency: Item | None
    cart_changed: bool
    stock: Mapping[str, StockRow | None]


class CheckoutStore:
    """Every method is one call to DynamoDB, unless it says otherwise."""

    def __init__(self, names: Names) -> None:
        self._orders = names.table("orders")
        self._products = names.table("products")

    def read(
        self,
        owner: str,
        *,
        guest: str | None = None,
        idempotency_key: str | None = None,
        sku: str | None = None,
        now_epoch_s: int,
    ) -> Snapshot:
        """A shopper's cart, strongly consistent, with whatever else the request needs."""
        wanted = [keys.cart(owner)]
        if guest:
            wanted.append(keys.cart(guest))
        if idempotency_key:
            wanted.append(keys.idempotency(owner, idempotency_key))
        found = self._batch_get(wanted, [keys.stock(sku)] if sku else [])
        rows = {(row["pk"], row["sk"]): row for row in found}

        def at(key: keys.Key) -> Item | None:
            return rows.get((key["pk"], key["sk"]))

        answered = at(keys.idempotency(owner, idempotency_key)) if idempotency_key else None
        stock = at(keys.stock(sku)) if sku else None
        return Snapshot(
            cart=_to_cart(owner, at(keys.cart(owner)), now_epoch_s),
            guest=_to_cart(guest, at(keys.cart(guest)), now_epoch_s) if guest else None,
            idempotency=None if answered and _is_expired(answered, now_epoch_s) else answered,
            stock=_to_stock(stock) if stock else None,
        )

    def read_stock(self, skus: Iterable[str]) -> dict[str, StockRow]:
        """The stock rows of at most 100 SKUs; those that do not exist are missing."""
        wanted = [keys.stock(sku) for sku in sorted(set(skus))]
        if not wanted:
            return {}
        return {row["sku"]: _to_stock(row) for row in self._batch_get([], wanted)}

    def put_cart(self, cart: Cart, now_epoch_s: int) -> Cart | None:
        """Write a cart over the version it was read at; None when somebody wrote in between."""
        operation = self._put_cart(cart, now_epoch_s)
        try:
            aws.client("dynamodb").put_item(**operation)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise
        return Cart(cart.owner, cart.lines, cart.version + 1)

    def merge_carts(self, cart: Cart, guest: Cart, now_epoch_s: int) -> Cart | None:
        """Write the merged cart and delete the guest's, at the versions read, or nothing."""
        delete = {
            "TableName": self._orders,
            "Key": to_item(keys.cart(guest.owner)),
            "ConditionExpression": _IF_VERSION,
            "ExpressionAttributeValues": to_item({":seen": guest.version}),
        }
        try:
            transact([{"Put": self._put_cart(cart, now_epoch_s)}, {"Delete": delete}])
        except TransactionCancelled:
            return None
        return Cart(cart.owner, cart.lines, cart.version + 1)

    def place(
        self,
        order: Item,
        cart: Cart,
        idempotency_key: str,
        body_hash: str,
        answer: str,
        now_epoch_s: int,
    ) -> Refusal | None:
        """Write the order, take its stock, remember the answer and empty the cart: all or nothing.

        Args: `cart` is the cart the order was made of; `answer` is JSON, given again to a replay.
        Returns: None when placed. Raises Unavailable when contention did not end in time.
        """
        idempotency = {
            **keys.idempotency(cart.owner, idempotency_key),
            "body_hash": body_hash,
            "answer": answer,
            "order_id": order["order_id"],
            "expires_at_epoch_s": now_epoch_s + IDEMPOTENCY_TTL_S,
        }
        lines = sorted(cart.lines.values(), key=lambda line: line.sku)
        placed = {**keys.order(order["order_id"]), **order, **tracing.carried_in_row()}
        operations = [
            {"Put": self._put_new(placed)},
            {"Put": self._put_new(idempotency)},
            {"Put": self._put_cart(Cart(cart.owner, {}, cart.version), now_epoch_s)},
            *({"Update": self._take(line)} for line in lines),
        ]
        try:
            transact(operations)
        except TransactionCancelled as cancelled:
            return Refusal(
                idempotency=cancelled.failed.get(1),
                cart_changed=2 in cancelled.failed,
                stock={
                    line.sku: _to_stock(row) if (row := cancelled.failed[position]) else None
                    for position, line in enumerate(lines, start=3)
                    if position in cancelled.failed
                },
            )
        return None

    def list_orders(
        self, owner: str, page_size: int, after: tuple[str, str] | None
    ) -> tuple[list[Item], tuple[str, str] | None]:
        """One page of an owner's orders, newest first, and where the next begins.

        A place in the list is (placed_at, order_id). Eventually consistent, as indexes are.
        """
        start = {}
        if after:
            placed_at, order_id = after
            place = {**keys.order(order_id), "owner": owner, "placed_at": placed_at}
            start = {"ExclusiveStartKey": to_item(place)}
        answer = aws.client("dynamodb").query(
            TableName=self._orders,
            IndexName="by_owner",
            KeyConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues=to_item({":owner": owner}),
            ScanIndexForward=False,
            Limit=page_size,
            **start,
        )
        orders = [from_item(item) for item in answer["Items"]]
        more = "LastEvaluatedKey" in answer and bool(orders)
        return orders, (orders[-1]["placed_at"], orders[-1]["order_id"]) if more else None

    def _put_new(self, item: Item) -> Item:
        return {
            "TableName": self._orders,
            "Item": to_item(item),
            "ConditionExpression": _IF_ABSENT,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _put_cart(self, cart: Cart, now_epoch_s: int) -> Item:
        item = {
            **keys.cart(cart.owner),
            "lines": {sku: asdict(line) for sku, line in cart.lines.items()},
            "version": cart.version + 1,
            "expires_at_epoch_s": now_epoch_s + CART_TTL_S,
        }
        operation = {"TableName": self._orders, "Item": to_item(item)}
        if not cart.version:
            return operation | {"ConditionExpression": _IF_ABSENT}
        return operation | {
            "ConditionExpression": _IF_VERSION,
            "ExpressionAttributeValues": to_item({":seen": cart.version}),
        }

    def _take(self, line: CartLine) -> Item:
        return {
            "TableName": self._products,
            "Key": to_item(keys.stock(line.sku)),
            "UpdateExpression": "ADD available :taken, held :given",
            "ConditionExpression": (
                "available >= :given AND price_minor = :price"
                " AND (attribute_not_exists(#status) OR #status <> :archived)"
            ),
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": to_item(
                {
                    ":taken": -line.quantity,
                    ":given": line.quantity,
                    ":price": line.unit_price_minor,
                    ":archived": "archived",
                }
            ),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _batch_get(self, orders: list[keys.Key], products: list[keys.Key]) -> list[Item]:
        request: Item = {}
        if orders:
            wanted = [to_item(key) for key in orders]
            request[self._orders] = {"Keys": wanted, "ConsistentRead": True}
        if products:
            request[self._products] = {"Keys": [to_item(key) for key in products]}
        found: list[Item] = []
        for attempt in stamina.retry_context(
            on=_Unprocessed, attempts=5, timeout=3, wait_initial=0.02, wait_max=0.5, wait_jitter=0.1
        ):
            with attempt:
                answer = aws.client("dynamodb").batch_get_item(RequestItems=request)
                for rows in answer["Responses"].values():
                    found += [from_item(row) for row in rows]
                request = answer.get("UnprocessedKeys") or {}
                if request:
                    raise _Unprocessed("DynamoDB is throttling", headers={"Retry-After": "1"})
        return found


class _Unprocessed(Unavailable):
    """A part of a batch was put off; the client sees it as any unavailable dependency."""


def _is_expired(row: Item, now_epoch_s: int) -> bool:
    """DynamoDB deletes expired rows late, within days; until then they are still read."""
    return bool(row["expires_at_epoch_s"] < now_epoch_s)


def _to_cart(owner: str, row: Item | None, now_epoch_s: int) -> Cart:
    if row is None:
        return Cart(owner)
    if _is_expired(row, now_epoch_s):
        return Cart(owner, {}, row["version"])
    lines = {sku: CartLine(**line) for sku, line in row["lines"].items()}
    return Cart(owner, lines, row["version"])


def _to_stock(row: Item) -> StockRow:
    return StockRow(
        sku=row["sku"],
        product_id=row["product_id"],
        title=row["title"],
        category=row["category"],
        image_url=row.get("image_url"),
        options=row.get("options") or {},
        price_minor=row["price_minor"],
        currency=row["currency"],
        available=row["available"],
        is_archived=row.get("status") == "archived",
    )
