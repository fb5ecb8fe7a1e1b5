"""A circuit breaker around the gateway, shared by every worker through a row of the ops table.

Powertools keeps it: so many failures in a row open the circuit for all workers; after the recovery
time one of them, elected by a conditional write, probes (half-open), and two good answers close it.
While the table cannot be read the circuit counts as closed.
"""

from collections.abc import Callable
from typing import TypeVar

from aws_lambda_powertools.utilities.circuit_breaker import (
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
    CircuitTransition,
    circuit_breaker,
)
from aws_lambda_powertools.utilities.circuit_breaker.persistence import (
    CircuitBreakerDynamoDBPersistence,
)

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.payment.ports import GatewayBusy, GatewayDown, OutcomeUnknown
from pipeline.runtime import aws
from pipeline.runtime.logs import get_logger
from pipeline.runtime.metrics import metrics

NAME = "payment-gateway"
T = TypeVar("T")
log = get_logger()


def build_breaker(names: Names, failures: int, recovery_s: int) -> Callable[[Callable[[], T]], T]:
    """What it returns runs a request, or raises GatewayDown without running it."""
    config = CircuitBreakerConfig(
        failure_threshold=failures,
        recovery_timeout=recovery_s,
        success_threshold=2,
        handled_exceptions=(GatewayBusy, OutcomeUnknown),
        local_cache_max_age=2,
    )
    key = keys.circuit(NAME)
    store = CircuitBreakerDynamoDBPersistence(
        names.table("ops"),
        key_attr="pk",
        sort_key_attr="sk",
        static_pk_value=key["pk"],
        expiry_attr="expires_at_epoch_s",
        boto3_client=aws.client("dynamodb"),
    )

    @circuit_breaker(name=NAME, persistence_store=store, config=config, on_transition=_on_move)
    def run(request: Callable[[], T]) -> T:
        return request()

    def guarded(request: Callable[[], T]) -> T:
        try:
            done: T = run(request)
        except CircuitBreakerOpenError:
            raise GatewayDown("the circuit to the gateway is open") from None
        return done

    return guarded


def _on_move(move: CircuitTransition) -> None:
    to = move.to_state.value.lower()
    log.warning("circuit.moved", circuit=NAME, to=to, was=move.from_state.value.lower())
    metrics.add("CircuitMoved", 1, Circuit=NAME, To=to)
