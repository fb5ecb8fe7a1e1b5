"""Every row of an order log becomes exactly one thing, and the events carry all of them."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.events import Rejected, parse_event
from pipeline.replay import domain
from pipeline.replay.check import log_figures
from pipeline.replay.files import UnusableLog, read_log
from pipeline.replay.service import Progress, _packed

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def a_log(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "log.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def fates(path: Path) -> list[str]:
    return read_log(path)["fate"].to_list()


@pytest.mark.parametrize(
    ("row", "fate"),
    [
        ("1,A,MUG,2,2011-12-09 12:50:00,2.55,17850.0,France", "sale"),
        ("1,A,MUG,2,12/9/2011 12:50,2.55,17850,France", "sale"),
        ("1,A,,2,2011-12-09 12:50:00,2.55,,", "sale"),
        ("C1,A,MUG,-2,2011-12-09 12:50:00,2.55,17850,France", "refund"),
        ("1,A,MUG,-2,2011-12-09 12:50:00,-2.55,17850,France", "negative_price"),
        ("1,A,MUG,-2,2011-12-09 12:50:00,0,17850,France", "zero_price"),
        ("1,A,MUG,-2,2011-12-09 12:50:00,0.001,17850,France", "sub_minor_price"),
        ("1,A,MUG,-2,2011-12-09 12:50:00,2.55,17850,France", "negative_quantity"),
        ("1,A,MUG,two,2011-12-09 12:50:00,2.55,17850,France", "corrupt_row"),
        ("1,A,MUG,2,the ninth,2.55,17850,France", "corrupt_row"),
        ("1,A,MUG,2,2011-12-09 12:50:00,£2,17850,France", "corrupt_row"),
        ("1,A,MUG,1.5,2011-12-09 12:50:00,2.55,17850,France", "corrupt_row"),
        ("1,A,MUG,2000000,2011-12-09 12:50:00,2.55,17850,France", "corrupt_row"),
        (",A,MUG,2,2011-12-09 12:50:00,2.55,17850,France", "corrupt_row"),
        ("1", "corrupt_row"),
    ],
)
def test_a_row_is_classed_by_the_first_rule_that_matches(
    tmp_path: Path, row: str, fate: str
) -> None:
    assert fates(a_log(tmp_path, row)) == [fate]


def test_the_pipeline_refuses_each_faulty_row_for_the_reason_of_its_class(tmp_path: Path) -> None:
    log = read_log(
        a_log(
            tmp_path,
            "1,A,MUG,2,2011-12-09 12:50:00,2.55,17850,France",
            "1,A,MUG,2,2011-12-09 12:50:00,0,17850,France",
            "1,A,MUG,-2,2011-12-09 12:50:00,0.001,17850,France",
            "1,A,MUG,-2,2011-12-09 12:50:00,1.00,17850,France",
            "1,A,MUG,1,2011-12-09 12:50:00,-5,17850,France",
            "1,A,MUG,many,2011-12-09 12:50:00,1.00,17850,France",
        )
    )
    found: Counter[str] = Counter()
    for record in _records(log):
        try:
            parse_event(record)
            found["accepted"] += 1
        except Rejected as rejection:
            found[rejection.reason] += 1
    assert found == {
        "accepted": 1, "zero_price": 1, "sub_minor_price": 1, "negative_quantity": 1,
        "negative_price": 1, "bad_payload": 1,
    }  # fmt: skip


def test_one_invoice_is_one_order_whose_equal_rows_are_lines(tmp_path: Path) -> None:
    row = "1,A,MUG,2,2011-12-09 12:50:00,2.55,17850,France"
    log = read_log(a_log(tmp_path, row, "2,B,CUP,1,2011-12-09 12:51:00,1,,France", row))
    first, second = (parse_event(record) for record in _records(log))
    assert first.event_id == "replay:1:1"
    assert [line["line_no"] for line in first.payload["lines"]] == [1, 2]
    assert first.payload["total_minor"] == 1020
    assert second.payload["customer_id"] is None


def test_rows_of_another_customer_or_country_make_an_order_of_their_own(tmp_path: Path) -> None:
    log = read_log(
        a_log(
            tmp_path,
            "1,A,MUG,2,2011-12-09 12:50:00,2.55,1,France",
            "1,A,MUG,2,2011-12-09 12:50:00,2.55,2,France",
        )
    )
    events = [parse_event(record) for record in _records(log)]
    assert [event.event_id for event in events] == ["replay:1:1", "replay:1/2:1"]
    assert log_figures(log)["orders"] == 2


def test_a_limit_never_cuts_an_invoice_in_two(tmp_path: Path) -> None:
    row = "{},A,MUG,2,2011-12-09 12:50:00,2.55,1,France"
    path = a_log(tmp_path, *(row.format(invoice) for invoice in "1112223"))
    assert read_log(path, 4)["invoice"].to_list() == list("111222")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = a_log(tmp_path, "1,2", header="InvoiceNo,StockCode")
    with pytest.raises(UnusableLog, match=r"lacks the columns Description, Quantity, .*Country"):
        read_log(path)


@pytest.mark.parametrize("content", [b"", b"PAR1 not really", b"\x00\x01\x02"])
def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.parquet"
    path.write_bytes(content)
    with pytest.raises(UnusableLog, match=r"log\.parquet"):
        read_log(path)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)),
    st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)),
)
def test_a_shift_is_whole_weeks_and_ends_within_the_last_one(last: datetime, now: datetime) -> None:
    log = pl.DataFrame({"at": [last.replace(tzinfo=UTC)]})
    now = now.replace(tzinfo=UTC)
    moved = domain.shifted(log, domain.weeks_to_now(log, now))["at"][0]
    assert moved <= now < moved + timedelta(weeks=1)
    assert (moved - last.replace(tzinfo=UTC)) % timedelta(weeks=1) == timedelta(0)


def test_the_real_log_adds_up_and_its_events_carry_every_row() -> None:
    log = read_log(domain_data() / "online_retail.parquet")
    figures = log_figures(log)
    assert log.height == 541_909
    assert figures["gross"] == 1_066_668_454
    assert figures["refunds"] == -89_681_249
    assert sum(one.rows for one in domain.events(log, "GBP")) == log.height
    ids = domain.event_ids(log, "GBP")
    assert len(ids) == len(set(ids)) == 19_960 + 3_836 + 2_521


def test_rows_reached_never_exceed_what_a_reader_has_passed() -> None:
    progress = Progress("r", "f", 30, 0, datetime(2011, 1, 1, tzinfo=UTC))
    progress.sent = {"a": [("05", 10), ("09", 20)], "b": [("07", 10)]}
    assert progress.reached({}) == 0
    assert progress.reached({"a": "04"}) == 0
    assert progress.reached({"a": "05", "b": "06"}) == 10
    assert progress.reached({"a": "09", "b": "07"}) == 30


def domain_data() -> Path:
    return Path(domain.__file__).parent / "data"


def _records(log: pl.DataFrame) -> list[bytes]:
    packed = _packed(list(domain.events(log, "GBP")))
    return [record.body for records, _, _ in packed for record in records]
