"""The arithmetic of error budgets, and a file of objectives that is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iac.local.ports import ROOT
from pipeline.contracts.slo import (
    WINDOWS_MIN,
    Counts,
    Objective,
    Rule,
    budget_left,
    burn_rate,
    is_firing,
    parse,
    rule_burn,
)

TEXT = (ROOT / "iac" / "topology" / "slo.json").read_text()
FAST, STEADY, SLOW = parse(TEXT).rules
ratios = st.floats(0.5, 0.9999)
counts = st.integers(0, 10**7).flatmap(
    lambda total: st.builds(Counts, st.integers(0, total), st.just(total))
)


@given(counts, ratios)
def test_burning_at_one_for_the_whole_window_spends_exactly_the_budget(
    seen: Counts, slo: float
) -> None:
    rate = burn_rate(seen.bad, seen.total, slo)
    assert rate >= 0
    assert budget_left(seen.bad, seen.total, slo) == 1 - rate
    if seen.total:
        allowed = seen.total * (1 - slo)
        assert rate * allowed == pytest.approx(seen.bad)


@given(counts, ratios, st.integers(1, 50))
def test_more_errors_never_burn_slower_and_scale_does_not_matter(
    seen: Counts, slo: float, times: int
) -> None:
    rate = burn_rate(seen.bad, seen.total, slo)
    assert burn_rate(seen.bad, seen.total + 1, slo) <= rate
    assert burn_rate(seen.bad + 1, seen.total + 1, slo) >= rate
    assert burn_rate(seen.bad * times, seen.total * times, slo) == pytest.approx(rate)


def an_objective(slo: float = 0.999, min_bad: int = 1) -> Objective:
    bad = {"Status": ["5xx"]}
    return Objective(title="x", metric="EdgeAnswers", objective=slo, bad=bad, min_bad=min_bad)


@given(counts, counts, ratios, st.integers(1, 100))
def test_a_rule_fires_only_when_both_its_windows_burn_and_enough_is_bad(
    long: Counts, short: Counts, slo: float, min_bad: int
) -> None:
    windows, objective = {60: long, 5: short}, an_objective(slo, min_bad)
    both = all(burn_rate(c.bad, c.total, slo) >= FAST.burn_rate for c in (long, short))
    assert is_firing(FAST, windows, objective) == (both and long.bad >= min_bad)
    if not long.bad or not short.bad or long.bad < min_bad:
        assert rule_burn(FAST, windows, objective) == 0


def test_one_failure_in_three_requests_at_night_pages_nobody_and_an_outage_does() -> None:
    declared = parse(TEXT).objectives["availability"]
    night = {window: Counts(1, 3) for window in WINDOWS_MIN} | {30: Counts(1, 3)}
    assert [rule.name for rule in (FAST, STEADY, SLOW) if is_firing(rule, night, declared)] == []
    outage = night | {60: Counts(declared.min_bad, 12), 5: Counts(2, 2)}
    assert is_firing(FAST, outage, declared)


def test_the_rules_are_those_of_the_workbook() -> None:
    assert [(r.burn_rate, r.long_min, r.short_min, r.severity) for r in (FAST, STEADY, SLOW)] == [
        (14.4, 60, 5, "page"),
        (6, 360, 30, "page"),
        (1, 4320, 360, "ticket"),
    ]


@pytest.mark.parametrize(
    ("errors", "requests", "slo"), [(2, 1, 0.99), (-1, 1, 0.99), (0, 1, 1.0), (0, 1, 0.0)]
)
def test_counts_that_cannot_be_are_refused(errors: int, requests: int, slo: float) -> None:
    with pytest.raises(ValueError):
        burn_rate(errors, requests, slo)


@pytest.mark.parametrize(
    ("where", "value", "field"),
    [
        ("objective", 99.9, "objectives.latency.objective"),
        ("objective", "high", "objectives.latency.objective"),
        ("metric", "RequestDuratoin", "objectives.latency.metric"),
        ("within", -1, "objectives.latency.within"),
        ("within", None, "objectives.latency"),
        ("wihtin", 3, "objectives.latency.wihtin"),
        ("min_bad", 0, "objectives.latency.min_bad"),
        ("metric", "EdgeAnswers", "objectives.latency"),
    ],
)
def test_a_fault_names_its_field_and_the_other_objectives_stay(
    where: str, value: Any, field: str
) -> None:
    document = json.loads(TEXT)
    document["objectives"]["latency"][where] = value
    read = parse(json.dumps(document))
    assert [fault.field for fault in read.faults] == [field]
    assert set(read.objectives) == {"availability", "freshness", "correctness"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT[:-4], "not JSON"),
        ("[]", "dictionary"),
        (TEXT.replace('"window_d": 28', '"window_d": 0'), "window_d"),
        (TEXT.replace('"burn_rate": 6', '"burn_rate": "x"'), "rules.1.burn_rate"),
    ],
)
def test_a_file_without_use_says_why(text: str, words: str) -> None:
    read = parse(text)
    assert read.objectives == {}
    assert words in str(read.faults[0])


@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_no_file_at_all_raises(text: str) -> None:
    assert parse(text).faults


def test_the_declared_file_has_no_fault() -> None:
    assert parse(TEXT).faults == ()
    assert isinstance(FAST, Rule)
