"""The one place where faults come in: each request that a client of the product sends to AWS."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

_READS = ("BatchGet", "Describe", "Get", "Head", "List", "Query", "Scan")
Send = Callable[[AWSPreparedRequest], AWSResponse]


class Crash(BaseException):
    """The process of a function ends here; no `except Exception` sees it."""


@dataclass(slots=True)
class Call:
    """One request of an invocation; `send` lets it take effect and returns the answer."""

    function: str
    service: str
    operation: str
    request: AWSPreparedRequest
    send: Send

    @property
    def is_write(self) -> bool:
        """What is not known to be a read is taken for a write; `every_write` looks at the reads."""
        return not self.operation.startswith(_READS)


class Fault(Protocol):
    """What goes wrong in one invocation; `hits` counts how often it did."""

    hits: int

    def on_call(self, call: Call) -> AWSResponse:
        """The answer; or raises what botocore would, or Crash."""


class Seam:
    """Stands between botocore and AWS, for the clients it is attached to."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._fault: Fault | None = None
        self._function = ""
        self.calls = 0

    def attach(self, client: Any) -> None:
        client.meta.events.register("before-send", self._on_request, unique_id="seam")

    @contextmanager
    def with_fault(self, fault: Fault | None, function: str = "") -> Iterator[None]:
        """Calls within are a function's; they meet this fault, and no other."""
        outer = self._fault, self._function
        self._fault, self._function = fault, function
        try:
            yield
        finally:
            self._fault, self._function = outer

    def _on_request(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        self.calls += 1
        if self._fault is None:
            return self._send(request)
        _, service, operation = event_name.split(".")
        return self._fault.on_call(Call(self._function, service, operation, request, self._send))
