"""Rules of accounts: names, e-mails, passwords, roles, and how long a guesser has to wait."""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

import email_validator

from pipeline.contracts.errors import Unprocessable
from pipeline.contracts.roles import Role
from storefront_api.countries import find_code
from storefront_api.text import to_line

MAX_EMAIL = 254
MIN_PASSWORD, MAX_PASSWORD = 10, 128
MAX_ADDRESSES = 20
SESSION = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class User:
    user_id: str
    email: str
    name: str
    role: Role
    password_hash: str
    # The owner of the mailbox has answered.
    is_verified: bool = False
    # Goes up when all sessions end; a session from before is over.
    session_epoch: int = 0
    # ISO 8601; None until the account is kept.
    created_at: str | None = None


@dataclass(frozen=True, slots=True)
class PostalAddress:
    name: str
    line1: str
    line2: str | None
    city: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class SavedAddress:
    address_id: str
    address: PostalAddress


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """`<family id>.<secret>`; only the hash of the secret is stored."""

    family_id: str
    secret: str

    @classmethod
    def parse(cls, text: str | None) -> "RefreshToken | None":
        family_id, _, secret = (text or "").partition(".")
        is_sane = family_id and secret and len(family_id) + len(secret) <= 128
        return cls(family_id, secret) if is_sane else None

    @property
    def hash(self) -> str:
        # A plain digest is enough for 256 random bits; stretching is for what people choose.
        return sha256(self.secret.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.family_id}.{self.secret}"


@dataclass(frozen=True, slots=True)
class Family:
    """The refresh tokens that descend from one sign-in; only the newest is good."""

    family_id: str
    user_id: str
    token_hash: str
    expires_at: datetime
    is_revoked: bool = False
    session_epoch: int = 0


Purpose = Literal["verify", "reset"]


@dataclass(frozen=True, slots=True)
class Code:
    """What the link in a mail stands for; good once, until `expires_at`.

    A code to reset the password is void when the account's `session_epoch` has moved on: of
    several mails asked for, only one can be used.
    """

    purpose: Purpose
    user_id: str
    session_epoch: int
    expires_at: datetime


def code_hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


CODE_LIFE: dict[Purpose, timedelta] = {
    "verify": timedelta(days=3),
    "reset": timedelta(minutes=30),
}


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """One sign-in, as its owner sees it. `device` is `Firefox on Linux`, or empty if unknown."""

    session_id: str
    device: str
    started_at: datetime
    ends_at: datetime
    session_epoch: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to one person; `action` is what its link does and `path` where it leads."""

    to: str
    user_id: str
    subject: str
    text: str
    action: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Failures:
    """Wrong passwords counted against one account or one network address."""

    count: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Throttle:
    """After `free` failures each further attempt waits, twice as long each time, up to `longest`.

    The longest wait is short enough that nobody can lock another person out for good, and long
    enough that a guesser gets some 1,500 tries a day at one account.
    """

    free: int
    longest: timedelta
    # A quiet time after which all is forgotten.
    memory: timedelta = timedelta(minutes=15)

    def wait(self, failures: Failures, now: datetime) -> timedelta:
        """How long until the next attempt may be made; zero if now."""
        if failures.last_at is None or now - failures.last_at >= self.memory:
            return timedelta(0)
        excess = failures.count - self.free
        if excess < 0:
            return timedelta(0)
        delay = min(timedelta(seconds=2.0 ** min(excess, 10)), self.longest)
        return max(failures.last_at + delay - now, timedelta(0))


ACCOUNT_THROTTLE = Throttle(free=5, longest=timedelta(seconds=60))
# An office, or a whole load test, may sit behind one address: more failures are free there.
ADDRESS_THROTTLE = Throttle(free=50, longest=timedelta(seconds=30))
# Mails to one mailbox: three are free, for the one that went astray.
MAIL_THROTTLE = Throttle(free=3, longest=timedelta(minutes=15), memory=timedelta(hours=1))


def to_email(text: str) -> str:
    """The one spelling of an e-mail address; raises Unprocessable naming `email`.

    Only the form is checked: no look-up, and reserved names under `.test` are good, because a
    load test may register nothing that could be somebody's.
    """
    try:
        valid = email_validator.validate_email(
            text.strip(), check_deliverability=False, test_environment=True
        )
    except email_validator.EmailNotValidError as error:
        raise refused("email", str(error)) from None
    return valid.normalized.lower()


def to_known_email(text: str) -> str:
    """The spelling under which an account would be known; a malformed one is known to nobody."""
    try:
        return to_email(text)
    except Unprocessable:
        return text.strip().lower()


def to_password(text: str, email: str, common: Collection[str], field: str = "password") -> str:
    """The password as it is hashed (NFKC); raises Unprocessable naming `field`.

    Length and a list of common passwords, no rules of composition. Source: NIST SP 800-63B, 5.1.1.
    """
    password = same_spelling(text)
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise refused(field, f"Use {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    if len(set(password)) < 4 or password.lower() in common:
        raise refused(field, "This password is easy to guess")
    if password.lower() in {email, email.partition("@")[0]}:
        raise refused(field, "Do not use your e-mail address as the password")
    return password


def same_spelling(password: str) -> str:
    """Two keyboards may send the same letters as different code points."""
    return unicodedata.normalize("NFKC", password)


def to_name(text: str, field: str = "name", longest: int = 100) -> str:
    """Trimmed, and to be read by people; raises Unprocessable naming the field."""
    try:
        name = to_line(text)
    except ValueError as error:
        raise refused(field, str(error).capitalize()) from None
    if len(name) > longest:
        raise refused(field, f"Use 1 to {longest} characters")
    return name


def to_address(raw: PostalAddress) -> PostalAddress:
    """Every line trimmed and checked; an empty second line is none, a country is its code."""
    second = (raw.line2 or "").strip()
    return PostalAddress(
        name=to_name(raw.name, "name"),
        line1=to_name(raw.line1, "line1", 200),
        line2=to_name(second, "line2", 200) if second else None,
        city=to_name(raw.city, "city"),
        postal_code=to_name(raw.postal_code, "postal_code", 20),
        country=_to_country(raw.country),
    )


def _to_country(text: str) -> str:
    code = find_code(text)
    if code is None:
        raise refused("country", "Not a country: give its ISO 3166-1 alpha-2 code, e.g. GB")
    return code


def refused(field: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field}: {message}", errors=[{"field": field, "message": message}])
