"""The simulated card gateway: behaves as a remote one, and keeps its own record in `CHARGE#`."""

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.payment.domain import FINAL, Charge, ChargeStatus, rule
from pipeline.payment.ports import GatewayBusy, OutcomeUnknown
from pipeline.runtime import aws
from pipeline.runtime.dynamo import Item, from_item, to_item


class SimulatedGateway:
    """Idempotent by order: however often it is asked, it takes the money of an order once."""

    def __init__(self, names: Names) -> None:
        self._table = names.table("orders")

    def charge(self, order_id: str, amount_minor: int, currency: str, card_token: str) -> Charge:
        """Raises OutcomeUnknown (no answer), GatewayBusy (nothing was taken)."""
        before, is_known = self._find(order_id)
        if before.status in FINAL:
            return before
        ruling = rule(card_token, before)
        after = ruling.charge
        values = {
            ":status": after.status.value,
            ":attempts": after.attempts,
            ":code": after.failure_code,
            ":amount": amount_minor,
            ":currency": currency,
        }
        seen = "attempts = :seen AND #status = :pending"
        if not self._write(
            order_id,
            "SET #status = :status, attempts = :attempts, failure_code = :code, "
            "amount_minor = :amount, currency = :currency",
            seen if is_known else "attribute_not_exists(pk)",
            values | ({":seen": before.attempts, ":pending": "pending"} if is_known else {}),
        ):
            raise GatewayBusy("another request for this order is being handled")
        if not ruling.is_answered:
            raise OutcomeUnknown("the gateway did not answer in time")
        if after.status is ChargeStatus.PENDING:
            raise GatewayBusy("the gateway is not available")
        return after

    def void(self, order_id: str) -> Charge:
        """Give the money back, and never take any for this order from now on."""
        self._write(
            order_id,
            "SET #status = :voided, attempts = if_not_exists(attempts, :zero)",
            "attribute_not_exists(pk) OR #status IN (:pending, :captured)",
            {":voided": "voided", ":pending": "pending", ":captured": "captured", ":zero": 0},
        )
        return self._find(order_id)[0]

    def _find(self, order_id: str) -> tuple[Charge, bool]:
        answer = aws.client("dynamodb").get_item(
            TableName=self._table, Key=to_item(keys.charge(order_id)), ConsistentRead=True
        )
        if "Item" not in answer:
            return Charge(), False
        item = from_item(answer["Item"])
        status = ChargeStatus(item["status"])
        return Charge(status, item["attempts"], item.get("failure_code")), True

    def _write(self, order_id: str, update: str, condition: str, values: Item) -> bool:
        client = aws.client("dynamodb")
        try:
            client.update_item(
                TableName=self._table,
                Key=to_item(keys.charge(order_id)),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues=to_item(values),
            )
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True
