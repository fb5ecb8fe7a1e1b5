"""The personas of a load run: what each kind of shopper does, one step after the other."""

import random
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from loadgen.scenarios import Persona, Plan
from loadgen.shopper import Shopper, World

# A token is renewed in the last fifth of its life: it must not end while a request is under way.
_LIFE_USED = 0.8


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
    email = ""
    may_refresh = False

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

    def _sign_in(self) -> Iterator[None]:
        while not self.token:
            self.email = f"load-{self.world.run_id.lower()}-{len(self.world.emails)}@load.test"
            self.world.emails.append(self.email)
            account = {"email": self.email, "password": self.password, "name": "Load Test"}
            self.ask("POST", "/api/users/register", "/users/register", json=account)
            yield
            self._login()
            yield

    def _login(self) -> None:
        known = {"email": self.email, "password": self.password}
        self._use(self.ask("POST", "/api/users/login", "/users/login", json=known))

    def renew(self) -> None:
        """The cookie fetches another token, as the storefront does; else the password does."""
        if self.may_refresh:
            self.may_refresh = False
            self._use(self.ask("POST", "/api/users/refresh", "/users/refresh", allowed=(409,)))
        else:
            self._login()

    def _use(self, session: Any) -> None:
        if session:
            self.token, self.may_refresh = str(session["access_token"]), True
            self.renews_at = time.monotonic() + _LIFE_USED * float(session["expires_in"])


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
