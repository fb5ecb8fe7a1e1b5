"""What operators change: goods and stock."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request, Response

from pipeline.contracts.errors import Unprocessable
from pipeline.runtime.clock import new_id
from storefront_api.catalog import models, views
from storefront_api.catalog.bodies import to_goods
from storefront_api.catalog.caching import expected_version
from storefront_api.catalog.domain import Product, StockRow
from storefront_api.catalog.router import ProductId, Service
from storefront_api.problems import documented
from storefront_api.security import Principal, require_role

router = APIRouter(tags=["operations"])
Operator = Annotated[Principal, Depends(require_role("operator"))]
IfMatch = Annotated[str | None, Header(description="The ETag of the product you edited")]


@router.post(
    "/products",
    status_code=201,
    response_model=models.ProductDetail,
    responses=documented(400, 401, 403, 409, 413, 422, 503),
)
def create_product(
    request: Request, body: models.ProductBody, operator: Operator, service: Service
) -> Response:
    """Put a product with all its variants on sale, or nothing of it."""
    product_id = body.product_id or new_id()
    product, rows = to_goods(product_id, body, _currency(request))
    product, rows = service.create_product(product, rows, operator.user_id)
    return _edited(product, rows, 201, {"Location": f"{request.url.path}/{product_id}"})


@router.put(
    "/products/{product_id}",
    response_model=models.ProductDetail,
    responses=documented(400, 401, 403, 404, 409, 412, 413, 422, 428, 503),
)
def replace_product(
    request: Request,
    product_id: ProductId,
    body: models.ProductBody,
    operator: Operator,
    service: Service,
    if_match: IfMatch = None,
) -> Response:
    """Edit a product. SKUs that are new start with their `stock`; SKUs that stay keep theirs; SKUs
    that are left out go, unless orders hold or bought some."""
    version = expected_version(if_match)
    if body.product_id not in (None, product_id):
        message = "is not the product of the address"
        raise Unprocessable(message, errors=[{"field": "product_id", "message": message}])
    product, rows = to_goods(product_id, body, _currency(request))
    product, rows = service.replace_product(product, rows, version, operator.user_id)
    return _edited(product, rows, 200, {})


@router.delete(
    "/products/{product_id}",
    status_code=204,
    response_model=None,
    responses=documented(401, 403, 404, 412, 428, 503),
)
def archive_product(
    product_id: ProductId, operator: Operator, service: Service, if_match: IfMatch = None
) -> Response:
    """Take a product off sale for good; its page stays for old orders and links."""
    service.archive_product(product_id, expected_version(if_match), operator.user_id)
    return Response(status_code=204)


@router.post(
    "/stock/{sku}/adjustments",
    status_code=201,
    response_model=models.Stock,
    responses=documented(400, 401, 403, 404, 409, 422, 503),
)
def adjust_stock(
    sku: Annotated[str, Path(max_length=128, examples=["OD-001-9"])],
    body: models.AdjustmentBody,
    operator: Operator,
    service: Service,
) -> Response:
    """Correct the stock of one SKU by `delta` units; 409 with `available` below zero."""
    if body.delta == 0:
        message = "must not be 0"
        raise Unprocessable(f"delta: {message}", errors=[{"field": "delta", "message": message}])
    if body.kind == "received" and body.delta < 0:
        message = "must be above 0 for goods received"
        raise Unprocessable(f"delta: {message}", errors=[{"field": "delta", "message": message}])
    row = service.adjust_stock(sku, body.delta, body.reason, operator.user_id, body.kind)
    return _answer(views.to_json(views.stock(row)), 201, {})


def _currency(request: Request) -> str:
    currency: str = request.app.state.settings.currency
    return currency


def _edited(
    product: Product, rows: list[StockRow], status: int, headers: dict[str, str]
) -> Response:
    body = views.to_json(views.detail(product, rows))
    return _answer(body, status, {"ETag": views.detail_etag(product, body), **headers})


def _answer(body: bytes, status: int, headers: dict[str, str]) -> Response:
    return Response(
        body,
        status,
        media_type="application/json",
        headers={"Cache-Control": "no-store", **headers},
    )
