"""The Behaviour page's parts."""

import re
from datetime import datetime

import polars as pl
import streamlit as st

from console import charts, charts_people, downloads, masthead, wording
from console.periods import Period
from console.queries import behaviour, lake_rows

# Below this a share says more about chance than about shoppers.
FEW = 100
_ROWS = 12  # of a table; it scrolls
_MARKUP = re.compile(r"[\[\]()<>!*_`#$:|\\~&]+")
_STEPS = {
    "Product": "a product", "Cart": "the cart", "Checkout": "checkout", "Order": "the order",
}  # fmt: skip
_NAMES = {
    "shopper.page_viewed.v1": "Pages viewed",
    "shopper.product_viewed.v1": "Products viewed",
    "shopper.searched.v1": "Searches",
    "shopper.cart_changed.v1": "Carts changed",
    "shopper.checkout_started.v1": "Checkouts started",
    "shopper.order_completed.v1": "Orders completed",
}


def age(period: Period) -> None:
    rows = lake_rows.clicks()
    masthead.say(rows.as_of, "from the lake")
    st.caption(f"{period}, UTC days · real shoppers only, load tests are not in it")
    if rows.fault:
        st.warning(rows.fault, icon=":material/cloud_off:")


def few(frame: pl.DataFrame, period: Period) -> None:
    """A sentence when there is too little to conclude from."""
    if frame.height >= FEW:
        return
    newest = lake_rows.clicks().frame["at"].max()
    where = (
        f" The newest click is of {wording.clock_time(newest)}."
        if isinstance(newest, datetime)
        else ""
    )
    few_words = f"Only {frame.height:,} clicks" if frame.height else "No clicks"
    st.info(
        f"{few_words} in {period}: shares mean little below {FEW}. Clicks come "
        f"from browsers that visit the storefront.{where}",
        icon=":material/info:",
    )


def counts(counted: dict[str, int], frame: pl.DataFrame) -> None:
    """What the aggregates count; a difference from the lake is said."""
    found = behaviour.events(frame)
    with st.grid(6, min_column_width=148, gap="small"):
        for kind, label in _NAMES.items():
            st.metric(label, f"{counted[kind]:,}", border=True, height="stretch")
    apart = {kind: counted[kind] - found[kind] for kind in counted if counted[kind] != found[kind]}
    if apart:
        words = ", ".join(f"{_NAMES[kind]} {diff:+,}" for kind, diff in apart.items())
        st.caption(f"Counters less lake: {words}; the open hour settles with the next compaction")
    else:
        st.caption("The counters and the lake agree")


def funnel(frame: pl.DataFrame, visits: pl.DataFrame) -> None:
    """Args: the clicks of the period, and those of the sessions that began in it."""
    steps = behaviour.funnel(visits)
    with st.container(border=True, height="stretch"):
        sessions = int(steps["sessions"][0])
        if not sessions:
            st.subheader("No session to follow yet", anchor=False)
            st.caption(
                f"{frame.height:,} clicks, none with a session: only shoppers who allow it are "
                "followed from page to page."
            )
            return
        worst = steps.slice(1).sort("of_previous").row(0, named=True)
        drop = 100 - worst["of_previous"]
        if drop:
            words = f"Largest drop: {drop:.0f} % are lost before {_STEPS[worst['step']]}"
        else:
            words = "Every session ended in an order"
        st.subheader(words, anchor=False)
        alone = frame.filter(pl.col("session_id").is_null()).height
        st.caption(
            f"Sessions that came this far or further, of {sessions:,}; {alone:,} clicks of "
            "shoppers who declined to be followed are not in it"
        )
        charts.show(charts_people.funnel(steps), key="funnel", alt="Sessions by furthest step")
        downloads.csv(steps, "funnel")
        by_day = behaviour.funnel_by_day(visits)
        with st.expander(f"By day ({by_day.height:,})"):
            st.caption("Sessions by the day on which they began, UTC, and how far they came")
            _table(by_day, "Sessions by day")
            downloads.csv(by_day, "funnel-by-day")


def searches(frame: pl.DataFrame) -> None:
    found = behaviour.searches(frame)
    with st.container(border=True, height="stretch"):
        if found.is_empty():
            st.subheader("Nothing searched for yet", anchor=False)
            st.caption("Searches of the storefront appear here within seconds.")
            return
        st.subheader(f"Most searched: “{plain(found['query'][0])}”", anchor=False)
        st.caption("Searches by words, capitals ignored, with the results of the last time")
        _table(found.drop("without").head(_ROWS), "Most searched")
        downloads.csv(found, "searches")


def searches_without(frame: pl.DataFrame) -> None:
    every = behaviour.searches(frame)
    none = behaviour.searches_without(every)
    with st.container(border=True, height="stretch"):
        if every.is_empty():
            st.subheader("No search without results", anchor=False)
            st.caption("Nothing has been searched for in this range.")
            return
        if none.is_empty():
            st.subheader("Every search found something", anchor=False)
            st.caption(f"{int(every['searches'].sum()):,} searches in this range")
            return
        share = int(none["without"].sum()) * 100 / int(every["searches"].sum())
        st.subheader(f"{share:.0f} % of searches found nothing", anchor=False)
        st.caption("Words that shoppers look for in vain; add them as products or synonyms")
        _table(none.head(_ROWS), "Searches without results")
        downloads.csv(none, "searches-without-results")


def ranking(frame: pl.DataFrame, title: str, words: str, key: str) -> None:
    """`frame`: DataFrame[name: str, views: i64]; `title` takes the first name and its share."""
    with st.container(border=True, height="stretch"):
        if frame.is_empty():
            st.subheader("No page viewed yet", anchor=False)
            return
        name = frame.columns[0]
        whole = int(frame["views"].sum())
        shown = frame.head(8)
        share = int(frame["views"][0]) * 100 / whole
        st.subheader(title.format(name=plain(frame[name][0]), share=share), anchor=False)
        st.caption(f"{words}, of {whole:,}")
        texts = [f"{views:,} · {views * 100 / whole:.0f} %" for views in shown["views"]]
        bars = charts_people.ranking(
            [plain(text) for text in shown[name]], [float(views) for views in shown["views"]], texts
        )
        charts.show(bars, key=key, alt=words)
        downloads.csv(frame, key)


def plain(text: str) -> str:
    """Anybody may post clicks: their words are never read as Markdown, a link or a picture."""
    return _MARKUP.sub(" ", text)[:60].strip()


def _table(frame: pl.DataFrame, alt: str) -> None:
    config = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        alt=alt,
        height=35 * (min(frame.height, _ROWS) + 1) + 3,
        column_config={
            "day": config.DateColumn("Day"),
            "query": config.TextColumn("Words"),
            "searches": config.NumberColumn("Searches", format="localized", width="small"),
            "without": config.NumberColumn("In vain", format="localized", width="small"),
            "results": config.NumberColumn("Results", format="localized", width="small"),
        },
    )
