"""Argon2id: hashes of passwords, at a cost a guesser feels and a shopper does not."""

from collections.abc import Collection
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_COMMON = Path(__file__).with_name("common_passwords.txt")


class Passwords:
    """19 MiB and three passes in one lane: a pass over OWASP's minimum (19 MiB, two).

    That is 22 ms on the 2-core machine we measured on: two cores bear 90 sign-ins a second, and
    the four hashes that may run at once take 76 MiB. More memory would only push the other
    services out of the processor's cache.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=3, memory_cost=19_456, parallelism=1)
        self._nobodys_hash = self._hasher.hash("the password of nobody at all")
        self.common: Collection[str] = frozenset(_COMMON.read_text(encoding="utf-8").split())

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def is_right(self, password_hash: str | None, password: str) -> bool:
        """Takes as long for an account that does not exist (None) as for one that does."""
        try:
            self._hasher.verify(password_hash or self._nobodys_hash, password)
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)
