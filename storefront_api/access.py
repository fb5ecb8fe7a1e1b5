"""Who may call an operation, as its dependencies decide it, said in OpenAPI as `x-access`.

The words are `anonymous` and the roles. Nothing is declared twice: what a route depends on is what
refuses, and `x-access` is read from that.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from pipeline.contracts.roles import ROLES
from storefront_api.security import allowed_by

ANONYMOUS = "anonymous"


def access_of(dependant: Dependant) -> list[str]:
    """The callers that no dependency of a route refuses for who they are."""
    limits = [roles for call in _calls(dependant) if (roles := allowed_by(call)) is not None]
    if not limits:
        return [ANONYMOUS, *ROLES]
    return [role for role in ROLES if all(role in roles for roles in limits)]


def describe(app: FastAPI, document: dict[str, Any]) -> None:
    """Writes `x-access` into each operation; a token is optional where anybody may call."""
    for route in iter_route_contexts(app.routes):
        operations = document["paths"].get(route.path_format, {})
        for method in (route.methods or set()) if operations else set():
            operation = operations[method.lower()]
            operation["x-access"] = who = access_of(route.dependant)
            if ANONYMOUS in who and "security" in operation:
                operation["security"] = [{}, *operation["security"]]


def _calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for below in dependant.dependencies:
        yield from _calls(below)
