"""The simulated card gateway of one stage behind real HTTP, and the shop's door for webhooks."""

import asyncio
import socket
import threading
from datetime import timedelta
from typing import Any

import httpx
import uvicorn

from iac.local.payment_gateway.main import build_app as build_gateway
from iac.local.payment_gateway.settings import GatewaySettings
from iac.local.payment_gateway.store import GatewayStore, Waiting
from pipeline.contracts.names import Names
from pipeline.contracts.payments import Knobs, Payment
from pipeline.runtime import aws, webhook_signature
from pipeline.runtime.clock import now
from tests.conftest import wait_until

API_KEY, SIGNING_KEY = "a-key-of-the-tests", "a-signing-key-of-the-tests"
# The second is longer than the first, and the first than a machine that others share stalls.
GATEWAY_TIMEOUT_S = 1.5
LOST_ANSWER_S = 2.0


class GatewayDoor:
    """Its webhooks stay in the outbox, for the test to deliver or not."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.store = GatewayStore(names)
        for short, value in (("payment-gateway", API_KEY), ("payment-webhook", SIGNING_KEY)):
            aws.client("secretsmanager").create_secret(Name=names.secret(short), SecretString=value)
        settings = GatewaySettings(
            stage=names.stage, webhook_url="http://127.0.0.1:1/", knobs_age_s=0,
            lost_answer_s=LOST_ANSWER_S,
        )  # fmt: skip
        self._checkout = _checkout(names.stage)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            build_gateway(settings), lifespan="off", log_level="critical",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))
        self._thread.start()
        wait_until(lambda: self._server.started, pause_s=0.02)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()

    def behave(self, operation: str, **knobs: int) -> None:
        self.store.set_knobs(operation, Knobs(**knobs), "test", now())

    def behave_well(self) -> None:
        self.store.reset_knobs()

    def payment(self, key: str) -> Payment:
        found = self.store.find(key)
        assert found is not None, f"the gateway knows no payment {key}"
        return found

    def outbox(self) -> list[Waiting]:
        """Webhooks to be delivered now or later."""
        return self.store.due(now() + timedelta(days=1), 100)

    def notify(self, body: bytes, *, age_s: int = 0, secret: str = SIGNING_KEY) -> httpx.Response:
        """Deliver a webhook that was signed `age_s` ago."""
        signature = webhook_signature.sign(secret, body, int(now().timestamp()) - age_s)
        return self.post(body, {webhook_signature.HEADER: signature})

    def post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return asyncio.run(self._post(body, headers))

    async def _post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        transport: Any = httpx.ASGITransport(app=self._checkout)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.post(
                "/api/checkout/payments/webhook", content=body, headers=headers
            )


def _checkout(stage: str) -> Any:
    # The module makes the service's own app, too, which needs the variables of the stack.
    from storefront_api.checkout.main import CheckoutSettings, build_app

    return build_app(CheckoutSettings(stage=stage, log_level="CRITICAL"))
