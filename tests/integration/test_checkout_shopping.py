"""Two browsers of one person put in, save, sign in, use a code, order and cancel in any order: the
carts are what a few lines of model say, and the code's counters are its orders."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from checkout_shop import Browser, assert_problem, bearer, put_on_sale
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from storefront_api.checkout.domain import MAX_QUANTITY
from tests.conftest import Stack

DEVICES = st.sampled_from(["phone", "laptop"])
SKUS = st.integers(0, 2)
MAX_USES, MAX_USES_EACH = 3, 2


@dataclass
class Bag:
    """A cart as the model has it: quantities by SKU."""

    lines: dict[str, int] = field(default_factory=dict)
    saved: dict[str, int] = field(default_factory=dict)
    code: str | None = None

    def take_in(self, guest: "Bag") -> None:
        for sku, quantity in guest.lines.items():
            self.lines[sku] = min(MAX_QUANTITY, self.lines.get(sku, 0) + quantity)
        self.saved = guest.saved | self.saved
        self.saved = {sku: count for sku, count in self.saved.items() if sku not in self.lines}
        self.code = guest.code or self.code


class Shopping(RuleBasedStateMachine):
    stack: Stack
    skus: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.person = uuid4().hex
        self.browsers = {each: self._open() for each in ("phone", "laptop")}
        self.operator = self._open(bearer(self.stack, "operator-1", "operator"))
        self.guests = {each: Bag() for each in self.browsers}
        self.own = Bag()
        self.signed_in: set[str] = set()
        self.code = f"S{self.person[:12]}".upper()
        terms = {
            "kind": "percentage", "percent": 10,
            "max_uses": MAX_USES, "max_uses_per_shopper": MAX_USES_EACH,
        }  # fmt: skip
        path = f"/promotions/{self.code}"
        assert self.operator.request("PUT", path, json=terms).status_code == 201
        self.uses: Counter[str] = Counter()
        self.orders: list[tuple[str, str, str | None]] = []

    def teardown(self) -> None:
        self.opened.close()

    @rule(device=DEVICES, sku=SKUS, quantity=st.sampled_from([0, 1, 2, 60]))
    def put(self, device: str, sku: int, quantity: int) -> None:
        name, bag = self.skus[sku], self._bag(device)
        assert self.browsers[device].put(name, quantity).status_code == 200
        bag.lines.pop(name, None)
        if quantity:
            bag.lines[name] = quantity
            bag.saved.pop(name, None)

    @rule(device=DEVICES, sku=SKUS)
    def save(self, device: str, sku: int) -> None:
        name, bag = self.skus[sku], self._bag(device)
        assert self.browsers[device].request("PUT", f"/cart/saved/{name}").status_code == 200
        bag.saved[name] = bag.lines.pop(name, None) or bag.saved.get(name) or 1

    @rule(device=DEVICES, sku=SKUS)
    def forget(self, device: str, sku: int) -> None:
        name = self.skus[sku]
        answer = self.browsers[device].request("DELETE", f"/cart/saved/{name}")
        assert answer.status_code == 200
        self._bag(device).saved.pop(name, None)

    @rule(device=DEVICES, orders_at_once=st.booleans())
    def sign_in(self, device: str, orders_at_once: bool) -> None:
        if device in self.signed_in:
            return
        self.browsers[device].sign_in(bearer(self.stack, self.person))
        self.signed_in.add(device)
        self.own.take_in(self.guests[device])
        self.guests[device] = Bag()
        # The first request brings the two together, whichever it is.
        if orders_at_once:
            self.order(device)
        else:
            self.browsers[device].cart()

    @precondition(lambda self: self.signed_in)
    @rule()
    def sign_out_everywhere(self) -> None:
        for device in self.signed_in:
            self.browsers[device].sign_out()
        self.signed_in.clear()

    @rule(device=DEVICES)
    def use_code(self, device: str) -> None:
        answer = self.browsers[device].request("PUT", "/cart/promotion", json={"code": self.code})
        # Whose e-mail a guest will give is not known before the order.
        mine = self.uses[self.person] if device in self.signed_in else 0
        if why := self._why_not(mine):
            assert assert_problem(answer, 409, "promotion-ended")["reason"] == why
        else:
            assert answer.status_code == 200, answer.text
            self._bag(device).code = self.code

    @rule(device=DEVICES)
    def order(self, device: str) -> None:
        bag, who = self._bag(device), self._who(device)
        answer = self.browsers[device].order(email=f"{who}@shop.test")
        if not bag.lines:
            assert_problem(answer, 409, "empty-cart")
            return
        if bag.code and (why := self._why_not(self.uses[who])):
            assert assert_problem(answer, 409, "promotion-ended")["reason"] == why
            return
        assert answer.status_code == 201, answer.text
        assert (answer.json()["discount"]["amount_minor"] > 0) == bool(bag.code)
        self.uses[who] += bool(bag.code)
        self.orders.append((device, answer.json()["order_id"], who if bag.code else None))
        bag.lines, bag.code = {}, None

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        device, order_id, user_of_code = data.draw(st.sampled_from(self.orders))
        status = self.browsers[device].cancel(order_id).status_code
        assert status in (200, 404, 409)  # signed out since, or packed already
        if status == 200:
            self.orders.remove((device, order_id, user_of_code))
            if user_of_code:
                self.uses[user_of_code] -= 1

    @invariant()
    def carts_are_as_told(self) -> None:
        for device, browser in self.browsers.items():
            shown, bag = browser.cart(), self._bag(device)
            assert {line["sku"]: line["quantity"] for line in shown["items"]} == bag.lines
            assert {line["sku"]: line["quantity"] for line in shown["saved"]} == bag.saved
            assert (shown["promotion"] or {}).get("code") == bag.code

    @invariant()
    def uses_are_orders(self) -> None:
        told = self.operator.get(f"/promotions/{self.code}").json()["uses"]
        assert told == self.uses.total() <= MAX_USES
        assert max(self.uses.values(), default=0) <= MAX_USES_EACH

    def _bag(self, device: str) -> Bag:
        return self.own if device in self.signed_in else self.guests[device]

    def _who(self, device: str) -> str:
        return self.person if device in self.signed_in else f"{device}-{self.person}"

    def _why_not(self, mine: int) -> str | None:
        if self.uses.total() >= MAX_USES:
            return "used_up"
        return "used_by_you" if mine >= MAX_USES_EACH else None

    def _open(self, headers: dict[str, str] | None = None) -> Browser:
        return self.opened.enter_context(Browser(self.stack, headers))


@pytest.fixture
def shopping(stack: Stack) -> type[Shopping]:
    skus = [put_on_sale(stack, 100_000, price) for price in (1999, 250, 4000)]
    here: dict[str, Any] = {"stack": stack, "skus": skus}
    return type("ShoppingHere", (Shopping,), here)


def test_whatever_is_done_in_whatever_order_carts_and_counters_are_right(
    shopping: type[Shopping],
) -> None:
    run(
        shopping,
        settings=settings(
            max_examples=8, stateful_step_count=25, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
