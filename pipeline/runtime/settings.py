"""Settings that every deployable shares; each extends this class with its own.

Values come from the environment with the prefix `HAS_`. The AWS endpoint, region and credentials
are boto3's own variables (`AWS_ENDPOINT_URL`, `AWS_REGION`, …), so that nothing here knows
whether it talks to AWS or to the emulator.
"""

from functools import cached_property

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.contracts.money import Currency
from pipeline.contracts.names import Names


class RuntimeSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="HAS_", frozen=True, extra="ignore")

    stage: str = Field(pattern=r"^[a-z][a-z0-9]{1,9}$")
    currency: Currency = "GBP"
    service: str = "unknown"
    zone: str = "a"
    replica: str = "0"
    version: str = "dev"
    log_level: str = "INFO"

    @cached_property
    def names(self) -> Names:
        return Names(self.stage)
