"""The catalogue's OpenAPI document and its page, without anything running."""

import re

import httpx
import pytest
from fastapi import FastAPI

from storefront_api.settings import ServiceSettings

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def app() -> FastAPI:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAS_STAGE", "local")
        from storefront_api.catalog.main import build_app

    return build_app(ServiceSettings(stage="local", trace_ratio=0))


@pytest.mark.anyio
async def test_the_page_of_documentation_loads_nothing_from_elsewhere(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        page = await client.get("/api/catalog/docs")
        links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        scripts = re.findall(r"<script>", page.text)
        assert len(links) == 4 and not scripts
        for link in links:
            if not link.startswith("data:"):
                answer = await client.get(f"/api/catalog/{link}")
                assert answer.status_code == 200 and len(answer.content) > 100, link


def test_every_operation_is_named_described_and_lists_its_problems(app: FastAPI) -> None:
    document = app.openapi()
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if not path.endswith(("z",))
    ]
    assert len(operations) == 15
    for path, method, operation in operations:
        assert operation["description"], (path, method)
        problems = [
            status
            for status, answer in operation["responses"].items()
            if PROBLEM in answer.get("content", {})
        ]
        assert problems, (path, method)
        if method != "get":
            assert {"401", "403"} <= set(problems), (path, method)
    assert "HTTPValidationError" not in document["components"]["schemas"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
