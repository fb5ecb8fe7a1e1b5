"""A person's SQL over the lake: right, bounded and harmless."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import psutil
import pytest
from console_page import audit_entries, press, sign_in
from playwright.sync_api import Page, expect, sync_playwright

from console.queries.explore import Outcome, Request, Run
from console.settings import settings
from iac.local.browser import CHROMIUM_OPTIONS
from iac.local.ports import ROOT
from pipeline.replay.products import DATA
from pipeline.runtime.lake import Lake
from tests.conftest import PATIENCE_MS, Stack

EVER = (date(2009, 1, 1), date(2100, 1, 1))


@pytest.fixture(scope="module")
def shop(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack after some invoices of the order log, compacted."""
    log = pl.read_parquet(DATA / "online_retail.parquet")
    invoices = log.slice(400_000, 2_000).select("InvoiceNo").unique()
    path = tmp_path_factory.mktemp("log") / "slice.parquet"
    log.join(invoices, on="InvoiceNo", how="semi", maintain_order="left").write_parquet(path)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.replay", "--file", str(path)],
        cwd=ROOT, env=os.environ | stack.env, text=True, capture_output=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    settings.cache_clear()
    yield stack
    settings.cache_clear()


def ask(sql: str, **limits: int) -> Outcome:
    return Run(Request(sql, *EVER, **limits)).execute()


def test_a_sum_in_sql_is_the_lakes_own_to_the_penny_with_the_range_honoured(shop: Stack) -> None:
    lines = Lake(shop.names).order_lines(*EVER)
    whole = ask("SELECT sum(line_total_minor) AS net, count(*) AS lines FROM order_lines")
    assert whole.frame is not None, whole.message
    assert whole.frame.row(0) == (lines["line_total_minor"].sum(), lines.height)
    assert whole.considered == {"order_lines": lines.height}
    first = lines["dt"].min()
    assert isinstance(first, date)
    days = Request("SELECT DISTINCT dt FROM order_lines", first, first + timedelta(days=1))
    one = Run(days).execute().frame
    assert one is not None
    assert one["dt"].to_list() == [first]


def test_ten_million_rows_are_cut_and_a_runaway_query_is_stopped_with_its_process(
    shop: Stack,
) -> None:
    cut = ask("SELECT a.i FROM range(4000) a(i), range(4000) b(i)", row_limit=1_000)
    assert cut.frame is not None
    assert (cut.frame.height, cut.is_cut) == (1_000, True)
    endless = ask("SELECT sum(a.i * b.i) FROM range(10000000) a(i), range(10000000) b(i)",
                  time_limit_s=1)  # fmt: skip
    assert endless.kind == "timeout"
    assert endless.seconds < 15
    greedy = ask("SELECT list(a.i ORDER BY b.i) FROM range(100000) a(i), range(1000) b(i)",
                 time_limit_s=60)  # fmt: skip
    assert greedy.kind == "memory", greedy.message
    assert not [
        child for child in psutil.Process().children(recursive=True)
        if "console.queries.explore_worker" in " ".join(child.cmdline())
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "kind", "words"),
    [
        ("SELECT titel\nFROM order_lines", "sql", "LINE 1: SELECT titel"),
        ("SELECT * FROM read_text('/etc/hostname')", "sql", "disabled by configuration"),
        ("COPY orders TO '/tmp/orders.csv'", "refused", "Only reading is allowed"),
        ("SET memory_limit = '9GB'", "refused", "Only reading is allowed"),
        ("SELECT 1; SELECT 2", "refused", "Several queries"),
        ("-- nothing", "refused", "There is no query"),
    ],
)
def test_what_may_not_run_is_refused_with_the_reason(
    shop: Stack, sql: str, kind: str, words: str
) -> None:
    outcome = ask(sql)
    assert (outcome.kind, outcome.frame) == (kind, None)
    assert words in outcome.message
    assert "Traceback" not in outcome.message


@pytest.fixture
def page(shop: Stack) -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**CHROMIUM_OPTIONS)
        opened = chromium.new_page(base_url=shop.console_url)
        opened.set_default_timeout(PATIENCE_MS)
        yield opened
        chromium.close()


def test_an_analyst_runs_saves_shares_and_exports_a_query(page: Page, shop: Stack) -> None:
    sign_in(page, "analyst", "/explore")
    editor = page.get_by_role("textbox", name="SQL")
    sql = "SELECT kind, count(*) AS lines FROM order_lines GROUP BY kind"
    editor.fill(sql)
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("rows of order_lines")).to_be_visible(timeout=3 * PATIENCE_MS)
    with page.expect_download() as download:
        page.get_by_role("button", name="Parquet").click()
    exported = pl.read_parquet(Path(download.value.path()))
    assert exported["lines"].sum() == Lake(shop.names).order_lines(*EVER).height
    page.get_by_role("tab", name="Saved").click()
    page.get_by_label("Name", exact=True).fill("Lines by kind")
    press(page, "Save the query")
    page.wait_for_url(re.compile("query="), timeout=PATIENCE_MS)
    link = page.url
    page.goto("/explore")
    page.goto(link)
    expect(editor).to_have_value(sql, timeout=PATIENCE_MS)
    (query,) = [e for e in audit_entries(shop, "explore.query") if e["target"] == sql]
    assert query["actor"] == "analyst@demo.shop"
    assert (query["result"], query["rows"]) == ("ok", exported.height)
    export = audit_entries(shop, "export")[0]
    assert (export["target"], export["result"]) == (f"result.parquet {sql}", "ok")
    assert audit_entries(shop, "explore.save")[0]["target"] == "Lines by kind"
