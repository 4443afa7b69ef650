"""Solvers for traced functions: `linear_solve`, `root`, `fixed_point`, `minimum`, `ode`, `integral`.

Each is a node, or a loop that is one node. Roots are differentiated by the implicit function theorem, not through their
iteration. On ordinary numbers all of them simply compute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from adlab.arithmetic.floats import FLOATS
from adlab.autodiff.programs import derivative
from adlab.errors import DomainError, OptionError, TracingError
from adlab.graph.graph import Graph
from adlab.tracing.array import is_traced, plain, wrapped
from adlab.tracing.control import Structure, body_of, innermost, record
from adlab.tracing.evolution import ODE, Evolution
from adlab.tracing.implicit import ROOT, SOLVE, Equations, newton, size_signed
from adlab.tracing.quadrature import INTEGRAL, Integrand
from adlab.tracing.recorder import Recorder
from adlab.tracing.runge_kutta import SCHEMES, Stepping
from adlab.tracing.scalar import Scalar

TOLERANCE = 1e-15
"""A root is settled when a relative step is this small: a few ulps."""


def linear_solve(matrix: Any, right: Any) -> Any:
    """x with matrix @ x = right, for shapes (n, n) and (n,). It is one node; its derivative is one more solve.

    Raises OptionError for other shapes, DomainError where the matrix is singular.

    >>> linear_solve(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([2.0, 2.0]))
    array([1. , 0.5])
    """
    a, b = plain(matrix), plain(right)
    if a.ndim != 2 or a.shape[0] != a.shape[1] or b.shape != (len(a),):
        raise OptionError(f"linear_solve takes shapes (n, n) and (n,), not {a.shape} and {b.shape}")
    if not is_traced(matrix) and not is_traced(right):
        try:
            return np.linalg.solve(_floats(a, "the matrix"), _floats(b, "the right side"))
        except np.linalg.LinAlgError:
            raise DomainError("the matrix of a linear system is singular") from None
    recorder = innermost(list(a.ravel()), list(b))
    assert recorder is not None
    return _array(record(recorder, SOLVE, len(a), [*a.ravel().tolist(), *b.tolist()]))


def root(g: Callable[[Any], Any], start: Any, tolerance: float = TOLERANCE) -> Any:
    """x near `start` with g(x) = 0, by Newton's method. There are as many equations as unknowns. g may use traced numbers
    around it.

    Raises GaveUp where the iteration does not settle, DomainError where the Jacobian is singular at the root.

    >>> round(root(lambda x: x**2 - 2.0, 1.0), 12)
    1.414213562373
    """
    shape = _structure(start)
    recorder = innermost(start) or _around(g, start)
    if recorder is None:
        outer = Recorder([])
        graph, _, _ = body_of(outer, g, [start], [shape], [])
        found: Any = newton(Equations(graph, len(shape.flat(start)), tolerance), [float(x) for x in shape.flat(start)], [])
        return shape.built(list(found))
    return _root(recorder, g, start, shape, tolerance, None)


def _root(recorder: Recorder, g: Callable[[Any], Any], start: Any, shape: Structure, tolerance: float,
          change: Callable[[Graph, int], Graph] | None, least: bool = False) -> Any:  # fmt: skip
    graph, _, known = body_of(recorder, g, [start], [shape], [])
    numbers = shape.flat(start)
    if change is not None:
        graph = change(graph, len(numbers))
    if len(graph.outputs) != len(numbers):
        raise TracingError(f"a root needs as many equations as unknowns: {len(graph.outputs)} equations, {len(numbers)} unknowns")
    fixed = [number.value if isinstance(number, Scalar) else number for number in numbers]
    found = record(recorder, ROOT, Equations(graph, len(numbers), tolerance, least), [*fixed, *known])
    return shape.built(list(found))


def fixed_point(g: Callable[[Any], Any], start: Any, tolerance: float = TOLERANCE) -> Any:
    """x with g(x) = x, as the root of g(x) − x.

    >>> round(fixed_point(np.cos, 1.0), 12)
    0.739085133215
    """
    shape = _structure(start)

    def difference(x: Any) -> Any:
        left, right = shape.flat(g(x)), shape.flat(x)
        return shape.built([a - b for a, b in zip(left, right, strict=True)])

    return root(difference, start, tolerance)


def minimum(f: Callable[[Any], Any], start: Any, tolerance: float = TOLERANCE) -> Any:
    """x near `start` where f is least: the root of ∇f. Its derivative needs the Hessian, which adlab writes.

    Raises DomainError where the root that is found is no minimum, since f curves down there.

    >>> round(minimum(lambda x: (x - 3.0)**2, 1.0), 12)
    3.0
    """
    shape = _structure(start)

    def slopes(graph: Graph, unknowns: int) -> Graph:
        if len(graph.outputs) != 1:
            raise TracingError("minimum(g, start) needs a g that returns one number")
        every = derivative(graph)
        return Graph(every.inputs, every.nodes, every.outputs[:unknowns])

    recorder = innermost(start) or _around(f, start)
    if recorder is None:
        outer = Recorder([])
        graph, _, _ = body_of(outer, f, [start], [shape], [])
        unknowns = [float(x) for x in shape.flat(start)]
        return shape.built(newton(Equations(slopes(graph, len(unknowns)), len(unknowns), tolerance, least=True), unknowns, []))
    return _root(recorder, f, start, shape, tolerance, slopes, least=True)


def ode(f: Callable[[Any, Any], Any], start: Any, times: Any, steps: int | Literal["recorded"] = 1,
        method: Literal["rk4", "dormand-prince"] | None = None, tolerance: float = 1e-9) -> Any:  # fmt: skip
    """y at each of `times`, from y(times[0]) = start and y′ = f(t, y).

    `steps` of equal length lead from one time to the next, by the classical Runge–Kutta method of order 4 or by Dormand–Prince's
    of order 5. With "recorded", Dormand–Prince's steps are chosen at each point, so that the local error beside the largest value
    so far stays under the tolerance. The derivative is that of the steps taken: one node, whose adjoint runs backwards in time.
    Times are plain numbers. Returns an array of shape (len(times), …).

    Raises GaveUp where twice as many steps move a result by a tenth (stiff growth, too few steps) and where chosen steps become
    too many. Raises DomainError where f has no value, and for a derivative where f jumps at a place that moves.

    >>> round(float(ode(lambda t, y: -y, 1.0, [0.0, 1.0], steps=100)[-1]), 8)
    0.36787944
    """
    grid = _floats(np.asarray(times), "the list of times")
    if grid.ndim != 1 or len(grid) < 1:
        raise OptionError("ode needs a list of times")
    if not np.isfinite(grid).all():
        raise OptionError("the times of an ode must be finite")
    if steps != "recorded":
        _whole(steps, "steps")
    if not 0 < tolerance < 1:
        raise OptionError(f"the tolerance of an ode is a number between 0 and 1, and is {tolerance!r}")
    method = method or ("dormand-prince" if steps == "recorded" else "rk4")
    if method not in SCHEMES or (steps == "recorded" and not SCHEMES[method].lower):
        raise OptionError(f"an ode is stepped by rk4 or dormand-prince, recorded steps by dormand-prince, and not by {method!r}")
    if isinstance(start, list):
        start = wrapped(plain(start)) if is_traced(start) else np.asarray(start)
    shape = _structure(start)
    if len(grid) == 1:
        return _array([start])
    begin = float(grid[0])
    recorder = innermost(start) or _around(f, begin, start)
    outer = recorder or Recorder([])

    def slope(t: Any, y: Any) -> Any:
        found = f(t, y)
        numbers = Structure(found).flat(found)
        if len(numbers) != shape.size:
            raise TracingError(f"the slope of an ode has {len(numbers)} numbers, and y has {shape.size}")
        return tuple(numbers)

    graph, _, known = body_of(outer, slope, [begin, start], [Structure(begin), shape], [])
    numbers = shape.flat(start)
    counted = None if steps == "recorded" else int(steps)
    made = Evolution.of(Stepping(graph, len(numbers), SCHEMES[method], tuple(grid.tolist()), counted, tolerance))
    if recorder is None:
        found = list(ODE.apply(FLOATS, made, [float(x) for x in numbers]))
    else:
        found = list(record(recorder, ODE, made, [*numbers, *known]))
    return _array([start, *(shape.built(found) for _ in grid[1:])])


def integral(f: Callable[[Any], Any], a: Any, b: Any, panels: int = 8) -> Any:
    """∫ f from a to b. Both ends may be traced, and f may use traced numbers around it. It is one node.

    Gauss–Legendre's rule is taken on `panels` equal parts. Interval arithmetic bounds f on each: a part on which f may rise far
    above its values at the nodes is halved, so that a narrow peak is found. Then each part is halved until both sums agree.
    What may still hide between the nodes is a peak lower than a tenth of the range of f's values, and a peak in an f with loops
    or solvers, which is not bounded. The derivatives are Leibniz's: f at the ends, and the integral of the derivative of f.
    Raises GaveUp where the sums do not settle, DomainError where f has no value at a node, OptionError without a panel and for
    ends that are no numbers.

    >>> round(float(integral(np.exp, 0.0, 1.0)), 12)
    1.718281828459
    """
    _whole(panels, "panels")
    _structure([a, b])
    start = 0.5 * (_plain_number(a) + _plain_number(b))
    recorder = innermost(a, b) or _around(f, start)
    outer = recorder or Recorder([])
    graph, _, known = body_of(outer, f, [start], [Structure(start)], [])
    if len(graph.outputs) != 1:
        raise TracingError("a function that is integrated returns one number")
    integrand = Integrand(graph, panels)
    if recorder is None:
        return INTEGRAL.apply(FLOATS, integrand, [float(a), float(b)])[0]
    return record(recorder, INTEGRAL, integrand, [a, b, *known])[0]


def _plain_number(x: Any) -> float:
    return size_signed(x.value if isinstance(x, Scalar) else x)


def _structure(start: Any) -> Structure:
    """What a start looks like. Raises OptionError where it holds anything but real numbers."""
    shape = Structure(start)
    for number in shape.flat(start):
        if not isinstance(number, (Scalar, int, float)):
            raise OptionError(f"a solver takes real numbers, and found {number!r}")
    return shape


def _floats(array: Any, name: str) -> Any:
    if array.dtype.kind not in "biuf":
        raise OptionError(f"{name} must hold real numbers, and has the type {array.dtype}")
    return array.astype(float)


def _whole(count: Any, name: str) -> None:
    if not isinstance(count, (int, np.integer)) or count < 1:
        raise OptionError(f"{name} must be a whole number from 1 on, and is {count!r}")


def _array(items: list[Any]) -> Any:
    if not any(is_traced(item) for item in items):
        return np.array(items)
    return wrapped(np.stack([plain(item).astype(object) for item in items]))


def _around(g: Callable[..., Any], *start: Any) -> Recorder | None:
    """The recorder of traced numbers that a function uses from around it; None where it uses none."""
    with np.errstate(all="ignore"):
        found = g(*start)
    if is_traced(found):
        return innermost(found)
    known = body_of(Recorder([]), g, list(start), [Structure(item) for item in start], [])[2]  # of a branch not taken here
    return innermost(known) if known else None


__all__ = ["fixed_point", "integral", "linear_solve", "minimum", "ode", "root"]
