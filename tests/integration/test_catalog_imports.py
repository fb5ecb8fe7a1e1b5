"""Imports of goods at the edge, and the stock events that come of them."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from pipeline_stage import own_stage

from pipeline.contracts import keys
from pipeline.contracts.audit import Audit
from pipeline.contracts.events import to_iso_z
from pipeline.runtime.clock import new_id, now
from pipeline.runtime.lake import Lake
from storefront_api.catalog.imports.domain import Format, Job, Status
from storefront_api.catalog.imports.store import Jobs
from tests.conftest import Stack, wait_until

API = "/api/catalog"
OPERATOR = {"email": "operator@demo.shop", "password": "demo-Shop-2026!"}
SHOPPER = {"email": "shopper@demo.shop", "password": "demo-Shop-2026!"}
JSONL = {"Content-Type": "application/x-ndjson"}


@contextmanager
def signed_in(stack: Stack, account: dict[str, str]) -> Iterator[httpx.Client]:
    with stack.http() as client:
        answer = client.post("/api/users/login", json=account)
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


@pytest.fixture(scope="module")
def operator(stack: Stack) -> Iterator[httpx.Client]:
    with signed_in(stack, OPERATOR) as client:
        yield client


def a_product(product_id: str, **changes: Any) -> dict[str, Any]:
    price = {"amount_minor": 1_250, "currency": "GBP"}
    variant = {"sku": f"{product_id}-1", "options": {"colour": "red"}, "price": price, "stock": 8}
    body = {"product_id": product_id, "title": f"Lamp {product_id}", "category": ["Home", "Lamps"]}
    return {**body, "variants": [variant], **changes}


def jsonl(*bodies: Any) -> bytes:
    return b"".join(json.dumps(body).encode() + b"\n" for body in bodies)


def send(
    client: httpx.Client, file: bytes, headers: dict[str, str] = JSONL, query: str = ""
) -> str:
    answer = client.post(f"{API}/imports{query}", content=file, headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])


def ended(client: httpx.Client, location: str, timeout_s: float = 180) -> dict[str, Any]:
    def look() -> dict[str, Any]:
        job: dict[str, Any] = client.get(location).json()
        return job if job["status"] in ("succeeded", "failed", "cancelled") else {}

    return wait_until(look, timeout_s)


def counts(job: dict[str, Any]) -> tuple[int, int, int, int]:
    return job["created"], job["updated"], job["unchanged"], job["failed"]


def errors(client: httpx.Client, location: str) -> list[tuple[int, str]]:
    items = client.get(f"{location}/errors").json()["items"]
    return [(item["line"], item["errors"][0]["field"]) for item in items]


def test_every_movement_of_a_sku_is_an_event_and_they_add_up_to_its_row(
    stack: Stack, operator: httpx.Client
) -> None:
    product_id = uuid4().hex[:10]
    sku = f"{product_id}-1"
    assert operator.post(f"{API}/products", json=a_product(product_id)).status_code == 201
    for body in (
        {"delta": 5, "reason": "delivery", "kind": "received"},
        {"delta": -3, "reason": "broken"},
    ):
        answer = operator.post(f"{API}/stock/{sku}/adjustments", json=body)
        assert answer.status_code == 201, answer.text
    _buy(stack, sku)
    wanted = {"received": 13, "adjusted": -3, "reserved": 6, "sold": 6}
    wait_until(lambda: _movements(stack, sku) == wanted, pause_s=0.5)
    row = stack.table("products").get_item(Key=keys.stock(sku), ConsistentRead=True)["Item"]
    assert [int(row[n]) for n in ("received", "available", "held", "sold")] == [10, 4, 0, 6]
    low = Lake(stack.names).events("stock.low.v1")
    payloads = [json.loads(each) for each in low["payload"]]
    assert [p["available"] for p in payloads if p["sku"] == sku] == [4]


def test_good_lines_are_taken_bad_ones_named_and_a_repeat_changes_nothing(
    operator: httpx.Client,
) -> None:
    mark = uuid4().hex[:8]
    good = [a_product(f"{mark}-{number}") for number in range(60)]
    taken = a_product(f"{mark}-x", variants=good[0]["variants"])
    file = jsonl(*good, good[1], taken, a_product(f"{mark}-y", title="")) + b"{oops\n\xff\xfe\n"
    location = send(operator, file)
    job = ended(operator, location)
    assert (job["status"], counts(job)) == ("succeeded", (60, 0, 0, 5))
    assert errors(operator, location) == [
        (61, "product_id"), (62, "variants.0.sku"), (63, "title"), (64, "line"), (65, "line"),
    ]  # fmt: skip
    assert operator.get(f"{API}/products/{mark}-x").status_code == 404
    good[3]["title"] = "Lantern"
    again = ended(operator, send(operator, jsonl(*good)))
    assert counts(again) == (0, 1, 59, 0)
    assert operator.get(f"{API}/products/{mark}-3").json()["title"] == "Lantern"


def test_a_dry_run_says_what_would_be_and_writes_nothing(operator: httpx.Client) -> None:
    mark = uuid4().hex[:8]
    csv = (
        "product_id,title,category,sku,price_minor,stock,option.colour\n"
        f'{mark}-a,"Lamp, tall",Home > Lamps,{mark}-1,999,3,red\n'
        f"{mark}-a,,,{mark}-2,1099,4,blue\n"
        f"{mark}-b,Lamp,Home,{mark}-3,cheap,4,\n"
    ).encode()
    kind = {"Content-Type": "text/csv"}
    location = send(operator, csv, kind, "?dry_run=true")
    assert counts(ended(operator, location)) == (1, 0, 0, 1)
    assert errors(operator, location) == [(4, "variants.0.price.amount_minor")]
    assert operator.get(f"{API}/products/{mark}-a").status_code == 404
    assert counts(ended(operator, send(operator, csv, kind))) == (1, 0, 0, 1)
    variants = operator.get(f"{API}/products/{mark}-a").json()["variants"]
    found = [(v["price"]["amount_minor"], v["options"], v["available"]) for v in variants]
    assert found == [(999, {"colour": "red"}, 3), (1099, {"colour": "blue"}, 4)]


def test_only_operators_send_files_and_only_of_known_kinds(
    stack: Stack, operator: httpx.Client
) -> None:
    with stack.http() as guest, signed_in(stack, SHOPPER) as shopper:
        for client, status in ((guest, 401), (shopper, 403)):
            answer = client.post(f"{API}/imports", content=b"{}", headers=JSONL)
            assert answer.status_code == status
    for content, kind, status in (
        (b"{}", "application/json", 400),
        (b"", "text/csv", 422),
    ):
        answer = operator.post(f"{API}/imports", content=content, headers={"Content-Type": kind})
        assert (answer.status_code, answer.headers["content-type"]) == (
            status, "application/problem+json",
        )  # fmt: skip
    wrong = ended(operator, send(operator, b"sku,titel\n", {"Content-Type": "text/csv"}))
    assert wrong["status"] == "failed" and "product_id" in wrong["note"]


@contextmanager
def _held_in_the_middle(
    client: httpx.Client, location: str, total: int
) -> Iterator[psutil.Process]:
    """The process that carries an import out, which stands still at some line meanwhile."""
    job_id = location.rsplit("/", 1)[1]
    carrier = wait_until(lambda: _carrier(job_id), pause_s=0.02)
    wait_until(lambda: client.get(location).json()["lines"] > 0, pause_s=0.02)
    carrier.suspend()
    try:
        assert 0 < client.get(location).json()["lines"] < total
        yield carrier
    finally:
        with suppress(psutil.NoSuchProcess):
            carrier.resume()


def _carrier(job_id: str) -> psutil.Process | None:
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or ()
        if "storefront_api.catalog.imports" in command and job_id in command:
            return process
    return None


def test_an_import_outlives_the_process_that_carried_it_out(
    stack: Stack, operator: httpx.Client
) -> None:
    mark = uuid4().hex[:8]
    total = 1_500
    file = jsonl(*(a_product(f"{mark}-{number}") for number in range(total)))
    location = send(operator, file)
    with _held_in_the_middle(operator, location, total) as carrier:
        carrier.kill()
    job = ended(operator, location)
    assert (job["status"], job["attempts"]) == ("succeeded", 2)
    assert counts(job) == (total, 0, 0, 0)


def test_an_import_that_is_cancelled_goes_on_where_it_stopped(operator: httpx.Client) -> None:
    mark, total = uuid4().hex[:8], 1_200
    location = send(operator, jsonl(*(a_product(f"{mark}-{n}") for n in range(total))))
    with _held_in_the_middle(operator, location, total):
        assert operator.post(f"{location}/cancel").status_code == 202
    stopped = ended(operator, location)
    assert stopped["status"] == "cancelled" and stopped["lines"] < total
    assert operator.post(f"{location}/resume").status_code == 202
    job = ended(operator, location)
    assert (job["status"], counts(job)) == ("succeeded", (total, 0, 0, 0))


def test_an_import_waits_for_its_turn_behind_any_number_that_have_ended(emulator: Stack) -> None:
    jobs = Jobs(own_stage(emulator))
    made = [a_job() for _ in range(30)]
    for job in made:
        jobs.add(job, an_audit())
    for job in made[1:]:
        jobs.ask(job, {"status": "cancelled"}, an_audit())
    assert [job.job_id for job in jobs.list_open(20)] == [made[0].job_id]
    resumed = jobs.find(made[7].job_id)
    assert resumed is not None
    jobs.ask(resumed, {"status": "queued"}, an_audit())
    assert [job.job_id for job in jobs.list_open(20)] == [made[0].job_id, made[7].job_id]


def test_a_cancel_is_not_lost_to_a_replica_that_takes_the_import_in_this_moment(
    emulator: Stack,
) -> None:
    jobs, job = Jobs(own_stage(emulator)), a_job()
    jobs.add(job, an_audit())
    jobs.ask(job, {"status": "cancelled"}, an_audit())
    assert not jobs.take(job, "a replica that read it before", time.time())
    found = jobs.find(job.job_id)
    assert found is not None and found.status is Status.CANCELLED


def a_job() -> Job:
    at = to_iso_z(now())
    return Job(new_id(), Status.QUEUED, Format.JSONL, False, "operator", at, at, 3, "", 1)


def an_audit() -> Audit:
    return Audit(new_id(), to_iso_z(now()), "operator", "import.cancel", "a file", "")


def _buy(stack: Stack, sku: str) -> None:
    address = {"name": "Ada", "line1": "1 Street", "city": "London", "postal_code": "N1 1AA",
               "country": "GB"}  # fmt: skip
    order = {"email": "ada@shop.test", "shipping_address": address,
             "shipping_method": "standard", "payment": {"card_token": "tok_visa"}}  # fmt: skip
    with stack.http() as guest:
        assert guest.put(f"/api/checkout/cart/items/{sku}", json={"quantity": 6}).is_success
        key = {"Idempotency-Key": uuid4().hex}
        answer = guest.post("/api/checkout/orders", json=order, headers=key)
        assert answer.status_code == 201, answer.text


def _movements(stack: Stack, sku: str) -> dict[str, int]:
    total: Counter[str] = Counter()
    events = Lake(stack.names).events("stock.adjusted.v1")
    for text in events.filter(events["partition_key"] == sku)["payload"]:
        payload = json.loads(text)
        total[payload["kind"]] += payload["delta"]
    return dict(total)
