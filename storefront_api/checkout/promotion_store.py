"""Promotion codes in DynamoDB: their terms, and counters that no race gets past."""

from collections.abc import Mapping, Sequence

from pipeline.contracts import keys
from pipeline.contracts.audit import Audit
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.dynamo import (
    Item,
    TransactionCancelled,
    from_item,
    read_all,
    to_item,
    transact,
)
from storefront_api.checkout.ports import Place
from storefront_api.checkout.promotion import NO_LIMIT, Offer, Promotion, PromotionState
from storefront_api.checkout.rows import from_promotion, to_promotion


class PromotionStore:
    """Terms are written at the version they were read at. Uses belong to the code, not to its
    terms: a code that is deleted and made again goes on counting."""

    def __init__(self, names: Names) -> None:
        self._table = names.table("orders")
        self._ops = names.table("ops")

    def find(self, code: str) -> Offer | None:
        """Two consistent reads; the second only if there is such a code."""
        terms = self._get(keys.promotion(code))
        if terms is None:
            return None
        uses = self._get(keys.promotion_uses(code))
        return Offer(to_promotion(terms), uses["uses"] if uses else 0)

    def list_offers(self, page_size: int, after: Place | None) -> tuple[list[Offer], Place | None]:
        """One page, the last edited first, and where the next begins.

        Eventually consistent, as indexes are; a code that was just deleted may still be there.
        """
        start = {}
        if after:
            version, code = after
            start = {"ExclusiveStartKey": to_item(keys.promotion(code) | _listed(version))}
        answer = aws.client("dynamodb").query(
            TableName=self._table,
            IndexName="by_time",
            KeyConditionExpression="listing = :promotions",
            ExpressionAttributeValues=to_item({":promotions": keys.PROMOTIONS}),
            ScanIndexForward=False,
            Limit=page_size,
            **start,
        )
        terms = [to_promotion(from_item(item)) for item in answer["Items"]]
        uses = self._read_uses([each.code for each in terms])
        offers = [Offer(each, uses.get(each.code, 0)) for each in terms]
        more = "LastEvaluatedKey" in answer and bool(terms)
        return offers, (terms[-1].version, terms[-1].code) if more else None

    def put(self, promotion: Promotion, over: str | None, audit: Audit) -> bool:
        """Write the terms over that version, or over none; False when another one is there."""
        put = {
            "TableName": self._table,
            "Item": to_item(
                keys.promotion(promotion.code)
                | from_promotion(promotion)
                | _listed(promotion.version)
            ),
            "ConditionExpression": "version = :seen" if over else "attribute_not_exists(pk)",
            **({"ExpressionAttributeValues": _version(over)} if over else {}),
        }
        return self._write({"Put": put}, audit)

    def delete(self, code: str, version: str, audit: Audit) -> bool:
        """False when it has another version, or is gone."""
        delete = {
            "TableName": self._table,
            "Key": to_item(keys.promotion(code)),
            "ConditionExpression": "version = :seen",
            "ExpressionAttributeValues": _version(version),
        }
        return self._write({"Delete": delete}, audit)

    def _get(self, key: keys.Key) -> Item | None:
        answer = aws.client("dynamodb").get_item(
            TableName=self._table, Key=to_item(key), ConsistentRead=True
        )
        return from_item(answer["Item"]) if "Item" in answer else None

    def _read_uses(self, codes: Sequence[str]) -> dict[str, int]:
        wanted = {keys.promotion_uses(code)["pk"]: code for code in codes}
        rows = read_all({self._table: [keys.promotion_uses(code) for code in codes]})
        return {wanted[row["pk"]]: row["uses"] for row in rows}

    def _write(self, operation: Item, audit: Audit) -> bool:
        try:
            note = {"TableName": self._ops, "Item": to_item(audit.to_item())}
            transact([operation, {"Put": note}])
        except TransactionCancelled:
            return False
        return True


def use_operations(table: str, promotion: Promotion | None, used: Item | None) -> list[Item]:
    """For the order's transaction: the terms are still these, and each counter is below its limit.

    Args: `used` is the order's own `promotion`; None when the order has the benefit of none.
    """
    if used is None or promotion is None:
        return []
    terms = {
        "TableName": table,
        "Key": to_item(keys.promotion(promotion.code)),
        "ConditionExpression": "version = :seen",
        "ExpressionAttributeValues": _version(promotion.version),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    per_shopper = promotion.max_uses_per_shopper
    counters = [
        _count(table, keys.promotion_uses(promotion.code), promotion.max_uses),
        *(
            _count(table, keys.promotion_uses(promotion.code, subject), per_shopper)
            for subject in used["subjects"]
        ),
    ]
    return [{"ConditionCheck": terms}, *({"Update": counter} for counter in counters)]


def refused_use(
    failed: Mapping[int, Item], first: int
) -> tuple[PromotionState | None, Promotion | None]:
    """Why `use_operations`, the first of which has this position, did not go through.

    Returns: (reason, the terms as they are now where that is what changed).
    """
    if first in failed:
        row = failed[first]
        return PromotionState.ENDED, to_promotion(row) if row else None
    if first + 1 in failed:
        return PromotionState.USED_UP, None
    if any(position > first for position in failed):
        return PromotionState.USED_BY_YOU, None
    return None, None


def _count(table: str, counter: keys.Key, limit: int | None) -> Item:
    return {
        "TableName": table,
        "Key": to_item(counter),
        "UpdateExpression": "ADD uses :one",
        "ConditionExpression": "attribute_not_exists(uses) OR uses < :limit",
        "ExpressionAttributeValues": to_item({":one": 1, ":limit": limit or NO_LIMIT}),
    }


def _listed(version: str) -> Item:
    return {"listing": keys.PROMOTIONS, "placed_at": version}


def _version(version: str) -> Item:
    return to_item({":seen": version})
