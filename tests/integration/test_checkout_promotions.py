"""Promotion codes, through the edge: what they give, and limits that hold under a race."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from checkout_shop import Browser, assert_problem, audit_of, bearer, put_on_sale, stock_of

from pipeline.contracts import keys


@pytest.fixture
def guest(stack: Any) -> Iterator[Browser]:
    with Browser(stack) as browser:
        yield browser


@pytest.fixture(scope="module")
def operator(stack: Any) -> Iterator[Browser]:
    with Browser(stack, bearer(stack, "operator-1", "operator")) as browser:
        yield browser


def money(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "GBP"}


def a_code(operator: Browser, kind: str = "percentage", **terms: Any) -> str:
    code = f"T{uuid4().hex[:12]}".upper()
    if kind == "percentage":
        terms.setdefault("percent", 10)
    answer = operator.request("PUT", f"/promotions/{code}", json={"kind": kind, **terms})
    assert answer.status_code == 201, answer.text
    return code


def use(browser: Browser, code: str) -> httpx.Response:
    return browser.request("PUT", "/cart/promotion", json={"code": code})


def uses(operator: Browser, code: str) -> int:
    return int(operator.get(f"/promotions/{code}").json()["uses"])


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat().replace("+00:00", "Z")


def amounts(quote: dict[str, Any]) -> dict[str, int]:
    return {
        name: quote[name]["amount_minor"]
        for name in ("subtotal", "discount", "shipping", "tax", "total")
    }


def test_a_percentage_lowers_the_quote_and_the_order_keeps_it_line_by_line(
    stack: Any, guest: Browser, operator: Browser
) -> None:
    code = a_code(operator, percent=15)
    guest.put(put_on_sale(stack, 5, 1999), 2)
    guest.put(put_on_sale(stack, 5, 333), 1)
    shown = use(guest, f" {code.lower()} ").json()
    # 15 % of 4331 is 649.65; tax is 20 % of 4331 - 650 + 399.
    expected = {"subtotal": 4331, "discount": 650, "shipping": 399, "tax": 816, "total": 4896}
    assert amounts(shown["quote"]) == expected
    assert (shown["promotion"]["code"], shown["promotion"]["state"]) == (code, "applied")

    placed = guest.order(expected_total=shown["quote"]["total"])

    assert placed.status_code == 201, placed.text
    assert amounts(placed.json()) == expected
    order = guest.get(f"/orders/{placed.json()['order_id']}").json()
    assert (amounts(order), order["promotion_code"]) == (expected, code)
    key = keys.order(order["order_id"])
    row = stack.table("orders").get_item(Key=key, ConsistentRead=True)["Item"]
    assert sorted(int(line["discount_minor"]) for line in row["lines"]) == [50, 600]
    assert guest.cart()["promotion"] is None
    assert uses(operator, code) == 1


@pytest.mark.parametrize(
    ("terms", "discount", "shipping"),
    [
        ({"kind": "amount", "amount": money(500)}, 500, 399),
        ({"kind": "amount", "amount": money(90_000)}, 3000, 399),
        ({"kind": "free_shipping"}, 0, 0),
        ({"kind": "percentage", "percent": 100}, 3000, 399),
        ({"kind": "percentage", "minimum_subtotal": money(3000)}, 300, 399),
        ({"kind": "percentage", "minimum_subtotal": money(3001)}, 0, 399),
    ],
)
def test_each_kind_of_code_gives_what_it_says(
    stack: Any, guest: Browser, operator: Browser, terms: Any, discount: int, shipping: int
) -> None:
    code = a_code(operator, **terms)
    guest.put(put_on_sale(stack, 5, 1500), 2)
    shown = use(guest, code).json()
    quote = amounts(shown["quote"])
    assert (quote["discount"], quote["shipping"]) == (discount, shipping)
    placed = guest.order(expected_total=shown["quote"]["total"])
    assert placed.status_code == 201, placed.text
    is_used = shown["promotion"]["state"] == "applied"
    assert uses(operator, code) == int(is_used)


def test_a_code_for_ten_orders_is_used_ten_times_however_many_want_it(
    stack: Any, operator: Browser
) -> None:
    code, sku = a_code(operator, max_uses=10), put_on_sale(stack, 100)

    def buy(_: int) -> httpx.Response:
        with Browser(stack) as browser:
            browser.put(sku, 1)
            assert use(browser, code).status_code in {200, 409}
            return browser.order(email=f"{uuid4().hex}@shop.test")

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(buy, range(40)))
    for answer in answers:
        if answer.status_code == 409:
            problem = assert_problem(answer, 409, "promotion-ended")
            assert (problem["code"], problem["reason"]) == (code, "used_up")
    discounted = [a for a in answers if a.status_code == 201 and amounts(a.json())["discount"]]
    assert len(discounted) == uses(operator, code) == 10
    sold = Counter(answer.status_code for answer in answers)
    assert sold.keys() <= {201, 409}
    assert stock_of(stack, sku)["available"] == 100 - sold[201]


def test_one_shopper_uses_a_code_once_by_account_and_by_email(
    stack: Any, operator: Browser
) -> None:
    code, sku = a_code(operator, max_uses_per_shopper=1), put_on_sale(stack, 20)
    email = f"{uuid4().hex}@shop.test"
    orders = []
    for spelling in (email, email.upper()):
        with Browser(stack) as browser:
            browser.put(sku, 1)
            use(browser, code)
            orders.append(browser.order(email=spelling))
    assert orders[0].status_code == 201, orders[0].text
    problem = assert_problem(orders[1], 409, "promotion-ended")
    assert problem["reason"] == "used_by_you"
    with Browser(stack, bearer(stack, f"user-{uuid4().hex}")) as user:
        user.put(sku, 1)
        use(user, code)
        assert user.order(email=None).status_code == 201
        user.put(sku, 1)
        problem = assert_problem(use(user, code), 409, "promotion-ended")
        assert problem["reason"] == "used_by_you"
    assert uses(operator, code) == 2


def test_a_cancelled_order_gives_the_use_back_once(
    stack: Any, guest: Browser, operator: Browser
) -> None:
    code, sku = a_code(operator, max_uses=1, max_uses_per_shopper=1), put_on_sale(stack, 9)
    for _ in range(2):
        guest.put(sku, 1)
        assert use(guest, code).status_code == 200
        placed = guest.order()
        assert placed.status_code == 201, placed.text
        assert uses(operator, code) == 1
        for _ in range(3):
            assert guest.cancel(placed.json()["order_id"]).status_code == 200
        assert uses(operator, code) == 0


def test_a_code_that_ends_with_the_cart_full_is_named_and_nothing_is_written(
    stack: Any, guest: Browser, operator: Browser
) -> None:
    sku, code = put_on_sale(stack, 3, 1000), a_code(operator)
    guest.put(sku, 1)
    use(guest, code)
    etag = operator.get(f"/promotions/{code}").headers["etag"]
    gone = operator.request("DELETE", f"/promotions/{code}", headers={"If-Match": etag})
    assert gone.status_code == 204, gone.text
    for _ in range(2):
        problem = assert_problem(guest.order(), 409, "promotion-ended")
        assert (problem["code"], problem["reason"]) == (code, "ended")
    assert stock_of(stack, sku)["available"] == 3
    assert guest.get("/orders").json()["items"] == []
    shown = guest.cart()
    assert (shown["promotion"]["state"], amounts(shown["quote"])["discount"]) == ("ended", 0)
    assert guest.request("DELETE", "/cart/promotion").json()["promotion"] is None
    assert guest.order().status_code == 201


def test_other_terms_are_told_once_and_then_ordered_at(
    stack: Any, guest: Browser, operator: Browser
) -> None:
    code = a_code(operator, percent=50)
    guest.put(put_on_sale(stack, 3, 1000), 1)
    total = use(guest, code).json()["quote"]["total"]
    etag = operator.get(f"/promotions/{code}").headers["etag"]
    terms = {"kind": "percentage", "percent": 10}
    operator.request("PUT", f"/promotions/{code}", json=terms, headers={"If-Match": etag})
    problem = assert_problem(guest.order(expected_total=total), 409, "price-changed")
    assert problem["expected"] == total
    placed = guest.order(expected_total=problem["actual"])
    assert placed.status_code == 201, placed.text
    assert amounts(placed.json())["discount"] == 100


@pytest.mark.parametrize(
    ("terms", "reason"),
    [({"starts_at": in_days(1)}, "not_started"), ({"ends_at": in_days(-1)}, "ended")],
)
def test_a_code_out_of_its_dates_is_refused(
    stack: Any, guest: Browser, operator: Browser, terms: dict[str, str], reason: str
) -> None:
    problem = assert_problem(use(guest, a_code(operator, **terms)), 409, "promotion-ended")
    assert problem["reason"] == reason
    assert guest.cart()["promotion"] is None


def test_a_guests_code_comes_along_at_sign_in(
    stack: Any, guest: Browser, operator: Browser
) -> None:
    code = a_code(operator)
    guest.put(put_on_sale(stack, 3), 1)
    use(guest, code)
    guest.sign_in(bearer(stack, f"user-{uuid4().hex}"))
    assert guest.cart()["promotion"]["code"] == code


def test_terms_are_edited_only_from_what_was_read_and_each_edit_is_audited(
    stack: Any, operator: Browser
) -> None:
    code = a_code(operator)
    path, other = f"/promotions/{code}", {"kind": "free_shipping"}
    etag = operator.get(path).headers["etag"]
    assert_problem(operator.request("PUT", path, json=other), 428, "precondition-required")
    changed = operator.request("PUT", path, json=other, headers={"If-Match": etag})
    assert (changed.status_code, changed.json()["kind"]) == (200, "free_shipping")
    stale = {"If-Match": etag}
    for method, body in (("PUT", other), ("DELETE", None)):
        answer = operator.request(method, path, json=body, headers=stale)
        assert_problem(answer, 412, "precondition-failed")
    missing = f"/promotions/{code}X"
    assert_problem(operator.get(missing), 404, "not-found")
    answer = operator.request("PUT", missing, json=other, headers={"If-Match": "*"})
    assert_problem(answer, 412, "precondition-failed")
    ended = operator.request("DELETE", path, headers={"If-Match": changed.headers["etag"]})
    assert ended.status_code == 204
    entries = audit_of(stack, code)
    assert 'kind "percentage" -> "free_shipping"; percent 10 -> none' in entries[1]["detail"]
    written = [(e["actor"], e["action"]) for e in entries]
    assert written == [
        ("operator-1", "promotion.created"),
        ("operator-1", "promotion.edited"),
        ("operator-1", "promotion.ended"),
    ]


def test_only_operators_see_and_make_codes(stack: Any, guest: Browser) -> None:
    body = {"kind": "free_shipping"}
    assert_problem(guest.request("PUT", "/promotions/MINE", json=body), 401, "unauthenticated")
    with Browser(stack, bearer(stack, "u-1")) as shopper:
        assert_problem(shopper.request("PUT", "/promotions/MINE", json=body), 403, "forbidden")
        assert_problem(shopper.get("/promotions/MINE"), 403, "forbidden")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "percentage"}, "body"),
        ({"kind": "percentage", "percent": 0}, "percent"),
        ({"kind": "percentage", "percent": 101}, "percent"),
        ({"kind": "percentage", "percent": 5, "amount": money(5)}, "body"),
        ({"kind": "amount", "amount": money(0)}, "body"),
        ({"kind": "amount", "amount": {"amount_minor": 5, "currency": "EUR"}}, "currency"),
        ({"kind": "free_shipping", "max_uses": 0}, "max_uses"),
        ({"kind": "free_shipping", "ends_at": "2026-01-01"}, "ends_at"),
        ({"kind": "free_shipping", "starts_at": in_days(2), "ends_at": in_days(1)}, "body"),
        ({"kind": "gift"}, "kind"),
    ],
)
def test_wrong_terms_are_refused_by_name(operator: Browser, body: Any, field: str) -> None:
    answer = operator.request("PUT", f"/promotions/W{uuid4().hex[:8]}", json=body)
    problem = assert_problem(answer, 422, "unprocessable")
    assert any(error["field"].startswith(field) for error in problem["errors"]), problem


@pytest.mark.parametrize("code", ["", "NO-SUCH-CODE", "a b", "é", "x" * 33, 7, None])
def test_a_code_that_is_none_is_refused(guest: Browser, code: Any) -> None:
    answer = guest.request("PUT", "/cart/promotion", json={"code": code})
    problem = assert_problem(answer, 422, "unprocessable")
    assert problem["errors"][0]["field"] == "code"


def test_operators_see_every_code_with_its_uses_the_last_edited_first(
    stack: Any, guest: Browser, operator: Browser
) -> None:
    first, second, ended = (a_code(operator) for _ in range(3))
    guest.put(put_on_sale(stack, 5, 1000), 1)
    quote = use(guest, first).json()["quote"]
    assert guest.order(expected_total=quote["total"]).status_code == 201
    edit = {"kind": "percentage", "percent": 20}
    operator.request("PUT", f"/promotions/{first}", json=edit, headers={"If-Match": "*"})
    operator.request("DELETE", f"/promotions/{ended}", headers={"If-Match": "*"})

    seen: list[dict[str, Any]] = []
    cursor = None
    while not {first, second} <= {row["code"] for row in seen}:
        page = operator.get("/promotions", params={"page_size": 1, "cursor": cursor}).json()
        seen, cursor = seen + page["items"], page["next_cursor"]
        assert cursor or len(page["items"]) == 1

    ours = [(row["code"], row["percent"], row["uses"]) for row in seen]
    assert ours == [(first, 20, 1), (second, 10, 0)]
    assert_problem(guest.get("/promotions"), 401, "unauthenticated")
    refused = assert_problem(
        operator.get("/promotions", params={"cursor": "x"}), 422, "unprocessable"
    )
    assert refused["errors"][0]["field"] == "cursor"
