"""Log lines to CloudWatch Logs: group `/has/<stage>/<service>`, stream `<zone>-<replica>`.

A bounded queue between the line and the wire; what does not fit, or is not taken, is dropped and
counted, for the printed line is still in the process's file.
"""

import os
import threading
import time
from collections import deque
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.runtime import aws, logs
from pipeline.runtime.metrics import metrics
from pipeline.runtime.signals import SignalSettings, settings

PERIOD_S = 2.0
MAX_QUEUE = 5_000
MAX_LINE_CHARS = 32_768
# CloudWatch's limits are 10,000 events and 1 MiB a call, 26 bytes added per event.
MAX_EVENTS = 2_000
MAX_BYTES = 1_000_000
_EVENT_BYTES = 26
_EXISTS = "ResourceAlreadyExistsException"
_MISSING = "ResourceNotFoundException"


def group_name(stage: str, service: str) -> str:
    return f"/has/{stage}/{service}"


def stream_name(known: SignalSettings) -> str:
    """Of a replica `<zone>-<replica>`; of a function one for each process that runs it."""
    if instance := os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME"):
        return f"lambda-{instance.rpartition(']')[2] or instance}-{os.getpid()}".replace(":", "-")
    return f"{known.zone}-{known.replica}"


class LogShipper:
    """Takes lines from any thread; `flush` sends them, every `PERIOD_S` once `start`ed."""

    def __init__(self, group: str, stream: str, retention_days: int = 7) -> None:
        self._target = {"logGroupName": group, "logStreamName": stream}
        self._retention_days = retention_days
        self._queue: deque[tuple[int, str]] = deque(maxlen=MAX_QUEUE)
        self._dropped = 0
        self._is_ready = False
        self._sending = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, line: str) -> None:
        if len(self._queue) == MAX_QUEUE:
            self._dropped += 1
        self._queue.append((time.time_ns() // 1_000_000, line[:MAX_LINE_CHARS]))

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self.flush()

    def flush(self) -> None:
        """Send what is queued; never raises for what AWS says."""
        with self._sending:
            while batch := self.take():
                try:
                    self._send(batch)
                except (BotoCoreError, ClientError):
                    self._dropped += len(batch)
                    self._is_ready = False
                    break
            if self._dropped:
                metrics.add("LogLinesDropped", self._dropped, Service=settings().service)
                self._dropped = 0

    def take(self) -> list[dict[str, Any]]:
        """The next call's events, oldest first, as CloudWatch wants them."""
        batch: list[dict[str, Any]] = []
        size = 0
        while self._queue and len(batch) < MAX_EVENTS:
            at, line = self._queue[0]
            size += len(line.encode()) + _EVENT_BYTES
            if batch and size > MAX_BYTES:
                break
            self._queue.popleft()
            batch.append({"timestamp": at, "message": line})
        return sorted(batch, key=lambda event: int(event["timestamp"]))

    def _send(self, events: list[dict[str, Any]]) -> None:
        client = aws.plain_client("logs")
        if not self._is_ready:
            self._prepare(client)
        try:
            client.put_log_events(**self._target, logEvents=events)
        except ClientError as error:
            if error.response["Error"]["Code"] != _MISSING:
                raise
            self._prepare(client)  # somebody removed it
            client.put_log_events(**self._target, logEvents=events)

    def _prepare(self, client: Any) -> None:
        group = self._target["logGroupName"]
        if _made(client.create_log_group, logGroupName=group):
            client.put_retention_policy(logGroupName=group, retentionInDays=self._retention_days)
        _made(client.create_log_stream, **self._target)
        self._is_ready = True

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD_S):
            self.flush()


def _made(create: Any, **names: str) -> bool:
    """Whether it was made now; False when it was there."""
    try:
        create(**names)
    except ClientError as error:
        if error.response["Error"]["Code"] != _EXISTS:
            raise
        return False
    return True


def _is_collected() -> bool:
    """On AWS, Lambda itself brings what a function prints to its own log group."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ and "AWS_ENDPOINT_URL" not in os.environ


_shipper: list[LogShipper] = []


def begin() -> LogShipper | None:
    """This process's shipper, fed by every log line; None where signals or shipping are off."""
    known = settings()
    if not known.is_on or known.ship_logs == "off" or _is_collected():
        return None
    if not _shipper:
        group = group_name(known.stage, known.service)
        _shipper.append(LogShipper(group, stream_name(known), known.log_retention_days))
        logs.add_sink(_shipper[0].put)
    return _shipper[0]
