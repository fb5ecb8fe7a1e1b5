"""The declaration under `iac/topology/`, read once, and what applying one part of it did."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from iac.local.ports import ROOT
from pipeline.contracts.names import Names

Change = Literal["created", "changed", "unchanged", "skipped"]
Declared = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one resource; `detail` says why when it was changed or skipped."""

    kind: str
    name: str
    change: Change
    detail: str = ""


@dataclass(frozen=True)
class Topology:
    """Short name → attributes, as the JSON files say; `names` gives the full names of a stage."""

    names: Names

    def _read(self, part: str) -> Declared:
        document: Declared = json.loads((ROOT / "iac" / "topology" / f"{part}.json").read_text())
        return document

    @cached_property
    def tables(self) -> Declared:
        return self._read("tables")

    @cached_property
    def streams(self) -> Declared:
        return self._read("streams")

    @cached_property
    def queues(self) -> Declared:
        return self._read("queues")

    @cached_property
    def topics(self) -> Declared:
        return self._read("topics")

    @cached_property
    def buckets(self) -> Declared:
        return self._read("buckets")

    @cached_property
    def secrets(self) -> Declared:
        return self._read("secrets")

    @cached_property
    def functions(self) -> Declared:
        return self._read("functions")

    @cached_property
    def mappings(self) -> Declared:
        return self._read("mappings")

    @cached_property
    def alarms(self) -> Declared:
        return self._read("alarms")

    @cached_property
    def slo(self) -> dict[str, Any]:
        return self._read("slo")

    @cached_property
    def schedules(self) -> Declared:
        return self._read("schedules")
