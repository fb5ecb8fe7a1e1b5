"""The console's own figures, for whoever holds them against other readings: the proof does.

`GET /figures` answers with what the Sales page of this process draws of all time, from the same
readings and the same memory. Who may not read the sales report may not read this either.
"""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.periods import preset_period
from console.queries import edge, sales
from pipeline.contracts.events import to_iso_z
from pipeline.runtime.clock import now

_SHOWN = ("orders", "units", "gross", "refunds")  # what the report counts


def of_all_time(token: str) -> dict[str, Any]:
    """`{as_of, months: [{month, currency, orders … refunds}], cards: [{currency, orders …}]}`:
    the bars of the chart that are not empty, and the cards above it; minor units.

    Raises edge.Unreachable, edge.SignedOut, edge.Problem.
    """
    at = now()
    period = preset_period("all", at.date())
    # The memory is everybody's, so the report is first asked whether this token may read it.
    today = preset_period("today", at.date())
    dates = {"from": today.first.isoformat(), "to": today.until.isoformat()}
    edge.get("/api/analytics/sales", token, **dates, grain="day")
    totals, series = sales.sales(token, period, "month")
    months = [
        {"month": f"{row['bucket']:%Y-%m}", "currency": currency, **_shown(row)}
        for currency in sorted(totals)
        for row in sales.filled(series, currency, period, "month").iter_rows(named=True)
        if any(_shown(row).values())
    ]
    cards = [
        {"currency": currency, **{name: getattr(row, name) for name in _SHOWN}}
        for currency, row in sorted(totals.items())
    ]
    return {"as_of": to_iso_z(at), "months": months, "cards": cards}


def _shown(row: dict[str, Any]) -> dict[str, int]:
    return {name: int(row[name]) for name in _SHOWN}


async def _answer(request: Request) -> Response:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not token.isascii():
        return _problem(401, "The access token is not valid.")
    try:
        return JSONResponse(await run_in_threadpool(of_all_time, token))
    except edge.Unreachable as problem:
        return _problem(503, str(problem))
    except edge.SignedOut:
        return _problem(401, "The access token is not valid.")
    except edge.Problem as problem:
        return _problem(problem.status, str(problem))


def _problem(status: int, detail: str) -> Response:
    body = {"type": "about:blank", "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


ROUTES = [Route("/figures", _answer)]
