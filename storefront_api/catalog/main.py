"""The catalogue service: `uvicorn storefront_api.catalog.main:app`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from pipeline.runtime import clock
from storefront_api.app import create_app
from storefront_api.catalog import operations, router
from storefront_api.catalog.refresh import Refresher
from storefront_api.catalog.search import SearchIndex
from storefront_api.catalog.service import CatalogService
from storefront_api.catalog.store import ProductStore
from storefront_api.settings import ServiceSettings


def build_app(settings: ServiceSettings) -> FastAPI:
    """A replica with an index of its own, which its lifespan fills and keeps fresh."""
    store = ProductStore(settings.names)
    index = SearchIndex()
    refresher = Refresher(index, store.changed_since, clock.now)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        refreshing = asyncio.create_task(refresher.run())
        yield
        refreshing.cancel()
        with suppress(asyncio.CancelledError):
            await refreshing

    app = create_app(
        "catalog",
        "Catalogue",
        settings,
        [router.router, operations.router],
        checks={"products_table": store.check, "search_index": refresher.check},
        lifespan=lifespan,
    )
    app.state.search_index = index
    app.state.catalog = CatalogService(store, clock.now, clock.new_id)
    return app


app = build_app(ServiceSettings())
