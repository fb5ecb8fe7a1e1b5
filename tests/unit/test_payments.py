"""The gateway's rules, what the shop owes by an order's row, and signatures of webhooks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iac.local.payment_gateway import domain
from iac.local.payment_gateway.domain import KeyReused, NotCapturable, NotRefundable
from pipeline.contracts.errors import ShopError
from pipeline.contracts.orders import OrderStatus
from pipeline.contracts.payments import (
    Authorisation,
    Payment,
    PaymentStatus,
    is_settled,
    net_owed_minor,
    refunds_owed,
)
from pipeline.payment.domain import pause_s
from pipeline.runtime.webhook_signature import TOLERANCE_S, BadSignature, sign, verify

P, S = PaymentStatus, OrderStatus
TOTAL, NOW = 1_000, 1_790_000_000
BODY, KEY = b'{"event_id": "o1:2"}', "a signing key"


def asked(card: str = "tok_visa", amount_minor: int = TOTAL) -> Authorisation:
    return Authorisation(amount_minor=amount_minor, currency="GBP", card_token=card)


def a_captured(**changes: Any) -> Payment:
    known = {"key": "o1", "amount_minor": TOTAL, "currency": "GBP", "status": P.CAPTURED,
             "captured_minor": TOTAL, "attempts": 1, "version": 2}  # fmt: skip
    return Payment(**known | changes)


@pytest.mark.parametrize(
    ("card", "status", "attempts", "code"),
    [
        ("tok_visa", P.AUTHORISED, 1, None),
        ("tok_timeout", P.AUTHORISED, 1, None),
        ("tok_flaky", P.AUTHORISED, 3, None),
        ("tok_declined", P.DECLINED, 1, "card_declined"),
        ("tok_insufficient_funds", P.DECLINED, 1, "insufficient_funds"),
        ("tok_unheard_of", P.DECLINED, 1, "invalid_card"),
    ],
)
def test_a_test_card_ends_as_it_promises(
    card: str, status: PaymentStatus, attempts: int, code: str | None
) -> None:
    ruling = domain.authorise("o1", asked(card), None)
    for _ in range(attempts - 1):
        assert ruling.is_busy
        ruling = domain.authorise("o1", asked(card), ruling.payment)
    payment = ruling.payment
    assert (payment.status, payment.attempts, payment.failure_code) == (status, attempts, code)
    assert ruling.is_answered == (card != "tok_timeout")
    again = domain.authorise("o1", asked(card), payment)
    assert (again.payment, again.is_changed, again.is_answered) == (payment, False, True)


@given(
    st.lists(
        st.sampled_from(["authorise", "capture", "void"])
        | st.tuples(st.sampled_from(["r1", "r2", "r3"]), st.integers(1, TOTAL)),
        max_size=15,
    ),
    st.sampled_from(["tok_visa", "tok_declined", "tok_flaky"]),
)
def test_whatever_is_asked_money_is_taken_once_and_never_more_given_back(
    requests: list[Any], card: str
) -> None:
    payment: Payment | None = None
    for request in requests:
        before = payment
        try:
            if request == "authorise":
                ruling = domain.authorise("o1", asked(card), before)
            elif request == "capture":
                ruling = domain.capture("o1", before)
            elif request == "void":
                ruling = domain.void("o1", before)
            else:
                ruling = domain.refund("o1", *request, before)
        except ShopError as refused:
            assert 400 <= refused.status < 500
            continue
        payment = ruling.payment
        seen = before.version if before else 0
        assert payment.version == seen + ruling.is_changed
        assert payment.captured_minor in (0, TOTAL)
        assert 0 <= payment.refunded_minor <= payment.captured_minor
        if before and before.status in (P.CAPTURED, P.VOIDED, P.DECLINED):
            assert payment.status is before.status, "an outcome is final"
            assert before.refunds.items() <= payment.refunds.items()


def test_another_amount_under_the_same_key_is_refused() -> None:
    held = domain.authorise("o1", asked(), None).payment
    with pytest.raises(KeyReused):
        domain.authorise("o1", asked(amount_minor=TOTAL + 1), held)
    with pytest.raises(KeyReused):
        domain.refund("o1", "r1", 2, a_captured(refunds={"r1": 1}))


def test_what_is_not_there_cannot_be_captured_or_given_back() -> None:
    with pytest.raises(NotCapturable):
        domain.capture("o1", domain.void("o1", None).payment)
    with pytest.raises(NotRefundable):
        domain.refund("o1", "r1", 1, domain.authorise("o1", asked(), None).payment)
    with pytest.raises(NotRefundable):
        domain.refund("o1", "r2", TOTAL, a_captured(refunds={"r1": 1}))


def an_order(status: OrderStatus, *refunds: int) -> dict[str, Any]:
    listed = [{"refund_id": f"r{n}", "amount_minor": x} for n, x in enumerate(refunds, start=1)]
    return {"status": status.value, "total_minor": TOTAL, "refunds": listed}


@pytest.mark.parametrize(
    ("order", "owed", "net_minor"),
    [
        (an_order(S.PLACED), {}, 0),
        (an_order(S.PAID), {}, TOTAL),
        (an_order(S.DELIVERED, 300, 200), {"r1": 300, "r2": 200}, 500),
        (an_order(S.CANCELLED), {"rest": TOTAL}, 0),
        (an_order(S.REFUNDED, 300), {"r1": 300, "rest": 700}, 0),
        (an_order(S.REFUNDED, 300, 700), {"r1": 300, "r2": 700}, 0),
    ],
)
def test_what_is_owed_follows_from_the_orders_row(
    order: dict[str, Any], owed: dict[str, int], net_minor: int
) -> None:
    assert refunds_owed(order) == owed
    assert net_owed_minor(order) == net_minor
    payment = a_captured(refunds=owed)
    assert is_settled(order, payment) == (order["status"] != "placed")
    assert not is_settled(order, a_captured(refunds={**owed, "more": 1}))


def test_a_payment_that_is_only_held_is_not_settled() -> None:
    held = domain.authorise("o1", asked(), None).payment
    assert not is_settled(an_order(S.CANCELLED), held)
    assert is_settled(an_order(S.CANCELLED), domain.void("o1", held).payment)


def test_a_signature_holds_for_its_body_its_key_and_five_minutes() -> None:
    header = sign(KEY, BODY, NOW)
    for later in (0, TOLERANCE_S, -TOLERANCE_S):
        verify(KEY, BODY, header, NOW + later)
    verify(KEY, BODY, f"{header},v1={'0' * 64}", NOW)  # while the key is being changed
    for later in (TOLERANCE_S + 1, -TOLERANCE_S - 1):
        with pytest.raises(BadSignature, match="ago"):
            verify(KEY, BODY, header, NOW + later)
    for key, body in ((KEY + "!", BODY), (KEY, BODY + b" ")):
        with pytest.raises(BadSignature, match="another secret"):
            verify(key, body, header, NOW)


@given(st.none() | st.text(max_size=90) | st.from_regex(r"t=\d{1,12}(,v1=[0-9a-f]{60,68}){0,3}"))
def test_what_is_no_signature_is_refused_and_never_breaks(header: str | None) -> None:
    with pytest.raises(BadSignature):
        verify(KEY, BODY, header, NOW)


def test_a_time_that_was_changed_breaks_the_signature() -> None:
    old = sign(KEY, BODY, NOW - 10_000)
    with pytest.raises(BadSignature, match="another secret"):
        verify(KEY, BODY, old.replace(str(NOW - 10_000), str(NOW)), NOW)


@given(st.integers(1, 100), st.integers(0, 10), st.floats(0, 0.999))
def test_pauses_grow_stay_bounded_and_are_nothing_when_told_so(
    attempt: int, first_s: int, dice: float
) -> None:
    pause = pause_s(attempt, first_s, dice)
    assert 0 <= pause <= 300
    assert (pause == 0) == (first_s == 0) or first_s * (0.5 + dice / 2) <= 0.5
    assert pause_s(attempt + 1, first_s, dice) >= pause
