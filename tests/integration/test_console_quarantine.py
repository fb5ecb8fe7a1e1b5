"""The quarantine page, as an operator uses it: look, mend, redrive, discard, count."""

import json
import time
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from console import session_rows
from console.queries import clients, desk
from console.queries.edge import Tokens
from console.session_rows import Row
from console.sessions import Session
from console.settings import settings
from iac.local.ports import ROOT
from pipeline.desk.domain import QUARANTINE, State
from tests.conftest import Stack, wait_until
from tests.integration.desk_floor import DeskFloor, an_order, ids, late_by_format

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
CAUSE = (QUARANTINE, "bad_envelope:occurred_at")


@pytest.fixture
def floor(emulator: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeskFloor]:
    """A stage of its own, which the console is of meanwhile."""
    floor = DeskFloor(emulator)
    monkeypatch.setenv("HAS_STAGE", floor.names.stage)
    _forget()
    yield floor
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for cached in (settings, desk.ledger, desk.places, clients.table):
        cached.cache_clear()
    desk.forget()


def opened(role: str = "operator") -> AppTest:
    tokens, ends_at = Tokens("access", time.time() + 900, ""), time.time() + 900
    session_rows.put("secret", Row("Ada", "ada@shop.test", role, tokens, ends_at, 1))
    page = AppTest.from_file(str(ROOT / "console/app_pages/quarantine.py"), default_timeout=180)
    page.session_state["session"] = Session("Ada", "ada@shop.test", role, tokens, "secret")
    return page.run()


def words(page: AppTest) -> str:
    kinds = ("markdown", "subheader", "caption", "success", "info", "warning", "error", "metric",
             "code", "text")  # fmt: skip
    found = [element for kind in kinds for element in page.get(kind)]
    return "\n".join(f"{getattr(e, 'label', '')} {getattr(e, 'value', '')}" for e in found)


def test_an_operator_mends_a_cause_sends_it_on_and_sees_the_counts_add_up(
    floor: DeskFloor,
) -> None:
    faulty = late_by_format(2)
    floor.send(*faulty, an_order(), "of ada@shop.test | *bold*")
    floor.deliver()
    page = opened()
    assert not page.exception
    said = words(page)
    assert "**3 rejected events are open**" in said
    assert "4 records received, none lost" in said
    assert "Every case is in one state" in said
    page.selectbox(key="desk-cause").select(CAUSE).run()
    page.segmented_control(key="desk-scope").set_value("All of this cause").run()
    page.multiselect(key="desk-steps").select("fix-time").run()
    said = words(page)
    assert "The pipeline would accept it" in said
    assert "**2 of 2** of this cause would be accepted" in said
    page.button(key="desk-fix").click().run()
    assert "2 of 2 mended" in words(page)
    page.button(key="desk-redrive").click().run()
    wait_until(lambda: floor.deliver() == 2)
    assert set(ids(faulty)) <= set(floor.landed())
    done = wait_until(lambda: [e for e in floor.audit() if e["result"] != "started"][1:])
    assert [(e["actor"], e["action"], e["result"]) for e in done] == [
        ("ada@shop.test", "desk.redrive", "ok")
    ]
    page = opened()
    assert "Redriven 2 of 2 from quarantine, by ada@shop.test" in words(page)
    assert "6 records received, none lost" in words(page)


def test_a_body_is_masked_and_a_dead_letter_is_discarded_with_a_reason_only(
    floor: DeskFloor,
) -> None:
    body = json.dumps({"command": "pack", "note": "<b>*of* ada@shop.test</b>"})
    floor.put("fulfilment-dlq", body)
    page = opened()
    said = words(page)
    assert "**1 dead letter is open**" in said
    assert "of* •••" in said
    assert "ada@shop.test" not in said
    page.button(key="desk-discard").click().run()
    assert "A reason is needed" in words(page)
    page.text_area(key="desk-reason").input("packed by hand").run()
    page.button(key="desk-discard").click().run()
    (case,) = floor.cases("fulfilment-dlq")
    assert case.row is not None
    assert (case.state, case.row.reason, case.body) == (State.DISCARDED, "packed by hand", body)
    assert [entry["result"] for entry in floor.audit()] == ["refused", "ok"]
    assert "Nothing is open" in words(opened())


def test_who_is_no_operator_changes_nothing(floor: DeskFloor) -> None:
    floor.put("fulfilment-dlq", "{}")
    page = opened("analyst")
    for action in ("redrive", "discard"):
        page.button(key=f"desk-{action}").click().run()
        assert "Only an operator may" in words(page)
    assert [case.state for case in floor.cases("fulfilment-dlq")] == [State.OPEN]
    assert [entry["result"] for entry in floor.audit()] == ["refused"] * 2
