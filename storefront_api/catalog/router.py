"""What anybody may read: lists and searches from memory, a product's page from the table."""

import time
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from pipeline.contracts.categories import SEPARATOR
from pipeline.contracts.errors import Unprocessable
from pipeline.runtime.metrics import metrics
from storefront_api.catalog import models, views
from storefront_api.catalog.caching import cached_json, is_held
from storefront_api.catalog.domain import Filters, Product
from storefront_api.catalog.last_good import OUT_OF_REACH, LastGood, Page
from storefront_api.catalog.search import SearchIndex, Suggestion, View
from storefront_api.catalog.service import CatalogService
from storefront_api.catalog.text_index import clean
from storefront_api.catalog.window import show
from storefront_api.problems import documented

_LIST_CACHE = "public, max-age=5"
_DETAIL_CACHE = "public, max-age=1"
# Old news may be shown, but not kept: the next reader may get fresh ones.
_STALE_CACHE = "no-store"
_STALE_HEADER = "X-Stale-Age"
_STALE: dict[str, Any] = {
    _STALE_HEADER: {
        "description": "Seconds since the table last answered; absent while it does",
        "schema": {"type": "integer"},
    }
}
_READ: dict[int | str, dict[str, Any]] = {
    200: {"headers": _STALE},
    304: {"description": "You hold this already", "headers": _STALE},
}

router = APIRouter(tags=["catalogue"])


async def get_view(request: Request) -> View:
    index: SearchIndex = request.app.state.search_index
    return index.view


async def get_service(request: Request) -> CatalogService:
    service: CatalogService = request.app.state.catalog
    return service


CurrentView = Annotated[View, Depends(get_view)]
Service = Annotated[CatalogService, Depends(get_service)]


async def get_index_age(request: Request) -> timedelta | None:
    age: timedelta | None = request.app.state.stale_for()
    return age


IndexAge = Annotated[timedelta | None, Depends(get_index_age)]
ProductId = Annotated[str, Path(max_length=128, examples=["OD-001"])]


@router.get(
    "/products",
    response_model=models.ProductPage,
    responses=documented(422, 503) | _READ,
)
async def list_products(
    request: Request,
    query: Annotated[models.ListQuery, Query()],
    view: CurrentView,
    age: IndexAge,
) -> Response:
    """Search, filter, count and page; never touches the table, so a list outlives an outage."""
    started = time.perf_counter()
    filters = _filters(query)
    etag = f'W/"{view.generation}-{_digest(query, request.app.version)}"'
    if is_held(request, etag) and not query.cursor:
        return cached_json(request, b"", etag, *_caching(_LIST_CACHE, age))
    page = view.list_page(filters, query.sort, query.page_size, query.cursor or None)
    instead: list[Suggestion] = []
    if filters.text and not page.total:
        instead = view.instead(filters.text)
        metrics.add("SearchesWithoutResults", 1, Synthetic=_is_synthetic(request))
    else:
        show(request, view)  # but for what is counted each time
    took_ms = round((time.perf_counter() - started) * 1000, 2)
    body = views.to_json(views.page(page, instead, took_ms))
    return cached_json(request, body, etag, *_caching(_LIST_CACHE, age))


@router.get(
    "/suggest", response_model=models.SuggestionList, responses=documented(422, 503) | _READ
)
async def suggest(
    request: Request,
    view: CurrentView,
    age: IndexAge,
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Completions while somebody types: what others look for, categories, brands, goods."""
    show(request, view)
    items = views.suggestions(view.suggest(clean(q)))
    return _list(request, items, age)


@router.get("/categories", response_model=models.CategoryTree, responses=documented(503) | _READ)
async def list_categories(request: Request, view: CurrentView, age: IndexAge) -> Response:
    """The tree of categories with how many goods are in each."""
    show(request, view)
    body = {"items": views.tree(view.shelf.count_paths()), "next_cursor": None}
    etag = f'W/"{view.generation}"'
    return cached_json(request, views.to_json(body), etag, *_caching(_LIST_CACHE, age))


@router.get(
    "/products/{product_id}",
    response_model=models.ProductDetail,
    responses=documented(404, 503) | _READ,
)
def get_product(request: Request, product_id: ProductId, service: Service) -> Response:
    """A product with its variants and their stock. Archived goods keep their page, so that old
    orders and links resolve; their `status` says so and nothing of them can be bought.

    While the table is out of reach the page is as it was last read, or as lists know the product:
    then `variants` is empty.
    """
    state = request.app.state
    last_good: LastGood = state.last_good

    def show(told: bytes) -> Page:
        product, rows = service.read_product(product_id, told)
        return _page(product, views.detail(product, rows))

    try:
        page, age = last_good.read(product_id, service.ask_for_product, show)
    except OUT_OF_REACH:
        index: SearchIndex = state.search_index
        listed = index.view.find_product(product_id)
        if listed is None:
            raise
        age = state.stale_for() or timedelta(0)
        page = _page(listed, views.as_listed(listed))
    return cached_json(request, *page, *_caching(_DETAIL_CACHE, age))


@router.get(
    "/products/{product_id}/related",
    response_model=models.CardList,
    responses=documented(404, 503) | _READ,
)
def list_related(
    request: Request, product_id: ProductId, view: CurrentView, age: IndexAge, service: Service
) -> Response:
    """Up to eight goods: those bought with it, then of the same category, nearest in price."""
    related = view.related(product_id)
    if related is None:
        service.get_product(product_id)  # known from old orders only, or not at all
    else:
        show(request, view)
    return _list(request, [views.card(each) for each in related or ()], age)


def _page(product: Product, shown: views.Plain) -> Page:
    body = views.to_json(shown)
    return Page(body, views.detail_etag(product, body))


def _caching(cache_control: str, age: timedelta | None) -> tuple[str, Mapping[str, str]]:
    if age is None:
        return cache_control, {}
    return _STALE_CACHE, {_STALE_HEADER: str(int(age.total_seconds()))}


def _is_synthetic(request: Request) -> str:
    return "true" if request.headers.get("x-synthetic") == "1" else "false"


def _filters(query: models.ListQuery) -> Filters:
    low, high = query.min_price, query.max_price
    if low is not None and high is not None and low > high:
        message = "min_price must not be above max_price"
        raise Unprocessable(message, errors=[{"field": "min_price", "message": message}])
    levels = [level.strip() for level in query.category.split(SEPARATOR.strip())]
    return Filters(
        text=clean(query.q),
        category=tuple(level for level in levels if level),
        min_price=query.min_price,
        max_price=query.max_price,
        in_stock=query.in_stock,
        featured=query.featured,
        options=_options(query.option),
    )


def _options(asked: list[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    values: dict[str, list[str]] = {}
    for text in dict.fromkeys(asked):
        name, _, value = text.partition(":")
        values.setdefault(name, []).append(value)
    return tuple((name, tuple(sorted(values[name]))) for name in sorted(values))


def _digest(query: models.ListQuery, version: str) -> str:
    return sha256(f"{version}\n{query!r}".encode("utf-8", "replace")).hexdigest()[:12]


def _list(request: Request, items: list[views.Plain], age: timedelta | None) -> Response:
    body = views.to_json({"items": items, "next_cursor": None})
    return cached_json(request, body, views.body_etag(body), *_caching(_LIST_CACHE, age))
