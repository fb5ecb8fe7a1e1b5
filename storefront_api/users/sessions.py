"""Refresh families and their lines in a user's list of sign-ins."""

from datetime import UTC, datetime

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.runtime.dynamo import Item, transact
from storefront_api.users.domain import Family, SessionEntry
from storefront_api.users.table import UsersTable


class SessionStore(UsersTable):
    def open_family(self, family: Family, device: str, at: datetime) -> None:
        ends_at = int(family.expires_at.timestamp())
        item = {
            **keys.refresh_family(family.family_id),
            "family_id": family.family_id,
            "user_id": family.user_id,
            "token_hash": family.token_hash,
            "is_revoked": False,
            "generation": 1,
            "session_epoch": family.session_epoch,
            "expires_at_epoch_s": ends_at,
        }
        entry = {
            **keys.session(family.user_id, family.family_id),
            "family_id": family.family_id,
            "device": device,
            "started_at": to_iso_z(at),
            "session_epoch": family.session_epoch,
            "expires_at_epoch_s": ends_at,
        }
        transact([self._put_new(item), self._put_new(entry)])

    def find_family(self, family_id: str) -> Family | None:
        item = self._find(keys.refresh_family(family_id))
        if item is None:
            return None
        return Family(
            family_id=item["family_id"],
            user_id=item["user_id"],
            token_hash=item["token_hash"],
            expires_at=_moment(item),
            is_revoked=item["is_revoked"],
            session_epoch=item.get("session_epoch", 0),
        )

    def rotate_family(self, family: Family, token_hash: str) -> bool:
        """False if the family moved on, or was revoked, since it was read."""
        return self._update(
            keys.refresh_family(family.family_id),
            "SET token_hash = :new ADD generation :one",
            "token_hash = :seen AND is_revoked = :no",
            {":new": token_hash, ":seen": family.token_hash, ":no": False, ":one": 1},
        )

    def revoke_family(self, family_id: str) -> None:
        key = keys.refresh_family(family_id)
        if not self._update(key, "SET is_revoked = :yes", "attribute_exists(pk)", {":yes": True}):
            return
        if family := self.find_family(family_id):
            self._delete(keys.session(family.user_id, family_id))

    def list_sessions(
        self, user_id: str, limit: int, after: str | None
    ) -> tuple[list[SessionEntry], str | None]:
        """Newest first, those that are over among them; the second value is where to go on."""
        place = keys.session(user_id, after) if after else None
        items, has_more = self._page(keys.session(user_id, ""), limit, place, newest_first=True)
        entries = [_to_entry(item) for item in items]
        return entries, entries[-1].session_id if entries and has_more else None


def _to_entry(item: Item) -> SessionEntry:
    return SessionEntry(
        session_id=item["sk"].partition("#")[2],
        device=item.get("device", ""),
        started_at=datetime.fromisoformat(item["started_at"]),
        ends_at=_moment(item),
        session_epoch=item["session_epoch"],
    )


def _moment(item: Item) -> datetime:
    return datetime.fromtimestamp(item["expires_at_epoch_s"], UTC)
