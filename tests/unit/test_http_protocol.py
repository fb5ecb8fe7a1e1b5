"""An answer's head and the first of its body leave in one write, whatever the answer is."""

import asyncio
from collections.abc import Iterable

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from storefront_api.http_protocol import HttpProtocol

GET = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
HEAD = GET.replace(b"GET", b"HEAD")
LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
CAREFUL = b"POST / HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi"
END = b"0\r\n\r\n"


class Wire(asyncio.Transport):
    """Keeps what reaches the kernel, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def writelines(self, data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.writes.append(b"".join(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def answered(app: ASGIApp, sent: bytes) -> Wire:
    async def talk() -> Wire:
        wire = Wire()
        config = Config(app, http=HttpProtocol, log_config=None)
        protocol = HttpProtocol(config, ServerState(), {})
        protocol.connection_made(wire)
        protocol.data_received(sent)
        while protocol.tasks:
            await asyncio.gather(*protocol.tasks)
        protocol.connection_lost(None)
        return wire

    return asyncio.run(talk())


async def _streams(scope: Scope, receive: Receive, send: Send) -> None:
    await StreamingResponse(iter([b"one", b"two"]))(scope, receive, send)


async def _reads_first(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await Response(body)(scope, receive, send)


async def _breaks(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("no body")


def test_a_plain_answer_is_one_write() -> None:
    (write,) = answered(PlainTextResponse("hello"), GET).writes
    assert write.startswith(b"HTTP/1.1 200 OK\r\n")
    assert write.endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize("status", [204, 304, 500])
def test_an_answer_without_a_body_does_not_wait_for_one(status: int) -> None:
    (write,) = answered(Response(status_code=status), GET).writes
    assert write.endswith(b"\r\n\r\n")


def test_the_answer_to_head_is_its_head() -> None:
    (write,) = answered(PlainTextResponse("hello"), HEAD).writes
    assert b"content-length: 5" in write
    assert write.endswith(b"\r\n\r\n")


def test_a_stream_goes_on_after_its_first_piece() -> None:
    first, second, end = answered(_streams, GET).writes
    assert first.endswith(b"\r\n\r\n3\r\none\r\n")
    assert (second, end) == (b"3\r\ntwo\r\n", END)


def test_a_caller_who_asks_first_is_told_at_once_to_go_on() -> None:
    careful, answer = answered(_reads_first, CAREFUL).writes
    assert careful == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.endswith(b"\r\n\r\nhi")


def test_requests_behind_each_other_are_answered_one_write_each() -> None:
    wire = answered(PlainTextResponse("hello"), GET + HEAD + LAST)
    assert [write.endswith(b"hello") for write in wire.writes] == [True, False, True]
    assert wire.is_closed


def test_an_answer_that_breaks_before_its_body_has_sent_nothing() -> None:
    wire = answered(_breaks, GET)
    assert (wire.writes, wire.is_closed) == ([], True)
