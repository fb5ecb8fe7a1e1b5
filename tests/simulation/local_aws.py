"""AWS in this process: the emulator's own service code, called instead of a socket."""

import asyncio
import copy
import io
from collections.abc import Iterator, MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from ministack import app as ministack

from iac.local.emulator import kinesis_records

ENDPOINT = "http://127.0.0.1:1"  # nobody listens there: what is not caught fails at once
_SERVICES = ("dynamodb", "kinesis", "s3", "sqs", "sns", "glue")
_OBJECTS = "buckets with their objects"  # the emulator keeps those as files
_HOST = ("127.0.0.1", 1)


class LocalAws:
    """Answers prepared requests of botocore; one at a time."""

    def __init__(self) -> None:
        kinesis_records.complete()
        self._loop = asyncio.new_event_loop()
        self._modules = {name: ministack._get_module(name) for name in _SERVICES}

    def answer(self, request: AWSPreparedRequest) -> AWSResponse:
        """What the emulator answers over HTTP to the same request."""
        return self._loop.run_until_complete(_ask(request))

    def state(self) -> dict[str, Any]:
        """Everything there is, as the emulator writes it down when it stops; objects as well."""
        state = {name: copy.deepcopy(one.get_state()) for name, one in self._modules.items()}
        return state | {_OBJECTS: copy.deepcopy(self._modules["s3"]._buckets)}

    def start_from(self, state: dict[str, Any]) -> None:
        """A new emulator that finds this state."""
        ministack._reset_all_state()
        for name, one in self._modules.items():
            if name in state:
                one.load_persisted_state(copy.deepcopy(state[name]))
        if _OBJECTS in state:
            self._modules["s3"]._buckets.update(copy.deepcopy(state[_OBJECTS]))

    def restart(self) -> None:
        """As after a stop: all but what lies on disk is written down and read again."""
        for name, one in self._modules.items():
            if name != "s3":  # the emulator keeps objects as files
                state = copy.deepcopy(one.get_state())
                one.reset()
                one.load_persisted_state(state)

    def close(self) -> None:
        self._loop.close()


async def _ask(request: AWSPreparedRequest) -> AWSResponse:
    url, status, headers = urlsplit(request.url), 0, {}
    content: list[bytes] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body_of(request), "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.update({name.decode(): value.decode() for name, value in message["headers"]})
        else:
            content.append(message.get("body", b""))

    scope = {
        "type": "http", "http_version": "1.1", "scheme": "http", "method": request.method,
        "path": unquote(url.path), "raw_path": url.path.encode(),
        "query_string": url.query.encode(), "client": _HOST, "server": _HOST,
        "headers": [(b"host", url.netloc.encode()), *_headers(request)],
    }  # fmt: skip
    await ministack.app(scope, receive, send)
    return AWSResponse(request.url, status, headers, Body(b"".join(content)))


def body_of(request: AWSPreparedRequest) -> bytes:
    body = request.body or b""
    if hasattr(body, "read"):
        body.seek(0)
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body)


def _headers(request: AWSPreparedRequest) -> Iterator[tuple[bytes, bytes]]:
    for name, value in request.headers.items():
        yield name.lower().encode(), value if isinstance(value, bytes) else str(value).encode()


class Body(io.BytesIO):
    """A response's body, read as urllib3's."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        while part := self.read():
            yield part
