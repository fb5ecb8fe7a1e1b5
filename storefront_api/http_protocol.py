"""uvicorn's HTTP protocol, with the head of an answer and its body in one write.

uvicorn writes the two apart, and uvloop hands each write to the kernel at once. A replica that is
killed between them leaves the edge with a head that it has passed on already: it cannot ask the
other replica any more, and the caller's answer is cut off. In one write there is no between, and
it is a system call less.
"""

import asyncio

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class HttpProtocol(HttpToolsProtocol):
    """For `uvicorn --http storefront_api.http_protocol:HttpProtocol`."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if cycle.scope["method"] != "HEAD":  # no body will come that its head could wait for
            cycle.transport = _OneAnswer(cycle.transport)
        super()._start_asgi_task(cycle, app)


class _OneAnswer(asyncio.Transport):
    """What an answer is written to: the first write, its head, leaves with the second.

    An answer that fails between the two has sent nothing, so that it may be asked for again.
    """

    def __init__(self, connection: asyncio.Transport) -> None:
        super().__init__()
        self._connection = connection
        self._head: bytes | bytearray | memoryview | None = None
        self._is_begun = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._is_begun or data == _CONTINUE:
            self._connection.write(data)
        elif self._head is None:
            self._head = data
        else:
            self._is_begun = True
            self._connection.writelines((self._head, data))

    def close(self) -> None:
        self._connection.close()

    def is_closing(self) -> bool:
        return self._connection.is_closing()
