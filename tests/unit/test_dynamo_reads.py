"""Rows read in batches, from a table that is throttled."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from pipeline.contracts.errors import Unavailable
from pipeline.runtime import aws
from pipeline.runtime.dynamo import read_all, to_item

FIRST, SECOND = ({"pk": name, "sk": "-"} for name in ("first", "second"))


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    aws.client.cache_clear()
    with Stubber(aws.client("dynamodb")) as stubber:
        yield stubber
    aws.client.cache_clear()


def asked_for(*rows: dict[str, str], consistent: bool = True) -> dict[str, Any]:
    return {"goods": {"Keys": [to_item(row) for row in rows], "ConsistentRead": consistent}}


def answer(table: Stubber, *found: dict[str, str], left: Any, asked: dict[str, Any]) -> None:
    body = {"Responses": {"goods": [to_item(row) for row in found]}, "UnprocessedKeys": left}
    table.add_response("batch_get_item", body, {"RequestItems": asked})


def test_what_a_throttled_table_puts_off_is_asked_for_again(table: Stubber) -> None:
    answer(table, FIRST, left=asked_for(SECOND), asked=asked_for(FIRST, SECOND))
    answer(table, SECOND, left={}, asked=asked_for(SECOND))
    assert read_all({"goods": [FIRST, SECOND], "nothing": []}) == [FIRST, SECOND]
    table.assert_no_pending_responses()


def test_a_table_that_stays_throttled_is_unavailable_and_not_half_read(table: Stubber) -> None:
    for _ in range(5):
        answer(table, left=asked_for(FIRST), asked=asked_for(FIRST))
    with pytest.raises(Unavailable) as refused:
        read_all({"goods": [FIRST]})
    assert refused.value.headers == {"Retry-After": "1"}
    table.assert_no_pending_responses()


def test_rows_that_may_lag_are_read_at_half_the_cost(table: Stubber) -> None:
    answer(table, FIRST, left={}, asked=asked_for(FIRST, consistent=False))
    assert read_all({"goods": [FIRST]}, may_lag={"goods"}) == [FIRST]
