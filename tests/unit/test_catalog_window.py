"""What the shop window keeps is what would have been answered, and it is gone with its index."""

import asyncio
import gc
import weakref
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from storefront_api.catalog import window
from storefront_api.catalog.caching import cached_json
from storefront_api.catalog.window import Window, show


class Index:
    """What can be looked for when it is gone."""


class Shop:
    """Answers with how often it was asked; `index` is present unless it `is_stale`."""

    def __init__(self) -> None:
        self.index: object = object()
        self.is_stale = False
        self.is_marked = False
        self.asked = 0
        self.routes: list[Any] = []
        inner = FastAPI()
        inner.add_middleware(Window, present=lambda: None if self.is_stale else self.index)
        inner.get("/list")(self._list)
        inner.get("/live")(self._live)
        inner.post("/list")(self._list)

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            async def send_marked(message: Any) -> None:
                if self.is_marked and "headers" in message:
                    message["headers"].append((b"x-mark", b"of this request"))
                await send(message)

            await inner(scope, receive, send_marked)
            self.routes.append(scope.get("route"))

        self._app = noting

    async def _list(self, request: Request, status: int = 200) -> Response:
        show(request, self.index)
        self.asked += 1
        if status != 200:
            return Response(status_code=status)
        body = f'{{"asked": {self.asked}}}'.encode()
        return cached_json(request, body, f'W/"{id(self.index):x}"', "public, max-age=5")

    async def _live(self) -> int:
        self.asked += 1
        return self.asked

    def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(asked())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, **headers)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_the_same_question_has_the_same_answer_until_the_index_is_another(shop: Shop) -> None:
    first, second, other = shop.get("/list?q=a"), shop.get("/list?q=a"), shop.get("/list?q=b")
    assert first.json() == second.json() == {"asked": 1}
    assert first.headers == second.headers
    assert other.json() == {"asked": 2}
    assert shop.routes[0] is not None
    assert shop.routes[1] is shop.routes[0]
    shop.index = object()
    assert shop.get("/list?q=a").json() == {"asked": 3}


def test_what_is_added_to_one_answer_is_not_in_the_next(shop: Shop) -> None:
    plain = shop.get("/list")
    for _ in range(2):
        shop.is_marked = True
        assert shop.get("/list").headers.get_list("x-mark") == ["of this request"]
        shop.is_marked = False
        assert shop.get("/list").headers == plain.headers


def test_what_is_added_to_the_first_answer_is_not_kept(shop: Shop) -> None:
    shop.is_marked = True
    shop.get("/list")
    shop.is_marked = False
    assert "x-mark" not in shop.get("/list").headers


def test_who_holds_it_is_told_so_in_the_same_words(shop: Shop) -> None:
    etag = shop.get("/list").headers["etag"]
    kept = shop.get("/list", **{"If-None-Match": etag})
    assert shop.get("/list", **{"If-None-Match": '"another"'}).json() == {"asked": 1}
    shop.is_stale = True  # so that it is asked
    made = shop.get("/list", **{"If-None-Match": etag})
    assert shop.asked == 2
    assert kept.status_code == made.status_code == 304
    assert kept.content == made.content == b""
    assert kept.headers == made.headers


@pytest.mark.parametrize("path", ["/live", "/list?status=404"])
def test_what_is_not_to_be_shown_again_is_asked_each_time(shop: Shop, path: str) -> None:
    shop.get(path)
    shop.get(path)
    assert shop.asked == 2


def test_nothing_is_kept_or_shown_of_an_index_that_is_not_present(shop: Shop) -> None:
    shop.is_stale = True
    shop.get("/list")
    shop.is_stale = False
    assert shop.get("/list").json() == {"asked": 2}
    shop.is_stale = True
    assert shop.get("/list").json() == {"asked": 3}


def test_only_what_is_read_is_kept(shop: Shop) -> None:
    assert [shop.ask("POST", "/list").json()["asked"] for _ in range(2)] == [1, 2]
    assert shop.get("/list").json() == {"asked": 3}


def test_nothing_is_held_of_an_index_that_another_took_the_place_of(shop: Shop) -> None:
    shop.index = Index()
    shop.get("/list")
    gone = weakref.ref(shop.index)
    shop.index = Index()
    shop.get("/live")
    gc.collect()
    assert gone() is None


def test_it_keeps_no_more_than_so_many(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "_MOST", 2)
    for word in "abc":
        shop.get(f"/list?q={word}")
    assert shop.get("/list?q=c").json() == {"asked": 3}
    assert shop.get("/list?q=a").json() == {"asked": 4}
