"""Settings of a replay, from the environment (`HAS_…`)."""

from pathlib import Path

from pipeline.runtime.settings import RuntimeSettings


class ReplaySettings(RuntimeSettings):
    """`edge_url` is where the API check goes; without it that check is left out, and says so."""

    service: str = "replay"
    edge_url: str | None = None
    state_dir: Path = Path("var")
