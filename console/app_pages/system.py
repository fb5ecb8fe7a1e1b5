"""The machinery: processes, zones, queues, streams, stores."""

import streamlit as st

st.title("System", anchor=False)
