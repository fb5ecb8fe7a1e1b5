"""`python -m storefront_api.users.seed`: the demo accounts of a laptop; safe to repeat."""

import sys

from pipeline.contracts.roles import Role
from pipeline.runtime import clock
from storefront_api.users.domain import User
from storefront_api.users.passwords import Passwords
from storefront_api.users.settings import UsersSettings
from storefront_api.users.store import UserStore

_LOCAL_PASSWORD = "demo-Shop-2026!"
ACCOUNTS: tuple[tuple[str, str, Role], ...] = (
    ("shopper@demo.shop", "Sam Shopper", "shopper"),
    ("analyst@demo.shop", "Ana Lyst", "analyst"),
    ("operator@demo.shop", "Ollie Operator", "operator"),
)


def seed(store: UserStore, passwords: Passwords, password: str) -> None:
    """Makes each account that is absent; gives one that exists its role and password back."""
    for email, name, role in ACCOUNTS:
        present = store.find_by_email(email)
        if present is None:
            hashed = passwords.hash(password)
            user = User(clock.new_id(), email, name, role, hashed, is_verified=True)
            store.add_user(user, clock.now())
            continue
        if not present.is_verified:
            store.set_verified(present.user_id)
        if present.role != role:
            store.set_role(present.user_id, role)
        if not passwords.is_right(present.password_hash, password):
            store.rehash(present, passwords.hash(password))


def main() -> int:
    settings = UsersSettings()
    if settings.stage != "local":
        sys.stderr.write(f"Demo accounts are for the stage local, not {settings.stage}.\n")
        return 2
    given = settings.demo_password
    seed(
        UserStore(settings.names),
        Passwords(),
        given.get_secret_value() if given else _LOCAL_PASSWORD,
    )
    sys.stdout.write(f"Demo accounts are ready: {', '.join(email for email, *_ in ACCOUNTS)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
