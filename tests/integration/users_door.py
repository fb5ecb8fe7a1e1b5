"""The users service of a stage of its own, behind its HTTP door."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx

from iac.local import storage, tables
from iac.local.topology import Topology
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from tests.conftest import Stack

PASSWORD = "correct horse battery"
BASE = "https://shop/api/users"


class Browser:
    """One browser: a cookie jar and an address on the network."""

    def __init__(self, runner: asyncio.Runner, app: Any, network: str, agent: str) -> None:
        self._runner = runner
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(network, 1))
        self._client = httpx.AsyncClient(
            transport=transport, base_url=BASE, headers={"User-Agent": agent}
        )

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, **options))

    def at_once(self, count: int, method: str, path: str, **options: Any) -> list[httpx.Response]:
        async def all_of_them() -> list[httpx.Response]:
            same = (self._client.request(method, path, **options) for _ in range(count))
            return await asyncio.gather(*same)

        return self._runner.run(all_of_them())

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.request("POST", path, json=body)

    def register(self, **changes: Any) -> dict[str, Any]:
        body = {"email": f"{uuid4().hex}@shop.test", "password": PASSWORD, "name": "Ada", **changes}
        answer = self.post("/register", **body)
        assert answer.status_code == 201, answer.text
        user: dict[str, Any] = answer.json()["user"]
        return user

    def sign_in(self, email: str, password: str = PASSWORD) -> dict[str, str]:
        """Keeps the cookie; returns the header to send with."""
        answer = self.post("/login", email=email, password=password)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


class Service:
    def __init__(self, runner: asyncio.Runner, app: Any, names: Names) -> None:
        self._runner = runner
        self.app = app
        self.names = names

    def browser(self, network: str | None = None, agent: str = "", app: Any = None) -> Browser:
        """A new one; on a network address of its own unless one is given."""
        return Browser(self._runner, app or self.app, network or f"net-{uuid4().hex}", agent)

    def another_replica(self) -> Any:
        """The application as a process that starts now would have it."""
        return _build(self.names)

    def letters(self, to: str) -> list[dict[str, Any]]:
        """What this address was sent, newest first."""
        path: str | None = "/mailbox?page_size=50"
        found: list[dict[str, Any]] = []
        while path:
            page = self.browser().request("GET", path).json()
            found += [letter for letter in page["items"] if letter["to"] == to]
            path = page["next_cursor"] and f"/mailbox?page_size=50&cursor={page['next_cursor']}"
        return found

    def code(self, to: str) -> str:
        """The code behind the newest letter's link."""
        return str(self.letters(to)[0]["link"].partition("#")[2])

    def secret(self, short: str) -> dict[str, Any]:
        client = aws.client("secretsmanager")
        text = client.get_secret_value(SecretId=self.names.secret(short))["SecretString"]
        secret: dict[str, Any] = json.loads(text)
        return secret


def _build(names: Names) -> Any:
    # Importing it reads the environment, which is the emulator fixture's to set.
    from storefront_api.users.main import build_app
    from storefront_api.users.settings import UsersSettings

    settings = UsersSettings(stage=names.stage, mailbox=True, trace_ratio=0, log_level="ERROR")
    return build_app(settings)


@contextmanager
def own_service(emulator: Stack) -> Iterator[Service]:
    names = Names(f"u{uuid4().hex[:8]}")
    topology = Topology(names)
    for table in ("users", "orders", "ops"):
        tables.apply_table(emulator.aws, names.table(table), topology.tables[table])
    storage.apply_secrets(emulator.aws, topology)
    with asyncio.Runner() as runner:
        yield Service(runner, _build(names), names)


def assert_problem(answer: httpx.Response, status: int, slug: str, field: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == f"/problems/{slug}"
    assert body["status"] == status
    if field:
        assert field in [error["field"] for error in body["errors"]], body
