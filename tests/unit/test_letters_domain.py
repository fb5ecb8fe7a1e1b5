"""Rules of letters, keys and devices that need no store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.orders import TERMINAL, OrderStatus
from pipeline.erasure.domain import ERASED, may_erase, without_person
from storefront_api.users.devices import device_of


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
         "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 "
         "(KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36",
         "Chrome on Android"),
        ("curl/8.5.0", "curl"), ("", ""), ("x" * 5000, ""),
    ],
)  # fmt: skip
def test_a_device_is_named_by_what_its_browser_says(agent: str, device: str) -> None:
    assert device_of(agent) == device


@given(st.sampled_from(list(OrderStatus)))
def test_an_order_may_be_erased_when_it_has_come_to_an_end(status: OrderStatus) -> None:
    assert may_erase({"status": status.value}) == (status in TERMINAL)


@given(
    st.dictionaries(
        st.sampled_from(["name", "line1", "line2", "city"]), st.sampled_from(["1 Street", "", None])
    )
)
def test_of_an_address_the_country_is_left_and_the_shape(lines: dict[str, str | None]) -> None:
    changes = without_person({"shipping_address": lines | {"country": "GB"}})
    address = changes["shipping_address"]
    assert address.keys() == lines.keys() | {"country"}
    assert address["country"] == "GB"
    assert all(value in (ERASED, None) for name, value in address.items() if name != "country")
    assert changes["email"] is None
