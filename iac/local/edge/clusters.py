"""Where requests go: two replicas of each service, and the bucket with the storefront."""

from iac.local.edge.types import Json, message_of
from iac.local.ports import HOST, SERVICES, Addresses


def clusters(at: Addresses) -> list[Json]:
    return [*(_service(at, service) for service in SERVICES), _bucket(at)]


def _service(at: Addresses, service: str) -> Json:
    ports = [replica.port for replica in at.replicas if replica.service == service]
    return _cluster(service, ports) | {
        "lb_policy": "LEAST_REQUEST",
        # With both replicas unfit, say so at once: no request is sent into the dark.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "health_checks": [
            {
                "timeout": "1s",
                # The no-traffic interval is 60 s by default, and then a quiet shop does not notice.
                "interval": "1s",
                "no_traffic_interval": "1s",
                "unhealthy_threshold": 2,
                "healthy_threshold": 1,
                "http_health_check": {"path": f"/api/{service}/healthz"},
            }
        ],
        "outlier_detection": {
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 2,
            "enforcing_consecutive_local_origin_failure": 100,
            "consecutive_gateway_failure": 5,
            "enforcing_consecutive_gateway_failure": 100,
            # A 500 is a bug of the code both replicas run: to eject both would make it an outage.
            "enforcing_consecutive_5xx": 0,
            "enforcing_success_rate": 0,
            "interval": "0.5s",
            "base_ejection_time": "2s",
            "max_ejection_time": "10s",
            "max_ejection_percent": 100,
        },
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": 512,
                    # What waits longer than its timeout is work for nobody, and its retries are
                    # more of it. Beyond this many under way a quick 503 is the better answer.
                    "max_pending_requests": 128,
                    "max_requests": 128,
                    # The default of 3 overflows when a replica dies under load; a share keeps
                    # retries from feeding an overload.
                    "retry_budget": {
                        "budget_percent": {"value": 25.0},
                        "min_retry_concurrency": 50,
                    },
                }
            ]
        },
    }


def _bucket(at: Addresses) -> Json:
    limits = {"max_connections": 64, "max_pending_requests": 256, "max_requests": 256}
    return _cluster("bucket", [at.emulator]) | {
        "circuit_breakers": {"thresholds": [limits | {"max_retries": 16}]}
    }


def _cluster(name: str, ports: list[int]) -> Json:
    endpoints = [
        {"endpoint": {"address": {"socket_address": {"address": HOST, "port_value": port}}}}
        for port in ports
    ]
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": message_of(
                "extensions.upstreams.http.v3.HttpProtocolOptions",
                explicit_http_config={"http_protocol_options": {}},
                # Shorter than the replicas' keep-alive of 75 s, so that a replica never closes
                # a connection that a request is just being written to.
                common_http_protocol_options={"idle_timeout": "50s"},
            )
        },
    }
