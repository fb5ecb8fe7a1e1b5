"""A bounded memory between X-Ray and the pages: what can no longer change is read once."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Memory(Generic[V]):
    """The newest `size` values; one stays until `ttl_s` after it was kept, or for good if None."""

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._clock = clock
        self._values: OrderedDict[object, tuple[float | None, V]] = OrderedDict()
        self._lock = Lock()

    def find(self, key: object) -> V | None:
        with self._lock:
            until, value = self._values.get(key, (0.0, None))
            if until is not None and self._clock() >= until:
                return None
            self._values.move_to_end(key)
            return value

    def keep(self, key: object, value: V, ttl_s: float | None) -> V:
        with self._lock:
            self._values[key] = (None if ttl_s is None else self._clock() + ttl_s, value)
            self._values.move_to_end(key)
            while len(self._values) > self._size:
                self._values.popitem(last=False)
        return value

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
