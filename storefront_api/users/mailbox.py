"""Where letters go: through Amazon SES, or on a laptop into a mailbox that developers can read."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.clock import Clock, NewId
from pipeline.runtime.dynamo import transact
from storefront_api.users.domain import Letter
from storefront_api.users.table import UsersTable

_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Received:
    letter_id: str
    sent_at: datetime
    letter: Letter


class LocalMailbox(UsersTable):
    """Rows of the users table, for a week. Whoever can read them can take over any account."""

    def __init__(self, names: Names, clock: Clock, new_id: NewId) -> None:
        super().__init__(names)
        self._clock = clock
        self._new_id = new_id

    def send(self, letter: Letter) -> None:
        at, letter_id = self._clock(), self._new_id()
        item = {
            **keys.letter(letter_id),
            **asdict(letter),
            "sent_at": to_iso_z(at),
            "expires_at_epoch_s": int((at + _KEPT).timestamp()),
        }
        transact([self._put_new(item)])

    def list_letters(self, limit: int, after: str | None) -> tuple[list[Received], str | None]:
        """Newest first; the second value is the last id when there are more."""
        place = keys.letter(after) if after else None
        items, has_more = self._page(keys.letter(""), limit, place, newest_first=True)
        received = [
            Received(
                letter_id=item["sk"],
                sent_at=datetime.fromisoformat(item["sent_at"]),
                letter=Letter(**{name: item[name] for name in Letter.__dataclass_fields__}),
            )
            for item in items
        ]
        return received, received[-1].letter_id if received and has_more else None


class SesMailbox:
    """Amazon SES; `sender` is an address it has verified, `shop_url` what links begin with."""

    def __init__(self, sender: str, shop_url: str) -> None:
        self._sender = sender
        self._shop_url = shop_url

    def send(self, letter: Letter) -> None:
        """Raises boto3's errors when SES does not take it."""
        text = letter.text
        if letter.path is not None:
            text += f"\n\n{letter.action}: {self._shop_url}{letter.path}"
        aws.client("sesv2").send_email(
            FromEmailAddress=self._sender,
            Destination={"ToAddresses": [letter.to]},
            Content={"Simple": {"Subject": _utf8(letter.subject), "Body": {"Text": _utf8(text)}}},
        )


def _utf8(text: str) -> dict[str, Any]:
    return {"Data": text, "Charset": "UTF-8"}
