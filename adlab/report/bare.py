"""A method's formula by itself: the evaluations it takes, without the search for a step and the error estimate.

What a method costs is what its formula costs. A forward difference with a known step takes 1 + n values of f. adlab takes more,
to choose the step and to say how wrong the result may be. That is counted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from itertools import repeat
from operator import mul
from typing import Any, NamedTuple

from adlab.arithmetic.complex_numbers import straight_line
from adlab.arithmetic.floats import compile_python
from adlab.arithmetic.running import LARGE, Runner
from adlab.autodiff.programs import derivative
from adlab.autodiff.unrolling import unrolled
from adlab.differences.complex_step import default_step
from adlab.differences.stencils import SCHEMES, scheme
from adlab.function import Function
from adlab.graph.graph import Builder, Graph
from adlab.graph.rules import splice
from adlab.inputs import FloatArray
from adlab.methods import UNROLLED, Method, Result
from adlab.symbolic.derivative import derivative_of

LARGEST_WRITTEN = 2_000
"""The largest difference formula, in operations, that is compiled: compiling it takes about ten milliseconds."""


def evaluations(method: Method, n: int) -> int | None:
    """The values of f that the formula takes. f(x) counts once for all variables. None where there is no formula."""
    if method.family == "complex step":
        return n
    if method.name not in SCHEMES:
        return None
    nodes = scheme(method.name).offsets
    return n * len(nodes) - (n - 1) * (0 in nodes) if n else 0


def formula(f: Function, method: Method, point: FloatArray, result: Result) -> Callable[[], Any] | None:
    """The formula as a call, with the steps that `result` has chosen. None where the method's own call is the formula."""
    at: list[float] = point.tolist()
    if method.family == "automatic" and writable(f, method.name):
        return partial(program(automatic(f, method.name, point)), *at)
    if method.family == "symbolic":
        return partial(derivative_of(f, method.name == "symbolic-cse").printed, at)
    if method.family == "complex step":
        return _complex(f.graph, at)
    if method.family != "difference" or result.evaluations is None or result.steps is None:
        return None
    if method.name in SCHEMES:
        return _quotients(f, method.name, at, result.steps)
    return _sampling(f, at, result.evaluations, result.steps)


def automatic(f: Function, name: str, point: FloatArray) -> Graph:
    """The program of an automatic method: the values, then the partials. `unrolled` has one for each point."""
    if name == UNROLLED and f.graph.compound:
        return derivative(unrolled(f.graph, point.tolist()), value=True)
    return f.program("forward" if name == "forward" else "reverse")


def writable(f: Function, name: str) -> bool:
    """Whether the program of an automatic method is short enough to be written."""
    return name != "forward" or not f.evaluator.unwritable


def program(graph: Graph) -> Callable[..., Sequence[float]]:
    """The graph as straight-line Python. It is walked where it is too long to compile."""
    if len(graph) <= LARGE:
        return compile_python(graph)
    walk = Runner(graph)
    return lambda *point: walk(point)


def _quotients(f: Function, name: str, at: list[float], steps: Sequence[float]) -> Callable[[], Any]:
    """The scheme's weighted sums at known points; f(x) is computed once."""
    made = scheme(name)
    pairs = [(o, w) for o, w in zip(made.float_offsets.tolist(), made.float_weights.tolist(), strict=True) if o]
    at_centre = next((float(w) for o, w in zip(made.offsets, made.weights, strict=True) if not o), 0.0)
    sums = Sums(at, [(h, [(w, _moved(at, j, o * h)) for o, w in pairs]) for j, h in enumerate(steps)], at_centre)
    if len(f.graph) * len(pairs) * f.n <= LARGEST_WRITTEN:
        return partial(program(_written(f.graph, sums)), *[x for point in sums.points for x in point])
    return partial(_summed, program(f.graph), sums)


class Sums(NamedTuple):
    """For each variable, its step and its (weight, point) pairs. `centre` is the weight of f(x) for all of them."""

    at: list[float]
    terms: list[tuple[float, list[tuple[float, list[float]]]]]
    centre: float

    @property
    def points(self) -> list[list[float]]:
        """The points at which f is evaluated, in order. f(x) comes first if it is used."""
        return [*([self.at] if self.centre else []), *(point for _, pairs in self.terms for _, point in pairs)]


def _summed(value: Callable[..., Sequence[float]], sums: Sums) -> list[list[float]]:
    """All quotients, by a loop: for an f so slow that the loop does not matter."""
    centre = [sums.centre * y for y in value(*sums.at)] if sums.centre else repeat(0.0)
    found = []
    for h, pairs in sums.terms:
        weights = [weight for weight, _ in pairs]
        outputs = zip(*[value(*point) for _, point in pairs], strict=True)
        found.append([(sum(map(mul, weights, output)) + c) / h for output, c in zip(outputs, centre, strict=False)])
    return found


def _written(graph: Graph, sums: Sums) -> Graph:
    """All quotients as one program, as a person would write them. Every point has inputs of its own, so that no two evaluations
    of f share anything.
    """
    n, names = len(graph.inputs), [f"p{k}" for k in range(len(sums.points) * len(graph.inputs))]
    builder = Builder(names)
    values = iter([splice(builder, graph, range(k, k + n)) for k in range(0, len(names), n)])
    centre = next(values) if sums.centre else None
    found = []
    for h, pairs in sums.terms:
        taken = [(weight, next(values)) for weight, _ in pairs] + ([(sums.centre, centre)] if centre is not None else [])
        for i in range(len(graph.outputs)):
            terms = [builder.call("mul", builder.constant(weight), outputs[i]) for weight, outputs in taken]
            total = reduce(partial(builder.call, "add"), terms)
            found.append(builder.call("div", total, builder.constant(h)))
    return builder.finish(found)


def _sampling(f: Function, at: list[float], many: int, steps: Sequence[float]) -> Callable[[], Any]:
    """The same number of values of f, near x. What is fitted to them afterwards is the method's own work."""
    value = program(f.graph)
    points = [_moved(at, k % len(at), steps[k % len(at)]) for k in range(many)]
    return lambda: [value(*point) for point in points]


def _moved(at: list[float], index: int, by: float) -> list[float]:
    return [x + by if i == index else x for i, x in enumerate(at)]


def _complex(graph: Graph, at: list[float]) -> Callable[[], Any]:
    """Im f(x + ih)/h for each variable, as straight-line Python, like f itself."""
    value = straight_line(graph)
    points = [(h, [complex(x, h * (i == j)) for i, x in enumerate(at)]) for j, h in enumerate(map(default_step, at))]
    return lambda: [[output.imag / h for output in value(*point)] for h, point in points]
