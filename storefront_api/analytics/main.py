"""The analytics service: `uvicorn storefront_api.analytics.main:app`."""

from fastapi import FastAPI

from pipeline.runtime import clock
from storefront_api.analytics.collect import MAX_BODY_BYTES
from storefront_api.analytics.pace import Pace
from storefront_api.analytics.router import router
from storefront_api.analytics.settings import AnalyticsSettings
from storefront_api.analytics.store import AnalyticsItems, EventStream
from storefront_api.app import create_app


def build_app(settings: AnalyticsSettings) -> FastAPI:
    items, stream = AnalyticsItems(settings.names), EventStream(settings.names)
    app = create_app(
        "analytics",
        "Analytics",
        settings,
        [router],
        checks={"analytics table": items.ping, "event stream": stream.ping},
        body_limits={"/api/analytics/events": MAX_BODY_BYTES},
    )
    app.state.pace = Pace(settings.events_per_client, settings.events_per_network, clock.now)
    app.state.items, app.state.stream = items, stream
    return app


app = build_app(AnalyticsSettings())
