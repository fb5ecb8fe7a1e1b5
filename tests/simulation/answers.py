"""Answers of AWS that are not yes: refused, throttled, half done; in each service's protocol."""

import json
import random
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from botocore.awsrequest import AWSResponse

from tests.simulation.local_aws import Body, body_of
from tests.simulation.seam import Call

_XML = ("s3", "sns", "sts")
_THROTTLED = {
    "dynamodb": ("ProvisionedThroughputExceededException", 400),
    "kinesis": ("ProvisionedThroughputExceededException", 400),
    "s3": ("SlowDown", 503),
    "sns": ("Throttling", 400),
    "sts": ("Throttling", 400),
    "sqs": ("RequestThrottled", 400),
    "glue": ("ThrottlingException", 400),
}


def throttled(call: Call, dice: random.Random) -> AWSResponse:
    if call.operation == "TransactWriteItems" and dice.random() < 0.5:
        return _cancelled(call, dice, "ThrottlingError")
    code, status = _THROTTLED[call.service]
    return refused(call, code, status)


def refused(call: Call, code: str, status: int) -> AWSResponse:
    """An error by its code; nothing was done."""
    if call.service not in _XML:
        return _answer(call, status, {"__type": code, "message": "simulated"})
    error = f"<Error><Code>{code}</Code><Message>simulated</Message></Error>"
    text = error if call.service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
    return _answer(call, status, text)


def half_done(call: Call, dice: random.Random) -> AWSResponse | None:
    """A success that names what of the batch was not done; None for calls that have no such."""
    maker = _HALVES.get(call.operation)
    return maker(call, dice) if maker else None


def _cancelled(call: Call, dice: random.Random, code: str) -> AWSResponse:
    """A transaction of which one item stood in the way."""
    count = len(json.loads(body_of(call.request))["TransactItems"])
    reasons = [{"Code": "None"} for _ in range(count)]
    reasons[dice.randrange(count)] = {"Code": code, "Message": "simulated"}
    kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
    return _answer(
        call, 400, {"__type": kind, "Message": "simulated", "CancellationReasons": reasons}
    )


def _conflict(call: Call, dice: random.Random) -> AWSResponse:
    return _cancelled(call, dice, "TransactionConflict")


def _some_records(call: Call, dice: random.Random) -> AWSResponse:
    asked = json.loads(body_of(call.request))
    is_taken = [dice.random() < 0.5 for _ in asked["Records"]]
    taken = [one for one, is_in in zip(asked["Records"], is_taken, strict=True) if is_in]
    done = iter(_sent(call, {**asked, "Records": taken})["Records"] if taken else [])
    refusal = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "simulated"}
    records = [next(done) if is_in else refusal for is_in in is_taken]
    return _answer(call, 200, {"FailedRecordCount": is_taken.count(False), "Records": records})


def _some_partitions(call: Call, dice: random.Random) -> AWSResponse:
    asked = json.loads(body_of(call.request))
    taken: list[dict[str, Any]] = []
    left: list[dict[str, Any]] = []
    for one in asked["PartitionInputList"]:
        (taken if dice.random() < 0.5 else left).append(one)
    done = _sent(call, {**asked, "PartitionInputList": taken}) if taken else {}
    detail = {"ErrorCode": "InternalServiceException", "ErrorMessage": "simulated"}
    errors = [{"PartitionValues": one["Values"], "ErrorDetail": detail} for one in left]
    return _answer(call, 200, {"Errors": [*done.get("Errors", []), *errors]})


def _some_messages(call: Call, dice: random.Random) -> AWSResponse:
    fields = parse_qsl(body_of(call.request).decode(), keep_blank_values=True)
    ids = {m[1]: value for name, value in fields if (m := _ENTRY_ID.match(name))}
    taken = [number for number in ids if dice.random() < 0.5]
    done = ""
    if taken:
        kept = [
            (name, value) for name, value in fields
            if (m := _ENTRY.match(name)) is None or m[1] in taken
        ]  # fmt: skip
        _replace_body(call, urlencode(kept))
        found = _SUCCESSFUL.search(call.send(call.request).content.decode())
        done = found[0] if found else ""
    failed = "".join(
        f"<member><Id>{ids[number]}</Id><Code>InternalError</Code>"
        "<Message>simulated</Message><SenderFault>false</SenderFault></member>"
        for number in ids if number not in taken
    )  # fmt: skip
    return _answer(
        call, 200, f"<PublishBatchResponse><PublishBatchResult>{done}<Failed>{failed}</Failed>"
        "</PublishBatchResult></PublishBatchResponse>",
    )  # fmt: skip


_ENTRY = re.compile(r"PublishBatchRequestEntries\.member\.(\d+)\.")
_ENTRY_ID = re.compile(r"PublishBatchRequestEntries\.member\.(\d+)\.Id$")
_SUCCESSFUL = re.compile(r"<Successful>.*</Successful>", re.DOTALL)
_HALVES: dict[str, Callable[[Call, random.Random], AWSResponse]] = {
    "TransactWriteItems": _conflict,
    "PutRecords": _some_records,
    "BatchCreatePartition": _some_partitions,
    "PublishBatch": _some_messages,
}


def _sent(call: Call, document: dict[str, Any]) -> dict[str, Any]:
    _replace_body(call, json.dumps(document))
    answer: dict[str, Any] = json.loads(call.send(call.request).content)
    return answer


def _replace_body(call: Call, text: str) -> None:
    call.request.body = text.encode()
    call.request.headers["Content-Length"] = str(len(call.request.body))


def _answer(call: Call, status: int, content: dict[str, Any] | str) -> AWSResponse:
    text = content if isinstance(content, str) else json.dumps(content)
    return AWSResponse(call.request.url, status, {}, Body(text.encode()))
