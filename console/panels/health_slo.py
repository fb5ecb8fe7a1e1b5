"""Objectives, error budgets and burn rates."""

import polars as pl
import streamlit as st

from console import charts, charts_health, downloads, masthead, wording
from console.panels import status
from console.queries import slo
from console.queries.probes import Reading, as_of
from console.queries.slo import Standing
from pipeline.contracts.slo import UNITS, SloFile, burn_rate
from pipeline.runtime.clock import now

_SHOWN = {5: "5 min", 60: "1 h", 360: "6 h", 4320: "3 d"}


def show() -> None:
    file = slo.read_file()
    _faults(file)
    readings = slo.standings()
    known = {name: readings[name] for name in file.objectives if name in readings}
    st.caption(
        f"Budget over {file.window_d} days · counts from CloudWatch, correctness from the proof "
        "ledger · windows up to 1 h are read every 10 s, 6 h every minute, longer ones every 5 min"
    )
    if not known:
        return
    masthead.say(as_of(*known.values()))
    good = [r.value for r in known.values() if r.is_known]
    _headline(good, [name for name, reading in known.items() if not reading.is_known])
    _table(file, known)
    for name, reading in known.items():
        if reading.is_known:
            _card(file, reading.value)
        else:
            status.unknown(f"The objective {name}", reading.fault)


def _faults(file: SloFile) -> None:
    if file.faults:
        listed = "\n".join(f"- `{fault.field or 'slo.json'}`: {fault.message}"
                           for fault in file.faults)  # fmt: skip
        rest = "The other objectives are shown." if file.objectives else "No objective can be used."
        st.error(
            f"The file of objectives has {len(file.faults)} fault"
            f"{'s' if len(file.faults) > 1 else ''}. {rest}\n{listed}",
            icon=":material/rule:",
        )


def _headline(standings: list[Standing], unknown: list[str]) -> None:
    firing = [s for s in standings if s.firing]
    spent = [s for s in standings if s.budget_left < 0]
    if firing:
        words = ", ".join(
            f"{s.name} ({'; '.join(f'{r.name}: {r.severity}' for r in s.firing)})" for s in firing
        )
        st.error(
            f"The error budget burns too fast: {words}", icon=":material/local_fire_department:"
        )
    elif spent:
        words = ", ".join(s.name for s in spent)
        st.warning(
            f"The error budget is spent: {words}; it does not burn now", icon=":material/warning:"
        )
    elif unknown:
        words = ", ".join(unknown)
        st.warning(f"Nothing burns too fast as far as can be seen; unknown: {words}",
                   icon=":material/help:")  # fmt: skip
    elif standings:
        st.success("Every budget holds and none burns too fast", icon=":material/check_circle:")


def _table(file: SloFile, known: dict[str, Reading]) -> None:
    rows, facts = [], []
    for name, reading in known.items():
        if not reading.is_known:
            rows.append([f"**{name}**", status.bad(str(reading.fault)), *[""] * 7])
            continue
        found: Standing = reading.value
        achieved = "no values" if found.achieved is None else f"{found.achieved:.3%}"
        rows.append([
            f"**{name}**", _state(found), f"{found.objective.objective:.2%}", achieved,
            _left(found), *(_burn(found.burns[w]) for w in _SHOWN),
        ])  # fmt: skip
        facts.append({
            "objective": name, "target": found.objective.objective, "window_d": file.window_d,
            "total": found.total.total, "bad": found.total.bad,
            "budget_left": found.budget_left,
            **{f"burn_{w}_min": found.burns[w] for w in _SHOWN},
            "firing": " ".join(rule.name for rule in found.firing),
        })  # fmt: skip
    with st.container(border=True):
        st.subheader("How each objective stands", anchor=False)
        st.caption(
            "Burn rate: how many times faster than allowed the budget is spent; 1 × is just on it"
        )
        columns = ["Objective", "Alerts", "Target", "Achieved", "Budget left",
                   *(f"Burn {label}" for label in _SHOWN.values())]  # fmt: skip
        status.table(columns, rows, right=tuple(range(2, 9)))
        if facts:
            downloads.csv(pl.DataFrame(facts), "objectives")


def _left(found: Standing) -> str:
    """A share, or how many budgets have been spent: nobody reads -62,543 %."""
    if found.budget_left >= 0:
        return f"{found.budget_left:.1%}"
    times = 1 - found.budget_left
    return f"spent {times:,.0f} times" if times >= 10 else f"spent {times:.1f} times"


def _card(file: SloFile, found: Standing) -> None:
    seen, objective = found.total, found.objective
    with st.container(border=True):
        left = _left(found)
        words = f"its budget is {left}" if found.budget_left < 0 else f"{left} of its budget left"
        st.subheader(f"{found.name.capitalize()}: {words}", anchor=False)
        good = seen.total - seen.bad
        bound = (
            f" within {objective.within:g} {UNITS[objective.metric]}" if objective.within else ""
        )
        st.caption(
            f"{objective.title}. {good:,} of {seen.total:,} values of {objective.metric} good"
            f"{bound} in {file.window_d} days; {objective.objective:.2%} have to be."
        )
        st.progress(min(1.0, max(0.0, found.budget_left)), text=None)
        with st.grid(2, min_column_width=340):
            _rules(file, found)
            _burn_chart(file, found)


def _rules(file: SloFile, found: Standing) -> None:
    rows = []
    for rule in file.rules:
        long, short = (found.burns[w] for w in (rule.long_min, rule.short_min))
        is_firing = rule in found.firing
        is_burning = min(long, short) >= rule.burn_rate
        word = status.bad(f"{rule.severity}s now") if is_firing else status.good("quiet")
        if is_burning and not is_firing:
            word = status.quiet(f"quiet: {found.counts[rule.long_min].bad} bad are too few")
        windows = f"{_window(rule.long_min)} and {_window(rule.short_min)}"
        rows.append([rule.name, word, f"{rule.burn_rate:g} ×", windows,
                     f"{long:.2f} × and {short:.2f} ×"])  # fmt: skip
    with st.container():
        status.table(["Rule", "State", "At", "Over", "Burns"], rows, right=(2,))
        if (least := found.objective.min_bad) > 1:
            st.caption(
                f"A rule alerts from {least} bad values in the longer of its windows, so that one "
                "failure in three requests at night pages nobody."
            )


def _burn_chart(file: SloFile, found: Standing) -> None:
    target = found.objective.objective
    frame = pl.DataFrame(
        {
            "at": [at for at, _ in found.history],
            "bad": [c.bad for _, c in found.history],
            "total": [c.total for _, c in found.history],
            "burn": [burn_rate(c.bad, c.total, target) for _, c in found.history],
        }
    )
    with st.container():
        st.caption("Burn rate of each 5 minutes over the last 6 h, UTC")
        if not frame.height:
            st.caption("No value in the last 6 h.")
            return
        page_at = max(rule.burn_rate for rule in file.rules)
        charts.show(
            charts_health.burning(frame, page_at, now()),
            key=f"burn-{found.name}",
            alt=f"Burn rate of {found.name} over 6 h, at most {max(frame['burn'].to_list()):.2f}",
        )
        downloads.csv(frame, f"burn-{found.name}")


def _state(found: Standing) -> str:
    if found.firing:
        return " ".join(status.bad(f"{r.severity}: {r.name}") for r in found.firing)
    if not found.total.total:
        return status.quiet("no values")
    return status.warn("budget spent") if found.budget_left < 0 else status.good("quiet")


def _burn(rate: float) -> str:
    text = f"{rate:.2f} ×"
    return text if rate < 1 else status.warn(text)


def _window(minutes: int) -> str:
    return wording.age(minutes * 60)
