"""The table of the latest orders."""

import polars as pl
import streamlit as st

from console import downloads, wording
from console.panels.sales import View
from console.queries import orders

WORDS = {
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
    frame = frame.filter(pl.col("currency") == view.currency)
    if view.only.country:
        frame = frame.filter(pl.col("country") == view.only.country)
    with st.container(border=True):
        if frame.is_empty():
            st.subheader("No orders in this range", anchor=False)
        else:
            newest = frame.row(0, named=True)
            amount = wording.money(newest["total_minor"], newest["currency"])
            st.subheader(f"Latest order: {newest['number']}, {amount}", anchor=False)
        where = f" from {view.only.country}" if view.only.country else ""
        whole = ", of every category" if view.only.category else ""
        st.caption(
            f"The newest {frame.height} orders and credit notes of the range{where}{whole}; "
            "times in UTC"
        )
        if missing:
            st.warning(f"Incomplete. {missing}", icon=":material/cloud_off:")
        if frame.is_empty():
            return
        _table(frame, view.currency)
        downloads.csv(frame, "orders")


def _table(frame: pl.DataFrame, currency: str) -> None:
    shown = frame.select(
        "number",
        pl.col("placed_at").dt.replace_time_zone(None),
        pl.col("status").replace(WORDS),
        (pl.col("total_minor") / 100).alias("total"),
        "items",
        "country",
        "source",
    )
    config = st.column_config
    st.dataframe(
        shown,
        hide_index=True,
        alt="Latest orders",
        height=386,
        column_config={
            "number": config.TextColumn("Order", width="small"),
            "placed_at": config.DatetimeColumn("Placed (UTC)", format="YYYY-MM-DD HH:mm:ss"),
            "status": config.TextColumn("Status"),
            "total": config.NumberColumn(f"Total ({currency})", format="%.2f"),
            "items": config.NumberColumn("Items", format="localized", width="small"),
            "country": config.TextColumn("Country"),
            "source": config.TextColumn("Source", width="small"),
        },
    )
