"""The quarantine and dead-letter desk: nothing is lost, nothing doubled, and everything adds up."""

import json
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.desk import figures
from pipeline.desk.domain import QUARANTINE, Progress, State
from pipeline.desk.service import Act, Busy, Desk
from pipeline.desk.store import OpsLedger
from pipeline.runtime import aws, clock
from pipeline.runtime.lake import Lake
from tests.conftest import Stack, wait_until
from tests.integration.desk_floor import DeskFloor, an_order, ids, late_by_format

ADA = Act("ada@shop.test", "entry-1")
CAUSE = "bad_envelope:occurred_at"


@pytest.fixture(scope="module")
def floor(emulator: Stack) -> DeskFloor:
    return DeskFloor(emulator)


@pytest.mark.parametrize(
    "words",
    [["count", "--hours", "0"], ["count", "--hours", "inf"], ["list", "--days", "99999999"],
     ["list", "--limit", "-1"], ["redrive", "--rate", "0"]],
)  # fmt: skip
def test_a_number_that_makes_no_sense_is_refused_by_name(
    floor: DeskFloor, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        floor.run(*words)
    assert left.value.code == 2
    assert f"argument {words[1]}" in capsys.readouterr().err


def test_the_command_mends_previews_redrives_and_counts(
    floor: DeskFloor, capsys: pytest.CaptureFixture[str]
) -> None:
    faulty, good = late_by_format(3), an_order()
    unmendable = an_order(payload={"order_id": "x"})
    floor.send(*faulty, good, unmendable, "no json, of ada@shop.test")
    floor.send(*faulty[:1])  # as a replay does
    assert floor.deliver() == 7
    assert floor.run("list") == 0
    said = capsys.readouterr().out
    assert re.search(rf"quarantine .*{CAUSE} .* 3 ", said), said
    assert re.search(r"bad_envelope:\(body\) .* 1 ", said), said
    assert floor.run("list", "--cause", CAUSE) == 0
    said = capsys.readouterr().out
    assert [said.count(case.case_id) for case in floor.cases(QUARANTINE)].count(1) == 3, said
    assert floor.run("list", "--cause", CAUSE, "--limit", "1") == 0
    said = capsys.readouterr().out
    assert [said.count(case.case_id) for case in floor.cases(QUARANTINE)].count(1) == 1, said
    chosen = ("--place", QUARANTINE, "--cause", CAUSE)
    assert floor.run("fix", *chosen, "--step", "fix-time") == 0
    said = capsys.readouterr().out
    assert '+  "occurred_at": "2031-02-03T10:00:00.000Z"' in said
    assert "accepted" in said
    assert {case.state for case in floor.cases(QUARANTINE)} == {State.OPEN}
    before = floor.sales()
    assert floor.run("redrive", *chosen) == 1, "what would be refused again is not sent"
    assert floor.run("fix", *chosen, "--step", "fix-time", "--apply", "--by", "ada") == 0
    assert floor.run("redrive", *chosen, "--by", "ada") == 0
    assert floor.deliver() == 3
    assert floor.landed() == sorted([*ids(faulty), good["event_id"]])
    assert floor.sales() == before + 3
    assert floor.run("redrive", *chosen) == 2, "there is nothing left to redrive"
    capsys.readouterr()
    assert floor.run("count") == 0
    said = capsys.readouterr().out
    assert re.search(r"\btest .* 9 .* 4 .* 5 .* 0 ", said), said
    assert re.search(r"quarantine .* 5 .* 2 .* 3 .* 0", said), said
    assert "Everything adds up" in said
    entries = [e for e in floor.audit() if e["actor"] == "ada"]
    assert [(e["action"], e["result"]) for e in entries] == [
        ("desk.fix", "ok"), ("desk.redrive", "ok"),
    ]  # fmt: skip
    assert entries[1]["detail"] == "3 of 3 redriven"
    redriven = [case for case in floor.cases(QUARANTINE) if case.state is State.REDRIVEN]
    assert {case.row.entry_id for case in redriven if case.row} == {entries[1]["sk"]}


def test_what_is_shown_of_a_case_is_masked_and_what_is_discarded_is_kept(
    floor: DeskFloor, capsys: pytest.CaptureFixture[str]
) -> None:
    floor.send("\x1b[31m of ada@shop.test")
    floor.deliver()
    (case,) = [c for c in floor.open_cases(QUARANTINE) if "31m" in c.body]
    assert floor.run("show", case.case_id[:10]) == 0
    said = capsys.readouterr().out
    assert "of •••" in said
    assert "ada@" not in said
    assert "\x1b[31m of" not in said
    assert floor.run("discard", case.case_id, "--reason", " ") == 2
    assert floor.run("discard", case.case_id, "--reason", "a test of the sender") == 0
    (case,) = [c for c in floor.cases(QUARANTINE) if c.case_id == case.case_id]
    assert case.row is not None
    assert (case.state, case.row.reason) == (State.DISCARDED, "a test of the sender")
    assert floor.run("redrive", case.case_id) == 2
    assert floor.adds_up()


def test_dead_letters_are_looked_at_sent_home_and_given_up(floor: DeskFloor) -> None:
    events = [an_order() for _ in range(12)]
    bodies = [json.dumps(event) for event in events]
    floor.put("payment-dlq", *bodies, event_type="order.placed.v1")
    place = "payment-dlq"
    for _ in range(2):  # looking takes nothing
        found = floor.open_cases(place)
        assert ids([json.loads(case.body) for case in found]) == ids(events)
    assert {case.cause for case in found} == {"failed:order.placed.v1"}
    given_up, kept = found[0], found[1:]
    assert floor.desk.discard([given_up], "paid by hand", ADA).done == 1
    done = floor.desk.redrive(kept, ADA, rate_per_s=200)
    assert (done.done, done.refused) == (11, {})
    home = floor.take("payment")
    assert sorted(m["Body"] for m in home) == sorted(case.body for case in kept)
    assert {m["MessageAttributes"]["event_type"]["StringValue"] for m in home} == {
        "order.placed.v1"
    }
    assert floor.take(place) == []
    (tombstone,) = [c for c in floor.cases(place) if c.state is State.DISCARDED]
    assert (tombstone.body, tombstone.is_here) == (given_up.body, False)
    balance = figures.count_place(floor.ledger, figures.places_of(floor.names, clock.now)[1])
    assert (balance.set_aside, balance.open, balance.redriven, balance.discarded) == (12, 0, 11, 1)


class Crash(BaseException):
    """The process is gone: nothing after it runs, no lease is given back."""


class Dying:
    """Calls through to another object, and dies once a number of its writes are done."""

    def __init__(self, inner: Any, lives: list[int]) -> None:
        self._inner, self._lives = inner, lives

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name == "drop_lease":
            return lambda owner: None if self._lives[0] <= 0 else found(owner)
        if name not in ("move", "send", "remove"):
            return found
        return lambda *given: self._and_die(found, *given)

    def _and_die(self, call: Callable[..., Any], *given: Any) -> Any:
        answer = call(*given)
        self._lives[0] -= 1
        if self._lives[0] == 0:
            raise Crash
        return answer


def test_a_crash_after_any_write_of_a_redrive_loses_nothing_and_doubles_nothing(
    emulator: Stack,
) -> None:
    floor = DeskFloor(emulator)
    crashed = 0
    for lives in range(1, 50):
        faulty, dead = late_by_format(2), an_order()
        floor.send(*faulty)
        floor.deliver()
        floor.desk.fix(floor.open_cases(QUARANTINE), ["fix-time"], ADA)
        floor.put("fulfilment-dlq", json.dumps(dead))
        left = [lives]
        for place in (QUARANTINE, "fulfilment-dlq"):
            try:
                _dying_desk(floor, left).redrive(floor.open_cases(place), ADA)
            except Crash:
                crashed += 1
        later = OpsLedger(floor.names, lambda: clock.now() + timedelta(minutes=2))  # lease is over
        for place in (QUARANTINE, "fulfilment-dlq"):
            desk = Desk(figures.places_of(floor.names, clock.now), later, clock.now, _no_sleep)
            cases = [case for case in desk.cases(place) if case.is_open or case.is_here]
            if any(case.is_open or place != QUARANTINE for case in cases):
                desk.redrive(cases, ADA)
        floor.deliver()
        sent = Counter(json.loads(record.body)["event_id"] for record in floor.stream())
        assert {i: sent[i] for i in ids(faulty)} == dict.fromkeys(ids(faulty), 2), lives
        home = {m["Body"] for m in floor.take("fulfilment")}
        assert home == {json.dumps(dead)}, lives
        assert floor.take("fulfilment-dlq") == [], lives
        assert floor.open_cases(QUARANTINE) == [], lives
        if left[0] > 0:
            break
    assert crashed == lives - 1 >= 8, "every write was the last one once"
    assert floor.sales() == 2 * lives
    assert floor.adds_up()


def _dying_desk(floor: DeskFloor, lives: list[int]) -> Desk:
    places = [Dying(place, lives) for place in figures.places_of(floor.names, clock.now)]
    return Desk(places, Dying(floor.ledger, lives), clock.now, _no_sleep)


def _no_sleep(seconds: float) -> None:
    """The rate has a test of its own."""


def test_of_two_who_act_on_the_same_cases_each_case_has_one(floor: DeskFloor) -> None:
    faulty = late_by_format(8)
    floor.send(*faulty)
    floor.deliver()
    cases = [case for case in floor.open_cases(QUARANTINE) if case.cause == CAUSE]
    floor.desk.fix(cases, ["fix-time"], ADA)
    cases = [case for case in floor.open_cases(QUARANTINE) if case.cause == CAUSE]
    acts: list[Callable[[], Progress]] = [
        lambda: floor.desk.redrive(cases, ADA, rate_per_s=100),
        lambda: floor.desk.discard(list(reversed(cases)), "no", Act("bob", "entry-2")),
    ]
    with ThreadPoolExecutor(2) as pool:
        redriven, discarded = pool.map(lambda act: act(), acts)
    assert redriven.done + discarded.done == 8
    floor.deliver()
    assert len(set(floor.landed()) & set(ids(faulty))) == redriven.done
    assert floor.adds_up()


def test_one_redrive_at_a_time_and_no_faster_than_asked(floor: DeskFloor) -> None:
    floor.put("notification-dlq", *(json.dumps(an_order()) for _ in range(10)))
    cases = floor.open_cases("notification-dlq")
    slept: list[float] = []
    desk = Desk(
        figures.places_of(floor.names, clock.now), floor.ledger, _still, slept.append
    )  # fmt: skip
    assert floor.ledger.take_lease("somebody else")
    with pytest.raises(Busy):
        desk.redrive(cases, ADA)
    floor.ledger.drop_lease("somebody else")
    assert desk.redrive(cases, ADA, rate_per_s=5).done == 10
    assert slept == [1.0, 2.0], "a batch of five, a second; its clock stands still"
    report = floor.ledger.find_report()
    assert report is not None
    assert (report["done"], report["is_over"]) == (10, True)


_BEGAN = clock.now()


def _still() -> datetime:
    return _BEGAN


def test_a_record_that_never_landed_is_named_by_the_count(
    emulator: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    floor = DeskFloor(emulator)
    for _ in range(2):
        floor.send(an_order())
        floor.deliver()
    assert floor.run("count") == 0
    first = floor.stream()[0]
    (lost, _) = sorted(one.key for one in Lake(floor.names).list_objects("raw/"))
    aws.client("s3").delete_object(Bucket=floor.names.lake_bucket, Key=lost)
    capsys.readouterr()
    assert floor.run("count") == 1
    said = capsys.readouterr().out.replace("\n", "")
    assert f"1 in the stream, not in the lake: {first.shard}:{first.sequence_number}" in said


def test_a_batch_that_a_function_gave_up_is_run_again_while_the_stream_has_it(
    emulator: Stack,
) -> None:
    """On the shop's own stage, whose functions run."""
    # From a file, as it were: of a live one the ledger would miss the order's row.
    names = emulator.names
    lake, kinesis = Lake(names), aws.client("kinesis")

    def files(sequence: str) -> list[str]:
        alone = f"-{sequence}-{sequence}."
        return [one.key for one in lake.list_objects("raw/") if alone in one.key]

    for _ in range(5):  # until what the shop says meanwhile is in another batch
        event = an_order(source="replay")
        put = kinesis.put_record(
            StreamName=names.events_stream, Data=json.dumps(event).encode(), PartitionKey="k"
        )
        sequence = put["SequenceNumber"]
        wait_until(lambda: _has_landed(lake, event), pause_s=0.5)  # noqa: B023
        if files(sequence):
            break
    (key,) = files(sequence)
    aws.client("s3").delete_object(Bucket=names.lake_bucket, Key=key)  # as if it had failed
    url = aws.client("sqs").get_queue_url(QueueName=names.queue("stream-failures"))["QueueUrl"]
    arn = f"arn:aws:kinesis:eu-west-2:000000000000:stream/{names.events_stream}"
    for first in (sequence, "1"):
        batch = {"shardId": put["ShardId"], "startSequenceNumber": first, "batchSize": 1,
                 "endSequenceNumber": first, "streamArn": arn}  # fmt: skip
        function = f"arn:aws:lambda:eu-west-2:000000000000:function:{names.function('landing')}"
        context = {"functionArn": function, "condition": "RetryAttemptsExhausted"}
        failed = {"requestContext": context, "KinesisBatchInfo": batch}
        aws.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(failed))
    desk = Desk(
        figures.places_of(names, clock.now), OpsLedger(names, clock.now), clock.now, _no_sleep
    )
    cases = [c for c in desk.cases("stream-failures") if c.is_open and c.source == "landing"]
    assert {case.cause for case in cases} == {"landing:RetryAttemptsExhausted"}
    done = desk.redrive(cases, ADA)
    assert done.done == 1
    assert ["no longer has" in why for why in done.refused.values()] == [True]
    assert files(sequence) == [key]
    left = [c for c in desk.cases("stream-failures") if c.is_open and c.source == "landing"]
    assert desk.discard(left, "too late", ADA).done == 1
    assert _has_landed(lake, event)


def _has_landed(lake: Lake, event: dict[str, Any]) -> bool:
    return event["event_id"] in set(lake.events("order.placed.v1")["event_id"])
