"""Text that people send and other people read: names, lines of an address, titles, reasons."""

import unicodedata

# Ends of lines and controls break labels, mails and CSV files; surrogates are no text at all.
_NEVER = frozenset({"Cc", "Cs", "Zl", "Zp"})
# They turn what follows around, so that a name reads as another: Unicode UAX 9, section 2.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters and symbols by their category, and yet nothing is to be seen of them.
_BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def to_line(text: str) -> str:
    """One line that a person can read, trimmed.

    Joiners may stand between letters, as Persian and emoji need them; alone they are no text.
    Raises ValueError for characters that do not belong there, and where nothing can be seen.
    """
    if text.isascii() and text.isprintable():  # nearly every text of a long import
        line = text.strip()
        is_blank = not line
    else:
        if any(_is_never(one) for one in text):
            raise ValueError("control characters are not allowed")
        line = text.strip()
        is_blank = not any(map(_is_seen, line))
    if is_blank:
        raise ValueError("must not be blank")
    return line


def _is_never(character: str) -> bool:
    # Not all that is unassigned: a name may be written with letters newer than this Python.
    is_noncharacter = ord(character) & 0xFFFE == 0xFFFE or "\ufdd0" <= character <= "\ufdef"
    return unicodedata.category(character) in _NEVER or character in _TURNING or is_noncharacter


def _is_seen(character: str) -> bool:
    category = unicodedata.category(character)
    return category == "Cn" or (category[0] not in "ZCM" and character not in _BLANK)
