"""Envoy's configuration."""

import json

from iac.local.ports import Addresses


def write_config(at: Addresses) -> None:
    path = at.state / "run" / "envoy.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({}))
