"""Where everything listens and lies, from the environment; the one place that decides it."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
SERVICES = ("catalog", "users", "checkout", "analytics")
REGION = "eu-west-2"
# Linux allows 107 bytes for the path of a unix socket, and supervisor adds a suffix of its own.
_SOCKET_PATH_MAX = 90


@dataclass(frozen=True, slots=True)
class Replica:
    """One process of a service; a zone holds one of each."""

    service: str
    zone: str
    port: int

    @property
    def name(self) -> str:
        return f"{self.service}-{self.zone}"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Every port and path of one stack; two stacks never share any of them."""

    edge: int
    envoy_admin: int
    emulator: int
    xray: int
    console: int
    gateway: int
    zone_a: int
    zone_b: int
    state: Path
    stage: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> "Addresses":
        """Raises ValueError naming the variable that is no port."""
        offset = _integer(environ, "HAS_PORT_OFFSET", 0)

        def port(variable: str, default: int) -> int:
            value = _integer(environ, variable, default + offset)
            if not 1024 <= value <= 65_000:
                raise ValueError(f"{variable}: {value} is no port between 1024 and 65000")
            return value

        return cls(
            edge=port("HAS_EDGE_PORT", 8080),
            envoy_admin=port("HAS_ENVOY_ADMIN_PORT", 9901),
            emulator=port("HAS_EMULATOR_PORT", 4566),
            xray=port("HAS_XRAY_PORT", 4567),
            console=port("HAS_CONSOLE_PORT", 8501),
            gateway=port("HAS_GATEWAY_PORT", 8301),
            zone_a=port("HAS_ZONE_A_PORT", 8101),
            zone_b=port("HAS_ZONE_B_PORT", 8201),
            state=(ROOT / environ.get("HAS_STATE_DIR", "var")).resolve(),
            stage="local",
        )

    @property
    def replicas(self) -> tuple[Replica, ...]:
        zones = (("a", self.zone_a), ("b", self.zone_b))
        return tuple(
            Replica(service, zone, first + index)
            for zone, first in zones
            for index, service in enumerate(SERVICES)
        )

    def all_ports(self) -> Iterator[tuple[str, int]]:
        """(program that listens, port), each once."""
        yield "emulator", self.emulator
        yield "xray", self.xray
        yield "edge", self.edge
        yield "edge", self.envoy_admin
        yield "console", self.console
        yield "payment-gateway", self.gateway
        for replica in self.replicas:
            yield replica.name, replica.port

    def url(self, port: int) -> str:
        return f"http://{HOST}:{port}"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def journal(self) -> Path:
        return self.state / "journal" / "orders.jsonl"

    @property
    def supervisor_socket(self) -> Path:
        wanted = self.state / "run" / "supervisor.sock"
        if len(str(wanted)) <= _SOCKET_PATH_MAX:
            return wanted
        return Path(f"/tmp/has-{sha256(str(wanted).encode()).hexdigest()[:12]}.sock")


# What a person may tune; a process gets these as `make up` did, and nothing else of the shell.
TUNABLE = (
    "HAS_CIRCUIT_FAILURES", "HAS_CIRCUIT_RECOVERY_S", "HAS_GATEWAY_PAUSE_S",
    "HAS_GATEWAY_TIMEOUT_S", "HAS_KNOBS_AGE_S", "HAS_LOAD_GROUP", "HAS_LOAD_ROOT",
    "HAS_LOG_LEVEL", "HAS_LOG_RETENTION_DAYS", "HAS_LOST_ANSWER_S", "HAS_LOW_STOCK",
    "HAS_PAYMENTS_AT_ONCE", "HAS_PAYMENT_WINDOW_S", "HAS_SHIP_LOGS", "HAS_SIGNALS",
    "HAS_SLO_FILE", "HAS_SNAPSHOT_S", "HAS_TRACE_RATIO", "HAS_TRACE_SLOW_MS",
)  # fmt: skip


def environment(at: Addresses) -> dict[str, str]:
    """What every process, and every function on the emulator, finds in its environment."""
    return {
        "HAS_STAGE": at.stage,
        "HAS_CURRENCY": os.environ.get("HAS_CURRENCY", "GBP"),
        "HAS_VERSION": version(),
        "HAS_EDGE_URL": at.url(at.edge),
        "HAS_CONSOLE_URL": at.url(at.console),
        "HAS_GATEWAY_URL": at.url(at.gateway),
        "HAS_ENVOY_ADMIN_URL": at.url(at.envoy_admin),
        "HAS_SUPERVISOR_SOCKET": str(at.supervisor_socket),
        "HAS_STATE_DIR": str(at.state),
        "HAS_JOURNAL": str(at.journal),
        "HAS_REPORTS_PUBLIC": "1",
        "HAS_MAILBOX": "1",
        "HAS_STEP_DELAY_S": os.environ.get("HAS_STEP_DELAY_S", "3"),
        "AWS_ENDPOINT_URL": at.url(at.emulator),
        "AWS_ENDPOINT_URL_XRAY": at.url(at.xray),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        **{name: os.environ[name] for name in TUNABLE if name in os.environ},
    }


def process_environment(at: Addresses) -> dict[str, str]:
    """`environment` plus what a process of this checkout needs to find its code and tools."""
    return environment(at) | {
        **_ports(at),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PATH": f"{Path(sys.prefix) / 'bin'}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "HOME": os.environ.get("HOME", str(at.state)),
        "LANG": "C.UTF-8",
    }


def _ports(at: Addresses) -> dict[str, str]:
    """So that a program that asks for `Addresses`, or for a replica, finds this stack's."""
    return {
        "HAS_EDGE_PORT": str(at.edge),
        "HAS_ENVOY_ADMIN_PORT": str(at.envoy_admin),
        "HAS_EMULATOR_PORT": str(at.emulator),
        "HAS_XRAY_PORT": str(at.xray),
        "HAS_CONSOLE_PORT": str(at.console),
        "HAS_GATEWAY_PORT": str(at.gateway),
        "HAS_ZONE_A_PORT": str(at.zone_a),
        "HAS_ZONE_B_PORT": str(at.zone_b),
    }


@cache
def version() -> str:
    """The project's version and the commit it runs: `0.1.0+1a2b3c4`."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        number: str = tomllib.load(file)["project"]["version"]
    try:
        command = ["git", "-C", str(ROOT), "rev-parse", "--short=7", "HEAD"]
        commit = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return number
    return f"{number}+{commit.stdout.strip()}"


def _integer(environ: Mapping[str, str], variable: str, default: int) -> int:
    text = environ.get(variable) or str(default)
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{variable}: {text!r} is no whole number") from None
