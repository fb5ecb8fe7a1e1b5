"""Health: what is up, how fast it answers, how far the pipeline is, what the edge sees."""

import streamlit as st

from console.boundary import live
from console.panels import health, health_edge, health_pipeline, health_strip
from console.panels.health_choices import choose
from console.queries import metrics, replicas

st.title("Health", anchor=False)


@live("The status strip", run_every_s=1.5)
def strip() -> None:
    health_strip.show()


strip()
with st.container(horizontal=True, horizontal_alignment="distribute"):
    span = choose(
        "Time", "span", list(metrics.SPANS), {k: s.label for k, s in metrics.SPANS.items()}
    )
    service = choose(
        "Service", "service", [health.ALL, *replicas.SERVICES], {health.ALL: "All services"}
    )


@live("Rate, errors and duration", run_every_s=10)
def red() -> None:
    health.requests(span, service)


@live("The pipeline", run_every_s=5)
def pipeline() -> None:
    health_pipeline.show()


@live("Envoy's view", run_every_s=5)
def edge() -> None:
    health_edge.clusters()


red()
st.header("Pipeline", anchor=False)
pipeline()
st.header("Edge", anchor=False)
edge()
