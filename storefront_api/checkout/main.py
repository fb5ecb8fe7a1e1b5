"""The checkout service: `uvicorn storefront_api.checkout.main:app`."""

from collections.abc import Callable

from fastapi import FastAPI

from pipeline.contracts import keys
from pipeline.runtime import aws, clock
from pipeline.runtime.dynamo import to_item
from pipeline.runtime.order_store import OrderStore
from storefront_api.app import create_app
from storefront_api.checkout.carts import Carts
from storefront_api.checkout.cookies import GuestCookies, key_from_secret
from storefront_api.checkout.orders import Orders
from storefront_api.checkout.router import router
from storefront_api.checkout.schemas import PlacedOrder
from storefront_api.checkout.store import CheckoutStore
from storefront_api.checkout.webhooks import router as webhooks
from storefront_api.settings import ServiceSettings


class CheckoutSettings(ServiceSettings):
    body_limit_bytes: int = 16_384  # the largest order body is 2 kB

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
        [router, webhooks],
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
        settings.currency,
        lambda order: PlacedOrder.of(order).model_dump_json(),
    )
    return app


app = build_app(CheckoutSettings())
