"""Use cases of accounts: register, profile, address book, delete."""

from dataclasses import dataclass

from pipeline.contracts.errors import Conflict, Forbidden, NotFound
from pipeline.runtime.clock import Clock, NewId
from pipeline.runtime.logs import get_logger
from storefront_api.users.domain import (
    ADDRESS_THROTTLE,
    MAX_ADDRESSES,
    PostalAddress,
    SavedAddress,
    User,
    to_address,
    to_email,
    to_name,
    to_password,
)
from storefront_api.users.ports import Accounts, PasswordHashes
from storefront_api.users.sign_in import present
from storefront_api.users.throttling import Guard

log = get_logger()
_NO_ADDRESS = "There is no such address in your address book"


@dataclass(frozen=True, slots=True)
class Users:
    accounts: Accounts
    passwords: PasswordHashes
    clock: Clock
    new_id: NewId

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

    def get_user(self, user_id: str) -> User:
        return present(self.accounts.find_user(user_id))

    def rename(self, user_id: str, name: str) -> User:
        return present(self.accounts.set_name(user_id, to_name(name)))

    def delete(self, user: User) -> None:
        """Close the account of `user`, who has confirmed the password.

        The profile, and with it every session, is gone when this returns, and the e-mail is free
        again. Addresses, sign-ins, letters, the cart, and what orders say of the person follow
        within seconds, by the function `erasure`.
        Raises: Forbidden for staff, whose actions are on record under their name; Conflict when
        the password was changed by another request meanwhile.
        """
        if user.role != "shopper":
            raise Forbidden("An account with a role is closed by an administrator")
        if not self.accounts.close_account(user, self.clock()):
            raise Conflict("The account was changed by another request; try again")
        log.info("user.deleted", user_id=user.user_id)

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

    def change_address(self, user_id: str, raw: SavedAddress) -> SavedAddress:
        """Raises NotFound for one that is not in this book."""
        saved = SavedAddress(raw.address_id, to_address(raw.address))
        if not self.accounts.replace_address(user_id, saved):
            raise NotFound(_NO_ADDRESS)
        return saved

    def remove_address(self, user_id: str, address_id: str) -> None:
        if not self.accounts.remove_address(user_id, address_id):
            raise NotFound(_NO_ADDRESS)
