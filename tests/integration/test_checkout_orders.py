"""Buying, through the edge, against DynamoDB: what a shopper and the stock can rely on."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from uuid import uuid4

import httpx
import pytest
from checkout_shop import (
    SYNTHETIC,
    Browser,
    an_order,
    archive,
    assert_problem,
    bearer,
    put_on_sale,
    set_price,
    stock_of,
)

from loadgen.oversell import race
from pipeline.contracts import keys
from pipeline.contracts.events import OrderFact
from pipeline.runtime.dynamo import from_item, to_item


@pytest.fixture
def guest(stack: Any) -> Iterator[Browser]:
    with Browser(stack) as browser:
        yield browser


def row_of(stack: Any, order_id: str) -> dict[str, Any]:
    found = stack.table("orders").get_item(Key=keys.order(order_id), ConsistentRead=True)
    return from_item(to_item(found["Item"]))


def assert_conserved(stock: dict[str, int]) -> None:
    assert stock["received"] == stock["available"] + stock["held"] + stock["sold"], stock
    assert min(stock.values()) >= 0, stock


def test_a_guest_buys_and_follows_the_order_that_the_events_are_made_of(
    stack: Any, guest: Browser
) -> None:
    sku, other = put_on_sale(stack, 5, 1999), put_on_sale(stack, 5, 250)
    assert guest.put(sku, 2).status_code == guest.put(other, 1).status_code == 200
    price = guest.cart(country="GB", shipping_method="express")["quote"]
    amounts = {name: price[name]["amount_minor"] for name in ("subtotal", "shipping", "tax")}
    assert amounts == {"subtotal": 4248, "shipping": 799, "tax": 1009}  # 20 % of 5047 is 1009.4

    placed = guest.order(shipping_method="express", expected_total=price["total"])

    assert placed.status_code == 201, placed.text
    answer = placed.json()
    order_id = answer["order_id"]
    assert placed.headers["location"] == f"/api/checkout/orders/{order_id}"
    assert (answer["status"], answer["total"]) == ("placed", price["total"])
    assert guest.cart()["items"] == []
    seen = guest.get(f"/orders/{order_id}")
    assert {line["sku"]: line["quantity"] for line in seen.json()["lines"]} == {sku: 2, other: 1}
    assert seen.json()["timeline"][0]["status"] == "placed"
    row = row_of(stack, order_id)
    fact = OrderFact.model_validate(row)
    assert sum(line.line_total_minor for line in fact.lines) == fact.subtotal_minor
    assert {line.category for line in fact.lines} == {"Kitchen"}
    assert (fact.country, fact.customer_id) == ("United Kingdom", None)
    assert (row["synthetic"], row["listing"]) == (True, keys.order_listing(True))
    assert row["correlation_id"] == placed.headers["x-correlation-id"]
    assert [order["order_id"] for order in guest.get("/orders").json()["items"]] == [order_id]
    assert_conserved(stock_of(stack, sku))
    assert stock_of(stack, sku)["available"] == 3


def test_an_order_is_read_again_only_when_it_has_changed(stack: Any, guest: Browser) -> None:
    guest.put(put_on_sale(stack, 1), 1)
    order_id = guest.order().json()["order_id"]
    guest.cancel(order_id)  # so that no worker moves it meanwhile
    first = guest.get(f"/orders/{order_id}")
    assert first.headers["cache-control"] == "private, no-cache"
    again = guest.get(f"/orders/{order_id}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    stale = guest.get(f"/orders/{order_id}", headers={"If-None-Match": '"1"'})
    assert stale.status_code == 200


def test_another_shoppers_order_is_not_there_except_for_operators(
    stack: Any, guest: Browser
) -> None:
    guest.put(put_on_sale(stack, 1), 1)
    order_id = guest.order().json()["order_id"]
    for headers in ({}, bearer(stack, "somebody-else"), bearer(stack, "nobody", "analyst")):
        with Browser(stack, headers) as stranger:
            assert_problem(stranger.get(f"/orders/{order_id}"), 404, "not-found")
            assert_problem(stranger.cancel(order_id), 404, "not-found")
    with Browser(stack, bearer(stack, "operator-1", "operator")) as operator:
        assert operator.get(f"/orders/{order_id}").json()["order_id"] == order_id
        assert_problem(operator.cancel(order_id), 404, "not-found")
    assert guest.get(f"/orders/{order_id}").json()["status"] != "cancelled"


def test_a_user_needs_no_email_and_finds_the_order_in_any_browser(stack: Any) -> None:
    signed_in = bearer(stack, f"user-{uuid4().hex}")
    with Browser(stack, signed_in) as first, Browser(stack, signed_in) as second:
        first.put(put_on_sale(stack, 1), 1)
        placed = first.order(email=None)
        assert placed.status_code == 201, placed.text
        order = second.get(f"/orders/{placed.json()['order_id']}").json()
        assert (order["email"], order["can_cancel"]) == (None, True)
        assert "has_cart" not in second.cookies


def test_orders_are_listed_newest_first_without_skips_or_repeats(
    stack: Any, guest: Browser
) -> None:
    sku = put_on_sale(stack, 5)
    placed = []
    for _ in range(5):
        guest.put(sku, 1)
        placed.append(guest.order().json()["order_id"])
    listed: list[str] = []
    query: dict[str, Any] = {"page_size": 2}
    for _ in range(3):
        page = guest.get("/orders", params=query).json()
        listed += [order["order_id"] for order in page["items"]]
        query["cursor"] = page["next_cursor"]
    assert listed == placed[::-1]
    assert query["cursor"] is None


def test_fifty_posts_of_one_key_make_one_order(stack: Any, guest: Browser) -> None:
    sku = put_on_sale(stack, 60)
    guest.put(sku, 1)
    key = uuid4().hex
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: guest.order(key), range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert sum("idempotent-replay" not in answer.headers for answer in answers) == 1
    assert stock_of(stack, sku)["available"] == 59
    guest.put(sku, 1)
    other_body = guest.order(key, email="eve@shop.test")
    problem = assert_problem(other_body, 422, "idempotency-key-reused")
    assert problem["errors"][0]["field"] == "Idempotency-Key"
    assert guest.order(key).json() == answers[0].json()
    assert len(guest.cart()["items"]) == 1


def test_a_key_that_has_expired_is_a_new_one_even_while_its_row_is_still_there(
    stack: Any, guest: Browser
) -> None:
    sku, key = put_on_sale(stack, 5), uuid4().hex
    guest.put(sku, 1)
    first = guest.order(key)
    owner = row_of(stack, first.json()["order_id"])["owner"]
    stack.table("orders").update_item(
        Key=keys.idempotency(owner, key),
        UpdateExpression="SET expires_at_epoch_s = :past",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeValues={":past": 1},
    )
    guest.put(sku, 2)
    second = guest.order(key)
    assert second.status_code == 201, second.text
    assert second.json()["order_id"] != first.json()["order_id"]
    again = guest.order(key)
    assert again.json()["order_id"] == second.json()["order_id"]


def test_four_hundred_buyers_of_fifty_units_get_exactly_fifty(stack: Any) -> None:
    sku = put_on_sale(stack, 50)
    answers = asyncio.run(_race(stack, sku, buyers=400, concurrency=64))
    assert Counter(answer.status_code for answer in answers) == {201: 50, 409: 350}
    orders = {answer.json()["order_id"] for answer in answers if answer.status_code == 201}
    assert len(orders) == 50
    for answer in answers:
        if answer.status_code == 409:
            problem = assert_problem(answer, 409, "out-of-stock")
            assert problem["lines"] == [{"sku": sku, "requested": 1, "available": 0}]
    stock = stock_of(stack, sku)
    assert_conserved(stock)
    assert (stock["received"], stock["available"]) == (50, 0)


def test_four_hundred_buyers_of_twenty_goods_with_cancellations_sell_no_unit_twice(
    stack: Any,
) -> None:
    skus = [put_on_sale(stack, 25) for _ in range(20)]
    tally = asyncio.run(race(stack.edge_url, skus, buyers=400, concurrency=64, seed=7))
    assert tally.faults == []
    assert tally.answers["ordered"] and tally.answers["cancelled"] and tally.answers["sold out"]
    assert tally.unavailable_share < 0.01
    for sku in skus:
        stock = stock_of(stack, sku)
        assert_conserved(stock)
        assert stock["available"] == 25 - tally.sold[sku] >= 0


async def _race(stack: Any, sku: str, buyers: int, concurrency: int) -> list[httpx.Response]:
    gate = asyncio.Semaphore(concurrency)
    limits = httpx.Limits(max_connections=concurrency)
    url = f"{stack.edge_url}/api/checkout"
    nobodys = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # each buyer keeps their own
    async with httpx.AsyncClient(
        timeout=30, trust_env=False, limits=limits, cookies=nobodys
    ) as client:

        async def fill(_: int) -> str:
            async with gate:
                answer = await client.put(f"{url}/cart/items/{sku}", json={"quantity": 1})
            assert answer.status_code == 200, answer.text
            return answer.cookies["has_cart"]

        async def buy(cookie: str) -> httpx.Response:
            headers = SYNTHETIC | {
                "Idempotency-Key": uuid4().hex,
                "Cookie": f"has_cart={cookie}",
            }
            async with gate:
                return await client.post(f"{url}/orders", json=an_order(), headers=headers)

        cookies = await asyncio.gather(*map(fill, range(buyers)))
        assert len(set(cookies)) == buyers
        return await asyncio.gather(*map(buy, cookies))


def test_every_line_that_is_short_is_named_and_nothing_is_sold(stack: Any, guest: Browser) -> None:
    short, gone, fine = (put_on_sale(stack, 5) for _ in range(3))
    for sku in (short, gone, fine):
        guest.put(sku, 3)
    with Browser(stack) as faster:
        faster.put(short, 4)
        faster.put(gone, 5)
        assert faster.order().status_code == 201
    problem = assert_problem(guest.order(), 409, "out-of-stock")
    assert problem["lines"] == sorted(
        [
            {"sku": short, "requested": 3, "available": 1},
            {"sku": gone, "requested": 3, "available": 0},
        ],
        key=lambda line: line["sku"],
    )
    assert stock_of(stack, fine)["available"] == 5
    assert len(guest.cart()["items"]) == 3


def test_goods_taken_off_sale_cannot_be_ordered(stack: Any, guest: Browser) -> None:
    sku = put_on_sale(stack, 5)
    guest.put(sku, 1)
    archive(stack, sku)
    assert guest.cart()["items"][0]["available"] == 0
    problem = assert_problem(guest.order(), 409, "out-of-stock")
    assert problem["lines"] == [{"sku": sku, "requested": 1, "available": 0}]


def test_a_price_that_moved_is_told_once_and_then_sold_at(stack: Any, guest: Browser) -> None:
    sku = put_on_sale(stack, 5, 1000)
    guest.put(sku, 1)
    set_price(stack, sku, 1200)
    problem = assert_problem(guest.order(), 409, "price-changed")
    assert [
        (line["sku"], line["expected"]["amount_minor"], line["actual"]["amount_minor"])
        for line in problem["lines"]
    ] == [(sku, 1000, 1200)]
    assert stock_of(stack, sku)["available"] == 5
    placed = guest.order()
    assert placed.status_code == 201, placed.text
    assert placed.json()["subtotal"]["amount_minor"] == 1200


def test_the_total_expected_decides_whether_a_new_price_was_seen(
    stack: Any, guest: Browser
) -> None:
    sku = put_on_sale(stack, 5, 1000)
    guest.put(sku, 1)
    old = guest.cart()["quote"]["total"]
    set_price(stack, sku, 1200)
    new = guest.cart()["quote"]["total"]
    problem = assert_problem(guest.order(expected_total=old), 409, "price-changed")
    assert (problem["expected"], problem["actual"]) == (old, new)
    set_price(stack, sku, 1300)
    shown = guest.cart()
    assert shown["items"][0]["price_changed"] is True
    placed = guest.order(expected_total=shown["quote"]["total"])
    assert placed.status_code == 201, placed.text
    assert placed.json()["total"] == shown["quote"]["total"]


def test_cancelling_gives_the_stock_back_once(stack: Any, guest: Browser) -> None:
    sku = put_on_sale(stack, 7)
    guest.put(sku, 4)
    order_id = guest.order().json()["order_id"]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: guest.cancel(order_id), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["status"] for answer in answers} == {"cancelled"}
    assert len({answer.json()["version"] for answer in answers}) == 1
    assert {answer.json()["payment"]["status"] for answer in answers} == {"voided"}
    assert stock_of(stack, sku) == {"received": 7, "available": 7, "held": 0, "sold": 0}
    timeline = [entry["status"] for entry in guest.get(f"/orders/{order_id}").json()["timeline"]]
    assert timeline.count("cancelled") == 1
