"""The edge: caching, the application's pages, limits, and answers of its own."""

import os
import re
import signal

import pytest

from iac.local.health import is_healthy
from tests.conftest import Stack, wait_until


def test_the_page_is_never_cached_and_its_assets_always(stack: Stack) -> None:
    with stack.http() as http:
        page = http.get("/")
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["cache-control"] == "no-cache"
        assets = re.findall(r'"(/assets/[^"]+\.js)"', page.text)
        assert assets, "the page names its scripts"
        asset = http.get(assets[0])
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert asset.headers["content-encoding"] in ("br", "gzip")
        assert http.get(assets[0]).headers["age"], "the second time it comes from the edge's memory"
        assert not [name for name in asset.headers if name.startswith("x-amz")]


@pytest.mark.parametrize("path", ["/products/anything", "/orders/01J?tab=1", "/sign-in"])
def test_every_page_of_the_application_is_its_index(stack: Stack, path: str) -> None:
    with stack.http() as http:
        answer = http.get(path)
        assert answer.status_code == 200
        assert answer.text == http.get("/").text
        assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/assets/none.js", 404, "not-found"),
        ("GET", "/api/nothing", 404, "not-found"),
        ("POST", "/products", 405, "method-not-allowed"),
    ],
)
def test_the_edge_says_no_as_the_services_do(
    stack: Stack, method: str, path: str, status: int, slug: str
) -> None:
    with stack.http() as http:
        answer = http.request(method, path, headers={"X-Correlation-Id": "asked-for"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-correlation-id"] == "asked-for"
    assert answer.headers["x-content-type-options"] == "nosniff"
    problem = answer.json()
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == status
    assert problem["instance"] == path


def test_a_body_over_the_limit_is_refused_with_the_limit(stack: Stack) -> None:
    with stack.http() as http:
        answer = http.post("/api/analytics/events", content=b"x" * 1_100_000)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"] == [{"field": "body", "message": "At most 1048576 bytes"}]


def test_a_picture_is_served_and_kept_for_a_day(stack: Stack) -> None:
    with stack.http() as http:
        product = http.get("/api/catalog/products", params={"page_size": 1}).json()["items"][0]
        picture = http.get(product["image_url"])
    assert picture.status_code == 200
    assert picture.headers["content-type"].startswith("image/")
    assert picture.headers["cache-control"] == "public, max-age=86400"


def test_a_page_that_was_read_is_shown_while_the_table_accepts_and_never_answers(
    stack: Stack,
) -> None:
    emulator = stack.supervisor.running()["emulator"].pid
    with stack.http() as http:
        listed = http.get("/api/catalog/products", params={"page_size": 1}).json()["items"]
        path = f"/api/catalog/products/{listed[0]['product_id']}"
        for _ in range(8):  # each replica keeps what it has read itself
            now = http.get(path)
        os.kill(emulator, signal.SIGSTOP)
        try:
            before = http.get(path)
        finally:
            os.kill(emulator, signal.SIGCONT)
    assert "x-stale-age" not in now.headers
    assert before.status_code == 200, "before the edge gives the request up"
    assert int(before.headers["x-stale-age"]) >= 0
    assert before.headers["cache-control"] == "no-store"
    assert before.content == now.content


def test_whoever_opens_a_page_of_a_shop_that_is_away_gets_a_page_and_programs_get_problems(
    stack: Stack,
) -> None:
    opens = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
    stack.supervisor.stop_program("emulator")  # and with it the bucket of the storefront
    try:
        with stack.http() as http:
            page = http.get("/products/some-dress", headers=opens)
            called = http.get("/products/some-dress", headers={"Accept": "*/*"})
            told = http.get("/api/checkout/cart", headers=opens)
    finally:
        stack.supervisor.start_program("emulator")
        wait_until(lambda: is_healthy(f"{stack.at.url(stack.at.emulator)}/_ministack/ready"))
    assert page.status_code == 503
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-store"
    assert "back in a moment" in page.text
    for answer in (called, told):
        assert answer.status_code >= 500
        assert answer.headers["content-type"] == "application/problem+json"
