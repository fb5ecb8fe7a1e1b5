"""Carts, stock rows and promotions as DynamoDB keeps them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pipeline.contracts import keys
from pipeline.runtime.dynamo import Item
from storefront_api.checkout.domain import Cart, CartLine, StockRow
from storefront_api.checkout.promotion import Offer, Promotion, PromotionKind


class Rows:
    """What a read of several rows found, by key."""

    def __init__(self, found: list[Item]) -> None:
        self._rows = {(row["pk"], row["sk"]): row for row in found}

    def at(self, key: keys.Key) -> Item | None:
        return self._rows.get((key["pk"], key["sk"]))

    def offer(self, code: str, subject: str) -> Offer | None:
        """A promotion with its uses, as `offer_keys` asked for them."""
        terms, uses, own = (self.at(key) for key in offer_keys(code, subject))
        if terms is None:
            return None
        return Offer(to_promotion(terms), *(row["uses"] if row else 0 for row in (uses, own)))


def offer_keys(code: str, subject: str) -> list[keys.Key]:
    return [
        keys.promotion(code), keys.promotion_uses(code), keys.promotion_uses(code, subject)
    ]  # fmt: skip


def is_expired(row: Item, now_epoch_s: int) -> bool:
    """DynamoDB deletes expired rows late, within days; until then they are still read."""
    return bool(row["expires_at_epoch_s"] < now_epoch_s)


def to_cart(owner: str, row: Item | None, now_epoch_s: int) -> Cart:
    if row is None:
        return Cart(owner)
    if is_expired(row, now_epoch_s):
        return Cart(owner, {}, row["version"])
    promotion = row.get("promotion")  # carts of before there were any lack this, and the next
    return Cart(
        owner,
        _to_lines(row["lines"]),
        row["version"],
        to_promotion(promotion) if promotion else None,
        _to_lines(row.get("saved") or {}),
    )


def _to_lines(lines: Mapping[str, Any]) -> dict[str, CartLine]:
    return {sku: CartLine(**line) for sku, line in lines.items()}


def from_cart(cart: Cart) -> Item:
    return {
        "lines": {sku: asdict(line) for sku, line in cart.lines.items()},
        "saved": {sku: asdict(line) for sku, line in cart.saved.items()},
        "promotion": from_promotion(cart.promotion) if cart.promotion else None,
    }


def to_promotion(row: Mapping[str, Any]) -> Promotion:
    known = {name: row[name] for name in Promotion.__slots__ if name in row}
    return Promotion(**known | {"kind": PromotionKind(row["kind"])})


def from_promotion(promotion: Promotion) -> Item:
    return asdict(promotion) | {"kind": promotion.kind.value}


def to_stock(row: Item) -> StockRow:
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
