"""A log that nobody has seen: whatever is wrong in it is named with a count, and no row is lost."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.replay import domain
from pipeline.replay.cells import read_cells
from pipeline.replay.check import log_figures
from pipeline.replay.files import UnusableLog, open_log, read_log
from pipeline.replay.notes import faults_of, notes_of
from tests.unseen_log import write_unseen_log

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
ROW = "1,A,MUG,2,2011-12-09 12:50:00,2.55,17850,France"


def test_an_unseen_log_adds_up_and_what_is_wrong_in_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "unseen.txt"
    expected = write_unseen_log(path, "U")
    log = open_log(path, currency="GBP")
    figures = log_figures(log.rows)
    assert log.rows.height == expected.rows == sum(expected.fates.values())
    assert dict(log.rows["fate"].value_counts().iter_rows()) == expected.fates
    assert faults_of(log.rows) == expected.faults
    assert (figures["gross"], figures["refunds"]) == (expected.gross, expected.refunds)
    assert (figures["orders"], figures["countries"]) == (expected.orders, 5)
    assert sum(one.rows for one in domain.events(log.rows, "GBP")) == expected.rows
    notes = dict(notes_of(log))
    assert notes["dates are day/month/year"] is None
    assert notes["columns left out: Till"] is None
    assert notes["text is windows-1252"] is None
    assert notes["equal to an earlier row of their invoice: lines of it, too"] == expected.repeated
    lost = "refund lines of goods that this customer bought nowhere in the file"
    assert notes[lost] == expected.unbought


@pytest.mark.parametrize(
    "encoded",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: text.replace("\n", "\n\n").encode(),
        lambda text: text.replace("MUG", '"MUG"').encode(),
    ],
    ids=["mark", "utf-16", "crlf", "cr", "tabs", "blank lines", "quotes"],
)
def test_the_same_rows_written_by_another_program_are_the_same_log(
    tmp_path: Path, encoded: "object"
) -> None:
    text = f"{HEADER}\n{ROW}\n{ROW.replace('1,A', 'C2,B')}\n"
    usual, other = tmp_path / "usual.csv", tmp_path / "other.csv"
    usual.write_text(text)
    other.write_bytes(encoded(text))  # type: ignore[operator]
    assert read_log(other).equals(read_log(usual))


@pytest.mark.parametrize(
    ("dates", "days"),
    [
        (["1/2/2011 10:00", "13/2/2011 10:00"], ["2011-02-01", "2011-02-13"]),
        (["1/2/2011 10:00", "2/13/2011 10:00"], ["2011-01-02", "2011-02-13"]),
        (["1/2/2011 10:00"], ["2011-01-02"]),
        (["12/1/10 8:26", "9.12.2011 12:50"], ["2010-12-01", "2011-12-09"]),
        (["2011-12-09T12:50:00Z", "2011-12-09"], ["2011-12-09", "2011-12-09"]),
        (["12/1/2010 8:26 PM", "30/30/2010 8:26"], ["2010-12-01", None]),
    ],
)
def test_a_files_dates_are_read_in_the_one_way_that_most_of_them_allow(
    tmp_path: Path, dates: list[str], days: list[str | None]
) -> None:
    path = tmp_path / "log.csv"
    rows = [ROW.replace("2011-12-09 12:50:00", date) for date in dates]
    path.write_text("\n".join([HEADER, *rows]))
    assert read_log(path)["at"].dt.date().cast(pl.String).to_list() == days


def test_a_stray_quotation_mark_costs_no_row(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    odd = [ROW.replace("MUG", mug) for mug in ('"MUG', 'M"UG', '"MUG"S', '"MUG, ""BIG"""', "MUG")]
    path.write_text("\n".join([HEADER, *odd]))
    log = open_log(path)
    assert log.rows["fate"].to_list() == ["sale"] * 5
    assert log.rows["description"].to_list()[3:] == ['MUG, "BIG"', "MUG"]
    assert dict(notes_of(log))["a quotation mark that is never closed, taken literally"] == 1


@given(st.lists(st.text("ab,\"' 1", min_size=1).filter(str.strip), max_size=12))
def test_every_line_of_a_file_is_a_row_or_part_of_a_well_formed_one(lines: list[str]) -> None:
    frame = read_cells("\n".join(["x,y,z", *lines]).encode()).frame
    inside = sum((cell or "").count("\n") for row in frame.rows() for cell in row)
    assert frame.height + inside == len(lines)


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"))


@given(st.lists(st.tuples(_TEXT, _TEXT, _TEXT)))
def test_what_a_program_writes_as_csv_is_read_back(rows: list[tuple[str, str, str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([("x", "y", "z"), *rows])
    assert read_cells(buffer.getvalue().encode()).frame.fill_null("").rows() == rows


def test_prices_in_another_currency_are_refused_whole(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"{HEADER},Currency\n{ROW},EUR\n{ROW},GBP\n")
    with pytest.raises(UnusableLog, match="has prices in EUR; this shop's are in GBP"):
        open_log(path, currency="GBP")
    assert open_log(path).rows.height == 2


def test_rows_without_an_invoice_in_two_files_are_two_events(tmp_path: Path) -> None:
    ids = []
    for name in ("MUG", "CUP"):
        path = tmp_path / f"{name}.csv"
        path.write_text(f"{HEADER}\n{ROW.replace('1,A,MUG', f',A,{name}')}\n")
        ids += domain.event_ids(read_log(path), "GBP")
    assert len(set(ids)) == 2
