"""`adlab.read`: formulas from a file, in one of several languages. Nothing in a file is ever executed."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import re
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
from adlab.text.parser import parse

_FORMULA = ("expr", "formula", "expression")
"""Possible names of the formula's column or field."""
_NAME = ("id", "name")
_STRANGE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
"""Characters that no text has: a terminal might obey them."""


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
    except OSError as error:
        raise OptionError(f"cannot read {where}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise OptionError(f"cannot read {where}: it is not text in UTF-8") from None
    if strange := _STRANGE.search(text):
        line = text.count("\n", 0, strange.start()) + 1
        raise OptionError(f"cannot read {where}: line {line} has the control character U+{ord(strange[0]):04X}")
    kind, reader = _READERS.get(where.suffix.lower(), (None, None))
    if reader is None or kind is None:
        raise OptionError(f"{where} has none of the endings that tell the language: {', '.join(_READERS)}")
    entries = tuple(reader(text, where.name))
    if not entries:
        raise OptionError(f"{where} holds no formula; it was read as {kind}")
    return Corpus(str(where), kind, entries)


def _jsonl(text: str, source: str) -> Iterable[Entry]:
    for k, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                row = _object(line, "this line")
            except OptionError as wrong:
                yield Entry(f"line {k}", None, source=f"{source}:{k}", reason=str(wrong))
            else:
                yield _record(row, f"{source}:{k}", f"line {k}")


def _object(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as wrong:
        raise OptionError(f"{where} is not JSON: {wrong}") from None
    except RecursionError:
        raise OptionError(f"{where} has too many brackets in each other") from None
    except ValueError:  # Python reads no longer ones
        raise OptionError(f"{where} has a number of more than 4300 digits") from None


def _record(row: Any, source: str, name: str) -> Entry:
    """An entry from an object with named fields."""
    if not isinstance(row, Mapping):
        return Entry(name, None, source=source, reason="this line holds no object with a formula")
    title = " ".join(str(next((row[word] for word in _NAME if row.get(word)), name)).split())
    formula = next((row[word] for word in _FORMULA if isinstance(row.get(word), str)), None)
    if formula is None:
        return Entry(title, None, source=source, reason=f"it has none of the fields {', '.join(_FORMULA)}")
    try:
        point = {word: _number(value, f"the point has for {word}") for word, value in _fields(row, "point")}
        ranges = {word: _range(word, ends) for word, ends in _fields(row, "ranges")}
        variables = _variables(row.get("variables"))
    except OptionError as wrong:
        return Entry(title, None, source=source, reason=str(wrong))
    return Entry(title, formula, variables, point, ranges, source)


def _fields(row: Mapping[str, Any], name: str) -> Iterable[tuple[str, Any]]:
    """What an object of the row has by variable."""
    given = row.get(name)
    if given is not None and not isinstance(given, Mapping):
        raise OptionError(f"`{name}` is {_shown(given)}; it takes an object with a field for each variable")
    return [(str(word), value) for word, value in (given or {}).items()]


def _number(value: Any, where: str) -> float:
    try:
        found = float(value) if isinstance(value, (int, float, str)) and value is not True else math.nan
    except (ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise OptionError(f"{where} {_shown(value)}, which is no finite number")
    return found


def _range(word: str, ends: Any) -> tuple[float, float]:
    if not isinstance(ends, list) or len(ends) != 2:
        raise OptionError(f"the range of {word} is {_shown(ends)}; it takes two numbers")
    low, high = (_number(end, f"the range of {word} has") for end in ends)
    if low > high:
        raise OptionError(f"the range of {word} begins at {low:g} and ends at {high:g}")
    return low, high


def _variables(given: Any) -> tuple[str, ...] | None:
    """Names in a list, or in a text with spaces or commas."""
    if isinstance(given, str):
        given = given.replace(",", " ").split()
    if given is not None and not isinstance(given, list):
        raise OptionError(f"`variables` is {_shown(given)}; it takes a list of names")
    return tuple(str(word) for word in given) if given else None


def _shown(value: Any) -> str:
    """A value as JSON writes it, in short."""
    text = json.dumps(value) if not isinstance(value, int) or abs(value) < 10**40 else "a number of very many digits"
    return text if len(text) <= 40 else text[:39] + "…"


def _csv(text: str, source: str) -> Iterable[Entry]:
    rows = csv.DictReader(io.StringIO(text))
    for k in itertools.count(2):
        try:
            row = next(rows, None)
        except csv.Error as wrong:
            raise OptionError(f"{source} is not CSV: {wrong} in row {k}") from None
        if row is None:
            return
        formula = next((row[word] for word in _FORMULA if row.get(word)), None)
        facts: dict[str, Any] = {"id": next((row[word] for word in _NAME if row.get(word)), None), "expr": formula,
                                 "variables": row.get("variables") or None}  # fmt: skip
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
    except KeyError as wrong:
        raise OptionError(f"{source} is not a fluid file of CoolProp: it has no field `{wrong.args[0]}`") from None
    except ArithmeticError:
        raise OptionError(f"{source}: the temperature or density of a state is 0, or too large") from None
    except (AttributeError, TypeError, ValueError):
        raise OptionError(f"{source} is not a fluid file of CoolProp: a field has the wrong kind of value") from None


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


_latex = _lines(lambda line: (parse(read_latex(line), names=["E"]), None))

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
