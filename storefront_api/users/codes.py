"""One-time codes in the users table; only their hashes are there."""

from datetime import UTC, datetime

from pipeline.contracts import keys
from pipeline.runtime.dynamo import TransactionCancelled, transact
from storefront_api.users.domain import Code, Purpose, User, code_hash
from storefront_api.users.table import UsersTable

_STILL_GOOD = "purpose = :purpose AND expires_at_epoch_s > :now"


class CodeStore(UsersTable):
    def add_code(self, secret: str, code: Code) -> None:
        item = {
            **keys.one_time_code(code_hash(secret)),
            "purpose": code.purpose,
            "user_id": code.user_id,
            "session_epoch": code.session_epoch,
            "expires_at_epoch_s": int(code.expires_at.timestamp()),
        }
        transact([self._put_new(item)])

    def find_code(self, secret: str) -> Code | None:
        item = self._find(keys.one_time_code(code_hash(secret)))
        if item is None:
            return None
        return Code(
            purpose=item["purpose"],
            user_id=item["user_id"],
            session_epoch=item["session_epoch"],
            expires_at=datetime.fromtimestamp(item["expires_at_epoch_s"], UTC),
        )

    def verify_with(self, secret: str, user_id: str, at: datetime) -> bool:
        """Spends the code and marks the address as verified; False, with nothing done, if spent."""
        verify = self._change(
            keys.user(user_id), "SET is_verified = :yes", "attribute_exists(pk)", {":yes": True}
        )
        return self._spend(secret, "verify", at, verify)

    def reset_with(self, secret: str, user: User, password_hash: str, at: datetime) -> bool:
        """Spends the code, sets the password, ends all sessions; False, with nothing done, if
        the code is spent or the password was changed since `user` was read.

        Who has the letter has the mailbox: the address counts as verified.
        """
        reset = self._change(
            keys.user(user.user_id),
            "SET password_hash = :new, is_verified = :yes ADD session_epoch :one",
            "password_hash = :seen",
            {":new": password_hash, ":seen": user.password_hash, ":yes": True, ":one": 1},
        )
        return self._spend(secret, "reset", at, reset)

    def _spend(
        self, secret: str, purpose: Purpose, at: datetime, effect: dict[str, object]
    ) -> bool:
        values = {":purpose": purpose, ":now": int(at.timestamp())}
        key = keys.one_time_code(code_hash(secret))
        try:
            transact([self._remove(key, _STILL_GOOD, values), effect])
        except TransactionCancelled:
            return False
        return True
