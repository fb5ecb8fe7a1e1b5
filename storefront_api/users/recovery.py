"""Use cases of mail: show that an address is one's own, and choose a forgotten password anew."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.contracts.errors import Conflict
from pipeline.runtime.clock import Clock
from pipeline.runtime.logs import get_logger
from storefront_api.users.domain import (
    ADDRESS_THROTTLE,
    CODE_LIFE,
    MAIL_THROTTLE,
    Code,
    Purpose,
    Throttle,
    User,
    refused,
    to_known_email,
    to_password,
)
from storefront_api.users.letters import letter_with, password_changed
from storefront_api.users.ports import Accounts, Codes, PasswordHashes, Post
from storefront_api.users.sign_in import account_subject, present
from storefront_api.users.throttling import Guard

log = get_logger()
_USED_OR_OLD = "This link was used before, or is too old; ask for another letter"


@dataclass(frozen=True, slots=True)
class Recovery:
    accounts: Accounts
    codes: Codes
    post: Post
    passwords: PasswordHashes
    clock: Clock
    new_secret: Callable[[], str]

    @property
    def guard(self) -> Guard:
        return Guard(self.accounts, self.clock)

    def welcome(self, user: User) -> None:
        """The first letter."""
        self.guard.count(_to_mailbox(user.email))
        self._send("verify", user)

    def send_verification(self, user_id: str) -> None:
        """Raises: Conflict when there is nothing left to verify; TooManyRequests."""
        user = present(self.accounts.find_user(user_id))
        if user.is_verified:
            raise Conflict("This e-mail address is confirmed already")
        limits = _to_mailbox(user.email)
        self.guard.check(limits)
        self.guard.count(limits)
        self._send("verify", user)

    def verify(self, secret: str) -> None:
        """Raises Unprocessable naming `code`."""
        code = self._find(secret, "verify")
        if not self.codes.verify_with(secret, code.user_id, self.clock()):
            raise refused("code", _USED_OR_OLD)
        log.info("email.verified", user_id=code.user_id)

    def admit_reset(self, network: str) -> None:
        """Counts an asking for a new password. Raises TooManyRequests."""
        limits = {f"resetting:{network}": ADDRESS_THROTTLE}
        self.guard.check(limits)
        self.guard.count(limits)

    def send_reset(self, email: str) -> None:
        """A letter to the member with this e-mail, if there is one.

        To be done when the answer is under way: nobody can then tell by time whether there is.
        While a mailbox has had enough letters it gets no further one, and that is not said
        either; the last is then still good, as codes outlive the wait.
        """
        user = self.accounts.find_by_email(address := to_known_email(email))
        limits = _to_mailbox(address)
        if user is None or self.guard.find_wait(limits):
            return
        self.guard.count(limits)
        self._send("reset", user)

    def reset_password(self, secret: str, new: str) -> User:
        """Ends every session, and a guesser's victim can sign in at once.

        Raises: Unprocessable naming `code` or `new_password`; the code is then as good as before.
        """
        code = self._find(secret, "reset")
        user = self.accounts.find_user(code.user_id)
        if user is None or user.session_epoch != code.session_epoch:
            raise refused("code", _USED_OR_OLD)
        password = to_password(new, user.email, self.passwords.common, "new_password")
        hashed = self.passwords.hash(password)
        if not self.codes.reset_with(secret, user, hashed, self.clock()):
            raise refused("code", _USED_OR_OLD)
        self.guard.forget(account_subject(user.email))
        log.info("password.reset", user_id=user.user_id)
        return user

    def tell_of_new_password(self, user: User) -> None:
        self.post.send(password_changed(user))

    def _find(self, secret: str, purpose: Purpose) -> Code:
        code = self.codes.find_code(secret)
        if code is None or code.purpose != purpose or code.expires_at <= self.clock():
            raise refused("code", _USED_OR_OLD)
        return code

    def _send(self, purpose: Purpose, user: User) -> None:
        secret = self.new_secret()
        ends_at = self.clock() + CODE_LIFE[purpose]
        self.codes.add_code(secret, Code(purpose, user.user_id, user.session_epoch, ends_at))
        self.post.send(letter_with(purpose, user, secret))
        log.info("letter.sent", purpose=purpose, user_id=user.user_id)


def _to_mailbox(email: str) -> dict[str, Throttle]:
    return {f"mail:{email}": MAIL_THROTTLE}
