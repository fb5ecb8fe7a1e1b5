"""What an edit changed, as the audit trail tells it."""

from hypothesis import given
from hypothesis import strategies as st

from storefront_api.changes import told

FACTS = st.dictionaries(
    st.text("abc", min_size=1, max_size=2), st.none() | st.booleans() | st.text() | st.integers()
)


def test_what_is_other_is_told_and_what_is_not_is_not() -> None:
    before = {"title": "Mug", "brand": None, "featured": False, "S-1": "5.00 GBP", "uses": 3}
    after = {"title": "Cup", "brand": "Acme", "featured": True, "S-2": "6.00 GBP", "uses": 3}
    assert told(before, after) == (
        'title "Mug" -> "Cup"; brand none -> "Acme"; featured no -> yes; '
        'S-1 "5.00 GBP" -> none; S-2 none -> "6.00 GBP"'
    )
    assert told(None, before) == 'title "Mug"; featured no; S-1 "5.00 GBP"; uses 3'
    assert told(before, before) == "nothing"


def test_a_long_text_is_cut_and_so_are_many() -> None:
    assert told({"text": "a"}, {"text": "b" * 500}) == f'text "a" -> "{"b" * 80}…"'
    many = told({}, {f"S-{number}": "5.00 GBP" for number in range(98)})
    assert (len(many), many[-2:]) == (1_002, " …")


@given(FACTS, FACTS)
def test_a_telling_is_short_and_says_nothing_only_of_the_same(
    before: dict[str, object], after: dict[str, object]
) -> None:
    text = told(before, after)
    assert len(text) <= 1_002
    is_same = all(before.get(name) == after.get(name) for name in before | after)
    assert (text == "nothing") == is_same
