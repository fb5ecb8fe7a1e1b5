"""The card gateway through HTTP: bounded time, and for each failure what it means for the money."""

import time
import weakref
from collections.abc import Callable
from functools import cached_property
from typing import Any

import httpx

from pipeline.contracts.errors import BadRequest, Conflict
from pipeline.contracts.names import Names
from pipeline.contracts.payments import Authorisation, Operation, Payment
from pipeline.payment.ports import GatewayBusy, OutcomeUnknown
from pipeline.runtime import aws, tracing
from pipeline.runtime.metrics import metrics
from pipeline.runtime.signals import settings
from pipeline.runtime.tracing import Call, Fact, Fault

_CONNECT_TIMEOUT_S = 0.5
# The request never left, so nothing was done.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_BUSY = frozenset({429, 503})
Ask = Callable[[Callable[[], httpx.Response]], httpx.Response]


def api_key(names: Names) -> str:
    name = names.secret("payment-gateway")
    return str(aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])


class HttpGateway:
    """`guard` runs each request, and may refuse to: that is the circuit breaker.

    Args: `timeout_s` is how long an answer may take; `key` is asked for at the first request.
    """

    def __init__(self, url: str, key: Callable[[], str], timeout_s: float, guard: Ask) -> None:
        self._url = url
        self._key = key
        self._timeout_s = timeout_s
        self._guard = guard

    @cached_property
    def _client(self) -> httpx.Client:
        client = httpx.Client(
            base_url=self._url,
            headers={"Authorization": f"Bearer {self._key()}"},
            timeout=httpx.Timeout(self._timeout_s, connect=_CONNECT_TIMEOUT_S),
            trust_env=False,
        )
        weakref.finalize(self, client.close)  # a function's process has no other end
        return client

    def authorise(self, key: str, asked: Authorisation) -> Payment:
        body = asked.model_dump(mode="json")
        return self._ask("authorise", "PUT", f"/v1/payments/{key}", body)

    def capture(self, key: str) -> Payment:
        return self._ask("capture", "POST", f"/v1/payments/{key}/capture")

    def void(self, key: str) -> Payment:
        return self._ask("void", "POST", f"/v1/payments/{key}/void")

    def refund(self, key: str, refund_key: str, amount_minor: int) -> Payment:
        path = f"/v1/payments/{key}/refunds/{refund_key}"
        return self._ask("refund", "PUT", path, {"amount_minor": amount_minor})

    def find(self, key: str) -> Payment | None:
        answer = self._guard(lambda: self._send("query", "GET", f"/v1/payments/{key}", None))
        return None if answer.status_code == 404 else _to_payment(answer)

    def _ask(
        self, operation: Operation, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Payment:
        return _to_payment(self._guard(lambda: self._send(operation, method, path, body)))

    def _send(
        self, operation: Operation, method: str, path: str, body: dict[str, Any] | None
    ) -> httpx.Response:
        """Raises: GatewayBusy, OutcomeUnknown; any other answer is returned."""
        started_ns = time.time_ns()
        outcome, status = "error", 0
        try:
            answer = self._client.request(method, path, json=body)
            status = answer.status_code
            if status in _BUSY:
                raise GatewayBusy(f"the gateway answered {status}")
            if status >= 500:
                raise OutcomeUnknown(f"the gateway answered {status}")
            outcome = "ok"
            return answer
        except _UNSENT as error:
            raise GatewayBusy(f"the gateway cannot be reached: {type(error).__name__}") from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(f"no answer: {type(error).__name__}") from None
        finally:
            _note(operation, outcome, status, path, started_ns)


def _to_payment(answer: httpx.Response) -> Payment:
    """Raises Conflict or BadRequest for a no, with the gateway's reason."""
    if answer.is_success:
        return Payment.model_validate_json(answer.content)
    kind = Conflict if answer.status_code == 409 else BadRequest
    raise kind(f"The gateway answered {answer.status_code}: {answer.text[:200]}")


def _note(operation: str, outcome: str, status: int, path: str, began_ns: int) -> None:
    """As `pipeline.runtime.calls` does for AWS."""
    if not settings().is_on:
        return
    ended_ns = time.time_ns()
    metrics.observe(
        "DependencyDuration", (ended_ns - began_ns) / 1e6, "Milliseconds",
        Service=settings().service, Dependency="gateway", Operation=operation, Outcome=outcome,
    )  # fmt: skip
    if part := tracing.current():
        facts: dict[str, Fact] = {"method": operation, "path": path, "status": status}
        fault: Fault = "" if outcome == "ok" else "fault"
        part.note(Call("payment gateway", began_ns, ended_ns, facts, fault))
