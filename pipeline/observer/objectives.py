"""How fast each error budget burns, and each service's share of errors: what alarms look at."""

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

_ERRORS_OVER_MIN = 5
log = get_logger()


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="HAS_", frozen=True, extra="ignore")

    slo_file: Path = Path(__file__).parents[2] / "iac" / "topology" / "slo.json"


class Objectives:
    """Counts good and bad values as the console does, and says how they stand."""

    def __init__(self, names: Names) -> None:
        self._file = slo.parse(Settings().slo_file.read_text())
        for fault in self._file.faults:
            log.error("slo.fault", field=fault.field, detail=fault.message)
        self._indicators = Indicators(
            aws.plain_client("cloudwatch"), aws.table(names.table("ops")), now
        )

    def read(self) -> Iterator[Gauge]:
        """`BurnRate` by objective and rule: the smaller of the rule's two windows, so that an alarm
        on it is the rule. `ErrorShare` in percent by service, over 5 minutes. Both are 0 while
        fewer values are bad than an alert needs.
        """
        for name, objective in self._file.objectives.items():
            counts = self._indicators.counts(self._file, name)
            for rule in self._file.rules:
                burn = slo.rule_burn(rule, counts, objective)
                yield Gauge("BurnRate", round(burn, 3), "None", {"Slo": name, "Rule": rule.name})
        yield from self._error_shares()

    def _error_shares(self) -> Iterator[Gauge]:
        objective = self._file.objectives.get("availability")
        if objective is None:
            return
        for service, seen in self._indicators.by(objective, "Service", _ERRORS_OVER_MIN).items():
            share = seen.bad / seen.total * 100 if seen.bad >= objective.min_bad else 0.0
            yield Gauge("ErrorShare", round(share, 2), "Percent", {"Service": service})
