"""`adlab.read`: formulas from a file, in one of several languages. Nothing in a file is ever executed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from adlab.audit.coolprop import read_coolprop
from adlab.audit.corpus import Corpus, Entry
from adlab.audit.fpcore import read_fpcore
from adlab.audit.latex import formula_lines, read_latex
from adlab.audit.sbml import read_sbml
from adlab.audit.srepr import read_srepr
from adlab.errors import AdlabError, OptionError

_FORMULA = ("expr", "formula", "expression")
"""Possible names of the formula's column or field."""
_NAME = ("id", "name")


def read(path: str | Path) -> Corpus:
    """The formulas of a file: a sequence of entries with a name, a formula, variables, a point and ranges.

    | file | what is read |
    |---|---|
    | `.jsonl` | an object a line: `expr`, and perhaps `id`, `variables`, `point`, `ranges` |
    | `.csv` | a column `expr`, perhaps `id` and `variables`; other columns are variables, their cells numbers |
    | `.fpcore` | FPCore; preconditions give the ranges |
    | `.xml`, `.sbml` | SBML (extra `sbml`): kinetic laws, rules, initial assignments, at the model's values |
    | `.json` | CoolProp's fluids: the residual Helmholtz energy at the states that the file gives |
    | `.srepr` | SymPy's `srepr`, an expression a line |
    | `.tex` | simple formulas in LaTeX, one a line; of an equation the right-hand side |
    | `.txt` | a formula a line, as in `adlab table` |

    A formula that cannot be read is an entry that says why. Raises OptionError for a file that cannot be read at all.
    """
    where = Path(path)
    try:
        text = where.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"cannot read {where}: {getattr(error, 'strerror', None) or error}") from error
    kind, reader = _READERS.get(where.suffix.lower(), (None, None))
    if reader is None or kind is None:
        raise OptionError(f"{where} has none of the endings that tell the language: {', '.join(_READERS)}")
    entries = tuple(reader(text, where.name))
    if not entries:
        raise OptionError(f"{where} holds no formula as {kind}")
    return Corpus(str(where), kind, entries)


def _jsonl(text: str, source: str) -> Iterable[Entry]:
    for k, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _record(_object(line, f"{source}, line {k}"), f"{source}:{k}", f"line {k}")


def _object(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise OptionError(f"{where} is not JSON: {wrong}") from None


def _record(row: Any, source: str, name: str) -> Entry:
    """An entry from an object with named fields."""
    if not isinstance(row, Mapping):
        return Entry(name, None, source=source, reason="this line holds no object with a formula")
    title = str(next((row[word] for word in _NAME if row.get(word)), name))
    formula = next((row[word] for word in _FORMULA if isinstance(row.get(word), str)), None)
    if formula is None:
        return Entry(title, None, source=source, reason=f"it has none of the fields {', '.join(_FORMULA)}")
    try:
        point = {str(word): float(value) for word, value in (row.get("point") or {}).items()}
        ranges = {str(word): (float(low), float(high)) for word, (low, high) in (row.get("ranges") or {}).items()}
        variables = tuple(str(word) for word in row["variables"]) if row.get("variables") else None
    except (AttributeError, TypeError, ValueError) as wrong:
        return Entry(title, None, source=source, reason=f"its point, ranges or variables are not what they should be: {wrong}")
    return Entry(title, formula, variables, point, ranges, source)


def _csv(text: str, source: str) -> Iterable[Entry]:
    for k, row in enumerate(csv.DictReader(io.StringIO(text)), 2):
        formula = next((row[word] for word in _FORMULA if row.get(word)), None)
        facts: dict[str, Any] = {"id": next((row[word] for word in _NAME if row.get(word)), None), "expr": formula,
                                 "variables": (row.get("variables") or "").replace(",", " ").split()}  # fmt: skip
        known = {*_FORMULA, *_NAME, "variables"}
        facts["point"] = {word: cell for word, cell in row.items() if word and word not in known and cell not in ("", None)}
        yield _record(facts, f"{source}:{k}", f"line {k}")


def _coolprop(text: str, source: str) -> Iterable[Entry]:
    data = _object(text, source)
    fluids = data if isinstance(data, list) else [data]
    if not all(isinstance(fluid, dict) and isinstance(fluid.get("EOS"), list) for fluid in fluids):
        raise OptionError(f"{source} is not a fluid file of CoolProp: it has no list `EOS`")
    try:
        return read_coolprop(data, source)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as wrong:
        raise OptionError(f"{source} is not a fluid file of CoolProp: {wrong!r} is missing or wrong") from None


def _lines(of: Callable[[str], Any]) -> Callable[[str, str], Iterable[Entry]]:
    """One formula on a line; `#` begins a comment."""

    def entries(text: str, source: str) -> Iterable[Entry]:
        for k, line in enumerate(text.splitlines(), 1):
            written = line.partition("#")[0].strip()
            if written:
                try:
                    formula, point = of(written)
                    yield Entry(f"line {k}", formula, point=point or {}, source=f"{source}:{k}")
                except AdlabError as reason:
                    yield Entry(f"line {k}", None, source=f"{source}:{k}", reason=str(reason).splitlines()[0])

    return entries


def _plain(line: str) -> tuple[Any, Any]:
    from adlab.report.grid import read_line

    f, point = read_line(line)
    known = f.point if point is None else point
    if known is not None and not isinstance(known, Mapping):
        known = dict(zip(f.names, known, strict=True))
    return f.expr, known


_latex = _lines(lambda line: (read_latex(line), None))

_READERS: dict[str, tuple[str, Callable[[str, str], Iterable[Entry]]]] = {
    ".jsonl": ("lines of JSON", _jsonl),
    ".csv": ("CSV", _csv),
    ".fpcore": ("FPCore", read_fpcore),
    ".xml": ("SBML", read_sbml),
    ".sbml": ("SBML", read_sbml),
    ".json": ("a fluid of CoolProp", _coolprop),
    ".srepr": ("SymPy's srepr", _lines(lambda line: (read_srepr(line), None))),
    ".tex": ("LaTeX, a formula a line", lambda text, source: _latex("\n".join(formula_lines(text)), source)),
    ".txt": ("a formula a line", _lines(_plain)),
}
"""For each ending of a file name: the language, and the function that reads it."""
