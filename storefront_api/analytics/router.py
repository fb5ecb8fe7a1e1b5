"""The public routes of the analytics service."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, BeforeValidator, Field

from pipeline.contracts.errors import Forbidden, Unauthenticated
from pipeline.contracts.keys import Grain, Stream
from pipeline.contracts.roles import STAFF
from pipeline.runtime import clock, tracing
from pipeline.runtime.metrics import metrics
from storefront_api import problems
from storefront_api.analytics import reports
from storefront_api.analytics.collect import MAX_EVENTS, Sender, collect
from storefront_api.analytics.pace import Pace
from storefront_api.analytics.reports import GroupBy, Range
from storefront_api.analytics.store import AnalyticsItems, EventStream
from storefront_api.security import MaybePrincipal, allows

router = APIRouter(tags=["analytics"])
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@allows(*STAFF)
async def may_read_reports(request: Request, principal: MaybePrincipal) -> None:
    """Analysts and operators; everybody where `HAS_REPORTS_PUBLIC` says so."""
    if request.app.state.settings.reports_public:
        return
    if principal is None:
        raise Unauthenticated(headers={"WWW-Authenticate": 'Bearer realm="shop"'})
    if principal.role not in STAFF:
        raise Forbidden("Needs the role analyst or operator")


async def _table(request: Request) -> AnalyticsItems:
    items: AnalyticsItems = request.app.state.items
    return items


async def _items(table: Annotated[AnalyticsItems, Depends(_table)]) -> AnalyticsItems:
    """Of the generation that is read at this moment."""
    return await run_in_threadpool(table.live)


async def _stream(request: Request) -> EventStream:
    stream: EventStream = request.app.state.stream
    return stream


def _iso_date(text: object) -> object:
    # Otherwise a number would be a date, too: seconds since 1970.
    if isinstance(text, str) and not _DATE.fullmatch(text):
        raise ValueError("a date is written YYYY-MM-DD")
    return text


IsoDate = Annotated[date, BeforeValidator(_iso_date)]


async def _period(
    since: Annotated[
        IsoDate | None, Query(alias="from", description="UTC date, inclusive; 30 days before `to`")
    ] = None,
    until: Annotated[
        IsoDate | None, Query(alias="to", description="UTC date, exclusive; tomorrow")
    ] = None,
) -> Range:
    return reports.period_of(since, until, clock.now())


async def _streams(
    synthetic: Annotated[bool, Query(description="Add the orders of load tests")] = False,
) -> list[Stream]:
    return ["real", "synthetic"] if synthetic else ["real"]


Items = Annotated[AnalyticsItems, Depends(_items)]
Table = Annotated[AnalyticsItems, Depends(_table)]
Period = Annotated[Range, Depends(_period)]
Streams = Annotated[list[Stream], Depends(_streams)]
reading = APIRouter(
    dependencies=[Depends(may_read_reports)], responses=problems.documented(401, 403, 422, 503)
)


class BrowserEvent(BaseModel):
    """One event as a browser sends it; the server completes the envelope."""

    event_id: str | None = Field(None, description="8 to 64 letters, digits, - or _; makes it safe "
                                 "to send the event again")  # fmt: skip
    event_type: str = Field(examples=["shopper.product_viewed.v1"])
    occurred_at: datetime | None = None
    session_id: str | None = None
    anonymous_id: str | None = None
    customer_id: str | None = None
    payload: dict[str, Any] = {}


class EventBatch(BaseModel):
    # Items are checked one by one, so that a bad one does not cost the others.
    events: list[Any] = Field(
        min_length=1, max_length=MAX_EVENTS,
        json_schema_extra={"items": BrowserEvent.model_json_schema()},
    )  # fmt: skip


class RefusedEvent(BaseModel):
    index: int
    reason: str


class Collected(BaseModel):
    accepted: int
    rejected: list[RefusedEvent]


class Counters(BaseModel):
    """Money in minor units of `currency`; `refunds` at or below zero, `net` = gross + refunds."""

    orders: int
    units: int
    gross: int
    refunds: int
    net: int


class SalesTotal(Counters):
    currency: str
    customers: int = Field(description="Distinct registered customers who ordered")
    average_order: int | None = Field(description="gross / orders; null without orders")


class SalesPoint(Counters):
    bucket: str = Field(examples=["2011-12-09T12", "2011-12-09", "2011-12"])
    currency: str
    group: str | None = None


class SalesReport(BaseModel):
    totals: list[SalesTotal]
    series: list[SalesPoint]


class ProductSales(BaseModel):
    product_id: str
    title: str
    currency: str
    units: int
    gross: int


class TopProducts(BaseModel):
    items: list[ProductSales]
    next_cursor: None = None


class FunnelStep(BaseModel):
    event_type: str
    count: int


class Sessions(BaseModel):
    """Sessions by what they reached: a step, or one after it."""

    view: int = Field(description="Any event: all sessions")
    product: int
    cart: int
    checkout: int
    order: int


class DaySessions(Sessions):
    day: str = Field(examples=["2011-12-09"], description="On which they began, UTC")


class Funnel(BaseModel):
    """`steps` count events at once; `sessions` and `days` those compacted, exactly."""

    steps: list[FunnelStep]
    sessions: Sessions
    days: list[DaySessions]


class VainSearches(BaseModel):
    """How often a term was looked for and nothing was found."""

    term: str = Field(description="In lower case, one space between words, at most 100 characters")
    searches: int


class SearchesWithoutResults(BaseModel):
    items: list[VainSearches]
    total: int = Field(description="Searches without results, of all terms")
    next_cursor: None = None


class Freshness(BaseModel):
    """How old the figures are; null before the first event."""

    newest_occurred_at: str | None
    newest_arrived_at: str | None
    folded_at: str | None
    age_s: float | None = Field(description="Seconds since the newest folded event arrived")
    fold_delay_s: float | None = Field(description="From its arrival to its folding")
    compacted_at: str | None


@router.post(
    "/events", status_code=202, responses=problems.documented(400, 401, 413, 422, 429, 503)
)
def collect_events(
    request: Request,
    batch: EventBatch,
    principal: MaybePrincipal,
    stream: Annotated[EventStream, Depends(_stream)],
    x_synthetic: Annotated[Literal["0", "1"], Header()] = "0",
) -> Collected:
    """Takes up to 100 browser events; those refused are named by their place."""
    pace: Pace = request.app.state.pace
    pace.take(batch.events, request.client.host if request.client else "")
    sender = Sender(
        correlation_id=request.scope["correlation_id"],
        customer_id=principal.user_id if principal else None,
        is_synthetic=x_synthetic == "1",
        trace_header=tracing.carried_if_sampled(),
    )
    refusals = collect(batch.events, sender, stream, clock.now, clock.new_id)
    synthetic = str(sender.is_synthetic).lower()
    metrics.add("EventsAccepted", len(batch.events) - len(refusals), Synthetic=synthetic)
    metrics.add("EventsRejected", len(refusals), Synthetic=synthetic)
    return Collected(
        accepted=len(batch.events) - len(refusals),
        rejected=[RefusedEvent(index=one.index, reason=one.reason) for one in refusals],
    )


@reading.get("/sales", response_model_exclude_unset=True)
def sales(
    items: Items,
    period: Period,
    streams: Streams,
    response: Response,
    grain: Annotated[Grain, Query()] = "day",
    group_by: Annotated[GroupBy | None, Query()] = None,
) -> SalesReport:
    """Sales per currency, in total and over time. Buckets without sales are left out."""
    response.headers["Cache-Control"] = "no-store"
    totals, series = reports.sales_report(items, period, grain, group_by, streams)
    return SalesReport.model_validate({"totals": totals, "series": series})


@reading.get("/top-products")
def top_products(
    items: Items,
    period: Period,
    streams: Streams,
    by: Annotated[Literal["gross", "units"], Query()] = "gross",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> TopProducts:
    """What sold most, with titles, at most `limit` per currency."""
    found = reports.top_products(items, period, by, limit, streams)
    return TopProducts.model_validate({"items": found})


@reading.get("/funnel")
def funnel(items: Items, period: Period, streams: Streams) -> Funnel:
    """Browser events per step on the way to an order, and the sessions that came that far.

    A session is of the day on which it began, with all that it came to later. Sessions are as of
    the last compaction (`compacted_at` of `/freshness`).
    """
    total, days = reports.sessions(items, period, streams)
    steps = reports.funnel(items, period, streams)
    return Funnel.model_validate({"steps": steps, "sessions": total, "days": days})


@reading.get("/searches-without-results")
def searches_without_results(
    items: Items,
    period: Period,
    streams: Streams,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> SearchesWithoutResults:
    """What was looked for in vain, the most frequent terms first."""
    found, total = reports.searches_without_results(items, period, limit, streams)
    return SearchesWithoutResults.model_validate({"items": found, "total": total})


@reading.get("/freshness")
def freshness(items: Table) -> Freshness:
    """How old the aggregates and the lake's curated tables are."""
    facts = items.progress()
    arrived, folded = facts.get("newest_arrived_at"), facts.get("folded_at")
    return Freshness(
        newest_occurred_at=facts.get("newest_occurred_at"),
        newest_arrived_at=arrived,
        folded_at=folded,
        age_s=_seconds(arrived, clock.now()) if arrived else None,
        fold_delay_s=_seconds(arrived, datetime.fromisoformat(folded))
        if arrived and folded
        else None,
        compacted_at=items.compacted_at(),
    )


def _seconds(since: str, until: datetime) -> float:
    return round(max(0.0, (until - datetime.fromisoformat(since)).total_seconds()), 1)


router.include_router(reading)
