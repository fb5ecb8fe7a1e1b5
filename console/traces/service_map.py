"""The map that many traces draw: who calls whom, how often, how well, how fast."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from console.traces.analysis import percentile
from console.traces.documents import Kind
from console.traces.domain import Trace

BROWSER, EDGE = "browser", "edge"
_TOPIC = "SNS orders"
# What a function reads from; its records name the writer, not the channel between.
CHANNELS = {
    "relay": ("DynamoDB orders", Kind.DATABASE),
    "stock": ("DynamoDB products", Kind.DATABASE),
    "erasure": ("DynamoDB users", Kind.DATABASE),
    "payment": ("SQS payment", Kind.QUEUE),
    "fulfilment": ("SQS fulfilment", Kind.QUEUE),
    "notification": ("SQS notification", Kind.QUEUE),
    "landing": ("Kinesis events", Kind.STREAM),
    "folding": ("Kinesis events", Kind.STREAM),
}


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of one node or edge: how often, how many of them failed, and the slow end in ms.

    `p95_ms` is None where nothing measures the time: at the browser, the edge and a channel.
    """

    count: int
    errors: int
    p95_ms: float | None

    @property
    def error_percent(self) -> float:
        return self.errors / self.count * 100 if self.count else 0.0


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    kind: Kind
    numbers: Numbers
    is_inferred: bool


@dataclass(frozen=True, slots=True)
class Edge:
    source: str
    target: str
    numbers: Numbers
    is_asynchronous: bool


@dataclass(frozen=True, slots=True)
class ServiceMap:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    traces: int


@dataclass(frozen=True, slots=True)
class _Call:
    """One use of `target` by `source`; `source` empty where the caller left no record."""

    source: str
    target: str
    kind: Kind
    took_ms: float | None
    is_error: bool
    is_asynchronous: bool
    is_inferred: bool


def draw(traces: Iterable[Trace]) -> ServiceMap:
    """Nodes and edges in alphabetical order. Empty peers (work inside) belong to their caller."""
    of_nodes: dict[str, list[_Call]] = defaultdict(list)
    of_edges: dict[tuple[str, str], list[_Call]] = defaultdict(list)
    count = 0
    for trace in traces:
        count += 1
        for call in calls(trace):
            of_nodes[call.target].append(call)
            if call.source:
                of_edges[(call.source, call.target)].append(call)
    nodes = [
        Node(name, _measured(made)[0].kind, _numbers(made), all(c.is_inferred for c in made))
        for name, made in sorted(of_nodes.items())
    ]
    edges = [
        Edge(source, target, _numbers(made), all(c.is_asynchronous for c in made))
        for (source, target), made in sorted(of_edges.items())
    ]
    return ServiceMap(tuple(nodes), tuple(edges), count)


def passes(trace: Trace, node: str) -> bool:
    return any(call.target == node for call in calls(trace))


def calls(trace: Trace) -> Iterator[_Call]:
    """The uses of one node by another that a trace holds, the inferred ones among them."""
    nearest: list[str] = []  # by step: the node it belongs to
    peers = {step.segment.peer for step in trace.steps}
    for step in trace.steps:
        caller = nearest[step.parent] if step.parent is not None else ""
        peer = step.segment.peer
        nearest.append(peer or caller)
        if not peer or (peer == caller and not step.segment.is_segment):
            continue
        if step.parent is None and step.segment.kind is Kind.EDGE:
            yield _inferred("", BROWSER, Kind.CLIENT)
            caller = BROWSER
        elif step.parent is None and step.segment.kind is Kind.SERVICE and step.segment.route:
            yield _inferred("", BROWSER, Kind.CLIENT)
            yield _inferred(BROWSER, EDGE, Kind.EDGE)
            caller = EDGE
        elif step.segment.is_segment and peer in CHANNELS:
            channel, kind = CHANNELS[peer]
            sender = _TOPIC if kind is Kind.QUEUE and _TOPIC in peers else caller
            if sender != channel:
                yield _inferred(sender, channel, kind, is_asynchronous=True)
            caller = channel
        yield _Call(
            caller,
            peer,
            step.segment.kind,
            step.duration_ms,
            step.segment.is_fault or step.segment.status >= 500,
            step.segment.is_segment and peer in CHANNELS,
            False,
        )


def _inferred(source: str, target: str, kind: Kind, *, is_asynchronous: bool = False) -> _Call:
    """The browser, the queues and an older edge keep no records; those of others tell of them."""
    return _Call(source, target, kind, None, False, is_asynchronous, True)


def _measured(made: list[_Call]) -> list[_Call]:
    return [call for call in made if not call.is_inferred] or made


def _numbers(made: list[_Call]) -> Numbers:
    """Inferred calls count only where there is nothing better."""
    best = _measured(made)
    times = [call.took_ms for call in best if call.took_ms is not None]
    return Numbers(
        count=len(best),
        errors=sum(call.is_error for call in best),
        p95_ms=percentile(times, 95) if times else None,
    )
