"""What a load run is, counts and is judged by; no shop needed."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen import report
from loadgen.arrivals import Arrivals
from loadgen.machine import AccessLog
from loadgen.remote import arguments
from loadgen.scenarios import MAX_USERS, SHAPES, Scenario, correlation_prefix, make_plan
from loadgen.summary import Ending, summarise
from loadgen.tally import Second, Tally, Times
from loadgen.verdict import judge, objectives

TIMES_MS = st.lists(st.floats(0.1, 20_000), min_size=1, max_size=200)


def a_second(number: int, offered: float = 10, achieved: float = 10) -> Second:
    return Second(
        number, 5, offered, achieved, 0, 5, 20, 30, 50, {"edge": 3.0, "load generator": 1}
    )


@given(TIMES_MS, st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_a_time_that_was_measured_within_its_rounding(
    times_ms: list[float], share: float
) -> None:
    times = Times()
    for ms in times_ms:
        times.add(ms, is_failure=False)
    exact = sorted(times_ms)[max(0, -(-int(share * 100) * len(times_ms) // 100) - 1)]
    assert times.percentile(share) == pytest.approx(exact, abs=0.5001)


def test_the_slowest_and_the_failed_requests_are_kept_with_their_correlation_ids() -> None:
    tally = Tally()
    for number in range(500):
        tally.add("GET /x", float(number), f"load-R-{number}", "now", "503" if number == 7 else "")
    assert [entry["correlation_id"] for entry in tally.slowest()][:2] == [
        "load-R-499", "load-R-498",
    ]  # fmt: skip
    assert [(f["correlation_id"], f["fault"]) for f in tally.faults()] == [("load-R-7", "503")]
    assert (tally.total.requests, tally.total.failures, len(tally.slowest())) == (500, 1, 20)


@pytest.mark.parametrize("scenario", list(Scenario))
def test_every_scenario_is_within_its_own_bounds(scenario: Scenario) -> None:
    plan = make_plan("01R", scenario, "me")
    shape = SHAPES[scenario]
    assert (plan.users, plan.duration_s) == (shape.users, shape.duration_s)
    assert sum(shape.weights.values()) == 100
    assert (plan.arrivals_per_s is None) == (not shape.is_open)
    assert "--run-id" in arguments(plan)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"users": 0}, "users"),
        ({"users": MAX_USERS + 1}, "users"),
        ({"duration_s": 5}, "duration"),
        ({"ramp_s": 60, "duration_s": 30}, "ramp"),
    ],
)
def test_a_plan_out_of_bounds_is_refused_by_name(values: dict[str, int], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        make_plan("01R", "normal", "me", **values)  # type: ignore[arg-type]  # one of several


def test_a_run_slower_than_its_objective_or_behind_its_offer_does_not_pass() -> None:
    plan = make_plan("01R", "normal", "me", users=10, ramp_s=0, duration_s=10)
    tally = Tally()
    for number in range(100):
        tally.add("GET /x", 500.0 if number < 6 else 10.0, f"load-01R-{number}", "now")
    ending = Ending("", 100, 0, {"total": 5}, {"total": 205}, 100, {}, 0)
    slow = summarise(plan, [a_second(n) for n in range(1, 11)], tally, ending)
    assert {c["name"]: c["holds"] for c in slow["verdict"]["criteria"]} == {
        "Latency": False, "Errors": True, "Keeps up": True,
    }  # fmt: skip
    behind = summarise(plan, [a_second(n, 10, 8) for n in range(1, 11)], Tally(), ending)
    assert {c["name"]: c["holds"] for c in behind["verdict"]["criteria"]} == {
        "Latency": False, "Errors": False, "Keeps up": False,
    }  # fmt: skip
    assert slow["envoy"] == {
        "everybody": 200, "errors_5xx": 0, "ours": 100, "logged": 100, "difference": 0.0,
    }  # fmt: skip


def test_an_arrival_that_found_no_place_counts_as_an_error() -> None:
    plan = make_plan("01R", "stress", "me", ramp_s=0, duration_s=10)
    tally = Tally()
    tally.add("GET /x", 10, "load-01R-0", "now")
    lost = summarise(plan, [a_second(1)], tally, Ending("", 1, 1, None, None, None, {}, 0))
    assert [c["measured"] for c in lost["verdict"]["criteria"]][1] == "50.000%"
    assert lost["envoy"] is None


@pytest.mark.parametrize("text", ["{", "{}", '{"objectives": {"latency": {"within": "soon"}}}'])
def test_a_bad_slo_file_gives_the_defaults_and_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "slo.json"
    path.write_text(text)
    aims, source = objectives(path)
    assert aims["within_ms"] == 200
    assert "bad" in source
    assert "there is no SLO file" in objectives(tmp_path / "none.json")[1]


def test_the_shops_own_slo_file_is_the_one_that_judges() -> None:
    aims, source = objectives()
    assert source == "iac/topology/slo.json"
    exact = {"requests": 1000.0, "within_share": aims["within_share"], "p95_ms": 200.0}
    exact |= {"failed_share": 1 - aims["available_share"], "achieved_share": 1.0}
    assert all(criterion["holds"] for criterion in judge(exact, aims))


def test_an_access_log_that_rotates_is_counted_to_its_end_and_from_the_new_start(
    tmp_path: Path,
) -> None:
    path = tmp_path / "edge.jsonl"
    prefix = correlation_prefix("01R")

    def line(correlation_id: str) -> str:
        return json.dumps({"correlation_id": correlation_id}, separators=(",", ":")) + "\n"

    path.write_text(line(f"{prefix}0"))
    log = AccessLog(path, prefix)
    with path.open("a") as file:
        file.write(line(f"{prefix}1") + line("someone-else") + line(f"{prefix}setup-0"))
        file.write(line(f"{prefix}2")[:20])
        file.flush()
        assert log.read() == 1
        path.rename(tmp_path / "edge.jsonl.1")
        file.write(line(f"{prefix}2")[20:])
    path.write_text(line(f"{prefix}3"))
    assert log.read() == 3
    log.close()


def test_arrivals_do_not_wait_for_answers_and_are_lost_beyond_the_limit() -> None:
    class Stuck:
        def step(self) -> None:
            import gevent

            gevent.sleep(60)

    arrivals = Arrivals(200.0, 0.0, 5, Stuck, random.Random(1))
    import gevent

    generator = gevent.spawn(arrivals.run)
    gevent.sleep(0.5)
    generator.kill()
    assert 60 < arrivals.offered < 140
    assert (arrivals.busy, arrivals.lost) == (5, arrivals.offered - 5)


def test_a_report_shows_what_a_note_says_and_runs_nothing_of_it() -> None:
    plan = make_plan("01R", "normal", "me", users=10, ramp_s=0, duration_s=10)
    tally = Tally()
    tally.add("GET /x", 10, "load-01R-0", "now")
    seconds = [a_second(n) for n in range(1, 11)]
    summary = summarise(plan, seconds, tally, Ending("", 1, 0, None, None, None, {}, 0))
    head = {
        "run_id": "01R", "started_at": "2026-11-24T17:00:00Z", "note": "<script>alert(1)</script>",
        "plan": {"scenario": "normal", "users": 10, "arrivals_per_s": None, "duration_s": 10,
                 "by": "me"}, "summary": summary,
    }  # fmt: skip
    rows = [second.to_dict() for second in seconds]
    page = report.to_html(head, rows)
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert json.loads(report.to_json(head, rows))["seconds"] == rows
