"""A graph at one point: its values and its derivatives, vouched for.

`Evaluator` owns what is made once for a graph (derivative programs, compiled functions) and asks the arithmetics
whether what binary64 has returned can be trusted. What it cannot vouch for it returns as NaN or raises with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.domain import explain
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.running import Runner
from adlab.autodiff import programs
from adlab.autodiff.jacobian import Mode, adjoints, jacobian, tangents
from adlab.errors import AdlabError, DomainError, OverflowedError
from adlab.graph.graph import Graph

FloatArray = npt.NDArray[np.float64]
T = TypeVar("T")
SWEEPS = 8
"""Writing a reverse-mode program takes about as long as this many reverse sweeps on numbers: the first points are swept."""
LARGEST_FORWARD_PROGRAM = 1_000_000
"""Operations of the graph × inputs; beyond, forward mode sweeps on numbers only."""


class Evaluator:
    """Values and derivatives of one graph at a point, shape (n,): NaN where there are none.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> at = Evaluator(lower([x * y, sympy.log(x)], [x, y]))
    >>> at.jacobian(np.array([2.0, 3.0]))
    array([[3. , 2. ],
           [0.5, 0. ]])
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.n, self.m = len(graph.inputs), len(graph.outputs)
        self._made: dict[Any, Any] = {}
        self._swept = 0

    def _once(self, key: Any, make: Callable[[], T]) -> T:
        if key not in self._made:
            self._made[key] = make()
        found: T = self._made[key]
        return found

    def program(self, mode: Mode = "reverse") -> Graph:
        """The derivative program with the values first, which tell whether the point is in the domain."""
        return self._once(mode, lambda: programs.derivative(self.graph, mode, value=True))

    @property
    def written(self) -> bool:
        """Whether the reverse-mode program has been written."""
        return "reverse" in self._made

    @property
    def unwritable(self) -> bool:
        """Whether the forward-mode program would be too large to write."""
        return self.n * len(self.graph) > LARGEST_FORWARD_PROGRAM

    def _run(self, graph: Graph, point: FloatArray) -> FloatArray:
        runner = self._once(("runner", id(graph)), lambda: Runner(graph))
        return np.array(runner(point.tolist()))

    # --- values and first derivatives ---------------------------------------------------------------------------

    def values(self, point: FloatArray) -> FloatArray:
        """The outputs, shape (m,)."""
        return self._run(self.graph, point)

    def jacobian(self, point: FloatArray, mode: Mode = "reverse") -> FloatArray:
        """All partials, shape (m, n). The first points are swept on floats; who goes on calling gets the program.

        They agree to a few roundings: the program folds constants that a sweep multiplies. What a sweep leaves infinite
        or undefined is the program's too, which may yet find the way around it.
        """
        if mode == "reverse" and self._swept < SWEEPS:
            self._swept += 1
            found = np.array(jacobian(self.graph, self._walk(point), FLOATS)).reshape(self.m, self.n)
            if np.isfinite(found).all():
                return found
        if mode == "forward" and self.unwritable:
            return self._product(point, np.eye(self.n))
        both = self._run(self.program(mode), point)
        return np.where(np.isnan(both[: self.m])[:, None], np.nan, both[self.m :].reshape(self.m, self.n))

    def jvp(self, point: FloatArray, direction: FloatArray) -> FloatArray:
        """The Jacobian times a vector, shape (m,): one forward sweep."""
        values = self._walk(point)
        found = np.array(tangents(self.graph, values, dict(enumerate(direction.tolist())), FLOATS))
        if np.isnan(found).any() or self._infinite(values):
            with np.errstate(all="ignore"):  # the program knows ways through the complex numbers, a sweep does not
                found = self.vouched(self.jacobian(point), point) @ direction
        return found

    def vjp(self, point: FloatArray, weights: FloatArray) -> FloatArray:
        """A vector times the Jacobian, shape (n,): one reverse sweep."""
        values = self._walk(point)
        found = np.array(adjoints(self.graph, values, weights.tolist(), FLOATS))
        if np.isnan(found).any() or self._infinite(values):
            with np.errstate(all="ignore"):
                found = weights @ self.vouched(self.jacobian(point), point)
        return found

    def _walk(self, point: FloatArray) -> list[Any]:
        return list(evaluate(self.graph, point.tolist(), FLOATS))

    def _product(self, point: FloatArray, directions: FloatArray) -> FloatArray:
        """The Jacobian times each column, in one forward sweep whose tangents are rows: what a program would do, unwritten."""
        with np.errstate(all="ignore"):
            seeds: dict[int, Any] = dict(enumerate(directions))
            found = tangents(self.graph, self._walk(point), seeds, FLOATS, still=np.zeros(directions.shape[1]))
        return np.array(found).reshape(self.m, directions.shape[1])

    def _infinite(self, values: list[float]) -> bool:
        return any(abs(values[output]) == np.inf for output in self.graph.outputs)

    # --- second derivatives -------------------------------------------------------------------------------------

    def second(self, point: FloatArray, directions: FloatArray) -> FloatArray:
        """The Hessian of the one output times each column of `directions`, by one forward sweep over the gradient program.

        Raises where there is none.
        """
        gradient = self._once("gradient", lambda: Evaluator(self.program()))  # the value first, then the gradient
        value = self.values(point)
        if np.isinf(value).any():
            self.vouched(self.jacobian(point), point)
        self.existing(value, point)
        both = gradient._product(point, directions)
        found = both[1:]
        if np.isnan(both).any():  # f may be real by way of complex numbers, as its programs know
            second = self._once("second", lambda: programs.derivative(gradient.graph, "forward"))
            found = self._run(second, point)[self.n :].reshape(self.n, self.n) @ directions
        if np.isnan(found).any():
            raise explain(self.graph, point.tolist(), True) or explain(gradient.graph, point.tolist(), True, "the gradient") or (
                OverflowedError("binary64 overflows on the way to the second derivative; scale the variables")
            )
        return found

    # --- refusals -----------------------------------------------------------------------------------------------

    def existing(self, found: FloatArray, point: FloatArray, derivative: bool = False) -> FloatArray:
        """What was found, where all of it exists; raises the reason why some does not."""
        if np.isnan(found).any():
            raise self.reason(point, derivative)
        return found

    def reason(self, point: FloatArray, derivative: bool = False) -> AdlabError:
        """Why there is no value, or no derivative, at a point."""
        reason = explain(self.graph, point.tolist(), derivative)
        if reason is None and derivative:
            reason = explain(self.program("reverse"), point.tolist(), name="the derivative")
        return reason or DomainError("f has a value at this point, but not in its neighbourhood; try another method or step")

    def vouched(self, found: FloatArray, point: FloatArray) -> FloatArray:
        """The Jacobian found, unless a 0 may be all that an overflow has left, as x/∞ for sqrt(x² + y²): then it raises.

        Where f is infinite each 0 must have a bound on its error.
        """
        if found.all():
            return found
        for i, value in enumerate(self.values(point).tolist()):
            if abs(value) < np.inf or found[i].all():
                continue
            carried: list[Any] = list(evaluate(self.graph, [Bounded(number) for number in point.tolist()], BOUNDED))
            bounds = jacobian(self.graph, carried, BOUNDED)[i]
            if any(not bounds[j].error < np.inf for j in np.flatnonzero(found[i] == 0).tolist()):
                point_ = point.tolist()
                raise explain(self.graph, point_) or OverflowedError("binary64 overflows on the way to this derivative")
        return found
