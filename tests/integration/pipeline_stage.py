"""A stage of its own on the emulator: nothing that these tests invent is in the shop's figures."""

import time

from iac.local import messaging, storage, tables
from iac.local.topology import Topology
from pipeline.contracts.names import Names
from tests.conftest import Stack


def own_stage(emulator: Stack) -> Names:
    """A new stage with the analytics and ops tables, the stream, the lake and its database."""
    names = Names(f"p{time.time_ns() // 1_000_000 % 10**8:08d}")
    topology = Topology(names)
    for short in ("analytics", "ops"):
        tables.apply_table(emulator.aws, names.table(short), topology.tables[short])
    messaging.apply_stream(emulator.aws, names.events_stream, topology.streams["events"])
    storage.apply_bucket(emulator.aws, names.lake_bucket)
    storage.apply_glue_database(emulator.aws, names.glue_database)
    return names
