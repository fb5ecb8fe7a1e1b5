"""Lambda on the queue `expiry`, which delivers late on purpose."""

from pipeline.contracts.events import parse_event
from pipeline.expiry.service import build_expire
from pipeline.runtime import clock, sqs
from pipeline.runtime.lambda_signals import instrumented
from pipeline.runtime.order_store import OrderStore
from pipeline.runtime.settings import RuntimeSettings

settings = RuntimeSettings()
expire = build_expire(OrderStore(settings.names), clock.now)
handler = instrumented("expiry")(
    sqs.handler_of(lambda body: expire(parse_event(body)), joins_trace=False)
)
