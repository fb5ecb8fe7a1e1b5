"""Bodies of the HTTP routes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.contracts.roles import Role
from storefront_api.users.domain import (
    MAX_EMAIL,
    MAX_PASSWORD,
    MIN_PASSWORD,
    SavedAddress,
    SessionEntry,
    User,
)
from storefront_api.users.mailbox import Received

Email = Annotated[str, Field(max_length=MAX_EMAIL, examples=["ada@example.com"])]
Name = Annotated[str, Field(min_length=1, max_length=100, examples=["Ada Lovelace"])]
Line = Annotated[str, Field(min_length=1, max_length=200, examples=["12 St James's Square"])]


# As it was chosen; rules of today may be stricter.
KnownPassword = Annotated[str, Field(min_length=1, max_length=1_024, repr=False)]
NewPassword = Annotated[str, Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD, repr=False)]
MailedCode = Annotated[str, Field(min_length=1, max_length=128, repr=False)]


class Strict(BaseModel):
    """A misspelt field is refused by name; nobody can give themselves a role."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Registration(Strict):
    email: Email
    password: NewPassword
    name: Name


class Credentials(Strict):
    email: Email
    password: KnownPassword


class PasswordChange(Strict):
    current_password: KnownPassword
    new_password: NewPassword


class AccountDeletion(Strict):
    password: KnownPassword


class EmailConfirmation(Strict):
    code: MailedCode


class ResetRequest(Strict):
    email: Email


class PasswordReset(Strict):
    code: MailedCode
    new_password: NewPassword


class ProfileChange(Strict):
    name: Name


class Profile(BaseModel):
    user_id: str
    email: str
    name: str
    role: Role
    email_verified: bool

    @classmethod
    def of(cls, user: User) -> "Profile":
        return cls(
            user_id=user.user_id,
            email=user.email,
            name=user.name,
            role=user.role,
            email_verified=user.is_verified,
        )


class Registered(BaseModel):
    user: Profile


class Session(BaseModel):
    """`expires_in` is the life of the access token in seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    user: Profile


class Address(Strict):
    name: Name
    line1: Line
    line2: Annotated[str | None, Field(max_length=200)] = None
    city: Annotated[str, Field(min_length=1, max_length=100, examples=["London"])]
    postal_code: Annotated[str, Field(min_length=1, max_length=20, examples=["SW1Y 4JH"])]
    country: Annotated[
        str,
        Field(
            min_length=1,
            max_length=60,
            examples=["GB"],
            description="ISO 3166-1 alpha-2, or the English name, which is kept as its code",
        ),
    ]


class AddressWithId(Address):
    address_id: str

    @classmethod
    def of(cls, saved: SavedAddress) -> "AddressWithId":
        lines = saved.address
        return cls(
            address_id=saved.address_id,
            name=lines.name,
            line1=lines.line1,
            line2=lines.line2,
            city=lines.city,
            postal_code=lines.postal_code,
            country=lines.country,
        )


class AddressPage(BaseModel):
    items: list[AddressWithId]
    next_cursor: str | None


class SessionView(BaseModel):
    """One sign-in; `device` is empty where the browser did not say."""

    session_id: str
    device: str
    started_at: datetime
    ends_at: datetime
    is_current: bool

    @classmethod
    def of(cls, entry: SessionEntry, current: str | None) -> "SessionView":
        return cls(
            session_id=entry.session_id,
            device=entry.device,
            started_at=entry.started_at,
            ends_at=entry.ends_at,
            is_current=entry.session_id == current,
        )


class SessionPage(BaseModel):
    """A page may hold fewer than asked for, as sessions that are over are left out."""

    items: list[SessionView]
    next_cursor: str | None


class LetterView(BaseModel):
    """`link` is what the letter asks to open, if it does."""

    letter_id: str
    sent_at: datetime
    to: str
    subject: str
    text: str
    action: str | None
    link: str | None

    @classmethod
    def of(cls, received: Received, shop_url: str) -> "LetterView":
        letter = received.letter
        return cls(
            letter_id=received.letter_id,
            sent_at=received.sent_at,
            to=letter.to,
            subject=letter.subject,
            text=letter.text,
            action=letter.action,
            link=f"{shop_url}{letter.path}" if letter.path else None,
        )


class LetterPage(BaseModel):
    items: list[LetterView]
    next_cursor: str | None
