"""What the shop has learnt of its shoppers together: written by the pipeline, read by every replica
of the catalogue."""

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel

from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.runtime.packed import Packed

_KEY = "catalogue/insights-v1.json.gz"


@dataclass(frozen=True, slots=True)
class Insights:
    """`bought_with`: product id to the ids of what is bought with it, best first; `queries`: what
    is searched for, the most popular first, in lower case."""

    bought_with: dict[str, tuple[str, ...]] = field(default_factory=dict)
    queries: tuple[str, ...] = ()


class _Document(BaseModel):
    learnt_at: str
    bought_with: dict[str, tuple[str, ...]]
    queries: tuple[str, ...]


class InsightFile:
    def __init__(self, names: Names) -> None:
        self._file = Packed(names.lake_bucket, _KEY)

    def write(self, insights: Insights, learnt_at: datetime) -> None:
        document = _Document(
            learnt_at=to_iso_z(learnt_at),
            bought_with=insights.bought_with,
            queries=insights.queries,
        )
        self._file.write(document.model_dump_json().encode())

    def read_news(self) -> Insights | None:
        """None when there is nothing new. Raises botocore's errors; ValueError for a broken one."""
        content = self._file.read()
        if content is None:
            return None
        document = _Document.model_validate_json(content)
        return Insights(document.bought_with, document.queries)
