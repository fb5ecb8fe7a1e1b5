"""Settlements that come back later."""

from pipeline.contracts.names import Names
from pipeline.contracts.payments import Settle
from pipeline.runtime.sqs import put_later


class PaymentQueue:
    def __init__(self, names: Names) -> None:
        self._name = names.queue("payment")

    def put(self, settle: Settle, delay_s: int) -> None:
        put_later(self._name, settle, delay_s)
