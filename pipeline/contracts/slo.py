"""Service level objectives: the file that declares them, and the arithmetic of error budgets."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Metric = Literal["EdgeAnswers", "RequestDuration", "Freshness", "ProofChecks"]
# Of what each metric's values are; `ProofChecks` are counted from the proof ledger's own records.
UNITS: dict[Metric, str] = {
    "EdgeAnswers": "",
    "RequestDuration": "ms",
    "Freshness": "s",
    "ProofChecks": "",
}
# Their values are amounts, to be added up; of the others each value counts once.
COUNTERS: frozenset[Metric] = frozenset({"EdgeAnswers"})
WINDOWS_MIN = (5, 60, 360, 4320)
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Objective(_Part):
    """What share of `metric`'s values has to be good.

    A value is bad when its series has one of the dimension values in `bad`, or when it is above
    `within` (in the metric's unit). Series with a dimension value in `without` do not count.
    A rule needs `min_bad` bad values in its long window to fire, so that one failure in three
    requests at night pages nobody.
    """

    title: str = Field(min_length=1)
    metric: Metric
    objective: float = Field(gt=0, lt=1)
    within: float | None = Field(default=None, gt=0)
    min_bad: int = Field(default=1, ge=1)
    bad: dict[str, list[str]] = Field(default_factory=dict)
    without: dict[str, list[str]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_what_is_bad(self) -> "Objective":
        if self.metric != "ProofChecks" and self.within is None and not self.bad:
            raise ValueError("needs `within` or `bad`, to tell good values from bad ones")
        if self.within is not None and not UNITS[self.metric]:
            raise ValueError(f"{self.metric} are counts, which `within` does not fit")
        return self


class Rule(_Part):
    """Alerts while the budget burns at `burn_rate` or faster over both windows (minutes)."""

    name: _Name
    severity: Literal["page", "ticket"]
    burn_rate: float = Field(gt=0)
    long_min: int = Field(gt=0, le=28 * 1440)
    short_min: int = Field(gt=0, le=28 * 1440)


class _Frame(_Part):
    window_d: int = Field(gt=0, le=90)
    objectives: dict[_Name, Any] = Field(min_length=1)
    rules: list[Rule] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Fault:
    """`field` as in `objectives.latency.objective`; empty when the whole file cannot be read."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


@dataclass(frozen=True, slots=True)
class SloFile:
    """The objectives that can be used, and what is wrong with the others."""

    window_d: int
    objectives: dict[str, Objective]
    rules: tuple[Rule, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Values over one window."""

    bad: int = 0
    total: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.bad + other.bad, self.total + other.total)


def parse(text: str) -> SloFile:
    """Never raises: what cannot be used is left out and named in `faults`."""
    try:
        document = json.loads(text)
    except ValueError as error:
        return SloFile(28, {}, (), (Fault("", f"It is not JSON: {error}"),))
    try:
        frame = _Frame.model_validate(document)
    except ValidationError as error:
        return SloFile(28, {}, (), tuple(_faults(error, ())))
    objectives: dict[str, Objective] = {}
    faults: list[Fault] = []
    for name, body in frame.objectives.items():
        try:
            objectives[name] = Objective.model_validate(body)
        except ValidationError as error:
            faults += _faults(error, ("objectives", name))
    return SloFile(frame.window_d, objectives, tuple(frame.rules), tuple(faults))


def burn_rate(errors: int, requests: int, slo: float) -> float:
    """How many times faster than allowed the error budget is being spent.

    Args: counts over one window; `slo` a ratio in (0, 1), e.g. 0.999.
    Returns: dimensionless, 1.0 = exactly on budget; 0.0 when there were no requests.
    Raises: ValueError if errors > requests, a count is negative or `slo` is no such ratio.
    Source: Google SRE Workbook, ch. 5. Pages at 14.4 over 1 h and 5 min, at 6 over 6 h and 30 min;
    a ticket at 1 over 3 d and 6 h.
    """
    if not 0 <= errors <= requests:
        raise ValueError(f"{errors} errors of {requests} requests")
    if not 0 < slo < 1:
        raise ValueError(f"an objective lies between 0 and 1, not at {slo}")
    return errors / requests / (1 - slo) if requests else 0.0


def budget_left(errors: int, requests: int, slo: float) -> float:
    """The share of the window's error budget that is not spent: 1 untouched, below 0 overspent."""
    return 1.0 - burn_rate(errors, requests, slo)


def rule_burn(rule: Rule, counts: Mapping[int, Counts], objective: Objective) -> float:
    """The smaller burn rate of the rule's two windows: at `rule.burn_rate` both have reached it.

    0.0 while too few values are bad to alert anybody, so that an alarm on this is the rule.
    Args: `counts` by window in minutes.
    """
    if is_too_few(rule, counts, objective):
        return 0.0
    return min(
        burn_rate(counts[window].bad, counts[window].total, objective.objective)
        for window in (rule.long_min, rule.short_min)
    )


def is_too_few(rule: Rule, counts: Mapping[int, Counts], objective: Objective) -> bool:
    """Whether fewer values are bad in the rule's long window than an alert needs."""
    return counts[rule.long_min].bad < objective.min_bad


def is_firing(rule: Rule, counts: Mapping[int, Counts], objective: Objective) -> bool:
    return rule_burn(rule, counts, objective) >= rule.burn_rate


def _faults(error: ValidationError, at: tuple[str, ...]) -> Iterator[Fault]:
    for fault in error.errors():
        field = ".".join(str(part) for part in (*at, *fault["loc"]) if part != "[key]")
        shown = fault["input"] if not isinstance(fault["input"], dict | list) else None
        message = fault["msg"].removeprefix("Value error, ")
        yield Fault(field, message if shown is None else f"{message} (it is {shown!r})")
