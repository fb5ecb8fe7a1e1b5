"""Settings of the analytics service."""

from storefront_api.settings import ServiceSettings


class AnalyticsSettings(ServiceSettings):
    """`reports_public` opens the reports to everybody, as on a laptop; elsewhere roles decide."""

    service: str = "analytics"
    reports_public: bool = False
