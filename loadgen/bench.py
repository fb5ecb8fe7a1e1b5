"""`make bench`: the shop's speed through the edge, as a table and as JSON; asserts nothing.

All with the load generator on the same machine: latency at a gentle, open rate (requests start on a
clock, whether or not the former ones are answered), throughput of a closed loop of workers, and how
soon an order is in the aggregates and in the raw lake; then our figures beside those of other shops
(`peers.json`). Orders are marked synthetic.
"""

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import platform  # noqa: E402
import random  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from dataclasses import asdict, dataclass  # noqa: E402
from http.cookies import SimpleCookie  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
import psutil  # noqa: E402
from geventhttpclient import HTTPClient  # noqa: E402
from geventhttpclient.url import URL  # noqa: E402
from rich.table import Table  # noqa: E402

from loadgen.freshness_speed import EVENTS_PER_S, delays_ms  # noqa: E402
from loadgen.lake_speed import revenue_query  # noqa: E402
from loadgen.orders import an_order  # noqa: E402
from pipeline.runtime import terminal  # noqa: E402
from pipeline.runtime.clock import new_id, now  # noqa: E402
from pipeline.runtime.settings import RuntimeSettings  # noqa: E402

LISTING = "list: search + filter + facets"
DETAIL = "product detail"
PURCHASE = "whole purchase (2 calls)"
COMPLETING = "  its completing call"
SERVICES = ("catalog", "users", "checkout", "analytics")
TERMS = ("dress", "boots", "earrings", "jacket", "hat", "ring", "shorts", "backpack", "sweater")


class BenchSettings(RuntimeSettings):
    edge_url: str
    state_dir: Path


@dataclass(frozen=True, slots=True)
class Row:
    """Times in milliseconds; `rps` is achieved, `failed` counts answers that are not 2xx."""

    what: str
    load: str
    n: int
    rps: float
    p50_ms: float
    p95_ms: float
    failed: int


class Edge:
    """Requests at the edge, over kept connections."""

    def __init__(self, url: str) -> None:
        self._client = HTTPClient.from_url(
            URL(url), concurrency=64, connection_timeout=5, network_timeout=20
        )

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, str]:
        """(status, JSON of the answer or None, its Set-Cookie)."""
        sent = {"X-Synthetic": "1", "Content-Type": "application/json", **(headers or {})}
        answer = self._client.request(
            method, path, body=json.dumps(body) if body is not None else b"", headers=sent
        )
        text = bytes(answer.read())
        cookie = str(answer.get("set-cookie") or "")
        return answer.status_code, json.loads(text) if text else None, cookie


Call = Callable[[], bool]


def open_rate(what: str, call: Call, rate: float, seconds: float) -> Row:
    """Starts `rate` calls a second and measures each from the moment it was due."""
    times: list[float] = []
    failed = 0

    def one(due: float) -> None:
        nonlocal failed
        failed += not call()
        times.append((time.perf_counter() - due) * 1000)

    started = time.perf_counter()
    running = []
    for turn in range(int(rate * seconds)):
        due = started + turn / rate
        gevent.sleep(max(0.0, due - time.perf_counter()))
        running.append(gevent.spawn(one, due))
    gevent.joinall(running, timeout=30)
    return _row(what, f"open, {rate:g}/s", times, failed, time.perf_counter() - started)


def closed_loop(what: str, call: Call, workers: int, seconds: float) -> Row:
    """As many calls as `workers` can make, one after another each."""
    times: list[float] = []
    failed = 0
    started = time.perf_counter()

    def work() -> None:
        nonlocal failed
        while time.perf_counter() - started < seconds:
            begun = time.perf_counter()
            failed += not call()
            times.append((time.perf_counter() - begun) * 1000)

    gevent.joinall([gevent.spawn(work) for _ in range(workers)], timeout=seconds + 30)
    return _row(what, f"closed, {workers} workers", times, failed, time.perf_counter() - started)


def _row(what: str, load: str, times: list[float], failed: int, seconds: float) -> Row:
    cuts = statistics.quantiles(times, n=20) if len(times) > 1 else [0.0] * 19
    return Row(
        what, load, len(times), round(len(times) / seconds, 1), round(cuts[9], 1),
        round(cuts[18], 1), failed,
    )  # fmt: skip


def listing(edge: Edge) -> Call:
    def call() -> bool:
        path = f"/api/catalog/products?q={random.choice(TERMS)}&in_stock=true&min_price=1000"
        return edge.call("GET", path)[0] == 200

    return call


def detail(edge: Edge, products: list[str]) -> Call:
    return lambda: edge.call("GET", f"/api/catalog/products/{random.choice(products)}")[0] == 200


def purchase(edge: Edge, skus: list[str], spent: list[float]) -> Call:
    """A guest fills a cart and orders; `spent` collects the milliseconds of the completing call."""

    def call() -> bool:
        path = f"/api/checkout/cart/items/{random.choice(skus)}"
        status, _, cookie = edge.call("PUT", path, {"quantity": 1})
        if status != 200:
            return False
        jar = SimpleCookie(cookie)
        headers = {
            "Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items()),
            "Idempotency-Key": new_id(),
        }
        begun = time.perf_counter()
        status, _, _ = edge.call(
            "POST", "/api/checkout/orders", an_order(email="bench@example.com"), headers
        )
        spent.append((time.perf_counter() - begun) * 1000)
        return status == 201

    return call


def sellable(edge: Edge) -> tuple[list[str], list[str]]:
    """(product ids, SKUs that can be bought) of a page of the shop."""
    _, page, _ = edge.call("GET", "/api/catalog/products?in_stock=true&page_size=60")
    products = [item["product_id"] for item in page["items"]]
    skus = []
    for product in products[:30]:
        _, found, _ = edge.call("GET", f"/api/catalog/products/{product}")
        skus += [v["sku"] for v in found["variants"] if v["available"] > 20]
    return products, skus


def bench(edge: Edge, seconds: float) -> list[Row]:
    products, skus = sellable(edge)
    spent: list[float] = []
    rows = [
        open_rate(LISTING, listing(edge), 20, seconds),
        open_rate(DETAIL, detail(edge, products), 20, seconds),
        open_rate(PURCHASE, purchase(edge, skus, spent), 20, seconds),
    ]
    rows.append(_row(COMPLETING, "open, same run", spent[:], 0, seconds))
    spent.clear()
    rows += [
        closed_loop(LISTING, listing(edge), 16, seconds),
        closed_loop(DETAIL, detail(edge, products), 16, seconds),
        closed_loop(PURCHASE, purchase(edge, skus, spent), 8, seconds),
    ]
    rows.append(_row(COMPLETING, "closed, same run", spent, 0, seconds))
    return rows


def bench_lake(settings: BenchSettings, seconds: float) -> list[Row]:
    """Revenue by country and month over the curated order lines: from S3 each time, and with kept
    copies of what did not change."""
    keep = settings.state_dir / "lake"
    rows = []
    for what, call in (
        ("lake: revenue by country and month", revenue_query(settings.stage)),
        ("  with kept copies", revenue_query(settings.stage, keep)),
    ):
        call()  # connections, and the copies
        rows.append(closed_loop(what, call, 1, seconds))
    return rows


def bench_freshness(edge: Edge, settings: BenchSettings, seconds: float) -> list[Row]:
    """How soon an order is in the aggregates and in the raw lake, at a steady rate of events."""
    place = purchase(edge, sellable(edge)[1], [])

    def send(events: list[dict[str, Any]]) -> bool:
        status, answer, _ = edge.call("POST", "/api/analytics/events", {"events": events})
        return status == 202 and answer["accepted"] == len(events)

    delays, failed = delays_ms(settings.names, place, send, seconds)
    return [
        _row(f"order to {layer}", f"{EVENTS_PER_S} events/s", times, failed, seconds)
        for layer, times in delays.items()
    ]


def memory_mb(state_dir: Path) -> dict[str, float]:
    """Resident megabytes of this stack's processes, by what they are."""
    found: dict[str, float] = {}
    for process in psutil.process_iter(["cmdline", "memory_info", "environ"]):
        environ = process.info["environ"] or {}
        if environ.get("HAS_STATE_DIR") != str(state_dir) or process.pid == os.getpid():
            continue
        name = environ.get("HAS_SERVICE", "other")
        found[name] = found.get(name, 0) + process.info["memory_info"].rss / 1e6
    return {name: round(size) for name, size in sorted(found.items())}


def race() -> dict[str, Any]:
    """30 buyers at once after 5 units; what `make oversell` reports of it.

    In a process of its own, as it runs on asyncio, which gevent's patches would take apart.
    """
    sizes = ("--buyers", "30", "--concurrency", "30", "--skus", "1", "--units", "5")
    command = [sys.executable, "-m", "loadgen.oversell", *sizes]
    # It ends with 1 when a unit was sold twice: that is a figure, too.
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def beside_peers(rows: list[Row], sold_of_5: int, memory: dict[str, float]) -> Table:
    """Others were measured alike: 2 cores with the generator on them, 100,000 SKUs, single runs."""

    def found(what: str, load: str) -> Row:
        return next(row for row in rows if row.what == what and row.load.startswith(load))

    ours = {
        "list_per_s": found(LISTING, "closed").rps,
        "list_p95_ms": found(LISTING, "open").p95_ms,
        "detail_per_s": found(DETAIL, "closed").rps,
        "purchases_per_s": found(PURCHASE, "closed").rps,
        "completing_p95_ms": found(COMPLETING, "open").p95_ms,
        "sold_of_5": sold_of_5,
        "memory_mb": round(sum(memory.get(service, 0) for service in SERVICES)),
    }
    peers = json.loads(Path(__file__).with_name("peers.json").read_text())
    table = Table("what", "ours", "goal", *peers["list_per_s"]["others"])
    for name, figure in ours.items():
        peer = peers[name]
        table.add_row(peer["what"], str(figure), peer["goal"], *peer["others"].values())
    return table


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement")
    arguments = parser.parse_args()
    settings = BenchSettings()
    load_before = os.getloadavg()[0]
    # The lake first: afterwards it holds the bench's own orders, not yet compacted.
    lake = bench_lake(settings, arguments.seconds)
    edge = Edge(settings.edge_url)
    # Before the throughput, whose orders would be waiting in the stream.
    freshness = bench_freshness(edge, settings, arguments.seconds)
    rows = [*bench(edge, arguments.seconds), *freshness, *lake]
    raced, memory = race(), memory_mb(settings.state_dir)
    report = {
        "at": now().isoformat(),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "version": settings.version,
        "load_average_before": load_before,
        "rows": [asdict(row) for row in rows],
        "memory_mb": memory,
        "race": raced,
    }
    path = settings.state_dir / "bench" / f"{new_id()}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")
    screen = terminal.console()
    table = Table("what", "load", "n", "per second", "p50 ms", "p95 ms", "failed")
    for row in rows:
        table.add_row(*(str(value) for value in asdict(row).values()))
    screen.print(table)
    screen.print(beside_peers(rows, raced["sold"], memory))
    screen.print(f"memory in MB: {memory}")
    screen.print(f"{os.cpu_count()} cores, load average before {load_before:.1f}: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
