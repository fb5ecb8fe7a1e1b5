"""boto3 clients of one stack, by explicit address: never the developer's own AWS account."""

from threading import Lock
from typing import Any

import boto3
from botocore.config import Config

from iac.local.ports import Addresses, environment

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=32,
)


class Clients:
    """`Clients(at)("dynamodb")`: made once each, shared by threads."""

    def __init__(self, at: Addresses) -> None:
        self._env = environment(at)
        self._made: dict[str, Any] = {}
        self._lock = Lock()
        self._session = boto3.Session(
            aws_access_key_id=self._env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._env["AWS_SECRET_ACCESS_KEY"],
            region_name=self._env["AWS_REGION"],
        )

    def __call__(self, service: str) -> Any:
        endpoint = self._env["AWS_ENDPOINT_URL_XRAY" if service == "xray" else "AWS_ENDPOINT_URL"]
        with self._lock:  # making a client is not thread-safe; using one is
            if service not in self._made:
                self._made[service] = self._session.client(
                    service, endpoint_url=endpoint, config=_CONFIG
                )
            return self._made[service]

    def close(self) -> None:
        """Let go of every connection."""
        for made in self._made.values():
            made.close()
        self._made.clear()
