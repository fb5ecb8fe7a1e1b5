"""How fast each error budget burns, and each service's share of errors: what alarms look at."""

import time
from collections.abc import Iterator
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.contracts import slo
from pipeline.contracts.names import Names
from pipeline.observer.readings import Gauge
from pipeline.runtime import aws
from pipeline.runtime.clock import now
from pipeline.runtime.indicators import Indicators
from pipeline.runtime.logs import get_logger

_PERIOD_S = 30.0
_ERRORS_OVER_MIN = 5
log = get_logger()


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="HAS_", frozen=True, extra="ignore")

    slo_file: Path = Path(__file__).parents[2] / "iac" / "topology" / "slo.json"


class Objectives:
    """Reads the counts every half minute: what alarms need, at a third of the price."""

    def __init__(self, names: Names) -> None:
        self._file = slo.parse(Settings().slo_file.read_text())
        for fault in self._file.faults:
            log.error("slo.fault", field=fault.field, detail=fault.message)
        self._indicators = Indicators(
            aws.plain_client("cloudwatch"), aws.table(names.table("ops")), now
        )
        self._next_at = float("-inf")

    def read(self) -> Iterator[Gauge]:
        """`BurnRate` by objective and rule: the smaller of the rule's two windows, so that an alarm
        on it is the rule. `ErrorShare` in percent by service, over 5 minutes.
        """
        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + _PERIOD_S
        for name, objective in self._file.objectives.items():
            counts = self._indicators.counts(self._file, name)
            for rule in self._file.rules:
                burn = slo.rule_burn(rule, counts, objective.objective)
                yield Gauge("BurnRate", round(burn, 3), "None", {"Slo": name, "Rule": rule.name})
        yield from self._error_shares()

    def _error_shares(self) -> Iterator[Gauge]:
        objective = self._file.objectives.get("availability")
        if objective is None:
            return
        for service, seen in self._indicators.by(objective, "Service", _ERRORS_OVER_MIN).items():
            share = seen.bad / seen.total * 100 if seen.total else 0.0
            yield Gauge("ErrorShare", round(share, 2), "Percent", {"Service": service})
