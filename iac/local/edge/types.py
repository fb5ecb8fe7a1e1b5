"""Envoy's configuration is JSON; each typed part names its message."""

from typing import Any

Json = dict[str, Any]


def typed(name: str, message: str, **config: Any) -> Json:
    """A named extension whose configuration is `message` of package `envoy.`."""
    return {"name": name, "typed_config": message_of(message, **config)}


def set_header(key: str, value: str) -> Json:
    """For a list of headers to add: in place of whatever was there under that name."""
    option = {"header": {"key": key, "value": value}}
    return option | {"append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def message_of(message: str, **config: Any) -> Json:
    return {"@type": f"type.googleapis.com/envoy.{message}", **config}
