"""The business pages say what the API and the lake say: every chart's source, and the cards."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from console_page import PASSWORD, audit_entries, sign_in
from playwright.sync_api import Browser, Page, expect, sync_playwright
from shop_history import buy, click

from console.periods import EPOCH, Grain, Period
from console.queries import behaviour, breakdowns, customers, edge, lake_rows, report, sales
from console.queries import orders as order_rows
from console.queries.report import Filter
from console.settings import settings
from console.wording import money_short
from iac.local.browser import CHROMIUM_OPTIONS
from tests.conftest import Stack, most_of_three, wait_until

EVER = Period(EPOCH, datetime.now(UTC).date() + timedelta(days=2), "all")


@pytest.fixture(scope="module")
def token(stack: Stack) -> Iterator[str]:
    """An analyst's token; the console's query layer, in this process, reads the stack."""
    settings.cache_clear()
    edge._client.cache_clear()
    _, tokens = edge.log_in("analyst@demo.shop", PASSWORD)
    yield tokens.access
    edge._client().close()
    edge._client.cache_clear()


@pytest.fixture(scope="module")
def sold(stack: Stack, token: str, history: None) -> pl.DataFrame:
    """Real history, orders of today and clicks; returns the lake's lines once all are there."""
    order_id = buy(stack)
    click(stack)

    def settled() -> bool:
        lake_rows._lines()._renew()
        lines = lake_rows.lines().frame
        api = sales._read(token, EVER, "month", None)[0]["GBP"]
        is_there = lines.filter(pl.col("order_id").cast(pl.String) == order_id).height > 0
        return is_there and lines["amount"].sum() == api.net

    wait_until(settled, pause_s=0.5)
    return lake_rows.lines().frame


def a_range(rng: random.Random, lines: pl.DataFrame) -> Period:
    days: list[date] = lines["at"].dt.date().unique().sort().to_list()
    first, last = sorted(rng.choices(days, k=2))
    return Period(first, last + timedelta(days=1))


SUMS = ("orders", "units", "gross", "refunds", "net")


@pytest.mark.parametrize("seed", range(10))
def test_charts_add_up_to_the_apis_totals_and_the_lakes(
    seed: int, sold: pl.DataFrame, token: str
) -> None:
    rng = random.Random(seed)
    period = a_range(rng, sold)
    grains: list[Grain] = ["hour", "day", "month"] if period.days <= 90 else ["day", "month"]
    grain = rng.choice(grains)
    api, series = report.report(token, period, grain, "GBP", Filter())
    lines = breakdowns.sliced(period, "GBP")
    assert breakdowns.totals(lines, "GBP") == api
    drawn = sales.filled(series, "GBP", period, grain)
    assert [drawn[name].sum() for name in SUMS] == [getattr(api, name) for name in SUMS]
    for column in ("country", "category"):
        bars = sales.by_group(report.by(token, period, "GBP", column, Filter()), "GBP", 5)
        assert bars["net"].sum() == api.net
        group = rng.choice(sales.groups(token, period)[column])
        only = Filter(**{column: group})
        mine, _ = report.report(token, period, grain, "GBP", only)
        assert mine == breakdowns.totals(
            breakdowns.sliced(period, "GBP", only.country, only.category), "GBP"
        )
        other = "category" if column == "country" else "country"
        crossed = report.by(token, period, "GBP", other, only)
        assert (crossed["net"].sum(), crossed["gross"].sum()) == (mine.net, mine.gross)
    assert breakdowns.tree(lines)["gross"].sum() == api.gross
    week = breakdowns.week(lines)
    assert (week["gross"].sum(), week["orders"].sum()) == (api.gross, api.orders)
    best = sales.top_products(token, period, 100)
    assert best.equals(breakdowns.products(lines, "GBP", 100).with_columns(best["title"]))
    courses = breakdowns.courses(lines, best["product_id"].to_list())
    assert round(sum(courses["course"].list.sum()) * 100) == best["gross"].sum()


def test_customers_add_up_to_all_who_ordered(sold: pl.DataFrame, token: str) -> None:
    api = sales.sales(token, EVER, "month")[0]["GBP"]
    bought = customers.purchases("GBP")
    scored = customers.rfm(bought.orders, datetime.now(UTC).date())
    assert scored["net"].sum() + bought.guests == api.net
    months = customers.by_period(bought.orders, EVER, "month")
    assert months["new"].sum() == api.customers
    nets = months["net_new"].to_list() + months["net_returning"].to_list()
    assert sum(nets) == scored["net"].sum()
    cohorts = customers.cohorts(bought.orders)
    assert cohorts.filter(pl.col("age") == 0)["customers"].sum() == api.customers
    for month, new, returning in months.select("start", "new", "returning").iter_rows():
        at = pl.col("cohort").dt.offset_by(pl.format("{}mo", "age")) == month
        assert cohorts.filter(at)["customers"].sum() == new + returning
    buyers = scored.filter(pl.col("orders") > 0)
    assert buyers.height == api.customers
    narrow = a_range(random.Random(1), sold)
    api = sales.sales(token, narrow, "day")[0]["GBP"]
    mine = bought.within(narrow)
    assert mine.orders["net"].sum() + mine.guests == api.net
    assert mine.orders.filter("is_sale")["customer_id"].n_unique() == api.customers
    early = customers.rfm(bought.until(narrow.until).orders, narrow.until)
    assert early.filter(pl.col("recency_days") < 0).is_empty()
    days = customers.by_period(bought.orders, narrow, "day")
    assert days["new"].sum() == early.filter(pl.col("first_order") >= narrow.first).height
    segments = customers.segments(scored)
    assert segments["net"].sum() == scored["net"].sum()
    assert segments["customers"].sum() == scored.height


def test_clicks_are_the_counters_and_a_session_counts_up_to_its_furthest_step(
    sold: pl.DataFrame, token: str
) -> None:
    today = Period(datetime.now(UTC).date(), datetime.now(UTC).date() + timedelta(days=1))

    def agree() -> bool:
        lake_rows._clicks()._renew()
        frame = behaviour.clicks(today)
        behaviour.counters.clear()
        return behaviour.events(frame) == behaviour.counters(token, today)

    wait_until(agree, pause_s=0.5)
    frame = behaviour.clicks(today)
    mine = frame.filter(pl.col("session_id").str.starts_with("session-").fill_null(False))
    assert behaviour.funnel(mine)["sessions"].to_list() == [2, 1, 1, 0, 0]
    begun = behaviour.visits(today).filter(pl.col("event_id").is_in(mine["event_id"].implode()))
    assert begun.height == mine.height
    tomorrow = Period(today.until, today.until + timedelta(days=1))
    assert behaviour.visits(tomorrow).is_empty()
    late = mine.with_columns(pl.col("at") + pl.duration(days=1))
    over_midnight = pl.concat(
        [mine.filter(pl.col("event_type") != "shopper.cart_changed.v1"), late]
    )
    assert behaviour.funnel_by_day(over_midnight).rows() == [(today.first, 2, 1, 1, 0, 0)]
    every = behaviour.searches(frame)
    found = every.filter(pl.col("query") == "unfindable")
    assert found.select("searches", "results").row(0) == (2, 0)
    asked = {"from": today.first.isoformat(), "to": today.until.isoformat(), "limit": 100}
    answer = edge.get("/api/analytics/searches-without-results", token, **asked)
    vain = behaviour.searches_without(every)
    assert vain.rows() == [(one["term"], one["searches"]) for one in answer["items"]]
    assert vain["without"].sum() == answer["total"] >= 2


@pytest.fixture(scope="module")
def page(stack: Stack, sold: pl.DataFrame) -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium: Browser = playwright.chromium.launch(**CHROMIUM_OPTIONS)
        context = chromium.new_context(
            viewport={"width": 1440, "height": 2400}, base_url=stack.console_url
        )
        page = context.new_page()
        sign_in(page, "analyst", "/today")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        yield page
        chromium.close()


def figure(page: Page, label: str) -> str:
    card = page.get_by_test_id("stMetric").filter(has_text=label).first
    return card.get_by_test_id("stMetricValue").inner_text()


def test_a_purchase_shows_on_today_within_ten_seconds(page: Page, stack: Stack) -> None:
    expect(page.get_by_text("newest first")).to_be_visible()

    def buy_and_see() -> None:
        number = order_rows.shown_number(buy(stack))
        expect(page.get_by_role("cell", name=number)).to_be_visible(timeout=10_000)

    most_of_three(buy_and_see)


def test_the_page_narrowed_by_its_address_shows_what_the_api_says_and_asks_nobody_else(
    page: Page, stack: Stack, token: str, sold: pl.DataFrame
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    names = ("range=custom", "compare=none", "country=Germany")
    days = sold["at"].dt.date()
    first, last = days.min(), days.max()
    assert isinstance(first, date) and isinstance(last, date)
    page.goto(f"/sales?{'&'.join(names)}&from={first}&to={last}")
    expect(page.get_by_role("heading", name="in Germany over")).to_be_visible()
    expect(page.get_by_text("dots are small countries")).to_be_visible()
    expect(page.locator(".choroplethlayer path").first).to_be_attached()
    mine, _ = report.report(
        token, Period(first, last + timedelta(days=1)), "month", "GBP", Filter("Germany")
    )
    assert figure(page, "Net revenue") == money_short(mine.net, "GBP")
    assert (figure(page, "Orders"), figure(page, "Customers")) == (
        f"{mine.orders:,}", f"{mine.customers:,}",
    )  # fmt: skip
    assert page.get_by_test_id("stAlert").count() == 0
    local = (stack.console_url, stack.console_url.replace("http", "ws"), "data:", "blob:")
    assert [url for url in asked if not url.startswith(local)] == []


@pytest.mark.parametrize("path", ["/customers", "/behaviour"])
def test_a_page_of_shoppers_draws_all_its_panels(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    expect(page.get_by_test_id("stDownloadButton")).not_to_have_count(0)
    expect(page.get_by_text("cannot be shown")).to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 844})
    main = "document.querySelector('[data-testid=stMain]')"
    wait_until(lambda: page.evaluate(f"{main}.scrollWidth - {main}.clientWidth") == 0)
    page.set_viewport_size({"width": 1440, "height": 2400})


def test_an_analyst_finds_last_months_best_country_and_exports_it(
    page: Page, stack: Stack, sold: pl.DataFrame
) -> None:
    last = datetime.now(UTC).date().replace(day=1) - timedelta(days=1)
    first = last.replace(day=1)
    page.goto(f"/sales?range=custom&from={first}&to={last}")
    period = {"from": f"{first}", "to": f"{last + timedelta(days=1)}", "grain": "month"}
    with stack.http() as http:
        answer = http.get("/api/analytics/sales", params=period | {"group_by": "country"})
    nets = {row["group"]: row["net"] for row in answer.json()["series"]}
    best = max(nets, key=lambda country: nets[country])
    share = nets[best] * 100 / sum(nets.values())
    heading = page.get_by_role("heading", name=f"{best} brings {share:.0f} % of net revenue")
    expect(heading).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name=f"CSV of all {len(nets)}").first.click()
    table = pl.read_csv(Path(download.value.path()))
    assert dict(table.select("group", "net").iter_rows()) == nets
    assert table["group"][0] == best
    entry = audit_entries(stack, "export")[0]
    assert (entry["actor"], entry["result"]) == ("analyst@demo.shop", "ok")
    assert entry["target"] == download.value.suggested_filename
