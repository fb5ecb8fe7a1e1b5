"""The last proof, and the button that runs it again."""

import streamlit as st

st.title("Proof", anchor=False)
