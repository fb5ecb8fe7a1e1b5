"""The routes under /api/checkout/cart. Handlers are synchronous, as boto3 is."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from storefront_api.checkout.cart_views import CartView
from storefront_api.checkout.carts import Carts, PricedCart
from storefront_api.checkout.cookies import CurrentShopper
from storefront_api.checkout.domain import Destination, ShippingMethod, quote
from storefront_api.checkout.promotion import PromotionState
from storefront_api.checkout.reference import tax_rate
from storefront_api.checkout.schemas import Country, ItemQuantity, UsePromotion
from storefront_api.problems import documented

router = APIRouter(tags=["cart"])
Sku = Annotated[str, Path(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]


async def _carts(request: Request) -> Carts:
    carts: Carts = request.app.state.carts
    return carts


CartsService = Annotated[Carts, Depends(_carts)]


class QuoteFor:
    """Where the quote is for."""

    def __init__(self, currency: str, to: Destination) -> None:
        self._currency = currency
        self._to = to

    def view(self, priced: PricedCart) -> CartView:
        """At today's prices, with the promotion if it gives something today."""
        gives = priced.offer and priced.promotion_state is PromotionState.APPLIED
        promotion = priced.offer.promotion if priced.offer and gives else None
        return CartView.of(
            priced, quote(priced.subtotal_minor, self._currency, self._to, promotion)
        )  # fmt: skip


async def _quote_for(
    request: Request,
    country: Annotated[Country, Query(description="ISO 3166-1 alpha-2")] = "GB",
    shipping_method: ShippingMethod = ShippingMethod.STANDARD,
) -> QuoteFor:
    to = Destination(country, shipping_method, tax_rate(country))
    return QuoteFor(request.app.state.settings.currency, to)


To = Annotated[QuoteFor, Depends(_quote_for)]


@router.get("/cart", responses=documented(401, 503))
def get_cart(shopper: CurrentShopper, carts: CartsService, to: To, response: Response) -> CartView:
    """The cart at today's prices and stock, with what it would cost."""
    response.headers["Cache-Control"] = "private, no-store"
    return to.view(carts.get(shopper))


@router.put("/cart/items/{sku}", responses=documented(400, 401, 404, 409, 503))
def put_cart_item(
    sku: Sku, body: ItemQuantity, shopper: CurrentShopper, carts: CartsService, to: To
) -> CartView:
    """Set how many of a SKU are in the cart; 0 takes it out."""
    return to.view(carts.put_item(shopper, sku, body.quantity))


@router.delete("/cart/items/{sku}", responses=documented(401, 503))
def delete_cart_item(sku: Sku, shopper: CurrentShopper, carts: CartsService, to: To) -> CartView:
    """Take a SKU out of the cart, whether it was in or not."""
    return to.view(carts.put_item(shopper, sku, 0))


@router.delete("/cart", responses=documented(401, 503))
def delete_cart(shopper: CurrentShopper, carts: CartsService, to: To) -> CartView:
    """Take everything out."""
    return to.view(carts.clear(shopper))


@router.put("/cart/saved/{sku}", responses=documented(401, 404, 409, 503))
def put_cart_saved(sku: Sku, shopper: CurrentShopper, carts: CartsService, to: To) -> CartView:
    """Save a line of the cart for later, or a SKU that was not in it. It comes back by setting
    its quantity in the cart."""
    return to.view(carts.save(shopper, sku))


@router.delete("/cart/saved/{sku}", responses=documented(401, 503))
def delete_cart_saved(sku: Sku, shopper: CurrentShopper, carts: CartsService, to: To) -> CartView:
    """Forget what was saved for later."""
    return to.view(carts.forget(shopper, sku))


@router.put("/cart/promotion", responses=documented(400, 401, 409, 503))
def put_cart_promotion(
    body: UsePromotion, shopper: CurrentShopper, carts: CartsService, to: To
) -> CartView:
    """Use a promotion code, in place of any other; 409 names why one gives nothing any more."""
    return to.view(carts.put_promotion(shopper, body.code))


@router.delete("/cart/promotion", responses=documented(401, 503))
def delete_cart_promotion(shopper: CurrentShopper, carts: CartsService, to: To) -> CartView:
    """Go without a promotion code."""
    return to.view(carts.remove_promotion(shopper))
