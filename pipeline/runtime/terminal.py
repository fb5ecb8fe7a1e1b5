"""Where a command writes to, and the numbers that it takes."""

import argparse
import os
import sys
from collections.abc import Callable

from rich.console import Console

_WIDTH_OF_A_PIPE = 120


def console() -> Console:
    """As wide as the terminal, or as COLUMNS says; a pipe has no width, and 80 columns would fold
    or cut every line."""
    has_width = sys.stdout.isatty() or os.environ.get("COLUMNS")
    return Console(width=None if has_width else _WIDTH_OF_A_PIPE)


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """An argparse type: what is anything else is refused, and the bounds are named."""

    def number(text: str) -> int:
        if not (
            text.isascii() and text.isdigit() and len(text) < 19 and least <= int(text) <= most
        ):
            raise argparse.ArgumentTypeError(
                f"{text!r} is no whole number from {least:,} to {most:,}"
            )
        return int(text)

    return number
