"""What a load run is made of; data only, read by runner, command line and console."""

from dataclasses import dataclass
from enum import StrEnum


class Scenario(StrEnum):
    NORMAL = "normal"
    PEAK = "peak"
    STRESS = "stress"
    SOAK = "soak"
    FLASH_SALE = "flash-sale"


class Persona(StrEnum):
    BROWSER = "browser"
    SEARCHER = "searcher"
    BUYER = "buyer"
    RETURNING = "returning customer"


@dataclass(frozen=True, slots=True)
class Shape:
    """One scenario.

    Closed load (`arrivals_per_s` is None): `users` shoppers, each of whom thinks for `think_s`
    seconds before every request, so that a slow shop is asked less. Open load: requests arrive at
    `arrivals_per_s` whatever the shop answers, and `users` is how many may wait at once.
    The load grows from nothing over `ramp_s`; `duration_s` includes that.
    """

    meaning: str
    users: int
    ramp_s: int
    duration_s: int
    think_s: tuple[float, float]
    weights: dict[Persona, int]
    arrivals_per_s: float | None = None
    is_one_product: bool = False

    @property
    def is_open(self) -> bool:
        return self.arrivals_per_s is not None

    @property
    def mean_think_s(self) -> float:
        return sum(self.think_s) / 2


_EVERYDAY = {Persona.BROWSER: 48, Persona.SEARCHER: 34, Persona.BUYER: 12, Persona.RETURNING: 6}

SHAPES = {
    Scenario.NORMAL: Shape(
        "An ordinary hour: most people look, some buy.",
        users=50, ramp_s=10, duration_s=120, think_s=(3.0, 6.0), weights=_EVERYDAY,
    ),
    Scenario.PEAK: Shape(
        "The busiest hour of the year: as many people as the shop is built for.",
        # What the shop promises to bear: 10,000 requests a minute, for ten minutes after the ramp.
        users=1_000, ramp_s=60, duration_s=660, think_s=(4.0, 7.0), weights=_EVERYDAY,
    ),
    Scenario.STRESS: Shape(
        "Where is the limit? Requests arrive at a growing rate and do not wait for the shop.",
        users=1_000, ramp_s=120, duration_s=180, think_s=(0.0, 0.0), weights=_EVERYDAY,
        arrivals_per_s=400.0,
    ),
    Scenario.SOAK: Shape(
        "Does it leak or drift? A steady load for a long time.",
        users=200, ramp_s=30, duration_s=1_800, think_s=(3.0, 6.0), weights=_EVERYDAY,
    ),
    Scenario.FLASH_SALE: Shape(
        "Everybody wants the same product at once; whoever comes late is told that it is gone.",
        users=200, ramp_s=5, duration_s=60, think_s=(0.5, 1.5),
        weights={Persona.BUYER: 85, Persona.RETURNING: 15}, is_one_product=True,
    ),
}  # fmt: skip

MAX_USERS = 2_000
MAX_ARRIVALS_PER_S = 1_000
MAX_DURATION_S = 3_600
MIN_DURATION_S = 10
# What a run is judged by where there is no SLO file; and always, that it keeps up with its plan.
DEFAULT_OBJECTIVES = {"within_ms": 200.0, "within_share": 0.95, "available_share": 0.999}
MIN_ACHIEVED_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Plan:
    """A run as it was asked for; `by` is who did."""

    run_id: str
    scenario: Scenario
    users: int
    ramp_s: int
    duration_s: int
    arrivals_per_s: float | None
    by: str
    seed: int = 1

    @property
    def shape(self) -> Shape:
        return SHAPES[self.scenario]


def make_plan(
    run_id: str,
    scenario: str,
    by: str,
    *,
    users: int | None = None,
    ramp_s: int | None = None,
    duration_s: int | None = None,
    arrivals_per_s: float | None = None,
) -> Plan:
    """What is not given is the scenario's. Raises ValueError, naming the value out of bounds."""
    shape = SHAPES[Scenario(scenario)]
    plan = Plan(
        run_id,
        Scenario(scenario),
        shape.users if users is None else users,
        shape.ramp_s if ramp_s is None else ramp_s,
        shape.duration_s if duration_s is None else duration_s,
        (shape.arrivals_per_s if arrivals_per_s is None else arrivals_per_s)
        if shape.is_open
        else None,
        by,
    )
    if not 1 <= plan.users <= MAX_USERS:
        raise ValueError(f"users: from 1 to {MAX_USERS:,}")
    if not MIN_DURATION_S <= plan.duration_s <= MAX_DURATION_S:
        raise ValueError(f"duration: from {MIN_DURATION_S} to {MAX_DURATION_S:,} s")
    if ramp_s is None:
        plan = _with_ramp(plan, min(plan.ramp_s, plan.duration_s // 2))
    if not 0 <= plan.ramp_s <= plan.duration_s:
        raise ValueError("ramp: not below 0 and not above the duration")
    if plan.arrivals_per_s is not None and not 1 <= plan.arrivals_per_s <= MAX_ARRIVALS_PER_S:
        raise ValueError(f"arrivals: from 1 to {MAX_ARRIVALS_PER_S:,} a second")
    return plan


def _with_ramp(plan: Plan, ramp_s: int) -> Plan:
    return Plan(
        plan.run_id, plan.scenario, plan.users, ramp_s, plan.duration_s,
        plan.arrivals_per_s, plan.by, plan.seed,
    )  # fmt: skip


def correlation_prefix(run_id: str) -> str:
    """What every correlation id of a run begins with."""
    return f"load-{run_id}-"
