"""The search through CloudWatch Logs finds the newest lines, whatever lies between them."""

import json
from datetime import timedelta
from uuid import uuid4

import boto3
import pytest

from console.queries import logs
from console.settings import settings
from pipeline.runtime.clock import now
from tests.conftest import Stack

SERVICE = f"quarry-{uuid4().hex[:8]}"
CROWD = 900  # lines within a minute, some minutes ago: more than are shown
WARNED = [f"minute.{n}.warned" for n in range(40)]  # one a minute, so that no slice may be left out


@pytest.fixture(scope="module")
def group(stack: Stack) -> None:
    """A line a minute, among them a crowd five minutes ago, and some at the very beginning."""
    client = boto3.client("logs")
    name = f"/has/{settings().stage}/{SERVICE}"
    client.create_log_group(logGroupName=name)
    client.create_log_stream(logGroupName=name, logStreamName="one")
    at = now()
    old, crowded = at - timedelta(minutes=42), at - timedelta(minutes=5)
    lines = [
        (old, _line("oldest.failed", "ERROR")),
        (old, _line("oldest.broke", "critical", order_id="01ORDERABC")),
        (old, _line("oldest.told", "info", note="an error was told of")),
        (old, "START RequestId: 1 Version: $LATEST"),
        (old, "a plain line about an ERROR"),
        *(
            (crowded + timedelta(milliseconds=50 * n), _line(f"crowd.{n}", "info"))
            for n in range(CROWD)
        ),
        *(
            (at - timedelta(minutes=n + 0.5), _line(event, "warning"))
            for n, event in enumerate(WARNED)
        ),
    ]
    lines.sort(key=lambda line: line[0])
    events = [{"timestamp": int(at.timestamp() * 1000), "message": text} for at, text in lines]
    client.put_log_events(logGroupName=name, logStreamName="one", logEvents=events)


def _line(event: str, level: str, **more: str) -> str:
    return json.dumps({"event": event, "level": level, "service": SERVICE, **more})


def _found(**wanted: str) -> tuple[list[str], bool]:
    end = now() + timedelta(seconds=1)
    search = logs.Search(end - timedelta(hours=1), end, service=SERVICE, **wanted)
    found = logs.search(search)
    assert not found.silent
    return [line.event for line in found.lines], found.is_more


@pytest.mark.usefixtures("group")
def test_the_newest_lines_are_shown_and_that_there_are_more() -> None:
    crowd = [f"crowd.{n}" for n in range(CROWD - 1, -1, -1)]
    assert _found(level="info") == ([*WARNED[:4], *crowd][: logs.LIMIT], True)


@pytest.mark.parametrize(
    ("level", "events"),
    [
        ("warning", [*WARNED, "oldest.failed", "oldest.broke"]),
        ("error", ["oldest.failed", "oldest.broke"]),
        ("critical", ["oldest.broke"]),
    ],
)
@pytest.mark.usefixtures("group")
def test_a_level_finds_itself_and_worse_and_no_line_that_only_names_it(
    level: str, events: list[str]
) -> None:
    assert _found(level=level) == (events, False)


@pytest.mark.usefixtures("group")
def test_words_are_found_wherever_they_stand_and_however_written() -> None:
    assert _found(text="An Error") == (["oldest.told", "a plain line about an ERROR"], False)
    assert _found(order_id="01orderabc") == (["oldest.broke"], False)
    assert _found(level="debug", text="requestid") == (
        ["START RequestId: 1 Version: $LATEST"],
        False,
    )
    assert _found(level="info", text="requestid") == ([], False)
