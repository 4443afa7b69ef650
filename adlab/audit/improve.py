"""`adlab.improve`: another form of a formula that keeps its digits, found by search and measured by the truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from adlab.audit.measured import Known, low_at, measured, measured_itself, signs, true_at, worse_at
from adlab.audit.places import (
    CLOSER,
    NEIGHBOURS,
    SAMPLE,
    Place,
    Range,
    beside_changes,
    branches_taken,
    drawn_from,
    ranges_of,
)
from adlab.audit.regimes import Pair, better_pairs, pairs
from adlab.audit.rewrites import evaluated, exact_constants
from adlab.audit.search import ENOUGH, SECONDS, Form, Search
from adlab.display import Report, Table, significant
from adlab.errors import OptionError
from adlab.function import Function, as_function, point_of
from adlab.inputs import takes_at
from adlab.precision import seconds_of
from adlab.progress import stage
from adlab.symbolic.treesize import Distinct
from adlab.text.parser import parse

GAIN = 0.5
"""Digits that a form must win at the worst point. A form that loses more than that at any point says where."""
LOOKS, ADDED = 4, 8
"""How often a chosen form is looked at closely, and the points at which it is worse that are then added for the next proposal."""
SPOT_CHECKS = 60
"""Points of ranges at which a chosen form is asked whether it keeps its digits. A form of a search is asked at fewer."""
SEAMS = 60
"""Points that are taken beside seams of branches, and beside zeros of the value and the partials."""
FINALISTS = 12
"""Forms among which is chosen again when points were added."""
SHOWN, NAMED = 12, 4
"""Points that a report shows, and those that it names where the new form is worse."""

LARGEST = 4000
"""Parts of a formula as a tree, with every part in each place. With 3,840 a search of 15 s measures three forms."""


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
    looked: int
    """Points at which the new form was compared with f besides."""

    @property
    def found(self) -> bool:
        """Whether there is a better form."""
        return self.after is not self.before

    @property
    def worse(self) -> list[int]:
        """The points at which the value or a partial keeps fewer digits in the new form."""
        return [k for k, lost in enumerate(self.after.losses(self.before)) if lost > GAIN]

    def to_dict(self) -> dict[str, Any]:
        """`found, before, after, tried, rows`: digits of value and gradient before and after at each point."""
        return {"found": self.found, "before": self.before.text, "after": self.after.text, "steps": list(self.after.steps),
                "operations": [self.before.operations, self.after.operations], "tried": self.tried,
                "adjoints": [self.before.sweep, self.after.sweep], "worse": self.worse,
                "rows": [{"point": list(point), "value before": self.before.value[k], "value after": self.after.value[k],
                          "gradient before": self.before.gradient[k], "gradient after": self.after.gradient[k],
                          "partials before": list(self.before.kept[k][1:]), "partials after": list(self.after.kept[k][1:])}
                         for k, point in enumerate(self.points)]}  # fmt: skip

    def sections(self) -> list[Table | str]:
        """The form to write instead, then the digits of both at the points."""
        if not self.found:
            well = f"{self.before.text} keeps its digits: no other form is needed"
            nothing = f"nothing better was found among {self.tried} forms of {self.before.text}"
            head = well if self.before.worst >= ENOUGH else nothing
        else:
            head = f"write     {self.after.text}\ninstead of {self.before.text}\nby        {', then '.join(self.after.steps)}"
            head += self._where_worse()
        kept = [self.before.value, self.after.value, self.before.gradient, self.after.gradient]
        cells = [[self._place(k), *(significant(digits[k], 3) for digits in kept)] for k in self._shown()]
        columns = ["at", "value before", "after", "gradient before", "after "]
        table = Table("correct digits of the value and of the worst partial", columns, cells, frozenset(columns[1:]))
        return [head, table, f"{self._cost()}; {self.tried} forms were measured{self._looked()}"]

    def _cost(self) -> str:
        before, after = self.before, self.after
        sizes = f"{before.operations} operations before, {after.operations} after"
        return f"{sizes}; adjoints passed on for the gradient: {before.sweep} before, {after.sweep} after"

    def _looked(self) -> str:
        out = f"; {self.left_out} further points have no known value and gradient, and were left out" if self.left_out else ""
        return (f"; the new one was compared with f at {self.looked} further points" if self.looked else "") + out

    def _where_worse(self) -> str:
        """A line that says where the new form keeps fewer digits; empty if it does nowhere."""
        worse = self.worse
        if not worse:
            return ""
        lost = self.after.losses(self.before)
        worst = sorted(sorted(worse, key=lambda k: -lost[k])[:NAMED])
        places = "; ".join(f"{self._place(k)} ({lost[k]:.1f} fewer)" for k in worst)
        ends = [(name, sorted(self.points[k][i] for k in worse)) for i, name in enumerate(self.names)]
        hull = ", ".join(f"{name} from {x[0]:.8g} to {x[-1]:.8g}" for name, x in ends if x[0] < x[-1])
        said = f"\nbut it keeps fewer digits at {places}"
        return said + (f"\nall such points that were met have {hull}" if hull else "")

    def _shown(self) -> list[int]:
        """The first points, those where the new form is worse, and those where f is worst."""
        lost = self.after.losses(self.before)
        order = sorted(range(1, len(self.points)), key=lambda k: (-lost[k] if lost[k] > GAIN else 0.0, min(self.before.kept[k])))
        return [0, *sorted(order[: SHOWN - 1])]

    def _place(self, k: int) -> str:
        return ", ".join(f"{name} = {x:.8g}" for name, x in zip(self.names, self.points[k], strict=True))


@takes_at
def improve(
    f: Any, x: Any = None, over: Mapping[str, tuple[float, float]] | None = None, patience: float = SECONDS
) -> Improvement:
    """A form of f that keeps more digits of value and gradient near x, or over ranges such as `{"x": (1e-9, 1)}`.

    Identities (conjugates, log1p, expm1, half angles, partial fractions, …) are applied at every operation, up to four in a
    row; series, and other forms on both sides of a number, where they do not help. Each form is read as its text and measured by
    the truth of f. What is proposed is never worse than f at the worst point. It is compared with f at some hundred further
    points, more of them beside its branches. Where it is worse at one, the report says where. The search takes `patience` seconds
    of processor time at most. Raises OptionError for a function of several outputs.

    >>> print(improve("sqrt(x + 1) - sqrt(x)", 1e12).after.text)
    1/(sqrt(x) + sqrt(x + 1))
    """
    f = as_function(f, x)
    if f.m != 1 or not f.n or not f.independent:
        raise OptionError("a form is looked for of a formula with one output and at least one variable")
    if not seconds_of(patience):
        raise OptionError(f"patience={patience!r} is no time; give seconds above 0")
    if (size := Distinct.of(f.outputs).tree_nodes) > LARGEST:
        raise OptionError(f"{f.title} has {size:.3g} parts, and a search takes at most {LARGEST}; improve a part of it")
    place = point_of(f, x).tolist()
    ranges = ranges_of(f.names, place, over)
    try:
        return _searched(f, place, ranges, bool(over), patience)
    except RecursionError:
        raise OptionError(f"{f.title} is nested too deeply for SymPy to rewrite it; improve a part of it") from None


def _searched(f: Function, place: Place, ranges: Mapping[int, Range], split: bool, patience: float) -> Improvement:
    points = [place, *drawn_from(place, ranges, SAMPLE if split else NEIGHBOURS)]
    wanted = [(point, known) for point in points if (known := true_at(f, point)) is not None]
    if not wanted:
        raise OptionError("f has no value and gradient at any of these points, so that no form can be measured")
    before = measured_itself(f, wanted)
    left_out = len(points) - len(wanted)
    if before.worst >= ENOUGH:
        return Improvement(_places(wanted), tuple(f.names), before, before, 0, left_out, 0)
    proposal = Proposal(f, place, ranges, before, wanted, split)
    near = dict(zip(f.variables, place, strict=True))
    search = Search(lambda expression, steps: measured(expression, f.names, proposal.wanted, steps), near, patience)
    for _ in search.passes({"": exact_constants(f.outputs[0]), "usual order": evaluated(f.outputs[0])}, before):
        if proposal.among(search.known.values()).worst >= ENOUGH:
            if proposal.looked_at_closely().worst >= ENOUGH:
                break
            search.measure_again()
    else:
        proposal.looked_at_closely()
    places, before, after = _places(proposal.wanted), proposal.before, proposal.after
    return Improvement(places, tuple(f.names), before, after, search.tried, left_out, proposal.looked)


def _places(wanted: Iterable[Known]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(point) for point, _ in wanted)


class Proposal:
    """The choice among measured forms. Where a closer look finds the chosen one worse, these points count, too, and it chooses
    again. With `split`, also among forms of two parts, each of which is used on one side of a number."""

    def __init__(
        self, f: Function, place: Place, ranges: Mapping[int, Range], before: Form, wanted: list[Known], split: bool
    ) -> None:
        self.f, self.place, self.ranges, self.before, self.wanted, self.split = f, place, ranges, before, list(wanted), split
        self.after = before
        """The form that is proposed. It is `before` where there is none."""
        self.looked = 0
        """Points at which the form chosen last was compared with f."""
        self._forms: list[Form] = []

    def among(self, known: Iterable[Form]) -> Form:
        """The form of these that is proposed. They are measured at the points of `wanted`."""
        self._forms = list(known)
        self.after = self._chosen(self._forms)
        return self.after

    def looked_at_closely(self) -> Form:
        """The form that is proposed after closer looks. `wanted` and `before` then have the points that were added."""
        for look in range(LOOKS):
            stage(f"looking at the form that was chosen, time {look + 1}")
            if self.after is self.before:
                break
            more = self._few(self._worse(self.after)) or (self._few(self._low(self.after)) if self.after.worst >= ENOUGH else [])
            if not more:
                break
            self._forms = self._with_points(self._forms, more)
            self.after = self._chosen(self._forms)
        return self.after

    def _few(self, points: list[Known]) -> list[Known]:
        """Some of the points, spread evenly, of those that do not count yet."""
        counted = set(_places(self.wanted))
        new = [known for known in points if tuple(known[0]) not in counted]
        return new[:: max(1, len(new) // ADDED)][:ADDED]

    def _chosen(self, forms: list[Form]) -> Form:
        """The choice among forms that were measured at all points that count, and pairs of them."""
        alone = max(form.worst for form in forms)
        if self.split and alone < ENOUGH:
            for pair in better_pairs(self._pairs(forms), alone):
                joined = measured(pair.written(self.f.names), self.f.names, self.wanted, pair.steps)
                forms += [joined] if joined is not None else []
        return _chosen(self.before, max(forms, key=lambda form: form.score), forms)

    def _pairs(self, forms: list[Form]) -> list[list[Pair]]:
        return list(pairs(forms, [point for point, _ in self.wanted], self.f.variables, self.ranges))

    def _finalists(self, forms: list[Form]) -> list[Form]:
        """The forms with the best score, those that are nowhere worse, the best at each point and in pairs."""
        ranked = sorted(forms, key=lambda form: form.score, reverse=True)
        safe = [form for form in ranked if form.nowhere_worse(self.before, GAIN)]
        best = [max(ranked, key=lambda form: min(*form.kept[k], ENOUGH)) for k in range(len(self.wanted))]
        parts = [form for each in self._pairs(forms) for pair in each for form in (pair.below, pair.above)] if self.split else []
        few = {form.text: form for form in [*ranked[:FINALISTS], *safe[:FINALISTS], *best, *parts]
               if form.text != self.before.text}  # fmt: skip
        return list(few.values())

    def _low(self, chosen: Form) -> list[Known]:
        """Points of the ranges at which the chosen form keeps too few digits."""
        return low_at(self.f, chosen, drawn_from(self.place, self.ranges, SPOT_CHECKS, seed=3), GAIN) if self.split else []

    def _worse(self, chosen: Form) -> list[Known]:
        """Points at which the chosen form is worse."""
        formula = parse(chosen.text, names=list(self.f.names))
        near = drawn_from(self.place, self.ranges, CLOSER, near=True, seed=2)
        bases = [self.place, *near]
        symbols = [next((s for s in formula.free_symbols if str(s) == name), x)
                   for name, x in zip(self.f.names, self.f.variables, strict=True)]  # fmt: skip
        taken = branches_taken(formula, symbols)
        seams = beside_changes(taken, bases, self.ranges, SEAMS) if taken else []
        zeros = beside_changes(signs(self.f), bases, self.ranges, SEAMS)
        points = [*seams, *zeros, *near]
        self.looked = len(points)
        return worse_at(self.f, chosen, points, GAIN)

    def _with_points(self, forms: list[Form], more: list[Known]) -> list[Form]:
        """The forms that may be chosen, measured at more points."""
        few = self._finalists(forms)
        self.wanted += more
        names = list(self.f.names)
        self.before = measured_itself(self.f, self.wanted)
        again = [measured(parse(form.text, names=names), names, self.wanted, form.steps) for form in few]
        return [self.before, *(form for form in again if form is not None)]


def _chosen(before: Form, best: Form, known: Iterable[Form]) -> Form:
    """A form that is nowhere worse if it is about as good as the best one. Else the best, if it wins more than it loses."""
    nowhere_worse = [form for form in known if form.nowhere_worse(before, GAIN)]
    for form in (max([before, *nowhere_worse], key=lambda form: form.score), best):
        lost = max(form.losses(before))
        if form.worst >= min(before.worst + GAIN + lost, ENOUGH) and form.worst >= min(best.worst, ENOUGH) - GAIN:
            return form
    return before
