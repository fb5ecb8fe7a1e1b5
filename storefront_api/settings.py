"""Settings of every service; a service extends this class with its own."""

from pipeline.runtime.settings import RuntimeSettings


class ServiceSettings(RuntimeSettings):
    body_limit_bytes: int = 1_048_576
    token_ttl_s: int = 900

    @property
    def token_issuer(self) -> str:
        return f"has-{self.stage}"

    @property
    def token_audience(self) -> str:
        return f"has-{self.stage}-shop"
