"""What is under way is given time to arrive, all of it together, and reading takes none of it."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from pipeline.proof import service
from pipeline.proof.domain import Check, Finding, Verdict

READING_S, PAUSE_S = 20.0, 2.0


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A clock that goes on by what is waited and read."""
    now = [0.0]
    told = SimpleNamespace(
        monotonic=lambda: now[0], sleep=lambda seconds: now.append(now.pop() + seconds)
    )
    monkeypatch.setattr("pipeline.proof.service.time", told)
    monkeypatch.setattr(service, "RETRY_PAUSE_S", PAUSE_S)
    yield now


class Claimed:
    """A claim that holds from its nth reading on; the first reading is long."""

    def __init__(self, now: list[float], holds_at: int, is_final: bool = False) -> None:
        self.read, self._now, self._holds_at, self._is_final = 0, now, holds_at, is_final

    def judge(self) -> Check:
        self.read += 1
        self._now[0] += READING_S if self.read == 1 else 0
        verdict = Verdict.VALID if self.read >= self._holds_at else Verdict.INVALID
        return Check("name", "claim", Finding(verdict, is_final=self._is_final), [])


def proved(now: list[float], *claims: Claimed, patience_s: float = 10) -> list[Verdict]:
    return [
        check.verdict
        for check in service.run(
            claims,  # type: ignore[arg-type]
            run_id="run",
            at=None,  # type: ignore[arg-type]
            patience_s=patience_s,
            on_check=lambda _: None,
        ).checks
    ]


def test_long_readings_leave_as_much_patience(hours: list[float]) -> None:
    claims = [Claimed(hours, 1), Claimed(hours, 1), Claimed(hours, 4)]
    assert proved(hours, *claims) == [Verdict.VALID] * 3


def test_the_patience_is_that_of_all_claims_together(hours: list[float]) -> None:
    first, second = Claimed(hours, 4), Claimed(hours, 99)
    assert proved(hours, first, second) == [Verdict.VALID, Verdict.INVALID]
    assert hours == [2 * READING_S + 10], "six seconds for the first, four are left"


def test_what_cannot_change_is_not_waited_for(hours: list[float]) -> None:
    assert proved(hours, Claimed(hours, 9, is_final=True)) == [Verdict.INVALID]
    assert hours == [READING_S]
