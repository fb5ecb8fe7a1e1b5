"""A run as a page of its own: HTML that needs nothing else, and JSON with every second."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

_WIDTH, _HEIGHT = 720, 170
_STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#14182b, #e7eaf3); --soft: #6b7390;
  --line: light-dark(#e3e6ef, #2a3148); --a: light-dark(#4338ca, #c7d2fe);
  --b: light-dark(#d97706, #fbbf24); --good: light-dark(#15803d, #4ade80);
  --bad: light-dark(#b91c1c, #f87171); }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; background: light-dark(#fff, #0e1220); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid var(--line); }
th.n, td.n { text-align: right; } .good { color: var(--good); } .bad { color: var(--bad); }
svg { width: 100%; height: auto; } text { fill: var(--soft); font-size: 11px; }
figure { margin: 1rem 0; } figcaption { font-weight: 600; } p.soft { color: var(--soft); }
.wide { overflow-x: auto; }
.early { border-left: .3rem solid var(--bad); padding: .4rem .8rem; font-weight: 600; }
"""


def to_json(head: dict[str, Any], seconds: Sequence[dict[str, Any]]) -> str:
    """{plan, status, started_at, ended_at, note, summary, cleaned, seconds}."""
    return json.dumps({**head, "seconds": list(seconds)}, indent=1, default=str)


def to_html(head: dict[str, Any], seconds: Sequence[dict[str, Any]]) -> str:
    """Args: a head as `record.Records` gives it, with its summary; seconds in order."""
    plan, summary = head["plan"], head.get("summary") or {}
    load = (
        f"{plan['arrivals_per_s']:g} arrivals/s"
        if plan["arrivals_per_s"]
        else f"{plan['users']:,} users"
    )
    parts = [
        f"<h1>Load run: {escape(plan['scenario'])}, {load}</h1>",
        f"<p class=soft>{escape(head['run_id'])} · started {escape(str(head['started_at']))} by "
        f"{escape(plan['by'])} · {summary.get('lasted_s', len(seconds))} of {plan['duration_s']} s"
        "</p>",
        _early(summary, plan),
        f"<p>{escape(head['note'])}</p>" if head.get("note") else "",
        _verdict(summary.get("verdict")),
        _figures(summary),
        _chart("Requests a second: achieved, offered dashed", seconds, "achieved", "offered"),
        _chart("Answer time in ms, last 10 s: p95, p50 dashed", seconds, "p95_ms", "p50_ms"),
        _chart("Processor of the whole machine in percent", seconds, "cpu", None),
        "<h2>Routes</h2>",
        _table(
            ["Route", "Requests", "Failed", "p50 ms", "p95 ms", "p99 ms", "Longest ms"],
            [
                [r["route"], *(f"{r[n]:,.0f}" for n in (
                    "requests", "failures", "p50_ms", "p95_ms", "p99_ms", "max_ms"))]
                for r in summary.get("routes", [])
            ],
            numbers=True,
        ),
        "<h2>Processes</h2>",
        _table(
            ["Process", "Percent of all cores"],
            [[name, f"{share:.1f}"] for name, share in (summary.get("shares") or {}).items()],
            numbers=True,
        ),
        "<h2>Slowest requests</h2>",
        _table(
            ["Route", "ms", "At", "Correlation id", "Trace"],
            [
                [s["route"], f"{s['ms']:,.0f}", s["at"], s["correlation_id"],
                 s.get("trace_id", "") if s.get("is_kept") else "not kept"]
                for s in summary.get("slowest", [])[:10]
            ],
        ),
    ]  # fmt: skip
    title = escape(f"Load {plan['scenario']} {head['run_id']}")
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>"
        f"<body>{''.join(parts)}</body></html>"
    )


def write(folder: Path, head: dict[str, Any], seconds: Sequence[dict[str, Any]]) -> None:
    """`report.html` and `report.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text(to_html(head, seconds), encoding="utf-8")
    (folder / "report.json").write_text(to_json(head, seconds), encoding="utf-8")


def _verdict(verdict: dict[str, Any] | None) -> str:
    if verdict is None:
        return "<h2>No verdict</h2>"
    word, kind = ("Passed", "good") if verdict["holds"] else ("Not passed", "bad")
    rows = [
        [c["name"], c["objective"], c["measured"], "yes" if c["holds"] else "no"]
        for c in verdict["criteria"]
    ]
    return (
        f"<h2>Verdict: <span class={kind}>{word}</span></h2>"
        + _table(["Objective", "Wanted", "Measured", "Holds"], rows)
        + f"<p class=soft>Objectives from {escape(verdict['source'])}.</p>"
    )


def _early(summary: dict[str, Any], plan: dict[str, Any]) -> str:
    if not summary.get("reason"):
        return ""
    after = f" after {summary['lasted_s']:,} of {plan['duration_s']:,} s"
    after = after if "lasted_s" in summary else ""
    return f"<p class=early>Ended early{after}: the run {escape(summary['reason'])}.</p>"


def _figures(summary: dict[str, Any]) -> str:
    if "requests_per_min" not in summary:
        return ""
    envoy = summary.get("envoy") or {}
    rows = [
        ["Requests", f"{summary['requests']:,} ({summary['failures']:,} failed"
         + (f"; {lost:,} arrivals found no place" if (lost := summary.get("lost_arrivals")) else "")
         + ")"],
        ["Rate after the ramp", f"{summary['achieved_per_s']:,}/s of {summary['offered_per_s']:,}/s"
         f" offered, {summary['requests_per_min']:,} a minute"],
        ["Answer time", f"p50 {summary['p50_ms']:g} ms, p95 {summary['p95_ms']:g} ms, "
         f"p99 {summary['p99_ms']:g} ms"],
        ["Processor", f"{summary['cpu_mean']} % on average, {summary['cpu_max']} % at most"],
    ]  # fmt: skip
    if envoy.get("logged") is not None:
        rows += [
            ["Envoy counted of this run", f"{envoy['logged']:,}; Locust {envoy['ours']:,}: "
             f"{envoy.get('difference', 1):.2%} apart"],
            ["Envoy's counters grew by", f"{envoy['everybody']:,}, everybody's requests together"],
        ]  # fmt: skip
    return "<h2>Figures</h2>" + _table(["What", "Value"], rows)


def _table(columns: list[str], rows: list[list[str]], *, numbers: bool = False) -> str:
    def cell(tag: str, place: int, text: str) -> str:
        kind = " class=n" if numbers and place else ""
        return f"<{tag}{kind}>{escape(text)}</{tag}>"

    head = "".join(cell("th", i, column) for i, column in enumerate(columns))
    lines = ("".join(cell("td", i, text) for i, text in enumerate(row)) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<div class=wide><table><tr>{head}</tr>{body}</table></div>"


def _chart(title: str, seconds: Sequence[dict[str, Any]], solid: str, dashed: str | None) -> str:
    names = [name for name in (solid, dashed) if name]
    top = max((float(s[name]) for s in seconds for name in names), default=0.0) * 1.1 or 1.0
    last = max((int(s["elapsed_s"]) for s in seconds), default=1)

    def line(name: str, style: str) -> str:
        points = " ".join(
            f"{40 + s['elapsed_s'] / last * (_WIDTH - 50):.1f},"
            f"{_HEIGHT - 20 - float(s[name]) / top * (_HEIGHT - 30):.1f}"
            for s in seconds
        )
        return f"<polyline points='{points}' fill=none stroke-width=1.5 {style}/>"

    drawn = line(solid, "stroke='var(--a)'")
    if dashed:
        drawn += line(dashed, "stroke='var(--b)' stroke-dasharray='5 3'")
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role=img aria-label='{escape(title)}'>"
        f"<line x1=40 x2={_WIDTH} y1={_HEIGHT - 20} y2={_HEIGHT - 20} stroke='var(--line)'/>"
        f"<text x=0 y=14>{top:,.0f}</text><text x=0 y={_HEIGHT - 20}>0</text>"
        f"<text x={_WIDTH - 40} y={_HEIGHT - 4}>{last} s</text>{drawn}</svg></figure>"
    )
