"""Profiles, e-mail claims, addresses and failed attempts in the users table."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.runtime import aws
from pipeline.runtime.dynamo import (
    Item,
    TransactionCancelled,
    from_item,
    read_all,
    to_item,
    transact,
)
from storefront_api.users.domain import (
    MAX_ADDRESSES,
    Failures,
    PostalAddress,
    SavedAddress,
    User,
)
from storefront_api.users.table import UsersTable

_NOBODY = "NOBODY"


class UserStore(UsersTable):
    def add_user(self, user: User, at: datetime) -> bool:
        """False, with nothing written, if somebody has the e-mail."""
        profile = asdict(user) | {"address_count": 0, "created_at": to_iso_z(at)}
        claim = {**keys.email(user.email), "user_id": user.user_id}
        try:
            transact([self._put_new(claim), self._put_new(keys.user(user.user_id) | profile)])
        except TransactionCancelled:
            return False
        return True

    def find_by_email(self, email: str) -> User | None:
        """As many reads for a stranger as for a member, so that time tells nothing."""
        claim = self._find(keys.email(email))
        user = self.find_user(claim["user_id"] if claim else _NOBODY)
        return user if claim else None

    def find_user(self, user_id: str) -> User | None:
        item = self._find(keys.user(user_id))
        return _to_user(item) if item else None

    def set_name(self, user_id: str, name: str) -> User | None:
        return self._set_profile(user_id, "name", name)

    def rehash(self, user: User, password_hash: str) -> None:
        """The same password, hashed anew; nothing if it was changed since `user` was read."""
        self._update(
            keys.user(user.user_id),
            "SET password_hash = :new",
            "password_hash = :seen",
            {":new": password_hash, ":seen": user.password_hash},
        )

    def change_password(self, user: User, password_hash: str) -> User | None:
        """Ends all sessions, too; None if the password was changed since `user` was read."""
        is_changed = self._update(
            keys.user(user.user_id),
            "SET password_hash = :new ADD session_epoch :one",
            "password_hash = :seen",
            {":new": password_hash, ":seen": user.password_hash, ":one": 1},
        )
        return self.find_user(user.user_id) if is_changed else None

    def end_sessions(self, user_id: str) -> None:
        self._update(
            keys.user(user_id), "ADD session_epoch :one", "attribute_exists(pk)", {":one": 1}
        )

    def set_role(self, user_id: str, role: str) -> User | None:
        return self._set_profile(user_id, "role", role)

    def set_verified(self, user_id: str) -> User | None:
        return self._set_profile(user_id, "is_verified", True)

    def close_account(self, user: User, at: datetime) -> bool:
        """The profile and the claim on the e-mail go, and what else there is is asked for.

        False, with nothing written, if the password was changed since `user` was read.
        """
        request = {
            **keys.erasure(user.user_id), "user_id": user.user_id, "requested_at": to_iso_z(at)
        }  # fmt: skip
        seen = {":seen": user.password_hash}
        try:
            transact(
                [
                    self._remove(keys.user(user.user_id), "password_hash = :seen", seen),
                    self._remove(keys.email(user.email), "attribute_exists(pk)"),
                    self._put_new(request),
                ]
            )
        except TransactionCancelled:
            return False
        return True

    def list_addresses(
        self, user_id: str, limit: int, after: str | None
    ) -> tuple[list[SavedAddress], str | None]:
        """Oldest first; the second value is the last id when there is more."""
        place = keys.address(user_id, after) if after else None
        items, has_more = self._page(keys.address(user_id, ""), limit, place)
        saved = [_to_saved(item) for item in items]
        return saved, saved[-1].address_id if saved and has_more else None

    def add_address(self, user_id: str, saved: SavedAddress) -> bool:
        """False, with nothing written, if the address book is full or the user is gone."""
        item = _from_saved(user_id, saved)
        try:
            transact([self._put_new(item), self._count_addresses(user_id, 1)])
        except TransactionCancelled:
            return False
        return True

    def replace_address(self, user_id: str, saved: SavedAddress) -> bool:
        """False, with nothing written, if there is none of this id."""
        return self._put_over(_from_saved(user_id, saved))

    def remove_address(self, user_id: str, address_id: str) -> bool:
        """False if there is none."""
        delete = self._remove(keys.address(user_id, address_id), "attribute_exists(pk)")
        try:
            transact([delete, self._count_addresses(user_id, -1)])
        except TransactionCancelled:
            return False
        return True

    def read_failures(self, subjects: Sequence[str]) -> list[Failures]:
        """One for each subject, in order; a subject is anything that can be guessed from or at."""
        wanted = [_failures_key(subject) for subject in subjects]
        found = {item["pk"]: item for item in read_all({self._table: wanted})}
        return [_to_failures(found.get(_failures_key(subject)["pk"])) for subject in subjects]

    def add_failure(self, subject: str, at: datetime, memory_s: int) -> None:
        """Counts up; starts again at one after `memory_s` of quiet."""
        epoch_s = int(at.timestamp())
        values = {":one": 1, ":at": to_iso_z(at), ":end": epoch_s + memory_s, ":now": epoch_s}
        key = _failures_key(subject)
        counted = self._update(
            key,
            "SET last_at = :at, expires_at_epoch_s = :end ADD failures :one",
            "attribute_not_exists(pk) OR expires_at_epoch_s > :now",
            values,
        )
        if not counted:
            self._update(
                key,
                "SET last_at = :at, expires_at_epoch_s = :end, failures = :one",
                "expires_at_epoch_s <= :now",
                values,
            )

    def forget_failures(self, subject: str) -> None:
        self._delete(_failures_key(subject))

    def _count_addresses(self, user_id: str, change: int) -> Item:
        # Counted beside the profile, so that two requests at once cannot overfill the book.
        return self._change(
            keys.user(user_id),
            "ADD address_count :change",
            "attribute_exists(pk) AND address_count <= :most",
            {":change": change, ":most": MAX_ADDRESSES - change if change > 0 else 10**6},
        )

    def _set_profile(self, user_id: str, attribute: str, value: str | bool) -> User | None:
        client = aws.client("dynamodb")
        try:
            answer = client.update_item(
                TableName=self._table,
                Key=to_item(keys.user(user_id)),
                UpdateExpression="SET #attribute = :value",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeNames={"#attribute": attribute},
                ExpressionAttributeValues=to_item({":value": value}),
                ReturnValues="ALL_NEW",
            )
        except client.exceptions.ConditionalCheckFailedException:
            return None
        return _to_user(from_item(answer["Attributes"]))


def _failures_key(subject: str) -> keys.Key:
    # Hashed, so that the key has a bounded length and the table holds no network addresses.
    return keys.failures(sha256(subject.encode()).hexdigest())


def _to_user(item: Item) -> User:
    return User(
        user_id=item["user_id"],
        email=item["email"],
        name=item["name"],
        role=item["role"],
        password_hash=item["password_hash"],
        is_verified=item.get("is_verified", False),
        session_epoch=item.get("session_epoch", 0),
        created_at=item.get("created_at"),
    )


def _from_saved(user_id: str, saved: SavedAddress) -> Item:
    return keys.address(user_id, saved.address_id) | {
        "address_id": saved.address_id,
        **asdict(saved.address),
    }


def _to_saved(item: Item) -> SavedAddress:
    lines = {name: item[name] for name in PostalAddress.__dataclass_fields__}
    return SavedAddress(address_id=item["address_id"], address=PostalAddress(**lines))


def _to_failures(item: Item | None) -> Failures:
    if item is None:
        return Failures()
    return Failures(count=item["failures"], last_at=datetime.fromisoformat(item["last_at"]))
