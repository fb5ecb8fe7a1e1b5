"""Whether every record of the stream is accounted for, and every refused one; pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.desk.counting import Count
from pipeline.desk.domain import Balance
from pipeline.desk.figures import Redriven
from pipeline.proof.domain import Finding, Verdict, judge

# Landing takes a batch a second; a record that waits longer may never land.
_UNDER_WAY = timedelta(minutes=1)


def received_is_accounted_for(found: Count, now: datetime) -> Finding:
    """Not proven while records have been under way for longer than landing takes."""
    under_way = found.total("under_way")
    finding = judge(
        f"{found.total('received'):,} received, of {len({line.slot for line in found.lines}):,} "
        "sources and hours",
        f"{found.total('landed'):,} landed + {found.total('quarantined'):,} quarantined"
        + (f" + {under_way:,} under way" if under_way else ""),
        [*found.missing, *found.extra],
    )
    if finding.verdict is Verdict.VALID and found.is_cut:
        cut = "the stream holds more than was read: the newest records are not compared"
        return replace(finding, verdict=Verdict.NOT_PROVEN, detail=cut)
    since = found.waiting_since
    if finding.verdict is Verdict.VALID and since and now - since > _UNDER_WAY:
        late = f"{under_way:,} records wait for landing, the first since {since:%H:%M:%S} UTC"
        return replace(finding, verdict=Verdict.NOT_PROVEN, detail=late)
    return finding


def set_aside_is_accounted_for(balances: Sequence[Balance], redriven: Redriven) -> Finding:
    """Of the lake's quarantine: what the desk calls redriven must have landed since. Places that
    are no evidence are told of, and counted on neither side."""
    proven = [one for one in balances if one.is_evidence]
    letters = sum(one.set_aside for one in balances if not one.is_evidence)
    states = ("open", "redriven", "discarded")
    sums = {state: sum(getattr(one, state) for one in proven) for state in states}
    offenders = [f"{one.place}: {stray}" for one in proven for stray in one.strays]
    offenders += [one.place for one in proven if not one.adds_up and not one.strays]
    return judge(
        f"{sum(one.set_aside for one in proven):,} set aside, "
        f"{len(redriven.landed):,} redriven events in the lake",
        f"{sums['open']:,} open + {sums['redriven']:,} redriven + {sums['discarded']:,} discarded",
        offenders + sorted(redriven.sent - redriven.landed),
        f"{letters:,} dead letters are known by the desk's rows alone" if letters else "",
    )
