"""The catalogue service: `uvicorn storefront_api.catalog.main:app`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from starlette.middleware import Middleware

from pipeline.runtime import clock
from pipeline.runtime.insights import InsightFile
from storefront_api.app import create_app
from storefront_api.catalog import operations, router
from storefront_api.catalog.imports import router as imports
from storefront_api.catalog.imports.domain import MAX_BYTES
from storefront_api.catalog.imports.runner import Runner
from storefront_api.catalog.imports.store import Files, Jobs
from storefront_api.catalog.last_good import LastGood
from storefront_api.catalog.refresh import Refresher
from storefront_api.catalog.search import SearchIndex, View
from storefront_api.catalog.service import CatalogService
from storefront_api.catalog.snapshot import Snapshots
from storefront_api.catalog.store import ProductStore
from storefront_api.catalog.window import Window
from storefront_api.settings import ServiceSettings


def build_app(settings: ServiceSettings) -> FastAPI:
    """A replica with an index of its own, which its lifespan fills and keeps fresh."""
    store = ProductStore(settings.names)
    index = SearchIndex()
    refresher = Refresher(
        index,
        lambda since: store.changed_since(since, index.is_news),
        clock.now,
        Snapshots(settings.names),
        InsightFile(settings.names),
    )
    jobs = Jobs(settings.names)
    runner = Runner(jobs, settings.replica, clock.new_id)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(each.run()) for each in (refresher, runner)]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def present() -> View | None:
        # What is shown while the table is down says how old it is, each second anew.
        return index.view if index.is_built and not refresher.stale_for() else None

    app = create_app(
        "catalog",
        "Catalogue",
        settings,
        [router.router, operations.router, imports.router],
        checks={"products_table": store.check, "search_index": refresher.check},
        lifespan=lifespan,
        body_limits={"/api/catalog/imports": MAX_BYTES},
        middleware=[Middleware(Window, present=present)],
    )
    app.state.search_index = index
    app.state.stale_for = refresher.stale_for
    app.state.last_good = LastGood(clock.now)
    app.state.import_jobs = jobs
    app.state.import_files = Files(settings.names)
    app.state.catalog = CatalogService(store, clock.now, clock.new_id)
    return app


app = build_app(ServiceSettings())
