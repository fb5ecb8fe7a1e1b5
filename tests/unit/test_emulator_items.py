"""What the emulator does quickly with an item is what ministack does with it."""

import copy
import importlib.util
import json
from functools import reduce
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ministack.services import dynamodb

from iac.local.emulator import expressions, items, quick_json

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(), part, max_size=4),
)


@given(plain_values)
def test_a_copy_is_equal_and_shares_nothing_that_can_change(value: Any) -> None:
    made = items.copied(value)
    assert made == value == copy.deepcopy(value)
    assert not _changeable(made) & _changeable(value)


def _changeable(value: Any) -> set[int]:
    if isinstance(value, dict):
        return {id(value)}.union(*map(_changeable, value.values()))
    if isinstance(value, list):
        return {id(value)}.union(*map(_changeable, value))
    return set()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('aé\u20ac\0"'),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(), part, max_size=4),
)


@given(json_values)
def test_an_answer_says_what_it_would_have(value: Any) -> None:
    assert json.loads(quick_json.dumps(value)) == json.loads(json.dumps(value))


@given(json_values | st.sampled_from(["\ud800", 10**40, 1e400, float("-inf")]), st.booleans())
def test_a_request_is_read_as_it_would_have_been(value: Any, is_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii)
    for written in (text, text.encode(errors="surrogatepass")):
        assert _read(quick_json.loads, written) == _read(json.loads, written)
    assert _read(quick_json.loads, text[:-1] + "}") == _read(json.loads, text[:-1] + "}")


def _read(loads: Any, text: Any) -> Any:
    try:
        return loads(text)
    except ValueError as error:
        return str(error)


def _module(name: str) -> Any:
    """DynamoDB's module once more, with tables of its own."""
    spec = importlib.util.spec_from_file_location(name, str(Path(str(dynamodb.__file__))))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PLAIN, QUICK = _module("plain_dynamodb"), _module("quick_dynamodb")
items.complete(QUICK)
expressions.remember(QUICK)

whole_numbers = st.integers(-5, 5) | st.integers(-(10**20), 10**20)
numbers = whole_numbers.map(str) | st.sampled_from(
    [
        "-0",
        "007",
        "+4",
        "1.50",
        "2E3",
        "9" * 30,
        "9" * 18,
        "1" * 39,
        "1E200",
        "\u0663",
        " 1",
        "",
        "x",
    ]
)
values = st.one_of(
    st.integers(-5, 5).map(lambda number: {"N": str(number)}),
    numbers.map(lambda number: {"N": number}),
    st.sampled_from(["", "x", "\u00e9" * 600]).map(lambda text: {"S": text}),
    st.lists(st.sampled_from("pqr"), min_size=1, unique=True).map(lambda some: {"SS": some}),
    st.just({"L": [{"N": "1"}]}),
    st.just({"M": {"inner": {"N": "1"}, "N": {"S": "a map's part of that name"}}}),
    st.just({"N": "1", "S": "of two types"}),
    st.just(reduce(lambda inner, _: {"M": {"deeper": inner}}, range(40), {"N": "1"})),
    st.just(reduce(lambda inner, _: {"L": [inner]}, range(40), {"N": "1"})),
)
attributes = st.sampled_from(["one", "two", "three", "listed", "M", "a name of its own" * 40])
conditions = st.sampled_from(
    [None, None, None, "attribute_exists(one)", "attribute_not_exists(pk) AND one = one"]
)
updates = st.sampled_from(
    [
        "ADD one :a, two :b",
        "ADD #1 :a,#2 :b",
        "ADD #1 :a,#2 :b",
        "ADD #1 :a",
        "SET one = :a, two = :b",
        "SET one.inner = :a, two = if_not_exists(two, :b)",
        "SET one = list_append(one, :a) REMOVE two ADD three :b",
        "SET two = one ADD one :a DELETE three :b",
        "REMOVE one.inner",
        "SET one = one + :a, two = :b",
    ]
)


@st.composite
def actions(draw: st.DrawFn, key: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(["Put", "Update", "Update", "Update", "Delete", "ConditionCheck"]))
    action: dict[str, Any] = {"TableName": "table"}
    if condition := draw(conditions):
        action["ConditionExpression"] = condition
    if kind == "Put":
        named = st.dictionaries(attributes, values)
        return {kind: action | {"Item": {"pk": {"S": key}} | draw(named)}}
    action["Key"] = {"pk": {"S": key}}
    if kind == "Update":
        action["UpdateExpression"] = draw(updates)
        used = {":a": draw(values), ":b": draw(values)}
        names = {"#1": draw(attributes), "#2": draw(attributes)}
        for slot, known in (("Values", used), ("Names", names)):
            text = action["UpdateExpression"] + draw(st.sampled_from(["", "", "", "#2 :b"]))
            if some := {name: part for name, part in known.items() if name in text}:
                action[f"ExpressionAttribute{slot}"] = some
    return {kind: action}


capacities = st.sampled_from(["TOTAL", "INDEXES", "NONE"])
transactions = st.lists(
    st.lists(st.sampled_from("abc"), min_size=1, unique=True).flatmap(
        lambda keys: st.tuples(*map(actions, keys)).map(list)
    ),
    min_size=1,
    max_size=8,
)


@example([[{"Put": {"Item": {"pk": {"S": "a"}, "listed": {"S": "x"}}}}]], "INDEXES")
@given(transactions, capacities)
def test_transactions_answer_and_leave_what_they_would_have(
    many: list[list[dict[str, Any]]], capacity: str
) -> None:
    table = f"table-{uuid4().hex}"
    both = [_seen(module, table, many, capacity) for module in (PLAIN, QUICK)]
    assert both[0] == both[1]


@st.composite
def additions(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One item's update: nearly always of whole numbers."""
    made = _addition(draw(attributes), draw(attributes), draw(numbers), draw(numbers))
    if condition := draw(
        st.sampled_from([None, None, "attribute_exists(#1)", "attribute_exists(#9)"])
    ):
        made[0]["Update"]["ConditionExpression"] = condition
    return made


def _addition(one: str, two: str, to_one: str, to_two: str) -> list[dict[str, Any]]:
    update = {
        "Key": {"pk": {"S": "a"}},
        "UpdateExpression": "ADD #1 :a,#2 :b",
        "ExpressionAttributeNames": {"#1": one, "#2": two},
        "ExpressionAttributeValues": {":a": {"N": to_one}, ":b": {"N": to_two}},
    }
    return [{"Update": update}]


before = st.dictionaries(attributes, numbers.map(lambda number: {"N": number}), max_size=3)
limits = st.sampled_from([10**6, 10**6, 30, 60, 750])


@example({"one": {"N": "9" * 30}}, [_addition("one", "two", "1", "1")], "TOTAL", 10**6)
@example({}, [_addition("one", "two", n, n) for n in ("1", "1" * 18)], "NONE", 20)
@example({}, [_addition("one", "a long name" * 10, "1", "1")], "NONE", 60)
@settings(max_examples=300)
@given(before, st.lists(additions(), min_size=1, max_size=6), capacities, limits)
def test_sums_and_sizes_are_what_they_would_have_been(
    item: dict[str, Any], many: list[list[dict[str, Any]]], capacity: str, limit: int
) -> None:
    table = f"table-{uuid4().hex}"
    many = [[{"Put": {"Item": {"pk": {"S": "a"}} | item}}], *many]
    with pytest.MonkeyPatch.context() as patched:
        both = []
        for module in (PLAIN, QUICK):
            patched.setattr(module, "_DDB_ITEM_MAX_BYTES", limit)
            both.append(_seen(module, table, many, capacity))
    assert both[0] == both[1]


operators = st.sampled_from(["=", "<", "<=", ">", ">=", "<>"])
first, second = st.sampled_from(["one", "#1"]), st.sampled_from(["two", "#2"])
are = st.builds(
    "attribute_{}exists({})".format, st.sampled_from(["", "not_"]), first | st.just(" one ")
)
compared = st.one_of(
    st.builds("{} {} :a AND {}{}:b".format, first, operators, second, operators),
    st.builds("{} AND {} {} :b".format, are, second, operators),
    are,
)
others = st.sampled_from(
    [
        "one = :a",
        "one = :a and two = :b",
        "one = :a AND status = :b",
        "one = :a AND (two = :b)",
        "one = :a OR two = :b",
        "one.inner = :a",
        "one BETWEEN :a AND :b",
        "begins_with(one, :a) AND two = :b",
        "one = two AND two = :b",
        "one =  = :a",
        "one = :a AND two",
        "AND = :a",
        "not = :a",
        "attribute_exists(status)",
        "attribute_exists(one.inner) AND two = :b",
        "Attribute_Exists(one)",
        "attribute_exists(one) AND attribute_not_exists (two)",
        "attribute_exists((one))",
        "NOT attribute_exists(one)",
    ]
)
letters = st.sampled_from("aaaabbbb\u00e9\uffff\U0001f600")
odd = st.sampled_from([{"N": "1"}, {"S": 1}, {"N": "1", "S": "a"}, {"M": {"inner": {"S": "a"}}}])
sides = st.one_of(*[letters.map(lambda text: {"S": text})] * 7, odd)
item_and_request = st.fixed_dictionaries(
    dict.fromkeys(["one", "two", "status", ":a", ":b"], sides)
    | dict.fromkeys(["#1", "#2"], st.sampled_from(["one", "two", "three"]))
)
missing = st.sampled_from([None, None, None, None, None, "one", "two", ":a", ":b", "#1"])
slots = st.sampled_from(["ConditionExpression", "KeyConditionExpression", "FilterExpression"])


@example(
    "one < :a AND two = :b",
    {"one": {"S": 1}, ":a": {"S": "a"}, "two": {"S": "a"}, ":b": {"S": "a"}},
    None, "KeyConditionExpression",
)  # fmt: skip
@settings(max_examples=300)
@given(st.one_of(compared, compared, others), item_and_request, missing, slots)
def test_a_condition_holds_where_it_would_have(
    expression: str, all_of_it: dict[str, Any], without: str | None, slot: str
) -> None:
    item, values, names = (
        {name: part for name, part in all_of_it.items() if name[0] in kind and name != without}
        for kind in ("ots", ":", "#")
    )
    plain, quick = (
        _held(module, expression, item, values, names, slot) for module in (PLAIN, QUICK)
    )
    assert plain == quick


@pytest.mark.parametrize("how", ["=", "<", "<=", ">", ">=", "<>"])
@pytest.mark.parametrize("one", ["a", "b"])
def test_texts_compare_as_they_would_have(how: str, one: str) -> None:
    for first, last in product(["a", "b"], repeat=2):
        item, values = {"one": {"S": one}, "two": {"S": last}}, {":a": {"S": first}}
        for expression in (
            f"one {how} :a",
            f"one {how} :a AND two = :a",
            f"two = :a AND one{how}:a",
        ):
            asked = (expression, item, values, {}, "KeyConditionExpression")
            assert _held(QUICK, *asked) == _held(PLAIN, *asked)


def _held(module: Any, *asked: Any) -> Any:
    try:
        return module._evaluate_condition(*asked)
    except ValueError as error:
        return str(error)


SMALL_PAGE_BYTES = 2_000


@given(
    st.lists(st.dictionaries(attributes, values, max_size=4), max_size=6),
    st.none() | st.integers(1, 7),
)
def test_a_page_ends_where_it_would_have(some: list[dict[str, Any]], limit: int | None) -> None:
    with pytest.MonkeyPatch.context() as patched:
        pages = []
        for module in (PLAIN, QUICK):
            patched.setattr(module, "_DDB_PAGE_SIZE_BYTES", SMALL_PAGE_BYTES)
            pages.append(module._paginate_evaluated_items(some, limit, {}))
    assert pages[0] == pages[1]


@pytest.mark.parametrize("length", [1, 30_000])
def test_a_long_list_without_a_limit_ends_where_it_would_have(length: int) -> None:
    some = [{"pk": {"S": str(number)}, "text": {"S": "x" * length}} for number in range(120)]
    plain, quick = (module._paginate_evaluated_items(some, None, {}) for module in (PLAIN, QUICK))
    assert plain == quick


def _many_additions(count: int, **more: Any) -> dict[str, Any]:
    return {
        "UpdateExpression": "ADD " + ",".join(f"#{n} :{n}" for n in range(count)),
        "ExpressionAttributeNames": {f"#{n}": str(n) for n in range(count)},
        "ExpressionAttributeValues": {f":{n}": {"N": "1"} for n in range(count)},
    } | more


@pytest.mark.parametrize(
    ("update", "fault"),
    [
        (_many_additions(500), b"exceeded the maximum allowed size"),
        (_many_additions(1, ConditionExpression="one = :none"), b"not defined"),
        (_many_additions(1, ExpressionAttributeNames={"#0": "a", "#9": "b"}), b"unused"),
    ],
)
def test_names_that_do_not_fit_are_refused_as_they_would_have_been(
    update: dict[str, Any], fault: bytes
) -> None:
    action = update | {"Key": {"pk": {"S": "a"}}}
    plain, quick = (
        module._transact_write_action_error("Update", action) for module in (PLAIN, QUICK)
    )
    assert plain == quick
    assert fault in plain[2]


def _seen(
    module: Any, table: str, many: list[list[dict[str, Any]]], capacity: str = "TOTAL"
) -> Any:
    """The answers, and then the items and the images in the table's stream.

    What an item measures is part of an answer only if its `capacity` is asked for.

    Each has the requests as they come: read from JSON, so that no two values are one object.
    """
    many = json.loads(json.dumps(many))
    module._create_table(
        {
            "TableName": table,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "listed")
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "listing",
                    "KeySchema": [{"AttributeName": "listed", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": {
                "StreamEnabled": True,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        }
    )
    answers = []
    for one in many:
        for part in one:
            for action in part.values():
                action["TableName"] = table
        token = uuid4().hex
        request = {"TransactItems": one, "ClientRequestToken": token}
        answer = module._transact_write_items(request | {"ReturnConsumedCapacity": capacity})
        known = module._txn_token_lookup(token) or {}
        answers.append((answer[2], known.get("sizes") if capacity != "NONE" else None))
    records = module._stream_records.get(table, [])
    images = [
        [record["dynamodb"].get(image) for image in ("OldImage", "NewImage")] for record in records
    ]
    stored = {pk: dict(rows) for pk, rows in module._tables.get(table)["items"].items()}
    return answers, stored, images
