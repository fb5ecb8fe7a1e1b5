"""The clients' journal: what the shop told those who bought, noted by themselves.

Load runs and the browser's test of a purchase write it, the proof ledger reads it, and no service
of the shop ever does either. A journal is a few objects of the lake's bucket:

    journal/dt=2026-11-27/<journal>/part-0000.jsonl     lines of `Told`, at most PART_LINES
    journal/dt=2026-11-27/<journal>/closed.json         `Closing`, once its writer has ended

A part only grows, and when it is full the next one begins; its object is written anew each time, so
that a reader finds whole lines. Without `closed.json` the writer goes on or was killed: what it had
not written by then is no evidence, of anything.
"""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pipeline.contracts.events import UtcTime
from pipeline.contracts.money import MAX_MINOR, Currency

PREFIX = "journal/"
CLOSED = "closed.json"
PART_LINES = 2_000
_Text = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True)


class Told(_Line):
    """An order that a client was told of: its id, and what it was told it costs.

    `no` counts a journal's lines from 1, over all its parts.
    """

    no: int = Field(ge=1)
    order_id: _Text
    total_minor: int = Field(ge=0, le=MAX_MINOR, strict=True)
    currency: Currency
    acknowledged_at: UtcTime
    correlation_id: str = Field(default="", max_length=128)


class Closing(_Line):
    """How many lines were noted and written, and how many found no place while S3 was silent."""

    lines: int = Field(ge=0)
    lost: int = Field(default=0, ge=0)
    closed_at: UtcTime


def folder(journal: str, opened_at: datetime) -> str:
    """`journal/dt=2026-11-27/<journal>/`."""
    return f"{PREFIX}dt={opened_at:%Y-%m-%d}/{journal}/"


def part(number: int) -> str:
    return f"part-{number:04d}.jsonl"


def journal_of(key: str) -> tuple[str, str]:
    """(journal, object) of a key below PREFIX."""
    journal, _, name = key.removeprefix(PREFIX).partition("/")[2].partition("/")
    return journal, name
