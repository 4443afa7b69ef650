"""Text for a terminal: its width, line breaks between words only, and a little colour."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence

GAP = 2
"""Blank columns between two columns of a table."""
BULLET = "• "
STYLES: Mapping[str, str] = {"title": "1", "quiet": "38;5;243", "good": "38;5;28", "poor": "38;5;130", "bad": "38;5;161"}
"""Names of styles, and the codes of terminals: bold, grey, green, orange, red. The four are from the table of 256 colours,
which no theme changes. All have about the same luminance, between white and black: they are read on light and on dark."""


def seen(text: str) -> int:
    """How many columns a text takes. A combining mark, as in v̄, takes none.

    >>> seen("v\N{COMBINING MACRON}3")
    2
    """
    return len(text) if text.isascii() else sum(not unicodedata.combining(letter) for letter in text)


def filled(text: str, width: int, right: bool = False) -> str:
    """The text, with blanks added up to `width` columns."""
    blanks = " " * (width - seen(text))
    return blanks + text if right else text + blanks


def painted(text: str, style: str, colour: bool) -> str:
    """The text in a style of `STYLES`. Without colour, or with an unknown style, the text is unchanged."""
    if not (colour and style and text.strip()):
        return text
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m"


def has_colour() -> bool:
    """Whether standard output is a terminal that wants colour (see no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and sys.stdout.isatty()


def columns() -> int | None:
    """The width of the reader's terminal in columns; None for a pipe or a file."""
    if os.environ.get("COLUMNS", "").isdigit() or sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return None


def lines(least: int) -> int:
    """How many lines the reader's terminal has, but at least `least`; `least` for a pipe or a file."""
    return max(least, shutil.get_terminal_size().lines) if sys.stdout.isatty() else least


def wrapped(text: str, width: int | None) -> str:
    """Every line of a text, broken between words at `width`. The rest of a line is indented, under its bullet if it has one.

    >>> print(wrapped("• a sentence of some words", 16))
    • a sentence of
      some words
    """
    if width is None:
        return text
    return "\n".join(part for line in text.split("\n") for part in (_cut(line, width) or [""]))


def _cut(line: str, width: int) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + len(BULLET))
    if seen(line) <= width:
        return [line]
    kept = SHORT_EQUATION.sub(lambda found: found[0].replace(" ", NO_BREAK), line)
    cut = textwrap.wrap(kept, max(width, 20), subsequent_indent=indent, break_on_hyphens=False, drop_whitespace=True)
    return [part.replace(NO_BREAK, " ") for part in cut]


NO_BREAK = "\N{NO-BREAK SPACE}"
SHORT_EQUATION = re.compile(r"(?<!\S)\S{1,9} [=≤≥<>→] \S{1,24}(?!\S)")
"""What stands on one line, such as `x1 = -1.2`."""


def cell_lines(cell: str, width: int) -> list[str]:
    """A cell broken between words into lines of at most `width`. Only a longer word is broken itself."""
    return textwrap.wrap(cell, width, break_on_hyphens=False) or [""]


def longest_word(cell: str) -> int:
    """The least width of a cell in which no word is broken."""
    return max(map(seen, cell.split()), default=0)


def shared_out(natural: Sequence[int], least: Sequence[int], width: int) -> list[int]:
    """Column widths that add up to `width`, gaps included. The widest columns shrink first, none below its least width.

    >>> shared_out([10, 40, 8], [4, 6, 8], 40)
    [10, 18, 8]
    """
    found = list(natural)
    while sum(found) + GAP * (len(found) - 1) > width:
        room = [(size if size > low else 0, i) for i, (size, low) in enumerate(zip(found, least, strict=True))]
        size, widest = max(room, key=lambda pair: (pair[0], -pair[1]))
        if not size:
            break
        found[widest] -= 1
    return found


def blocks(least: Sequence[int], width: int, keys: int = 1) -> list[list[int]]:
    """The columns in groups that each fit `width`. Every group begins with the first `keys` columns, which name the rows.

    >>> blocks([10, 10, 10, 10], 36)
    [[0, 1, 2], [0, 3]]
    """
    named = list(range(min(keys, len(least))))
    groups: list[list[int]] = [named[:]]
    for i in range(len(named), len(least)):
        together = sum(least[k] for k in groups[-1]) + least[i] + GAP * len(groups[-1])
        if together > width and len(groups[-1]) > len(named):
            groups.append(named[:])
        groups[-1].append(i)
    return groups
