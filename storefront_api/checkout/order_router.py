"""The routes under /api/checkout/orders. Handlers are synchronous, as boto3 is."""

import json
import re
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from pydantic import BaseModel

from pipeline.contracts.errors import BadRequest, Unprocessable
from pipeline.runtime.clock import new_id
from pipeline.runtime.order_refunds import RefundRequest
from storefront_api.checkout.carts import Shopper
from storefront_api.checkout.cookies import CurrentShopper
from storefront_api.checkout.order_views import OrderPage, OrderView, PlacedOrder, RefundView
from storefront_api.checkout.orders import OrderRequest, Orders
from storefront_api.checkout.places import Cursor, PageSize, to_cursor, to_place
from storefront_api.checkout.schemas import PlaceOrder, RefundBody
from storefront_api.problems import documented
from storefront_api.security import Principal, require_role

router = APIRouter(tags=["orders"])
_PRIVATE = "private, no-cache"
_SAFE_KEY = re.compile(r"^[A-Za-z0-9._:-]{1,128}$")
_KEY_HEADER = "Idempotency-Key"
OrderId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


async def _orders(request: Request) -> Orders:
    orders: Orders = request.app.state.orders
    return orders


async def get_idempotency_key(request: Request) -> str:
    keys = set(request.headers.getlist(_KEY_HEADER)) or {""}
    key = keys.pop()
    if keys or not _SAFE_KEY.match(key):
        message = "Required, once: 1 to 128 of the characters A-Z a-z 0-9 . _ : -"
        raise BadRequest(
            f"{_KEY_HEADER}: {message}", errors=[{"field": _KEY_HEADER, "message": message}]
        )
    return key


OrdersService = Annotated[Orders, Depends(_orders)]
IdempotencyKey = Annotated[str, Depends(get_idempotency_key)]
_KEY_PARAMETER = {
    "name": _KEY_HEADER,
    "in": "header",
    "required": True,
    "description": "Made once per intent; the same key and body are answered the same.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}


@router.post(
    "/orders",
    status_code=201,
    response_model=PlacedOrder,
    responses=documented(400, 401, 409, 503),
    openapi_extra={"parameters": [_KEY_PARAMETER]},
)
def place_order(
    request: Request,
    key: IdempotencyKey,
    body: PlaceOrder,
    shopper: CurrentShopper,
    orders: OrdersService,
    response: Response,
    x_synthetic: Annotated[str | None, Header(description="1 marks a load test's order")] = None,
) -> Response:
    """Order what is in the cart, once per Idempotency-Key."""
    _check_against(shopper, body, request.app.state.settings.currency)
    placed = orders.place(
        shopper,
        OrderRequest(
            idempotency_key=key,
            body_hash=_hash(body),
            email=body.email,
            shipping_address=body.shipping_address.model_dump(),
            shipping_method=body.shipping_method,
            card_token=body.payment.card_token,
            expected_total_minor=(
                body.expected_total.amount_minor if body.expected_total else None
            ),
            correlation_id=request.scope["correlation_id"],
            is_synthetic=x_synthetic == "1",
        ),
    )
    answer = Response(placed.answer, 201, media_type="application/json")
    answer.raw_headers += [
        (name, value) for name, value in response.raw_headers if name == b"set-cookie"
    ]
    answer.headers["Location"] = f"/api/checkout/orders/{placed.order_id}"
    answer.headers["Cache-Control"] = "no-store"
    if placed.is_replay:
        answer.headers["Idempotent-Replay"] = "true"
    return answer


def _check_against(shopper: Shopper, body: PlaceOrder, currency: str) -> None:
    """What the body's schema cannot know: who asks, and what the shop sells in."""
    if shopper.user_id is None and body.email is None:
        raise Unprocessable(
            "email: guests need one, for the confirmation",
            errors=[{"field": "email", "message": "Required of guests"}],
        )
    if body.expected_total and body.expected_total.currency != currency:
        raise Unprocessable(
            f"expected_total.currency: the shop sells in {currency}",
            errors=[{"field": "expected_total.currency", "message": f"Use {currency}"}],
        )


def _hash(body: BaseModel) -> str:
    return sha256(json.dumps(body.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


@router.get("/orders", responses=documented(401, 503))
def list_orders(
    shopper: CurrentShopper,
    orders: OrdersService,
    response: Response,
    page_size: PageSize = 20,
    cursor: Cursor = None,
) -> OrderPage:
    """The shopper's own orders, newest first."""
    response.headers["Cache-Control"] = "private, no-store"
    found, place = orders.list_(shopper, page_size, to_place(cursor) if cursor else None)
    return OrderPage(
        items=[PlacedOrder.of(order) for order in found],
        next_cursor=to_cursor(place) if place else None,
    )


@router.get("/orders/{order_id}", responses={
    304: {"description": "Not modified"}, **documented(401, 404, 503)
})  # fmt: skip
def get_order(
    order_id: OrderId,
    shopper: CurrentShopper,
    orders: OrdersService,
    response: Response,
    if_none_match: Annotated[str | None, Header()] = None,
) -> OrderView:
    """One order with its timeline; ask again with If-None-Match to follow it cheaply."""
    order = orders.get(shopper, order_id)
    etag = f'"{order["version"]}"'
    headers = {"ETag": etag, "Cache-Control": _PRIVATE}
    seen = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    if etag in seen:
        return Response(status_code=304, headers=headers)  # type: ignore[return-value]  # FastAPI sends it as it is
    response.headers.update(headers)
    return OrderView.of(order)


@router.post("/orders/{order_id}/cancel", responses=documented(401, 404, 409, 503))
def cancel_order(
    order_id: OrderId, shopper: CurrentShopper, orders: OrdersService, response: Response
) -> OrderView:
    """Cancel an order that is not packed yet; its goods go back on sale, once."""
    order = orders.cancel(shopper, order_id)
    response.headers.update({"ETag": f'"{order["version"]}"', "Cache-Control": _PRIVATE})
    return OrderView.of(order)


@router.post(
    "/orders/{order_id}/refunds",
    status_code=201,
    responses=documented(400, 401, 403, 404, 409, 503),
    openapi_extra={"parameters": [_KEY_PARAMETER]},
)
def refund_order(
    order_id: OrderId,
    key: IdempotencyKey,
    body: RefundBody,
    operator: Annotated[Principal, Depends(require_role("operator"))],
    orders: OrdersService,
    response: Response,
) -> RefundView:
    """Give money back for lines of a paid order, or for all that is left, once per key. Goods that
    have not left yet, and those that are back, go on sale again."""
    asked = RefundRequest(
        refund_id=new_id(),
        key=key,
        body_hash=_hash(body),
        units=body.units,
        reason=body.reason,
        by=operator.user_id,
        goods_are_back=body.goods_are_back,
    )
    order, refund, is_replay = orders.refund(order_id, asked)
    response.headers["Cache-Control"] = "no-store"
    if is_replay:
        response.headers["Idempotent-Replay"] = "true"
    return RefundView.of(order, refund)
