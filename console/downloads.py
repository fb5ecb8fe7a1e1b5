"""Files to take away, all through one door: who takes which is an entry of the audit log."""

from collections.abc import Callable
from typing import Literal

import polars as pl
import streamlit as st

from console import audit, context
from pipeline.runtime.clock import now


def button(
    label: str,
    make: Callable[[], str | bytes],
    file: str,
    mime: str,
    *,
    key: str,
    about: str = "",
    kind: Literal["secondary", "tertiary"] = "secondary",
) -> None:
    """`make` runs when a person takes the file; `about` tells the audit log more than its name."""
    st.download_button(
        label,
        audit.exported(context.person(), f"{file} {about}".strip(), make),
        file,
        mime,
        key=key,
        icon=":material/download:",
        type=kind,
        # The page need not be drawn again, and a chart keeps what was chosen in it.
        on_click="ignore",
    )


def csv(frame: pl.DataFrame, name: str, *, label: str = "CSV", key: str = "") -> None:
    """The figures behind a chart or a table, in UTC; the file is called after `name` and now."""
    file = f"{name}-{now():%Y%m%d-%H%M}.csv"
    button(label, frame.write_csv, file, "text/csv", key=key or f"csv-{name}", kind="tertiary")
