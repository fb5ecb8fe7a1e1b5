"""`docs/guarantees.md` names tests that exist, for each of its promises."""

import re
from pathlib import Path

import pytest

from iac.local.ports import ROOT

_DOCUMENT = ROOT / "docs" / "guarantees.md"
_PROMISES = re.split(
    r"^## (?=\d)", _DOCUMENT.read_text().partition("## What is not")[0], flags=re.M
)


@pytest.mark.parametrize("promise", _PROMISES[1:], ids=lambda text: text.partition("\n")[0])
def test_a_promise_says_how_it_is_kept_what_it_withstands_and_which_test_shows_it(
    promise: str,
) -> None:
    for part in ("**How.**", "**Withstands**", "**Shown by**"):
        assert part in promise
    named = re.findall(r"`(tests/[\w/.]+)::(\w+)`", promise)
    assert named
    for file, test in named:
        assert re.search(rf"^def {test}\(", (ROOT / Path(file)).read_text(), re.M), (
            f"{file}::{test}"
        )


def test_each_promise_of_the_table_has_its_section() -> None:
    numbered = re.findall(r"^\| (\d) \| \[.*?\]\(#(\d)-", _DOCUMENT.read_text(), re.M)
    assert [first for first, _ in numbered] == [second for _, second in numbered]
    assert [number for number, _ in numbered] == [promise[0] for promise in _PROMISES[1:]]
