"""Requests to DynamoDB are written, and its answers read, as botocore does."""

import base64
import json
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from pipeline.runtime import dynamo_json

ACCOUNT = {
    "region_name": "eu-west-1", "aws_access_key_id": "a", "aws_secret_access_key": "b",
    "config": Config(parameter_validation=False),
}  # fmt: skip


class Sent:
    """Keeps what a client of DynamoDB would send; it is answered with nothing."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.bodies: list[bytes] = []
        client.meta.events.register("before-send.dynamodb", self._keep)

    def body_of(self, operation: str, params: dict[str, Any]) -> bytes:
        getattr(self.client, operation)(**params)
        return self.bodies.pop()

    def _keep(self, request: Any, **_: Any) -> AWSResponse:
        self.bodies.append(bytes(request.body))
        answer = AWSResponse(request.url, 200, {}, None)
        answer._content = b"{}"
        return answer


BOTOCORES, OURS = (Sent(boto3.client("dynamodb", **ACCOUNT)) for _ in range(2))
dynamo_json.use_for(OURS.client)
MODEL = BOTOCORES.client.meta.service_model
KINDS = st.recursive(
    st.one_of(
        st.fixed_dictionaries({"S": st.text()}),
        st.fixed_dictionaries({"N": st.integers().map(str)}),
        st.fixed_dictionaries({"B": st.binary().map(lambda raw: base64.b64encode(raw).decode())}),
        st.fixed_dictionaries({"BOOL": st.booleans()}),
        st.just({"NULL": True}),
        st.fixed_dictionaries({"SS": st.lists(st.text(), min_size=1)}),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=4)}),
        st.fixed_dictionaries({"M": st.dictionaries(st.text(), inner, max_size=4)}),
    ),
    max_leaves=12,
)
ITEMS = st.lists(st.dictionaries(st.text(), KINDS, max_size=6), max_size=4)
WRITTEN = st.recursive(
    st.one_of(
        st.fixed_dictionaries({"S": st.text() | st.just("\ud800")}),
        st.fixed_dictionaries({"N": st.integers().map(str)}),
        st.fixed_dictionaries({"B": st.binary()}),
        st.fixed_dictionaries({"BOOL": st.booleans()}),
        st.fixed_dictionaries({"SS": st.lists(st.text(), min_size=1)}),
        st.fixed_dictionaries({"BS": st.lists(st.binary(), min_size=1)}),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"M": st.dictionaries(st.text(), inner, max_size=3)}),
    ),
    max_leaves=8,
)
ROWS = st.dictionaries(st.text(), WRITTEN, max_size=4)


@given(ROWS, ROWS)
def test_a_request_says_what_botocore_would_have_written(
    item: dict[str, Any], values: dict[str, Any]
) -> None:
    update = {
        "TableName": "orders",
        "Key": item,
        "UpdateExpression": "SET #a = :b",
        "ExpressionAttributeNames": {"#a": "é"},
        "ExpressionAttributeValues": values,
    }
    put = {"TableName": "orders", "Item": item}
    requests: list[tuple[str, dict[str, Any]]] = [
        ("put_item", put),
        ("update_item", update),
        ("get_item", {"TableName": "orders", "Key": item, "ConsistentRead": True}),
        ("batch_write_item", {"RequestItems": {"orders": [{"PutRequest": {"Item": item}}]}}),
        (
            "transact_write_items",
            {"TransactItems": [{"Put": put}, {"Update": update}], "ClientRequestToken": "one"},
        ),
    ]
    for operation, params in requests:
        kept = json.dumps(params, default=repr)
        ours, botocores = (sent.body_of(operation, params) for sent in (OURS, BOTOCORES))
        assert json.loads(ours) == json.loads(botocores)
        assert json.dumps(params, default=repr) == kept, "the caller's own parameters are his"


def test_a_transaction_without_a_token_is_given_one() -> None:
    put = {"Put": {"TableName": "orders", "Item": {"pk": {"S": "a"}}}}
    sent = json.loads(OURS.body_of("transact_write_items", {"TransactItems": [put]}))
    assert len(sent.pop("ClientRequestToken")) == 36
    assert sent == {"TransactItems": [put]}


def test_what_cannot_be_written_is_refused_in_botocores_words() -> None:
    bad = {"TableName": "orders", "Item": {"pk": {"N": object()}}}
    with pytest.raises(TypeError) as botocores:
        BOTOCORES.body_of("put_item", bad)
    with pytest.raises(TypeError, match=str(botocores.value)):
        OURS.body_of("put_item", bad)


def test_a_table_of_plain_values_is_written_after_they_are_made_items() -> None:
    resource = boto3.resource("dynamodb", **ACCOUNT)
    sent = Sent(resource.meta.client)
    for is_ours in (False, True):
        if is_ours:
            dynamo_json.use_for(resource.meta.client)
        row = {"pk": "a", "n": Decimal("1.5"), "tags": {"x"}, "rows": [{"b": True}], "raw": b"c"}
        resource.Table("orders").put_item(Item=row)
        row.pop("raw")
        resource.Table("orders").put_item(Item=row)
        resource.Table("orders").query(
            KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": "a"}
        )
    bodies = [json.loads(body) for body in sent.bodies]
    assert bodies[:3] == bodies[3:]


def read(operation: str, body: bytes, status: int = 200) -> tuple[Any, bytes]:
    """What the client would return, and the body that was left to botocore's parser."""
    answer: dict[str, Any] = {"status_code": status, "headers": {}, "body": body}
    known: dict[str, Any] = {}
    dynamo_json.read(response_dict=answer, customized_response_dict=known)
    shape = MODEL.operation_model(operation).output_shape
    parsed = create_parser("json").parse(answer, shape)
    parsed.update(known)
    return parsed, answer["body"]


def botocore_reads(operation: str, body: bytes) -> Any:
    answer = {"status_code": 200, "headers": {}, "body": body}
    return create_parser("json").parse(answer, MODEL.operation_model(operation).output_shape)


@given(ITEMS)
def test_items_of_every_kind_are_what_botocore_makes_of_them(items: list[Any]) -> None:
    last = {"LastEvaluatedKey": {"pk": {"S": "a"}}, "Count": len(items)}
    body = json.dumps({"Items": items, **last}).encode()
    assert read("Query", body)[0] == botocore_reads("Query", body)
    body = json.dumps({"Responses": {"orders": items}, "UnprocessedKeys": {}}).encode()
    assert read("BatchGetItem", body)[0] == botocore_reads("BatchGetItem", body)


def test_what_holds_no_binary_value_is_left_nothing_of_to_parse() -> None:
    assert read("Query", b'{"Items": [{"B": {"S": "x"}}]}')[1] != b"{}"
    assert read("Query", b'{"Items": [{"b": {"S": "x"}}]}')[1] == b"{}"


@pytest.mark.parametrize("operation", sorted(dynamo_json.OPERATIONS))
def test_an_empty_answer_and_a_refusal_are_botocores(operation: str) -> None:
    assert read(operation, b"")[0] == botocore_reads(operation, b"")
    refusal = b'{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}'
    parsed, body = read(operation, refusal, 400)
    assert (parsed["Error"]["Code"], body) == ("ConditionalCheckFailedException", refusal)


@pytest.mark.parametrize("operation", sorted(dynamo_json.OPERATIONS))
def test_no_answer_of_these_operations_holds_a_time(operation: str) -> None:
    seen: set[str] = set()

    def kinds(shape: Any) -> set[str]:
        if shape.name in seen:
            return set()
        seen.add(shape.name)
        members = [*getattr(shape, "members", {}).values()]
        members += [
            getattr(shape, name) for name in ("member", "key", "value") if hasattr(shape, name)
        ]
        return {shape.type_name}.union(*map(kinds, members))

    assert "timestamp" not in kinds(MODEL.operation_model(operation).output_shape)


@pytest.mark.parametrize("body", [b'{"Items":[{"pk":{"S":"a"}}],"Count":1}', b"{}"])
def test_what_a_query_is_told_is_left_as_it_came(body: bytes) -> None:
    client = a_client_that_is_told(200, body)
    assert client.query(TableName="goods")[dynamo_json.AS_IT_CAME] == body


def test_a_query_that_is_refused_says_why() -> None:
    client = a_client_that_is_told(
        400, b'{"__type":"x#ResourceNotFoundException","message":"gone"}'
    )
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="gone"):
        client.query(TableName="goods")


def a_client_that_is_told(status: int, body: bytes) -> Any:
    """One that leaves the answers to queries, and gets this one to each call."""

    def answer(request: Any, **_: Any) -> AWSResponse:
        told = AWSResponse(request.url, status, {}, None)
        told._content = body
        return told

    client = boto3.client("dynamodb", **ACCOUNT)
    dynamo_json.use_for(client)
    dynamo_json.leave_queries(client)
    client.meta.events.register("before-send.dynamodb", answer)
    return client
