"""What the console reads out of supervisor's log."""

from console.queries.processes import count_starts

EARLIER = """2026-11-26 10:00:00,1 INFO supervisord started with pid 7
2026-11-26 10:00:01,1 INFO spawned: 'catalog-a' with pid 8
2026-11-26 10:00:09,1 INFO spawned: 'catalog-a' with pid 9
"""
LATER = """2026-11-26 11:00:00,1 INFO supervisord started with pid 17
2026-11-26 11:00:01,1 INFO spawned: 'catalog-a' with pid 18
2026-11-26 11:00:02,1 INFO spawned: 'catalog-b' with pid 19
2026-11-26 11:00:03,1 WARN exited: catalog-b (terminated by SIGKILL; not expected)
2026-11-26 11:00:04,1 INFO spawned: 'catalog-b' with pid 20
"""


def test_starts_under_an_earlier_supervisor_are_no_restarts() -> None:
    assert count_starts(EARLIER) == {"catalog-a": 2}
    assert count_starts(EARLIER + LATER) == {"catalog-a": 1, "catalog-b": 2}
    # Of a long log only the end is read.
    assert count_starts(LATER.partition("\n")[2]) == {"catalog-a": 1, "catalog-b": 2}
