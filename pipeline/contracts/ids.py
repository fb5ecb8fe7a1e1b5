"""Sortable ids: ULIDs made by `pipeline.runtime.clock.new_id`; order events derive theirs."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ULID_PATTERN = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$"


def order_event_id(order_id: str, version: int) -> str:
    """The id of the event that brought an order to `version`: the same however often it is sent."""
    return f"{order_id}:{version}"


def order_number(order_id: str) -> str:
    """What people read aloud: `HA-7K3M-92QX-4D8C`, from the random end of the order's ULID.

    The last character checks the others: one that is misread, or two neighbours swapped, gives no
    order's number. Eleven characters keep a million orders apart but for one chance in 70,000;
    what is unique is the id.
    """
    tail = order_id[-11:].upper()
    text = tail + check_character(tail)
    return f"HA-{text[:4]}-{text[4:8]}-{text[8:]}"


def check_character(text: str) -> str:
    """Luhn's algorithm over Crockford's 32 characters, which have no I, L, O and U.

    Others count as zero. Source: ISO/IEC 7812-1, annex B, with base 32 in place of 10.
    """
    total = 0
    for place, character in enumerate(reversed(text)):
        value = max(_CROCKFORD.find(character), 0) * (2 - place % 2)
        total += value // 32 + value % 32
    return _CROCKFORD[-total % 32]
