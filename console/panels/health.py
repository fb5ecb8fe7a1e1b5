"""Rate, errors and duration of the services, as they report them to CloudWatch."""

from datetime import datetime

import polars as pl
import streamlit as st

from console import charts, charts_health, downloads, wording
from console.panels import status
from console.queries import metrics, slo
from console.queries.metrics import Span
from pipeline.runtime.clock import now
from pipeline.runtime.metric_reader import floor

ALL = "all"
_NO_CHART = "No request in this time; a chart appears with the first."


def latency_limit() -> float | None:
    """The bound of the latency objective, in ms, if the file of objectives can be used."""
    objective = slo.read_file().objectives.get("latency")
    return objective.within if objective else None


def requests(span_name: str, service: str) -> None:
    """All panels of RED; says why when CloudWatch cannot be read."""
    reading, span = metrics.requests(span_name), metrics.SPANS[span_name]
    if reading.fault:
        st.error(
            f"CloudWatch: {reading.fault}. Rate, errors and durations come back by themselves.",
            icon=":material/cloud_off:",
        )
        return
    whole: pl.DataFrame = reading.value
    frame = whole if service == ALL else whole.filter(pl.col("service") == service)
    _age(whole, reading.at)
    key_figures(frame, span)
    with st.grid(2, min_column_width=340):
        _rate(frame, span)
        _durations(frame, span)
        _errors(frame, span)
        _distribution(frame, span)
    _table(frame, span)


def key_figures(frame: pl.DataFrame, span: Span) -> None:
    found = metrics.summary(frame.with_columns(every=pl.lit("")), ["every"])
    row = found.row(0, named=True) if found.height else {"requests": 0, "errors": 0}
    total = row["requests"]
    with st.grid(4, min_column_width=146, gap="small"):
        st.metric("Requests", wording.count_short(total), border=True)
        st.metric("Per second", f"{total / (span.minutes * 60):,.2f}", border=True)
        share = f"{row['errors'] / total * 100:.2f} %" if total else "no traffic"
        st.metric("Errors (5xx)", share, border=True)
        st.metric("p95", _ms(row.get("p95")), border=True)


def _age(frame: pl.DataFrame, as_of: datetime) -> None:
    newest: datetime | None = frame["at"].max()  # type: ignore[assignment]
    last = f" · last request in the minute of {newest:%H:%M}" if newest else ""
    st.caption(
        f"Counts as of {as_of:%H:%M:%S} UTC{last} · services send every 10 s · probes of the edge "
        "left out"
    )


def _rate(frame: pl.DataFrame, span: Span) -> None:
    # The period under way has not had its time yet: its rate would always look like a fall.
    frame = frame.filter(pl.col("at") < floor(now(), span.period_s))
    found = metrics.summary(frame, ["at", "service"])
    with st.container(border=True, height="stretch"):
        peak = frame.group_by("at").agg(pl.sum_horizontal(metrics.BUCKETS).sum().alias("n"))
        highest = (peak["n"].max() or 0) / span.period_s  # type: ignore[operator]
        st.subheader(f"Rate peaked at {highest:,.1f} requests per second", anchor=False)
        st.caption(f"Requests per second by service, every {_grain(span)}, UTC")
        if not found.height:
            st.caption(_NO_CHART)
            return
        filled = _with_quiet(found, span)
        charts.show(
            charts_health.rate(filled, span.period_s),
            key="red-rate",
            alt=f"Requests per second by service over {span.label}, at most {highest:.1f}",
        )
        downloads.csv(
            found.select("at", "service", "requests", "errors"),
            "requests-by-service",
        )


def _durations(frame: pl.DataFrame, span: Span) -> None:
    found, limit = metrics.per_period(frame, span), latency_limit()
    with st.container(border=True, height="stretch"):
        slow = found.filter(pl.col("p95") > (limit or 0)).height if limit else 0
        busy = found["p95"].count()
        finding = f"p95 was above {limit:g} ms in {slow} of {busy} periods" if limit else "Duration"
        if limit and not slow:
            finding = f"p95 stayed within {limit:g} ms" if busy else "No duration to show"
        st.subheader(finding, anchor=False)
        st.caption(
            f"Milliseconds, every {_grain(span)}, UTC; all series summed as histograms, "
            "percentiles read inside their buckets"
        )
        if not busy:
            st.caption(_NO_CHART)
            return
        charts.show(
            charts_health.durations(found, limit), key="red-duration", alt=f"{finding}, in ms"
        )
        downloads.csv(found, "durations")


def _errors(frame: pl.DataFrame, span: Span) -> None:
    found = metrics.per_period(frame, span)
    total = int(found["errors"].sum())
    with st.container(border=True, height="stretch"):
        words = f"{total:,} requests failed" if total else "No request failed"
        st.subheader(f"{words} in {span.label}", anchor=False)
        st.caption(f"Answers of 5xx by the services, every {_grain(span)}, UTC")
        charts.show(charts_health.errors(found), key="red-errors", alt=words)
        downloads.csv(found.select("at", "requests", "errors"), "errors")


def _distribution(frame: pl.DataFrame, span: Span) -> None:
    counts, limit = metrics.histogram(frame), latency_limit()
    total = sum(counts)
    with st.container(border=True, height="stretch"):
        within = sum(
            count
            for edge, count in zip(metrics.EDGES_MS, counts, strict=False)
            if limit is None or edge <= limit
        )
        share = f"{within / total * 100:.1f} %" if total else "No request"
        st.subheader(f"{share} took at most {limit or 0:g} ms", anchor=False)
        st.caption(f"Requests by duration over {span.label}; those above the objective in orange")
        charts.show(
            charts_health.distribution(counts, limit),
            key="red-histogram",
            alt=f"{share} of {total:,} requests took at most {limit or 0:g} ms",
        )
        bounds = [*map(str, metrics.EDGES_MS), "more"]
        downloads.csv(
            pl.DataFrame({"up_to_ms": bounds, "requests": counts}),
            "histogram",
        )


def _table(frame: pl.DataFrame, span: Span) -> None:
    by_zone = metrics.summary(frame, ["service", "zone"])
    by_route = metrics.summary(frame, ["service", "route"]).sort("requests", descending=True)
    with st.container(border=True):
        st.subheader("By service and zone", anchor=False)
        st.caption(f"Over {span.label}; durations in ms")
        if not by_zone.height:
            st.caption("No request in this time.")
            return
        rows = [
            [
                f"**{row['service']}**", row["zone"], f"{row['requests']:,}",
                f"{row['requests'] / (span.minutes * 60):.2f}",
                status.bad(f"{row['errors']:,}") if row["errors"] else "0",
                *(_number(row[name]) for name in ("p50", "p95", "p99")),
            ]
            for row in by_zone.iter_rows(named=True)
        ]  # fmt: skip
        columns = ["Service", "Zone", "Requests", "/s", "5xx", "p50", "p95", "p99"]
        status.table(columns, rows, right=(2, 3, 4, 5, 6, 7))
        downloads.csv(by_zone, "by-service-and-zone")
        with st.expander("By route"):
            st.dataframe(by_route, hide_index=True, alt="Requests by service and route")
            downloads.csv(by_route, "by-route")


def _with_quiet(found: pl.DataFrame, span: Span) -> pl.DataFrame:
    """A row of 0 for each period in which a service was asked nothing."""
    axis = metrics.per_period(pl.DataFrame(schema=metrics.SCHEMA), span).select("at").head(-1)
    every = axis.join(found.select("service").unique(), how="cross")
    return every.join(found, on=["at", "service"], how="left").with_columns(
        pl.col("requests").fill_null(0)
    )


def _grain(span: Span) -> str:
    return "minute" if span.period_s == 60 else f"{span.period_s // 60} min"


def _ms(value: float | None) -> str:
    return "no traffic" if value is None else f"{value:,.0f} ms"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
