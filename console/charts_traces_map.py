"""The service map as DOT: what Graphviz lays out and the page draws."""

from collections.abc import Callable

from console import charts
from console.charts_traces import BAD, kind_colour, themed
from console.traces.documents import Kind
from console.traces.service_map import BROWSER, Edge, ServiceMap
from console.traces.words import ms

_SHAPES = {
    Kind.DATABASE: "cylinder", Kind.STORE: "cylinder", Kind.STREAM: "cds", Kind.QUEUE: "cds",
    Kind.TOPIC: "cds", Kind.FUNCTION: "component", Kind.CLIENT: "oval", Kind.EDGE: "box",
}  # fmt: skip


def to_dot(drawn: ServiceMap, minutes: float, picked: str, address_of: Callable[[str], str]) -> str:
    """DOT of a service map: a node's numbers below its name, what failed in red.

    Args: `minutes` that the traces span; `picked` the node to stress; `address_of` a node, where a
    click on it leads.
    """
    ink, bad = charts.palette().ink, themed(BAD)
    lines = [
        "digraph {",
        "graph [rankdir=LR bgcolor=transparent nodesep=0.25 ranksep=0.3 pad=0.05];",
        f'node [fontname="sans-serif" fontsize=16 fontcolor="{ink}" style="filled,rounded" '
        f'fillcolor=transparent penwidth=1.6 margin="0.1,0.05"];',
        f'edge [fontname="sans-serif" fontsize=14 fontcolor="{ink}" arrowsize=0.7];',
    ]
    for node in drawn.nodes:
        numbers = node.numbers
        words = [node.name]
        if not node.is_inferred:
            words += [_rate(numbers.count, minutes), f"p95 {ms(numbers.p95_ms)}"]
            if numbers.errors:
                words.append(f"✗ {numbers.error_percent:.1f} % failed")
        colour = bad if numbers.errors and not node.is_inferred else kind_colour(node.kind)
        facts = {
            "label": "\n".join(words),
            "shape": _SHAPES.get(node.kind, "box"),
            "color": colour,
            "penwidth": "3.2" if node.name == picked else "1.6",
            "tooltip": f"{node.kind}: {node.name}",
        }
        if node.is_inferred:
            facts["style"] = "dashed,rounded"
        else:
            facts |= {"URL": address_of(node.name), "target": "_self"}
        lines.append(f"{_quoted(node.name)} [{_facts(facts)}];")
    ranks = _ranks(drawn)
    for edge in drawn.edges:
        numbers = edge.numbers
        is_forward = ranks[edge.target] > ranks[edge.source]
        label = _edge_words(edge, minutes)
        facts = {
            # Beside an arrow that leads back, words would push all else apart.
            "label": label if is_forward else "",
            "color": bad if numbers.errors else themed(("#64748b", "#94a3b8")),
            "style": "dashed" if edge.is_asynchronous else "solid",
            "tooltip": f"{edge.source} to {edge.target}: {label}",
            # What leads back must not pull its target to the right of where it was reached.
            "constraint": "true" if is_forward else "false",
        }
        lines.append(f"{_quoted(edge.source)} -> {_quoted(edge.target)} [{_facts(facts)}];")
    return "\n".join([*lines, "}"])


def _edge_words(edge: Edge, minutes: float) -> str:
    words = [_rate(edge.numbers.count, minutes)]
    if edge.numbers.p95_ms is not None:
        words.append(ms(edge.numbers.p95_ms))
    if edge.numbers.errors:
        words.append(f"✗ {edge.numbers.error_percent:.1f} %")
    return "\n".join(words)


def _ranks(drawn: ServiceMap) -> dict[str, int]:
    """How many calls from where things begin; what is only called, and by nobody known, is last."""
    callees: dict[str, list[str]] = {node.name: [] for node in drawn.nodes}
    for edge in drawn.edges:
        callees.setdefault(edge.source, []).append(edge.target)
    targets = {edge.target for edge in drawn.edges}
    ranks: dict[str, int] = {}
    starts = [BROWSER, *(name for name in callees if name not in targets), *callees]
    for start in starts:
        waiting = [(start, 0)] if start in callees and start not in ranks else []
        while waiting:
            name, rank = waiting.pop(0)
            if name not in ranks:
                ranks[name] = rank
                waiting.extend((callee, rank + 1) for callee in callees.get(name, ()))
    return ranks


def _rate(count: int, minutes: float) -> str:
    rate = count / max(minutes, 1 / 60)
    return f"{rate:,.0f}/min" if rate >= 10 else f"{rate:.2g}/min"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _facts(facts: dict[str, str]) -> str:
    return " ".join(f"{name}={_quoted(value)}" for name, value in facts.items())
