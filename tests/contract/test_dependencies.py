"""A request's dependencies run where it runs.

FastAPI gives each plain function a turn in a thread: for what only looks something up, that costs
more than the look, a dozen times a purchase.
"""

import importlib
from collections.abc import Iterator
from inspect import iscoroutinefunction
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from fastapi.security.base import SecurityBase

from iac.local.ports import SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_no_dependency_waits_for_a_thread_of_its_own(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAS_STAGE", "local")  # all that a service reads when it is imported
    app = importlib.import_module(f"storefront_api.{service}.main").app
    routes = [route for route in iter_route_contexts(app.routes) if hasattr(route, "dependant")]
    below = {call for route in routes for call in _calls(route.dependant)}
    assert below
    assert [call for call in below if not _is_at_once(call)] == []


def _calls(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)


def _is_at_once(call: Any) -> bool:
    return iscoroutinefunction(call.__call__ if isinstance(call, SecurityBase) else call)
