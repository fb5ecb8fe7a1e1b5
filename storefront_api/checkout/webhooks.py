"""The door for the card gateway's webhooks: checked here, acted on by the payment worker.

A notice changes nothing by itself. It says that an order is worth a look, and the worker asks the
gateway and the order's row how things stand: so a notice may come twice, late or after a later one.
"""

from datetime import timedelta
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ValidationError

from pipeline.contracts import keys
from pipeline.contracts.errors import Unauthenticated, Unprocessable
from pipeline.contracts.names import Names
from pipeline.contracts.payments import Notice, Settle, is_settled
from pipeline.runtime import aws, clock, webhook_signature
from pipeline.runtime.dynamo import Item, read_all, to_item
from pipeline.runtime.logs import get_logger
from pipeline.runtime.webhook_signature import HEADER, TOLERANCE_S, BadSignature
from storefront_api.problems import documented

router = APIRouter()
log = get_logger()
# Twice as long as the gateway tries to deliver.
_KEPT = timedelta(days=7)
_DOCUMENTED: dict[str, Any] = {
    "parameters": [
        {
            "name": HEADER,
            "in": "header",
            "required": True,
            "description": '`t=<epoch s>,v1=<hex HMAC-SHA256 of "<t>.<body>">`, '
            f"at most {TOLERANCE_S} s old",
            "schema": {"type": "string"},
        }
    ],
    # Read as bytes, because it is they that are signed; checked against `Notice` after that.
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["event_id", "type", "created_at", "payment"],
                    "properties": {
                        "event_id": {
                            "type": "string",
                            "examples": ["01M874XHR3JTHHS7QZ585NHF8K:2"],
                        },
                        "type": {"type": "string", "examples": ["payment.captured"]},
                        "created_at": {"type": "string", "format": "date-time"},
                        "payment": {"type": "object", "description": "As it stands after it"},
                    },
                }
            }
        },
    },
}


class Taken(BaseModel):
    """`repeated`: this notice was taken in before, and nothing more was done."""

    event_id: str
    repeated: bool


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post(
    "/payments/webhook",
    tags=["payments"],
    responses=documented(400, 401, 503),
    openapi_extra=_DOCUMENTED,
)
def take_webhook(request: Request, body: Annotated[bytes, Depends(_body)]) -> Taken:
    """Take in a notice of the card gateway, once per `event_id`."""
    names: Names = request.app.state.settings.names
    _check(names, body, request.headers.get(HEADER))
    try:
        notice = Notice.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, fault["loc"])) or "body"
        raise Unprocessable(
            f"{field}: {fault['msg']}", errors=[{"field": field, "message": str(fault["msg"])}]
        ) from None
    return Taken(event_id=notice.event_id, repeated=not _take(names, notice, request))


def _check(names: Names, body: bytes, signature: str | None) -> None:
    try:
        webhook_signature.verify(_secret(names), body, signature, int(clock.now().timestamp()))
    except BadSignature as error:
        log.warning("webhook.refused", reason=str(error))
        raise Unauthenticated(str(error)) from None


def _take(names: Names, notice: Notice, request: Request) -> bool:
    """False if it was taken in before. The mark comes last: without it the notice comes again."""
    mark, order = _read(names, notice)
    if mark is not None:
        return False
    if order is not None and is_settled(order, notice.payment):
        return True
    settle = Settle(
        order_id=notice.payment.key,
        correlation_id=(order or {}).get("correlation_id", request.scope["correlation_id"]),
        cause=notice.event_id,
    )
    queue = _queue_url(names.queue("payment"))
    aws.client("sqs").send_message(QueueUrl=queue, MessageBody=settle.model_dump_json())
    row = {
        **keys.webhook(notice.event_id),
        "expires_at_epoch_s": int((clock.now() + _KEPT).timestamp()),
    }
    aws.client("dynamodb").put_item(TableName=names.table("orders"), Item=to_item(row))
    log.info("webhook.taken", event_id=notice.event_id, type=notice.type)
    return True


def _read(names: Names, notice: Notice) -> tuple[Item | None, Item | None]:
    """(the mark of an earlier arrival, the order), where there are such."""
    wanted = [keys.webhook(notice.event_id), keys.order(notice.payment.key)]
    rows = {row["sk"]: row for row in read_all({names.table("orders"): wanted})}
    return rows.get("WEBHOOK"), rows.get("ORDER")


@cache
def _secret(names: Names) -> str:
    name = names.secret("payment-webhook")
    return str(aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])


@cache
def _queue_url(name: str) -> str:
    return str(aws.client("sqs").get_queue_url(QueueName=name)["QueueUrl"])
