"""The hourly schedules: that they are what the topology says, and that one starts its function.

Nobody waits an hour. A stage of its own has the schedule of compaction, made by the bootstrap's
own code, with a moment instead of the hour: the emulator looks every ten seconds what is due.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pytest

from iac.local.functions import apply_function, apply_schedule
from iac.local.topology import Declared, Topology
from pipeline.contracts.names import Names
from pipeline.landing.service import land
from pipeline.landing.store import LakeFiles
from pipeline.runtime import clock
from pipeline.runtime.kinesis import StreamRecord
from pipeline.runtime.lake import Lake, read_state
from tests.conftest import Stack, wait_until
from tests.integration.pipeline_stage import own_stage


class DueNow(Topology):
    """The topology, but that its schedules come once, at this moment."""

    @cached_property
    def schedules(self) -> Declared:
        moment = f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})"
        return {
            short: declared | {"expression": moment}
            for short, declared in super().schedules.items()
        }


@pytest.fixture
def due(emulator: Stack) -> Iterator[Topology]:
    """A stage whose compaction is deployed, and is due once somebody applies its schedule."""
    topology = DueNow(own_stage(emulator))
    names, environment = topology.names, emulator.env | {"HAS_STAGE": topology.names.stage}
    apply_function(emulator.aws, topology, "compaction", environment)
    yield topology
    emulator.aws("scheduler").delete_schedule(Name=names.of("compaction"))
    emulator.aws("lambda").delete_function(FunctionName=names.function("compaction"))


def schedule(emulator: Stack, names: Names, short: str) -> dict[str, Any]:
    found: dict[str, Any] = emulator.aws("scheduler").get_schedule(Name=names.of(short))
    return found


@pytest.mark.parametrize("short", Topology(Names("any")).schedules)
def test_a_schedule_is_as_the_topology_says_and_is_put_right(emulator: Stack, short: str) -> None:
    topology = Topology(emulator.names)
    declared = topology.schedules[short]
    function = emulator.aws("lambda").get_function_configuration(
        FunctionName=topology.names.function(declared["function"])
    )
    found = schedule(emulator, topology.names, short)
    assert (found["ScheduleExpression"], found["State"]) == (declared["expression"], "ENABLED")
    assert found["Target"]["Arn"] == function["FunctionArn"]
    assert json.loads(found["Target"]["Input"]) == declared["input"]
    assert apply_schedule(emulator.aws, topology, short).change == "unchanged"
    emulator.aws("scheduler").update_schedule(
        Name=topology.names.of(short), ScheduleExpression="rate(7 days)",
        FlexibleTimeWindow=found["FlexibleTimeWindow"], Target=found["Target"],
    )  # fmt: skip
    assert apply_schedule(emulator.aws, topology, short).change == "changed"
    mended = schedule(emulator, topology.names, short)
    assert (mended["ScheduleExpression"], mended["Target"]) == (
        found["ScheduleExpression"], found["Target"],
    )  # fmt: skip


def test_the_scheduler_starts_a_compaction_of_what_has_landed(
    emulator: Stack, due: Topology
) -> None:
    names = due.names
    click = {
        "event_id": "scheduled-1", "event_type": "shopper.product_viewed.v1", "source": "test",
        "occurred_at": "1983-01-01T10:00:00.000Z", "correlation_id": "c", "partition_key": "s",
        "payload": {"session_id": "s"},
    }  # fmt: skip
    land(
        [StreamRecord("shardId-0", "1", clock.now(), json.dumps(click).encode())], LakeFiles(names)
    )
    assert read_state(names).compacted_at is None
    assert Lake(names).clickstream(fresh=False).is_empty()
    assert apply_schedule(emulator.aws, due, "compaction").change == "created"
    wait_until(lambda: read_state(names).compacted_at)
    assert Lake(names).clickstream(fresh=False)["event_id"].to_list() == ["scheduled-1"]
    assert Lake(names).pending() == []
