"""Applies the topology to the emulator: creates what is missing, changes what differs."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec

from iac.local import alarms, functions, messaging, storage, tables
from iac.local.aws import Clients
from iac.local.ports import Addresses, environment
from iac.local.topology import Outcome, Topology
from pipeline.contracts.names import Names

Step = Callable[[], Outcome | list[Outcome]]
_THREADS = 8
P = ParamSpec("P")


def bootstrap(at: Addresses) -> list[Outcome]:
    """Returns one outcome per resource. Raises botocore's ClientError on the first failure."""
    topology = Topology(Names(at.stage))
    clients = Clients(at)
    outcomes: list[Outcome] = []
    for phase in _phases(clients, topology, environment(at)):
        outcomes += _run(phase)
    return outcomes


def _phases(clients: Clients, topology: Topology, env: dict[str, str]) -> Iterable[list[Step]]:
    """What each phase needs was made by the one before it."""
    names = topology.names
    yield [
        *(
            _step(tables.apply_table, clients, names.table(t), d)
            for t, d in topology.tables.items()
        ),
        *(
            _step(messaging.apply_stream, clients, names.of(s), d)
            for s, d in topology.streams.items()
        ),
        *(
            _step(messaging.apply_queue, clients, names.queue(q), d)
            for q, d in topology.queues.items()
        ),
        *(_step(storage.apply_bucket, clients, names.of(b)) for b in topology.buckets),
        _step(storage.apply_secrets, clients, topology),
        _step(storage.apply_glue_database, clients, names.glue_database),
    ]
    yield [
        *(_step(messaging.apply_topic, clients, topology, topic) for topic in topology.topics),
        *(
            _step(functions.apply_function, clients, topology, function, env)
            for function in topology.functions
        ),
    ]
    yield [
        *(_step(functions.apply_mapping, clients, topology, short) for short in topology.mappings),
        *(
            _step(functions.apply_schedule, clients, topology, short)
            for short in topology.schedules
        ),
        _step(alarms.apply_alarms, clients, topology),
    ]


def _step(apply: Callable[P, Outcome | list[Outcome]], *args: P.args, **kwargs: P.kwargs) -> Step:
    return lambda: apply(*args, **kwargs)


def _run(steps: list[Step]) -> list[Outcome]:
    with ThreadPoolExecutor(_THREADS) as pool:
        results = list(pool.map(lambda step: step(), steps))
    outcomes: list[Outcome] = []
    for result in results:
        outcomes += result if isinstance(result, list) else [result]
    return outcomes
