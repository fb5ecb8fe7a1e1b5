"""How the console asks X-Ray: again where that helps, and not where somebody only waits longer."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from console.queries import traces
from console.queries.edge import Unreachable

TRACE_ID = "1-6b05c22e-a8e1bef401b9e72a42c43e05"
Answer = tuple[int, str]
FINE: Answer = (200, '{"Traces": []}')
FAILED: Answer = (500, '{"message": "dictionary changed size"}')
THROTTLED: Answer = (400, '{"__type": "ThrottledException"}')
REFUSED: Answer = (400, '{"__type": "InvalidRequestException"}')


class XRay(ThreadingHTTPServer):
    """Gives its answers in order, one a call, and counts the calls."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.calls = list(answers), 0
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: XRay

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls += 1
        status, body = self.server.answers.pop(0)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    traces.forget_client()
    yield monkeypatch
    traces.forget_client()


@pytest.mark.parametrize(
    ("answers", "calls"),
    [
        ((FINE,), 1),
        ((FAILED, FAILED, FINE), 3),
        ((THROTTLED, FINE), 2),
        ((REFUSED, FINE), 1),
        ((FAILED, FAILED, FAILED, FINE), 3),
    ],
)
def test_who_may_answer_better_at_once_is_asked_again(
    at: pytest.MonkeyPatch, answers: tuple[Answer, ...], calls: int
) -> None:
    with _answering(at, *answers) as server:
        if answers[calls - 1] == FINE:
            assert traces.find(TRACE_ID) is None
        else:
            with pytest.raises(Unreachable, match="X-Ray does not answer"):
                traces.find(TRACE_ID)
    assert server.calls == calls


@contextmanager
def _answering(at: pytest.MonkeyPatch, *answers: Answer) -> Iterator[XRay]:
    with XRay(*answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        at.setenv("AWS_ENDPOINT_URL_XRAY", f"http://127.0.0.1:{server.server_port}")
        try:
            yield server
        finally:
            server.shutdown()


def test_a_list_asks_once_for_what_is_long_gone_and_always_for_what_may_come(
    at: pytest.MonkeyPatch,
) -> None:
    gone, coming = (f"1-{int(time.time()) - age_s:08x}-{'0' * 24}" for age_s in (3_600, 1))
    with _answering(at, *[FINE] * 5) as server:
        for calls in (1, 1):
            assert traces.read([gone]) == {}
            assert server.calls == calls
        assert traces.find(gone) is None  # somebody asks for this one
        assert server.calls == 2
        for calls in (3, 4):
            assert traces.read([gone, coming]) == {}
            assert server.calls == calls


def test_who_hangs_is_asked_once(at: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        at.setenv("AWS_ENDPOINT_URL_XRAY", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(Unreachable):
            traces.find(TRACE_ID)
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
