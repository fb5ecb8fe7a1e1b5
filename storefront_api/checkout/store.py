"""Carts, stock rows and new orders in DynamoDB; conditions, never locks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from botocore.exceptions import ClientError

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.runtime import aws, tracing
from pipeline.runtime.dynamo import (
    Item,
    TransactionCancelled,
    from_item,
    read_all,
    to_item,
    transact,
)
from storefront_api.checkout.domain import Cart, CartLine, StockRow, emptied
from storefront_api.checkout.promotion import Offer, Promotion, PromotionState
from storefront_api.checkout.promotion_store import refused_use, use_operations
from storefront_api.checkout.rows import (
    Rows,
    from_cart,
    is_expired,
    offer_keys,
    to_cart,
    to_stock,
)

CART_TTL_S = 30 * 86_400
IDEMPOTENCY_TTL_S = 86_400
_IF_ABSENT = "attribute_not_exists(pk)"
# DynamoDB deletes what has expired within days; until then it counts no more.
_IF_GONE = f"{_IF_ABSENT} OR expires_at_epoch_s < :now"
_IF_VERSION = "version = :seen"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one read of several rows found; an absent cart is an empty one of version 0."""

    cart: Cart
    guest: Cart | None
    idempotency: Item | None
    stock: StockRow | None
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class Current:
    """Stock rows and the promotion of a cart as they are now; what does not exist is missing."""

    stock: Mapping[str, StockRow]
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing of a placement was written.

    `stock` has every SKU whose condition failed, with its row as it stands (None: no such row).
    `promotion` is set when the code has other terms than the cart's (the new ones in `terms`), or
    gives nothing any more.
    """

    idempotency: Item | None
    cart_changed: bool
    stock: Mapping[str, StockRow | None]
    promotion: PromotionState | None
    terms: Promotion | None


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
        code: str | None = None,
        now_epoch_s: int,
    ) -> Snapshot:
        """A shopper's cart, strongly consistent, with whatever else the request needs."""
        wanted = [keys.cart(owner)]
        if guest:
            wanted.append(keys.cart(guest))
        if idempotency_key:
            wanted.append(keys.idempotency(owner, idempotency_key))
        if code:
            wanted += offer_keys(code, owner)
        rows = Rows(self._read(wanted, [keys.stock(sku)] if sku else []))
        answered = rows.at(keys.idempotency(owner, idempotency_key)) if idempotency_key else None
        stock = rows.at(keys.stock(sku)) if sku else None
        return Snapshot(
            cart=to_cart(owner, rows.at(keys.cart(owner)), now_epoch_s),
            guest=to_cart(guest, rows.at(keys.cart(guest)), now_epoch_s) if guest else None,
            idempotency=None if answered and is_expired(answered, now_epoch_s) else answered,
            stock=to_stock(stock) if stock else None,
            offer=rows.offer(code, owner) if code else None,
        )

    def read_current(self, skus: Iterable[str], owner: str, code: str | None) -> Current:
        """The stock rows of at most 90 SKUs, and a promotion as it stands for this owner."""
        wanted = [keys.stock(sku) for sku in sorted(set(skus))]
        terms = offer_keys(code, owner) if code else []
        if not wanted and not terms:
            return Current({}, None)
        found = self._read(terms, wanted)
        stock = {row["sku"]: to_stock(row) for row in found if row["sk"] == "STOCK"}
        return Current(stock, Rows(found).offer(code, owner) if code else None)

    def _read(self, orders: list[keys.Key], products: list[keys.Key]) -> list[Item]:
        wanted = {self._orders: orders, self._products: products}
        return read_all(wanted, may_lag={self._products})

    def put_cart(self, cart: Cart, now_epoch_s: int) -> Cart | None:
        """Write a cart over the version it was read at; None when somebody wrote in between."""
        operation = self._put_cart(cart, now_epoch_s)
        try:
            aws.client("dynamodb").put_item(**operation)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise
        return replace(cart, version=cart.version + 1)

    def merge_carts(self, cart: Cart, guest: Cart, now_epoch_s: int) -> Cart | None:
        """Write the merged cart and delete the guest's, at the versions read, or nothing."""
        operations = [
            {"Put": self._put_cart(cart, now_epoch_s)},
            {"Delete": self._delete_cart(guest)},
        ]
        try:
            transact(operations)
        except TransactionCancelled:
            return None
        return replace(cart, version=cart.version + 1)

    def place(
        self,
        order: Item,
        cart: Cart,
        guest: Cart | None,
        idempotency_key: str,
        body_hash: str,
        answer: str,
        now_epoch_s: int,
    ) -> Refusal | None:
        """Write the order, take its stock, remember the answer and empty the cart: all or nothing.

        Args: `cart` is the cart the order was made of, and `guest` one that it has taken in, which
        goes; `answer` is JSON, given again to a replay.
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
            {"Put": self._put_new(idempotency) | _unless_alive(now_epoch_s)},
            {"Put": self._put_cart(emptied(cart), now_epoch_s)},
            *({"Update": self._take(line)} for line in lines),
            *use_operations(self._orders, cart.promotion, order["promotion"]),
            *([{"Delete": self._delete_cart(guest)}] if guest else []),
        ]
        try:
            transact(operations)
        except TransactionCancelled as cancelled:
            stock = {
                line.sku: to_stock(row) if (row := cancelled.failed[position]) else None
                for position, line in enumerate(lines, start=3)
                if position in cancelled.failed
            }
            carts = {2, len(operations) - 1} if guest else {2}
            moved = not carts.isdisjoint(cancelled.failed)
            used = {at: row for at, row in cancelled.failed.items() if at not in carts}
            promotion, terms = refused_use(used, 3 + len(lines))
            return Refusal(cancelled.failed.get(1), moved, stock, promotion, terms)
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
            **from_cart(cart),
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

    def _delete_cart(self, cart: Cart) -> Item:
        return {
            "TableName": self._orders,
            "Key": to_item(keys.cart(cart.owner)),
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


def _unless_alive(now_epoch_s: int) -> Item:
    """Of a Put: over nothing, or over what has expired."""
    return {
        "ConditionExpression": _IF_GONE,
        "ExpressionAttributeValues": to_item({":now": now_epoch_s}),
    }
