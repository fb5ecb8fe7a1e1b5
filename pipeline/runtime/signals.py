"""Who this process is to whoever reads its metrics, traces and logs, and how much it tells."""

from functools import cache
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Switch = Literal["on", "off"]


class SignalSettings(BaseSettings):
    """`HAS_SIGNALS=off` sends nothing; the rest says how much is kept."""

    model_config = SettingsConfigDict(env_prefix="HAS_", frozen=True, extra="ignore")

    signals: Switch = "on"
    ship_logs: Switch = "on"  # off where the platform collects what is printed
    stage: str = "local"
    service: str = "unknown"
    zone: str = "a"
    replica: str = "0"
    version: str = "dev"
    trace_ratio: float = Field(default=0.05, ge=0, le=1)
    trace_slow_ms: float = Field(default=500, gt=0)
    log_retention_days: int = 7

    @property
    def is_on(self) -> bool:
        return self.signals == "on"


@cache
def settings() -> SignalSettings:
    return SignalSettings()
