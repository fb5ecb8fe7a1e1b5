"""The shop window: answers made of the search index alone, kept until the index is another.

Shoppers look at the same lists and look for the same words. Whether an answer may be kept is for
its route to say (`show`); what is kept is exact, because the index it was made of is compared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storefront_api.catalog.caching import is_held

_MOST = 256  # answers
_MADE_OF = "made_of"
_OF_A_BODY = {b"content-length", b"content-type"}


def show(request: Request, index: object) -> None:
    """The answer to this request is made of nothing but its URL and this state of the index."""
    request.scope[_MADE_OF] = index


@dataclass(frozen=True, slots=True)
class _Answer:
    route: Any
    start: Message
    body: Message

    async def send(self, scope: Scope, send: Send) -> None:
        scope["route"] = self.route
        etag = Headers(raw=self.start["headers"]).get("etag")
        if etag and is_held(Request(scope), etag):
            headers = [pair for pair in self.start["headers"] if pair[0] not in _OF_A_BODY]
            await send({**self.start, "status": 304, "headers": headers})
            await send({**self.body, "body": b""})
            return
        # A copy of the headers: whoever passes them on adds some.
        await send({**self.start, "headers": list(self.start["headers"])})
        await send(self.body)


class Window:
    """Pure ASGI middleware; `present` gives the index that is answered from, None for none.

    Nothing is held of an index that another took the place of: it is all the goods.
    """

    def __init__(self, app: ASGIApp, present: Callable[[], object | None]) -> None:
        self._app = app
        self._present = present
        self._index: object | None = None
        self._answers: dict[tuple[str, bytes], _Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        if (present := self._present()) is not self._index:
            self._index, self._answers = present, {}
        asked = scope["path"], scope["query_string"]
        if answer := self._answers.get(asked):
            await answer.send(scope, send)
            return
        start: Message | None = None

        async def send_and_keep(message: Message) -> None:
            nonlocal start
            if _MADE_OF in scope and scope[_MADE_OF] is self._index:
                if message["type"] == "http.response.start":
                    start = {**message, "headers": list(message["headers"])}
                elif start and start["status"] == 200 and not message.get("more_body"):
                    self._keep(asked, _Answer(scope["route"], start, message))
            await send(message)

        await self._app(scope, receive, send_and_keep)

    def _keep(self, asked: tuple[str, bytes], answer: _Answer) -> None:
        if len(self._answers) >= _MOST:
            self._answers.clear()
        self._answers[asked] = answer
