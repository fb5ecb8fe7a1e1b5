"""Where a world lives: in this process, or on the emulator that the environment names."""

import itertools
import logging
import os
import pickle
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import polars as pl
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from ulid import ULID

from iac.local import messaging, storage, tables
from iac.local.health import wait_healthy
from iac.local.ports import Addresses
from iac.local.supervise import Supervisor
from iac.local.topology import Topology
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.facts import Table, conformed
from pipeline.runtime.lake import Lake, LakeObject
from storefront_api.catalog.domain import Product
from storefront_api.catalog.snapshot import Snapshots
from tests.order_model import PLACED_AT
from tests.simulation.local_aws import ENDPOINT, LocalAws
from tests.simulation.seam import Seam
from tests.simulation.virtual_time import START, VirtualTime
from tests.simulation.world import World, take_turns

_READY_TIMEOUT_S = 60
_SHARDS = 2  # one more than the shop has: what is true of each must be true of any number
_TABLES = ("orders", "analytics", "ops")
_ENVIRONMENT = {
    "AWS_ENDPOINT_URL": ENDPOINT, "AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-2",
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "HAS_STAGE": "sim",
    "HAS_SIGNALS": "off", "HAS_LOG_LEVEL": "CRITICAL",
}  # fmt: skip


class Stage(Protocol):
    def world(self, dice: random.Random) -> World:
        """A new world: empty tables, streams, lake."""

    def restart(self) -> None:
        """AWS goes away and comes back with what was written."""

    def close(self) -> None:
        """Gives back the clock, and what else it took."""


@dataclass(frozen=True)
class Saved:
    """AWS at a moment."""

    state: dict[str, Any]
    at: datetime


class InProcess:
    """Every call to AWS is answered here; time stands still; a seed is repeatable to the call."""

    def __init__(self) -> None:
        os.environ.update(_ENVIRONMENT)
        _prepare()
        Lake.scan_objects = _read_here
        self._time, self._aws = VirtualTime(), LocalAws()
        self._seam = Seam(self._answer)
        aws.watch(self._seam.attach)
        self._names = Names("sim")
        self._aws.start_from({})
        set_up(self._names)
        self._empty = self._aws.state()

    def world(self, dice: random.Random, since: Saved | None = None) -> World:
        """A new one; or one that goes on where all was delivered."""
        self._time.restart(since.at if since else START)
        random.seed(dice.random())  # the jitter of retries
        self._aws.start_from(since.state if since else self._empty)
        if not since:
            fill_catalogue(self._names)
        self._seam.calls = 0
        world = World(self._names, self._seam, self._time, dice)
        if since:
            world.has_delivered()
        return world

    def save(self) -> Saved:
        return Saved(self._aws.state(), datetime.now(UTC))

    def print_of_state(self) -> bytes:
        """The same as before, unless something of AWS's changed in between."""
        return pickle.dumps(self._aws.state())

    def restart(self) -> None:
        self._aws.restart()

    def close(self) -> None:
        self._aws.close()
        self._time.stop()

    def _answer(self, request: AWSPreparedRequest) -> AWSResponse:
        with self._time.right():
            return self._aws.answer(request)


class OnEmulator:
    """A stage of its own per world on an emulator that runs by itself, in real time."""

    def __init__(self) -> None:
        _prepare()
        self._time = VirtualTime(is_real=True)
        self._seam = Seam(URLLib3Session(timeout=60).send)
        self._at = Addresses.from_environ()
        aws.watch(self._seam.attach)
        self._numbers = itertools.count(int(time.time()) % 10**6)
        self._names: Names | None = None

    def world(self, dice: random.Random) -> World:
        self._clear()
        names = self._names = Names(f"s{next(self._numbers):07d}")
        os.environ |= {"HAS_STAGE": names.stage, "HAS_SIGNALS": "off", "HAS_LOG_LEVEL": "CRITICAL"}
        set_up(names)
        fill_catalogue(names)
        self._seam.calls = 0
        return World(names, self._seam, self._time, dice)

    def restart(self) -> None:
        with ThreadPoolExecutor(1) as elsewhere:  # where waiting takes real time
            elsewhere.submit(self._restart).result()

    def close(self) -> None:
        self._clear()
        self._time.stop()

    def _clear(self) -> None:
        if self._names:
            take_down(self._names)
            self._names = None

    def _restart(self) -> None:
        supervisor = Supervisor(self._at)
        supervisor.stop_program("emulator")
        supervisor.start_program("emulator")
        ready = f"{self._at.url(self._at.emulator)}/_ministack/ready"
        if late := wait_healthy({"emulator": ready}, _READY_TIMEOUT_S, lambda _: False):
            raise TimeoutError(f"{late} did not come back within {_READY_TIMEOUT_S} s")


def _read_here(lake: Lake, table: Table, objects: Sequence[LakeObject]) -> pl.LazyFrame:
    """`Lake.scan_objects` by botocore: polars reads S3 by itself, and here nobody listens."""
    try:
        frames = zip(objects, lake.read_objects(objects), strict=True)
    except aws.batch_client("s3").exceptions.NoSuchKey as error:
        raise FileNotFoundError(str(error)) from None  # as polars does
    return pl.concat(
        conformed(table, rows).select(pl.lit(one.dt).str.to_date().alias("dt"), pl.all())
        for one, rows in frames
    ).lazy()


def _prepare() -> None:
    logging.disable(logging.WARNING)  # the import of the emulator's code lets everybody talk
    take_turns()


def set_up(names: Names) -> None:
    """What of the topology the pipeline needs; nobody is mapped to a stream."""
    topology, clients = Topology(names), aws.client
    for short in _TABLES:
        tables.apply_table(clients, names.table(short), topology.tables[short])
    for queue, declared in topology.queues.items():
        messaging.apply_queue(clients, names.queue(queue), declared)
    messaging.apply_stream(clients, names.events_stream, {"shards": _SHARDS})
    messaging.apply_topic(clients, topology, "orders")
    storage.apply_bucket(clients, names.lake_bucket)
    storage.apply_glue_database(clients, names.glue_database)


def fill_catalogue(names: Names) -> None:
    """What compaction knows of some of the goods that clicks name."""
    changed_at = str(ULID.from_datetime(PLACED_AT))
    Snapshots(names).save(
        PLACED_AT,
        [
            Product(f"product-{n}", f"Tea cosy {n}", "", ("Home", "Kitchen"), 100, "GBP",
                    to_iso_z(PLACED_AT), changed_at, brand=("Ann's" if n % 2 else None))
            for n in range(6)
        ],
    )  # fmt: skip


def take_down(names: Names) -> None:
    """All of it goes; the emulator is somebody's."""
    for short in _TABLES:
        aws.client("dynamodb").delete_table(TableName=names.table(short))
    sqs, sns, s3 = aws.client("sqs"), aws.client("sns"), aws.client("s3")
    for url in sqs.list_queues(QueueNamePrefix=names.of(""))["QueueUrls"]:
        sqs.delete_queue(QueueUrl=url)
    for page in sns.get_paginator("list_topics").paginate():
        for topic in page["Topics"]:
            if topic["TopicArn"].endswith(f":{names.orders_topic}"):
                sns.delete_topic(TopicArn=topic["TopicArn"])
    aws.client("kinesis").delete_stream(StreamName=names.events_stream)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=names.lake_bucket):
        for found in page.get("Contents", ()):
            s3.delete_object(Bucket=names.lake_bucket, Key=found["Key"])
    s3.delete_bucket(Bucket=names.lake_bucket)
    aws.client("glue").delete_database(Name=names.glue_database)
