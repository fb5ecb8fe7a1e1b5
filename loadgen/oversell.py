"""`make oversell`: many buyers after few goods, with cancellations; fails when one is sold twice.

Every buyer fills a cart with one to three of the goods, orders, and one in five takes it back. What
the shop sold is counted from its answers, and must be what is missing on the shelf. The shop's own
books are summed, too, SKU by SKU: received + adjusted + returned = available + held + sold.
"""

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from loadgen.books import Account, Books, total
from loadgen.journal import Journal
from loadgen.orders import an_order
from pipeline.runtime.clock import new_id, now
from pipeline.runtime.settings import RuntimeSettings

_CANCELS = 0.2
_DEMO = {"email": "operator@demo.shop", "password": "demo-Shop-2026!"}
_UNAVAILABLE_SHARE = 0.01
_SETTLES_WITHIN_S = 60
_BOOKED_WITHIN_S = 120
_COOKIE = "has_cart"
_MARKS = {"X-Synthetic": "1"}


class OversellSettings(RuntimeSettings):
    edge_url: str


@dataclass
class Tally:
    """`sold` is units by SKU of the orders that stand; `faults` are answers that may not be;
    `told` are the orders that were acknowledged, as (when, the answer)."""

    answers: Counter[str] = field(default_factory=Counter)
    told: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    sold: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def unavailable_share(self) -> float:
        """Of buyers who were told to try again, in [0, 1]."""
        return self.answers["unavailable"] / max(1, self.answers["buyers"])


class Buyer:
    """One shopper's requests: the connections are everybody's, the cookie is their own."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._cookie = ""

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**_MARKS, **options.pop("headers", {}), "Cookie": self._cookie}
        url = f"/api/checkout{path}"
        answer = await self._client.request(method, url, headers=headers, **options)
        if given := answer.cookies.get(_COOKIE):
            self._cookie = f"{_COOKIE}={given}"
        return answer


async def race(
    edge_url: str, skus: Sequence[str], buyers: int, concurrency: int, seed: int
) -> Tally:
    """All buyers, `concurrency` at a time, through the edge; the same seed, the same wishes."""
    rng, tally, gate = random.Random(seed), Tally(), asyncio.Semaphore(concurrency)
    nobodys = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    limits = httpx.Limits(max_connections=concurrency)

    async def one(wishes: Mapping[str, int], cancels: bool) -> None:
        async with gate:
            await _buy(Buyer(client), wishes, cancels, tally)

    async with httpx.AsyncClient(
        base_url=edge_url, timeout=60, trust_env=False, limits=limits, cookies=nobodys
    ) as client:
        plans = [(_wishes(rng, skus), rng.random() < _CANCELS) for _ in range(buyers)]
        await asyncio.gather(*(one(wishes, cancels) for wishes, cancels in plans))
    return tally


def _wishes(rng: random.Random, skus: Sequence[str]) -> dict[str, int]:
    return {sku: rng.randint(1, 3) for sku in rng.sample(skus, min(len(skus), rng.randint(1, 3)))}


async def _buy(buyer: Buyer, wishes: Mapping[str, int], cancels: bool, tally: Tally) -> None:
    tally.answers["buyers"] += 1
    for sku, quantity in wishes.items():
        answer = await buyer.ask("PUT", f"/cart/items/{sku}", json={"quantity": quantity})
        if not _is_fine(answer, 200, tally):
            return
    keyed, body = {"Idempotency-Key": new_id()}, an_order(email="race@example.com")
    placed = await buyer.ask("POST", "/orders", json=body, headers=keyed)
    if not _is_fine(placed, 201, tally):
        return
    tally.answers["ordered"] += 1
    told = placed.json()
    tally.told.append((now(), told))
    if cancels:
        answer = await buyer.ask("POST", f"/orders/{told['order_id']}/cancel")
        if answer.status_code == 200:
            tally.answers["cancelled"] += 1
            return
        if answer.status_code != 409:  # packed by then: it stands
            tally.faults.append(f"cancel: {answer.status_code} {answer.text[:200]}")
    tally.sold.update(wishes)


def _is_fine(answer: httpx.Response, expected: int, tally: Tally) -> bool:
    if answer.status_code == expected:
        return True
    if answer.status_code == 409 and _names_lines(answer.json()):
        tally.answers["sold out"] += 1
    elif answer.status_code == 503:
        tally.answers["unavailable"] += 1
    else:
        tally.faults.append(f"{answer.status_code} {answer.text[:200]}")
    return False


def _names_lines(problem: Mapping[str, Any]) -> bool:
    lines = problem.get("lines") or []
    return bool(lines) and all(line["requested"] > line["available"] >= 0 for line in lines)


async def _goods(client: httpx.AsyncClient, skus: int, units: int) -> tuple[str, list[str]]:
    """A product made for the race: (its id, its SKUs). The last unit of each comes as a correction
    of stock, so that the books have one."""
    product_id = new_id()
    names = [f"RACE-{product_id}-{number}" for number in range(skus)]
    variants = [
        {
            "sku": sku,
            "options": {"number": str(number)},
            "price": {"amount_minor": 100 + number, "currency": "GBP"},
            "stock": units // skus - 1,
        }
        for number, sku in enumerate(names)
    ]
    body = {
        "product_id": product_id, "title": "Goods of a race", "description": "Made to be bought.",
        "category": ["Race"], "variants": variants,
    }  # fmt: skip
    (await client.post("/api/catalog/products", json=body)).raise_for_status()
    found = {"delta": 1, "reason": "found for the race"}
    for sku in names:
        path = f"/api/catalog/stock/{sku}/adjustments"
        (await client.post(path, json=found)).raise_for_status()
    return product_id, names


async def _available(client: httpx.AsyncClient, product_id: str) -> dict[str, int]:
    path = f"/api/catalog/products/{product_id}"
    answer = await client.get(path, headers={"Cache-Control": "no-cache"})
    return {v["sku"]: v["available"] for v in answer.raise_for_status().json()["variants"]}


async def _booked(books: Books) -> dict[str, Account]:
    """The accounts once they balance and nothing is held any more, or as they are when that takes
    too long: orders are paid for, and movements land, after the race."""
    for _ in range(_BOOKED_WITHIN_S):
        accounts = await asyncio.to_thread(books.read)
        if all(one.is_balanced and not one.held for one in accounts.values()):
            break
        await asyncio.sleep(1)
    return accounts


async def run(
    settings: OversellSettings, arguments: argparse.Namespace, journal: Journal
) -> dict[str, Any]:
    """Make the goods, race, note what was told, compare, sum, take the goods off sale."""
    edge_url, began = settings.edge_url, now()
    async with httpx.AsyncClient(base_url=edge_url, timeout=60, trust_env=False) as client:
        login = (await client.post("/api/users/login", json=_DEMO)).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {login['access_token']}"
        product_id, skus = await _goods(client, arguments.skus, arguments.units)
        each = arguments.units // arguments.skus
        tally = await race(edge_url, skus, arguments.buyers, arguments.concurrency, arguments.seed)
        for at, told in tally.told:
            journal.note(told["order_id"], told["total"], "", at)
        journal.close()
        expected = {sku: each - tally.sold[sku] for sku in skus}
        left = await _available(client, product_id)
        for _ in range(_SETTLES_WITHIN_S):  # the catalogue hears of a sale a moment later
            if left == expected:
                break
            await asyncio.sleep(1)
            left = await _available(client, product_id)
        accounts = await _booked(Books(settings.names, skus, began))
        etag = (await client.get(f"/api/catalog/products/{product_id}")).headers["etag"]
        path = f"/api/catalog/products/{product_id}"
        (await client.delete(path, headers={"If-Match": etag})).raise_for_status()
    return {
        **tally.answers, "units": arguments.units, "sold": tally.sold.total(),
        "oversold": sum(max(0, count - each) for count in tally.sold.values()),
        "differing": {
            sku: (expected[sku], left[sku]) for sku in skus if expected[sku] != left[sku]
        },
        "stock": f"{total(list(accounts.values()))}; summed for each of {len(accounts)} SKUs",
        "unbalanced": {sku: str(one) for sku, one in accounts.items() if not one.is_balanced},
        "unavailable_share": tally.unavailable_share, "faults": tally.faults[:20],
        "seed": arguments.seed,
    }  # fmt: skip


def is_kept(report: Mapping[str, Any]) -> bool:
    """Whether the race shows nothing that may not be."""
    is_fine = not any(report[one] for one in ("oversold", "differing", "unbalanced", "faults"))
    return is_fine and bool(report["unavailable_share"] < _UNAVAILABLE_SHARE)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make oversell", description=__doc__)
    parser.add_argument("--buyers", type=int, default=2_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--skus", type=int, default=20)
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    settings = OversellSettings()
    journal = Journal(settings.names, f"race-{new_id()}", now)
    report = asyncio.run(run(settings, parser.parse_args(), journal))
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0 if is_kept(report) else 1


if __name__ == "__main__":
    sys.exit(main())
