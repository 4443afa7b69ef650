"""The first screen of a comparison of Hessians: 24 lines of 80 columns, like `screen` for gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adlab.display import Table, significant
from adlab.display.terminal import lines, wrapped
from adlab.report.cost import duration
from adlab.report.screen import LEAST_VERDICT, LINES, WIDTH, cut_to, first_sentences, in_units, style
from adlab.truth.meanings import mp_text

if TYPE_CHECKING:
    from adlab.report.hessians import HessianComparison

FEW = 3
"""With at most this many variables, all second partials are written out."""


def screen(found: HessianComparison, width: int | None = None) -> list[Table | str]:
    """The formula, the point and the Hessian; one line for each method; the verdict, as far as there is room."""
    width = WIDTH if width is None else max(width, 40)
    table = methods_table(found)
    answer = _answer(found, width)
    room = lines(LINES) - 3 - len(table.text(width).split("\n")) - len(answer.split("\n"))  # two blank lines, and the prompt
    return [answer, table, first_sentences(found.verdict, width, max(room, LEAST_VERDICT))]


def _answer(found: HessianComparison, width: int) -> str:
    f, judged = found.function, found.truth
    place = ", ".join(f"{name} = {value:.6g}" for name, value in zip(f.names[: 2 * FEW], found.point.tolist(), strict=False))
    title = cut_to(f"{f.title} at {place}{', …' * (f.n > 2 * FEW)}", 2 * width)
    what = "f″" if f.n == 1 else "∇²f"
    tree = f"{found.tree} operations as a formula, " if found.tree[0].isdigit() else ""
    program = f"{found.program} {'as a program' if tree else 'operations as a program, and no formula here'}"
    size = f"{what} has {tree}{program}: adlab derive --order 2"
    if judged.status == "unavailable":
        said = cut_to(f"no Hessian to judge by: {judged.reason}", 2 * width)
    elif f.n > FEW:
        said = f"{f.n} × {f.n} second partials, {judged.status}; --full shows them"
    else:
        said = _numbers(found, width)
    return "\n".join([wrapped(title, width), cut_to(size, width), wrapped(said, width)])


def _numbers(found: HessianComparison, width: int) -> str:
    """The second partials, mixed ones once, in as many digits as two lines hold."""
    names, rows = found.function.names, found.truth.hessian
    places = [(i, j) for i in range(len(names)) for j in range(i, len(names))]
    text = ""
    for digits in range(17, 4, -1):
        written = [f"{_partial(names, i, j)} = {mp_text(rows[i][j], digits)}" for i, j in places]
        text = f"{', '.join(written)}, {found.truth.status}"
        if len(text) <= 2 * width - 10:  # words are not broken, so a line may end before its width
            break
    return text


def _partial(names: list[str], i: int, j: int) -> str:
    if len(names) == 1:
        return "f″"
    return f"∂²f/∂{names[i]}²" if i == j else f"∂²f/∂{names[i]}∂{names[j]}"


def methods_table(found: HessianComparison) -> Table:
    """A line for each method: digits of its worst second partial, asymmetry, operations in units of f, time."""
    head = ["method", "digits", "asymmetry", "operations", "time", "status"]
    rows = [
        [row.method, significant(row.digits, 3), "–" if row.asymmetry is None else f"{row.asymmetry:.1g}", in_units(row.ratio),
         duration(row.seconds), "" if row.status == "ok" else row.status]
        for row in found.rows
    ]  # fmt: skip
    dropped: Any = [column for column, name in enumerate(head)
                    if (name == "status" and not any(row[-1] for row in rows))
                    or (name == "time" and all(row.seconds is None for row in found.rows))]  # fmt: skip
    head, rows = _without(head, dropped), [_without(row, dropped) for row in rows]
    styles = {(number, 1): style(row.digits) for number, row in enumerate(found.rows)}
    return Table("", head, rows, frozenset(head) - {"method", "status"}, styles=styles, rule=False)


def _without(cells: list[str], dropped: list[int]) -> list[str]:
    return [cell for column, cell in enumerate(cells) if column not in dropped]
