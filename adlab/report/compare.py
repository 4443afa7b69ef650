"""Everything side by side: accuracy, swell and cost of every method at one point, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from adlab import precision
from adlab.arithmetic.domain import beyond_range, kinks
from adlab.display import Report, Table, significant
from adlab.errors import AdlabError, DomainError, MethodError, OptionError, OverflowedError
from adlab.function import Function
from adlab.inputs import FloatArray, takes_at
from adlab.methods import Method, chosen
from adlab.precision import PATIENCE, if_time, share
from adlab.progress import stage
from adlab.report import accuracy
from adlab.report.accuracy import FEW, WRONG, AccuracyRow, Attempt, attempt
from adlab.report.answers import Answers
from adlab.report.blame import absorbed, blamed, of_values, singular
from adlab.report.conditioning import Conditioning, conditioning
from adlab.report.cost import Cost, cost
from adlab.report.kinks import in_words
from adlab.report.rounding import bounds_of
from adlab.report.screen import screen
from adlab.report.steps import Split, split
from adlab.report.swell import Swell, swell
from adlab.report.truth import Truth, truth
from adlab.report.verdict import Facts, Sentence, verdict
from adlab.symbolic.formula import partials
from adlab.text.printing import readable
from adlab.text.traversal import listing
from adlab.tracing.places import as_traced, at_point
from adlab.truth.judge import COMPLEX_INSIDE
from adlab.truth.meanings import mp_text

if TYPE_CHECKING:
    from adlab.report.hessians import HessianComparison


LONGEST_COMMAND = 160
"""Characters of formula and point up to which the command that looks for another form is written out."""


@dataclass(frozen=True)
class Comparison(Report):
    """One function at one point: its `value`, its `truth`, the rows of three tables, and the `verdict` in sentences."""

    function: Function
    point: FloatArray
    value: Any
    truth: Truth
    accuracy: list[AccuracyRow]
    swell: Swell
    cost: Cost
    conditioning: Conditioning | None
    verdict: list[Sentence]

    def to_dict(self) -> dict[str, Any]:
        """`name, variables, point, value, truth, conditioning, accuracy, swell, cost, derivative, verdict`."""
        known = self.conditioning
        return {
            "name": self.function.name,
            "variables": self.function.names,
            "point": dict(zip(self.function.names, self.point.tolist(), strict=True)),
            "value": self.value if isinstance(self.value, float) else self.value.tolist(),
            "truth": self.truth.to_dict(),
            "conditioning": None if known is None else {
                "f": known.f.tolist(), "partials": None if known.partials is None else known.partials.tolist(),
            },
            "accuracy": accuracy.as_rows(self.accuracy),
            "swell": self.swell.to_dict()["rows"],
            "cost": self.cost.to_dict()["rows"],
            "derivative": self._written(),
            "verdict": [{"text": s.text, "because": list(s.because)} for s in self.verdict],
        }  # fmt: skip

    def _interactive(self) -> str:
        """The page of the function, with this comparison. A page needs a value and derivatives in binary64."""
        try:
            return str(getattr(self.function, "page")(self.point, comparison=self))  # noqa: B009 (a later room attaches it)
        except AdlabError:
            return ""

    def _written(self) -> list[str] | None:
        """The partials as texts; None where they cannot be had as formulas."""
        try:
            return [str(partial) for partial in self.partials()]
        except MethodError:
            return None

    def sections(self) -> list[Table | str]:
        """One screen: the question, the derivative, a line for each method, the verdict. `full` has the tables."""
        return self.sections_at(None)

    def sections_at(self, width: int | None) -> list[Table | str]:
        """As `sections`, with the formulas that fit the width."""
        return screen(self, width)

    @property
    def full(self) -> FullComparison:
        """The same comparison with every table: each partial by each method, swell, cost."""
        return FullComparison(self)

    @property
    def answers(self) -> Answers:
        """What each method answered for each partial, and the verdict without swell and cost."""
        return Answers(self)

    def partials(self) -> list[Any]:
        """Every partial as a SymPy formula, by output and variable. Raises MethodError where none is small enough to read."""
        f = self.function
        if not f.readable or f.n * f.m > FEW:
            raise MethodError("the derivative is too large to be written as a formula")
        made: list[Any] = f.cached("formulas", lambda: partials(f.outputs, f.variables))
        return made

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """A bar for each method: the correct digits of its worst partial. `options` go to `Axes.barh`. Returns the Axes."""
        from adlab.plots.pieces import digits_by_method

        place = listing([f"{n} = {x:.6g}" for n, x in zip(self.function.names, self.point.tolist(), strict=True)], FEW)
        return digits_by_method(self.accuracy, ax, f"{self.function.title} at {place}", options)


@dataclass(frozen=True)
class FullComparison(Report):
    """A comparison with every table."""

    brief: Comparison

    def to_dict(self) -> dict[str, Any]:
        """As `Comparison.to_dict`."""
        return self.brief.to_dict()

    def sections(self) -> list[Table | str]:
        """The question, the three tables, the verdict."""
        found, f = self.brief, self.brief.function
        at = [f"{name} = {value!r}" for name, value in zip(f.names, found.point.tolist(), strict=True)]
        asked = f"{f.title} at {listing(at, 2 * FEW)}\n{_valued(found.value, found.truth)}\n{found.truth.line()}"
        asked += "".join(f"\n{line}" for line in _sides(found.truth))
        if found.conditioning is not None:
            asked += "\n" + _conditioned(f, found.conditioning)
        words = "verdict\n" + "\n".join(f"• {sentence.text}" for sentence in found.verdict)
        return [asked, accuracy.accuracy_table(found.accuracy), *found.swell.sections(), found.cost.sections()[0], words]

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """As `Comparison.plot`."""
        return self.brief.plot(ax, **options)


def _sides(judged: Truth) -> list[str]:
    """The one-sided derivatives of partials that do not exist."""
    many = len(judged.components) > 1
    return [
        f"one-sided{f' in {p.variable}' * many}  {in_words(p.left)} on the left, {in_words(p.right)} on the right"
        for p in judged.components
        if p.status == "unavailable" and not (p.left is None and p.right is None)
    ]


def _conditioned(f: Function, known: Conditioning) -> str:
    text = f"condition number of f {_size(known.f)}"
    if known.partials is None:
        return text
    if known.partials.size > 4:
        return f"{text}, of its partials at most {_size(known.partials)}"
    each = [f"of ∂{'f' if f.m == 1 else f'f{i}'}/∂{name} {_size(known.partials[i, j : j + 1])}"
            for i in range(f.m) for j, name in enumerate(f.names)]  # fmt: skip
    return ", ".join([text, *each])


def _size(numbers: FloatArray) -> str:
    """The largest condition number. A value of 0 has no relative error, so no condition number."""
    finite = numbers[np.isfinite(numbers)]
    return significant(float(finite.max()), 3) if finite.size else "undefined"


@overload
def compare(
    f: Any, x: Any = None, methods: Iterable[str] | None = None, timed: bool = True, patience: float = PATIENCE,
    order: Literal[1] = 1,
) -> Comparison: ...
@overload
def compare(
    f: Any, x: Any = None, methods: Iterable[str] | None = None, timed: bool = True, patience: float = PATIENCE,
    *, order: Literal[2],
) -> HessianComparison: ...
@takes_at
def compare(
    f: Any, x: Any = None, methods: Iterable[str] | None = None, timed: bool = True, patience: float = PATIENCE,
    order: int = 1,
) -> Comparison | HessianComparison:  # fmt: skip
    """Every method on one function at one point: judged, counted, timed and explained.

    `f` is a Function, an expression or a text. `x` is a point, by default the function's own. `methods` are names, by default
    all of adlab's own. With `order=2` the Hessians of a function with one output are compared: see `HessianComparison`. Work
    that would exceed `patience` seconds gives up, and a row says so.

    Raises DomainError where f itself has no value. Where binary64 alone has lost the value, it does not raise. What one method
    cannot do is a row that says why.

    >>> found = compare("x**2", 3.0, methods=["reverse"], timed=False)
    >>> found.to_dict()["accuracy"][0]["value"]
    6.0
    """
    if order not in (1, 2):
        raise OptionError(f"`order` is {order!r}; it must be 1, for gradients, or 2, for Hessians")
    with precision.patience(patience):
        f, point = at_point(f, x)
        if order == 2:
            from adlab.report.hessians import compare_hessians

            return compare_hessians(f, point, methods, timed)
        return _compared(f, point, chosen(methods, f.graph), timed)


def _compared(f: Function, point: FloatArray, names: Mapping[str, Method], timed: bool) -> Comparison:
    value = _value(f, point)
    stage("working out the truth")  # first: without it no method can be judged, however long the others take
    judged = truth(f, point, patience=share())
    attempts = {}
    for name, method in names.items():
        stage(f"differentiating by {name}")
        attempts[name] = attempt(f, method, point)
    on_kinks: list[tuple[str, str]] = if_time([], _kinks, f, point)
    nodes = " and ".join(node for node, _ in on_kinks)
    jacobians = {name: tried.result.jacobian for name, tried in attempts.items() if tried.result is not None}
    bounds: Mapping[str, accuracy.Bounds] = if_time({}, bounds_of, f, point, jacobians)
    beyond = if_time(("", ""), beyond_range, f.graph, point.tolist())
    rows = accuracy.rows(f, judged, attempts, nodes, bounds, beyond)
    stage("counting swell")
    grown = swell(f, patience=share())
    stage("counting and timing")
    price = cost(f, point, list(names), timed, attempts, share())
    conditioned = if_time(Conditioning(np.full((f.m,), np.nan), None), conditioning, f, point)
    facts = Facts(
        n=f.n, m=f.m, truth=judged, accuracy=rows, families={name: m.family for name, m in names.items()},
        conditioning=conditioned, cancellations=if_time([], of_values, f, point),
        losses=if_time({}, blamed, f, point, judged, rows, names), kinks=on_kinks,
        splits=if_time({}, _splits, f, point, judged, attempts, rows), swell=grown, cost=price, beyond=beyond,
        singular=if_time("", singular, f, point, judged),
        absorbed=if_time(frozenset(), _absorbed, f, point, judged),
    )  # fmt: skip
    said = _with_a_way_out(f, point.tolist(), _located(f, verdict(facts)))
    return Comparison(f, point, value, judged, rows, grown, price, conditioned, said)


def _with_a_way_out(f: Function, point: list[float], said: list[Sentence]) -> list[Sentence]:
    """The sentences. The first one about a fault that another form may not have has the command that looks for one."""
    first = next((k for k, sentence in enumerate(said) if sentence.rewritable), None)
    if first is None or f.m != 1 or not f.independent:
        return said
    pointed = replace(said[first], text=f"{said[first].text} {improving(f, point)}")
    return [*said[:first], pointed, *said[first + 1 :]]


def improving(f: Function, point: list[float]) -> str:
    """The command that looks for another form. A long formula is left out of it."""
    formula = readable(f.outputs[0], as_written=True)
    at = " ".join(f"{name}={number!r}" for name, number, x in zip(f.names, point, f.variables, strict=True)
                  if x in f.outputs[0].free_symbols)  # fmt: skip
    shown = f' "{formula}" --at {at}' if len(formula) + len(at) <= LONGEST_COMMAND else ""
    return f"`adlab improve{shown}` looks for another form."


def _located(f: Function, said: list[Sentence]) -> list[Sentence]:
    """The sentences, with the source lines of the nodes that they are about, where f is Python code."""
    traced = as_traced(f)
    return said if traced is None else [replace(s, text=traced.located(s.text)) for s in said]


def _kinks(f: Function, point: FloatArray) -> list[tuple[str, str]]:
    """The operations that are on a kink, and the convention of each."""
    return [(f"{f.graph.names[i]} = {f.graph.written(i)}", convention) for i, convention in kinks(f.graph, point.tolist())]


def _absorbed(f: Function, point: FloatArray, judged: Truth) -> frozenset[tuple[int, int]]:
    return frozenset((i, j) for i in range(f.m) for j in range(f.n) if absorbed(f, point, judged, i, j))


def _value(f: Function, point: FloatArray) -> Any:
    """The value of f; NaN where binary64 alone has lost it. Where f is not real, the error says what it is instead."""
    try:
        return f(point)
    except (DomainError, OverflowedError) as missing:
        outputs = truth(f, point).outputs
        [note, *_] = [output.note for output in outputs if "complex" in output.note] or [""]
        if not note and all(output.value is not None for output in outputs):
            return float(f.values(point)[0]) if f.scalar else f.values(point)
        if not note or not isinstance(missing, DomainError):
            raise
        said = f"{missing}; {note}"
        if note == COMPLEX_INSIDE:
            said = f"{note}: {missing.operation} is complex at this point, and adlab's graph computes with real numbers"
        raise DomainError(said, operation=missing.operation, operand=missing.operand, condition=missing.condition) from None


def _valued(value: Any, judged: Truth) -> str:
    """The value in binary64, and the true value where that differs."""
    exact = [output.value for output in judged.outputs]
    lost = [
        (i, number)
        for i, (mine, number) in enumerate(zip(np.ravel(value).tolist(), exact, strict=True))
        if number is not None and not abs(mine - float(number)) <= WRONG * abs(float(number)) and mine != float(number)
    ]
    said = ", ".join(f"{'f' if len(exact) == 1 else f'f{i}'} is {mp_text(number, 17)} here" for i, number in lost[:4])
    return f"value  {value!r}" + (f" in binary64; {said}" if said else "")


def _splits(
    f: Function, point: FloatArray, judged: Truth, attempts: dict[str, Attempt], rows: list[AccuracyRow]
) -> dict[str, Split]:
    """For each plain difference scheme: the measured truncation and roundoff errors of its worst partial."""
    found = {}
    for name, tried in attempts.items():
        mine = [row for row in rows if row.method == name and row.digits is not None]
        if tried.method.family != "difference" or name == "richardson" or not mine or tried.result is None:
            continue
        worst = min(mine, key=lambda row: row.digits or 0.0)
        j = f.names.index(worst.variable)
        assert tried.result.steps is not None  # every difference scheme reports its steps
        i = worst.output or 0
        measured = split(f, point, j, name, tried.result.steps[j], judged, i, float(tried.result.jacobian[i, j]))
        if measured is not None:
            found[name] = measured
    return found
