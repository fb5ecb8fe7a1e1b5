"""Promotion codes for operators, under /api/checkout/promotions."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request, Response

from pipeline.contracts.errors import Unprocessable
from storefront_api.checkout.cart_views import PromotionPage, PromotionView
from storefront_api.checkout.places import Cursor, PageSize, to_cursor, to_place
from storefront_api.checkout.promotion import Offer
from storefront_api.checkout.promotions import Promotions
from storefront_api.checkout.schemas import Code, PromotionBody
from storefront_api.problems import documented
from storefront_api.security import Principal, require_role

router = APIRouter(tags=["promotions"])
Operator = Annotated[Principal, Depends(require_role("operator"))]
PathCode = Annotated[Code, Path()]
IfMatch = Annotated[str | None, Header(description="The ETag of the terms you edited")]


async def _promotions(request: Request) -> Promotions:
    promotions: Promotions = request.app.state.promotions
    return promotions


Service = Annotated[Promotions, Depends(_promotions)]


@router.get("/promotions", responses=documented(401, 403, 503))
def list_promotions(
    operator: Operator,
    service: Service,
    request: Request,
    response: Response,
    page_size: PageSize = 20,
    cursor: Cursor = None,
) -> PromotionPage:
    """Every code, the last edited first, with how many orders carry it."""
    response.headers["Cache-Control"] = "private, no-store"
    found, place = service.list_(page_size, to_place(cursor) if cursor else None)
    currency = request.app.state.settings.currency
    return PromotionPage(
        items=[PromotionView.of(offer, currency) for offer in found],
        next_cursor=to_cursor(place) if place else None,
    )


@router.get("/promotions/{code}", responses=documented(401, 403, 404, 503))
def get_promotion(
    code: PathCode, operator: Operator, service: Service, request: Request, response: Response
) -> PromotionView:
    """The terms of a code, and how many orders carry it."""
    return _shown(service.get(code), request, response)


@router.put(
    "/promotions/{code}",
    responses={
        201: {"model": PromotionView, "description": "The code is new"},
        **documented(400, 401, 403, 412, 428, 503),
    },
)
def put_promotion(
    code: PathCode,
    body: PromotionBody,
    operator: Operator,
    service: Service,
    request: Request,
    response: Response,
    if_match: IfMatch = None,
) -> PromotionView:
    """Make a code, or edit its terms. Carts that have it are told; orders keep what they had."""
    currency = request.app.state.settings.currency
    if body.currencies - {currency}:
        message = f"The shop sells in {currency}"
        raise Unprocessable(message, errors=[{"field": "currency", "message": message}])
    offer, is_new = service.put(body.terms(code), _version(if_match), operator.user_id)
    if is_new:
        response.status_code = 201
        response.headers["Location"] = request.url.path
    return _shown(offer, request, response)


@router.delete(
    "/promotions/{code}",
    status_code=204,
    response_model=None,
    responses=documented(401, 403, 404, 412, 428, 503),
)
def delete_promotion(
    code: PathCode, operator: Operator, service: Service, if_match: IfMatch = None
) -> Response:
    """End a code at once. Its uses stay counted, should it be made again."""
    service.delete(code, _version(if_match), operator.user_id)
    return Response(status_code=204)


def _shown(offer: Offer, request: Request, response: Response) -> PromotionView:
    response.headers["ETag"] = f'"{offer.promotion.version}"'
    response.headers["Cache-Control"] = "private, no-cache"
    return PromotionView.of(offer, request.app.state.settings.currency)


def _version(if_match: str | None) -> str | None:
    """A proxy that compresses turns a strong tag into a weak one, so both are taken."""
    if if_match is None:
        return None
    return if_match.strip().removeprefix("W/").strip('"')
