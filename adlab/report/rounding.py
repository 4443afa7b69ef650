"""The rounding error of automatic differentiation: the true error of each partial, beside a bound that is carried along.

The sweeps that give the gradient are run again on numbers that carry a bound on their own error (`adlab.arithmetic.bounded`).
Reverse mode runs as adjoints back through the graph, forward mode as its derivative program. The bound needs no truth. The truth,
from high-precision values, shows how much of the bound is used.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.domain import kinks
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.jacobian import Mode, jacobian
from adlab.display import Report, Table, significant
from adlab.errors import MethodError
from adlab.function import Function
from adlab.inputs import FloatArray, takes_at
from adlab.precision import working
from adlab.report.accuracy import unit_in_the_last_place
from adlab.report.truth import Truth, truth
from adlab.text.traversal import listing
from adlab.tracing.places import at_point
from adlab.truth.meanings import exact as exact_number

MODES: tuple[Mode, ...] = ("reverse", "forward")
LARGEST_WALKED = 400_000  # nodes × sweeps: some seconds
BY_COMPLEX = "f is real here only by way of complex numbers, for which no bound is carried"


@dataclass(frozen=True)
class RoundingRow:
    """One partial by one sweep. `error` is |value − truth|, and `bound` is never below it. Both are absolute.

    `ulps` and `bound_ulps` are the same in units in the last place of the truth. None stands where there is no truth.

    `ratio` is bound/error, where an error below half a unit in the last place counts as half. `why` says what made a bound
    infinite.
    """

    method: str
    variable: str
    value: float
    bound: float
    error: float | None = None
    ulps: float | None = None
    bound_ulps: float | None = None
    ratio: float | None = None
    why: str = ""
    output: int | None = None


@dataclass(frozen=True)
class Rounding(Report):
    """What rounding does to the gradient of one function at one point."""

    title: str
    point: tuple[float, ...]
    rows: list[RoundingRow]
    truth: Truth

    def sections(self) -> list[Table | str]:
        """The rows, and the reason where a bound is infinite."""
        many = any(row.output is not None for row in self.rows)
        head = ["method", *(["output"] if many else []), "partial", "value", "error (ulps)", "bound (ulps)", "bound/error"]
        cells = [
            [row.method, *([str(row.output)] if many else []), f"∂/∂{row.variable}", repr(row.value),
             significant(row.ulps, 3), significant(row.bound_ulps, 3), significant(row.ratio, 3)]
            for row in self.rows
        ]  # fmt: skip
        reasons = dict.fromkeys(f"no finite bound by {row.method}: {row.why}" for row in self.rows if row.why)
        place = ", ".join(f"{name} = {x!r}" for name, x in zip(self.truth.variables, self.point, strict=True))
        title = f"rounding errors of {self.title} at {place}"
        return [Table(title, head, cells, frozenset(head[3 if many else 2 :]), tuple(reasons)), self.truth.line()]

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The true error of each partial beside its bound, in ulps; `options` go to `Axes.plot`. Returns the Axes."""
        from adlab.plots.known import Measured, errors

        rows = [
            Measured(f"∂f{'' if row.output is None else row.output}/∂{row.variable}, {row.method}", row.ulps, row.bound_ulps)
            for row in self.rows
        ]
        place = listing([f"{name} = {x:.6g}" for name, x in zip(self.truth.variables, self.point, strict=True)], 6)
        title, xlabel = f"rounding of {self.title} at {place}", "error in ulps (below 0.01 drawn there)"
        return errors(rows, ax, title, xlabel, ("error", "its bound"), 0.01, options)

    def to_dict(self) -> dict[str, Any]:
        """`point, truth, rows`."""
        return {"point": list(self.point), "truth": self.truth.to_dict(), "rows": [asdict(row) for row in self.rows]}


@takes_at
def rounding(f: Any, x: Any = None, methods: Iterable[Mode] = MODES) -> Rounding:
    """The rounding error of every partial by reverse and forward mode, true and bounded.

    `f` is a Function, an expression or a text. `x` is a point, by default the function's own. Raises what `f.gradient(x)`
    raises, and MethodError for a method that is not one of the two sweeps.

    >>> [row] = rounding("exp(x)/3", 1.0, methods=["reverse"]).rows
    >>> 0 < row.error <= row.bound < 1e-15
    True
    """
    f, point = at_point(f, x)
    asked = [_mode(name) for name in ([methods] if isinstance(methods, str) else methods)]
    jacobians = {name: f.jacobian(point, name) for name in asked}
    judged = truth(f, point)
    rows = [
        _row(f, name, judged, bound, i, j)
        for name in asked
        for i, bounds in enumerate(bounded_jacobian(f, point, name, jacobians[name]))
        for j, bound in enumerate(bounds)
    ]
    return Rounding(f.title, tuple(point.tolist()), rows, judged)


def _mode(name: str) -> Mode:
    for mode in MODES:
        if name == mode:
            return mode
    raise MethodError(f"rounding errors are bounded for the sweeps, reverse and forward; not for `{name}`")


def _row(f: Function, name: str, judged: Truth, bound: Bounded, i: int, j: int) -> RoundingRow:
    output, component = i if f.m > 1 else None, judged.component(i, j)
    if component.value is None:
        return RoundingRow(name, f.names[j], bound.value, bound.error, why=bound.why, output=output)
    with working(400):
        exact = exact_number(component.value)
        error, unit = abs(exact_number(bound.value) - exact), unit_in_the_last_place(exact)
        counted = max(error, unit / 2)
        return RoundingRow(name, f.names[j], bound.value, bound.error, float(error), float(error / unit),
                           float(bound.error / unit), float(bound.error / counted), bound.why, output)  # fmt: skip


def bounded_jacobian(f: Function, point: FloatArray, mode: Mode, found: FloatArray) -> list[list[Bounded]]:
    """`found`, the Jacobian that `mode` has returned at a point, with a bound on the error of each entry.

    The walk with bounds may differ from it in a last digit, since compiled code multiplies out a cube. The difference is added
    to the bound.
    """
    on_kinks = [f"{f.graph.names[i]} = {f.graph.written(i)}" for i, _ in kinks(f.graph, point.tolist())]
    if on_kinks:
        why = f"the point is on a kink or jump at {' and '.join(on_kinks)}, where partials follow a convention"
        return [[Bounded(value, math.inf, why) for value in row] for row in found.tolist()]
    inputs = [Bounded(number) for number in point.tolist()]
    if mode == "reverse":
        walked = _by_sweeps(f, inputs)
        if not all(math.isfinite(entry.value) for row in walked for entry in row):
            walked = _by_program(f, inputs, mode)
    elif f.evaluator.unwritable:
        walked = [[Bounded(0.0, math.inf, "the forward program is too large to be walked with bounds")] * f.n] * f.m
    else:
        walked = _by_program(f, inputs, mode)
    return [
        [_about(value, bound) for value, bound in zip(values, bounds, strict=True)]
        for values, bounds in zip(found.tolist(), walked, strict=True)
    ]


def _by_sweeps(f: Function, inputs: list[Bounded]) -> list[list[Bounded]]:
    values = evaluate(f.graph, inputs, BOUNDED)
    found = jacobian(f.graph, values, BOUNDED)
    return [_if_real(values[output], row) for output, row in zip(f.graph.outputs, found, strict=True)]


def _by_program(f: Function, inputs: list[Bounded], mode: Mode) -> list[list[Bounded]]:
    program = f.program(mode)
    values = evaluate(program, inputs, BOUNDED)
    found = [values[output] for output in program.outputs]
    rows = np.arange(f.m, len(found)).reshape(f.m, f.n).tolist()
    return [_if_real(found[i], [found[k] for k in row]) for i, row in enumerate(rows)]


def _if_real(value: Bounded, row: list[Bounded]) -> list[Bounded]:
    return row if BOUNDED.exists(value) else [Bounded(value.value, math.inf, BY_COMPLEX)] * len(row)


def _about(value: float, bound: Bounded) -> Bounded:
    """A bound on the error of `value`, from a bound on the error of a number near it."""
    if value == bound.value:
        return bound
    apart = math.nextafter(abs(value - bound.value), math.inf)
    error = math.nextafter(bound.error + apart, math.inf)
    return Bounded(value, error if error == error else math.inf, bound.why)


def bounds_of(f: Function, point: FloatArray, jacobians: Mapping[str, FloatArray]) -> dict[str, list[list[Bounded]]]:
    """The same for each mode in `jacobians`, by the method's name. None where so large a graph would take long."""
    sweeps = {"reverse": f.m, "forward": f.n}
    wanted = [mode for mode in MODES if mode in jacobians and len(f.graph) * sweeps[mode] <= LARGEST_WALKED]
    return {mode: bounded_jacobian(f, point, mode, jacobians[mode]) for mode in wanted}
