"""The catalogue at its doors: the edge for shoppers, both replicas for how fast news travels."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from pipeline.contracts import keys
from tests.conftest import Stack, wait_until

API = "/api/catalog"
OPERATOR = {"email": "operator@demo.shop", "password": "demo-Shop-2026!"}
SHOPPER = {"email": "shopper@demo.shop", "password": "demo-Shop-2026!"}
FRESH_WITHIN_S = 2.0


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Iterator[httpx.Client]:
    with stack.http() as client:
        yield client


@pytest.fixture(scope="module")
def operator(shop: httpx.Client) -> dict[str, str]:
    return signed_in(shop, OPERATOR)


@pytest.fixture(scope="module")
def replicas(stack: Stack) -> Iterator[list[httpx.Client]]:
    """Each replica by itself, without the edge."""
    urls = [stack.at.url(stack.at.zone_a), stack.at.url(stack.at.zone_b)]
    clients = [httpx.Client(base_url=url, timeout=10, trust_env=False) for url in urls]
    yield clients
    for client in clients:
        client.close()


def signed_in(shop: httpx.Client, account: dict[str, str]) -> dict[str, str]:
    answer = shop.post("/api/users/login", json=account)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def a_body(**changes: Any) -> dict[str, Any]:
    """A body of POST /products that is right, but for `changes`."""
    mark = f"T{uuid4().hex[:10]}"
    return {
        "product_id": mark,
        "title": f"Kettle {mark}",
        "description": "Boils water.",
        "category": ["Home", "Kettles"],
        "variants": [a_variant(f"{mark}-1"), a_variant(f"{mark}-2", options={"colour": "blue"})],
        **changes,
    }


def a_variant(sku: str, **changes: Any) -> dict[str, Any]:
    price = {"amount_minor": 2_500, "currency": "GBP"}
    return {"sku": sku, "options": {"colour": "red"}, "price": price, "stock": 5, **changes}


def create(
    shop: httpx.Client, operator: dict[str, str], **changes: Any
) -> tuple[dict[str, Any], str]:
    """A new product as the answer shows it, and its entity tag."""
    answer = shop.post(f"{API}/products", json=a_body(**changes), headers=operator)
    assert answer.status_code == 201, answer.text
    return answer.json(), answer.headers["etag"]


def assert_problem(
    answer: httpx.Response, status: int, slug: str, field: str | None = None
) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"/problems/{slug}"
    if field is not None:
        assert field in [error["field"] for error in problem["errors"]], problem


def everywhere(replicas: list[httpx.Client], check: Callable[[httpx.Client], bool]) -> None:
    """Both replicas, within the time news may take."""
    wait_until(lambda: all(check(replica) for replica in replicas), FRESH_WITHIN_S)


def total(client: httpx.Client, **query: Any) -> int:
    answer = client.get(f"{API}/products", params=query)
    assert answer.status_code == 200, answer.text
    count: int = answer.json()["total"]
    return count


def stock_of(stack: Stack, sku: str) -> dict[str, int]:
    row = stack.table("products").get_item(Key=keys.stock(sku), ConsistentRead=True)["Item"]
    return {name: int(row[name]) for name in ("received", "available", "held", "sold")}


def test_a_walk_through_the_list_shows_every_seeded_product_once(
    stack: Stack, shop: httpx.Client
) -> None:
    query: dict[str, Any] = {"page_size": 100, "sort": "newest", "category": "Clothing"}
    seen, first = [], shop.get(f"{API}/products", params=query).json()
    page = first
    while True:
        seen += [item["product_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        page = shop.get(f"{API}/products", params=query | {"cursor": page["next_cursor"]}).json()
    assert len(seen) == len(set(seen)) == first["total"] > 100
    assert {"value": "Clothing", "count": first["total"]} in first["facets"]["category"]


def test_a_typo_finds_featured_goods_whose_page_shows_sizes_and_stock(shop: httpx.Client) -> None:
    found = shop.get(f"{API}/products", params={"q": "hikng boots", "featured": True}).json()
    first = found["items"][0]
    assert first["title"] == "Wanderer Black Hiking Boots"
    detail = shop.get(f"{API}/products/{first['product_id']}").json()
    assert [variant["options"]["size"] for variant in detail["variants"]][:2] == ["UK 4", "UK 5"]
    assert detail["in_stock"] == any(variant["available"] for variant in detail["variants"])


def test_suggestions_categories_and_related_goods_answer(shop: httpx.Client) -> None:
    suggested = shop.get(f"{API}/suggest", params={"q": "foot"}).json()["items"]
    assert {"text": "Outdoor > Footwear", "kind": "category", "product_id": None} in suggested
    tree = shop.get(f"{API}/categories").json()["items"]
    outdoor = next(node for node in tree if node["value"] == "Outdoor")
    assert outdoor["count"] == sum(child["count"] for child in outdoor["children"]) == 101
    related = shop.get(f"{API}/products/OD-001/related").json()["items"]
    assert len(related) == 8
    assert all(item["category"] == ["Outdoor", "Footwear"] for item in related)


@pytest.mark.parametrize(
    "path",
    [
        "/products?q=dress&page_size=3", "/products/OD-001", "/products/OD-001/related",
        "/suggest?q=dre", "/categories",
    ],
)  # fmt: skip
def test_a_reader_who_holds_the_page_gets_304(shop: httpx.Client, path: str) -> None:
    first = shop.get(API + path)
    assert "max-age" in first.headers["cache-control"]
    again = shop.get(API + path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = shop.head(API + path)
    assert (head.status_code, head.content) == (200, b"")
    # The edge weakens the tag of a body that it compresses, and here there is none.
    assert head.headers["etag"].removeprefix("W/") == first.headers["etag"].removeprefix("W/")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sort=cheapest", "sort"),
        ("q=" + "x" * 201, "q"),
        ("min_price=-1", "min_price"),
        ("max_price=-1", "max_price"),
        ("min_price=abc", "min_price"),
        ("max_price=99999999999999999999", "max_price"),
        ("min_price=300&max_price=200", "min_price"),
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("in_stock=perhaps", "in_stock"),
        ("cursor=garbage", "cursor"),
        ("cursor=" + "A" * 513, "cursor"),
        ("cursor=%F0%9F%A7%A5", "cursor"),
        ("category=" + "x" * 201, "category"),
    ],
)
def test_a_bad_question_names_its_field(shop: httpx.Client, query: str, field: str) -> None:
    assert_problem(shop.get(f"{API}/products?{query}"), 422, "unprocessable", field)


@pytest.mark.parametrize(
    "query", ["q=%00", "q=%ED%A0%80", "q=%FF%FE", "q=%F0%9F%91%97", "category=%00", "q=%22%5B*("]
)
def test_odd_characters_are_answered(shop: httpx.Client, query: str) -> None:
    assert shop.get(f"{API}/products?{query}").status_code == 200


@pytest.mark.parametrize("product_id", ["nobody", "%00", "%FF", "..%2F..", "x" * 128])
def test_a_product_nobody_knows_is_404(replicas: list[httpx.Client], product_id: str) -> None:
    """Asked of a replica itself, for the edge lets no such path through."""
    for tail in ("", "/related"):
        answer = replicas[0].get(f"{API}/products/{product_id}{tail}")
        assert_problem(answer, 404, "not-found")


BAD_BODIES: list[tuple[dict[str, Any], str]] = [
    ({"title": ""}, "title"),
    ({"title": "x" * 201}, "title"),
    ({"title": "a\u0000b"}, "title"),
    ({"title": None}, "title"),
    ({"category": []}, "category"),
    ({"category": ["a", "b", "c", "d"]}, "category"),
    ({"category": ["Clothing > Dresses"]}, "category.0"),
    ({"product_id": "with space"}, "product_id"),
    ({"colour": "red"}, "colour"),
    ({"variants": []}, "variants"),
    ({"variants": [a_variant(f"S{n}", options={"n": str(n)}) for n in range(99)]}, "variants"),
    ({"variants": [a_variant("S"), a_variant("S", options={})]}, "variants.1.sku"),
    ({"variants": [a_variant("S"), a_variant("T")]}, "variants.1.options"),
    ({"variants": [a_variant("S", stock=-1)]}, "variants.0.stock"),
    ({"variants": [a_variant("S", stock=1.5)]}, "variants.0.stock"),
    (
        {"variants": [a_variant("S", price={"amount_minor": 0, "currency": "GBP"})]},
        "variants.0.price.amount_minor",
    ),
    (
        {"variants": [a_variant("S", price={"amount_minor": 1, "currency": "USD"})]},
        "variants.0.price.currency",
    ),
]


@pytest.mark.parametrize(("changes", "field"), BAD_BODIES)
def test_a_bad_product_names_its_field_and_writes_nothing(
    stack: Stack,
    shop: httpx.Client,
    operator: dict[str, str],
    changes: dict[str, Any],
    field: str,
) -> None:
    body = a_body(**changes)
    answer = shop.post(f"{API}/products", json=body, headers=operator)
    assert_problem(answer, 422, "unprocessable", field)
    written = stack.table("products").get_item(Key=keys.product(str(body["product_id"])))
    assert "Item" not in written


def test_a_body_that_is_no_json_is_400(shop: httpx.Client, operator: dict[str, str]) -> None:
    headers = operator | {"Content-Type": "application/json"}
    answer = shop.post(f"{API}/products", content=b"{not json", headers=headers)
    assert_problem(answer, 400, "bad-request", "body")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/products"),
        ("PUT", "/products/OD-001"),
        ("DELETE", "/products/OD-001"),
        ("POST", "/stock/OD-001-5/adjustments"),
    ],
)
def test_only_operators_change_the_catalogue(shop: httpx.Client, method: str, path: str) -> None:
    shopper = signed_in(shop, SHOPPER)
    body = a_body() if "stock" not in path else {"delta": 1, "reason": "count"}
    options = {} if method == "DELETE" else {"json": body}
    assert_problem(shop.request(method, API + path, **options), 401, "unauthenticated")
    forged = {"Authorization": "Bearer a.b.c"}
    answer = shop.request(method, API + path, headers=forged, **options)
    assert_problem(answer, 401, "unauthenticated")
    answer = shop.request(method, API + path, headers=shopper, **options)
    assert_problem(answer, 403, "forbidden")


def test_a_new_product_is_listed_by_both_replicas_within_two_seconds(
    shop: httpx.Client, replicas: list[httpx.Client], operator: dict[str, str]
) -> None:
    product, etag = create(shop, operator)
    everywhere(replicas, lambda replica: total(replica, q=product["title"].split()[1]) == 1)
    detail = shop.get(f"{API}/products/{product['product_id']}")
    assert (detail.json(), detail.headers["etag"]) == (product, etag)


def test_a_taken_sku_is_named_and_nothing_of_the_product_is_written(
    shop: httpx.Client, operator: dict[str, str]
) -> None:
    body = a_body()
    body["variants"][1]["sku"] = "OD-001-5"
    answer = shop.post(f"{API}/products", json=body, headers=operator)
    assert_problem(answer, 409, "conflict", "variants.1.sku")
    assert answer.json()["sku"] == "OD-001-5"
    assert shop.get(f"{API}/products/{body['product_id']}").status_code == 404


def test_an_edit_needs_the_current_entity_tag(
    stack: Stack, shop: httpx.Client, replicas: list[httpx.Client], operator: dict[str, str]
) -> None:
    product, etag = create(shop, operator)
    path = f"{API}/products/{product['product_id']}"
    sku = product["variants"][0]["sku"]
    body = a_body(
        product_id=None, variants=[a_variant(sku, stock=99), a_variant(f"{sku}-new", options={})]
    )
    assert_problem(shop.put(path, json=body, headers=operator), 428, "precondition-required")
    edited = shop.put(path, json=body, headers=operator | {"If-Match": etag})
    assert edited.status_code == 200, edited.text
    for stale in (etag, '"77"', "nonsense"):
        answer = shop.put(path, json=body, headers=operator | {"If-Match": stale})
        assert_problem(answer, 412, "precondition-failed")
    variants = {each["sku"]: each["available"] for each in shop.get(path).json()["variants"]}
    assert variants == {sku: 5, f"{sku}-new": 5}, "stock of a SKU that stays is not edited here"
    [said] = [
        entry["detail"]
        for entry in stack.audit()
        if (entry["action"], entry["target"]) == ("product.edited", product["product_id"])
    ]
    assert said.startswith(f'v2: title "{product["title"]}" -> "{body["title"]}"; ')
    gone = product["variants"][1]["sku"]
    assert f'; {gone} "25.00 GBP, colour blue" -> none; ' in said
    assert said.endswith(f'; {sku}-new none -> "25.00 GBP"')
    everywhere(replicas, lambda replica: total(replica, q=body["title"].split()[1]) == 1)


def test_an_archived_product_leaves_lists_and_can_no_longer_be_bought(
    stack: Stack, shop: httpx.Client, replicas: list[httpx.Client], operator: dict[str, str]
) -> None:
    product, etag = create(shop, operator)
    mark = product["title"].split()[1]
    everywhere(replicas, lambda replica: total(replica, q=mark) == 1)
    path = f"{API}/products/{product['product_id']}"
    assert_problem(shop.delete(path, headers=operator), 428, "precondition-required")
    assert shop.delete(path, headers=operator | {"If-Match": etag}).status_code == 204
    everywhere(replicas, lambda replica: total(replica, q=mark) == 0)
    page = shop.get(path).json()
    assert (page["status"], page["in_stock"]) == ("archived", False)
    sku = product["variants"][0]["sku"]
    assert stock_of(stack, sku) == {"received": 0, "available": 0, "held": 0, "sold": 0}
    answer = shop.post(
        f"{API}/stock/{sku}/adjustments", json={"delta": 1, "reason": "found"}, headers=operator
    )
    assert_problem(answer, 409, "conflict")


def test_an_adjustment_moves_received_with_available_and_stops_at_zero(
    stack: Stack, shop: httpx.Client, operator: dict[str, str]
) -> None:
    product, _ = create(shop, operator)
    sku = product["variants"][0]["sku"]
    path = f"{API}/stock/{sku}/adjustments"
    answer = shop.post(path, json={"delta": -2, "reason": "broken"}, headers=operator)
    assert (answer.status_code, answer.json()["available"]) == (201, 3)
    answer = shop.post(path, json={"delta": -4, "reason": "broken"}, headers=operator)
    assert_problem(answer, 409, "conflict", "delta")
    assert answer.json()["available"] == 3
    assert stock_of(stack, sku) == {"received": 3, "available": 3, "held": 0, "sold": 0}


def test_adjustments_at_the_same_moment_never_take_more_than_there_is(
    stack: Stack, shop: httpx.Client, operator: dict[str, str]
) -> None:
    product, _ = create(shop, operator)
    sku = product["variants"][0]["sku"]  # five units

    def take(_: int) -> int:
        body = {"delta": -1, "reason": "race"}
        return shop.post(f"{API}/stock/{sku}/adjustments", json=body, headers=operator).status_code

    with ThreadPoolExecutor(10) as pool:
        statuses = Counter(pool.map(take, range(20)))
    assert statuses == {201: 5, 409: 15}
    assert stock_of(stack, sku) == {"received": 0, "available": 0, "held": 0, "sold": 0}


def test_a_sku_that_orders_hold_cannot_be_dropped(
    stack: Stack, shop: httpx.Client, operator: dict[str, str]
) -> None:
    product, etag = create(shop, operator)
    held, other = (variant["sku"] for variant in product["variants"])
    stack.table("products").update_item(
        Key=keys.stock(held),
        UpdateExpression="SET available = available - :one, held = held + :one",
        ExpressionAttributeValues={":one": 1},
    )
    path = f"{API}/products/{product['product_id']}"
    headers = operator | {"If-Match": etag}
    answer = shop.put(
        path, json=a_body(product_id=None, variants=[a_variant(other)]), headers=headers
    )
    assert_problem(answer, 409, "conflict", "variants")
    assert answer.json()["sku"] == held
    answer = shop.put(
        path, json=a_body(product_id=None, variants=[a_variant(held)]), headers=headers
    )
    assert [each["sku"] for each in answer.json()["variants"]] == [held]
    stack.table("products").update_item(  # nobody ordered it: the proof ledger would name it
        Key=keys.stock(held),
        UpdateExpression="SET available = available + :one, held = held - :one",
        ExpressionAttributeValues={":one": 1},
    )
    assert "Item" not in stack.table("products").get_item(Key=keys.stock(other))


@pytest.mark.parametrize(
    ("sku", "body", "status", "field"),
    [
        ("OD-001-5", {"delta": 0, "reason": "x"}, 422, "delta"),
        ("OD-001-5", {"delta": 1.5, "reason": "x"}, 422, "delta"),
        ("OD-001-5", {"delta": 10**9, "reason": "x"}, 422, "delta"),
        ("OD-001-5", {"delta": 1, "reason": " "}, 422, "reason"),
        ("OD-001-5", {"delta": 1}, 422, "reason"),
        ("nothing", {"delta": 1, "reason": "x"}, 404, None),
    ],
)
def test_a_bad_adjustment_names_its_field(
    shop: httpx.Client,
    operator: dict[str, str],
    sku: str,
    body: dict[str, Any],
    status: int,
    field: str | None,
) -> None:
    answer = shop.post(f"{API}/stock/{sku}/adjustments", json=body, headers=operator)
    assert_problem(answer, status, "not-found" if status == 404 else "unprocessable", field)


def test_seeding_again_leaves_stock_alone(
    stack: Stack, shop: httpx.Client, operator: dict[str, str]
) -> None:
    path = f"{API}/stock/OD-001-6/adjustments"
    answer = shop.post(path, json={"delta": 7, "reason": "delivery"}, headers=operator)
    adjusted = stock_of(stack, "OD-001-6")
    assert answer.json()["available"] == adjusted["available"]
    stack.table("ops").delete_item(Key={"pk": "SEED#catalogue", "sk": "STATE"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAS_SEED_PRODUCTS", "3")
        from storefront_api.catalog.seed.__main__ import main

        assert main() == 0
    assert stock_of(stack, "OD-001-6") == adjusted
