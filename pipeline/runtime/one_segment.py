"""Head and body of a call leave together.

urllib3 sends one after the other. Each is a call of the kernel, and wakes whoever listens: of a
short call to a near endpoint that is a fifth of its processor time here, and as much there.
"""

from typing import Any

from botocore.awsrequest import (
    AWSConnection,
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

# Beyond that, copying costs more than a second call of the kernel.
_LARGEST = 64 * 1024


class _Together(AWSConnection):  # type: ignore[misc]
    """What a connection would send while a request is written is held until all of it is."""

    _held: list[bytes] | None = None

    def request(self, method: str, url: str, body: Any = None, headers: Any = None,
                *args: Any, **options: Any) -> None:  # fmt: skip
        if not isinstance(body, bytes) or len(body) > _LARGEST or _is_asked_first(headers):
            super().request(method, url, body, headers, *args, **options)
            return
        self._held = held = list[bytes]()
        try:
            super().request(method, url, body, headers, *args, **options)
        finally:
            self._held = None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)


class _HTTPConnection(_Together, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _HTTPSConnection(_Together, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _HTTPPool(AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _HTTPConnection


class _HTTPSPool(AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _HTTPSConnection


def use_for(client: Any) -> None:
    """For this boto3 client, before its first call."""
    session = client._endpoint.http_session  # botocore has no setting for it
    session._manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def _is_asked_first(headers: Any) -> bool:
    """Whether the body may be sent only after the server said so."""
    return "Expect" in (headers or {})
