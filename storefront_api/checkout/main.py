"""The checkout service: `uvicorn storefront_api.checkout.main:app`."""

from collections.abc import Callable
from datetime import timedelta

from fastapi import FastAPI
from pydantic import Field

from pipeline.contracts import keys
from pipeline.runtime import aws, clock
from pipeline.runtime.dynamo import to_item
from pipeline.runtime.order_store import OrderStore
from storefront_api.app import create_app
from storefront_api.checkout import cart_router, order_router, promotion_router
from storefront_api.checkout.agreement import Agreement
from storefront_api.checkout.carts import Carts
from storefront_api.checkout.cookies import GuestCookies, key_from_secret
from storefront_api.checkout.order_views import PlacedOrder
from storefront_api.checkout.orders import Orders
from storefront_api.checkout.promotion_store import PromotionStore
from storefront_api.checkout.promotions import Promotions
from storefront_api.checkout.store import CheckoutStore
from storefront_api.checkout.webhooks import router as webhooks
from storefront_api.settings import ServiceSettings


class CheckoutSettings(ServiceSettings):
    body_limit_bytes: int = 16_384  # the largest order body is 2 kB
    # How long an order holds its goods without a payment. The queue `expiry` delivers once after
    # 900 s, and what comes back waits 900 s at most, four times: then it is a dead letter.
    payment_window_s: int = Field(default=900, ge=1, le=4_500)

    @property
    def is_cookie_secure(self) -> bool:
        """A laptop has no TLS."""
        return self.stage != "local"


def build_app(settings: CheckoutSettings) -> FastAPI:
    names = settings.names
    store = CheckoutStore(names)
    key = key_from_secret(names)

    def reads(table: str, row: keys.Key) -> Callable[[], None]:
        def check() -> None:
            aws.client("dynamodb").get_item(TableName=names.table(table), Key=to_item(row))

        return check

    def check_key() -> None:
        key()

    app = create_app(
        "checkout",
        "Checkout",
        settings,
        [cart_router.router, order_router.router, promotion_router.router, webhooks],
        checks={
            "orders": reads("orders", keys.order("NONE")),
            "products": reads("products", keys.stock("NONE")),
            "cart-signing": check_key,
        },
    )
    app.state.guest_cookies = GuestCookies(key, settings.is_cookie_secure)
    app.state.carts = Carts(store, clock.now, settings.currency)
    app.state.orders = Orders(
        store,
        OrderStore(names),
        clock.now,
        clock.new_id,
        Agreement(store, clock.now, settings.currency),
        lambda order: PlacedOrder.of(order).model_dump_json(),
        timedelta(seconds=settings.payment_window_s),
    )
    app.state.promotions = Promotions(PromotionStore(names), clock.now, clock.new_id)
    return app


app = build_app(CheckoutSettings())
