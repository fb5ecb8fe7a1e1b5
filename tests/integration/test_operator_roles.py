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
# Operation -> the verbs, any of which the grant on its resource must have.
VERBS = {
    "GetItem": {"read"}, "BatchGetItem": {"read"}, "Query": {"read"}, "TransactGetItems": {"read"},
    "Scan": {"scan"}, "PutItem": {"write"}, "UpdateItem": {"write"}, "DeleteItem": {"write"},
    "BatchWriteItem": {"write"}, "TransactWriteItems": {"write"},
    "ListShards": {"read"}, "GetShardIterator": {"read"}, "PutRecords": {"write"},
    "ListObjectsV2": {"read"}, "GetObject": {"read"},
    "GetQueueUrl": {"send", "move"}, "SendMessage": {"send"}, "ReceiveMessage": {"move"},
    "DeleteMessage": {"move"}, "GetQueueAttributes": {"move"},
    "ChangeMessageVisibilityBatch": {"move"},
}  # fmt: skip
# What an iterator is for was granted when it was asked for.
BY_ITERATOR = {"GetRecords"}
KINDS = {
    "table_name": ("tables",), "stream_name": ("streams",), "bucket_name": ("buckets",),
    "queue_url": ("queues", "dead_letters"),
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
        _recording[-1].add((model.name, kind, name.rsplit("/", 1)[-1]))


def refused(asked: Asked, job: str, names: Names) -> Asked:
    """What the job's role does not grant."""
    grants = ROLES[job]["grants"]
    found = set()
    for operation, kind, name in asked:
        short = name.removeprefix(names.of(""))
        verbs = {
            verb
            for granted in KINDS.get(kind, ())
            if (granted == "dead_letters") == (short.endswith("-dlq") or short == "stream-failures")
            for verb in grants.get(granted, {}).get(short.removesuffix("-dlq"), ())
        }
        if operation not in BY_ITERATOR and not verbs & VERBS.get(operation, set()):
            found.add((operation, kind, short))
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
    assert {operation for operation, _, _ in asked} >= {"SendMessage", "PutRecords", "GetObject"}
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
    assert {operation for operation, _, _ in asked} >= {"Scan", "UpdateItem", "GetObject"}
