"""DynamoDB tables with their indexes, streams and expiry."""

from typing import Any

from iac.local.aws import Clients
from iac.local.topology import Outcome


def apply_table(clients: Clients, name: str, declared: dict[str, Any]) -> Outcome:
    """Create the table, or bring its indexes, stream and expiry to what is declared."""
    dynamodb = clients("dynamodb")
    try:
        actual = dynamodb.describe_table(TableName=name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        dynamodb.create_table(**_definition(name, declared))
        dynamodb.get_waiter("table_exists").wait(
            TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        _apply_expiry(clients, name, declared["ttl"])
        return Outcome("table", name, "created")
    changes = _apply_indexes(clients, name, declared, actual)
    changes += _apply_stream(clients, name, declared["stream"], actual)
    changes += _apply_expiry(clients, name, declared["ttl"])
    return Outcome("table", name, "changed" if changes else "unchanged", ", ".join(changes))


def _definition(name: str, declared: dict[str, Any]) -> dict[str, Any]:
    definition: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": _attributes(declared),
        "KeySchema": _key_schema(declared),
    }
    if declared["indexes"]:
        definition["GlobalSecondaryIndexes"] = [
            _index(short, index) for short, index in declared["indexes"].items()
        ]
    if declared["stream"]:
        definition["StreamSpecification"] = _stream(declared["stream"])
    return definition


def _attributes(declared: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"AttributeName": attribute, "AttributeType": kind}
        for attribute, kind in declared["attributes"].items()
    ]


def _key_schema(keys: dict[str, Any]) -> list[dict[str, str]]:
    schema = [{"AttributeName": keys["hash_key"], "KeyType": "HASH"}]
    if keys.get("range_key"):
        schema.append({"AttributeName": keys["range_key"], "KeyType": "RANGE"})
    return schema


def _index(short: str, index: dict[str, Any]) -> dict[str, Any]:
    return {
        "IndexName": short,
        "KeySchema": _key_schema(index),
        "Projection": {"ProjectionType": index["projection"]},
    }


def _stream(view: str) -> dict[str, Any]:
    return {"StreamEnabled": True, "StreamViewType": view}


def _apply_indexes(
    clients: Clients, name: str, declared: dict[str, Any], actual: dict[str, Any]
) -> list[str]:
    present = {index["IndexName"] for index in actual.get("GlobalSecondaryIndexes", [])}
    missing = [short for short in declared["indexes"] if short not in present]
    for short in missing:
        clients("dynamodb").update_table(
            TableName=name,
            AttributeDefinitions=_attributes(declared),
            GlobalSecondaryIndexUpdates=[{"Create": _index(short, declared["indexes"][short])}],
        )
    return [f"index {short}" for short in missing]


def _apply_stream(
    clients: Clients, name: str, view: str | None, actual: dict[str, Any]
) -> list[str]:
    if view is None or actual.get("StreamSpecification", {}).get("StreamEnabled"):
        return []
    clients("dynamodb").update_table(TableName=name, StreamSpecification=_stream(view))
    return ["stream"]


def _apply_expiry(clients: Clients, name: str, attribute: str | None) -> list[str]:
    if attribute is None:
        return []
    dynamodb = clients("dynamodb")
    actual = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if actual.get("AttributeName") == attribute:
        return []
    dynamodb.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute},
    )
    return ["expiry"]
