"""Logs: one search over everything that services and functions wrote to CloudWatch Logs."""

import streamlit as st

from console.boundary import boundary
from console.panels import health_logs

st.title("Logs", anchor=False)
wanted = health_logs.form()
with boundary("The log"):
    health_logs.results(wanted)
