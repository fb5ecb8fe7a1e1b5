"""What may stand on a label, in a letter and in a list."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront_api.text import to_line


@pytest.mark.parametrize(
    "text",
    [
        "Ada Lovelace",
        "Ægir Þór",
        "علی\u200cرضا",
        "李小龍",
        "👩\u200d💻 Ada",
        "O'Neill, 3/4 B",
        "\U0001fae8",
    ],
)
def test_what_people_are_called_stays_as_it_is(text: str) -> None:
    assert to_line(f"  {text}\u2003") == text


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\u00a0", "\u200b", "\ufeff", "\u2060\u200d", "\u00ad", "\u3164", "\u2800",
        "\u0301", "\ufe0f", "a\x07b", "a\nb", "a\u0085b", "a\u2028b", "a\ud800",
        "\u202eadA", "a\u2066b", "a\uffff",
    ],
)  # fmt: skip
def test_what_nobody_can_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        to_line(text)


@given(st.text(max_size=30))
def test_a_line_is_one_line_trimmed_and_holds_something(text: str) -> None:
    try:
        line = to_line(text)
    except ValueError:
        return
    assert line == line.strip() == to_line(line)
    assert len(line.splitlines()) == 1
    assert {unicodedata.category(one) for one in line} - {"Zs", "Cf", "Mn", "Me", "Mc", "Co"}
