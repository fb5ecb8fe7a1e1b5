"""Settings of the analytics service."""

from pydantic import Field

from storefront_api.settings import ServiceSettings


class AnalyticsSettings(ServiceSettings):
    """`reports_public` opens the reports to everybody, as on a laptop; elsewhere roles decide.

    Events a minute that a replica takes of one browser, and of one network address: an office, or
    a whole load test, may sit behind one.
    """

    service: str = "analytics"
    reports_public: bool = False
    events_per_client: int = Field(default=1_200, ge=1)
    events_per_network: int = Field(default=60_000, ge=1)
