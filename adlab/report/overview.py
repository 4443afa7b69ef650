"""Several comparisons in one table, one line for each: condition, accuracy, size and cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from adlab.display import Report, Table, count, significant
from adlab.errors import OptionError
from adlab.report.compare import Comparison

MEANING = (
    "n → m: from how many inputs to how many outputs.",
    "condition: relative condition number of f, and the largest of its partials.",
    "digits: correct digits of the worst partial, of 16, by the method at the head.",
    "tree, cse, program: operations of the derivative as a formula, with shared parts, and as the reverse program.",
    "cost: operations of f and all its partials as a multiple of one evaluation of f.",
)


@dataclass(frozen=True)
class OverviewLine:
    """One comparison. None stands where there is no number: a condition number of 0, a method that refused."""

    name: str
    inputs: int
    outputs: int
    condition: float | None
    partials_condition: float | None
    digits: dict[str, float | None]
    tree: int | None
    cse: int | None
    program: int | None
    reverse_cost: float | None
    forward_cost: float | None


@dataclass(frozen=True)
class Overview(Report):
    """`lines`, one for each comparison, and the `methods` whose digits they show."""

    methods: tuple[str, ...]
    lines: tuple[OverviewLine, ...]

    def to_dict(self) -> dict[str, Any]:
        """`rows`, a dictionary for each line."""
        return {"rows": [asdict(line) for line in self.lines]}

    def sections(self) -> list[Table | str]:
        """The table, and what its columns mean."""
        numbers = ["n → m", "condition of f", "of ∇f", *(f"digits, {name}" for name in self.methods),
                   "tree", "cse", "program", "cost, reverse", "cost, forward"]  # fmt: skip
        return [Table("", ["function", *numbers], [_cells(line) for line in self.lines], frozenset(numbers)), "\n".join(MEANING)]


def overview(
    comparisons: Mapping[str, Comparison] | Iterable[Comparison] | Comparison, methods: Iterable[str] | str | None = None
) -> Overview:
    """Comparisons side by side, one line for each. A mapping names them; otherwise each has its function's title.

    `methods` are the methods whose digits are shown: by default reverse mode and the best difference scheme in the comparisons.
    Raises OptionError without a comparison, for anything else than comparisons, and for a method that no comparison has.

    >>> from adlab import compare
    >>> found = overview({"square": compare("x**2", 3.0, ["reverse"], timed=False)})
    >>> found.lines[0].name, found.lines[0].condition, found.lines[0].digits
    ('square', 2.0, {'reverse': 16.0})
    """
    pairs: list[tuple[str, Comparison]]
    if isinstance(comparisons, Mapping):
        pairs = list(zip(comparisons, _checked(comparisons.values()), strict=True))
    else:
        given = [comparisons] if isinstance(comparisons, Comparison) else comparisons
        pairs = [(found.function.written or found.function.title, found) for found in _checked(given)]
    if not pairs:
        raise OptionError("no comparison for the overview")
    known = list(dict.fromkeys(row.method for _, found in pairs for row in found.accuracy))
    asked = [methods] if isinstance(methods, str) else methods
    chosen = [name for name in DEFAULT if name in known][:2] or known[:1] if asked is None else list(asked)
    for name in chosen:
        if name not in known:
            raise OptionError(f"no comparison holds {name!r}; they hold {', '.join(known)}")
    return Overview(tuple(chosen), tuple(_line(name, found, chosen) for name, found in pairs))


def _checked(given: Any) -> list[Comparison]:
    """The comparisons as a list. Raises OptionError for anything else."""
    found = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    for each in found:
        if not isinstance(each, Comparison):
            raise OptionError(f"an overview takes comparisons, and {each!r} is none; adlab.compare(f, x) makes one")
    return found


DEFAULT = ("reverse", "richardson", "central-difference", "forward-difference")


def _line(name: str, found: Comparison, methods: Iterable[str]) -> OverviewLine:
    symbolic, program = found.swell.row("symbolic derivative"), found.swell.row("reverse program")
    prices = {row.method: row.ratio for row in found.cost.rows}
    known = found.conditioning
    return OverviewLine(
        name, found.function.n, found.function.m,
        None if known is None else _largest(known.f),
        None if known is None or known.partials is None else _largest(known.partials),
        {method: _worst(found, method) for method in methods},
        symbolic.tree_operations, symbolic.cse_operations, program.graph_operations, prices.get("reverse"), prices.get("forward"),
    )  # fmt: skip


def _largest(numbers: Any) -> float | None:
    finite = numbers[np.isfinite(numbers)]
    return float(finite.max()) if finite.size else None


def _worst(found: Comparison, method: str) -> float | None:
    """The digits of the method's worst partial; None where it has no answer for one of them."""
    digits = [row.digits for row in found.accuracy if row.method == method]
    known = [number for number in digits if number is not None]
    return min(known) if known and len(known) == len(digits) else None


def _cells(line: OverviewLine) -> list[str]:
    condition = [significant(number, 2) for number in (line.condition, line.partials_condition)]
    sizes = [count(size) for size in (line.tree, line.cse, line.program)]
    digits, prices = map(_tenths, (line.digits.values(), (line.reverse_cost, line.forward_cost)))
    return [line.name, f"{line.inputs} → {line.outputs}", *condition, *digits, *sizes, *prices]


def _tenths(numbers: Iterable[float | None]) -> list[str]:
    return ["–" if number is None else f"{number:.1f}" for number in numbers]
