"""Commands to oneself that arrive later."""

from pipeline.contracts.names import Names
from pipeline.fulfilment.domain import Command
from pipeline.runtime.sqs import put_later


class DelayedCommands:
    def __init__(self, names: Names, delay_s: int) -> None:
        self._name = names.queue("fulfilment")
        self._delay_s = delay_s

    def put(self, command: Command) -> None:
        put_later(self._name, command, self._delay_s)
