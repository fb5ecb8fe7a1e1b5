"""The objectives as declared, and how each stands: counts, burn rates, firing rules."""

from dataclasses import dataclass
from functools import cache

from console.queries import clients
from console.queries.probes import Reading, Sources, Watch
from console.settings import settings
from pipeline.contracts import slo
from pipeline.contracts.slo import Counts, Objective, Rule, SloFile
from pipeline.runtime.clock import now
from pipeline.runtime.indicators import Indicators, Timed


@dataclass(frozen=True, slots=True)
class Standing:
    """One objective; `counts` and `burns` by window in minutes, `firing` the rules that alert."""

    name: str
    objective: Objective
    window_min: int
    counts: dict[int, Counts]
    burns: dict[int, float]
    firing: tuple[Rule, ...]
    history: Timed

    @property
    def total(self) -> Counts:
        return self.counts[self.window_min]

    @property
    def budget_left(self) -> float:
        return slo.budget_left(self.total.bad, self.total.total, self.objective.objective)

    @property
    def achieved(self) -> float | None:
        """Share of good values over the whole window."""
        seen = self.total
        return 1 - seen.bad / seen.total if seen.total else None


def read_file() -> SloFile:
    """As it lies there now; a file that cannot be read is a fault, too."""
    try:
        return slo.parse(settings().slo_file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        fault = slo.Fault("", f"It cannot be read ({type(error).__name__}).")
        return SloFile(28, {}, (), (fault,))


@cache
def _indicators() -> Indicators:
    ops = clients.table(settings().names.table("ops"))
    return Indicators(clients.quick("cloudwatch"), ops, now)


def _read(file: SloFile, name: str) -> Standing:
    objective = file.objectives[name]
    counts = _indicators().counts(file, name)
    burns = {
        window: slo.burn_rate(seen.bad, seen.total, objective.objective)
        for window, seen in counts.items()
    }
    firing = tuple(r for r in file.rules if slo.is_firing(r, counts, objective))
    history = _indicators().series(file, name, hours=6)
    return Standing(name, objective, file.window_d * 1440, counts, burns, firing, history)


def _sources() -> Sources:
    file = read_file()
    return {name: lambda n=name: _read(file, n) for name in file.objectives}  # type: ignore[misc]


_WATCH = Watch("slo", _sources, pause_s=10.0)


def standings() -> dict[str, Reading]:
    """The newest reading of each usable objective; its value is a Standing."""
    return _WATCH.latest()
