"""What runs: each program's command, environment and health check."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from iac.local.ports import HOST, ROOT, Addresses, Replica, environment, process_environment

_BIN = Path(sys.prefix) / "bin"


@dataclass(frozen=True, slots=True)
class Program:
    """One program under supervisor; `health` is a URL that answers 200 when it is fit."""

    name: str
    command: list[str]
    environment: dict[str, str]
    health: str | None
    ports: tuple[int, ...] = ()
    stop_wait_s: int = 10
    # Whether the whole process group is asked to stop, or only the program itself.
    stops_as_group: bool = True
    log_suffix: str = "log"
    log_max_bytes: int = 10_000_000
    separate_errors: bool = False
    one_shot: bool = False
    needs: tuple[Path, ...] = field(default=())

    @property
    def is_written(self) -> bool:
        return all(path.exists() for path in self.needs)


def programs(at: Addresses) -> list[Program]:
    """In the order they start; they stop in the reverse of it."""
    return [
        _emulator(at),
        _xray(at),
        _payment_gateway(at),
        *(_replica(at, replica) for replica in at.replicas),
        _edge(at),
        _console(at),
        _observer(at),
        _history(at),
    ]


def _machinery(at: Addresses) -> dict[str, str]:
    """For what a new version of the shop need not restart."""
    env = process_environment(at)
    del env["HAS_VERSION"]
    return env


def _emulator(at: Addresses) -> Program:
    state = at.state / "emulator"
    # Functions run as children of the emulator: from their zip, not from the checkout.
    env = _machinery(at) | {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(at.emulator),
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": environment(at)["AWS_REGION"],
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
        "TMPDIR": str(state / "tmp"),
        "LAMBDA_EXECUTOR": "local",
        # A warm worker beyond the first is reaped after this; a burst must not pile up memory.
        "LAMBDA_WARM_TTL_SECONDS": "60",
        "LAMBDA_ASYNC_RETRY_MAX_SECONDS": "30",
        "LOG_LEVEL": "INFO",
    }
    env.pop("PYTHONPATH")
    return Program(
        "emulator",
        [str(_BIN / "python"), "-m", "iac.local.emulator"],
        env,
        health=f"{at.url(at.emulator)}/_ministack/ready",
        ports=(at.emulator,),
        stop_wait_s=120,
        stops_as_group=False,
    )


def _xray(at: Addresses) -> Program:
    return Program(
        "xray",
        [str(_BIN / "moto_server"), "-H", HOST, "-p", str(at.xray)],
        _machinery(at),
        health=f"{at.url(at.xray)}/moto-api/",
        ports=(at.xray,),
    )


def _payment_gateway(at: Addresses) -> Program:
    """A company of its own: it knows the shop by the door for its webhooks alone."""
    command = [
        *(str(_BIN / "uvicorn"), "--factory", "iac.local.payment_gateway.main:create"),
        *("--host", HOST, "--port", str(at.gateway), "--loop", "uvloop", "--http", "httptools"),
        *("--no-access-log", "--no-server-header", "--log-level", "warning"),
        *("--timeout-keep-alive", "75", "--timeout-graceful-shutdown", "2"),
    ]
    return Program(
        "payment-gateway",
        command,
        process_environment(at)
        | {"HAS_WEBHOOK_URL": f"{at.url(at.edge)}/api/checkout/payments/webhook"},
        health=f"{at.url(at.gateway)}/healthz",
        ports=(at.gateway,),
    )


def _replica(at: Addresses, replica: Replica) -> Program:
    command = [
        *(str(_BIN / "uvicorn"), f"storefront_api.{replica.service}.main:app"),
        *("--host", HOST, "--port", str(replica.port)),
        *("--loop", "uvloop", "--http", "storefront_api.http_protocol:HttpProtocol"),
        # Longer than the edge keeps an idle connection, so that only the edge closes one.
        *("--timeout-keep-alive", "75", "--timeout-graceful-shutdown", "5"),
        *("--no-access-log", "--no-server-header", "--log-level", "warning"),
    ]
    env = process_environment(at) | {
        "HAS_SERVICE": replica.service,
        "HAS_ZONE": replica.zone,
        "HAS_REPLICA": replica.name,
    }
    return Program(
        replica.name,
        command,
        env,
        health=f"{at.url(replica.port)}/api/{replica.service}/readyz",
        ports=(replica.port,),
        needs=(ROOT / "storefront_api" / replica.service / "main.py",),
    )


def _edge(at: Addresses) -> Program:
    command = [
        *(str(_BIN / "envoy"), "-c", str(at.state / "run" / "envoy.json")),
        *("--concurrency", "2", "--disable-hot-restart", "--log-level", "warning"),
        # The journal of acknowledged orders is at most this far behind the answers.
        *("--file-flush-interval-msec", "50", "--drain-time-s", "5"),
    ]
    return Program(
        "edge",
        command,
        _machinery(at),
        health=f"{at.url(at.envoy_admin)}/ready",
        ports=(at.edge, at.envoy_admin),
        log_suffix="jsonl",
        log_max_bytes=20_000_000,
        separate_errors=True,
    )


def _console(at: Addresses) -> Program:
    command = [
        *(str(_BIN / "streamlit"), "run", "console/app.py"),
        *("--server.address", HOST, "--server.port", str(at.console)),
        *("--server.headless", "true", "--server.fileWatcherType", "none"),
        *("--browser.gatherUsageStats", "false"),
    ]
    return Program(
        "console",
        command,
        process_environment(at) | {"HAS_SERVICE": "console"},
        health=f"{at.url(at.console)}/_stcore/health",
        ports=(at.console,),
        needs=(ROOT / "console" / "app.py",),
    )


def _observer(at: Addresses) -> Program:
    return Program(
        "observer",
        [str(_BIN / "python"), "-m", "pipeline.observer"],
        process_environment(at) | {"HAS_SERVICE": "observer", "HAS_REPLICA": "observer"},
        health=None,
        needs=(ROOT / "pipeline" / "observer" / "__main__.py",),
    )


def _history(at: Addresses) -> Program:
    command = [str(_BIN / "python"), "-m", "iac.local", "history"]
    return Program(
        "history",
        command,
        process_environment(at) | {"HAS_SERVICE": "history"},
        health=None,
        one_shot=True,
        needs=(ROOT / "pipeline" / "replay" / "__main__.py",),
    )
