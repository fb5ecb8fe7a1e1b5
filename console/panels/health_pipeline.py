"""The pipeline: how far its readers are, what it did in the last hour, what it refused."""

from datetime import datetime

import polars as pl
import streamlit as st

from console import context, downloads, wording
from console.panels import data, status
from console.queries import edge, metrics_pipeline
from console.queries.metrics_pipeline import Pipeline
from pipeline.runtime.clock import now

_TILES = {
    "landed": ("Landed", "Events written to the lake as Parquet."),
    "folded": ("Folded", "Events added to the aggregates."),
    "duplicates": ("Duplicates dropped", "Events that came again and were counted once."),
    "quarantined": ("Quarantined", "Bodies that fail their schema, kept with the reason."),
    "late": ("Late", "Events that reached the stream over 5 min after they happened."),
}


def show() -> None:
    found, reading = data.readings(), metrics_pipeline.pipeline()
    if reading.fault:
        st.error(f"CloudWatch: {reading.fault}.", icon=":material/cloud_off:")
    else:
        _tiles(reading.value)
        st.markdown("[What is in quarantine, why, and what to do about it](/quarantine)")
    with st.grid(2, min_column_width=340):
        data.stream(found)
        _freshness(reading.value)
        data.queues(found)
        if not reading.fault:
            _functions(reading.value)


def _tiles(pipeline: Pipeline) -> None:
    with st.grid(5, min_column_width=146, gap="small"):
        for name, (label, help_text) in _TILES.items():
            count = pipeline.counts.get(name)
            shown = "none yet" if count is None else wording.count_short(count)
            st.metric(f"{label}, 1 h", shown, border=True, help=help_text)


def _freshness(pipeline: Pipeline | None) -> None:
    with st.container(border=True, height="stretch"):
        try:
            facts = edge.get("/api/analytics/freshness", context.token())
        except (edge.Unreachable, edge.Problem) as problem:
            st.subheader("How fresh the dashboards are is unknown", anchor=False)
            st.warning(str(problem), icon=":material/cloud_off:")
            return
        delay = facts.get("fold_delay_s")
        words = "No event has been folded yet"
        if delay is not None:
            words = f"The newest event was folded {float(delay):.1f} s after it arrived"
        st.subheader(words, anchor=False)
        st.caption("From the analytics service, and from the folding function's own metric")
        p95 = pipeline.fold_p95_ms if pipeline else None
        newest = wording.moment(facts.get("newest_occurred_at"))
        ages = pipeline.newest_age_s if pipeline else {}
        rows = [
            ["newest event in the aggregates", _age(newest)],
            *(
                [f"newest live event in the {layer}", f"{wording.age(ages[name])} ago"]
                for name, layer in (("raw", "lake"), ("curated", "curated tables"))
                if name in ages
            ),
            ["last folding", _age(wording.moment(facts.get("folded_at")))],
            ["last compaction", _age(wording.moment(facts.get("compacted_at")))],
            ["event to aggregate, p95 of 1 h", "no event" if not p95 else f"{p95:,.0f} ms"],
        ]
        status.table(["What", "When"], rows, right=(1,))


def _functions(pipeline: Pipeline) -> None:
    with st.container(border=True, height="stretch"):
        failed = sum(int(facts.get("errors", 0)) for facts in pipeline.functions.values())
        calls = sum(int(facts.get("calls", 0)) for facts in pipeline.functions.values())
        if not pipeline.functions:
            st.subheader("No function has reported yet", anchor=False)
            st.caption("A function reports its calls to CloudWatch when it has worked.")
            return
        st.subheader(f"{calls:,} calls of functions in 1 h, {failed:,} failed", anchor=False)
        st.caption("Batches by function; the oldest record is the largest iterator age, p95 in ms")
        rows = [
            [
                name,
                f"{facts.get('calls', 0):,.0f}",
                f"{facts.get('records', 0):,.0f}",
                status.bad(f"{facts['errors']:,.0f}") if facts.get("errors") else "0",
                f"{facts.get('p95_ms', 0):,.0f}",
                wording.age(facts["iterator_age_ms"] / 1000) if "iterator_age_ms" in facts else "",
            ]
            for name, facts in sorted(pipeline.functions.items())
        ]
        columns = ["Function", "Batches", "Records", "Errors", "p95", "Oldest"]
        status.table(columns, rows, right=(1, 2, 3, 4, 5))
        frame = pl.DataFrame([{"function": n, **f} for n, f in sorted(pipeline.functions.items())])
        downloads.csv(frame, "functions")


def _age(at: datetime | None) -> str:
    return "never" if at is None else f"{wording.age((now() - at).total_seconds())} ago"
