"""Recorded output is held by meaning: words and layout exactly, each number within what numbers of its kind may vary.

Two processors round differently, and so print other last digits. Which numbers may differ, and by how much:

- a count, or any other whole number: not at all;
- a number of 18 digits or more, which was computed to a precision of its own: not at all;
- a value of binary64 (12 digits or more): by 4 ulps, and by the error that the same row states for it;
- any other number: by one unit of its last digit;
- an error, an estimate, a bound, a count of ulps: by a factor of 8, and freely below 8 ulps; digits kept: by one;
- a time, and the ratio beside it: freely; the evaluations and Jacobians of a fit, which ends where rounding tells it to: freely.

The kind of a number is told by the heading of its column, or by the word after it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import zip_longest

NUMBER = re.compile(r"(?<![\w.\-])[-−+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?(?![\w])")
RULE = re.compile(r"─[─ ]*")
TIME = re.compile(r"\d[\d.]*(?:e[-+]?\d+)? ?(?:ns|µs|ms|s)\b")
STEPS = re.compile(r"\b\d+ evaluations and \d+ Jacobians\b")
ULP = 2.0**-52
FACTOR = 8.0  # an error is a handful of roundings, which may fall together on one machine and cancel on another
SMALL = 1e-7  # a short number below it in plain text is an error

MAGNITUDES = ("error", "ulps", "bound", "estimate", "residual", "noise", "roundoff", "truncation", "radius")


@dataclass(frozen=True)
class Cell:
    """A piece of a line under one heading; in plain text, the whole line under none."""

    heading: str
    text: str


def differences(recorded: str, now: str) -> list[str]:
    """Every line whose meaning has changed, as a sentence; none if all is as it was."""
    found = []
    for number, (before, after) in enumerate(zip_longest(_rows(recorded), _rows(now)), 1):
        if before is None or after is None or not _same_row(before, after):
            found.append(f"line {number}: recorded `{_line(before)}`, now `{_line(after)}`")
    return found


def _line(row: list[Cell] | None) -> str:
    return "no such line" if row is None else "  ".join(cell.text for cell in row)


def _rows(text: str) -> list[list[Cell]]:
    """The lines, those of a table cut into cells where the rule under its head says that columns begin."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    rows: list[list[Cell]] = []
    columns: list[tuple[str, int, int | None]] = []
    short: list[str] = []
    for i, line in enumerate(lines):
        if line.startswith("method  ") and not any(map(RULE.fullmatch, lines[i + 1 : i + 3])):
            short = re.split(" {2,}", line)
        short = short if line else []
        if short:  # the first screen's table, which has no rule under its head
            cells = re.split(" {2,}", line)
            rows.append([Cell(heading, _plain(cell)) for heading, cell in zip_longest(short, cells, fillvalue="")])
            continue
        if RULE.fullmatch(line):
            starts = [match.start() for match in re.finditer("─+", line)]
            spans = list(zip(starts, [*starts[1:], None], strict=True))
            columns = [(lines[i - 1][a:b].strip(), a, b) for a, b in spans]
            rows.append([Cell("", "─" * len(columns))])
        elif columns and line:
            rows.append([Cell(heading, _plain(line[a:b])) for heading, a, b in columns])
        else:
            columns = []
            rows.append([Cell("", _plain(line))])
    return rows


def _plain(text: str) -> str:
    """Without padding, which follows the widths of numbers."""
    return re.sub(r" +", " ", STEPS.sub("some evaluations and Jacobians", text)).strip()


def _same_row(before: list[Cell], after: list[Cell]) -> bool:
    if [cell.heading for cell in before] != [cell.heading for cell in after]:
        return False
    error = sum(_stated_error(row) for row in (before, after))
    timed = False
    for one, other in zip(before, after, strict=True):
        if timed and re.fullmatch(r"[\d.e+]+", one.text) and re.fullmatch(r"[\d.e+]+", other.text):
            timed = False  # the ratio beside a time
            continue
        timed = TIME.fullmatch(one.text) is not None
        if not _same_cell(one, other, error):
            return False
    return True


def _stated_error(row: list[Cell]) -> float:
    """The largest relative or absolute error that the row states, 0 if none."""
    stated = [0.0]
    for cell in row:
        if "error" in cell.heading and "ulps" not in cell.heading:
            stated += [abs(float(token)) for token in _numbers(cell.text) if not _whole(token)]
    return max(stated)


def _numbers(text: str) -> list[str]:
    return [match[0].replace("−", "-") for match in NUMBER.finditer(text)]


def _same_cell(one: Cell, other: Cell, error: float) -> bool:
    if one.heading == "time" and one.text.endswith(" f"):  # in units of f
        return other.text.endswith(" f")
    if one.heading == "s":
        return bool(_numbers(one.text)) == bool(_numbers(other.text))
    one, other = (Cell(cell.heading, TIME.sub("(time)", cell.text)) for cell in (one, other))
    if _magnitude(one.heading):  # "< 1.1e-16" says the same as "1.3e-16"
        one, other = (Cell(cell.heading, cell.text.replace("< ", "")) for cell in (one, other))
    if NUMBER.sub("#", one.text) != NUMBER.sub("#", other.text):
        return False
    pairs = list(zip(NUMBER.finditer(one.text), NUMBER.finditer(other.text), strict=True))
    size = max([abs(float(token)) for token in _numbers(one.text) if math.isfinite(float(token))], default=0.0)
    return all(_same_number(a, b, one, error, size) for a, b in pairs)


def _magnitude(heading: str) -> bool:
    return any(mark in heading for mark in MAGNITUDES)


def _whole(token: str) -> bool:
    return re.fullmatch(r"[-+]?\d+", token) is not None


def _same_number(one: re.Match[str], other: re.Match[str], cell: Cell, error: float, size: float) -> bool:
    """`size` is that of the largest number in the cell: beside it, the components of a vector are rounded."""
    (a, b), after = (match[0].replace("−", "-") for match in (one, other)), cell.text[one.end() :]
    x, y = float(a), float(b)
    if a == b:
        return True
    if "digits" in cell.heading or (re.match(r" (?:correct )?digits", after) and "." in a + b):
        return abs(x - y) <= 1.0
    if "ulps" in cell.heading or re.match(r" ulps?\b", after):
        return _alike(x, y, floor=FACTOR)
    if _magnitude(cell.heading):
        return _alike(x, y, floor=FACTOR * ULP)
    if _whole(a) and _whole(b):
        return False
    shown = max(_significant(a), _significant(b))
    if shown > 17:
        return False
    if shown < 5 and max(abs(x), abs(y)) < SMALL and _alike(x, y, floor=FACTOR * ULP * max(1.0, size)):
        return True
    unit = 0.0 if shown >= 12 else 1.001 * max(_unit(a), _unit(b))
    return abs(x - y) <= max(unit, 4 * ULP * size, error * max(1.0, abs(x), abs(y)))


def _alike(x: float, y: float, floor: float) -> bool:
    least, most = sorted((abs(x), abs(y)))
    return most <= floor or most <= FACTOR * least


def _significant(token: str) -> int:
    return len(re.sub(r"e.*|[-+.]", "", token).lstrip("0"))


def _unit(token: str) -> float:
    """One unit of the last digit shown."""
    mantissa, _, exponent = token.partition("e")
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
