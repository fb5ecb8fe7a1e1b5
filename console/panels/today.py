"""The Today page's parts."""

from datetime import datetime, timedelta

import polars as pl
import streamlit as st

from console import charts, charts_business, downloads, wording
from console.panels import status
from console.panels.orders import WORDS
from console.periods import preset_period
from console.queries import low_stock as low_stock_query
from console.queries import orders, sales, today
from console.queries.edge import Unreachable
from console.queries.today import Day

_BAD = {"payment_failed", "cancelled", "refunded"}
_LOW_SHOWN = 10
_DONE = {"shipped", "delivered"}


def headline(mine: Day, currency: str) -> str:
    if not mine.orders:
        return "No orders yet today"
    amount = wording.money_short(mine.net, currency)
    return f"{mine.orders:,} {'order' if mine.orders == 1 else 'orders'} today, {amount} net"


def earlier_days(at: datetime, currency: str) -> list[tuple[str, Day]]:
    """(name, day until this time) of yesterday and the same weekday last week."""
    return [
        ("yesterday", today.earlier_day(at, 1, currency)),
        (f"last {at:%A}", today.earlier_day(at, 7, currency)),
    ]


def key_figures(mine: Day, others: list[tuple[str, Day]], currency: str) -> None:
    """Four cards: the change on yesterday, and both earlier values beneath."""
    with st.grid(4, min_column_width=210, gap="small"):
        for label, field, words in _FIGURES:
            value = getattr(mine, field)
            lines = [
                f":small[{name} {words(was, currency)}]{_change(value, was)}"
                for name, day in others
                if (was := getattr(day, field)) is not None
            ]
            with st.container(border=True, height="stretch", gap="small"):
                st.metric(label, words(value, currency), help=_HELP[field])
                # Not a caption: its paleness would take the colours' contrast.
                st.markdown("  \n".join(lines) or ":small[nothing to compare with]")


def hours(token: str, at: datetime, currency: str) -> None:
    """Net revenue by hour: today, yesterday, the same weekday last week."""
    names = {"today": 0, "yesterday": 1, f"last {at:%A}": 7}
    days: dict[str, list[int | None]] = {}
    for name, back in names.items():
        values = today.hours(token, at.date() - timedelta(days=back), currency)
        days[name] = [
            None if back == 0 and hour > at.hour else value for hour, value in enumerate(values)
        ]
    mine = [value or 0 for value in days["today"]]
    with st.container(border=True):
        if any(mine):
            best = max(range(24), key=mine.__getitem__)
            amount = wording.money_short(mine[best], currency)
            st.subheader(f"Best hour so far: {best:02d}:00 UTC with {amount} net", anchor=False)
        else:
            st.subheader("No revenue yet today", anchor=False)
        st.caption(f"Net revenue by hour in {currency}, UTC; the last point is the open hour")
        if not any(value for values in days.values() for value in values):
            st.caption("The curve begins with the first sale of these three days.")
            return
        figure = charts_business.days_by_hour(days, currency)
        charts.show(figure, key="hours", alt="Net revenue by hour, today and two earlier days")
        frame = pl.DataFrame({"hour_utc": range(24), **days}, schema_overrides=dict.fromkeys(
            days, pl.Int64))  # fmt: skip
        downloads.csv(frame, f"net-revenue-by-hour-{at:%Y-%m-%d}")


def feed(at: datetime) -> None:
    """The newest orders of the last 28 days, those of today first of all."""
    found = orders.live(preset_period("28d", at.date()), limit=today.FEED)
    with st.container(border=True):
        if found.is_empty():
            st.subheader("No order placed in the shop yet", anchor=False)
            st.caption("The next purchase appears here within seconds.")
            return
        newest = found.row(0, named=True)
        ago = wording.age((at - newest["placed_at"]).total_seconds())
        st.subheader(f"Newest order {ago} ago: {newest['number']}", anchor=False)
        st.caption(
            f"The last {found.height} orders placed in the shop, newest first; total with shipping "
            "and tax; times in UTC"
        )
        rows = [
            (
                _when(row["placed_at"], at),
                f"`{row['number']}`",
                _badge(row["status"]),
                wording.money(row["total_minor"], row["currency"]),
                f"{row['items']:,}",
                str(row["country"]).replace("|", "/"),
            )
            for row in found.iter_rows(named=True)
        ]
        columns = ("Placed", "Order", "State", "Total", "Items", "Country")
        status.table(columns, rows, right=(3, 4))
        downloads.csv(found, "newest-orders")


def low_stock(at: datetime) -> None:
    """What is to be ordered anew: the fewest units first."""
    found = low_stock_query.find()
    with st.container(border=True):
        if found.is_empty():
            st.subheader("No product is running low", anchor=False)
            st.caption("A SKU appears here when sales leave only a few units of it.")
            return
        gone = found.filter(pl.col("available") == 0).height
        skus = "SKU" if found.height == 1 else "SKUs"
        more = "+" if found.height == low_stock_query.MOST else ""
        st.subheader(f"{found.height:,}{more} {skus} running low, {gone:,} sold out", anchor=False)
        threshold = max(found["threshold"].to_list())
        st.caption(
            f"At most {threshold} units left to sell; the fewest first; since when, in UTC"
            + (f"; the first {_LOW_SHOWN} of them" if found.height > _LOW_SHOWN else "")
        )
        rows = [
            (
                status.bad("sold out") if not row["available"] else f"{row['available']:,}",
                status.escaped(row["title"] or row["product_id"]),
                status.escaped(row["options"]),
                f"`{row['sku']}`",
                _when(row["since"], at),
            )
            for row in found.head(_LOW_SHOWN).iter_rows(named=True)
        ]
        status.table(("Units left", "Product", "Options", "SKU", "Since"), rows, right=(0,))
        downloads.csv(found, "running-low")


def currency_of(token: str, at: datetime, usual: str) -> str:
    totals, _ = sales.settled_sales(token, preset_period("28d", at.date()), "day")
    return usual if usual in totals or not totals else sorted(totals)[0]


def others_or_none(at: datetime, currency: str) -> list[tuple[str, Day]]:
    """Without the lake today's figures stand alone, and the page says why."""
    try:
        return earlier_days(at, currency)
    except Unreachable as problem:
        st.warning(f"No comparison: {problem}", icon=":material/cloud_off:")
        return []


def _when(placed: datetime, at: datetime) -> str:
    return f"{placed:%H:%M:%S}" if placed.date() == at.date() else f"{placed:%d %b %H:%M}"


def _badge(state: str) -> str:
    word = WORDS.get(state, state)
    if state in _BAD:
        return status.bad(word)
    return status.good(word) if state in _DONE else status.quiet(word)


def _change(now: float | None, was: float) -> str:
    if now is None or not was:
        return ""
    moved = (now - was) / abs(was) * 100
    colour = "green" if moved >= 0 else "red"
    return f" :small[:{colour}[**{wording.percent(moved)}**]]"


def _count(value: float, _currency: str) -> str:
    return f"{value:,}"


def _amount(value: int | None, currency: str) -> str:
    return "–" if value is None else wording.money_short(value, currency)


def _rate(value: float | None, _currency: str) -> str:
    return "–" if value is None else f"{value:.1f} %"


_FIGURES = (
    ("Orders", "orders", _count),
    ("Net revenue", "net", wording.money_short),
    ("Conversion", "conversion", _rate),
    ("Average order", "average_order", _amount),
)
_HELP = {
    "orders": "Orders placed since 00:00 UTC, each once.",
    "net": "Gross less refunds, cancellations and failed payments; merchandise only.",
    "conversion": "Completed orders per 100 product views, both as the shoppers' browsers report "
    "them.",
    "average_order": "Gross revenue divided by orders.",
}
