"""Delivers webhooks: signed, at least once, until the shop takes them or three days are over."""

import random
import threading
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from iac.local.payment_gateway.service import Behaviour
from iac.local.payment_gateway.store import GatewayStore, Waiting
from pipeline.contracts.payments import Knobs
from pipeline.runtime import webhook_signature
from pipeline.runtime.clock import Clock
from pipeline.runtime.logs import get_logger

log = get_logger()
_BATCH = 50
_TICK_S = 1.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 300.0


class Webhooks:
    """A thread that empties the outbox, each second."""

    def __init__(
        self, store: GatewayStore, behaviour: Behaviour, url: str, secret: str,
        clock: Clock, dice: random.Random,
    ) -> None:  # fmt: skip
        self._store = store
        self._behaviour = behaviour
        self._url = url
        self._secret = secret
        self._clock = clock
        self._dice = dice
        self._client = httpx.Client(timeout=5, trust_env=False)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join(timeout=10)
        self._client.close()

    def deliver_due(self) -> int:
        """Deliver what is due now; the number that the shop took."""
        now = self._clock()
        due = self._store.due(now, _BATCH)
        if not due:
            return 0
        knobs = self._behaviour.of("webhook")
        return sum(self._deliver(one, knobs, now) for one in due)

    def _run(self) -> None:
        while not self._is_over.wait(_TICK_S):
            try:
                while self.deliver_due() == _BATCH and not self._is_over.is_set():
                    pass
            except (ClientError, BotoCoreError) as error:
                log.warning("webhooks.postponed", error=type(error).__name__)

    def _deliver(self, waiting: Waiting, knobs: Knobs, now: datetime) -> bool:
        is_lost = waiting.attempts == 0 and self._behaviour.hits(knobs.lost_percent)
        if is_lost or not all(self._post(waiting) for _ in range(1 + knobs.repeats)):
            attempts = waiting.attempts + 1
            due_at = now + timedelta(seconds=self._pause_s(attempts))
            later = replace(
                waiting, attempts=attempts, due_at_epoch_ms=int(due_at.timestamp() * 1000)
            )
            self._store.put_off(waiting, later)
            return False
        self._store.delivered(waiting)
        return True

    def _post(self, waiting: Waiting) -> bool:
        body = waiting.notice.model_dump_json().encode()
        signed_at = int(self._clock().timestamp())
        headers = {
            "Content-Type": "application/json",
            webhook_signature.HEADER: webhook_signature.sign(self._secret, body, signed_at),
        }
        try:
            answer = self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            log.warning("webhook.not_delivered", error=type(error).__name__)
            return False
        if not answer.is_success:
            log.warning("webhook.refused", status=answer.status_code)
        return answer.is_success

    def _pause_s(self, attempts: int) -> float:
        """Doubling, with full jitter above the first second."""
        bound = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**attempts)
        return self._dice.uniform(_FIRST_PAUSE_S, bound)
