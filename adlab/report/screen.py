"""The first screen of a comparison: 24 lines of 80 columns with the answer, and how far each method is from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adlab.display import Table, count, significant
from adlab.display.terminal import lines, wrapped
from adlab.errors import AdlabError
from adlab.report.accuracy import FEW, AccuracyRow, median_digits
from adlab.report.truth import Truth
from adlab.truth.meanings import mp_text

if TYPE_CHECKING:
    from adlab.report.compare import Comparison
    from adlab.report.verdict import Sentence

WIDTH, LINES = 80, 24
"""The size of a terminal when it opens. Its last line is the prompt's."""
LEAST_VERDICT = 2
"""Lines of the verdict that are always shown."""
SAID = ("swell", "cost", "truth")
"""What sentences of the verdict are about that repeat what stands above it on the screen."""
FULL = ("every partial", "what the columns mean")
"""What `--full` has, and the screen has not."""
GOOD, POOR = 15.0, 8.0
"""A method's answer with at least the first number of digits is green; with fewer than the second it is red."""


def screen(found: Comparison, width: int | None = None) -> list[Table | str]:
    """The question and the answer, one line for each method, and the verdict as far as there is room."""
    width = WIDTH if width is None else max(width, 40)
    table = methods_table(found)
    room = lines(LINES) - 3 - len(table.text(width).split("\n"))  # two blank lines, and the prompt
    answer = _answer(found, width, max(3, room - LEAST_VERDICT))
    return [answer, table, first_sentences(found.verdict, width, room - len(answer.split("\n")))]


# --- the answer -----------------------------------------------------------------------------------------------------


def _answer(found: Comparison, width: int, room: int) -> str:
    """The formula and the point, the derivative as a formula, and both as numbers."""
    f = found.function
    place = ", ".join(f"{name} = {value:.6g}" for name, value in zip(f.names[:FEW], found.point.tolist(), strict=False))
    title = cut_to(f"{f.title} at {place}{', …' * (f.n > FEW)}" if f.n else f.title, 2 * width)
    numbers = _numbers(found, width)
    heading = wrapped(title, width)
    room -= len(heading.split("\n")) + len(numbers)
    return "\n".join([heading, *formulas(found, width, max(1, room)), *numbers])


def formulas(found: Comparison, width: int, room: int) -> list[str]:
    """Each partial as a formula on a line of its own. Where they are long or many: their size, and how to get them."""
    f = found.function
    if not f.n:
        return []
    try:
        partials = found.partials()
    except AdlabError:
        partials = []
    written = [line for (i, j), formula in zip(_places(f), partials, strict=False)
               for line in wrapped(f"{_partial(f, i, j)} = {formula}", width).split("\n")]  # fmt: skip
    if partials and len(written) <= room and max(map(len, written)) <= width:
        return written
    tree, program = _sizes(found)
    many = f"{tree or program} operation{'' if (tree or program) == '1' else 's'}"
    size = f"{many} as a formula, {program} as a program" if tree else f"{many} as a program"
    return wrapped(f"{_partial(f)} has {size}: adlab derive shows it", width).split("\n")


def _places(f: Any) -> list[tuple[int, int]]:
    return [(i, j) for i in range(f.m) for j in range(f.n)]


def _partial(f: Any, output: int | None = None, variable: int = 0) -> str:
    """∂f/∂x or ∂f0/∂x; f′ where there is only one variable; ∇f or the Jacobian for all partials."""
    if output is None:
        return "f′" if f.n * f.m == 1 else "∇f" if f.m == 1 else "the Jacobian"
    if f.n * f.m == 1:
        return "f′"
    return f"∂f{output if f.m > 1 else ''}/∂{f.names[variable]}"


def _sizes(found: Comparison) -> tuple[str, str]:
    """The operations of the symbolic derivative (empty where there is none), and of the derivative program."""
    symbolic, program = found.swell.row("symbolic derivative"), found.swell.row("reverse program")
    tree = symbolic.tree_operations
    return "" if tree is None else count(tree), count(program.graph_operations)


def _numbers(found: Comparison, width: int) -> list[str]:
    """The value and the derivative with their certainty, on one line if they fit, else on a line each."""
    f, judged = found.function, found.truth
    if judged.status == "unavailable":
        line = f"f = {_value(found, 17)}, but {_partial(f)} has no certain value: {judged.reason}"
        return wrapped(cut_to(line, 2 * width), width).split("\n")
    status = "certified" if judged.status == "certified" else "from high-precision values"
    for digits in range(17, 6, -1):
        line = f"f = {_value(found, digits)}, {_partial(f)} = {_written(judged, digits)}, {status}"
        if len(line) <= width:
            return [line]
    values = (f"f = {_value(found, digits)}" for digits in range(17, 0, -1))
    line = f"{_partial(f)} = {_written(judged, 7)}, {status}"
    return [next((text for text in values if len(text) <= width), cut_to(f"f = {_value(found, 3)}", width)), cut_to(line, width)]


def _value(found: Comparison, digits: int) -> str:
    """The value of every output, rounded; at most four of them."""
    values = [output.value for output in found.truth.outputs[:4]]
    written = ["–" if value is None else mp_text(value, digits) for value in values]
    more = f", … {found.function.m} values" if found.function.m > 4 else ""
    return written[0] if len(found.truth.outputs) == 1 else f"({', '.join(written)}{more})"


def _written(judged: Truth, digits: int) -> str:
    partials = [part.value for part in judged.components[:4]]
    written = ["–" if value is None else mp_text(value, digits) for value in partials]
    if len(judged.components) == 1:
        return written[0]
    more = f", … {len(judged.components):,} partials" if len(judged.components) > 4 else ""
    return f"({', '.join(written)}{more})"


def cut_to(text: str, width: int) -> str:
    """The text, cut so that it is no longer than so many characters."""
    return text if len(text) <= width else text[: width - 1] + "…"


# --- the methods ----------------------------------------------------------------------------------------------------


def methods_table(found: Comparison) -> Table:
    """A line for each method: the digits of its worst partial, its error, its operations and time in units of f."""
    many = found.function.n * found.function.m > FEW
    head = ["method", "digits", *(["median"] if many else []), "error in ulps", "operations", "time", "status"]
    prices = {row.method: row for row in found.cost.rows}
    grouped: dict[str, list[AccuracyRow]] = {}
    for row in found.accuracy:
        grouped.setdefault(row.method, []).append(row)
    rows, styles = [], {}
    for number, (method, mine) in enumerate(grouped.items()):
        worst = min(mine, key=lambda row: math.inf if row.digits is None else row.digits)
        price = prices.get(method)
        middle = [significant(median_digits(mine), 3)] if many else []
        rows.append([
            method, significant(worst.digits, 3), *middle, _ulps(worst), in_units(None if price is None else price.ratio),
            in_units(None if price is None else price.time_ratio), _status(mine),
        ])  # fmt: skip
        styles[number, 1] = style(worst.digits)
    if all(row[-1] == "" for row in rows):
        head, rows = head[:-1], [row[:-1] for row in rows]
    if not any(row.seconds is not None for row in found.cost.rows):
        place = head.index("time")
        head, rows = head[:place] + head[place + 1 :], [row[:place] + row[place + 1 :] for row in rows]
    return Table("", head, rows, frozenset(head) - {"method", "status"}, styles=styles, rule=False)


def _status(rows: Sequence[AccuracyRow]) -> str:
    """A word where something is wrong. The verdict has the sentence."""
    return next((row.status for row in rows if row.status != "ok"), "")


def style(digits: float | None) -> str:
    """How the cell of a method's correct digits is painted."""
    if digits is None:
        return "quiet"
    return "good" if digits >= GOOD else "bad" if digits < POOR else ""


def _ulps(row: AccuracyRow) -> str:
    if row.ulps is None:
        return "–"
    return "< 1" if row.ulps < 1 else significant(row.ulps, 3)


def in_units(ratio: float | None) -> str:
    """A multiple of one evaluation of f: `2.3 f`."""
    if ratio is None:
        return "–"
    return f"{ratio:.1f} f" if ratio < 99.95 else f"{count(ratio)} f"


# --- the verdict ----------------------------------------------------------------------------------------------------


def first_sentences(verdict: Sequence[Sentence], width: int, room: int) -> str:
    """The first sentences of a verdict, which matter most. The last line says what `--full` has besides."""
    said: list[str] = []
    sentences = [sentence.text for sentence in verdict if sentence.about not in SAID]
    shown = 0
    for sentence in sentences:
        added = wrapped(f"• {sentence}", width).split("\n")
        if said and len(said) + len(added) + 1 > max(room, LEAST_VERDICT):
            break
        said += added
        shown += 1
    left = len(sentences) - shown
    more = [f"{left} more sentence{'s' if left > 1 else ''}"] if left else []
    if len(said) < room:
        said.append(f"  --full: {', '.join([*more, *FULL])}" if width >= WIDTH else "  --full has more")
    return "\n".join(said)
