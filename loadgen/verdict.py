"""Does a run meet the objectives? They come from the file that the alarms and the console read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadgen.scenarios import DEFAULT_OBJECTIVES, MIN_ACHIEVED_SHARE

SLO_FILE = Path(__file__).resolve().parents[1] / "iac" / "topology" / "slo.json"
Criterion = dict[str, Any]


def objectives(path: Path = SLO_FILE) -> tuple[dict[str, float], str]:
    """({within_ms, within_share, available_share}, where they come from).

    A file that is not there or cannot be read gives the defaults, and the source says so.
    """
    try:
        declared = json.loads(path.read_text())["objectives"]
        found = {
            "within_ms": float(declared["latency"]["within"]),
            "within_share": float(declared["latency"]["objective"]),
            "available_share": float(declared["availability"]["objective"]),
        }
    except FileNotFoundError:
        return dict(DEFAULT_OBJECTIVES), "defaults: there is no SLO file"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return dict(DEFAULT_OBJECTIVES), f"defaults: the SLO file is bad ({type(error).__name__})"
    return found, f"{path.parent.parent.name}/{path.parent.name}/{path.name}"


def judge(measured: Mapping[str, float], aims: Mapping[str, float]) -> list[Criterion]:
    """Criteria {name, objective, measured, holds}.

    Args: `measured` {requests, within_share, failed_share, p95_ms, achieved_share}, shares in
    [0, 1]; `aims` as `objectives` gives them.
    """
    allowed = 1 - aims["available_share"]
    return [
        {
            "name": "Latency",
            "objective": f"{aims['within_share']:.0%} within {aims['within_ms']:.0f} ms",
            "measured": f"{measured['within_share']:.2%} (p95 {measured['p95_ms']:.0f} ms)",
            "holds": measured["requests"] > 0 and measured["within_share"] >= aims["within_share"],
        },
        {
            "name": "Errors",
            "objective": f"at most {allowed:.2%}",
            "measured": f"{measured['failed_share']:.3%}",
            # 1 - 0.999 is a hair above 0.001 in binary.
            "holds": measured["requests"] > 0 and measured["failed_share"] <= allowed + 1e-9,
        },
        {
            "name": "Keeps up",
            "objective": f"at least {MIN_ACHIEVED_SHARE:.0%} of the offered rate after the ramp",
            "measured": f"{measured['achieved_share']:.1%}",
            "holds": measured["achieved_share"] >= MIN_ACHIEVED_SHARE,
        },
    ]
