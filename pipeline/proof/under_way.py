"""Readers of the stream that are behind: what they have not read yet may make a difference."""

from pipeline.contracts.names import Names
from pipeline.observer.readings import read_stream

# A record is read within a second or two; who lets one wait for longer is at work on many.
LATE_S = 5.0


def late_readers(names: Names, *readers: str, late_s: float = LATE_S) -> str:
    """Which of `landing` and `folding` let a record wait for longer, in words; empty when none
    does. Raises boto3's errors."""
    waits: dict[str, float] = {}
    for gauge in read_stream(names):
        reader = gauge.dimensions.get("Reader", "")
        if gauge.name == "StreamLag" and reader in readers and gauge.value > late_s:
            waits[reader] = max(waits.get(reader, 0.0), gauge.value)
    return ", ".join(f"{reader} is {age_s:,.0f} s behind" for reader, age_s in waits.items())
