"""Messages about an order come twice, late and swapped: it keeps its promises, and its end."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipeline.contracts.orders import ALLOWED_FROM, TERMINAL
from pipeline.runtime.order_moves import Outcome
from tests.order_model import MOVES, PLACED_AT, WINDOW, Message, Model, S, an_order

refunds = st.builds(
    Message,
    st.just("refund"),
    key=st.sampled_from(["r1", "r2", "r3"]),
    units=st.none() | st.integers(1, 3),
    are_back=st.booleans(),
)
messages = st.sampled_from([Message(kind) for kind in MOVES]) | refunds


class Saga(RuleBasedStateMachine):
    """Anything may be asked at any time, again and again."""

    @initialize(quantities=st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple))
    def place(self, quantities: tuple[int, ...]) -> None:
        self.model = Model(an_order(quantities=quantities))
        self.at = PLACED_AT
        self.sent: list[Message] = []

    @rule(message=messages)
    def ask(self, message: Message) -> None:
        before = (self.model.order, str(self.model.stock))
        outcome = self.model.deliver(message, self.at)
        self.sent.append(message)
        if outcome is not Outcome.ADVANCED:
            assert (self.model.order, str(self.model.stock)) == before
        else:
            assert self.model.deliver(message, self.at) is Outcome.ALREADY

    @rule(minutes=st.integers(1, 10))
    def wait(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)

    @invariant()
    def keeps_its_promises(self) -> None:
        if hasattr(self, "model"):
            self.model.check()

    def teardown(self) -> None:
        """Once everything has come to rest, whatever is delivered again changes nothing."""
        if not hasattr(self, "model"):
            return
        settle(self.model, self.sent, self.at)
        rested = self.model.order
        for message in reversed(self.sent):
            self.model.deliver(message, self.at)
        assert self.model.order == rested


TestSaga = Saga.TestCase
TestSaga.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)


def settle(model: Model, sent: list[Message], at: Any) -> None:
    """As queues do: what is refused comes again, until nothing moves any more."""
    while any(model.deliver(message, at) is Outcome.ADVANCED for message in sent):
        pass


DECISIONS = ["paid", "payment_failed", "cancel", "expire"]


@settings(deadline=None)
@given(
    st.permutations(["paid", "pack", "ship", "deliver"]),
    st.sampled_from([None, *DECISIONS[1:]]),
    st.integers(0, 4),
    st.booleans(),
)
def test_the_end_depends_on_what_was_decided_first_and_on_no_other_order(
    order_of: list[str], against: str | None, place: int, is_late: bool
) -> None:
    sent = [Message(kind) for kind in order_of]
    if against:
        sent.insert(place, Message(against))
    at = PLACED_AT + (WINDOW if is_late else timedelta())
    model = Model(an_order())
    first = next((m.kind for m in sent if model.deliver(m, at) is Outcome.ADVANCED), None)
    settle(model, sent, at)
    model.check()
    ends = {"payment_failed": "payment_failed", "cancel": "cancelled", "expire": "cancelled",
            "paid": "delivered", None: "placed"}  # fmt: skip
    if first == "paid" and against == "cancel":  # possible until it is packed
        assert model.order["status"] in {"delivered", "cancelled"}
    else:
        assert model.order["status"] == ends[first]
    if is_late:
        assert "paid" not in [entry["status"] for entry in model.order["timeline"]]


@settings(deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple), st.data())
def test_refunds_in_any_steps_add_up_to_what_was_paid(
    quantities: tuple[int, ...], data: st.DataObject
) -> None:
    model = Model(an_order(quantities=quantities))
    model.deliver(Message("paid"), PLACED_AT)
    for step in range(data.draw(st.integers(0, 6))):
        message = Message("refund", f"r{step}", data.draw(st.integers(1, 4)))
        model.deliver(message, PLACED_AT)
        model.check()
    model.deliver(Message("refund", "rest"), PLACED_AT)
    model.check()
    order = model.order
    assert order["status"] == "refunded"
    names = ("subtotal_minor", "discount_minor", "shipping_minor", "tax_minor")
    for name in names:
        assert sum(refund[name] for refund in order["refunds"]) == order[name]
        assert min(refund[name] for refund in order["refunds"]) >= 0
    for refund in order["refunds"]:
        subtotal, discount, shipping, tax = (refund[name] for name in names)
        assert refund["amount_minor"] == subtotal - discount + shipping + tax


def test_every_state_can_be_reached_and_the_last_ones_lead_nowhere_but_to_a_refund() -> None:
    reached = {S.PLACED}
    while more := {to for to, sources in ALLOWED_FROM.items() if sources & reached} - reached:
        reached |= more
    assert reached == set(S)
    for state in TERMINAL:
        following = {to for to, sources in ALLOWED_FROM.items() if state in sources}
        assert following <= {S.REFUNDED}
