"""An order log as another shop might send it: other countries, other habits, and its mistakes."""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

COUNTRIES = ("Ísland", "Türkiye", "Kenya", "Viet Nam", "Perú")
HEADER = ("Invoice No", "stock_code", "Description", "quantity", "InvoiceDate", "UnitPrice",
          "Customer ID", "COUNTRY", "Till")  # fmt: skip
MISTAKES = {
    "corrupt_row": [
        ("Quantity: no number", {"quantity": "a dozen"}),
        ("Quantity: zero", {"quantity": "0"}),
        ("Quantity: not whole", {"quantity": "1.5"}),
        ("Quantity: over a million", {"quantity": "2000000"}),
        ("InvoiceDate: none, or not legible", {"at": "31/02/2012 10:00"}),
        ("UnitPrice: no number", {"price": "$2.50"}),
        ("StockCode: none", {"code": " "}),
        ("InvoiceNo: none", {"invoice": ""}),
    ],
    "negative_price": [("", {"price": "-1.00"})],
    "zero_price": [("", {"price": "0"})],
    "sub_minor_price": [("", {"price": "0.125"})],
    "negative_quantity": [("", {"quantity": "-3"})],
}  # fmt: skip


@dataclass(slots=True)
class Expected:
    """What was written, counted while writing; amounts in minor units."""

    rows: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    gross: int = 0
    refunds: int = 0
    orders: int = 0
    repeated: int = 0
    unbought: int = 0


def write_unseen_log(path: Path, prefix: str, seed: int = 7, invoices: int = 120) -> Expected:
    """Windows-1252 text with semicolons, decimal commas, `\\r` for line ends and day/month dates.

    Args: `prefix` begins every invoice number, so that no two logs share orders.
    """
    rng, expected = random.Random(seed), Expected()
    lines = [";".join(HEADER)]

    def write(fate: str, fault: str, **cells: str) -> None:
        row = {"invoice": "", "code": "", "title": "", "quantity": "1", "at": "", "price": "",
               "customer": "", "country": "", "till": "4"} | cells  # fmt: skip
        lines.append(";".join(row.values()).replace(".", ",") if fate in ("sale", "refund")
                     else ";".join(row.values()))  # fmt: skip
        expected.rows += 1
        expected.fates[fate] += 1
        if fault:
            expected.faults[fault] += 1

    for number in range(invoices):
        common = {
            "invoice": f"{prefix}{number}",
            "at": f"{number % 28 + 1}/{number % 12 + 1}/2012 {number % 24}:07",
            "customer": str(rng.randrange(40)) if number % 3 else "",
            "country": rng.choice(COUNTRIES),
        }
        expected.orders += 1
        for line in range(rng.randint(1, 6)):
            quantity, pence = rng.randint(1, 9), rng.randint(1, 5_000)
            title = 'Pönnu "8 tommu"' if line == 3 else "Bolli"
            cells = {"code": f"{prefix}P{line}", "title": title, "quantity": str(quantity),
                     "price": f"{pence / 100:.2f}"}  # fmt: skip
            times = 2 if line == 1 else 1  # a repeated row is a second line
            for _ in range(times):
                write("sale", "", **common, **cells)
                expected.gross += quantity * pence
            expected.repeated += times - 1
        if number % 10 == 0:  # a cancellation of goods that nobody bought in this file
            write("refund", "", **common | {"invoice": f"C{prefix}{number}"}, code=f"{prefix}GONE",
                  quantity="-2", price="3.00")  # fmt: skip
            expected.refunds -= 600
            expected.unbought += 1
    for fate, kinds in MISTAKES.items():
        for fault, wrong in kinds:
            for again in range(2):
                usual = {"invoice": f"{prefix}X{again}", "code": "X", "at": "13/12/2012 10:00",
                         "price": "1.00", "country": "Kenya"}  # fmt: skip
                write(fate, fault, **usual | wrong)
    path.write_bytes("\r".join([*lines, "", ""]).encode("cp1252"))
    return expected
