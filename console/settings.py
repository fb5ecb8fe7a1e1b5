"""Settings of the console, from the environment (`HAS_…`)."""

from functools import cache, cached_property
from pathlib import Path

from pipeline.runtime.settings import RuntimeSettings

ROOT = Path(__file__).resolve().parents[1]


class ConsoleSettings(RuntimeSettings):
    """`zone_a_port` and `zone_b_port` are the first of four consecutive replica ports."""

    edge_url: str = "http://127.0.0.1:8080"
    envoy_admin_url: str = "http://127.0.0.1:9901"
    supervisor_socket: Path = Path("var/run/supervisor.sock")
    state_dir: Path = Path("var")
    port_offset: int = 0
    zone_a_port: int | None = None
    zone_b_port: int | None = None
    slo_file: Path = ROOT / "iac" / "topology" / "slo.json"

    @cached_property
    def first_ports(self) -> dict[str, int]:
        """The first replica port by zone."""
        return {
            "a": self.zone_a_port or 8101 + self.port_offset,
            "b": self.zone_b_port or 8201 + self.port_offset,
        }


@cache
def settings() -> ConsoleSettings:
    """Raises pydantic's ValidationError naming the variable that is missing or wrong."""
    return ConsoleSettings()
