"""Reads which portions of events are booked, and in which generations."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pipeline.contracts.names import Names
from pipeline.folding.domain import Item
from pipeline.folding.recount import FIRST, Markers
from pipeline.runtime.dynamo import read_all

_PER_CALL = 100
_READERS = 8


def read_markers(names: Names, wanted: Sequence[Item]) -> Markers:
    """Markers that exist, of those wanted, as they are at this moment (consistent reads).

    Raises: Unavailable when the table stays throttled; ClientError.
    """
    table = names.table("analytics")

    def read(start: int) -> Markers:
        asked = [{"pk": pk, "sk": sk} for pk, sk in wanted[start : start + _PER_CALL]]
        found = read_all({table: asked})
        return {(row["pk"], row["sk"]): frozenset(row.get("generations", FIRST)) for row in found}

    booked: Markers = {}
    with ThreadPoolExecutor(_READERS) as pool:
        for part in pool.map(read, range(0, len(wanted), _PER_CALL)):
            booked |= part
    return booked
