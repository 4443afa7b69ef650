"""Solvers for traced functions: `linear_solve`, `root`, `fixed_point`, `minimum`, `ode`, `integral`.

Each is a node, or a loop that is one node. Roots are differentiated by the implicit function theorem, not through their
iteration. On ordinary numbers all of them simply compute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adlab.arithmetic.floats import FLOATS
from adlab.autodiff.programs import derivative
from adlab.errors import DomainError, OptionError, TracingError
from adlab.graph.graph import Graph
from adlab.tracing.array import is_traced, plain, wrapped
from adlab.tracing.control import Structure, body_of, innermost, record, scan
from adlab.tracing.implicit import ROOT, SOLVE, Equations, newton, size_signed
from adlab.tracing.quadrature import INTEGRAL, Integrand
from adlab.tracing.recorder import Recorder
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
            raise TracingError("a function that is minimized returns one number")
        every = derivative(graph)
        return Graph(every.inputs, every.nodes, every.outputs[:unknowns])

    recorder = innermost(start) or _around(f, start)
    if recorder is None:
        outer = Recorder([])
        graph, _, _ = body_of(outer, f, [start], [shape], [])
        unknowns = [float(x) for x in shape.flat(start)]
        return shape.built(newton(Equations(slopes(graph, len(unknowns)), len(unknowns), tolerance, least=True), unknowns, []))
    return _root(recorder, f, start, shape, tolerance, slopes, least=True)


def ode(f: Callable[[float, Any], Any], start: Any, times: Any, steps: int = 1) -> Any:
    """y at each of `times`, from y(times[0]) = start and y′ = f(t, y), by the classical Runge–Kutta method of order 4.

    `steps` of equal length lead from one time to the next. It is a scan: one node, whose adjoint runs backwards in time.
    Times are plain numbers. Returns an array of shape (len(times), …). Raises OptionError for other times, or without steps.

    >>> round(float(ode(lambda t, y: -y, 1.0, [0.0, 1.0], steps=100)[-1]), 8)
    0.36787944
    """
    grid = _floats(np.asarray(times), "the list of times")
    if grid.ndim != 1 or len(grid) < 1:
        raise OptionError("ode needs a list of times")
    _whole(steps, "steps")
    widths = np.repeat(np.diff(grid) / steps, steps)
    begins = (grid[:-1, None] + (np.diff(grid) / steps)[:, None] * np.arange(steps)).ravel()
    shape = _structure(start)

    def moved(y: Any, slope: Any, h: Any) -> Any:
        return shape.built([a + h * b for a, b in zip(shape.flat(y), shape.flat(slope), strict=True)])

    def turn(y: Any, x: Any) -> Any:
        t, h = x[0], x[1]
        k1 = f(t, y)
        k2 = f(t + h / 2, moved(y, k1, h / 2))
        k3 = f(t + h / 2, moved(y, k2, h / 2))
        k4 = f(t + h, moved(y, k3, h))
        parts = [shape.flat(k) for k in (k1, k2, k3, k4)]
        total = [(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(*parts, strict=True)]
        after = shape.built([y0 + h * slope for y0, slope in zip(shape.flat(y), total, strict=True)])
        return after, after

    if len(grid) == 1:
        return _array([start])
    _, every = scan(turn, start, np.column_stack([begins, widths]))
    chosen = [every[k] for k in range(steps - 1, len(widths), steps)]
    return _array([start, *chosen])


def integral(f: Callable[[Any], Any], a: Any, b: Any, panels: int = 8) -> Any:
    """∫ f from a to b. Both ends may be traced, and f may use traced numbers around it. It is one node.

    Gauss–Legendre's rule is taken on `panels` equal parts, and on twice as many until both agree. The derivatives are Leibniz's:
    f at the ends, and the integral of the derivative of f. Raises GaveUp where the rule does not settle, DomainError where f has
    no value at a node, OptionError without a panel and for ends that are no numbers.

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


def _around(g: Callable[..., Any], start: Any) -> Recorder | None:
    """The recorder of traced numbers that a function uses from around it; None where it uses none."""
    found = g(start)
    return innermost(found) if is_traced(found) else None


__all__ = ["fixed_point", "integral", "linear_solve", "minimum", "ode", "root"]
