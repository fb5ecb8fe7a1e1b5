"""What is true now."""

import streamlit as st

st.title("Overview", anchor=False)
