"""Python functions as Functions: `adlab.from_python` traces one, and every verb takes the result.

A formula has one graph. A Python function has one for each way that its branches can go. So a `Traced` function answers at a
point by the graph of the path that the point takes, and records a new path where none is known.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.symbols import SYMPY
from adlab.autodiff.programs import Nesting
from adlab.errors import AdlabError, DomainError, GaveUp, OverflowedError, UnsupportedExpression
from adlab.function import Function
from adlab.inputs import Errors, FloatArray, coerce, coerce_one
from adlab.tracing import precise
from adlab.tracing.precise import Code, CodePlan
from adlab.tracing.program import CodePath, Guards, Program
from adlab.truth.judge import gradient_truth

NO_VALUE = (DomainError, GaveUp, OverflowedError)
"""What says that a function has no value, or no derivative, at a point."""
LARGEST_WRITTEN_OUT = 1000
"""Cost, in additions, up to which a loop is written out as a formula: SymPy's expressions swell."""
LARGEST_FORMULA = 3000
"""Operations up to which a recorded path is also judged as a formula, which balls can certify."""


class Traced(Function):
    """A traced Python function. `code` is its program. `at(x)` is the Function of the path that x takes.

    `graph`, and all that is made of it (`derivative()`, `compile()`, exports), is that of the example's path. It has no value
    where a branch goes another way.
    """

    code: Program
    path: CodePath | None
    """The one path of this Function. None where every point finds its own."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Made by `of`; `Function(fn, example=…)` comes here with one that is made."""

    @classmethod
    def of(cls, code: Program, path: CodePath | None = None, name: str | None = None) -> Traced:
        """The function of a program, or of one path of it."""
        graph = code.paths[0].guarded if path is None else path.graph
        self = cls._of_graph(graph, name or code.name)
        self.code, self.path = code, path
        self.scalar = code.shape == ()
        self.point = tuple(code.example.tolist())
        return self

    @property
    def independent(self) -> bool:
        """The code itself judges the graph."""
        return True

    @cached_property
    def readable(self) -> bool:
        """Whether a formula can be made of the graph: loops and solvers are written out only where they are short."""
        try:
            return bool(self.outputs)
        except UnsupportedExpression:
            return False

    @cached_property
    def outputs(self) -> tuple[sympy.Expr, ...]:
        """As `Function`. Raises UnsupportedExpression for loops and solvers that cannot be written out as a formula."""
        what = f"{self.name} is a program with loops or solvers"
        if self.graph.compound and self.graph.weight() > LARGEST_WRITTEN_OUT:
            raise UnsupportedExpression(f"{what}, too long to be written out as a formula")
        try:
            path = self.path or self.code.paths[0]
            values = evaluate(path.graph, list(self.variables), SYMPY)
            found = tuple(values[output] for output in path.graph.outputs)
            return found if self.path else tuple(sympy.Piecewise((value, path.condition(self.variables))) for value in found)
        except (UnsupportedExpression, RecursionError):
            raise UnsupportedExpression(f"{what}, which have no formula") from None

    def plan(self, outputs: Sequence[int] | None = None) -> Any:
        """As `Function`; the code itself where the graph has no formula."""
        return super().plan(outputs) if self.readable else CodePlan(self.runnable, outputs or range(self.m))

    @property
    def runnable(self) -> Code:
        """The code itself, for runs on high-precision numbers."""
        return Code(self.code.function, self.code.arguments, tuple(self.names))

    @property
    def written(self) -> str:
        """Empty: code has no formula."""
        return ""

    @property
    def title(self) -> str:
        """The function's name and its arguments."""
        return f"{self.name}({', '.join(self.code.arguments.names)})"

    def at(self, x: Any) -> Traced:
        """The function on the path that a point takes. Its graph has no branch that is not taken."""
        if self.path is not None:
            return self
        path = self.code.path(coerce_one(x, self.names).tolist())
        return self.cached(("path", id(path)), lambda: Traced.of(self.code, path, self.name))

    def line(self, position: int) -> str:
        """The source line of a node of this path's graph; empty where there is none."""
        found = (self.path or self.code.paths[0]).lines.get(position)
        return "" if found is None else f"{found.line}: {found.line.text}"

    def located(self, text: str) -> str:
        """A text about a node of this path, with the source line of the first node that it writes out."""
        if self.path is None or len(self.graph) > LARGEST_FORMULA:
            return text
        for i, said in zip(self.graph.operations, str(self.graph).splitlines(), strict=False):
            if re.search(rf"(?<!\w){re.escape(said)}(?!\w)", text) and (line := self.line(i)):
                place, _, source = line.partition(": ")
                return text.replace(said, f"{said} ({place}: `{source}`)", 1)
        return text

    @contextlib.contextmanager
    def _locating(self) -> Iterator[None]:
        """Errors of the domain name the source line."""
        try:
            yield
        except DomainError as error:
            text = self.located(str(error))
            if text == str(error):
                raise
            raise type(error)(text) from None

    def judged(self, point: list[float], digits: int) -> list[Any]:
        """Value and partials: by certified balls where the path is a formula, else by the code on high-precision numbers."""
        here = self.at(point)
        if len(here.graph.operations) <= LARGEST_FORMULA:
            try:
                return gradient_truth(here.outputs, here.variables, point, digits)
            except AdlabError:  # a loop or a solver has no expression: the code is run instead
                pass
        return list(precise.judged(self.runnable, point, digits, here.m))

    # --- each point by its own path -----------------------------------------------------------------------------

    def __call__(self, x: Any, errors: Errors = "nan") -> Any:
        """As `Function`."""
        if self.path is not None:
            with self._locating():
                return super().__call__(x, errors)
        points = coerce(x, self.names)
        if points.ndim == 1:
            return self.at(points)(points, errors)
        shape = () if self.scalar else (self.m,)
        return self._grouped(points, shape, errors, lambda f, rows: f(rows, errors))

    def values(self, point: FloatArray) -> FloatArray:
        """As `Function`; NaN too where a loop does not end or a solver finds nothing."""
        if self.path is None:
            return self.at(point).values(point)
        try:
            return super().values(point)
        except (DomainError, GaveUp):
            return np.full(self.m, np.nan)

    def jacobian(self, x: Any, method: str = "reverse", errors: Errors = "nan", **options: Any) -> FloatArray:
        """As `Function`."""
        if self.path is not None:
            self._refuse_alone(x)
            with self._locating():
                return super().jacobian(x, method, errors, **options)
        points = coerce(x, self.names)
        if points.ndim == 1:
            return self.at(points).jacobian(points, method, errors, **options)
        return self._grouped(points, (self.m, self.n), errors, lambda f, rows: f.jacobian(rows, method, errors, **options))

    def _refuse_alone(self, x: Any, order: int = 1) -> Any:
        """The point or the points. Raises DomainError for one at which an equality holds that decides about the derivative."""
        assert self.path is not None
        if any(decision.alone for decision in self.path.taken):
            for point in coerce(x, self.names).reshape(-1, self.n):
                slopes = None if order > 1 else Function.jacobian(self, point)
                self.code.refuse_alone(self.path, point.tolist(), slopes)
        return x

    def _grouped(self, points: FloatArray, shape: tuple[int, ...], errors: Errors,
                 compute: Callable[[Traced, FloatArray], Any]) -> FloatArray:  # fmt: skip
        """A batch: the points of each path together. Where these fail together, one by one, NaN for those that fail alone."""
        rows = points.reshape(-1, self.n)
        paths = [self.at(row) for row in rows]
        found = np.full((len(rows), *shape), np.nan)
        for path in {id(p): p for p in paths}.values():
            chosen = np.flatnonzero([p is path for p in paths])
            try:
                found[chosen] = compute(path, rows[chosen])
            except NO_VALUE:
                if errors == "raise":
                    raise
                for i in chosen:
                    with contextlib.suppress(*NO_VALUE):
                        found[i] = compute(path, rows[i])
        return found.reshape(*points.shape[:-1], *shape)

    def jvp(self, x: Any, v: Any) -> FloatArray:
        """As `Function`."""
        return super().jvp(self._refuse_alone(x), v) if self.path is not None else self.at(x).jvp(x, v)

    def vjp(self, x: Any, u: Any) -> FloatArray:
        """As `Function`."""
        return super().vjp(self._refuse_alone(x), u) if self.path is not None else self.at(x).vjp(x, u)

    def hessian(self, x: Any, sparse: bool = False) -> Any:
        """As `Function`."""
        return super().hessian(self._refuse_alone(x, 2), sparse) if self.path is not None else self.at(x).hessian(x, sparse)

    def hvp(self, x: Any, v: Any, nesting: Nesting | None = None) -> FloatArray:
        """As `Function`."""
        return super().hvp(self._refuse_alone(x, 2), v, nesting) if self.path is not None else self.at(x).hvp(x, v, nesting)

    def series(self, x: Any, v: Any, order: int = 20) -> Any:
        """As `Function`."""
        return super().series(self._refuse_alone(x, 2), v, order) if self.path is not None else self.at(x).series(x, v, order)

    def trace(self, x: Any, tangent: Any = None, output: int = 0) -> Any:
        """As `Function`."""
        if self.path is None:
            return self.at(x).trace(x, tangent, output)
        with self._locating():
            found = super().trace(x, tangent, output)
        return replace(found, lines={i: line for i in self.graph.operations if (line := self.line(i))})


def from_python(function: Callable[..., Any], example: Any, name: str | None = None, guards: Guards = "retrace") -> Traced:
    """A Python function of real numbers as a Function. `example` is a point: numbers, an array, or a tuple of arguments.

    The function runs once with traced numbers. They work with operators, `math`, and NumPy's functions and arrays. At a branch
    the trace follows the point. A point that goes another way is traced again, or refused with `guards="refuse"`. Raises
    TracingError, with the line and what to write instead, for what cannot be traced.

    >>> def energy(x):
    ...     return x[0] ** 2 * np.exp(x[1]) if x[0] > 0 else x[1]
    >>> f = from_python(energy, [1.0, 2.0])
    >>> f.gradient([3.0, 0.0]), f.gradient([-3.0, 0.0])
    (array([6., 9.]), array([0., 1.]))
    """
    return Traced.of(Program.of(function, example, guards), name=name)
