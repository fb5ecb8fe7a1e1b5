"""What shoppers look for, as terms that can be counted: one rule for whoever counts them."""

from collections.abc import Mapping
from typing import Any

from pipeline.contracts.events import Click

SEARCHED = "shopper.searched.v1"
# Longer texts were pasted, not typed; a term is a part of a key.
MAX_TERM = 100


def term_of(query: str) -> str:
    """Its words in lower case with one space between, cut; empty for one without words."""
    return " ".join(query.lower().split())[:MAX_TERM].rstrip()


def term_without_results(event_type: str, payload: Mapping[str, Any]) -> str | None:
    """The term of a search that found nothing; None of everything else.

    Args: a payload that fits its type's schema, in whatever way it was written.
    """
    if event_type != SEARCHED:
        return None
    search = Click.model_validate(payload)
    if search.results_count != 0 or search.query is None:
        return None
    return term_of(search.query) or None
