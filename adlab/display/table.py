"""One table, in every form that a reader may want."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape

from adlab.display.terminal import GAP, blocks, cell_lines, filled, longest_word, painted, seen, shared_out, wrapped

UNBROKEN = 24  # characters of a cell that stays on one line
MOST_ROWS = 500
"""A reader's table has at most so many rows: ten pages. CSV, JSON and LaTeX have all of them."""


class Verbatim(str):
    """A section that is printed exactly as it is: source code, or a drawing made of characters."""

    language = ""

    @classmethod
    def of(cls, text: str, language: str = "") -> Verbatim:
        """The text, and its language."""
        made = cls(text)
        made.language = language
        return made


@dataclass(frozen=True)
class Table:
    """A table whose cells are texts. The columns named in `right` are right-aligned.

    `notes` are the lines of one paragraph below the table. `styles` gives a cell, by row and column, a style of
    `adlab.display.terminal.STYLES`; terminals with colour show it. `rule` draws a line under the head. The first `keys` columns
    name a row; they are repeated where a wide table is printed in parts.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[str] = frozenset()
    notes: Sequence[str] = ()
    styles: Mapping[tuple[int, int], str] = field(default_factory=dict)
    rule: bool = True
    keys: int = 1

    def _readable(self) -> Table:
        """The table without the rows that are too many to read, and a note that says where they are."""
        left = len(self.rows) - MOST_ROWS
        if left <= 0:
            return self
        note = f"… and {left:,} more rows: to_csv() and --csv have all."
        return replace(self, rows=self.rows[:MOST_ROWS], notes=[note, *self.notes])

    def text(self, width: int | None = None, colour: bool = False) -> str:
        """Aligned columns under a title. With a `width`, cells are cut between words to fit. A table that is still too wide is
        printed in several parts, one below the other.

        >>> print(Table("", ["x", "f"], [["1", "0.5"], ["10", "0.25"]], frozenset("x")).text())
         x  f
        ──  ────
         1  0.5
        10  0.25
        """
        self = self._readable()
        natural = [max(seen(row[i]) for row in (self.head, *self.rows)) for i in range(len(self.head))]
        title = [painted(wrapped(self.title, width), "title", colour)] if self.title else []
        notes = [wrapped(" ".join(self.notes), width)] if self.notes and width is not None else [*self.notes]
        if width is None or sum(natural) + GAP * (len(natural) - 1) <= width:
            return "\n".join([*title, *self._lines(range(len(natural)), natural, colour), *notes])
        least = [min(width, self._least(i)) for i in range(len(self.head))]
        parts = []
        for group in blocks(least, width, self.keys):
            widths = shared_out([natural[i] for i in group], [least[i] for i in group], width)
            parts.append("\n".join(self._lines(group, widths, colour)))
        return "\n".join([*title, "\n\n".join(parts), *notes])

    def _least(self, column: int) -> int:
        """The least width of a column: numbers are never cut, texts only between words."""
        cells = [row[column] for row in self.rows]
        whole = self.head[column] in self.right
        return max([longest_word(self.head[column]), *(seen(cell) if whole else longest_word(cell) for cell in cells)])

    def _lines(self, group: Sequence[int], widths: Sequence[int], colour: bool) -> list[str]:
        """The head, its rule and the rows, for some of the columns."""
        lines = self._row(self.head, group, widths, ["quiet" if colour else ""] * len(group), colour)
        if self.rule:
            lines.append(painted((" " * GAP).join("─" * width for width in widths), "quiet", colour))
        for number, row in enumerate(self.rows):
            lines += self._row(row, group, widths, [self.styles.get((number, i), "") for i in group], colour)
        return lines

    def _row(
        self, row: Sequence[str], group: Sequence[int], widths: Sequence[int], styles: Sequence[str], colour: bool
    ) -> list[str]:
        """A row, on as many lines as its longest cell needs."""
        cells = [cell_lines(row[i], width) if seen(row[i]) > width else [row[i]] for i, width in zip(group, widths, strict=True)]
        lines = []
        for k in range(max(map(len, cells), default=1)):
            line = []
            for i, cell, width, style in zip(group, cells, widths, styles, strict=True):
                text = cell[k] if k < len(cell) else ""
                padded = filled(text, width, self.head[i] in self.right)
                line.append(padded.replace(text, painted(text, style, colour), 1) if style and text else padded)
            lines.append((" " * GAP).join(line).rstrip())
        return lines

    def markdown(self) -> str:
        """A pipe table. Characters that Markdown would interpret are escaped."""
        self = self._readable()
        rule = ["---:" if name in self.right else "---" for name in self.head]
        rows = [[in_markdown(cell) for cell in self.head], rule, *([in_markdown(cell) for cell in row] for row in self.rows)]
        body = "\n".join("| " + " | ".join(row) + " |" for row in rows)
        notes = "\n\n" + in_markdown(" ".join(self.notes)) if self.notes else ""
        return (f"**{in_markdown(self.title)}**\n\n" if self.title else "") + body + notes

    def html(self) -> str:
        """A table with inline style and no script. Everything is escaped."""
        self = self._readable()
        sides = ["right" if name in self.right else "left" for name in self.head]

        def row(tag: str, cells: Sequence[str]) -> str:
            pairs = zip(sides, cells, strict=True)
            made = (f'<{tag} style="{_look(tag, side, cell)}">{escape(cell)}</{tag}>' for side, cell in pairs)
            return "<tr>" + "".join(made) + "</tr>"

        title = f"<caption style='text-align:left'><b>{escape(self.title)}</b></caption>" if self.title else ""
        notes = paragraph(" ".join(self.notes)) if self.notes else ""
        body = "".join(row("td", cells) for cells in self.rows)
        return f"<table>{title}<thead>{row('th', self.head)}</thead><tbody>{body}</tbody></table>{notes}"

    def latex(self) -> str:
        """A `tabular` with the rules of the package booktabs."""
        sides = "".join("r" if name in self.right else "l" for name in self.head)
        lines = [" & ".join(map(in_latex, row)) + r" \\" for row in (self.head, *self.rows)]
        title = [f"% {' '.join(self.title.split())}"] if self.title else []
        inner = [r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"]
        return "\n".join([*title, rf"\begin{{tabular}}{{{sides}}}", *inner, r"\end{tabular}"])


def _look(tag: str, side: str, cell: str) -> str:
    """Inline style of a cell: space between cells in any page, and no line break at a hyphen of a name or number."""
    whole = tag == "td" and len(cell) <= UNBROKEN
    return f"text-align:{side};padding:2px 8px" + (";white-space:nowrap" if whole else "")


def paragraph(text: str) -> str:
    """Text as HTML with the same line breaks. What stands between backticks becomes `code`.

    >>> paragraph("f < 1\\nby `cse`")
    '<p>f &lt; 1<br/>by <code>cse</code></p>'
    """
    return "<p>" + re.sub("`([^`]*)`", r"<code>\1</code>", escape(text)).replace("\n", "<br/>") + "</p>"


def in_markdown(text: str) -> str:
    """Text that a Markdown renderer shows unchanged. What stands between backticks stays code.

    >>> print(in_markdown("x**2 | y_1 < `a*b`"))
    x\\*\\*2 \\| y\\_1 &lt; `a*b`
    """
    parts = " ".join(text.split("\n")).split("`")
    if len(parts) % 2 == 0:  # a backtick without a partner
        parts = ["\\`".join(parts)]
    return "`".join(
        part.replace("|", "\\|") if i % 2 else re.sub(r"([\\*_|\[\]#~$])", r"\\\1", part).replace("<", "&lt;")
        for i, part in enumerate(parts)
    )


_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "∂": r"$\partial$", "∇": r"$\nabla$", "–": "--", "−": "$-$", "·": r"$\cdot$", "×": r"$\times$", "≤": r"$\leq$",
    "≥": r"$\geq$", "≈": r"$\approx$", "±": r"$\pm$", "→": r"$\to$", "∞": r"$\infty$", "µ": r"\textmu{}", "…": r"\dots{}",
    "′": "$'$", "√": r"$\surd$", "•": r"\textbullet{}", "\n": " ", "²": r"\textsuperscript{2}",
}  # fmt: skip


def in_latex(text: str) -> str:
    """Text that LaTeX prints unchanged.

    >>> print(in_latex("x_1 & 50 %"))
    x\\_1 \\& 50 \\%
    """
    return "".join(_LATEX.get(letter, letter) for letter in text)
