"""On AWS an operator takes on a role for the desk or a rebuild: it grants what these ask for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from iac.local.ports import ROOT
from pipeline.contracts.names import Names
from pipeline.desk.domain import QUARANTINE
from pipeline.desk.service import Act
from pipeline.rebuild.service import Rebuild, discard
from pipeline.runtime import aws, clock, generations
from pipeline.runtime.calls import resource_of
from tests.conftest import Stack
from tests.integration.desk_floor import DeskFloor, an_order, late_by_format
from tests.integration.pipeline_flow import Flow, a_click
from tests.integration.pipeline_flow import an_order as a_placed_order
from tests.integration.pipeline_stage import own_stage

TOPOLOGY = ROOT / "iac" / "topology"
ROLES = json.loads((TOPOLOGY / "roles.json").read_text())
AT = datetime(1991, 5, 17, 9, 30, tzinfo=UTC)
ACTIONS = json.loads((ROOT / "iac" / "modules" / "grants" / "actions.json").read_text())
# Where IAM calls an operation otherwise.
NAMED = {
    "dynamodb:TransactGetItems": {"dynamodb:GetItem"},
    "dynamodb:TransactWriteItems": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
    "s3:ListObjectsV2": {"s3:ListBucket"},
    "sqs:ChangeMessageVisibilityBatch": {"sqs:ChangeMessageVisibility"},
}
KINDS = {
    "table_name": ("tables",), "stream_name": ("streams",), "bucket_name": ("buckets",),
    "queue_url": ("queues", "dead_letters"), "": ("streams",),
}  # fmt: skip
Asked = set[tuple[str, str, str]]  # operation, kind of resource, its full name
_recording: list[Asked] = []


@contextmanager
def recorded() -> Iterator[Asked]:
    """What this process asks of AWS meanwhile."""
    aws.watch(_listen)
    _recording.append(set())
    try:
        yield _recording[-1]
    finally:
        _recording.pop()


def _listen(client: Any) -> None:
    client.meta.events.register("provide-client-params", _note, unique_id="operator-roles")


def _note(params: dict[str, Any], model: Any, **_: Any) -> None:
    if _recording:
        asked = {"QueueUrl": params["QueueName"]} if "QueueName" in params else params
        kind, name = resource_of(asked) or ("", "")
        operation = f"{model.service_model.signing_name}:{model.name}"
        _recording[-1].add((operation, kind, name.rsplit("/", 1)[-1]))


def refused(asked: Asked, job: str, names: Names) -> Asked:
    """What the job's role does not grant. An iterator names no stream: any one's grant will do."""
    return {
        (operation, kind, name)
        for operation, kind, name in asked
        if not NAMED.get(operation, {operation})
        <= _granted(ROLES[job]["grants"], kind, name, names)
    }


def _granted(grants: dict[str, Any], kind: str, name: str, names: Names) -> set[str]:
    short = name.removeprefix(names.of(""))
    is_dead = short.endswith("-dlq") or short == "stream-failures"
    found = set()
    for granted in KINDS[kind]:
        if (granted == "dead_letters") == is_dead:
            for thing, verbs in grants.get(granted, {}).items():
                if not name or thing == short.removesuffix("-dlq"):
                    found |= {action for verb in verbs for action in ACTIONS[granted][verb]}
    return found


def test_the_role_of_the_desk_grants_all_it_asks_for(emulator: Stack) -> None:
    floor, act = DeskFloor(emulator), Act("ada@shop.test", "entry-1")
    floor.send(*late_by_format(4), "no json")
    floor.deliver()
    for queue in ("payment", "expiry", "fulfilment", "notification"):
        floor.put(f"{queue}-dlq", json.dumps(an_order()), json.dumps(an_order()))
    chosen = ("--place", QUARANTINE, "--cause", "bad_envelope:occurred_at")
    with recorded() as asked:
        floor.run("list")
        assert floor.run("fix", *chosen, "--step", "fix-time", "--apply") == 0
        assert floor.run("redrive", *chosen) == 0
        for queue in ("payment", "expiry", "fulfilment", "notification"):
            one, other = floor.open_cases(f"{queue}-dlq")
            assert floor.desk.redrive([one], act).done == 1
            assert floor.desk.discard([other], "a test", act).done == 1
        floor.run("count")
    assert refused(asked, "desk", floor.names) == set()
    assert {operation for operation, _, _ in asked} >= {
        "sqs:SendMessage", "kinesis:PutRecords", "s3:GetObject",
    }  # fmt: skip
    assert refused(asked, "rebuild", floor.names), "the one is not the other"


def test_the_desk_may_run_each_function_that_reads_a_stream_and_read_that_stream() -> None:
    mappings = json.loads((TOPOLOGY / "mappings.json").read_text()).values()
    on_streams = [one for one in mappings if "queue" not in one["source"]]
    grants = ROLES["desk"]["grants"]
    assert grants["functions"].keys() == {one["function"] for one in on_streams}
    read = {(kind, name) for one in on_streams for kind, name in one["source"].items()}
    granted = {("table", name) for name in grants["table_streams"]}
    assert granted | {("stream", name) for name in grants["streams"]} == read


def test_the_role_of_a_rebuild_grants_all_it_asks_for(emulator: Stack) -> None:
    names = own_stage(emulator)
    flow = Flow(names)
    flow.deliver(a_placed_order("order-1", AT), *(a_click(n, AT) for n in range(3)))
    with recorded() as asked:
        Rebuild(names, clock.new_id(), "a test", clock.now).run()
        generations.swap(names)
        generations.roll_back(names)
        assert discard(names, clock.new_id(), clock.now) > 0
    assert refused(asked, "rebuild", names) == set()
    assert {operation for operation, _, _ in asked} >= {
        "dynamodb:Scan", "dynamodb:UpdateItem", "s3:GetObject",
    }  # fmt: skip
