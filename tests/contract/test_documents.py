"""The written contracts are what the code says: OpenAPI, event schemas, make targets, settings."""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from iac.local.ports import TUNABLE
from pipeline.expiry.service import LONGEST_WAIT_S
from pipeline.runtime import dictionary

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "docs" / "contracts"


@pytest.fixture(scope="module", autouse=True)
def stage() -> None:
    """The services read their stage when they are imported, and nothing else of a stack."""
    patch = pytest.MonkeyPatch()
    patch.setenv("HAS_STAGE", "local")


def test_written_contracts_are_what_the_code_says() -> None:
    from storefront_api.contracts import texts

    differing = [name for name, text in texts() if (CONTRACTS / name).read_text() != text]
    assert differing == [], "run `make contracts`"


def test_the_data_dictionary_has_each_column_of_the_lake_once_with_an_example_of_its_type() -> None:
    kinds: dict[str, Callable[[str], object]] = {
        "bigint": int, "date": date.fromisoformat, "timestamp": datetime.fromisoformat,
        "boolean": {"true": True, "false": False}.__getitem__, "string": str,
    }  # fmt: skip
    for table in dictionary.TABLES:
        for column in dictionary.columns_of(table):
            kinds[column.type](column.example)
            assert column.meaning, column
            assert len(column.meaning) <= 255, "Glue takes no longer comment"
            assert column.name.endswith("_minor") == ("minor" in column.unit)
            assert column.type not in ("date", "timestamp") or column.unit == "UTC"
    assert dictionary.unused_entries() == []


def test_every_failure_of_every_route_is_documented_as_a_problem() -> None:
    undocumented = []
    for path in sorted(CONTRACTS.glob("openapi/*.json")):
        for route, methods in json.loads(path.read_text())["paths"].items():
            for method, operation in methods.items():
                for status, answer in operation["responses"].items():
                    if status.startswith("4") and "application/problem+json" not in answer.get(
                        "content", {}
                    ):
                        undocumented.append(f"{method} {route} {status}")
    assert undocumented == []
    assert len(list(CONTRACTS.glob("openapi/*.json"))) == 4


def test_every_command_of_the_makefile_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text()
    described = set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
    promised = {"up", "down", "status", "logs", "clean", "test", "replay", "prove", "load", "lint"}
    assert promised <= described
    readme = (ROOT / "README.md").read_text()
    told = set(re.findall(r"[a-z-]+", " ".join(re.findall(r"`([^`]*)`", readme))))
    assert described - told - {"help"} == set(), "the README names every command"


def test_every_setting_that_make_up_hands_on_is_described() -> None:
    pages = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("*/*/README.md"),
             *ROOT.glob("*/*/*/README.md")]  # fmt: skip
    text = "\n".join(page.read_text() for page in pages if "node_modules" not in page.parts)
    assert [name for name in TUNABLE if f"`{name}`" not in text] == []


def test_the_queue_waits_at_least_as_long_as_the_longest_payment_window() -> None:
    from storefront_api.checkout.main import CheckoutSettings

    queue = json.loads((ROOT / "iac/topology/queues.json").read_text())["expiry"]
    # One message comes once, and comes back until it has been received too often.
    longest_s = queue["delay_s"] + (queue["max_receives"] - 1) * LONGEST_WAIT_S
    CheckoutSettings(payment_window_s=longest_s)
    with pytest.raises(ValidationError):
        CheckoutSettings(payment_window_s=longest_s + 1)
