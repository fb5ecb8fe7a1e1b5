"""Run one load: Locust in this process, its figures each second in the `ops` table.

Command line and console start this same program in a process group of its own. It ends by itself:
at its duration, when somebody sets the stop flag, when its lease cannot be renewed, and by an alarm
of the kernel should all else fail.
"""

import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
import gevent.event
from botocore.exceptions import BotoCoreError, ClientError
from locust.env import Environment

from loadgen import lease
from loadgen.arrivals import Arrivals
from loadgen.catalogue import read_catalogue
from loadgen.journal import Journal
from loadgen.machine import AccessLog, Processor, read_envoy
from loadgen.personas import personas, pick
from loadgen.record import Records
from loadgen.scenarios import Plan, correlation_prefix
from loadgen.settings import LoadSettings
from loadgen.shopper import World
from loadgen.summary import Ending, summarise
from loadgen.tally import Second, Tally
from pipeline.contracts.events import to_iso_z
from pipeline.runtime import trace_header
from pipeline.runtime.clock import now
from pipeline.runtime.trace_header import TraceHeader, to_text

_GRACE_S = 10.0
_LEASE_PATIENCE_S = lease.TTL_S - 5
_LONGEST_END_S = 600
_LOG_SETTLES_S = 3.0
_STOP_POLL_S = 0.5
_JOURNAL_S = 2.0


class Run:
    """One run, from the lease to its figures; cleaning up and reporting come after it."""

    def __init__(
        self, plan: Plan, settings: LoadSettings, on_second: Callable[[Second], None]
    ) -> None:
        self._plan, self._settings, self._on_second = plan, settings, on_second
        self._table = settings.ops_table()
        self._records = Records(self._table)
        self._tally = Tally()
        self._seconds: list[Second] = []
        self._stop_reason = ""
        self._stopped = gevent.event.Event()
        self._written_minutes = 0

    def execute(self) -> dict[str, Any]:
        """Returns the summary. Raises lease.AlreadyRunning before anything is started."""
        plan = self._plan
        lease.take(self._table, plan.run_id, now())
        signal.alarm(plan.duration_s + _LONGEST_END_S)
        for number in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(number, self._stop, "was told to end")
        keeper = gevent.spawn(self._keep_lease)
        try:
            self._records.begin(plan)
            catalogue = read_catalogue(
                self._settings.edge_url, plan.run_id, one_product=plan.shape.is_one_product
            )
            journal = Journal(self._settings.names, f"load-{plan.run_id}", now)
            world = World(plan.run_id, catalogue, random.Random(plan.seed), journal)
            return self._load(world)
        finally:
            keeper.kill()

    def release(self) -> None:
        """Give the lease back; where that fails, it runs out by itself."""
        with suppress(BotoCoreError, ClientError):
            lease.release(self._table, self._plan.run_id)

    def _load(self, world: World) -> dict[str, Any]:
        processor = Processor(self._settings.supervisor_socket)
        log = AccessLog(self._settings.access_log, correlation_prefix(self._plan.run_id))
        counters = read_envoy(self._settings.envoy_admin_url)
        drive = _Drive(self._plan, world, self._settings.edge_url, self._tally)
        helpers = [
            gevent.spawn(self._publish, world),
            gevent.spawn(self._heed_stop),
            gevent.spawn(_keep, world.journal),
        ]
        try:
            drive.start()
            self._watch(drive, processor, log)
            drive.stop()
        finally:
            gevent.killall(helpers)
        self._write(world)
        with suppress(BotoCoreError, ClientError):  # it stays open, which the proof says
            world.journal.close()
        ours = self._tally.total.requests
        self._await_log(log, ours)
        ending = Ending(
            self._stop_reason, ours, drive.lost, counters,
            read_envoy(self._settings.envoy_admin_url), log.requests if log.is_known else None,
            dict(world.refusals), len(world.emails),
        )  # fmt: skip
        log.close()
        return summarise(self._plan, self._seconds, self._tally, ending)

    def _watch(self, drive: "_Drive", processor: Processor, log: AccessLog) -> None:
        """Take a reading each second, at even moments, until the end or a stop."""
        began = last = time.perf_counter()
        offered = 0.0
        for number in range(1, self._plan.duration_s + 1):
            is_stopped = self._stopped.wait(max(0.0, began + number - time.perf_counter()))
            if is_stopped and self._seconds:
                return  # a part of a second would stand as one
            moment = time.perf_counter()
            requests, failures, p50, p95, p99 = self._tally.end_second()
            cpu, shares = processor.sample(moment - last)
            offered = drive.offered_per_s(moment - last)
            second = Second(
                number, drive.users, round(offered, 1), round(requests / (moment - last), 1),
                failures, p50, p95, p99, cpu, shares,
            )  # fmt: skip
            last = moment
            self._seconds.append(second)
            log.read()
            self._on_second(second)

    def _keep_lease(self) -> None:
        renewed = time.monotonic()
        while True:
            gevent.sleep(1)
            try:
                lease.take(self._table, self._plan.run_id, now())
                renewed = time.monotonic()
            except lease.AlreadyRunning as error:
                self._stop(f"lost its lease to {error.holder}")
            except (BotoCoreError, ClientError) as error:
                if time.monotonic() - renewed > _LEASE_PATIENCE_S:
                    self._stop(
                        f"could not renew its lease for {_LEASE_PATIENCE_S} s, since the ops table "
                        f"did not answer ({type(error).__name__})"
                    )

    def _publish(self, world: World) -> None:
        while True:
            gevent.sleep(1)
            with suppress(BotoCoreError, ClientError):  # the next second writes it all again
                self._write(world)

    def _heed_stop(self) -> None:
        while not self._stopped.wait(_STOP_POLL_S):
            with suppress(BotoCoreError, ClientError):
                if by := self._records.find_stop(self._plan.run_id):
                    self._stop(f"was stopped by {by}")

    def _write(self, world: World) -> None:
        """The minute under way, and once more the one before when a new one has begun."""
        newest = max(0, (len(self._seconds) - 1) // 60)
        for minute in range(self._written_minutes, newest + 1):
            body = {
                "seconds": [s.to_dict() for s in self._seconds[60 * minute : 60 * (minute + 1)]],
                "routes": self._tally.route_rows(),
                "slowest": self._tally.slowest(),
                "faults": self._tally.faults(),
                "refusals": dict(world.refusals),
                "total": self._tally.total.row(),
                "at": to_iso_z(now()),
                "owners": world.owners[:],
                "emails": world.emails[:],
            }
            self._records.put_minute(self._plan.run_id, minute, body)
        self._written_minutes = newest

    def _await_log(self, log: AccessLog, requests: int) -> None:
        deadline = time.monotonic() + _LOG_SETTLES_S
        while log.is_known and log.read() < requests and time.monotonic() < deadline:
            gevent.sleep(0.1)

    def _stop(self, reason: str) -> None:
        self._stop_reason = self._stop_reason or reason
        self._stopped.set()


def _keep(journal: Journal) -> None:
    """Write the journal down while the run goes on: a killed run loses what came since."""
    while True:
        gevent.sleep(_JOURNAL_S)
        with suppress(BotoCoreError, ClientError):  # the next time writes it all
            journal.save()


class _Drive:
    """Makes the shoppers ask: by Locust's own runner, or by arrivals."""

    def __init__(self, plan: Plan, world: World, edge_url: str, tally: Tally) -> None:
        self._plan, self._world, self._tally = plan, world, tally
        self._classes = personas(world, plan)
        for kind in self._classes:
            kind.host = edge_url
        self._environment = Environment(
            user_classes=list(self._classes), host=edge_url, stop_timeout=_GRACE_S
        )
        self._runner = self._environment.create_local_runner()
        self._environment.events.request.add_listener(self._on_request)
        self._arrivals: Arrivals | None = None
        self._counted = 0
        if plan.arrivals_per_s is not None:
            self._arrivals = Arrivals(
                plan.arrivals_per_s, plan.ramp_s, plan.users, self._new_shopper, world.rng
            )

    @property
    def users(self) -> int:
        """Shoppers there are; for an open load, requests under way."""
        return self._arrivals.busy if self._arrivals else int(self._runner.user_count)

    @property
    def lost(self) -> int:
        return self._arrivals.lost if self._arrivals else 0

    def start(self) -> None:
        if self._arrivals:
            self._generator = gevent.spawn(self._arrivals.run)
            return
        users = self._plan.users
        self._runner.start(users, spawn_rate=users / max(1, self._plan.ramp_s))

    def stop(self) -> None:
        """Begin nothing new, and let what is under way end."""
        if self._arrivals:
            self._generator.kill()
            self._arrivals.finish(_GRACE_S)
        self._runner.quit()

    def offered_per_s(self, elapsed_s: float) -> float:
        """What the plan asks for: arrivals since the last call, or what the shoppers there are
        would ask for if every answer came at once."""
        if self._arrivals:
            new, self._counted = self._arrivals.offered - self._counted, self._arrivals.offered
            return new / elapsed_s
        return self.users / max(0.1, self._plan.shape.mean_think_s)

    def _new_shopper(self) -> Any:
        shopper = pick(self._classes, self._world.rng)(self._environment)
        shopper.on_start()
        return shopper

    def _on_request(
        self,
        request_type: str,
        name: str,
        response_time: float,
        context: dict[str, Any],
        response: Any = None,
        exception: Exception | None = None,
        **_: Any,
    ) -> None:
        trace_id = int(context.get("trace_id", 0))
        self._tally.add(
            f"{request_type} {name}",
            response_time,
            str(context.get("correlation_id", "")),
            to_iso_z(now()),
            (str(exception) or type(exception).__name__) if exception else "",
            to_text(trace_id),
            is_kept=_says_kept(response),
        )


def _says_kept(response: Any) -> bool:
    """Whether the shop says that it keeps this answer's trace; a failed connection has none."""
    headers = getattr(response, "headers", None) or {}
    header = TraceHeader.parse(headers.get(trace_header.NAME))
    return header is not None and header.is_sampled is True
