"""Tables and paragraphs, written once and shown as text, Markdown or HTML."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, final

UNBROKEN = 24  # characters of a cell that stays on one line


@dataclass(frozen=True)
class Table:
    """Cells that are text already; columns named in `right` stand flush right.

    `notes` are the lines of one paragraph below, broken where text has to be.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[str] = frozenset()
    notes: Sequence[str] = ()

    def text(self) -> str:
        """Aligned columns under a title.

        >>> print(Table("", ["x", "f"], [["1", "0.5"], ["10", "0.25"]], frozenset("x")).text())
         x  f
        ──  ────
         1  0.5
        10  0.25
        """
        grid = [list(self.head), *map(list, self.rows)]
        widths = [max(len(row[i]) for row in grid) for i in range(len(self.head))]
        lines = ["  ".join(self._padded(name, cell, width) for name, cell, width in zip(self.head, row, widths,
                 strict=True)).rstrip() for row in grid]  # fmt: skip
        lines.insert(1, "  ".join("─" * width for width in widths))
        return "\n".join([*([self.title] if self.title else []), *lines, *self.notes])

    def _padded(self, name: str, cell: str, width: int) -> str:
        return cell.rjust(width) if name in self.right else cell.ljust(width)

    def markdown(self) -> str:
        """A pipe table."""
        rule = ["---:" if name in self.right else "---" for name in self.head]
        rows = [self.head, rule, *([cell.replace("|", "\\|") for cell in row] for row in self.rows)]
        body = "\n".join("| " + " | ".join(row) + " |" for row in rows)
        notes = "\n\n" + " ".join(self.notes) if self.notes else ""
        return (f"**{self.title}**\n\n" if self.title else "") + body + notes

    def html(self) -> str:
        """One table with inline style and no script; everything escaped."""
        sides = ["right" if name in self.right else "left" for name in self.head]

        def row(tag: str, cells: Sequence[str]) -> str:
            pairs = zip(sides, cells, strict=True)
            made = (f'<{tag} style="{_look(tag, side, cell)}">{escape(cell)}</{tag}>' for side, cell in pairs)
            return "<tr>" + "".join(made) + "</tr>"

        title = f"<caption style='text-align:left'><b>{escape(self.title)}</b></caption>" if self.title else ""
        notes = _paragraph(" ".join(self.notes)) if self.notes else ""
        body = "".join(row("td", cells) for cells in self.rows)
        return f"<table>{title}<thead>{row('th', self.head)}</thead><tbody>{body}</tbody></table>{notes}"


class Report(ABC):
    """What a report function returns: sections to read, and the same facts as a dictionary."""

    @abstractmethod
    def sections(self) -> list[Table | str]:
        """Tables and paragraphs, in reading order."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The facts, as plain numbers, texts, lists and dictionaries."""

    def __init_subclass__(cls) -> None:
        """At a prompt a report shows what it says; `dataclass` leaves alone a `__repr__` that is there."""
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = Report.__str__  # type: ignore[assignment, method-assign]

    @final
    def __str__(self) -> str:
        return "\n\n".join(part if isinstance(part, str) else part.text() for part in self.sections())

    @final
    def to_markdown(self) -> str:
        """The sections as Markdown."""
        return "\n\n".join(
            part.replace("\n", "  \n") if isinstance(part, str) else part.markdown() for part in self.sections()
        )

    @final
    def _repr_html_(self) -> str:
        return "".join(_paragraph(part) if isinstance(part, str) else part.html() for part in self.sections())


def _look(tag: str, side: str, cell: str) -> str:
    """Inline style of a cell: apart from its neighbours in any page; names and numbers are not broken at their hyphens."""
    whole = tag == "td" and len(cell) <= UNBROKEN
    return f"text-align:{side};padding:2px 8px" + (";white-space:nowrap" if whole else "")


def _paragraph(text: str) -> str:
    """Text as HTML that breaks its lines where the text does, and sets in `code` what stands between backticks.

    >>> _paragraph("f < 1\\nby `cse`")
    '<p>f &lt; 1<br/>by <code>cse</code></p>'
    """
    return "<p>" + re.sub("`([^`]*)`", r"<code>\1</code>", escape(text)).replace("\n", "<br/>") + "</p>"


def significant(value: float | None, digits: int = 6) -> str:
    """A number for a table; an en dash where there is none."""
    return "–" if value is None else f"{value:.{digits}g}"


def count(value: float | None) -> str:
    """A whole number; beyond ten millions in powers of ten.

    >>> count(12345), count(2.3e15), count(10**5000), count(None)
    ('12,345', '2.3e+15', '1e+5000', '–')
    """
    if value is None:
        return "–"
    if value > 1e300:  # an integer may be larger than any float
        exponent = math.floor(math.log10(value))
        return f"{10 ** (math.log10(value) - exponent):.3g}e+{exponent}"
    return f"{value:,.0f}" if value < 1e7 else f"{float(value):.3g}"


def displayed(latex: str) -> str:
    """LaTeX as notebooks want it, a displayed formula."""
    return f"$\\displaystyle {latex}$"


def withheld(operations: int) -> str:
    """What stands in place of LaTeX so long that it would hang a browser."""
    return rf"\text{{{operations:,} operations: too many to typeset}}"
