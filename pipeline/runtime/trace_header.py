"""The header `X-Amzn-Trace-Id`, as it travels through HTTP, order rows, messages and events.

`Root=1-<8 hex: epoch s>-<24 hex>;Parent=<16 hex>;Sampled=<0|1|?>`, in any order; Parent and Sampled
may be missing. Format: AWS X-Ray developer guide, "tracing header".
"""

import re
from dataclasses import dataclass

NAME = "X-Amzn-Trace-Id"
_ROOT = re.compile(r"(?:^|[; ])Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:$|[; ])")
_PARENT = re.compile(r"(?:^|[; ])Parent=([0-9a-f]{16})(?:$|[; ])")
_SAMPLED = re.compile(r"(?:^|[; ])Sampled=([01])(?:$|[; ])")
_MAX_LENGTH = 512


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """`parent_id` is 0 at the start of a trace; `is_sampled` None leaves the choice to us."""

    trace_id: int
    parent_id: int = 0
    is_sampled: bool | None = None

    @classmethod
    def parse(cls, text: str | None) -> "TraceHeader | None":
        """None for what is no trace header: a stranger's bad one starts a trace of our own."""
        if not text or len(text) > _MAX_LENGTH or not (root := _ROOT.search(text)):
            return None
        trace_id = int(root[1] + root[2], 16)
        if not trace_id:
            return None
        parent = _PARENT.search(text)
        sampled = _SAMPLED.search(text)
        return cls(
            trace_id,
            int(parent[1], 16) if parent else 0,
            None if sampled is None else sampled[1] == "1",
        )

    def __str__(self) -> str:
        parent = f";Parent={self.parent_id:016x}" if self.parent_id else ""
        sampled = "?" if self.is_sampled is None else str(int(self.is_sampled))
        return f"Root={to_text(self.trace_id)}{parent};Sampled={sampled}"


def to_text(trace_id: int) -> str:
    """`1-<8 hex>-<24 hex>`, as X-Ray and its users write a trace id."""
    digits = f"{trace_id:032x}"
    return f"1-{digits[:8]}-{digits[8:]}"
