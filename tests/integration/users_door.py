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

    def __init__(self, runner: asyncio.Runner, app: Any, network: str) -> None:
        self._runner = runner
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(network, 1))
        self._client = httpx.AsyncClient(transport=transport, base_url=BASE)

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, **options))

    def at_once(self, count: int, method: str, path: str) -> list[httpx.Response]:
        async def all_of_them() -> list[httpx.Response]:
            return await asyncio.gather(*(self._client.request(method, path) for _ in range(count)))

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

    def browser(self, network: str | None = None) -> Browser:
        """A new one; on a network address of its own unless one is given."""
        return Browser(self._runner, self.app, network or f"net-{uuid4().hex}")

    def secret(self, short: str) -> dict[str, Any]:
        client = aws.client("secretsmanager")
        text = client.get_secret_value(SecretId=self.names.secret(short))["SecretString"]
        secret: dict[str, Any] = json.loads(text)
        return secret


@contextmanager
def own_service(emulator: Stack) -> Iterator[Service]:
    # Importing it reads the environment, which is the emulator fixture's to set.
    from storefront_api.users.main import build_app
    from storefront_api.users.settings import UsersSettings

    names = Names(f"u{uuid4().hex[:8]}")
    topology = Topology(names)
    tables.apply_table(emulator.aws, names.table("users"), topology.tables["users"])
    storage.apply_secrets(emulator.aws, topology)
    with asyncio.Runner() as runner:
        settings = UsersSettings(stage=names.stage, trace_ratio=0, log_level="ERROR")
        yield Service(runner, build_app(settings), names)


def assert_problem(answer: httpx.Response, status: int, slug: str, field: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == f"/problems/{slug}"
    assert body["status"] == status
    if field:
        assert field in [error["field"] for error in body["errors"]], body
