"""Answers of DynamoDB are read as botocore reads them."""

import base64
import json
from typing import Any

import boto3
import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from pipeline.runtime import quick_parse

MODEL = boto3.client("dynamodb", region_name="eu-west-1").meta.service_model
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


def read(operation: str, body: bytes, status: int = 200) -> tuple[Any, bytes]:
    """What the client would return, and the body that was left to botocore's parser."""
    answer: dict[str, Any] = {"status_code": status, "headers": {}, "body": body}
    known: dict[str, Any] = {}
    quick_parse.read(response_dict=answer, customized_response_dict=known)
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


@pytest.mark.parametrize("operation", quick_parse.OPERATIONS)
def test_an_empty_answer_and_a_refusal_are_botocores(operation: str) -> None:
    assert read(operation, b"")[0] == botocore_reads(operation, b"")
    refusal = b'{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}'
    parsed, body = read(operation, refusal, 400)
    assert (parsed["Error"]["Code"], body) == ("ConditionalCheckFailedException", refusal)


@pytest.mark.parametrize("operation", quick_parse.OPERATIONS)
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
