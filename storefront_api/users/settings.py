"""Settings of the users service."""

from typing import Self

from pydantic import SecretStr, model_validator

from storefront_api.settings import ServiceSettings


class UsersSettings(ServiceSettings):
    """`HAS_MAILBOX=1` keeps letters where anybody may read them, instead of sending them; no
    stage that has customers starts with it."""

    demo_password: SecretStr | None = None
    mailbox: bool = False
    # An address that Amazon SES has verified.
    mail_from: str = "shop@shop.test"
    edge_url: str = "http://127.0.0.1:8080"

    @model_validator(mode="after")
    def _no_open_mailbox_for_customers(self) -> Self:
        if self.mailbox and self.stage in {"dev", "staging", "prod"}:
            raise ValueError("HAS_MAILBOX: anybody could take over accounts of this stage")
        return self

    @property
    def is_cookie_secure(self) -> bool:
        """A laptop has no TLS."""
        return self.stage != "local"
