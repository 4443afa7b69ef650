"""`adlab.improve`: another form of a formula that keeps its digits, found by search and measured by the truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adlab.audit.measured import closer_look, measured, measured_at, true_at
from adlab.audit.rewrites import evaluated, exact_constants
from adlab.audit.search import ENOUGH, Form, Search
from adlab.display import Report, Table, significant
from adlab.errors import OptionError
from adlab.function import as_function, point_of
from adlab.inputs import takes_at
from adlab.text.parser import parse

MOST_WORSE = 4
"""Points of a closer look at which a form is worse that are shown."""
GAIN = 0.5
"""Digits that a form must win at the worst point. A form that loses more than that at any point says where."""


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

    Identities (conjugates, log1p, expm1, half angles, partial fractions, …) are applied at every operation, up to four in a
    row. Each form is read as its text and measured by the truth of f. What is proposed is never worse than f at the worst
    point; where it is worse at another one, the report says where. Raises OptionError for a function of several outputs.

    >>> print(improve("sqrt(x + 1) - sqrt(x)", 1e12).after.text)
    1/(sqrt(x) + sqrt(x + 1))
    """
    f = as_function(f, x)
    if f.m != 1 or not f.n or not f.independent:
        raise OptionError("a form is looked for of a formula with one output and at least one variable")
    place = point_of(f, x)
    points = measured_at(f, place.tolist(), over)
    wanted = [(point, known) for point in points if (known := true_at(f, point)) is not None]
    if not wanted:
        raise OptionError("f has no value and gradient at any of these points, so that no form can be measured")
    near = dict(zip(f.variables, place.tolist(), strict=True))
    before = measured(f.outputs[0], f.names, wanted, ())
    if before is None:
        raise OptionError("f itself cannot be measured at these points")
    search = Search(lambda expression, steps: measured(expression, f.names, wanted, steps), near)
    starts = {"": exact_constants(f.outputs[0]), "usual order": evaluated(f.outputs[0])}
    best = search.best(starts, before)
    if best.worst < ENOUGH:  # a series is the last resort: it needs a branch
        best = max(best, search.best(starts, before, series=True), key=lambda form: form.score)
    after = _chosen(before, best, search.known.values()) if before.worst < ENOUGH else before
    if over and after is not before:
        more = [(point, known) for point in closer_look(f, place.tolist(), over, after.text) if (known := true_at(f, point))]
        before, after, worse = _seen_closer(f, before, after, more)
        wanted = [*wanted, *(more[k] for k in worse)]
    places = tuple(tuple(point) for point, _ in wanted)
    return Improvement(places, tuple(f.names), before, after, search.tried, len(points) - len(wanted))


def _seen_closer(f: Any, before: Form, after: Form, more: list[Any]) -> tuple[Form, Form, list[int]]:
    """Both forms with the further points at which the new one is worse, and the numbers of these points."""
    both = [measured(parse(form.text, names=f.names), f.names, more, form.steps) if more else None for form in (before, after)]
    old, new = both
    if old is None or new is None:
        return before, after, []
    kept = list(zip(zip(old.value, old.gradient, strict=True), zip(new.value, new.gradient, strict=True), strict=True))
    worse = [k for k, (a, b) in enumerate(kept) if any(y < min(x, ENOUGH) - GAIN for x, y in zip(a, b, strict=True))][:MOST_WORSE]
    longer = [replace(form, value=(*form.value, *(seen.value[k] for k in worse)),
                      gradient=(*form.gradient, *(seen.gradient[k] for k in worse)))
              for form, seen in ((before, old), (after, new))]  # fmt: skip
    return longer[0], longer[1], worse


def _chosen(before: Form, best: Form, known: Iterable[Form]) -> Form:
    """A form that is nowhere worse if it is about as good as the best one. Else the best, if it wins more than it loses."""
    nowhere_worse = [form for form in known if form.nowhere_worse(before, GAIN)]
    for form in (max([before, *nowhere_worse], key=lambda form: form.score), best):
        old, new = before.value + before.gradient, form.value + form.gradient
        lost = max(max(min(a, ENOUGH) - b for a, b in zip(old, new, strict=True)), 0.0)
        if form.worst >= min(before.worst + GAIN + lost, ENOUGH) and form.worst >= min(best.worst, ENOUGH) - GAIN:
            return form
    return before
