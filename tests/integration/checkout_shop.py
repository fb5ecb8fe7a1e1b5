"""Shoppers and goods for the tests of the checkout."""

import json
import time
from typing import Any
from uuid import uuid4

import httpx
import jwt

from pipeline.contracts import keys

ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}
SYNTHETIC = {"X-Synthetic": "1"}


def an_order(**changes: Any) -> dict[str, Any]:
    """A body of POST /orders that is right, but for `changes`."""
    return {
        "email": "ada@shop.test",
        "shipping_address": ADDRESS,
        "shipping_method": "standard",
        "payment": {"card_token": "tok_visa"},
        **changes,
    }


def put_on_sale(stack: Any, units: int, price_minor: int = 1999, **changes: Any) -> str:
    """A product with one SKU; returns the SKU. Off the catalogue's lists, to disturb nobody."""
    sku = f"CHK-{uuid4().hex[:10]}"
    product_id = f"product-{sku}"
    shown = {"title": f"Kettle {sku}", "category": ["Home", "Kitchen", "Kettles"]}
    products = stack.table("products")
    products.put_item(
        Item={
            **keys.product(product_id), **shown, "product_id": product_id, "status": "active",
            "version": 1, "price_minor": price_minor, "currency": "GBP",
        }
    )  # fmt: skip
    products.put_item(
        Item={
            **keys.stock(sku), **shown, "product_id": product_id, "sku": sku, "position": 1,
            "options": {"colour": "red"}, "image_url": "/kettle.webp", "price_minor": price_minor,
            "currency": "GBP", "received": units, "available": units, "held": 0, "sold": 0,
            **changes,
        }
    )  # fmt: skip
    return sku


def audit_of(stack: Any, target: str) -> list[dict[str, Any]]:
    """Audit entries about a target, oldest first."""
    return [entry for entry in stack.audit() if entry["target"] == target]


def stock_of(stack: Any, sku: str) -> dict[str, int]:
    row = stack.table("products").get_item(Key=keys.stock(sku), ConsistentRead=True)["Item"]
    return {name: int(row[name]) for name in ("received", "available", "held", "sold")}


def set_price(stack: Any, sku: str, price_minor: int) -> None:
    stack.table("products").update_item(
        Key=keys.stock(sku),
        UpdateExpression="SET price_minor = :p",
        ExpressionAttributeValues={":p": price_minor},
    )


def archive(stack: Any, sku: str) -> None:
    """As the catalogue does, but keeps the stock, as if a cancelled order had brought it back."""
    stack.table("products").update_item(
        Key=keys.stock(sku),
        UpdateExpression="SET #s = :archived",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":archived": "archived"},
    )


def bearer(stack: Any, user_id: str, role: str = "shopper") -> dict[str, str]:
    """A header with a token as the users service signs it."""
    name = stack.names.secret("token-signing")
    secret = json.loads(stack.aws("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    now = int(time.time())
    claims = {
        "sub": user_id, "role": role, "iat": now, "exp": now + 900,
        "iss": f"has-{stack.at.stage}", "aud": f"has-{stack.at.stage}-shop",
    }  # fmt: skip
    token = jwt.encode(
        claims, secret["private_pem"], algorithm="RS256", headers={"kid": secret["kid"]}
    )
    return {"Authorization": f"Bearer {token}"}


class Browser:
    """One shopper's browser at the edge, with its own cookies; `headers` go with every request."""

    def __init__(self, stack: Any, headers: dict[str, str] | None = None) -> None:
        self._client = httpx.Client(
            base_url=f"{stack.edge_url}/api/checkout",
            timeout=20,
            trust_env=False,
            verify=False,  # plain HTTP: no certificates to read
            headers=SYNTHETIC | (headers or {}),
        )

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def sign_in(self, headers: dict[str, str]) -> None:
        self._client.headers.update(headers)

    def sign_out(self) -> None:
        del self._client.headers["Authorization"]

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._client.request(method, path, **options)

    def cart(self, **query: str) -> dict[str, Any]:
        answer = self._client.get("/cart", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, sku: str, quantity: Any) -> httpx.Response:
        return self._client.put(f"/cart/items/{sku}", json={"quantity": quantity})

    def order(self, key: str | None = None, **changes: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key or uuid4().hex}
        return self._client.post("/orders", json=an_order(**changes), headers=headers)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._client.get(path, **options)

    def cancel(self, order_id: str) -> httpx.Response:
        return self._client.post(f"/orders/{order_id}/cancel")


def assert_problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == status
    assert problem["correlation_id"] == answer.headers["x-correlation-id"]
    return problem
