"""The table of the latest orders."""

import polars as pl
import streamlit as st

from console import wording
from console.panels.sales import View
from console.queries import orders

_WORDS = {
    "placed": "Placed",
    "paid": "Paid",
    "packed": "Packed",
    "shipped": "Shipped",
    "delivered": "Delivered",
    "payment_failed": "Payment failed",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
}


def latest(view: View) -> None:
    frame, missing = orders.latest(view.period)
    with st.container(border=True, height="stretch"):
        if frame.is_empty():
            st.subheader("No orders in this range", anchor=False)
        else:
            newest = frame.row(0, named=True)
            amount = wording.money(newest["total_minor"], newest["currency"])
            st.subheader(f"Latest order: {newest['number']}, {amount}", anchor=False)
        st.caption(f"The newest {frame.height} orders and credit notes of the range; times in UTC")
        if missing:
            st.warning(f"Incomplete. {missing}", icon=":material/cloud_off:")
        if frame.is_empty():
            return
        _table(frame)
        st.download_button(
            "Download CSV",
            frame.write_csv,
            "orders.csv",
            "text/csv",
            key="csv-orders",
            icon=":material/download:",
            on_click="ignore",
        )


def _table(frame: pl.DataFrame) -> None:
    shown = frame.select(
        "number",
        pl.col("placed_at").dt.replace_time_zone(None),
        pl.col("status").replace(_WORDS),
        (pl.col("total_minor") / 100).alias("total"),
        "currency",
        "items",
        "country",
        "source",
    )
    config = st.column_config
    st.dataframe(
        shown,
        hide_index=True,
        alt="Latest orders",
        column_config={
            "number": config.TextColumn("Order", width="small"),
            "placed_at": config.DatetimeColumn("Placed (UTC)", format="YYYY-MM-DD HH:mm:ss"),
            "status": config.TextColumn("Status", width="small"),
            "total": config.NumberColumn("Total", format="%.2f", width="small"),
            "currency": config.TextColumn("Cur.", width="small"),
            "items": config.NumberColumn("Items", format="localized", width="small"),
            "country": config.TextColumn("Country"),
            "source": config.TextColumn("Source", width="small"),
        },
    )
