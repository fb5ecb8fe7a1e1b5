"""Where a command writes to."""

import os
import sys

from rich.console import Console

_WIDTH_OF_A_PIPE = 120


def console() -> Console:
    """As wide as the terminal, or as COLUMNS says; a pipe has no width, and 80 columns would fold
    or cut every line."""
    has_width = sys.stdout.isatty() or os.environ.get("COLUMNS")
    return Console(width=None if has_width else _WIDTH_OF_A_PIPE)
