"""DynamoDB's JSON written and read without botocore's walk over its shapes.

An item's JSON already is what the parser makes of it, attribute by attribute along a model of ten
kinds each: 0.1 ms for a row of sixteen attributes, fifteen times what reading the JSON takes. A
request is walked twice, once for the account it may name and once for its kinds: 4.5 ms of the
5.8 ms that a transaction of a hundred updates takes. Only binary values differ: those written are
text in base 64 either way, and an answer that may hold one is left to botocore.
"""

import json
from typing import Any

import msgspec

# Those whose requests and answers hold items and no times.
OPERATIONS = frozenset({
    "BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan",
    "TransactGetItems", "TransactWriteItems", "UpdateItem",
})  # fmt: skip
_BINARY = (b'"B"', b'"BS"')
_BODY = "has_body"
# Where the answer to a query stands that was left as it came.
AS_IT_CAME = "Body"


def use_for(client: Any) -> None:
    """For this client of DynamoDB, from now on.

    It must be made with `parameter_validation=False`: botocore would find what is left incomplete.
    """
    events = client.meta.events
    for operation in OPERATIONS:
        events.register(f"before-parse.dynamodb.{operation}", read)
    # Last of all: after the request token, and after those who look at the parameters.
    events.register_last("before-parameter-build", set_aside, unique_id="has-set-aside")
    events.register("before-call.dynamodb", put_back, unique_id="has-put-back")


def leave_queries(client: Any) -> None:
    """From now on what this client is told by a query stands in the answer as bytes of JSON.

    For those who ask for the same again and again, and know an answer when they see it.
    """
    client.meta.events.register_first("before-parse.dynamodb.Query", leave)


def set_aside(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    """A handler of `before-parameter-build`: the body is written, and nothing left to walk over."""
    if model.name not in OPERATIONS:
        return
    try:
        context[_BODY] = msgspec.json.encode(params)
    except (TypeError, UnicodeError):  # what botocore knows, or refuses in its own words
        return
    named: dict[str, Any] = {
        name: params[name] for name in ("TableName", "RequestItems") if name in params
    }
    if tables := named.get("RequestItems"):
        named["RequestItems"] = {table: type(rows)() for table, rows in tables.items()}
    params.clear()  # but for the tables' names, by which an endpoint is chosen
    params.update(named)


def put_back(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """A handler of `before-call`: the body written before goes into the request."""
    if _BODY in context:
        params["body"] = context.pop(_BODY)


def leave(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """A handler of `before-parse`: a good answer is not read."""
    if response_dict["status_code"] < 300:
        customized_response_dict[AS_IT_CAME] = response_dict["body"]
        response_dict["body"] = b"{}"


def read(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """A handler of `before-parse`: what it fills in stands in the answer."""
    body = response_dict["body"]
    if response_dict["status_code"] >= 300 or any(mark in body for mark in _BINARY):
        return
    customized_response_dict.update(json.loads(body or b"{}"))
    response_dict["body"] = b"{}"
