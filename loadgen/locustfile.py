"""The shoppers that Locust plays. Every request is marked synthetic, so no sale counts them.

No host here: the runner passes the edge's address. The seed makes a run repeatable.
"""

import os
import random
from typing import Any

from locust import FastHttpUser, between, task

from loadgen.scenarios import SHAPES, Scenario
from pipeline.runtime.clock import new_id

SHAPE = SHAPES[Scenario(os.environ.get("HAS_LOAD_SCENARIO", Scenario.NORMAL))]
RNG = random.Random(int(os.environ.get("HAS_LOAD_SEED", "1")))
TERMS = ("dress", "boots", "earrings", "jacket", "hat", "ring", "shorts", "backpack", "sweater")
ADDRESS = {
    "name": "Load Test",
    "line1": "1 Test Street",
    "city": "London",
    "postal_code": "N1 1AA",
    "country": "GB",
}


class Shopper(FastHttpUser):
    """What every persona can do; think time makes the load a closed one."""

    abstract = True
    wait_time = between(*SHAPE.think_s)
    default_headers = {"X-Synthetic": "1"}  # noqa: RUF012 - Locust declares it so

    def on_start(self) -> None:
        self.products: list[str] = []

    def search(self) -> None:
        with self.client.get(
            f"/api/catalog/products?q={RNG.choice(TERMS)}&in_stock=true",
            name="/catalog/products?q",
            catch_response=True,
        ) as answer:
            body = answer.json() if answer.status_code == 200 else None
            if body is None or "items" not in body:
                answer.failure("no list of products")
                return
            self.products = [item["product_id"] for item in body["items"]] or self.products

    def view(self) -> list[dict[str, Any]]:
        """Open a product; its variants that can be bought."""
        if not self.products:
            self.search()
        if not self.products:
            return []
        answer = self.client.get(
            f"/api/catalog/products/{RNG.choice(self.products)}", name="/catalog/products/{id}"
        )
        variants = answer.json()["variants"] if answer.status_code == 200 else []
        return [variant for variant in variants if variant["available"] > 5]


class Browser(Shopper):
    weight = round(100 * (1 - SHAPE.buyer_share))

    @task(3)
    def look_around(self) -> None:
        self.search()

    @task(5)
    def look_closer(self) -> None:
        self.view()


class Buyer(Shopper):
    weight = round(100 * SHAPE.buyer_share)

    @task
    def buy(self) -> None:
        variants = self.view()
        if not variants:
            return
        sku = RNG.choice(variants)["sku"]
        self.client.put(
            f"/api/checkout/cart/items/{sku}",
            json={"quantity": 1},
            name="/checkout/cart/items/{sku}",
        )
        with self.client.post(
            "/api/checkout/orders",
            json={
                "email": "load@example.com",
                "shipping_address": ADDRESS,
                "shipping_method": "standard",
                "payment": {"card_token": "tok_visa"},
            },
            headers={**self.default_headers, "Idempotency-Key": new_id()},
            name="/checkout/orders",
            catch_response=True,
        ) as answer:
            # Another shopper was faster: the shop is right to refuse.
            if answer.status_code == 409:
                answer.success()
