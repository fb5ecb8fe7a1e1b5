"""What an edit changed, in words for the audit trail."""

from collections.abc import Iterator, Mapping

_LONGEST = 80  # characters of one value
_MOST = 1_000  # of all: an entry is to be read, not to be restored from


def told(before: Mapping[str, object] | None, after: Mapping[str, object]) -> str:
    """`title "A" -> "B"; brand none -> "C"`, or all there is of something new (`before` is None).

    Args: facts by their names, in the order of telling; one that is missing is none.
    Returns: `nothing` where all is the same.
    """
    text = "; ".join(_new(after) if before is None else _changed(before, after))
    return f"{text[:_MOST]} …" if len(text) > _MOST else text or "nothing"


def _new(facts: Mapping[str, object]) -> Iterator[str]:
    yield from (f"{name} {_shown(fact)}" for name, fact in facts.items() if fact is not None)


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old != new:
            yield f"{name} {_shown(old)} -> {_shown(new)}"


def _shown(fact: object) -> str:
    if fact is None:
        return "none"
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    text = str(fact)
    text = f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text
    return f'"{text}"' if isinstance(fact, str) else text
