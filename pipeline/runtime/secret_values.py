"""Values of Secrets Manager that are JSON objects, of which keys are made on first use."""

import json
from typing import Any


def find_object(client: Any, name: str) -> dict[str, Any] | None:
    """None while the secret is there without a value. Raises boto3's errors."""
    try:
        text = client.get_secret_value(SecretId=name).get("SecretString")
    except client.exceptions.ResourceNotFoundException:
        return None
    value: dict[str, Any] | None = json.loads(text) if text else None
    return value
