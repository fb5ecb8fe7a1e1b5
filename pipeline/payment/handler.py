"""Lambda on the queue `payment`: events of the topic, webhooks taken in, and what was put off."""

import random

from pydantic import Field

from pipeline.contracts.payments import Settle
from pipeline.payment.breaker import build_breaker
from pipeline.payment.gateway import HttpGateway, api_key
from pipeline.payment.service import Settlement
from pipeline.payment.store import PaymentQueue
from pipeline.runtime import clock, sqs
from pipeline.runtime.lambda_signals import instrumented
from pipeline.runtime.order_store import OrderStore
from pipeline.runtime.settings import RuntimeSettings


class Settings(RuntimeSettings):
    gateway_url: str
    gateway_timeout_s: float = Field(default=1.5, gt=0, le=5)
    circuit_failures: int = Field(default=5, ge=1, description="In a row; they open the circuit")
    circuit_recovery_s: int = Field(default=10, ge=1, description="Until the next probe")
    gateway_pause_s: int = Field(default=2, ge=0, le=300, description="Before a second attempt")
    payments_at_once: int = Field(default=5, ge=1, le=10, description="Of one batch")


settings = Settings()
gateway = HttpGateway(
    settings.gateway_url,
    lambda: api_key(settings.names),
    settings.gateway_timeout_s,
    build_breaker(settings.names, settings.circuit_failures, settings.circuit_recovery_s),
)
settlement = Settlement(
    OrderStore(settings.names), gateway, PaymentQueue(settings.names),
    clock.now, random.Random(), settings.gateway_pause_s,
)  # fmt: skip
handler = instrumented("payment")(
    sqs.handler_of(
        lambda body: settlement.on_message(sqs.parse_message(body, Settle)),
        at_once=settings.payments_at_once,
    )
)
