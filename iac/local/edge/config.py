"""Envoy's bootstrap configuration, written as JSON under the state folder."""

import json

from iac.local.edge.clusters import clusters
from iac.local.edge.replies import SECURITY_HEADERS, local_replies
from iac.local.edge.routes import virtual_host
from iac.local.edge.types import Json, message_of, typed
from iac.local.ports import HOST, Addresses

_BODY_LIMIT_BYTES = 1_048_576
_HTTP = "extensions.filters.http"
_COMPRESSED = [
    "text/html", "text/plain", "text/css", "text/javascript", "application/javascript",
    "application/json", "application/problem+json", "application/manifest+json", "image/svg+xml",
]  # fmt: skip
# Everyone behind one edge together; it protects the machine, not one visitor from another.
_REQUESTS_PER_S = 20_000


def write_config(at: Addresses) -> None:
    path = at.state / "run" / "envoy.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    at.journal.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config(at), indent=1))


def config(at: Addresses) -> Json:
    return {
        "node": {"id": "edge", "cluster": f"has-{at.stage}"},
        "admin": {"address": _address(at.envoy_admin)},
        "static_resources": {
            "listeners": [
                {
                    "name": "edge",
                    "address": _address(at.edge),
                    "per_connection_buffer_limit_bytes": 2 * _BODY_LIMIT_BYTES,
                    "filter_chains": [{"filters": [_connection_manager(at)]}],
                }
            ],
            "clusters": clusters(at),
        },
        "overload_manager": {
            "resource_monitors": [
                typed(
                    "envoy.resource_monitors.global_downstream_max_connections",
                    "extensions.resource_monitors.downstream_connections.v3."
                    "DownstreamConnectionsConfig",
                    max_active_downstream_connections=10_000,
                )
            ]
        },
    }


def _connection_manager(at: Addresses) -> Json:
    return typed(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="edge",
        server_name="shop",
        use_remote_address=True,
        # Nobody is trusted for coming from this machine: x-envoy-* of a client are dropped.
        internal_address_config={"unix_sockets": False},
        normalize_path=True,
        merge_slashes=True,
        common_http_protocol_options={
            "idle_timeout": "60s",
            "max_headers_count": 100,
            "headers_with_underscores_action": "DROP_HEADER",
        },
        stream_idle_timeout="30s",
        request_timeout=_seconds(120),
        request_headers_timeout=_seconds(10),
        local_reply_config=local_replies(),
        access_log=[_access_log(), _journal(at)],
        http_filters=_filters(),
        route_config={
            "name": "shop",
            "virtual_hosts": [virtual_host(at)],
            "request_headers_to_remove": ["proxy", "te", "trailer"],
            # One file of routes, checked at start: a route to a cluster that is not there fails.
            "validate_clusters": True,
        },
    )


def _filters() -> list[Json]:
    """In the order a request passes them; answers pass them backwards."""
    return [
        _headers(),
        typed(
            "envoy.filters.http.local_ratelimit",
            f"{_HTTP}.local_ratelimit.v3.LocalRateLimit",
            stat_prefix="edge",
            token_bucket={
                "max_tokens": _REQUESTS_PER_S,
                "tokens_per_fill": _REQUESTS_PER_S,
                "fill_interval": "1s",
            },
            filter_enabled=_always(),
            filter_enforced=_always(),
        ),
        _compressor("gzip", "extensions.compression.gzip.compressor.v3.Gzip"),
        _compressor("brotli", "extensions.compression.brotli.compressor.v3.Brotli", quality=4),
        typed(
            "envoy.filters.http.custom_response",
            f"{_HTTP}.custom_response.v3.CustomResponse",
        ),
        typed("envoy.filters.http.lua", f"{_HTTP}.lua.v3.Lua"),
        typed(
            "envoy.filters.http.buffer",
            f"{_HTTP}.buffer.v3.Buffer",
            max_request_bytes=_BODY_LIMIT_BYTES,
        ),
        typed(
            "envoy.filters.http.cache",
            f"{_HTTP}.cache.v3.CacheConfig",
            typed_config=message_of(
                "extensions.http.cache.simple_http_cache.v3.SimpleHttpCacheConfig"
            ),
        ),
        typed(
            "envoy.filters.http.router",
            f"{_HTTP}.router.v3.Router",
            suppress_envoy_headers=True,
        ),
    ]


def _headers() -> Json:
    """First in, last out: also the edge's own answers get them."""
    correlation = {"key": "x-correlation-id", "value": "%REQ(X-REQUEST-ID)%"}
    echoed = {"key": "x-correlation-id", "value": "%REQ(X-CORRELATION-ID)%"}
    return typed(
        "envoy.filters.http.header_mutation",
        f"{_HTTP}.header_mutation.v3.HeaderMutation",
        mutations={
            "request_mutations": [_append(correlation, "ADD_IF_ABSENT")],
            "response_mutations": [
                _append(echoed, "ADD_IF_ABSENT"),
                *(
                    _append({"key": key, "value": value}, "OVERWRITE_IF_EXISTS_OR_ADD")
                    for key, value in SECURITY_HEADERS.items()
                ),
            ],
        },
    )


def _append(header: Json, action: str) -> Json:
    return {"append": {"header": header, "append_action": action}}


def _compressor(kind: str, message: str, **options: int) -> Json:
    return typed(
        f"envoy.filters.http.compressor.{kind}",
        f"{_HTTP}.compressor.v3.Compressor",
        response_direction_config={
            "common_config": {"min_content_length": 1000, "content_type": _COMPRESSED},
            "remove_accept_encoding_header": False,
            # Weak instead of none: conditional requests go on working on compressed answers.
            "weaken_etag_on_compress": True,
        },
        compressor_library=typed(kind, message, **options),
        choose_first=kind == "brotli",
    )


def _access_log() -> Json:
    """To standard output, which supervisor writes to `log/edge.jsonl` and rotates."""
    return typed(
        "envoy.access_loggers.stdout",
        "extensions.access_loggers.stream.v3.StdoutAccessLog",
        log_format=_json_lines(
            at="%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
            method="%REQ(:METHOD)%",
            path="%PATH(NQ:ORIG_OR_PATH)%",
            status="%RESPONSE_CODE%",
            flags="%RESPONSE_FLAGS%",
            duration_ms="%DURATION%",
            bytes="%BYTES_SENT%",
            upstream="%UPSTREAM_HOST%",
            attempts="%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
            correlation_id="%REQ(X-CORRELATION-ID)%",
        ),
    )


def _journal(at: Addresses) -> Json:
    """Each order that was acknowledged to a client, in a file of the edge's own."""
    placed = {
        "and_filter": {
            "filters": [
                {
                    "status_code_filter": {
                        "comparison": {
                            "op": "EQ",
                            "value": {"default_value": 201, "runtime_key": "edge.journal"},
                        }
                    }
                },
                _header_is(":method", {"exact": "POST"}),
                _header_is(":path", {"safe_regex": {"regex": r"/api/checkout/orders(\?.*)?"}}),
            ]
        }
    }
    return {
        "filter": placed,
        **typed(
            "envoy.access_loggers.file",
            "extensions.access_loggers.file.v3.FileAccessLog",
            path=str(at.journal),
            log_format=_json_lines(
                at="%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
                location="%RESP(LOCATION)%",
                correlation_id="%RESP(X-CORRELATION-ID)%",
                idempotency_key="%REQ(IDEMPOTENCY-KEY)%",
            ),
        ),
    }


def _header_is(name: str, match: Json) -> Json:
    return {"header_filter": {"header": {"name": name, "string_match": match}}}


def _json_lines(**fields: str) -> Json:
    return {"json_format": fields}


def _always() -> Json:
    return {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}


def _seconds(count: int) -> str:
    return f"{count}s"


def _address(port: int) -> Json:
    return {"socket_address": {"address": HOST, "port_value": port}}
