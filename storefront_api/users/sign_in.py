"""Use cases of sessions: sign in and stay signed in, see and end them, change the password."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pipeline.contracts.errors import Conflict, NotFound, Unauthenticated
from pipeline.runtime.clock import Clock, NewId
from pipeline.runtime.logs import get_logger
from storefront_api.users.domain import (
    ACCOUNT_THROTTLE,
    ADDRESS_THROTTLE,
    MAX_EMAIL,
    SESSION,
    Family,
    RefreshToken,
    SessionEntry,
    Throttle,
    User,
    refused,
    same_spelling,
    to_known_email,
    to_password,
)
from storefront_api.users.ports import Accounts, PasswordHashes, Sessions, TokenIssuer
from storefront_api.users.throttling import Guard

log = get_logger()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`refresh_token` is good once, until `ends_at`."""

    user: User
    access_token: str
    refresh_token: RefreshToken
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a request comes from: its network address, and the device as far as it tells."""

    network: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class SignIns:
    accounts: Accounts
    sessions: Sessions
    passwords: PasswordHashes
    tokens: TokenIssuer
    clock: Clock
    new_id: NewId
    new_secret: Callable[[], str]

    @property
    def guard(self) -> Guard:
        return Guard(self.accounts, self.clock)

    def sign_in(self, email: str, password: str, visitor: Visitor) -> SignedIn:
        """The same answer, after the same work, for a wrong password and an unknown e-mail.

        Raises: Unauthenticated; TooManyRequests while a guesser has to wait.
        """
        address = to_known_email(email)
        limits = sign_in_limits(address, visitor.network)
        failures = self.guard.check(limits)
        user = self.accounts.find_by_email(address) if len(address) <= MAX_EMAIL else None
        given = same_spelling(password)
        if not self.passwords.is_right(user.password_hash if user else None, given) or not user:
            self.guard.count(limits)
            raise Unauthenticated("The e-mail address or the password is wrong")
        if failures[account := account_subject(address)]:
            self.guard.forget(account)
        if self.passwords.is_outdated(user.password_hash):
            self.accounts.rehash(user, self.passwords.hash(given))
        return self._open_session(user, visitor)

    def confirm(self, user_id: str, password: str, field: str, visitor: Visitor) -> User:
        """The user, who has shown once more that they know the password.

        Raises: Unprocessable naming `field`; TooManyRequests, as at sign-in.
        """
        user = present(self.accounts.find_user(user_id))
        limits = sign_in_limits(user.email, visitor.network)
        self.guard.check(limits)
        if not self.passwords.is_right(user.password_hash, same_spelling(password)):
            self.guard.count(limits)
            raise refused(field, "This is not your password")
        return user

    def change_password(self, user_id: str, current: str, new: str, visitor: Visitor) -> SignedIn:
        """Ends every session but the one it opens.

        Raises: Unprocessable naming `current_password` or `new_password`; TooManyRequests;
        Conflict when the password was changed by another request meanwhile.
        """
        user = self.confirm(user_id, current, "current_password", visitor)
        password = to_password(new, user.email, self.passwords.common, "new_password")
        changed = self.accounts.change_password(user, self.passwords.hash(password))
        if changed is None:
            raise Conflict("The password was changed by another request")
        log.info("password.changed", user_id=user_id)
        return self._open_session(changed, visitor)

    def refresh(self, presented: str | None) -> SignedIn:
        """A new access token, and the next refresh token in place of the one presented.

        A token that was used before is in two hands: its whole family ends. Of two requests that
        overlap with the same good token one wins, and the other gets Conflict and nothing else:
        the winner's token is then in the browser's jar, and a thief gains nothing.
        Raises: Unauthenticated; Conflict.
        """
        token = RefreshToken.parse(presented)
        family = self.sessions.find_family(token.family_id) if token else None
        if token is None or family is None or family.is_revoked:
            raise Unauthenticated("The session has ended; sign in again")
        if not hmac.compare_digest(family.token_hash, token.hash):
            self.sessions.revoke_family(family.family_id)
            log.warning("refresh.reused", user_id=family.user_id)
            raise Unauthenticated("The session has ended; sign in again")
        user = self.accounts.find_user(family.user_id)
        is_over = family.expires_at <= self.clock()
        if user is None or is_over or family.session_epoch != user.session_epoch:
            raise Unauthenticated("The session has ended; sign in again")
        following = RefreshToken(family.family_id, self.new_secret())
        if not self.sessions.rotate_family(family, following.hash):
            raise Conflict("The session was refreshed by another request; try again")
        return SignedIn(user, self.tokens.issue(user), following, family.expires_at)

    def sign_out(self, presented: str | None) -> None:
        """Ends the session of the token, used or not; nothing to do is fine."""
        if token := RefreshToken.parse(presented):
            self.sessions.revoke_family(token.family_id)

    def sign_out_everywhere(self, user_id: str) -> None:
        """Ends every session of the account; access tokens last their 15 minutes."""
        self.accounts.end_sessions(user_id)
        log.info("user.signed_out_everywhere", user_id=user_id)

    def list_sessions(
        self, user_id: str, limit: int, after: str | None
    ) -> tuple[list[SessionEntry], str | None]:
        """Those that still go on, newest first, at most `limit`; then where to go on."""
        epoch = present(self.accounts.find_user(user_id)).session_epoch
        entries, following = self.sessions.list_sessions(user_id, limit, after)
        now = self.clock()
        going_on = [e for e in entries if e.session_epoch == epoch and e.ends_at > now]
        return going_on, following

    def end_session(self, user_id: str, session_id: str) -> None:
        """Raises NotFound when it is not one of this user's."""
        family = self.sessions.find_family(session_id)
        if family is None or family.user_id != user_id or family.is_revoked:
            raise NotFound("There is no such session of yours")
        self.sessions.revoke_family(session_id)

    def _open_session(self, user: User, visitor: Visitor) -> SignedIn:
        token = RefreshToken(self.new_id(), self.new_secret())
        ends_at = self.clock() + SESSION
        family = Family(
            token.family_id, user.user_id, token.hash, ends_at, session_epoch=user.session_epoch
        )
        self.sessions.open_family(family, visitor.device, self.clock())
        return SignedIn(user, self.tokens.issue(user), token, ends_at)


def account_subject(email: str) -> str:
    return f"account:{email}"


def sign_in_limits(email: str, network: str) -> dict[str, Throttle]:
    return {account_subject(email): ACCOUNT_THROTTLE, f"network:{network}": ADDRESS_THROTTLE}


def present(user: User | None) -> User:
    """A token may outlive its account by minutes."""
    if user is None:
        raise Unauthenticated("This account no longer exists")
    return user
