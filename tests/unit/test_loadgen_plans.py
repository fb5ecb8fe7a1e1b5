"""What a load run is, counts and is judged by; no shop needed."""

import json
import random
import subprocess
import time
from dataclasses import asdict
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen import report
from loadgen.arrivals import Arrivals
from loadgen.machine import AccessLog
from loadgen.remote import arguments, script
from loadgen.scenarios import MAX_USERS, SHAPES, Scenario, correlation_prefix, make_plan
from loadgen.summary import Ending, cut_short, summarise
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
        "Latency": False, "Errors": True, "Keeps up": True, "Whole run": True,
    }  # fmt: skip
    behind = summarise(plan, [a_second(n, 10, 8) for n in range(1, 11)], Tally(), ending)
    assert {c["name"]: c["holds"] for c in behind["verdict"]["criteria"]} == {
        "Latency": False, "Errors": False, "Keeps up": False, "Whole run": True,
    }  # fmt: skip
    assert slow["envoy"] == {
        "everybody": 200, "errors_5xx": 0, "ours": 100, "logged": 100, "difference": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("logged", "difference"), [(0, 1.0), (50, 0.5), (99, 0.01), (100, 0.0), (200, 0.5)]
)
def test_two_counts_are_apart_by_a_share_of_the_larger_and_wholly_where_one_is_empty(
    logged: int, difference: float
) -> None:
    plan = make_plan("01R", "normal", "me", users=10, ramp_s=0, duration_s=10)
    ending = Ending("", 100, 0, {"total": 5}, {"total": 205}, logged, {}, 0)
    counts = summarise(plan, [a_second(1)], Tally(), ending)["envoy"]
    assert counts["difference"] == pytest.approx(difference)


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


def test_a_run_that_ended_early_has_not_passed_and_says_why() -> None:
    plan = make_plan("01R", "normal", "me", users=10, ramp_s=0, duration_s=180)
    tally = Tally()
    tally.add("GET /x", 10, "load-01R-0", "now")
    seconds = [a_second(n) for n in range(1, 65)]
    ending = Ending("was stopped by <me>", 1, 0, {"total": 5}, {"total": 9}, 1, {}, 0)
    summary = summarise(plan, seconds, tally, ending)
    assert not summary["verdict"]["holds"]
    last = summary["verdict"]["criteria"][-1]
    assert last["measured"] == "64 s: it was stopped by <me>"
    head = {"run_id": "01R", "started_at": "2026-11-24T17:00:00Z", "plan": asdict(plan)}
    page = report.to_html(head | {"summary": summary}, [s.to_dict() for s in seconds])
    assert "Ended early after 64 of 180 s: the run was stopped by &lt;me&gt;." in page
    assert "1; Locust 1: 0.00% apart" in page


def test_what_a_dead_run_had_measured_is_kept_without_a_verdict() -> None:
    plan = make_plan("01R", "normal", "me", users=10, ramp_s=2, duration_s=180)
    tally = Tally()
    for number in range(40):
        tally.add("GET /x", 10, f"load-01R-{number}", "now")
    rows = [a_second(n, achieved=5 if n <= 2 else 10).to_dict() for n in range(1, 5)]
    minutes = {0: {"seconds": rows, "total": tally.total.row(), "routes": tally.route_rows()}}
    summary = cut_short(plan, minutes)
    assert (summary["requests"], summary["lasted_s"], summary["achieved_per_s"]) == (40, 4, 10)
    assert "verdict" not in summary
    assert cut_short(plan, {})["requests"] == 0
    head = {"run_id": "01R", "started_at": "2026-11-24T17:00:00Z", "plan": asdict(plan)}
    page = report.to_html(head | {"summary": summary}, rows)
    assert "No verdict" in page
    assert "Ended early after 4 of 180 s: the run died" in page


def test_the_slowest_requests_with_a_trace_are_listed_beside_the_slowest_of_all() -> None:
    tally = Tally()
    for number in range(100):
        tally.add("GET /x", float(number), f"load-R-{number}", "now", is_kept=number == 3)
    listed = tally.slowest()
    assert len(listed) == 21
    assert (listed[-1]["ms"], listed[-1]["is_kept"]) == (3.0, True)


@pytest.mark.parametrize("is_complete", [True, False])
def test_the_instances_script_starts_the_run_from_the_folder_of_its_image(
    tmp_path: Path, is_complete: bool
) -> None:
    """In a folder that is laid out as the contract of the image says, and in one that is not."""
    root = tmp_path / "an image"
    interpreter = root / ".venv" / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.write_text('#!/bin/sh\necho "$HAS_STAGE" "$@" >"$HAS_STATE_DIR/asked"\n')
    interpreter.chmod(0o755)
    if is_complete:
        (root / "environment").write_text(f"HAS_STAGE=prod\nHAS_STATE_DIR={tmp_path}\n")
    plan = make_plan("01R", "normal", "o'brien@demo.shop", users=3)
    lines = "\n".join(script(plan, PurePosixPath(root)))
    done = subprocess.run(["sh", "-c", lines], capture_output=True, text=True)
    assert (done.returncode == 0) == is_complete
    if is_complete:
        deadline = time.monotonic() + 5
        while not (answer := tmp_path / "asked").exists() or not answer.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        asked = answer.read_text()
        assert asked.split() == ["prod", "-m", "loadgen", *arguments(plan)]
    else:
        assert "environment" in done.stderr
