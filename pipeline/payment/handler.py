"""Lambda on the queue `payment`."""

from pipeline.contracts.events import parse_event
from pipeline.payment.gateway import SimulatedGateway
from pipeline.payment.service import build_settle
from pipeline.runtime import clock, sqs
from pipeline.runtime.lambda_signals import instrumented
from pipeline.runtime.order_store import OrderStore
from pipeline.runtime.settings import RuntimeSettings

settings = RuntimeSettings()
settle = build_settle(OrderStore(settings.names), SimulatedGateway(settings.names), clock.now)
handler = instrumented("payment")(sqs.handler_of(lambda body: settle(parse_event(body))))
