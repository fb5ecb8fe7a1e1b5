"""The shoppers that Locust plays, one request a step, so that think time and rate are exact.

Every request carries `X-Synthetic: 1`, so that no sale counts it, and a correlation id of the run.
No host here: the runner passes the edge's address.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, ClassVar
from urllib.parse import quote

from locust import FastHttpUser, task

from loadgen.catalogue import Catalogue
from loadgen.scenarios import Persona, Plan, correlation_prefix
from pipeline.runtime.clock import new_id

_ADDRESS = {
    "name": "Load Test",
    "line1": "1 Test Street",
    "city": "London",
    "postal_code": "N1 1AA",
    "country": "GB",
}
_CARDS = ("tok_visa",) * 9 + ("tok_declined",)
_CLICKS_AT_ONCE = 5
_TIMEOUT_S = 20.0


@dataclass
class World:
    """What the shoppers of one run share; `owners` and `emails` are for those who clean up."""

    run_id: str
    catalogue: Catalogue
    rng: random.Random
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
        self.is_known = False
        self.session = new_id()
        self.clicks: list[dict[str, Any]] = []
        self.steps = self.journey()

    def wait_time(self) -> float:
        return self.world.rng.uniform(*self.think_s)

    @task
    def step(self) -> None:
        next(self.steps)

    def journey(self) -> Iterator[None]:
        raise NotImplementedError

    def ask(
        self,
        method: str,
        path: str,
        route: str,
        *,
        allowed: tuple[int, ...] = (),
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Any:
        """The JSON answer, or None when the shop refused, as it may (`allowed`), or failed."""
        correlation_id = self.world.correlation_id()
        sent = {"X-Synthetic": "1", "X-Correlation-Id": correlation_id, **(headers or {})}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        context = {"correlation_id": correlation_id}
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
        body: dict[str, Any] = {
            "shipping_address": _ADDRESS,
            "shipping_method": "standard",
            "payment": {"card_token": rng.choice(_CARDS)},
        }
        if not self.token:
            body["email"] = f"load-{self.world.run_id.lower()}@load.test"
        keyed = {"Idempotency-Key": new_id()}
        placed = self.ask(
            "POST", "/api/checkout/orders", "/checkout/orders",
            json=body, headers=keyed, allowed=(409,),
        )  # fmt: skip
        if placed is None:
            return None
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


class Browser(Shopper):
    """Strolls through the categories."""

    def journey(self) -> Iterator[None]:
        catalogue, rng = self.world.catalogue, self.world.rng
        while True:
            self.list_goods("/catalog/products?featured", featured="true")
            yield
            found = self.list_goods(
                "/catalog/products?category", category=catalogue.category(rng), in_stock="true"
            )
            yield
            for product_id in rng.sample(found, min(2, len(found))):
                self.view(product_id)
                yield
            chosen = catalogue.product(rng)
            self.ask(
                "GET", f"/api/catalog/products/{chosen}/related", "/catalog/products/{id}/related"
            )
            yield
            yield from self.send_clicks()


class Searcher(Shopper):
    """Types, searches, looks closer."""

    def journey(self) -> Iterator[None]:
        catalogue, rng = self.world.catalogue, self.world.rng
        while True:
            typed = catalogue.term(rng)[:3]
            self.ask("GET", f"/api/catalog/suggest?q={quote(typed)}", "/catalog/suggest?q")
            yield
            found = self.search()
            yield
            for product_id in rng.sample(found, min(2, len(found))):
                self.view(product_id)
                yield
            yield from self.send_clicks()


class Buyer(Shopper):
    """A guest who finds a product and buys one of it."""

    def journey(self) -> Iterator[None]:
        catalogue, rng = self.world.catalogue, self.world.rng
        while True:
            self.search()
            yield
            skus = self.view(catalogue.product(rng))
            yield
            if skus:
                yield from self.buy(rng.choice(skus))
            yield from self.send_clicks()


class ReturningCustomer(Shopper):
    """Signs in once, with an account made for the run, and buys again and again."""

    password = "load-Test-2026!"

    def journey(self) -> Iterator[None]:
        catalogue, rng = self.world.catalogue, self.world.rng
        yield from self._sign_in()
        while True:
            skus = self.view(catalogue.product(rng))
            yield
            if skus:
                yield from self.buy(rng.choice(skus))
            self.ask("GET", "/api/checkout/orders?page_size=10", "/checkout/orders (own)")
            yield
            yield from self.send_clicks()
            if self.steps_left <= 0:
                yield from self._renew()
            self.steps_left -= 1

    def _sign_in(self) -> Iterator[None]:
        while not self.token:
            email = f"load-{self.world.run_id.lower()}-{len(self.world.emails)}@load.test"
            self.world.emails.append(email)
            account = {"email": email, "password": self.password, "name": "Load Test"}
            self.ask("POST", "/api/users/register", "/users/register", json=account)
            yield
            known = {"email": email, "password": self.password}
            self._use(self.ask("POST", "/api/users/login", "/users/login", json=known))
            yield

    def _renew(self) -> Iterator[None]:
        """An access token lasts 15 minutes; the cookie fetches another, as the storefront does."""
        self._use(self.ask("POST", "/api/users/refresh", "/users/refresh", allowed=(409,)))
        yield

    def _use(self, session: Any) -> None:
        if session:
            self.token = str(session["access_token"])
            self.steps_left = 12


CLASSES: dict[Persona, type[Shopper]] = {
    Persona.BROWSER: Browser,
    Persona.SEARCHER: Searcher,
    Persona.BUYER: Buyer,
    Persona.RETURNING: ReturningCustomer,
}


def personas(world: World, plan: Plan) -> list[type[Shopper]]:
    """A class per persona of the plan, bound to its run's world."""
    return [
        type(
            CLASSES[persona].__name__,
            (CLASSES[persona],),
            {"world": world, "think_s": plan.shape.think_s, "weight": weight},
        )
        for persona, weight in plan.shape.weights.items()
        if weight > 0
    ]


def pick(classes: list[type[Shopper]], rng: random.Random) -> type[Shopper]:
    """One class, by weight: for those who start shoppers without Locust's dispatcher."""
    return rng.choices(classes, [float(kind.weight) for kind in classes])[0]
