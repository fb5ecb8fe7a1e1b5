"""Order numbers, as people read and mistype them."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.ids import check_character, order_number

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ulids = st.text(ALPHABET, min_size=26, max_size=26)


def is_sound(number: str) -> bool:
    text = number.removeprefix("HA-").replace("-", "")
    return check_character(text[:-1]) == text[-1]


@given(ulids)
def test_a_number_is_three_groups_of_the_ids_end(order_id: str) -> None:
    number = order_number(order_id)
    assert number == order_number(order_id)
    assert [len(group) for group in number.split("-")] == [2, 4, 4, 4]
    assert number.replace("-", "")[2:-1] == order_id[-11:]
    assert is_sound(number)


@given(ulids, st.integers(0, 11), st.sampled_from(ALPHABET))
def test_one_misread_character_is_noticed(order_id: str, place: int, wrong: str) -> None:
    text = order_number(order_id).replace("-", "")[2:]
    misread = text[:place] + wrong + text[place + 1 :]
    assert is_sound(misread) == (misread == text)


@given(ulids, st.integers(0, 10))
def test_two_swapped_neighbours_are_noticed(order_id: str, place: int) -> None:
    text = order_number(order_id).replace("-", "")[2:]
    pair = text[place : place + 2]
    swapped = text[:place] + pair[::-1] + text[place + 2 :]
    if pair not in ("0Z", "Z0"):  # the one pair that Luhn does not see
        assert is_sound(swapped) == (swapped == text)
