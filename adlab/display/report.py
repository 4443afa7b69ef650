"""What a report function returns, in every form: text, Markdown, HTML, LaTeX, CSV, JSON, a pandas table."""

from __future__ import annotations

import base64
import csv
import importlib
import io
import json
import math
from abc import ABC, abstractmethod
from html import escape
from typing import Any, final

from adlab.display.table import Table, Verbatim, in_markdown, paragraph
from adlab.display.terminal import wrapped
from adlab.errors import MissingExtra


class Report(ABC):
    """What a report function returns: sections to read, and the same facts as a dictionary."""

    @abstractmethod
    def sections(self) -> list[Table | str]:
        """Tables and paragraphs, in reading order."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The facts, as plain numbers, texts, lists and dictionaries."""

    def sections_at(self, width: int | None) -> list[Table | str]:
        """The sections for a terminal of that width. A report overrides this where its words depend on the width."""
        return self.sections()

    def __init_subclass__(cls) -> None:
        """At a prompt a report prints itself. This sets `__repr__`, and `dataclass` does not replace it."""
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = Report.__str__  # type: ignore[assignment, method-assign]

    @final
    def text(self, width: int | None = None, colour: bool = False) -> str:
        """The report as text. With a `width`, no line is longer and no word is broken. `colour` is for terminals."""
        shown = []
        for part in self.sections_at(width):
            if isinstance(part, Table):
                shown.append(part.text(width, colour))
            else:
                shown.append(part if isinstance(part, Verbatim) else wrapped(part, width))
        return "\n\n".join(shown)

    @final
    def __str__(self) -> str:
        return self.text()

    @final
    def to_markdown(self) -> str:
        """The sections as Markdown."""
        return "\n\n".join(map(_in_markdown, self.sections()))

    def to_latex(self) -> str:
        """The tables as LaTeX, with the rules of the package booktabs. A report without tables gives its facts as one."""
        tables = [part for part in self.sections() if isinstance(part, Table)]
        if not tables:
            rows = self.records()
            names = list(dict.fromkeys(name for row in rows for name in row))
            tables = [Table("", names, [[str(_in_a_cell(row.get(name))) for name in names] for row in rows])]
        return "\n\n".join(table.latex() for table in tables)

    def records(self) -> list[dict[str, Any]]:
        """The rows of the main table as dictionaries: for CSV and pandas."""
        facts = self.to_dict()
        lists = [facts["rows"]] if "rows" in facts else [value for value in facts.values() if isinstance(value, list)]
        found = [rows for rows in lists if rows and all(isinstance(row, dict) for row in rows)]
        return list(found[0]) if found else [{key: value for key, value in facts.items() if not isinstance(value, (list, dict))}]

    @final
    def to_json(self, indent: int | None = 1) -> str:
        """`to_dict` as JSON. JSON has no infinity and no NaN, so they become texts."""
        return as_json(self.to_dict(), indent)

    @final
    def to_csv(self) -> str:
        """The rows of the main table with full numbers, comma-separated, under a line of names.

        >>> from adlab import swell
        >>> print(swell("x*y").to_csv().splitlines()[0])
        what,tree_operations,tree_nodes,graph_nodes,cse_operations,graph_operations,status,note
        """
        rows = self.records()
        names = list(dict.fromkeys(name for row in rows for name in row))
        written = io.StringIO()
        writer = csv.DictWriter(written, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _in_a_cell(value) for name, value in row.items()} for row in rows)
        return written.getvalue()

    @final
    def to_dataframe(self) -> Any:
        """The rows of the main table as a `pandas.DataFrame`. Raises MissingExtra without pandas."""
        try:
            pandas: Any = importlib.import_module("pandas")
        except ImportError:
            raise MissingExtra("to_dataframe needs pandas: pip install pandas; to_csv and to_dict need nothing") from None
        return pandas.DataFrame(self.records())

    @final
    def to_html(self, picture: bool = True) -> str:
        """The report as one HTML page that needs nothing from outside; readable in light and in dark, and printable. Where the
        report has a `plot`, its picture stands at the end. A comparison is the interactive page, as `adlab.page` makes it."""
        interactive = self._interactive()
        if interactive:
            return interactive
        body = "\n".join(map(_in_html, self.sections()))
        if picture and hasattr(self, "plot"):
            body += f'\n<p><img alt="The report as a picture." src="{_picture(self.plot())}"></p>'
        return f"{PAGE_HEAD}<title>adlab: {escape(type(self).__name__.lower())}</title></head><body>\n{body}\n</body></html>\n"

    def _interactive(self) -> str:
        """The report as an interactive page; empty where there is none."""
        return ""

    def _repr_html_(self) -> str:
        return "".join(map(_in_html, self.sections()))


PAGE_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
    "<style>:root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto;font-variant-numeric:tabular-nums}"
    "thead th{border-bottom:1px solid}pre{overflow-x:auto}img{max-width:100%;background:#fff}</style>"
)
"""The head of a page: the policy lets in nothing but inline style and the picture that the page carries itself."""


def _picture(axes: Any) -> str:
    """A drawn figure as a data address."""
    written = io.BytesIO()
    figure = getattr(axes, "figure", None) or axes[0].figure
    figure.savefig(written, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return "data:image/svg+xml;base64," + base64.b64encode(written.getvalue()).decode()


def _in_markdown(part: Table | str) -> str:
    if isinstance(part, Table):
        return part.markdown()
    if isinstance(part, Verbatim):
        return f"```{part.language}\n{part}\n```"
    return "  \n".join(map(in_markdown, part.split("\n")))


def _in_html(part: Table | str) -> str:
    if isinstance(part, Table):
        return part.html()
    return f"<pre>{escape(part)}</pre>" if isinstance(part, Verbatim) else paragraph(part)


def _in_a_cell(value: Any) -> Any:
    """A cell for CSV: empty for None, JSON for a list or a dictionary. A text that a spreadsheet would run is quoted."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple, dict)):
        return as_json(value, None)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") and not _is_number(value):
        return "'" + value
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def as_json(facts: Any, indent: int | None = 1) -> str:
    """A value for JSON. Infinity and NaN, which JSON lacks, become texts; so does what is not a plain number."""
    return json.dumps(_finite(facts), default=str, indent=indent, allow_nan=False, ensure_ascii=False)


def _finite(facts: Any) -> Any:
    if isinstance(facts, dict):
        return {key: _finite(value) for key, value in facts.items()}
    if isinstance(facts, (list, tuple)):
        return [_finite(value) for value in facts]
    return str(facts) if isinstance(facts, float) and not math.isfinite(facts) else facts
