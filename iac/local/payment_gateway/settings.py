"""What the gateway is told: where its shop is, and how to play its part."""

from pydantic import Field

from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.settings import RuntimeSettings


class GatewaySettings(RuntimeSettings):
    webhook_url: str = Field(description="Where the shop takes webhooks")
    knobs_age_s: float = Field(default=1, ge=0, description="How old a reading of the knobs may be")
    lost_answer_s: float = Field(
        default=5, ge=0, description="How long a caller hangs whose answer is lost"
    )


def secret(names: Names, short: str) -> str:
    name = names.secret(short)
    return str(aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
