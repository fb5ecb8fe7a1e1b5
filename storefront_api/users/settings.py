"""Settings of the users service."""

from pydantic import SecretStr

from storefront_api.settings import ServiceSettings


class UsersSettings(ServiceSettings):
    demo_password: SecretStr | None = None

    @property
    def is_cookie_secure(self) -> bool:
        """A laptop has no TLS."""
        return self.stage != "local"
