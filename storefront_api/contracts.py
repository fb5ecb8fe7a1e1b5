"""`make contracts`: write the OpenAPI documents, event schemas and data dictionary that others
build against.

`python -m storefront_api.contracts DIR [--check]`; with `--check` nothing is written, and the
exit code is 1 when a file differs from what the code says.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.contracts.events import PAYLOADS, Envelope
from pipeline.runtime import dictionary

SERVICES = ("catalog", "users", "checkout", "analytics")


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each contract as (path below the folder, document)."""
    for service in SERVICES:
        app = importlib.import_module(f"storefront_api.{service}.main").app
        # The version is the release's; a contract changes only when a shape does.
        document = app.openapi() | {"info": {"title": app.title, "version": "1"}}
        yield f"openapi/{service}.json", document
    yield "events/envelope.json", Envelope.model_json_schema()
    for event_type, schema in PAYLOADS.items():
        yield f"events/{event_type}.json", {"title": event_type, **schema.model_json_schema()}


def texts() -> Iterator[tuple[str, str]]:
    """Everything that is written, as (path below the folder, text)."""
    for name, document in documents():
        yield name, json.dumps(document, indent=1, sort_keys=True) + "\n"
    yield "data-dictionary.md", dictionary.markdown()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make contracts", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    differing = []
    for name, text in texts():
        path: Path = arguments.folder / name
        if path.exists() and path.read_text() == text:
            continue
        differing.append(name)
        if not arguments.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    verb = "differ from the code; run `make contracts`" if arguments.check else "written"
    sys.stdout.write(f"{len(differing)} {verb}: {', '.join(differing) or 'none'}\n")
    return 1 if arguments.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
