"""How far the aggregates are, told by sequence numbers and by no clock."""

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.runtime import aws


def sequences(names: Names) -> dict[str, str]:
    """Shard -> the last sequence number folded (comparable); without shards never folded from."""
    item = aws.table(names.table("analytics")).get_item(
        Key=keys.progress("folding"), ConsistentRead=True
    ).get("Item", {})  # fmt: skip
    return {
        name.partition("|")[2]: str(value)
        for name, value in item.items()
        if name.startswith("sequence|")
    }
