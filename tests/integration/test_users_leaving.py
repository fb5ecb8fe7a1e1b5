"""Taking one's data away, and leaving: what is erased, what is kept, and when."""

import importlib
import sys
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from boto3.dynamodb.conditions import Key

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.orders import OrderStatus
from pipeline.erasure.domain import without_person
from pipeline.erasure.service import erase
from pipeline.erasure.store import Traces
from pipeline.runtime import aws
from pipeline.runtime.clock import new_id, now
from tests.conftest import Stack, wait_until
from tests.integration.test_users_accounts import HOME
from tests.integration.users_door import PASSWORD, Service, assert_problem, own_service
from tests.integration.workers_floor import Shelf

DELIVERED = OrderStatus.DELIVERED


@pytest.fixture(scope="module")
def users(emulator: Stack) -> Iterator[Service]:
    with own_service(emulator) as service:
        yield service


class Member:
    """Somebody with an account, an address, a cart and orders."""

    def __init__(self, users: Service, *statuses: OrderStatus) -> None:
        self.browser = users.browser()
        self.user = self.browser.register(name="Ada Lovelace")
        self.header = self.browser.sign_in(self.user["email"])
        self.orders = aws.table(users.names.table("orders"))
        self.owner = f"user:{self.user['user_id']}"
        assert self.request("POST", "/me/addresses", json=HOME).status_code == 201
        lines = {"K-2": {"title": "Pot", "quantity": 3}}
        self.orders.put_item(Item={**keys.cart(self.owner), "lines": lines, "version": 1})
        self.order_ids = [self._order(status) for status in statuses]

    @property
    def digest(self) -> str:
        return sha256(self.user["email"].encode()).hexdigest()

    def request(self, method: str, path: str, **options: Any) -> Any:
        return self.browser.request(method, path, headers=self.header, **options)

    def delete(self, password: str = PASSWORD) -> Any:
        return self.request("DELETE", "/me", json={"password": password})

    def use(self, code: str, subject: str, uses: int) -> None:
        self.orders.update_item(
            Key=keys.promotion_uses(code, subject),
            UpdateExpression="ADD uses :uses",
            ExpressionAttributeValues={":uses": uses},
        )

    def uses(self, code: str, subject: str) -> int | None:
        row = self.orders.get_item(Key=keys.promotion_uses(code, subject)).get("Item")
        return None if row is None else int(row["uses"])

    def order(self, number: int = 0) -> dict[str, Any]:
        key = keys.order(self.order_ids[number])
        item: dict[str, Any] = self.orders.get_item(Key=key, ConsistentRead=True)["Item"]
        return item

    def _order(self, status: OrderStatus) -> str:
        order_id, at = new_id(), to_iso_z(now())
        line = {"line_no": 1, "sku": "K-1", "product_id": "p", "title": "Kettle",
                "category": "Kitchen", "quantity": 2, "unit_price_minor": 1999,
                "line_total_minor": 3998}  # fmt: skip
        subjects = [f"user:{self.user['user_id']}", f"email:{self.digest}"]
        code = {"code": "TEN", "kind": "percentage", "version": 1, "subjects": subjects}
        for subject in subjects:  # one that was cancelled has given its use back
            self.use("TEN", subject, int(status is not OrderStatus.CANCELLED))
        self.orders.put_item(
            Item={
                **keys.order(order_id), "order_id": order_id, "owner": self.owner,
                "customer_id": self.user["user_id"], "email": self.user["email"],
                "status": status.value, "version": 1, "placed_at": at, "currency": "GBP",
                "country": "United Kingdom", "lines": [line], "subtotal_minor": 3998,
                "discount_minor": 400, "promotion": code,
                "shipping_minor": 399, "tax_minor": 0, "total_minor": 3997,
                "shipping_address": HOME | {"line2": None, "country": "GB"},
                "shipping_method": "standard", "card_token": "tok_visa",
                "listing": keys.ORDERS, "synthetic": True,
            }
        )  # fmt: skip
        return order_id


def run_function(users: Service, event: dict[str, Any]) -> None:
    """The function as a cold start of this stage would have it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAS_STAGE", users.names.stage)
        sys.modules.pop("pipeline.erasure.handler", None)
        importlib.import_module("pipeline.erasure.handler").handler(event, None)
        sys.modules.pop("pipeline.erasure.handler")


def stream_event(user_id: str) -> dict[str, Any]:
    key = {name: {"S": value} for name, value in keys.erasure(user_id).items()}
    return {"Records": [{"eventName": "INSERT", "dynamodb": {"Keys": key}}]}


def traces_of(users: Service, member: Member) -> list[str]:
    """Keys of every row that still names the person, in any table."""
    words = (member.user["email"], member.digest, "Ada Lovelace", HOME["line1"])
    return [
        f"{row['pk']}/{row['sk']}"
        for table in ("users", "orders")
        for row in aws.table(users.names.table(table)).scan(ConsistentRead=True)["Items"]
        if any(word in str(row) for word in words) and str(row).find(member.user["user_id"]) >= 0
    ]


def test_an_export_has_everything_there_is_of_a_person(users: Service) -> None:
    member = Member(users, DELIVERED, OrderStatus.PLACED)
    answer = member.request("GET", "/me/export")
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert document["profile"] == member.user
    assert document["addresses"][0] == HOME | {
        "line2": None, "address_id": document["addresses"][0]["address_id"]
    }  # fmt: skip
    assert [session["is_current"] for session in document["sessions"]] == [True]
    assert {o["order_id"] for o in document["orders"]} == set(member.order_ids)
    order = document["orders"][0]
    amounts = {
        name: order[name]["amount_minor"]
        for name in ("subtotal", "discount", "shipping", "tax", "total")
    }
    assert amounts == {"subtotal": 3998, "discount": 400, "shipping": 399, "tax": 0, "total": 3997}
    assert (order["promotion_code"], order["refunds"]) == ("TEN", [])
    assert document["cart"] == [
        {"sku": "K-2", "title": "Pot", "quantity": 3, "is_saved_for_later": False}
    ]
    assert document["is_complete"] is True
    stranger = Member(users)
    assert stranger.request("GET", "/me/export").json()["orders"] == []


def test_a_deleted_account_is_over_at_once_and_its_email_free_again(users: Service) -> None:
    member = Member(users)
    wrong = member.delete("not my password")
    assert_problem(wrong, 422, "unprocessable", "password")
    assert member.delete().status_code == 204
    assert "has_refresh" not in member.browser.cookies
    assert_problem(member.request("GET", "/me"), 401, "unauthenticated")
    assert_problem(member.delete(), 401, "unauthenticated")
    email = member.user["email"]
    gone = member.browser.post("/login", email=email, password=PASSWORD)
    assert_problem(gone, 401, "unauthenticated")
    member.browser.register(email=email)


def test_a_refresh_cookie_does_not_outlive_its_account(users: Service) -> None:
    member, elsewhere = Member(users), users.browser()
    elsewhere.sign_in(member.user["email"])
    member.delete()
    assert_problem(elsewhere.request("POST", "/refresh"), 401, "unauthenticated")


def test_staff_do_not_delete_themselves(users: Service) -> None:
    member = Member(users)
    users.app.state.users.accounts.set_role(member.user["user_id"], "operator")
    assert_problem(member.delete(), 403, "forbidden")
    assert member.request("GET", "/me").status_code == 200


def test_all_but_the_bare_facts_of_finished_orders_is_erased(users: Service) -> None:
    member = Member(users, DELIVERED, OrderStatus.CANCELLED)
    before = member.order()
    member.delete()
    for _ in range(2):  # a stream delivers at least once
        run_function(users, stream_event(member.user["user_id"]))
    assert traces_of(users, member) == []
    order = member.order()
    assert order["email"] is None
    assert order["shipping_address"]["country"] == "GB"
    same = ("lines", "total_minor", "status", "version", "placed_at", "customer_id", "owner")
    assert {name: order[name] for name in same} == {name: before[name] for name in same}
    partition = Key("pk").eq(keys.cart(member.owner)["pk"])
    assert member.orders.query(KeyConditionExpression=partition)["Items"] == []
    rows = aws.table(users.names.table("users"))
    user = Key("pk").eq(keys.user(member.user["user_id"])["pk"])
    assert rows.query(KeyConditionExpression=user)["Items"] == []


def test_an_order_under_way_keeps_its_address_until_it_has_arrived(users: Service) -> None:
    member = Member(users, OrderStatus.PAID)
    member.delete()
    run_function(users, stream_event(member.user["user_id"]))
    assert member.order()["shipping_address"]["line1"] == HOME["line1"]
    member.orders.update_item(
        Key=keys.order(member.order_ids[0]),
        UpdateExpression="SET #status = :done, version = :two",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":done": "delivered", ":two": 2},
    )
    run_function(users, {"trigger": "schedule"})
    assert member.order()["shipping_address"]["line1"] == "erased"


def test_uses_of_a_code_go_with_the_orders_that_made_them_and_each_once(users: Service) -> None:
    member = Member(users, DELIVERED, DELIVERED, OrderStatus.CANCELLED, OrderStatus.PAID)
    mine, mail = f"user:{member.user['user_id']}", f"email:{member.digest}"
    read_before = member.order()
    member.use("TEN", mail, 1)  # as a guest, whose order stays
    assert (member.uses("TEN", mine), member.uses("TEN", mail)) == (3, 4)
    member.delete()
    for _ in range(2):
        run_function(users, stream_event(member.user["user_id"]))
    # The order under way may still be cancelled, and give its use back.
    assert (member.uses("TEN", mine), member.uses("TEN", mail)) == (1, 2)
    # Two at once, of which the second has read the order before the first erased it.
    assert not Traces(users.names).erase_order(read_before, without_person(read_before), now())
    assert (member.uses("TEN", mine), member.uses("TEN", mail)) == (1, 2)


def test_a_closed_account_is_looked_at_until_its_last_token_has_run_out(users: Service) -> None:
    member = Member(users, DELIVERED)
    member.delete()
    user_id, traces = member.user["user_id"], Traces(users.names)
    erase(user_id, traces, now)
    assert traces.find_closed(user_id)
    erase(user_id, traces, lambda: now() + timedelta(minutes=21))
    assert traces.find_closed(user_id) is None


def test_nobody_is_erased_who_has_not_left(users: Service) -> None:
    member = Member(users, DELIVERED)
    run_function(users, stream_event(member.user["user_id"]))
    assert member.request("GET", "/me/addresses").json()["items"]
    assert member.order()["email"] == member.user["email"]


def test_a_shopper_who_leaves_is_erased_by_the_running_shop(stack: Stack) -> None:
    shelf = Shelf(stack.names)
    with stack.http() as http:
        email = f"leaving-{new_id().lower()}@shop.test"
        account = {"email": email, "password": PASSWORD, "name": "Ada Lovelace"}
        user = http.post("/api/users/register", json=account).json()["user"]
        known = {"email": email, "password": PASSWORD}
        signed_in = http.post("/api/users/login", json=known)
        header = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
        sku = shelf.put_on_sale()
        order_id = shelf.place(sku)
        stack.table("orders").update_item(
            Key=keys.order(order_id),
            UpdateExpression="SET #owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": f"user:{user['user_id']}"},
        )
        wait_until(lambda: shelf.states(order_id)[-1] == "delivered")
        gone = http.request("DELETE", "/api/users/me", headers=header, json={"password": PASSWORD})
        assert gone.status_code == 204, gone.text
    wait_until(lambda: "erased_at" in shelf.orders.get_order(order_id))
    assert shelf.orders.get_order(order_id)["email"] is None
