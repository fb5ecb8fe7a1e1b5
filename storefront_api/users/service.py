"""Use cases of accounts: register, sign in and stay signed in, profile, address book."""

import hmac
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pipeline.contracts.errors import Conflict, NotFound, TooManyRequests, Unauthenticated
from pipeline.runtime.clock import Clock, NewId
from pipeline.runtime.logs import get_logger
from storefront_api.users.domain import (
    ACCOUNT_THROTTLE,
    ADDRESS_THROTTLE,
    MAX_ADDRESSES,
    MAX_EMAIL,
    SESSION,
    Failures,
    Family,
    PostalAddress,
    RefreshToken,
    SavedAddress,
    User,
    same_spelling,
    to_address,
    to_email,
    to_known_email,
    to_name,
    to_password,
)

log = get_logger()
_THROTTLES = (ACCOUNT_THROTTLE, ADDRESS_THROTTLE)


class Accounts(Protocol):
    """What is kept of users; `store.UserStore` says what each answer means."""

    def add_user(self, user: User, at: datetime) -> bool: ...
    def find_by_email(self, email: str) -> User | None: ...
    def find_user(self, user_id: str) -> User | None: ...
    def set_name(self, user_id: str, name: str) -> User | None: ...
    def set_password_hash(self, user_id: str, password_hash: str) -> User | None: ...
    def list_addresses(
        self, user_id: str, limit: int, after: str | None
    ) -> tuple[list[SavedAddress], str | None]: ...
    def add_address(self, user_id: str, saved: SavedAddress) -> bool: ...
    def remove_address(self, user_id: str, address_id: str) -> bool: ...
    def open_family(self, family: Family) -> None: ...
    def find_family(self, family_id: str) -> Family | None: ...
    def rotate_family(self, family: Family, token_hash: str) -> bool: ...
    def revoke_family(self, family_id: str) -> None: ...
    def read_failures(self, subjects: Sequence[str]) -> list[Failures]: ...
    def add_failure(self, subject: str, at: datetime, memory_s: int) -> None: ...
    def forget_failures(self, subject: str) -> None: ...


class PasswordHashes(Protocol):
    common: Collection[str]

    def hash(self, password: str) -> str: ...
    def is_right(self, password_hash: str | None, password: str) -> bool: ...
    def is_outdated(self, password_hash: str) -> bool: ...


class TokenIssuer(Protocol):
    def issue(self, user: User) -> str: ...


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`refresh_token` is good once, until `ends_at`."""

    user: User
    access_token: str
    refresh_token: RefreshToken
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Users:
    accounts: Accounts
    passwords: PasswordHashes
    tokens: TokenIssuer
    clock: Clock
    new_id: NewId
    new_secret: Callable[[], str]

    def register(self, email: str, password: str, name: str) -> User:
        """Raises Unprocessable naming a field; Conflict when the e-mail is taken."""
        address = to_email(email)
        user = User(
            user_id=self.new_id(),
            email=address,
            name=to_name(name),
            role="shopper",
            password_hash=self.passwords.hash(
                to_password(password, address, self.passwords.common)
            ),
        )
        if not self.accounts.add_user(user, self.clock()):
            taken = "There is an account with this e-mail address"
            raise Conflict(taken, errors=[{"field": "email", "message": taken}])
        log.info("user.registered", user_id=user.user_id)
        return user

    def sign_in(self, email: str, password: str, network: str) -> SignedIn:
        """The same answer, after the same work, for a wrong password and an unknown e-mail.

        Args: `network` is the address the request came from.
        Raises: Unauthenticated; TooManyRequests while a guesser has to wait.
        """
        address = to_known_email(email)
        subjects = (f"account:{address}", f"network:{network}")
        failures = self.accounts.read_failures(subjects)
        self._refuse_guessers(failures)
        user = self.accounts.find_by_email(address) if len(address) <= MAX_EMAIL else None
        given = same_spelling(password)
        if not self.passwords.is_right(user.password_hash if user else None, given) or not user:
            for subject, throttle in zip(subjects, _THROTTLES, strict=True):
                memory_s = int(throttle.memory.total_seconds())
                self.accounts.add_failure(subject, self.clock(), memory_s)
            raise Unauthenticated("The e-mail address or the password is wrong")
        if failures[0].count:
            self.accounts.forget_failures(subjects[0])
        if self.passwords.is_outdated(user.password_hash):
            self.accounts.set_password_hash(user.user_id, self.passwords.hash(given))
        return self._open_session(user)

    def refresh(self, presented: str | None) -> SignedIn:
        """A new access token, and the next refresh token in place of the one presented.

        A token that was used before is in two hands: its whole family ends. Of two requests that
        overlap with the same good token one wins, and the other gets Conflict and nothing else:
        the winner's token is then in the browser's jar, and a thief gains nothing.
        Raises: Unauthenticated; Conflict.
        """
        token = RefreshToken.parse(presented)
        family = self.accounts.find_family(token.family_id) if token else None
        if token is None or family is None or family.is_revoked:
            raise Unauthenticated("The session has ended; sign in again")
        if not hmac.compare_digest(family.token_hash, token.hash):
            self.accounts.revoke_family(family.family_id)
            log.warning("refresh.reused", user_id=family.user_id)
            raise Unauthenticated("The session has ended; sign in again")
        user = self.accounts.find_user(family.user_id)
        if user is None or family.expires_at <= self.clock():
            raise Unauthenticated("The session has ended; sign in again")
        following = RefreshToken(family.family_id, self.new_secret())
        if not self.accounts.rotate_family(family, following.hash):
            raise Conflict("The session was refreshed by another request; try again")
        return SignedIn(user, self.tokens.issue(user), following, family.expires_at)

    def sign_out(self, presented: str | None) -> None:
        """Ends the session of the token, used or not; nothing to do is fine."""
        if token := RefreshToken.parse(presented):
            self.accounts.revoke_family(token.family_id)

    def get_user(self, user_id: str) -> User:
        return _present(self.accounts.find_user(user_id))

    def rename(self, user_id: str, name: str) -> User:
        return _present(self.accounts.set_name(user_id, to_name(name)))

    def list_addresses(
        self, user_id: str, limit: int, after: str | None
    ) -> tuple[list[SavedAddress], str | None]:
        return self.accounts.list_addresses(user_id, limit, after)

    def add_address(self, user_id: str, raw: PostalAddress) -> SavedAddress:
        """Raises Unprocessable naming a field; Conflict when the book is full."""
        saved = SavedAddress(self.new_id(), to_address(raw))
        if not self.accounts.add_address(user_id, saved):
            self.get_user(user_id)
            raise Conflict(f"An address book holds at most {MAX_ADDRESSES} addresses")
        return saved

    def remove_address(self, user_id: str, address_id: str) -> None:
        if not self.accounts.remove_address(user_id, address_id):
            raise NotFound("There is no such address in your address book")

    def _refuse_guessers(self, failures: Sequence[Failures]) -> None:
        now = self.clock()
        waits = (
            throttle.wait(counted, now)
            for throttle, counted in zip(_THROTTLES, failures, strict=True)
        )
        longest = max(waits)
        if longest > timedelta(0):
            seconds = math.ceil(longest.total_seconds())
            raise TooManyRequests(
                f"Too many failed sign-ins; try again in {seconds} s",
                headers={"Retry-After": str(seconds)},
                retry_after_s=seconds,
            )

    def _open_session(self, user: User) -> SignedIn:
        token = RefreshToken(self.new_id(), self.new_secret())
        ends_at = self.clock() + SESSION
        self.accounts.open_family(Family(token.family_id, user.user_id, token.hash, ends_at))
        return SignedIn(user, self.tokens.issue(user), token, ends_at)


def _present(user: User | None) -> User:
    """A token may outlive its account by minutes."""
    if user is None:
        raise Unauthenticated("This account no longer exists")
    return user
