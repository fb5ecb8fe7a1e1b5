"""Use cases of accounts: register, sign in and stay signed in, profile, address book."""

import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pipeline.contracts.errors import Conflict, NotFound, Unauthenticated
from pipeline.runtime.clock import Clock, NewId
from pipeline.runtime.logs import get_logger
from storefront_api.users.domain import (
    ACCOUNT_THROTTLE,
    ADDRESS_THROTTLE,
    MAX_ADDRESSES,
    MAX_EMAIL,
    SESSION,
    Family,
    PostalAddress,
    RefreshToken,
    SavedAddress,
    Throttle,
    User,
    refused,
    same_spelling,
    to_address,
    to_email,
    to_known_email,
    to_name,
    to_password,
)
from storefront_api.users.throttling import FailureCounts, Guard

log = get_logger()


class Accounts(FailureCounts, Protocol):
    """What is kept of users; `store.UserStore` says what each answer means."""

    def add_user(self, user: User, at: datetime) -> bool: ...
    def find_by_email(self, email: str) -> User | None: ...
    def find_user(self, user_id: str) -> User | None: ...
    def set_name(self, user_id: str, name: str) -> User | None: ...
    def rehash(self, user: User, password_hash: str) -> None: ...
    def change_password(self, user: User, password_hash: str) -> User | None: ...
    def end_sessions(self, user_id: str) -> None: ...
    def list_addresses(
        self, user_id: str, limit: int, after: str | None
    ) -> tuple[list[SavedAddress], str | None]: ...
    def add_address(self, user_id: str, saved: SavedAddress) -> bool: ...
    def remove_address(self, user_id: str, address_id: str) -> bool: ...
    def open_family(self, family: Family, at: datetime) -> None: ...
    def find_family(self, family_id: str) -> Family | None: ...
    def rotate_family(self, family: Family, token_hash: str) -> bool: ...
    def revoke_family(self, family_id: str) -> None: ...


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

    @property
    def guard(self) -> Guard:
        return Guard(self.accounts, self.clock)

    def register(self, email: str, password: str, name: str, network: str) -> User:
        """Open an account.

        A taken e-mail is said, since the new shopper may sign in at once and would find out
        anyway; so each such answer counts against the network address.
        Raises: Unprocessable naming a field; Conflict when the e-mail is taken; TooManyRequests.
        """
        address = to_email(email)
        limits = {f"registering:{network}": ADDRESS_THROTTLE}
        self.guard.check(limits)
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
            self.guard.count(limits)
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
        limits = sign_in_limits(address, network)
        failures = self.guard.check(limits)
        user = self.accounts.find_by_email(address) if len(address) <= MAX_EMAIL else None
        given = same_spelling(password)
        if not self.passwords.is_right(user.password_hash if user else None, given) or not user:
            self.guard.count(limits)
            raise Unauthenticated("The e-mail address or the password is wrong")
        if failures[account := f"account:{address}"]:
            self.guard.forget(account)
        if self.passwords.is_outdated(user.password_hash):
            self.accounts.rehash(user, self.passwords.hash(given))
        return self._open_session(user)

    def confirm(self, user_id: str, password: str, network: str) -> User:
        """The user, who has shown once more that they know the password.

        Raises: Unprocessable naming `current_password`; TooManyRequests, as at sign-in.
        """
        user = self.get_user(user_id)
        limits = sign_in_limits(user.email, network)
        self.guard.check(limits)
        if not self.passwords.is_right(user.password_hash, same_spelling(password)):
            self.guard.count(limits)
            raise refused("current_password", "This is not your password")
        return user

    def change_password(self, user_id: str, current: str, new: str, network: str) -> SignedIn:
        """Ends every session but the one it opens.

        Raises: Unprocessable naming `current_password` or `new_password`; TooManyRequests;
        Conflict when the password was changed by another request meanwhile.
        """
        user = self.confirm(user_id, current, network)
        password = to_password(new, user.email, self.passwords.common, "new_password")
        changed = self.accounts.change_password(user, self.passwords.hash(password))
        if changed is None:
            raise Conflict("The password was changed by another request")
        log.info("password.changed", user_id=user_id)
        return self._open_session(changed)

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
        is_over = family.expires_at <= self.clock()
        if user is None or is_over or family.session_epoch != user.session_epoch:
            raise Unauthenticated("The session has ended; sign in again")
        following = RefreshToken(family.family_id, self.new_secret())
        if not self.accounts.rotate_family(family, following.hash):
            raise Conflict("The session was refreshed by another request; try again")
        return SignedIn(user, self.tokens.issue(user), following, family.expires_at)

    def sign_out(self, presented: str | None) -> None:
        """Ends the session of the token, used or not; nothing to do is fine."""
        if token := RefreshToken.parse(presented):
            self.accounts.revoke_family(token.family_id)

    def sign_out_everywhere(self, user_id: str) -> None:
        """Ends every session of the account; access tokens last their 15 minutes."""
        self.accounts.end_sessions(user_id)
        log.info("user.signed_out_everywhere", user_id=user_id)

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

    def _open_session(self, user: User) -> SignedIn:
        token = RefreshToken(self.new_id(), self.new_secret())
        ends_at = self.clock() + SESSION
        family = Family(
            token.family_id, user.user_id, token.hash, ends_at, session_epoch=user.session_epoch
        )
        self.accounts.open_family(family, self.clock())
        return SignedIn(user, self.tokens.issue(user), token, ends_at)


def sign_in_limits(email: str, network: str) -> dict[str, Throttle]:
    return {f"account:{email}": ACCOUNT_THROTTLE, f"network:{network}": ADDRESS_THROTTLE}


def _present(user: User | None) -> User:
    """A token may outlive its account by minutes."""
    if user is None:
        raise Unauthenticated("This account no longer exists")
    return user
