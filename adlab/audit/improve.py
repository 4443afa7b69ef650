"""`adlab.improve`: another form of a formula that keeps its digits, found by search and measured by the truth."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from adlab.audit.corpus import drawn
from adlab.audit.rewrites import exact_constants, rewrites
from adlab.display import Report, Table, significant
from adlab.errors import AdlabError, OptionError
from adlab.function import Function, as_function, point_of
from adlab.inputs import takes_at
from adlab.progress import stage
from adlab.report.accuracy import distance
from adlab.report.truth import truth
from adlab.text.traversal import postorder

ENOUGH = 14.0
"""Correct digits with which the search is content."""
WIDTH, DEPTH = 6, 3
"""The number of forms that each round of the search starts from, and the number of rounds."""
MOST = 400
"""Forms that are measured in one search."""
NEIGHBOURS = 6
"""Points beside the one asked for, within a thousandth of it. A form that is good at one point only is no better form."""
SAMPLE = 12
"""Points of a range."""
GAIN = 0.5
"""Digits that a form must win at the worst point. A form that loses more than that at any point says where."""


@dataclass(frozen=True)
class Form:
    """One way to write f: its text, what made it, its correct digits of value and gradient by point, its operations."""

    text: str
    steps: tuple[str, ...]
    value: tuple[float, ...]
    gradient: tuple[float, ...]
    operations: int

    @property
    def worst(self) -> float:
        """The digits that value and gradient keep at the worst point."""
        return min(*self.value, *self.gradient)

    @property
    def score(self) -> tuple[float, float, int]:
        """What is compared: digits at the worst point, digits on average, fewer operations."""
        mean = sum(self.value + self.gradient) / len(self.value) / 2
        return (round(min(self.worst, ENOUGH), 1), round(min(mean, ENOUGH + 1), 1), -self.operations)


@dataclass(frozen=True)
class Improvement(Report):
    """What was found: `before`, `after` (the same where nothing is better), and where `after` is worse."""

    points: tuple[tuple[float, ...], ...]
    names: tuple[str, ...]
    before: Form
    after: Form
    tried: int
    left_out: int
    """Points at which f has no value or no gradient that is known."""

    @property
    def found(self) -> bool:
        """Whether there is a better form."""
        return self.after is not self.before

    @property
    def worse(self) -> list[int]:
        """The points at which the new form keeps fewer digits."""
        old, new = (list(zip(form.value, form.gradient, strict=True)) for form in (self.before, self.after))
        return [k for k in range(len(old)) if any(b < min(a, ENOUGH) - GAIN for a, b in zip(old[k], new[k], strict=True))]

    def to_dict(self) -> dict[str, Any]:
        """`found, before, after, tried, rows`: digits of value and gradient before and after at each point."""
        return {"found": self.found, "before": self.before.text, "after": self.after.text, "steps": list(self.after.steps),
                "operations": [self.before.operations, self.after.operations], "tried": self.tried,
                "rows": [{"point": list(point), "value before": self.before.value[k], "value after": self.after.value[k],
                          "gradient before": self.before.gradient[k], "gradient after": self.after.gradient[k]}
                         for k, point in enumerate(self.points)]}  # fmt: skip

    def sections(self) -> list[Table | str]:
        """The form to write instead, then the digits of both at the points."""
        if not self.found:
            well = f"{self.before.text} keeps its digits: no other form is needed"
            nothing = f"nothing better was found among {self.tried} forms of {self.before.text}"
            head = well if self.before.worst >= ENOUGH else nothing
        else:
            head = f"write     {self.after.text}\ninstead of {self.before.text}\nby        {', then '.join(self.after.steps)}"
            if self.worse:
                head += f"\nbut it keeps fewer digits at {', '.join(self._place(k) for k in self.worse[:4])}"
        kept = [self.before.value, self.after.value, self.before.gradient, self.after.gradient]
        cells = [[self._place(k), *(significant(digits[k], 3) for digits in kept)] for k in range(len(self.points))]
        columns = ["at", "value before", "after", "gradient before", "after "]
        table = Table("correct digits of the value and of the worst partial", columns, cells, frozenset(columns[1:]))
        counts = f"{self.before.operations} operations before, {self.after.operations} after"
        out = f"; {self.left_out} further points have no known value and gradient, and were left out" if self.left_out else ""
        return [head, table, f"{counts}; {self.tried} forms were measured{out}"]

    def _place(self, k: int) -> str:
        return ", ".join(f"{name} = {x:.8g}" for name, x in zip(self.names, self.points[k], strict=True))


@takes_at
def improve(f: Any, x: Any = None, over: Mapping[str, tuple[float, float]] | None = None) -> Improvement:
    """A form of f that keeps more digits of value and gradient near x, or over ranges such as `{"x": (1e-9, 1)}`.

    Identities (conjugates, log1p, expm1, half angles, partial fractions, …) are applied at every operation, up to three in a
    row. Each form is read as its text and measured by the truth of f. What is proposed is never worse than f at the worst
    point; where it is worse at another one, the report says where. Raises OptionError for a function of several outputs.

    >>> print(improve("sqrt(x + 1) - sqrt(x)", 1e12).after.text)
    1/(sqrt(x) + sqrt(x + 1))
    """
    f = as_function(f, x)
    if f.m != 1 or not f.n or not f.independent:
        raise OptionError("a form is looked for of a formula with one output and at least one variable")
    place = point_of(f, x)
    if over is not None and not isinstance(over, Mapping):
        raise OptionError(f"`over` is {over!r}; it takes ranges by name, such as {{'x': (1e-9, 1)}}")
    points = _ranged(f, place.tolist(), over) if over else _beside(place.tolist())
    wanted = [(point, known) for point in points if (known := _true(f, point)) is not None]
    if not wanted:
        raise OptionError("f has no value and gradient at any of these points, so that no form can be measured")
    near = dict(zip(f.variables, place.tolist(), strict=True))
    before = _measured(f.outputs[0], f.names, wanted, ())
    if before is None:
        raise OptionError("f itself cannot be measured at these points")
    formula = exact_constants(f.outputs[0])
    best, tried = _search(formula, before, f.names, wanted, near)
    if best.worst < ENOUGH:  # a series is the last resort: it needs a branch
        other, more = _search(formula, before, f.names, wanted, near, series=True)
        best, tried = max(best, other, key=lambda form: form.score), tried + more
    after = best if before.worst < ENOUGH and best.worst >= min(before.worst + GAIN, ENOUGH) else before
    measured = tuple(tuple(point) for point, _ in wanted)
    return Improvement(measured, tuple(f.names), before, after, tried, len(points) - len(wanted))


def _search(
    formula: Any, before: Form, names: Sequence[str], wanted: Sequence[tuple[list[float], Any]], near: Mapping[Any, float],
    series: bool = False,
) -> tuple[Form, int]:
    """The best form within `DEPTH` rewrites, by a beam: each round goes on from the `WIDTH` best."""
    known: dict[str, Form] = {before.text: before}
    beam: list[tuple[Form, Any]] = [(before, formula)]
    best = before
    for round_ in range(DEPTH):
        made: list[tuple[Form, Any]] = []
        for form, expression in beam:
            for name, new in _rewritten(expression, near, series):
                text = str(new)
                if text in known or len(known) >= MOST:
                    continue
                stage(f"round {round_ + 1}, {len(known)} forms")
                measured = _measured(new, names, wanted, (*form.steps, name))
                known[text] = measured or before
                if measured is not None:
                    made.append((measured, new))
        beam = sorted([*beam, *made], key=lambda pair: pair[0].score, reverse=True)[:WIDTH]
        best = beam[0][0]
        if best.worst >= ENOUGH or not made:
            break
    return best, len(known)


def _rewritten(expression: Any, near: Mapping[Any, float], series: bool) -> list[tuple[str, Any]]:
    """Every identity at every part of an expression."""
    found = []
    for part in postorder([expression]):
        if isinstance(part, sympy.Expr) and part.args:
            for name, new in rewrites(part, dict(near), series):
                if not new.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I):
                    found.append((name, expression.xreplace({part: new})))
    return found


def _measured(
    expression: Any, names: Sequence[str], wanted: Sequence[tuple[list[float], Any]], steps: tuple[str, ...]
) -> Form | None:
    """The digits of a form as its text is read, None where it has no value or gradient at some point."""
    text = str(expression)
    try:
        g = Function(text, names)
        values, gradients = [], []
        for point, (value, partials) in wanted:
            values.append(_digits(float(g(point)), value))
            got = g.gradient(np.array(point)).tolist()
            largest = max((abs(float(partial)) for partial in partials), default=0.0) or 1.0
            gradients.append(min(_digits(a, b, largest) for a, b in zip(got, partials, strict=True)))
        return Form(text, steps, tuple(values), tuple(gradients), len(g.graph.operations))
    except (AdlabError, ArithmeticError, RecursionError):
        return None


def _true(f: Function, point: list[float]) -> tuple[Any, list[Any]] | None:
    """The value and the gradient to 30 digits."""
    try:
        found = truth(f, point)
    except AdlabError:
        return None
    partials = list(found.gradient)
    return None if found.value is None or None in partials else (found.value, partials)


def _digits(value: float, true: Any, scale: float = 1.0) -> float:
    """Correct digits. Where the truth is 0 they are counted against `scale`, the size of what it stands beside."""
    if not math.isfinite(value):
        return 0.0
    if true or not value:
        return distance(value, true).digits
    return max(0.0, min(16.0, -math.log10(abs(value) / scale)))


def _beside(place: list[float]) -> list[list[float]]:
    chance = random.Random(1)
    return [place, *([x * (1 + chance.uniform(-1e-3, 1e-3)) for x in place] for _ in range(NEIGHBOURS))]


def _ranged(f: Function, place: list[float], over: Mapping[str, tuple[float, float]]) -> list[list[float]]:
    """Points of a box: variables without a range stay where they are."""
    ends: dict[int, tuple[float, float]] = {}
    for name, pair in over.items():
        try:
            low, high = map(float, pair)
        except (TypeError, ValueError):
            low = high = math.nan
        if name not in f.names or not low < high or not math.isfinite(high - low):
            raise OptionError(f"`over` has {name!r}: {pair!r}; it takes variables of f, each with two finite numbers, low < high")
        ends[f.names.index(name)] = low, high
    chance = random.Random(1)
    return [place, *([drawn(chance, *ends[i]) if i in ends else x for i, x in enumerate(place)] for _ in range(SAMPLE))]
