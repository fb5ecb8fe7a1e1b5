"""Every page of the console in Streamlit's own test runner, on a shop with something in it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from console_page import PASSWORD
from shop_history import buy, click
from streamlit.testing.v1 import AppTest

from console.pages import ENTRIES
from console.queries import edge, runs, sales
from console.sessions import STORE
from console.settings import settings
from iac.local.ports import ROOT
from pipeline.contracts import keys
from tests.conftest import Stack, wait_until

# The console runs in this process here: what it keeps open for as long as it runs is closed by
# nobody, and pandas warns of how pyarrow reads a column of times.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:Series.values returning an ndarray that drops timezone",
)
# What each page must say of a shop with history, orders of today and clicks.
CONTENT = {
    "overview": ("orders? today", "The last proof"),
    "today": ("orders? today, £", "Best hour so far|Net revenue by hour", "Newest order"),
    "sales": ("Net revenue £", "Best day|Best month", "brings .* of net revenue", "sells best"),
    "customers": ("customers .*ordered", "Most new customers", "% of customers"),
    "behaviour": ("clicks in", "Most searched", "come by"),
    "explore": ("a query reads the lake", "rows.* in .* files"),
    "proof": ("claims? ", "signature verified", "One reading", "Proofs so far", "Signed with"),
    "traces": ("requests? of the last hour", "Dashed arrows", "Requests, newest first"),
    "load": ("Start a load run", "Offers .* requests/s", "Clean up after load runs"),
    "reconciliation": ("figures of .* hours", "rebuilt from the lake|aggregates", "so far"),
    "system": ("Services by zone|All 8 replicas", "What people did today"),
    "health": ("catalog-a", "Rate peaked at", "Pipeline"),
    "slos": ("How each objective stands", "Availability: ", "Correctness: "),
    "alarms": ("Every alarm", "alarms, "),
    "quarantine": (
        "rejected events? .*open|Nothing is open",
        "open, by cause|Nothing waits",
        "records received, none lost",
        "Every case is in one state",
    ),
    "logs": ("lines?, .* of them errors",),
}
ALLOWED = [
    (entry.name, role) for role in ("operator", "analyst") for entry in ENTRIES
    if role in (*entry.roles, "operator")
]  # fmt: skip


@pytest.fixture(scope="module")
def shop(stack: Stack, history: None) -> Iterator[Stack]:
    """With history, an order of today, clicks and a proof."""
    settings.cache_clear()
    edge._client.cache_clear()
    subprocess.run(
        [sys.executable, "-m", "pipeline.proof"],
        cwd=ROOT, env=os.environ | stack.env, timeout=300, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    buy(stack)
    click(stack)
    yield stack
    edge._client().close()
    edge._client.cache_clear()


def signed_in(who: str) -> AppTest:
    console = AppTest.from_file(str(ROOT / "console/frame.py"), default_timeout=180)
    # Nobody draws a headline here, so no chart has to wait for one.
    for entry in ENTRIES:
        console.session_state[f"first-paint-{entry.name}"] = "drawn"
    # Streamlit's runner has no cookies; this is where a page keeps what it found in one.
    console.session_state["secret"], _ = STORE.sign_in(f"{who}@demo.shop", PASSWORD)
    return console.run()


@pytest.fixture(scope="module")
def consoles(shop: Stack) -> dict[str, AppTest]:
    return {role: signed_in(role) for role in ("operator", "analyst")}


def words(console: AppTest) -> str:
    """All that a page says, in the order of its markup."""
    kinds = ("title", "header", "subheader", "caption", "markdown", "metric", "success", "info",
             "warning", "error", "text")  # fmt: skip
    return "\n".join(
        str(getattr(element, "value", "")) + str(getattr(element, "label", ""))
        for kind in kinds
        for element in console.main.get(kind)
    )


def opened(console: AppTest, name: str) -> AppTest:
    return console.switch_page(f"app_pages/{name}.py").run()


@pytest.mark.parametrize(("name", "role"), ALLOWED)
def test_a_page_draws_what_it_is_for(
    consoles: dict[str, AppTest], name: str, role: str, stack: Stack
) -> None:
    def is_drawn() -> bool:
        page = opened(consoles[role], name)
        said = words(page)
        assert not page.exception
        assert not re.search("on our side|cannot be shown", said), said
        missing = [wanted for wanted in CONTENT[name] if not re.search(wanted, said)]
        assert missing == [], said
        assert re.search(
            rf"badge\[{stack.at.stage}\] :small\[As of .* UTC .*all times in UTC", said
        ), said
        return True

    # What was just bought, sampled or logged arrives within seconds.
    wait_until(is_drawn, pause_s=0.5)


def test_a_page_of_operators_is_refused_to_an_analyst(consoles: dict[str, AppTest]) -> None:
    for entry in ENTRIES:
        if "analyst" not in entry.roles:
            page = opened(consoles["analyst"], entry.name)
            assert [title.value for title in page.title] == [entry.title]
            assert "This page is for operators." in page.error[0].value


def test_a_shop_that_does_not_answer_is_said_in_a_sentence(
    shop: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = signed_in("operator")
    sales.sales.clear()
    sales.settled_sales.clear()
    # The client itself, not its address: a page's threads may still make theirs when it is over.
    with httpx.Client(base_url="http://127.0.0.1:9") as nobody:
        monkeypatch.setattr(edge, "_client", lambda: nobody)
        page = opened(console, "overview")
        assert not page.exception
        said = words(page)
        assert "Today's sales cannot be shown right now. The shop's edge does not answer" in said
        assert re.search("claims? ", said), "what comes from elsewhere stays"
        assert not re.search("Traceback|on our side", said)
        monkeypatch.undo()


def test_an_expired_session_leads_to_the_sign_in_with_the_reason(shop: Stack) -> None:
    console = signed_in("analyst")
    session = console.session_state["session"]
    edge.log_out(session.tokens)
    session.tokens = replace(session.tokens, expires_at=0)
    page = opened(console, "sales")
    assert not page.exception, words(page)
    assert [title.value for title in page.title] == ["Sign in to the console"], words(page)
    assert [info.value for info in page.info] == ["Your session has ended. Sign in again to go on."]


@pytest.fixture
def a_changed_proof(shop: Stack) -> Iterator[None]:
    """Somebody wrote another figure into the last proof, in the table and in the history."""
    ops, latest, later = (
        shop.table("ops"),
        keys.proof_run("latest"),
        keys.past_proof("7" + "Z" * 25),
    )
    item = ops.get_item(Key=latest)["Item"]
    report = json.loads(item["report"]) | {"run_id": later["sk"]}
    report["checks"][0]["left"] += "0"
    for key in (latest, later):
        ops.put_item(Item=item | key | {"report": json.dumps(report)})
    for reading in (runs.find_proof, runs.list_proofs):
        reading.clear()
    yield
    ops.put_item(Item=item)
    ops.delete_item(Key=later)
    for reading in (runs.find_proof, runs.list_proofs):
        reading.clear()


def test_a_changed_proof_is_seen_by_its_signature_and_beside_the_one_before(
    consoles: dict[str, AppTest], a_changed_proof: None
) -> None:
    said = words(opened(consoles["operator"], "proof"))
    assert "signature NOT verified" in said
    assert "something was changed afterwards" in said
    assert re.search(r"Every verdict is the same; the figures of 1 of \d+ claims moved", said)


def test_no_two_pages_share_an_icon() -> None:
    icons = [entry.icon for entry in ENTRIES]
    assert len(icons) == len(set(icons))
