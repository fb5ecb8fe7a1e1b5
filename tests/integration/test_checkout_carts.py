"""The cart, through the edge: guests, users, merging, limits and bad input."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from checkout_shop import (
    ADDRESS,
    Browser,
    an_order,
    archive,
    assert_problem,
    bearer,
    put_on_sale,
    set_price,
    stock_of,
)

from pipeline.contracts import keys


@pytest.fixture
def guest(stack: Any) -> Iterator[Browser]:
    with Browser(stack) as browser:
        yield browser


def quantities(cart: dict[str, Any]) -> dict[str, int]:
    return {item["sku"]: item["quantity"] for item in cart["items"]}


def test_a_cart_remembers_changes_and_forgets_what_is_taken_out(stack: Any, guest: Browser) -> None:
    sku, other = put_on_sale(stack, 9), put_on_sale(stack, 9)
    guest.put(sku, 2)
    changed = guest.put(other, 1).json()
    assert quantities(changed) == {sku: 2, other: 1}
    assert (changed["item_count"], changed["next_cursor"]) == (3, None)
    assert quantities(guest.put(sku, 5).json()) == {sku: 5, other: 1}
    assert quantities(guest.put(other, 0).json()) == {sku: 5}
    assert guest.put(other, 0).status_code == 200
    assert quantities(guest.request("DELETE", f"/cart/items/{sku}").json()) == {}
    guest.put(sku, 1)
    assert guest.request("DELETE", "/cart").json()["items"] == []
    assert guest.cart()["items"] == []


def test_looking_sets_no_cookie_and_the_first_change_sets_a_safe_one(
    stack: Any, guest: Browser
) -> None:
    guest.cart()
    assert "has_cart" not in guest.cookies
    cookie = guest.put(put_on_sale(stack, 1), 1).headers["set-cookie"]
    for part in ("has_cart=", "HttpOnly", "SameSite=lax", "Path=/api", f"Max-Age={30 * 86_400}"):
        assert part in cookie


def test_a_forged_cookie_is_ignored_and_replaced(stack: Any, guest: Browser) -> None:
    guest.put(put_on_sale(stack, 1), 1)
    value = guest.cookies["has_cart"]
    guest_id, rest = value.split(".", 1)
    other = "Y" if guest_id.endswith("X") else "X"
    for forged in (f"{guest_id[:-1]}{other}.{rest}", guest_id, "x", "é" * 3, value[:-1], ""):
        with Browser(stack) as thief:
            header = {"Cookie": f"has_cart={forged}".encode()}
            answer = thief.get("/cart", headers=header)
            assert (answer.status_code, answer.json()["items"]) == (200, [])
            if forged:
                assert value not in answer.headers["set-cookie"]


def test_signing_in_brings_the_guests_cart_along_once(stack: Any, guest: Browser) -> None:
    both, only = put_on_sale(stack, 500), put_on_sale(stack, 500)
    bought = put_on_sale(stack, 1)
    guest.put(bought, 1)
    order_id = guest.order().json()["order_id"]
    user = bearer(stack, f"user-{uuid4().hex}")
    with Browser(stack, user) as elsewhere:
        elsewhere.put(both, 60)
    guest.put(both, 50)
    guest.put(only, 2)
    guest.sign_in(user)
    for _ in range(3):
        assert quantities(guest.cart()) == {both: 99, only: 2}
    assert guest.get(f"/orders/{order_id}").status_code == 200
    assert guest.order(email=None).status_code == 201
    assert guest.cart()["items"] == []
    guest_id = guest.cookies["has_cart"].split(".")[0]
    assert "Item" not in stack.table("orders").get_item(Key=keys.cart(f"guest:{guest_id}"))


def test_ordering_straight_after_signing_in_orders_what_the_guest_had_seen(
    stack: Any, guest: Browser
) -> None:
    sku = put_on_sale(stack, 5)
    guest.put(sku, 2)
    total = guest.cart()["quote"]["total"]
    guest.sign_in(bearer(stack, f"user-{uuid4().hex}"))
    placed = guest.order(expected_total=total)
    assert placed.status_code == 201, placed.text
    assert placed.json()["item_count"] == 2


def test_an_order_refused_straight_after_signing_in_leaves_both_carts_as_one(
    stack: Any, guest: Browser
) -> None:
    scarce, sku = put_on_sale(stack, 3), put_on_sale(stack, 9)
    user = bearer(stack, f"user-{uuid4().hex}")
    with Browser(stack, user) as earlier:
        earlier.put(scarce, 2)
    guest.put(scarce, 2)
    guest.put(sku, 1)
    set_price(stack, sku, 2500)  # the refusal writes the new price into the cart
    guest.sign_in(user)
    # Two and two are more than there are, which only the table knows.
    problem = assert_problem(guest.order(), 409, "out-of-stock")
    assert [(line["sku"], line["requested"]) for line in problem["lines"]] == [(scarce, 4)]
    for _ in range(2):
        assert quantities(guest.cart()) == {scarce: 4, sku: 1}
    assert stock_of(stack, sku)["available"] == 9
    guest.put(scarce, 3)
    assert guest.order().status_code == 201


def test_another_total_straight_after_signing_in_is_told_of_both_carts_together(
    stack: Any, guest: Browser
) -> None:
    sku, other = put_on_sale(stack, 9, 1000), put_on_sale(stack, 9, 500)
    user = bearer(stack, f"user-{uuid4().hex}")
    with Browser(stack, user) as earlier:
        earlier.put(other, 2)
    guest.put(sku, 1)
    seen = guest.cart()["quote"]["total"]  # of the guest's goods alone
    set_price(stack, other, 600)
    guest.sign_in(user)
    problem = assert_problem(guest.order(expected_total=seen), 409, "price-changed")
    assert quantities(guest.cart()) == {sku: 1, other: 2}
    assert guest.cart()["quote"]["total"] == problem["actual"]
    assert guest.order(expected_total=problem["actual"]).status_code == 201
    assert stock_of(stack, other)["available"] == 7


def test_a_cart_takes_no_more_than_there_is(stack: Any, guest: Browser) -> None:
    sku, archived = put_on_sale(stack, 3), put_on_sale(stack, 3)
    problem = assert_problem(guest.put(sku, 4), 409, "out-of-stock")
    assert problem["lines"] == [{"sku": sku, "requested": 4, "available": 3}]
    archive(stack, archived)
    problem = assert_problem(guest.put(archived, 1), 409, "out-of-stock")
    assert problem["lines"] == [{"sku": archived, "requested": 1, "available": 0}]
    problem = assert_problem(guest.put("NO-SUCH-SKU", 1), 404, "not-found")
    assert problem["sku"] == "NO-SUCH-SKU"
    assert guest.cart()["items"] == []


def test_the_fifty_first_article_is_refused_and_fifty_are_sold_at_once(
    stack: Any, guest: Browser
) -> None:
    skus = [put_on_sale(stack, 2) for _ in range(51)]
    for sku in skus[:50]:
        assert guest.put(sku, 1).status_code == 200
    assert_problem(guest.put(skus[50], 1), 409, "cart-full")
    assert guest.put(skus[0], 2).status_code == 200
    placed = guest.order()
    assert placed.status_code == 201, placed.text
    assert placed.json()["item_count"] == 51
    assert {stock_of(stack, sku)["available"] for sku in skus[1:50]} == {1}


def test_a_line_is_saved_for_later_outlives_an_order_and_comes_back(
    stack: Any, guest: Browser
) -> None:
    later, now = put_on_sale(stack, 9), put_on_sale(stack, 9)
    guest.put(later, 3)
    guest.put(now, 1)
    for _ in range(2):
        shown = guest.request("PUT", f"/cart/saved/{later}").json()
        assert (quantities(shown), shown["item_count"]) == ({now: 1}, 1)
        assert {item["sku"]: item["quantity"] for item in shown["saved"]} == {later: 3}
    placed = guest.order(expected_total=shown["quote"]["total"])
    assert placed.status_code == 201, placed.text
    assert stock_of(stack, later)["available"] == 9
    assert [item["sku"] for item in guest.cart()["saved"]] == [later]
    back = guest.put(later, 3).json()
    assert (quantities(back), back["saved"]) == ({later: 3}, [])
    assert_problem(guest.request("PUT", "/cart/saved/NO-SUCH-SKU"), 404, "not-found")


def test_what_a_guest_saved_comes_along_and_is_forgotten_on_request(
    stack: Any, guest: Browser
) -> None:
    saved, other, both = (put_on_sale(stack, 9) for _ in range(3))
    user = bearer(stack, f"user-{uuid4().hex}")
    with Browser(stack, user) as elsewhere:
        elsewhere.put(both, 1)
        elsewhere.request("PUT", f"/cart/saved/{other}")
    for sku in (saved, both):
        assert guest.request("PUT", f"/cart/saved/{sku}").status_code == 200
    guest.sign_in(user)
    cart = guest.cart()
    assert quantities(cart) == {both: 1}
    assert {item["sku"] for item in cart["saved"]} == {saved, other}
    for _ in range(2):
        cart = guest.request("DELETE", f"/cart/saved/{saved}").json()
        assert [item["sku"] for item in cart["saved"]] == [other]
    guest.request("DELETE", "/cart")
    assert [item["sku"] for item in guest.cart()["saved"]] == [other]


JSON = {"Content-Type": "application/json"}
KEY = {"Idempotency-Key": "bad-input"}
BAD_QUANTITIES: list[tuple[str, str]] = [
    (value, "quantity")
    for value in ("-1", "100", "1.0", "1.5", '"1"', "true", "null", "[]", "1e3", "9" * 400, "NaN")
]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *((f'{{"quantity": {value}}}', field) for value, field in BAD_QUANTITIES),
        ("{}", "quantity"),
        ("", "body"),
        ("[1]", "body"),
        ("not json", "body"),
        ('{"quantity": 1, "price": 1}', "price"),
        ('{"quantity": 1, "\\ud800": 1}', ""),
        ('{"quantity": ' + "[" * 5_000 + "]" * 5_000 + "}", ""),
    ],
)
def test_a_wrong_quantity_is_refused_by_name(
    stack: Any, guest: Browser, body: str, field: str
) -> None:
    sku = put_on_sale(stack, 500)
    answer = guest.request("PUT", f"/cart/items/{sku}", content=body, headers=JSON)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert any(field in error["field"] for error in answer.json()["errors"]), answer.text
    assert guest.cart()["items"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/cart/items/%7F", 422),
        ("/cart/items/" + "x" * 129, 422),
        ("/cart/items/%F0%9F%AB%96", 404),
        ("/cart/items/%ff%fe", 404),
        ("/cart/items/a%2Fb", 404),
        ("/cart/items/..%2f..%2fSKU", 404),
    ],
)
def test_a_strange_sku_is_refused_without_harm(guest: Browser, path: str, status: int) -> None:
    answer = guest.request("PUT", path, json={"quantity": 1})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def address(**changes: Any) -> dict[str, Any]:
    return {"shipping_address": {**ADDRESS, **changes}}


WRONG_ORDERS: list[tuple[dict[str, Any], str]] = [
    ({"email": None}, "email"),
    ({"email": ""}, "email"),
    ({"email": "nobody"}, "email"),
    ({"email": 5}, "email"),
    ({"email": "a" * 250 + "@x.io"}, "email"),
    ({"email": "a@b.io\r\nBcc: eve@b.io"}, "email"),
    ({"shipping_address": None}, "shipping_address"),
    ({"shipping_address": "12 Road"}, "shipping_address"),
    (address(country="XX"), "shipping_address.country"),
    (address(country="gb"), "shipping_address.country"),
    (address(country="GBR"), "shipping_address.country"),
    (address(country=44), "shipping_address.country"),
    (address(name="   "), "shipping_address.name"),
    (address(name="x" * 121), "shipping_address.name"),
    (address(name="\ud800"), "shipping_address.name"),
    (address(line1="a\nb"), "shipping_address.line1"),
    (address(line1=None), "shipping_address.line1"),
    (address(city=[]), "shipping_address.city"),
    (address(postal_code=1234), "shipping_address.postal_code"),
    (address(door="blue"), "shipping_address.door"),
    ({"shipping_method": "drone"}, "shipping_method"),
    ({"payment": {"card_token": "tok_gold"}}, "payment.card_token"),
    ({"payment": {"card_token": "4111111111111111"}}, "payment.card_token"),
    ({"payment": {}}, "payment.card_token"),
    ({"payment": None}, "payment"),
    ({"expected_total": 100}, "expected_total"),
    ({"expected_total": {"amount_minor": 1.5, "currency": "GBP"}}, "expected_total.amount_minor"),
    ({"expected_total": {"amount_minor": 10**30, "currency": "GBP"}}, "expected_total"),
    ({"expected_total": {"amount_minor": 100, "currency": "EUR"}}, "expected_total.currency"),
    ({"discount": 100}, "discount"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG_ORDERS, ids=range(len(WRONG_ORDERS)))
def test_a_wrong_order_is_refused_by_name_and_sells_nothing(
    guest: Browser, filled: str, stack: Any, changes: dict[str, Any], field: str
) -> None:
    guest.put(filled, 1)
    body = json.dumps(an_order(**changes))  # ASCII: half a character travels as an escape
    answer = guest.request("POST", "/orders", content=body, headers=KEY | JSON)
    problem = assert_problem(answer, 422, "unprocessable")
    assert any(error["field"].startswith(field) for error in problem["errors"]), problem
    assert stock_of(stack, filled)["available"] == 1
    assert quantities(guest.cart()) == {filled: 1}
    assert guest.get("/orders").json()["items"] == []


@pytest.fixture(scope="module")
def filled(stack: Any) -> str:
    return put_on_sale(stack, 1)


@pytest.mark.parametrize("key", [None, "", "a b", "é".encode(), "x" * 129, "a/b", "{}"])
def test_an_order_needs_a_sane_idempotency_key(guest: Browser, key: Any) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    problem = assert_problem(
        guest.request("POST", "/orders", json=an_order(), headers=headers), 400, "bad-request"
    )
    assert problem["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "field"),
    [
        ("POST", "/orders", {"content": b"", "headers": KEY | JSON}, 422, "body"),
        ("POST", "/orders", {"content": b"{", "headers": KEY | JSON}, 400, "body"),
        ("POST", "/orders", {"content": b"\xff\xfe", "headers": KEY | JSON}, 400, "body"),
        ("POST", "/orders", {"content": b"x=1", "headers": KEY}, 422, "body"),
        ("POST", "/orders", {"content": b'"' + b"x" * 20_000, "headers": KEY | JSON}, 413, "body"),
        ("GET", "/cart?country=XX", {}, 422, "country"),
        ("GET", "/cart?shipping_method=drone", {}, 422, "shipping_method"),
        ("GET", "/orders?page_size=0", {}, 422, "page_size"),
        ("GET", "/orders?page_size=51", {}, 422, "page_size"),
        ("GET", "/orders?page_size=x", {}, 422, "page_size"),
        ("GET", "/orders?cursor=nonsense", {}, 422, "cursor"),
        ("GET", "/orders?cursor=WzEsMl0", {}, 422, "cursor"),
        ("GET", "/orders?cursor=%F0%9F%AB%96", {}, 422, "cursor"),
        ("GET", "/orders/%7F", {}, 422, "order_id"),
        ("POST", "/orders/" + "x" * 65 + "/cancel", {}, 422, "order_id"),
        ("GET", "/orders/nobody", {}, 404, None),
        ("POST", "/orders/nobody/cancel", {}, 404, None),
        ("POST", "/orders", {"json": an_order(), "headers": KEY}, 409, None),
        ("GET", "/cart", {"headers": {"Authorization": "Bearer forged"}}, 401, None),
        ("GET", "/cart", {"headers": {"Authorization": "Basic YTpi"}}, 401, None),
        ("PATCH", "/cart", {}, 405, None),
    ],
)
def test_wrong_requests_get_a_problem_that_names_the_field(
    guest: Browser, method: str, path: str, options: dict[str, Any], status: int, field: str | None
) -> None:
    answer = guest.request(method, path, **options)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if field:
        assert field in {error["field"] for error in answer.json()["errors"]}, answer.text
