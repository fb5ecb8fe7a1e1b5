"""What every shopper that Locust plays can do: one request a step, so that its rate is exact.

Every request carries `X-Synthetic: 1`, so that no sale counts it, a correlation id of the run, and
the id of a trace, which the shop keeps or not as it does with anybody's.
No host here: the runner passes the edge's address.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, ClassVar
from urllib.parse import quote

from locust import FastHttpUser, task

from loadgen.catalogue import Catalogue
from loadgen.journal import Journal
from loadgen.orders import an_order
from loadgen.scenarios import correlation_prefix
from pipeline.runtime import trace_header
from pipeline.runtime.clock import new_id
from pipeline.runtime.trace_header import TraceHeader
from pipeline.runtime.tracing import new_trace_id

_CARDS = ("tok_visa",) * 9 + ("tok_declined",)
_CLICKS_AT_ONCE = 5
_TIMEOUT_S = 20.0


@dataclass
class World:
    """What the shoppers of one run share; `owners` and `emails` are for those who clean up, the
    journal is for those who ask whether the shop keeps its word."""

    run_id: str
    catalogue: Catalogue
    rng: random.Random
    journal: Journal
    numbers: Iterator[int] = field(default_factory=count)
    owners: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)

    def correlation_id(self) -> str:
        return f"{correlation_prefix(self.run_id)}{next(self.numbers)}"


class Shopper(FastHttpUser):
    """A visitor whose `journey` asks for one thing after the other, for ever."""

    abstract = True
    network_timeout = _TIMEOUT_S
    connection_timeout = _TIMEOUT_S
    world: ClassVar[World]
    think_s: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def on_start(self) -> None:
        self.token = ""
        self.renews_at = 0.0
        self.is_known = False
        self.session = new_id()
        self.clicks: list[dict[str, Any]] = []
        self.steps = self.journey()

    def wait_time(self) -> float:
        return self.world.rng.uniform(*self.think_s)

    @task
    def step(self) -> None:
        if self.token and time.monotonic() >= self.renews_at:
            self.renew()
        else:
            next(self.steps)

    def journey(self) -> Iterator[None]:
        raise NotImplementedError

    def renew(self) -> None:
        """One request for a new access token, however long the run and slow its steps."""
        raise NotImplementedError

    def ask(
        self,
        method: str,
        path: str,
        route: str,
        *,
        allowed: tuple[int, ...] = (),
        headers: dict[str, str] | None = None,
        correlation_id: str = "",
        **options: Any,
    ) -> Any:
        """The JSON answer, or None when the shop refused, as it may (`allowed`), or failed."""
        correlation_id = correlation_id or self.world.correlation_id()
        trace_id = new_trace_id()
        sent = {
            "X-Synthetic": "1",
            "X-Correlation-Id": correlation_id,
            trace_header.NAME: str(TraceHeader(trace_id)),
            **(headers or {}),
        }
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        context = {"correlation_id": correlation_id, "trace_id": trace_id}
        with self.client.request(
            method, path, name=route, headers=sent, context=context, catch_response=True, **options
        ) as answer:
            if answer.status_code in allowed:
                answer.success()
                name = f"{answer.status_code} {route}"
                self.world.refusals[name] = self.world.refusals.get(name, 0) + 1
                return None
            if not 200 <= answer.status_code < 300:
                answer.failure(f"{answer.status_code or answer.error}")
                return None
            try:
                return answer.json() if answer.content else {}
            except ValueError:
                answer.failure("the answer is not JSON")
                return None

    # What every persona can do. Each is one request.

    def list_goods(self, route: str, **query: str) -> list[str]:
        """Product ids of one page."""
        words = "&".join(f"{name}={quote(value)}" for name, value in query.items())
        body = self.ask("GET", f"/api/catalog/products?page_size=24&{words}", route)
        items = (body or {}).get("items", [])
        self.click("shopper.page_viewed.v1", path="/")
        return [str(item["product_id"]) for item in items]

    def search(self) -> list[str]:
        term = self.world.catalogue.term(self.world.rng)
        found = self.list_goods("/catalog/products?q", q=term)
        self.click("shopper.searched.v1", query=term, results_count=len(found))
        return found

    def view(self, product_id: str) -> list[str]:
        """SKUs of a product that can be bought."""
        body = self.ask("GET", f"/api/catalog/products/{product_id}", "/catalog/products/{id}")
        self.click("shopper.product_viewed.v1", product_id=product_id)
        variants = (body or {}).get("variants", [])
        return [str(variant["sku"]) for variant in variants if variant["available"] > 0]

    def put(self, sku: str) -> bool:
        route = "/checkout/cart/items/{sku}"
        path = f"/api/checkout/cart/items/{quote(sku)}"
        body = self.ask("PUT", path, route, json={"quantity": 1}, allowed=(409,))
        self.click("shopper.cart_changed.v1", sku=sku)
        self._remember()
        return body is not None

    def order(self) -> str | None:
        """The order's id; None when somebody else was faster, or it failed."""
        rng = self.world.rng
        guest = {} if self.token else {"email": f"load-{self.world.run_id.lower()}@load.test"}
        body = an_order(rng.choice(_CARDS), **guest)
        keyed, correlation_id = {"Idempotency-Key": new_id()}, self.world.correlation_id()
        placed = self.ask(
            "POST", "/api/checkout/orders", "/checkout/orders",
            json=body, headers=keyed, allowed=(409,), correlation_id=correlation_id,
        )  # fmt: skip
        if placed is None:
            return None
        self.world.journal.note(placed["order_id"], placed["total"], correlation_id)
        self.click("shopper.order_completed.v1", order_id=placed["order_id"])
        return str(placed["order_id"])

    def buy(self, sku: str) -> Iterator[None]:
        """From the cart to the order's page."""
        if not self.put(sku):
            yield
            return
        yield
        self.ask("GET", "/api/checkout/cart", "/checkout/cart")
        self.click("shopper.checkout_started.v1")
        yield
        order_id = self.order()
        yield
        if order_id:
            self.ask("GET", f"/api/checkout/orders/{order_id}", "/checkout/orders/{id}")
        else:  # or what is gone would spoil the next order, too
            self.ask("DELETE", "/api/checkout/cart", "/checkout/cart")
        yield

    def click(self, event_type: str, **payload: Any) -> None:
        """Noted as the storefront does; sent with others by `send_clicks`."""
        event = {"event_type": event_type, "session_id": self.session, "payload": payload}
        self.clicks.append(event)

    def send_clicks(self) -> Iterator[None]:
        """One request with the clicks so far, when there are enough."""
        if len(self.clicks) >= _CLICKS_AT_ONCE:
            events, self.clicks = self.clicks, []
            self.ask("POST", "/api/analytics/events", "/analytics/events", json={"events": events})
            yield

    def _remember(self) -> None:
        """Whose cart it is, once: the guest's id is the head of the signed cookie."""
        if self.is_known or self.token:
            return
        for cookie in self.client.cookiejar:
            if cookie.name == "has_cart" and cookie.value:
                self.world.owners.append(f"guest:{cookie.value.split('.')[0]}")
                self.is_known = True
