"""A call of AWS leaves in one piece, and is the same bytes as botocore's."""

import io
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSHTTPConnection, AWSHTTPSConnection
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from pipeline.runtime import aws, one_segment

ACCOUNT = {"region_name": "eu-west-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}


class Wire:
    """A socket that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, data: Any) -> None:
        self.sent.append(bytes(data))

    def settimeout(self, _: Any) -> None: ...

    def close(self) -> None: ...


def pieces(kind: Any, method: str, url: str, body: Any, headers: dict[str, str]) -> list[bytes]:
    connection = kind("localhost")
    connection.sock = wire = Wire()
    connection.request(method, url, body, headers)
    return wire.sent


def ours(scheme: str = "http") -> Any:
    client = boto3.client("dynamodb", endpoint_url=f"{scheme}://localhost", **ACCOUNT)
    one_segment.use_for(client)
    return client._endpoint.http_session._manager.pool_classes_by_scheme[scheme].ConnectionCls


OURS = ours()


@given(
    st.sampled_from(["GET", "POST", "PUT"]),
    st.one_of(st.none(), st.binary(max_size=300)),
    st.dictionaries(
        st.from_regex("X-[a-z]{1,6}", fullmatch=True), st.from_regex("[a-z]{0,9}", fullmatch=True)
    ),
)
def test_a_call_is_one_piece_of_the_same_bytes(
    method: str, body: bytes | None, headers: dict[str, str]
) -> None:
    sent = pieces(OURS, method, "/", body, headers)
    assert b"".join(sent) == b"".join(pieces(AWSHTTPConnection, method, "/", body, headers))
    assert len(sent) == 1


@pytest.mark.parametrize("make", [lambda: b"x" * 70_000, lambda: io.BytesIO(b"read on the way")])
def test_what_is_long_or_read_on_the_way_is_sent_as_botocore_does(make: Any) -> None:
    sent = pieces(OURS, "PUT", "/key", make(), {})
    assert sent == pieces(AWSHTTPConnection, "PUT", "/key", make(), {})
    assert len(sent) > 1


def test_a_body_that_the_server_is_asked_for_first_waits_for_its_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[list[bytes]] = []
    connection = OURS("localhost")
    connection.sock = wire = Wire()

    def wait(*_: Any) -> bool:
        asked.append(list(wire.sent))
        return False  # no word: then it is sent all the same

    monkeypatch.setattr("urllib3.util.wait_for_read", wait)
    connection.request("PUT", "/key", b"body", {"Expect": b"100-continue"})
    assert [len(sent) for sent in asked] == [1]
    assert b"body" not in asked[0][0]
    assert b"".join(wire.sent).endswith(b"\r\n\r\nbody")


def test_a_call_that_breaks_off_holds_nothing_of_the_next() -> None:
    connection = OURS("localhost")
    connection.sock = broken = Wire()
    with pytest.raises(ValueError, match="header"):
        connection.request("POST", "/", b"one", {"X-Bad": "a\nb"})
    connection.close()
    connection.sock = wire = Wire()
    connection.request("POST", "/", b"two", {})
    assert (len(broken.sent), len(wire.sent)) == (0, 1)
    assert wire.sent[0].startswith(b"POST / ") and wire.sent[0].endswith(b"two")


def test_encrypted_connections_do_it_too() -> None:
    sent = pieces(ours("https"), "POST", "/", b"body", {})
    assert b"".join(sent) == b"".join(pieces(AWSHTTPSConnection, "POST", "/", b"body", {}))
    assert len(sent) == 1


def test_the_clients_of_the_shop_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    client = aws._make("sqs", Config(region_name="eu-west-1"))
    pools = client._endpoint.http_session._manager.pool_classes_by_scheme
    assert pools["http"].ConnectionCls is OURS
