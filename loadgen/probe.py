"""`python -m loadgen.probe`: where no client has kept a journal yet, buy one thing and keep one.

`make prove` and the console's button begin with it (`--then-prove`), so that what clients were
told can be proven in a shop that nobody has put under load. The order is synthetic and cancelled at
once.
"""

import argparse
import os
import sys
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from loadgen.catalogue import EmptyShop
from loadgen.journal import Journal
from loadgen.orders import an_order
from pipeline.contracts.journal import PREFIX
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.clock import new_id, now
from pipeline.runtime.settings import RuntimeSettings


class ProbeSettings(RuntimeSettings):
    edge_url: str


def has_journal(names: Names) -> bool:
    found = aws.client("s3").list_objects_v2(Bucket=names.lake_bucket, Prefix=PREFIX, MaxKeys=1)
    return bool(found.get("Contents"))


def buy(names: Names, edge_url: str) -> str:
    """The order's id. Raises EmptyShop, httpx.HTTPError, boto3's errors."""
    probe = f"probe-{new_id()}"
    marks = {"X-Synthetic": "1", "X-Correlation-Id": probe}
    with httpx.Client(base_url=edge_url, headers=marks, timeout=20, trust_env=False) as client:
        sku = _find_sku(client)
        client.put(f"/api/checkout/cart/items/{sku}", json={"quantity": 1}).raise_for_status()
        keyed, body = {"Idempotency-Key": probe}, an_order(email="probe@example.com")
        placed = client.post("/api/checkout/orders", json=body, headers=keyed)
        told = placed.raise_for_status().json()
        order_id = str(told["order_id"])
        journal = Journal(names, probe, now)
        journal.note(order_id, told["total"], probe)
        journal.close()
        # Where it has left already it stays, a synthetic order as those of load runs.
        client.post(f"/api/checkout/orders/{order_id}/cancel")
    return order_id


def _find_sku(client: httpx.Client) -> str:
    """The first that can be bought, of the cheapest goods."""
    query = {"in_stock": "true", "sort": "price_asc", "page_size": "24"}
    for item in _get(client, "/api/catalog/products", query)["items"]:
        product = _get(client, f"/api/catalog/products/{item['product_id']}", {})
        for variant in product["variants"]:
            if variant["available"] > 0:
                return str(variant["sku"])
    raise EmptyShop("nothing can be bought")


def _get(client: httpx.Client, path: str, query: dict[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = client.get(path, params=query).raise_for_status().json()
    return body


def main() -> int:
    """0 in any case: the proof itself says what is not proven without it."""
    parser = argparse.ArgumentParser(prog="loadgen.probe", description=__doc__)
    parser.add_argument("--then-prove", action="store_true", help="go on as pipeline.proof")
    is_proven = parser.parse_args().then_prove
    _keep_one()
    if is_proven:
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "pipeline.proof"])
    return 0


def _keep_one() -> None:
    settings = ProbeSettings()
    try:
        if not has_journal(settings.names):
            order_id = buy(settings.names, settings.edge_url)
            sys.stdout.write(f"No client had kept a journal: bought {order_id}, and noted it\n")
    except (EmptyShop, httpx.HTTPError, BotoCoreError, ClientError) as error:
        sys.stdout.write(f"No purchase could be made ({type(error).__name__}: {error})\n")


if __name__ == "__main__":
    sys.exit(main())
