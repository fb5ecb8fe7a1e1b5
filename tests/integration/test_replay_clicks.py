"""Real clicks go through the stream once, however often they are replayed."""

import json
import os
import subprocess
import sys
from typing import Any

import polars as pl

from iac.local.ports import ROOT
from pipeline.replay.clicks import AFTER_LAST_DAY, FIRST_DAY, click_events, read_clicks
from pipeline.runtime.kinesis import Outgoing, put_records
from pipeline.runtime.lake import Lake
from tests.conftest import Stack


def replay(emulator: Stack, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.replay.clicks_command", *options],
        cwd=ROOT, env=os.environ | emulator.env, text=True, timeout=600,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def report(emulator: Stack) -> dict[str, Any]:
    path = emulator.at.state / "replay" / "clicks.json"
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_totals_are_the_datas_own_and_a_replay_cut_short_and_repeated_adds_nothing(
    emulator: Stack,
) -> None:
    whole = read_clicks(1_500)
    # A replay that was killed: some of its clicks are on the stream, and perhaps nowhere else yet.
    sent = [one.event for one in click_events(read_clicks(300))]
    put_records(
        emulator.aws("kinesis"), emulator.names.events_stream,
        [Outgoing(event["partition_key"], json.dumps(event).encode()) for event in sent],
    )  # fmt: skip
    output = replay(emulator, "--limit", "1500")
    first = report(emulator)
    assert "All checks hold" in output
    assert first["rows_sent"] == whole.height - len(sent)
    replay(emulator, "--limit", "1500")
    again = report(emulator)
    assert again["rows_sent"] == 0
    assert again["checks"] == first["checks"]

    found = {check["name"]: check["right"] for check in first["checks"]}
    own = dict(whole["category"].value_counts().iter_rows())
    assert {name: found[f"data = lake: category {name}"] for name in own} == own
    assert found["lake = aggregates: product views of each day"] == whole["date"].n_unique()
    views = Lake(emulator.names).clickstream(FIRST_DAY, AFTER_LAST_DAY)
    own_sessions = whole.group_by("session_id").len()["len"].sort()
    assert views.group_by("session_id").len()["len"].sort().equals(own_sessions)
    # Days are real, and the times of day within them say that they are not.
    days = views.select("dt", pl.col("occurred_at").dt.date() == pl.col("dt"))
    assert days.unique().height == whole["date"].n_unique()
    raw = Lake(emulator.names).events("shopper.product_viewed.v1")
    said = raw.filter(pl.col("source") == "replay")["payload"].str.json_path_match(
        "$.time_is_synthetic"
    )
    assert said.unique().to_list() == ["true"]
