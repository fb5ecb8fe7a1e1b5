"""What was read of a month, for as long as nothing was booked in it."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

# A query beside a transaction may see a part of it: such a reading heals after this.
MAX_AGE_S = 300.0
MAX_PARTS = 400

Fingerprint = Hashable
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Part:
    fingerprint: Fingerprint
    read_at_s: float
    value: Any


class Kept:
    """Parts by key, each good while its fingerprint is: the least recently used go first.

    The fingerprint of a month is the counters of its own items, and when a part of it was last
    recounted. Every booking moves one of them, always in one direction and in the transaction that
    changes the days, hours, products and customers of that month; so equal counters mean that none
    of these has changed.
    """

    def __init__(self, max_parts: int = MAX_PARTS) -> None:
        self._parts: OrderedDict[Hashable, _Part] = OrderedDict()
        self._max_parts = max_parts
        self._lock = Lock()

    def get(
        self,
        wanted: Mapping[K, Fingerprint],
        kind: Hashable,
        read: Callable[[Sequence[K]], Mapping[K, V]],
    ) -> dict[K, V]:
        """The value of every key, in the order of `wanted`; `read` is asked once for those missing.

        Args: `kind` tells keys of different readings apart.
        """
        oldest = time.monotonic() - MAX_AGE_S
        found: dict[K, V] = {}
        with self._lock:
            for key, fingerprint in wanted.items():
                part = self._parts.get((kind, key))
                if part and part.fingerprint == fingerprint and part.read_at_s > oldest:
                    self._parts.move_to_end((kind, key))
                    found[key] = part.value
        missing = [key for key in wanted if key not in found]
        if missing:
            began_s = time.monotonic()
            found |= read(missing)
            with self._lock:
                for key in missing:
                    self._parts[kind, key] = _Part(wanted[key], began_s, found[key])
                while len(self._parts) > self._max_parts:
                    self._parts.popitem(last=False)
        return {key: found[key] for key in wanted}
