"""Every claim of the ledger: its two readings, and how anybody can take them again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pipeline.contracts.events import REVERSALS
from pipeline.desk import figures
from pipeline.desk.store import OpsLedger
from pipeline.proof import lake, queries, store, told
from pipeline.proof.charges import captured_is_owed
from pipeline.proof.domain import (
    Check,
    Finding,
    Verdict,
    acknowledged_exist,
    console_shows,
    money_agrees,
    orders_reach_the_lake,
    queues_hold_no_dead_letter,
    totals_agree,
    totals_of,
)
from pipeline.proof.queries import Queries
from pipeline.proof.records import received_is_accounted_for, set_aside_is_accounted_for
from pipeline.proof.stock import (
    StockRow,
    movements_add_up,
    stock_is_conserved,
    stock_matches_orders,
)
from pipeline.proof.under_way import late_readers
from pipeline.runtime import clock


@dataclass(frozen=True, slots=True)
class Claim:
    """`find` reads both sides anew; `queries` say how, also where a side could not be read.
    `late` says in words who has still to read what may make a difference, empty when nobody."""

    name: str
    sentence: str
    queries: Sequence[str]
    find: Callable[[], Finding]
    late: Callable[[], str] = str

    def judge(self) -> Check:
        """A side that cannot be read proves nothing, and must not look like a pass or a fault; nor
        does a difference while events are on their way."""
        try:
            # Before the readings: who has caught up since read too late for them.
            late = self.late()
            finding = self.find()
            if late and finding.verdict is Verdict.INVALID:
                why = f"{late}, which may be the difference; {finding.detail}"
                finding = replace(finding, verdict=Verdict.NOT_PROVEN, detail=why)
        except Exception as error:  # the ledger's edge: tell the reading that failed, go on
            why = f"{type(error).__name__}: {str(error)[:200]}"
            finding = Finding(Verdict.NOT_PROVEN, detail=why)
        return Check(self.name, self.sentence, finding, list(self.queries))


class Ledger:
    """The readings of one shop, as the claims need them.

    What comes later in an order's path is read later: it may hold more than what comes earlier,
    never less. Journals come before tables, and tables before the lake.
    """

    def __init__(self, at: Queries) -> None:
        self._at, self._names = at, at.names
        self._events = lake.Events(at.names)
        self._journals = lake.Journals(at.names)
        self._stock_rows: list[StockRow] = []
        self._looked: set[str] = set()

    def claims(self) -> list[Claim]:
        return [*self._orders(), *self._totals(), *self._stock(), *self._messages()]

    def _orders(self) -> list[Claim]:
        at = self._at
        return [
            Claim(
                "acknowledged orders exist",
                "No order that a client was told of is missing from the table",
                [at.acknowledged, at.orders("listing")], self._acknowledged,
            ),
            Claim(
                "what clients were told is kept",
                "Each order that a client noted in its own journal is in the table and in the "
                "lake, with the total and the currency it was told",
                [at.told, at.orders("currency", "total_minor"), queries.PLACED], self._told,
                self._late_landing,
            ),
            Claim(
                "every state of every order is in the lake",
                "Each version of each order is one distinct event, and no event lacks its order",
                [at.orders("version"), queries.ORDER_EVENTS], self._in_lake, self._late_landing,
            ),
            Claim(
                "money of each order",
                "The merchandise value of an order is the sum of its lines in the lake",
                [at.orders("currency", "subtotal_minor"), queries.LINE_SUMS], self._money,
            ),
            Claim(
                "payments captured = orders paid - refunds",
                "The card gateway took the total of each paid order once, and gave back what "
                "is owed",
                [at.charges, at.orders("status", "timeline", "currency", "total_minor", "refunds")],
                self._captured,
            ),
        ]  # fmt: skip

    def _totals(self) -> list[Claim]:
        at = self._at
        return [
            Claim(
                "curated table = raw events",
                "The curated order lines hold each distinct event once",
                [queries.RAW_TOTALS, queries.CURATED_TOTALS], self._curated, self._late_landing,
            ),
            Claim(
                "aggregates = raw events",
                "The folded aggregates are the sums over the distinct events, to the penny",
                [queries.RAW_TOTALS, at.aggregates], self._aggregates, self._late_folding,
            ),
            Claim(
                "report = aggregates",
                "What the sales report answers is what the aggregates hold",
                [at.aggregates, at.report], self._report, self._late_folding,
            ),
            Claim(
                "console = report",
                "What the console's Sales page draws of all time up to today is what the sales "
                "report answers, and each card is the sum of its chart",
                [at.real_report, at.console], self._console, self._late_folding,
            ),
        ]  # fmt: skip

    def _stock(self) -> list[Claim]:
        at = self._at
        return [
            Claim(
                "stock is conserved",
                "received = available + held + sold for every SKU, none below zero",
                [at.stock],
                lambda: stock_is_conserved(self._rows("conserved")),
            ),
            Claim(
                "stock = its movements in the lake",
                "opening + received + adjusted + returned = available + held + sold for every SKU, "
                "by the stock events alone, and the row says the same",
                [at.stock, queries.MOVEMENTS], self._moved, self._late_landing,
            ),
            Claim(
                "nothing is oversold",
                "Held and sold of every SKU are the quantities of the orders in those states",
                [at.stock, at.orders("status", "lines", "refunds")], self._oversold,
            ),
        ]  # fmt: skip

    def _messages(self) -> list[Claim]:
        return [
            Claim(
                "no dead letter", "Every message was handled; none was given up",
                [self._at.dead_letters],
                lambda: queues_hold_no_dead_letter(store.queue_depths(self._names)),
            ),
            Claim(
                "received = landed + quarantined",
                "Every record of the stream is in the lake, landed or quarantined, per source and "
                "hour",
                queries.RECEIVED, self._received,
            ),
            Claim(
                "set aside = open + redriven + discarded",
                "Every rejected event is in one state, and what was redriven has landed",
                queries.SET_ASIDE, self._set_aside,
            ),
        ]  # fmt: skip

    def _late_landing(self) -> str:
        return late_readers(self._names, "landing")

    def _late_folding(self) -> str:
        return late_readers(self._names, "landing", "folding")

    def _acknowledged(self) -> Finding:
        ids = store.acknowledged_orders(self._at.journal)
        return acknowledged_exist(ids, store.orders(self._names))

    def _told(self) -> Finding:
        journals = self._journals.read()
        rows = store.orders(self._names)
        return told.told_is_kept(journals, rows, self._events.facts())

    def _in_lake(self) -> Finding:
        rows = store.orders(self._names)
        return orders_reach_the_lake(rows, self._events.facts())

    def _money(self) -> Finding:
        rows = store.orders(self._names)
        return money_agrees(rows, self._events.facts())

    def _captured(self) -> Finding:
        rows = store.orders(self._names)
        return captured_is_owed(rows, store.charges(self._names, self._at.gateway_url))

    def _curated(self) -> Finding:
        return totals_agree(
            totals_of(self._events.facts(), REVERSALS),
            lake.curated_totals(self._names),
            ("raw", "curated"),
        )

    def _aggregates(self) -> Finding:
        return totals_agree(
            totals_of(self._events.facts(), REVERSALS),
            store.aggregate_totals(self._names),
            ("raw", "aggregates"),
        )

    def _report(self) -> Finding:
        return totals_agree(
            store.aggregate_totals(self._names),
            store.api_totals(self._at.edge_url),
            ("aggregates", "report"),
        )

    def _console(self) -> Finding:
        at = self._at
        chart, cards = store.console_totals(at.console_url)
        # A page ends with today, whatever is booked beyond it.
        report = store.real_totals(at.edge_url, clock.now().date())
        return console_shows(report, chart, cards)

    def _rows(self, claim: str) -> list[StockRow]:
        """A scan takes seconds: one serves the first look of every claim, a second look its own."""
        if not self._stock_rows or claim in self._looked:
            self._stock_rows, self._looked = store.stock_rows(self._names), set()
        self._looked.add(claim)
        return self._stock_rows

    def _moved(self) -> Finding:
        rows = self._rows("moved")
        return movements_add_up(rows, self._events.movements())

    def _oversold(self) -> Finding:
        rows = self._rows("oversold")
        return stock_matches_orders(rows, store.orders(self._names).values())

    def _received(self) -> Finding:
        found = figures.count_records(self._names, clock.now, figures.MAX_HOURS)
        return received_is_accounted_for(found, clock.now())

    def _set_aside(self) -> Finding:
        ledger = OpsLedger(self._names, clock.now)
        redriven = figures.redriven_events(self._names, ledger)
        places = figures.places_of(self._names, clock.now)
        return set_aside_is_accounted_for(
            [figures.count_place(ledger, place) for place in places], redriven
        )
