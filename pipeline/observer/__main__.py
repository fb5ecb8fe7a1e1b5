"""`python -m pipeline.observer`: publishes every ten seconds how the machinery stands.

One process does it, so that no replica has to be the leader; without it the figures only stop.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from polars.exceptions import PolarsError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.observer.edge import Edge
from pipeline.observer.lake import read_lake, read_newest, read_partitions
from pipeline.observer.objectives import Objectives
from pipeline.observer.readings import (
    Gauge,
    Processes,
    Queues,
    read_drift,
    read_stream,
)
from pipeline.runtime import supervisor_rpc, telemetry
from pipeline.runtime.logs import get_logger
from pipeline.runtime.metrics import metrics
from pipeline.runtime.settings import RuntimeSettings

PERIOD_S = 10.0
# In turns of a period: listings of the lake's files, and the reading back of every request.
_EVERY = {"lake": 6, "newest": 6, "partitions": 30, "objectives": 3}
log = get_logger()
Reading = Callable[[], Iterator[Gauge]]


class Settings(BaseSettings):
    """On AWS there is no supervisor and no Envoy: unset means nothing to read."""

    model_config = SettingsConfigDict(env_prefix="HAS_", frozen=True, extra="ignore")

    envoy_admin_url: str = ""
    supervisor_socket: Path | None = None


def readings(names_of: RuntimeSettings, where: Settings) -> dict[str, Reading]:
    names = names_of.names
    found: dict[str, Reading] = {
        "queues": Queues(names).read,
        "stream": lambda: read_stream(names),
        "lake": lambda: read_lake(names),
        "newest": lambda: read_newest(names),
        "partitions": lambda: read_partitions(names),
        "drift": lambda: read_drift(names),
        "objectives": Objectives(names).read,
    }
    if where.envoy_admin_url:
        found["edge"] = Edge(where.envoy_admin_url).read
    if where.supervisor_socket:
        found["processes"] = Processes(where.supervisor_socket).read
    return found


def observe(sources: dict[str, Reading], silent: set[str], turn: int) -> None:
    """Reads every source whose turn it is; one that fails is logged once, until it answers."""
    for name, read in sources.items():
        if turn % _EVERY.get(name, 1):
            continue
        try:
            for gauge in read():
                if gauge.is_sum:
                    metrics.add(gauge.name, gauge.value, gauge.unit, **gauge.dimensions)
                else:
                    metrics.gauge(gauge.name, gauge.value, gauge.unit, **gauge.dimensions)
            silent.discard(name)
        except (
            BotoCoreError,
            ClientError,
            httpx.HTTPError,
            KeyError,
            ValueError,
            PolarsError,
            *supervisor_rpc.SILENT,
        ) as error:
            if name not in silent:
                log.warning("observer.silent", source=name, error=type(error).__name__)
            silent.add(name)


def main() -> None:
    settings = RuntimeSettings()
    telemetry.configure(settings.log_level, service="observer", zone=settings.zone)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    telemetry.start()
    sources, silent = readings(settings, Settings()), set[str]()
    for turn in count():
        if stopped.is_set():
            break
        observe(sources, silent, turn)
        metrics.flush()
        stopped.wait(PERIOD_S)
    telemetry.stop()


if __name__ == "__main__":
    main()
