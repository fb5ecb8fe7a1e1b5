"""Settings of load runs, from the environment (`HAS_…`); the console's own process has them too."""

from pathlib import Path, PurePosixPath
from typing import Any

import boto3
from botocore.config import Config

from pipeline.runtime.settings import RuntimeSettings

# A renewal that hangs must fail before the lease ends.
_QUICK = Config(
    connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 1}
)


class LoadSettings(RuntimeSettings):
    """`load_group` is the Auto Scaling group's tag `component` on AWS; unset: this machine.

    `load_root` is where that group's image has the code (docs/runbooks/load-instance.md).
    """

    edge_url: str
    state_dir: Path = Path("var")
    envoy_admin_url: str | None = None
    supervisor_socket: Path | None = None
    load_group: str | None = None
    load_root: PurePosixPath = PurePosixPath("/opt/has")

    @property
    def access_log(self) -> Path | None:
        path = self.state_dir / "log" / "edge.jsonl"
        return path if self.envoy_admin_url and path.exists() else None

    def reports(self, run_id: str) -> Path:
        return self.state_dir / "load" / run_id

    def ops_table(self) -> Any:
        return boto3.resource("dynamodb", config=_QUICK).Table(self.names.table("ops"))
