"""What a gradient is compared with: a formula, or a model in Python code. It has a truth, and the room that rounding needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import sympy

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.differences import differences
from adlab.errors import AdlabError, MethodError, PointError
from adlab.function import Function, as_function
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray
from adlab.precision import UNIT_ROUNDOFF
from adlab.report.conditioning import conditioning
from adlab.report.given import Caller, parameters_of
from adlab.report.rounding import LARGEST_WALKED, bounded_jacobian
from adlab.report.truth import truth
from adlab.tracing.precise import Code, judged, values
from adlab.tracing.program import Arguments
from adlab.truth.judge import Component
from adlab.truth.meanings import exact, exported

Rows = list[list[Component]]
PRECISE = "your model, run on high-precision numbers: values of its own code, no rule of differentiation"
SAMPLED = "adaptive differences of your model in binary64: not independent of its rounding, and good to their error only"
MOST_PRECISE = 60  # variables of a model whose second differences are computed: n² evaluations
DIGITS = 25  # decimal digits of a model's partials; binary64 has 17
BITS = 200  # of the first run, which shows whether the code can be run on high-precision numbers at all


class Room(NamedTuple):
    """The absolute error that rounding can cause in each partial at a point; all arrays have shape (m, n).

    `spread` is Σₖ |xₖ ∂ₖ∂ⱼf|; times 2⁻⁵³ it is the effect of rounding the inputs. `scale` is the sum of the sizes of all
    contributions to the partial. `bound` is the running error bound of reverse mode, 0 where there is none. `unbounded` says
    where it is 0 because rounding may cost anything. `doubt` is the error of the truth itself.
    """

    spread: FloatArray
    scale: FloatArray
    bound: FloatArray
    doubt: FloatArray
    unbounded: npt.NDArray[np.bool_]


class Subject(Protocol):
    """A function from Rⁿ to Rᵐ by which a gradient is judged."""

    title: str
    names: list[str]
    m: int

    @property
    def graph(self) -> Graph | None: ...
    def source(self) -> str: ...
    def judged(self, point: FloatArray) -> Rows: ...
    def room(self, point: FloatArray) -> Room: ...
    def values(self, point: FloatArray) -> FloatArray: ...
    def jacobian(self, point: FloatArray) -> FloatArray: ...


class Formula:
    """A Function, judged by `adlab.truth`."""

    def __init__(self, f: Function) -> None:
        self.f, self.title, self.names, self.m, self.graph = f, f.title, f.names, f.m, f.graph
        self._source = ""

    def source(self) -> str:
        return self._source

    def judged(self, point: FloatArray) -> Rows:
        found = truth(self.f, point)
        self._source = self._source or found.source
        return [list(output.partials) for output in found.outputs]

    def values(self, point: FloatArray) -> FloatArray:
        return self.f.values(point)

    def jacobian(self, point: FloatArray) -> FloatArray:
        return self.f.jacobian(point)

    def room(self, point: FloatArray) -> Room:
        shape = self.m, len(self.names)
        nothing = np.zeros(shape)
        with np.errstate(all="ignore"):
            known = conditioning(self.f, point).spread
        spread = nothing if known is None else np.where(np.isfinite(known), known, 0.0)
        bound = self._bound(point)
        finite = np.where(np.isfinite(bound), bound, 0.0)
        return Room(spread, contributions(self.f.graph, point), finite, nothing, ~np.isfinite(bound))

    def _bound(self, point: FloatArray) -> FloatArray:
        """The running error bound: infinite where rounding may cost anything, 0 where nothing is known."""
        nothing = np.zeros((self.m, len(self.names)))
        if len(self.f.graph) * self.m > LARGEST_WALKED:
            return nothing
        try:
            rows = bounded_jacobian(self.f, point, "reverse", self.f.jacobian(point))
        except AdlabError:  # where reverse mode has no answer there is no bound
            return nothing
        return np.array([[b.error for b in row] for row in rows]).reshape(nothing.shape)


def contributions(graph: Graph, point: FloatArray) -> FloatArray:
    """The sum over all paths of |product of local partials|, for each output and variable; 0 where it is not finite.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> contributions(lower([x**2 - 4*x], [x]), np.array([2.0]))
    array([[8.]])
    """
    values = evaluate(graph, point.tolist(), FLOATS)
    found = np.zeros((len(graph.outputs), len(graph.inputs)))
    for row, output in enumerate(graph.outputs):
        reach = {output: 1.0}
        for i in range(output, -1, -1):
            if i not in reach or not graph.nodes[i].operands:
                continue
            for operand, partial in zip(graph.nodes[i].operands, FLOATS.partials(graph, i, values), strict=True):
                if partial is not None:
                    reach[operand] = reach.get(operand, 0.0) + reach[i] * abs(partial)
        found[row] = [reach.get(j, 0.0) for j in range(len(graph.inputs))]
    return np.where(np.isfinite(found), found, 0.0)


class Model:
    """Python code that computes f. It is run on high-precision numbers; where that fails, differences sample it."""

    graph = None

    def __init__(self, function: Callable[..., Any], names: Sequence[str], point: FloatArray) -> None:
        self.names = list(names)
        self.title = getattr(function, "__name__", type(function).__name__)
        self.title = "your model" if self.title == "<lambda>" else self.title
        needed, _ = parameters_of(function)
        self._spread = needed is not None and len(needed) == len(names) > 1
        self._function, self._call = function, Caller(function, names)
        self._sources: set[str] = set()
        self._seen: dict[bytes, FloatArray] = {}
        self.m = int(np.size(self._called(point)))

    def source(self) -> str:
        return "; ".join(sorted(self._sources))

    @cached_property
    def _ways(self) -> list[Code]:
        """Ways to call the code: with one array, with n numbers, or, for one variable, with a number."""
        names = tuple(self.names)
        array, numbers = Arguments(["x"], [(len(names),)]), Arguments(list(names), [()] * len(names))
        ways = [array, numbers] if len(names) == 1 else [numbers] if self._spread else [array]
        return [Code(self._function, way, names) for way in ways]

    def values(self, point: FloatArray) -> FloatArray:
        """The values; NaN where the code raises because there is none."""
        key = point.tobytes()
        if key not in self._seen:
            try:
                self._seen[key] = self._called(point)
            except (ValueError, ZeroDivisionError, OverflowError):
                self._seen[key] = np.full(self.m, np.nan)
        return self._seen[key]

    def _called(self, point: FloatArray) -> FloatArray:
        found = self._call(point)
        return np.ravel(np.asarray(found.detach().cpu() if hasattr(found, "detach") else found, dtype=float))

    def jacobian(self, point: FloatArray) -> FloatArray:
        return np.array([[math.nan if c.value is None else float(c.value) for c in row] for row in self.judged(point)])

    def judged(self, point: FloatArray) -> Rows:
        for way in self._ways:
            try:
                if not all(np.isfinite(np.array(values(way, point.tolist(), BITS), dtype=float))):
                    continue
            except AdlabError:
                continue
            self._sources.add(PRECISE)
            return [list(output.partials) for output in judged(way, point.tolist(), DIGITS, self.m)]
        return self._sampled(point)

    def _sampled(self, point: FloatArray) -> Rows:
        self._sources.add(SAMPLED)
        try:
            jacobian, estimates = differences.gradient(self.values, point, "adaptive-difference", None)
        except Exception as error:  # a stranger's function may raise anything
            return [[Component(i, name, "unavailable", note=f"your model raised {type(error).__name__}: {error}")
                     for name in self.names] for i in range(self.m)]  # fmt: skip
        found = np.asarray(jacobian, dtype=float).reshape(self.m, len(self.names))
        return [
            [self._estimated(i, name, found[i, j], estimates[j]) for j, name in enumerate(self.names)] for i in range(self.m)
        ]

    def _estimated(self, i: int, name: str, value: float, estimate: Any) -> Component:
        error = float(np.broadcast_to(estimate.error, (self.m,))[i])
        if not estimate.success or not math.isfinite(value) or not math.isfinite(error):
            why = str(getattr(estimate, "reason", "")) or "differences of your model do not settle"
            sides = estimate.one_sided
            left, right = (_mpf(float(np.broadcast_to(side, (self.m,))[i])) for side in sides) if sides else (None, None)
            return Component(i, name, "unavailable", left=left, right=right, note=why)
        return Component(i, name, "heuristic", _mpf(value), _mpf(error))

    def room(self, point: FloatArray) -> Room:
        rows = self.judged(point)
        doubt = np.array([[0.0 if c.radius is None else float(c.radius) for c in row] for row in rows])
        slopes = self.jacobian(point)
        with np.errstate(all="ignore"):
            size = np.abs(slopes) @ np.abs(point) + np.abs(self.values(point))
            scale = size[:, None] / np.where(point == 0, 1.0, np.abs(point))
        spread = self._moved(point, slopes) if len(self.names) <= MOST_PRECISE else np.zeros(slopes.shape)
        scale = np.where(np.isfinite(scale), scale, 0.0)
        return Room(spread, scale, UNIT_ROUNDOFF * scale, doubt, np.zeros(scale.shape, dtype=bool))

    def _moved(self, point: FloatArray, slopes: FloatArray) -> FloatArray:
        """The rate at which the partials move where each coordinate grows by 2⁻²⁰ of itself."""
        part, found = 2.0**-20, np.zeros(slopes.shape)
        for k in range(len(point)):
            beside = point.copy()
            beside[k] *= 1 + part
            if beside[k] != point[k]:
                moved = np.abs(self.jacobian(beside) - slopes) / part
                found += np.where(np.isfinite(moved), moved, 0.0)
        return found


def subject_of(f: Any, at: Sequence[Any]) -> Subject:
    """What to judge by. A formula, text or expression is one; a Python function is a model.

    The variables of a model are named as its parameters, or x1, x2 … as many as a point has.
    """
    if isinstance(f, Function) or not callable(f) or isinstance(f, (type, sympy.Basic)):
        return Formula(as_function(f, next(iter(at), None)))
    first = next(iter(at), None)
    if first is None:
        raise PointError("no point to check the gradient at; give at=[x, …]")
    numbers = np.ravel(np.asarray(list(first.values()) if isinstance(first, dict) else first, dtype=float))
    needed, _ = parameters_of(f)
    n = numbers.size
    names = needed if needed is not None and len(needed) == n and (n > 1 or needed[0] != "x") else None
    names = names or (list(first) if isinstance(first, dict) else ["x"] if n == 1 else [f"x{j + 1}" for j in range(n)])
    try:
        return Model(f, names, numbers)
    except Exception as error:  # a stranger's function may raise anything
        raise MethodError(f"your model raised {type(error).__name__} at {numbers.tolist()}: {error}") from error


def _mpf(number: float) -> Any:
    """The float as an mpmath.mpf, not rounded to the user's `mpmath.mp.prec`."""
    return exported(exact(number))
