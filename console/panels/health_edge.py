"""Envoy's own view: what it passed on to each cluster, and what it had to repair."""

import polars as pl
import streamlit as st

from console import downloads
from console.panels import status
from console.queries import envoy
from console.queries.envoy import Cluster


def clusters() -> None:
    reading = envoy.clusters()
    with st.container(border=True):
        if reading.fault:
            st.subheader("Envoy does not answer", anchor=False)
            status.unknown("Envoy's admin", reading.fault)
            return
        found: list[Cluster] = reading.value
        rate, failed = sum(c.rate for c in found), sum(c.failed for c in found)
        saved = sum(c.saved for c in found)
        words = f"The edge passes on {rate:,.1f} requests per second"
        st.subheader(f"{words}, {failed:,} failed, {saved:,} saved by a retry", anchor=False)
        window = max((c.window_s for c in found), default=0)
        st.caption(
            f"Envoy's counters over the last {window:.0f} s and its state now; retries went to "
            "another replica, ejected ones get nothing"
        )
        rows = [_row(cluster) for cluster in found]
        columns = ["Cluster", "Replicas", "rq/s", "2xx–3xx", "4xx", "5xx", "Retries", "Saved",
                   "Ejections", "Connections", "In flight"]  # fmt: skip
        status.table(columns, rows, right=tuple(range(2, 11)))
        frame = pl.DataFrame([_facts(cluster) for cluster in found])
        downloads.csv(frame, "envoy")


def _row(cluster: Cluster) -> list[str]:
    whole = cluster.healthy == cluster.members
    draw = status.good if whole else status.warn if cluster.healthy else status.bad
    return [
        f"**{cluster.name}**",
        draw(f"{cluster.healthy} of {cluster.members}"),
        f"{cluster.rate:.1f}",
        f"{cluster.ok:,}",
        f"{cluster.refused:,}",
        status.bad(f"{cluster.failed:,}") if cluster.failed else "0",
        f"{cluster.retries:,}",
        f"{cluster.saved:,}",
        f"{cluster.ejections:,}" + (f" ({cluster.ejected} now)" if cluster.ejected else ""),
        f"{cluster.connections:,}",
        f"{cluster.active:,}",
    ]


def _facts(cluster: Cluster) -> dict[str, float | str]:
    names = ("ok", "refused", "failed", "tries", "retries", "saved", "ejections", "ejected",
             "connections", "active", "healthy", "members")  # fmt: skip
    return {
        "cluster": cluster.name,
        "window_s": round(cluster.window_s, 1),
        "rq_per_s": round(cluster.rate, 3),
        **{name: getattr(cluster, name) for name in names},
    }
