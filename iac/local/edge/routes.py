"""Which request goes where, what may be tried again, and what browsers are told."""

from typing import Any

from iac.local.edge.replies import hidden_bucket_errors
from iac.local.edge.types import Json, message_of, set_header
from iac.local.ports import SERVICES, Addresses
from pipeline.contracts.names import Names

_REQUEST_TIMEOUT = "15s"
_IMPORT_TIMEOUT = "120s"
_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_NOT_CACHED = {
    "envoy.filters.http.cache": message_of("config.route.v3.FilterConfig", disabled=True, config={})
}


def virtual_host(at: Addresses) -> Json:
    routes: list[Json] = []
    for service in SERVICES:
        routes += _service_routes(service)
    routes.append(_answer(404, {"prefix": "/api"}))
    routes += _storefront_routes(Names(at.stage).web_bucket)
    return {
        "name": "shop",
        "domains": ["*"],
        "routes": routes,
        "virtual_clusters": _counted_apart(),
        # A service can tell its trace when the edge took a request, and which attempt this is.
        "request_headers_to_add": [set_header("x-edge-start", "%START_TIME(%s.%3f)%")],
        "include_request_attempt_count": True,
    }


def _counted_apart() -> list[Json]:
    """Answers counted by service, whoever gave them: a replica, a second one, or the edge itself.

    The observer reads them as `vhost.shop.vcluster.api_<service>.upstream_rq_<class>`. The first
    that matches counts: probes are no requests of shoppers.
    """
    probes = {"safe_regex_match": {"regex": r"/api/[a-z]+/(healthz|readyz)(\?.*)?"}}
    return [
        {"name": "probes", "headers": [_header(":path", **probes)]},
        *(
            {
                "name": f"api_{service}",
                "headers": [_header(":path", prefix_match=f"/api/{service}/")],
            }
            for service in SERVICES
        ),
    ]


def _service_routes(service: str) -> list[Json]:
    """Reads and repeatable writes are tried again; the rest only if it never left."""
    prefix = {"prefix": f"/api/{service}/"}
    routes = []
    if service == "catalog":
        imports = _to(service, {"path": "/api/catalog/imports"}, _IMPORT_TIMEOUT, _unsent())
        imports["typed_per_filter_config"] = _NOT_CACHED | {
            # Streamed on to the service, which has a limit of its own, 64 MiB.
            "envoy.filters.http.buffer": message_of(
                "extensions.filters.http.buffer.v3.BufferPerRoute", disabled=True
            )
        }
        routes.append(imports)
    docs = _to(service, {"path": f"/api/{service}/docs"}, _REQUEST_TIMEOUT, _repeatable("5s"))
    docs["response_headers_to_add"] = [set_header("content-security-policy", _PAGE_POLICY)]
    keyed = _header("idempotency-key", present_match=True)
    return [
        *routes,
        docs,
        _to(service, prefix | _methods("GET|HEAD"), _REQUEST_TIMEOUT, _repeatable("5s")),
        _to(service, prefix | _methods("PUT|DELETE"), _REQUEST_TIMEOUT, _repeatable("7s")),
        _to(service, prefix | _methods("POST", keyed), _REQUEST_TIMEOUT, _repeatable("7s")),
        _to(service, prefix, _REQUEST_TIMEOUT, _unsent()),
    ]


def _storefront_routes(bucket: str) -> list[Json]:
    """Files by their path, every other page is the application's index."""
    reads = _methods("GET|HEAD")
    file = {"safe_regex": {"regex": r"/.*\.[A-Za-z0-9]{1,12}"}}
    with_query = _methods("GET|HEAD", _header(":path", contains_match="?"))
    whole_path = f'"/{bucket}" .. path'
    return [
        # A query makes another cache key of the same file: whoever invents them must not fill it.
        _from_bucket(file | with_query, whole_path, cached=False),
        _from_bucket(file | reads, whole_path, cached=True),
        _from_bucket(
            {"prefix": "/"} | reads,
            f'"/{bucket}/index.html"',
            cached=False,
            cache_control="no-cache",
        ),
        _answer(405, {"prefix": "/"})
        | {"response_headers_to_add": [set_header("allow", "GET, HEAD")]},
    ]


def _from_bucket(match: Json, path: str, *, cached: bool, cache_control: str = "") -> Json:
    route = _to("bucket", match, _REQUEST_TIMEOUT, _repeatable("5s"))
    headers = {"content-security-policy": _PAGE_POLICY}
    if cache_control:
        headers["cache-control"] = cache_control
    filters = {} if cached else dict(_NOT_CACHED)
    filters["envoy.filters.http.custom_response"] = hidden_bucket_errors(headers)
    filters["envoy.filters.http.lua"] = message_of(
        "extensions.filters.http.lua.v3.LuaPerRoute",
        source_code={"inline_string": _bucket_script(path, headers)},
    )
    return route | {"typed_per_filter_config": filters}


def _bucket_script(path: str, headers: dict[str, str]) -> str:
    """Ask the bucket for `path`, a Lua expression over `path`; answer with no trace of the bucket.

    In a filter and not in the route, because the cache asks upstream without the route's rewriting.
    A visitor's token and cookies are no business of the bucket, and would defeat the cache.
    """
    answers = "\n".join(f"  headers:replace([[{k}]], [[{v}]])" for k, v in headers.items())
    return f"""
function envoy_on_request(handle)
  local headers = handle:headers()
  local whole = headers:get(":path")
  local path = whole:match("^[^?]*")
  headers:replace("x-envoy-original-path", whole)
  headers:replace(":path", {path})
  headers:remove("authorization")
  headers:remove("cookie")
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local foreign = {{}}
  for name, _ in pairs(headers) do
    if name:find("^x%-amz") or name:find("^access%-control") or name:find("^x%-envoy") then
      table.insert(foreign, name)
    end
  end
  for _, name in ipairs(foreign) do
    headers:remove(name)
  end
{answers}
end
"""


def _to(cluster: str, match: Json, timeout: str, retries: Json) -> Json:
    action = {"cluster": cluster, "timeout": timeout, "retry_policy": retries}
    return {"match": match, "route": action, "typed_per_filter_config": dict(_NOT_CACHED)}


def _answer(status: int, match: Json) -> Json:
    return {
        "match": match,
        "direct_response": {"status": status},
        "typed_per_filter_config": dict(_NOT_CACHED),
    }


def _repeatable(per_try: str) -> Json:
    """For requests that may run twice: tried again on whatever a lost replica looks like."""
    return _retries("connect-failure,refused-stream,reset,retriable-status-codes", per_try) | {
        "retriable_status_codes": [502, 503]
    }


def _unsent() -> Json:
    """For requests that must not run twice: tried again only if no byte was answered for."""
    return _retries("connect-failure,refused-stream", None)


def _retries(retry_on: str, per_try: str | None) -> Json:
    policy: Json = {
        "retry_on": retry_on,
        "num_retries": 3,
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": message_of(
                    "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                ),
            }
        ],
        # A lost replica has the fewest requests under way, so it is drawn three times of four.
        "host_selection_retry_max_attempts": 20,
        # Envoy draws each pause at random below a doubling bound: full jitter.
        "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
    }
    return policy | ({"per_try_timeout": per_try} if per_try else {})


def _methods(pattern: str, *more: Json) -> Json:
    return {"headers": [_header(":method", safe_regex_match={"regex": pattern}), *more]}


def _header(name: str, **match: Any) -> Json:
    for kind in ("safe_regex", "contains", "prefix"):
        if f"{kind}_match" in match:
            return {"name": name, "string_match": {kind: match[f"{kind}_match"]}}
    return {"name": name, **match}
