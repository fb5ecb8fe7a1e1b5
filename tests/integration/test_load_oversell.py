"""`make oversell` on the running shop, and the books that it sums."""

import json
import os
import subprocess
import sys

from iac.local.ports import ROOT
from loadgen.books import Books, total
from pipeline.contracts import keys
from pipeline.runtime.clock import now
from tests.conftest import Stack, wait_until
from tests.integration.checkout_shop import put_on_sale


def test_a_race_sums_every_sku_in_the_books_of_the_shop(stack: Stack) -> None:
    sizes = ["--buyers", "60", "--skus", "4", "--units", "40", "--concurrency", "16"]
    done = subprocess.run(
        [sys.executable, "-m", "loadgen.oversell", *sizes],
        cwd=ROOT, env=os.environ | stack.env, stdout=subprocess.PIPE, timeout=240, check=False,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert done.returncode == 0, report
    assert report["unbalanced"] == {}
    assert report["stock"].startswith("received 36 + adjusted 4 + returned ")
    assert report["stock"].endswith("summed for each of 4 SKUs")
    assert report["sold"] and f"by the row {report['sold']};" in report["stock"]


def test_a_unit_that_came_from_nowhere_or_went_there_breaks_the_sum_of_its_sku(
    stack: Stack,
) -> None:
    began = now()
    skus = [put_on_sale(stack, 5, entered="operator") for _ in range(3)]
    more, fewer, right = skus
    books = Books(stack.names, skus, began)
    wait_until(lambda: all(one.is_balanced for one in books.read().values()))
    assert total(list(books.read().values())).received == 15
    for sku, delta in ((more, 1), (fewer, -1)):
        stack.table("products").update_item(
            Key=keys.stock(sku), UpdateExpression="ADD available :n",
            ExpressionAttributeValues={":n": delta},
        )  # fmt: skip
    accounts = books.read()
    assert {sku: one.is_balanced for sku, one in accounts.items()} == {
        more: False, fewer: False, right: True,
    }  # fmt: skip
    assert "= 5; available 6 + held 0 + sold 0 = 6" in str(accounts[more])
    for sku in (more, fewer):  # the proof of this stack is to hold
        stack.table("products").delete_item(Key=keys.stock(sku))
