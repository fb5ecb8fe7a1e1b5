"""Rules of the workers that need no store."""

import json
from collections import defaultdict
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.events import Envelope, Rejected, parse_event
from pipeline.contracts.orders import ALLOWED_FROM, TERMINAL, OrderStatus
from pipeline.fulfilment.domain import REACHES, is_early
from pipeline.notification.domain import to_mail
from pipeline.relay.domain import in_waves, is_news, to_event
from pipeline.runtime.sqs import handler_of

S = OrderStatus


def an_order_row(
    status: OrderStatus = S.PLACED, version: int = 1, **changes: Any
) -> dict[str, Any]:
    at = "2026-03-01T12:00:00.000Z"
    line = {
        "line_no": 1, "sku": "MUG-1", "product_id": "mug", "title": "Mug", "category": "Kitchen",
        "quantity": 2, "unit_price_minor": 550, "line_total_minor": 1100,
        "options": {"colour": "red"}, "image_url": "/mug.webp",
    }  # fmt: skip
    return {
        "pk": "ORDER#01M", "sk": "ORDER", "order_id": "01M", "owner": "guest:9f", "lines": [line],
        "customer_id": None, "email": "ada@example.com", "status": status.value,
        "version": version, "placed_at": at, "country": "United Kingdom", "currency": "GBP",
        "subtotal_minor": 1100, "shipping_minor": 399, "tax_minor": 300, "total_minor": 1799,
        "shipping_address": {"line1": "12 Secret Street"}, "shipping_method": "standard",
        "card_token": "tok_visa", "payment": {"status": "pending", "failure_code": None},
        "timeline": [{"version": v, "status": "placed", "at": at, "note": None}
                     for v in range(1, version + 1)],
        "correlation_id": "corr-1", "synthetic": False, "listing": "order", **changes,
    }  # fmt: skip


@pytest.mark.parametrize("status", list(S))
def test_every_state_becomes_an_event_that_the_contract_accepts(status: OrderStatus) -> None:
    event = parse_event(to_event(an_order_row(status, 3)).model_dump_json())
    assert (event.event_id, event.causation_id) == ("01M:3", "01M:2")
    assert event.event_type == f"order.{status.value}.v1"
    assert event.payload["lines"][0]["line_total_minor"] == 1100


def a_refund(version: int) -> dict[str, Any]:
    return {
        "refund_id": "01R", "version": version, "key": "k", "by": "operator-1", "reason": None,
        "lines": [{
            "line_no": 1, "sku": "MUG-1", "product_id": "mug", "title": "Mug",
            "category": "Kitchen", "quantity": 1, "unit_price_minor": 550,
            "line_total_minor": 550, "discount_minor": 55, "tax_minor": 99,
        }],
        "subtotal_minor": 550, "discount_minor": 55, "shipping_minor": 0, "tax_minor": 99,
        "amount_minor": 594, "is_restocked": False,
    }  # fmt: skip


def test_a_partial_refund_is_an_event_of_its_own_lines_and_tells_of_its_own_money() -> None:
    row = an_order_row(S.DELIVERED, 6, refunds=[a_refund(6)])
    event = parse_event(to_event(row).model_dump_json())
    assert event.event_type == "order.refunded.v1"
    told = event.payload
    assert (told["status"], told["refund_id"], told["total_minor"]) == ("delivered", "01R", -594)
    (line,) = told["lines"]
    amounts = (line["quantity"], line["line_total_minor"], line["discount_minor"])
    assert amounts == (1, -550, -55)
    mail = to_mail(event)
    assert mail is not None
    assert "Money back" in mail.subject
    assert mail.text.endswith("1 × Mug\nTotal: 5.94 GBP")
    later = to_event(an_order_row(S.DELIVERED, 7, refunds=[a_refund(6)]))
    assert later.event_type == "order.delivered.v1"


def test_the_first_event_of_an_order_has_no_cause() -> None:
    assert to_event(an_order_row()).causation_id is None


def test_no_card_e_mail_or_address_leaves_the_order_row() -> None:
    body = to_event(an_order_row()).model_dump_json()
    for secret in ("tok_visa", "ada@example.com", "Secret Street", "guest:9f"):
        assert secret not in body


@pytest.mark.parametrize(
    "changes",
    [{"status": "lost"}, {"version": 2}, {"lines": []}, {"lines": None}, {"total_minor": "much"}],
)
def test_a_row_that_is_no_order_is_rejected_with_the_reason(changes: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as rejected:
        to_event(an_order_row() | changes)
    assert rejected.value.reason == "bad_order"
    assert rejected.value.detail


def test_only_a_new_version_is_news() -> None:
    first, second = an_order_row(), an_order_row(S.PAID, 2)
    assert is_news(first, None)
    assert is_news(second, first)
    assert not is_news(second, second | {"email": None})


@given(st.lists(st.sampled_from("abcd"), max_size=40))
def test_waves_keep_each_orders_sequence_and_hold_an_order_once(orders: list[str]) -> None:
    versions: dict[str, int] = defaultdict(int)
    events = []
    for order_id in orders:
        versions[order_id] += 1
        event = to_event(an_order_row(order_id=order_id))
        events.append(event.model_copy(update={"event_id": f"{order_id}:{versions[order_id]}"}))
    waves = in_waves(events)
    for wave in waves:
        assert len({event.partition_key for event in wave}) == len(wave)
    sent = [event for wave in waves for event in wave]
    for order_id, count in versions.items():
        mine = [event.event_id for event in sent if event.partition_key == order_id]
        assert mine == [f"{order_id}:{n}" for n in range(1, count + 1)]


def test_a_step_is_early_exactly_while_the_order_can_still_come_there() -> None:
    early = {step: {status for status in S if is_early(status, step)} for step in REACHES}
    assert early == {
        "pack": {S.PLACED, S.PAID},
        "ship": {S.PLACED, S.PAID, S.PACKED},
        "deliver": {S.PLACED, S.PAID, S.PACKED, S.SHIPPED},
    }
    assert not any(is_early(status, step) for status in TERMINAL for step in REACHES)
    assert set(ALLOWED_FROM) == set(S)


@pytest.mark.parametrize("status", list(S))
def test_every_state_has_its_mail_with_the_goods_and_the_total(status: OrderStatus) -> None:
    mail = to_mail(_event(status))
    assert mail is not None
    assert "2 × Mug" in mail.text
    assert "Total: 17.99 GBP" in mail.text
    assert "{" not in mail.subject


def test_no_two_states_share_a_subject() -> None:
    mails = [to_mail(_event(status)) for status in S]
    assert len({mail.subject for mail in mails if mail}) == len(S)


def _event(status: OrderStatus) -> Envelope:
    return Envelope.model_validate(json.loads(to_event(an_order_row(status)).model_dump_json()))


def test_messages_of_a_batch_are_handled_at_once_and_each_fails_for_itself() -> None:
    together = Barrier(5)

    def work(body: str) -> None:
        together.wait(timeout=10)  # breaks unless five are here at the same time
        if body == "bad":
            raise ValueError(body)

    bodies = [*["good"] * 6, "bad", *["good"] * 3]
    records = [
        {"messageId": str(n), "body": body, "eventSourceARN": "arn:aws:sqs:eu-west-1:1:q",
         "eventSource": "aws:sqs", "attributes": {}, "receiptHandle": "r"}
        for n, body in enumerate(bodies)
    ]  # fmt: skip
    answer = handler_of(work, at_once=5)({"Records": records}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "6"}]}
