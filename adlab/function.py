"""`Function`: f: Rⁿ → Rᵐ, the face that a user holds. It coerces, checks and calls down; the work is done below."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
import sympy

from adlab.arithmetic.domain import beyond_range, domain
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.symbols import SYMPY
from adlab.autodiff import programs
from adlab.autodiff.evaluator import Evaluator, naming_the_others
from adlab.autodiff.jacobian import Mode, cheaper_mode
from adlab.autodiff.trace import Trace, trace
from adlab.autodiff.trace_text import DIGITS_OF_JUDGE
from adlab.conveniences import Written
from adlab.errors import DomainError, MethodError, OptionError, OverflowedError, PointError
from adlab.graph.graph import Graph
from adlab.graph.lowering import lower
from adlab.inputs import FloatArray, coerce, coerce_one, read, takes_at
from adlab.methods import Method, lookup
from adlab.text.traversal import brief, listing

if TYPE_CHECKING:
    from adlab.compile.batches import Batches

T = TypeVar("T")
Errors = Literal["nan", "raise"]


class Function(Written):
    """A formula with its variables, to be evaluated and differentiated in every way there is.

    `expression` is a text (parsed safely), a SymPy expression, or a sequence of them for m outputs; `variables` are
    symbols or names, by default all that occur, in natural order (x2 before x10). Raises ParseError, VariableError
    or UnsupportedExpression where the formula cannot be read.

    >>> f = Function("log((x1 + x2)**2 + sin(x1*x2))")
    >>> f([1, 2]), f.gradient({"x1": 1, "x2": 2})
    (2.2934734504528866, array([0.52150078, 0.56349637]))
    >>> f.domain
    [(x1 + x2)**2 + sin(x1*x2) > 0]
    """

    within: Function | None = None
    """The function whose derivative program this is; outside its domain there is no value either."""

    def __init__(
        self,
        expression: Any,
        variables: Iterable[sympy.Symbol | str] | None = None,
        name: str | None = None,
        *,
        point: Sequence[float] | None = None,
        about: str = "",
    ) -> None:
        self._outputs: tuple[Any, ...] | None
        self._outputs, self.variables, self.shape, order = read(expression, variables)
        self.scalar = self.shape == ()
        self._order: list[Any] | None = order  # until the graph is there
        self.name = name or "f"
        self._text = expression if isinstance(expression, str) else ""
        self.about = about
        self.point = None if point is None else tuple(coerce_one(point, self.names).tolist())
        self._cache: dict[Any, Any] = {}

    @classmethod
    def from_graph(cls, graph: Graph, name: str = "f") -> Function:
        """The function that a graph computes, its SymPy outputs written when asked for. Raises GraphError for a bad graph."""
        graph.check()
        self = cls.__new__(cls)
        self.variables = tuple(sympy.Symbol(variable, real=True) for variable in graph.inputs)
        self._outputs, self.scalar, self.name, self._text = None, len(graph.outputs) == 1, name, ""
        self.shape = () if self.scalar else (len(graph.outputs),)
        self.about, self.point, self._cache = "", None, {}
        self.__dict__["graph"] = graph
        return self

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled and copied: all but compiled code, which is made again when it is needed."""
        kept = {key: value for key, value in vars(self).items() if key in ("graph", "outputs") or not _is_cached(key)}
        return kept | {"_cache": {}}

    def with_graph(self, graph: Graph) -> Function:
        """The same formula with this graph to compute by; the formula still judges it. Raises GraphError for a bad graph."""
        graph.check()
        made = copy.copy(self)
        made.__dict__["graph"] = graph
        return made

    # --- what it is ---------------------------------------------------------------------------------------------

    @cached_property
    def graph(self) -> Graph:
        """The computational graph, lowered once."""
        assert self._outputs is not None  # or `from_graph` has put the graph in place
        order, self._order = self._order, None
        return lower(self._outputs, self.variables, order)

    @property
    def independent(self) -> bool:
        """Whether there is an expression to judge the graph by."""
        return self._outputs is not None

    @cached_property
    def outputs(self) -> tuple[sympy.Expr, ...]:
        """The SymPy expression of each output."""
        if self._outputs is not None:
            return self._outputs
        values = evaluate(self.graph, list(self.variables), SYMPY)
        return tuple(values[output] for output in self.graph.outputs)

    @property
    def n(self) -> int:
        """How many variables."""
        return len(self.variables)

    @cached_property
    def m(self) -> int:
        """How many outputs."""
        return len(self._outputs) if self._outputs is not None else len(self.graph.outputs)

    @property
    def names(self) -> list[str]:
        """The variables' names, in order."""
        return [variable.name for variable in self.variables]

    @cached_property
    def domain(self) -> list[Any]:
        """SymPy relationals under which f has a value; empty where it always has."""
        return domain(self.graph)

    @cached_property
    def title(self) -> str:
        """The formula as a heading: its text where that is short, else its name."""
        shown = " ".join(self._text.split())
        if not shown and self.independent and self.m == 1:
            shown = brief(self.outputs[0], 100)
        cut = len(shown) > 100 or shown.endswith("…") or "(…)" in shown
        return self.name if cut or not shown else f"{self.name} = {shown}"

    def cached(self, key: Any, make: Callable[[], T]) -> T:
        """What belongs to the formula and not to a point is made once."""
        if key not in self._cache:
            self._cache[key] = make()
        found: T = self._cache[key]
        return found

    def __repr__(self) -> str:
        return f"<Function {self.name}: R^{self.n} → R^{self.m}, variables {', '.join(self.names[:8])}>"

    # --- values -------------------------------------------------------------------------------------------------

    @takes_at
    def __call__(self, x: Any, errors: Errors = "nan") -> Any:
        """The value at one point, a float or an array (m,); at a batch of shape (..., n) an array (...,) or (..., m).

        Raises DomainError at one point outside the domain; in a batch such entries are NaN, unless `errors="raise"`.
        """
        point = self._point(x, errors)
        values = self._checked(self.values(point) if point.ndim == 1 else self.batches.values(point), point, errors)
        if not self.scalar:
            return values
        return float(values[0]) if point.ndim == 1 else values[..., 0]

    @cached_property
    def evaluator(self) -> Evaluator:
        """Values and derivatives at one point, an array of shape (n,); NaN where there are none."""
        return Evaluator(self.graph, None if self.within is None else self.within.evaluator)

    @cached_property
    def batches(self) -> Batches:
        """Values and derivatives at many points, an array of shape (..., n); NaN where there are none."""
        from adlab.compile.batches import Batches

        return Batches(self.evaluator)

    def values(self, point: FloatArray) -> FloatArray:
        """The outputs at one point, shape (m,), NaN where there are none: what finite differences sample."""
        return self.evaluator.values(point)

    def _point(self, x: Any, errors: Errors) -> FloatArray:
        if errors not in ("nan", "raise"):
            raise OptionError(f'errors={errors!r} is neither "nan" nor "raise"; a point is one argument, [1, 2]')
        return coerce(x, self.names)

    def _checked(
        self, found: FloatArray, points: FloatArray, errors: Errors = "raise", derivative: bool = False
    ) -> FloatArray:
        """What was found. No NaN is returned without a reason: at one point it is raised, in a batch only if errors are."""
        missing = np.isnan(found)
        if missing.any() and (points.ndim == 1 or errors == "raise"):
            rest = tuple(range(points.ndim - 1, found.ndim))
            place = tuple(np.argwhere(missing.any(axis=rest))[0])
            reason = self.evaluator.reason(points[place], derivative)
            if found.ndim == points.ndim + 1:
                reason = naming_the_others(reason, found[place], self.names)
            raise reason
        return found

    # --- derivatives --------------------------------------------------------------------------------------------

    @takes_at
    def gradient(self, x: Any, method: str = "reverse", errors: Errors = "nan", **options: Any) -> FloatArray:
        """∇f, shape (n,) at one point, (..., n) at a batch; needs m = 1. `method` is a name in `adlab.methods()`.

        Raises as calling f does, and MethodError where the method cannot serve the formula.
        """
        if self.m != 1:
            raise MethodError(f"a gradient needs one output, and this function has m = {self.m}; use .jacobian(x)")
        return self.jacobian(x, method, errors, **options)[..., 0, :]

    @takes_at
    def jacobian(self, x: Any, method: str = "reverse", errors: Errors = "nan", **options: Any) -> FloatArray:
        """All partials, shape (m, n) at one point, (..., m, n) at a batch; at one point `sparse=True` leaves the zeros out.

        Method "auto" is forward or reverse, by counted cost. A sparse Jacobian is a scipy.sparse array where SciPy is
        installed, and tells its `pattern`, `colors` and `sweeps`.
        """
        if options.pop("sparse", False):
            sparse: FloatArray = self.sparse_jacobian(x, method, **options)  # or a scipy.sparse array
            return sparse
        if method == "auto":
            method = cheaper_mode(self.graph)
        points, chosen = self._point(x, errors), lookup(method)
        chosen.check(self, options)
        automatic, single = chosen.family == "automatic", points.ndim == 1
        if single:
            if not automatic:  # whose programs hold the value, and are NaN where there is none
                self._checked(self.values(points), points)
            found = chosen(self, points, **options).jacobian
        elif chosen.batch is not None and not options:
            found = chosen.batch(self, points)
            if not automatic:
                found = np.where(np.isnan(self.batches.values(points))[..., None], np.nan, found)
        else:
            found = self._pointwise(chosen, points, errors, options)
        self._checked(found, points, errors, derivative=True)
        if single:
            return self.evaluator.finite(found, points)
        return np.where(np.isinf(found), np.nan, found)

    def _pointwise(self, method: Method, points: FloatArray, errors: Errors, options: dict[str, Any]) -> FloatArray:
        found = np.full((*points.shape[:-1], self.m, self.n), np.nan)
        for place in np.ndindex(points.shape[:-1]):
            try:
                found[place] = self.jacobian(points[place], method.name, **options)
            except (DomainError, OverflowedError):
                if errors == "raise":
                    raise
        return found

    def program(self, mode: Mode) -> Graph:
        """The derivative program with the values first, which tell whether the point is in the domain."""
        return self.evaluator.program(mode)

    @takes_at
    def jvp(self, x: Any, v: Any) -> FloatArray:
        """The Jacobian times `v`, shape (m,): one forward sweep."""
        point, direction = coerce_one(x, self.names), coerce_one(v, self.names, "direction")
        return self.evaluator.finite_row(self._checked(self.evaluator.jvp(point, direction), point, derivative=True))

    @takes_at
    def vjp(self, x: Any, u: Any) -> FloatArray:
        """`u` times the Jacobian, shape (n,): one reverse sweep."""
        point = coerce_one(x, self.names)
        weights = coerce_one(u, [f"output {i}" for i in range(self.m)], "vector of weights")
        return self.evaluator.finite_row(self._checked(self.evaluator.vjp(point, weights), point, derivative=True))

    @takes_at
    def hessian(self, x: Any) -> FloatArray:
        """All second partials, shape (n, n); needs m = 1. Forward mode over the reverse-mode program."""
        return self._second(x, np.eye(self.n))

    @takes_at
    def hvp(self, x: Any, v: Any) -> FloatArray:
        """The Hessian times `v`, shape (n,), for about the price of two gradients; needs m = 1."""
        return self._second(x, coerce_one(v, self.names, "direction").reshape(self.n, 1))[:, 0]

    def _second(self, x: Any, directions: FloatArray) -> FloatArray:
        if self.m != 1:
            raise MethodError(f"a Hessian needs one output, and this function has m = {self.m}")
        return self.evaluator.second_or_reason(coerce_one(x, self.names), directions)

    @takes_at
    def trace(self, x: Any, tangent: Any = None, output: int = 0) -> Trace:
        """Both sweeps at one point, node by node: see `Trace`. `tangent` is a direction, shape (n,)."""
        if output not in range(self.m):
            raise OptionError(f"output {output!r} is not one of the function's {self.m} (0 to {self.m - 1})")
        point = coerce_one(x, self.names)
        direction = None if tangent is None else dict(enumerate(coerce_one(tangent, self.names, "direction").tolist()))
        found = trace(self.graph, point.tolist(), direction, int(output))
        if found.value != found.value:
            self._checked(self.values(point)[[output]], point)
            kind, where = beyond_range(self.graph, point.tolist())
            if kind:
                raise OverflowedError(f"a trace shows binary64, which {kind}s here: {where}; f(x) and f.gradient(x) still answer")
            raise DomainError("f is real here only by way of complex numbers, which a trace over the reals cannot show")
        self._checked(np.array(found.gradient), point, derivative=True)
        return replace(found, judge=lambda: self._judged(point.tolist(), output)) if self.independent else found

    def _judged(self, point: list[float], output: int) -> list[float] | None:
        """One output's gradient from high-precision values of its expression, which no sweep has a part in."""
        from adlab.truth.judge import gradient_truth

        [found] = gradient_truth([self.outputs[output]], self.variables, point, DIGITS_OF_JUDGE)
        values = [partial.value for partial in found.partials]
        return None if None in values else [float(value) for value in values]

    # --- programs -----------------------------------------------------------------------------------------------

    def derivative(self, mode: Mode = "reverse", value: bool = False) -> Function:
        """The derivative program, a Function: the partials row-major (output, then variable), values first if asked."""
        if mode not in ("reverse", "forward"):
            raise OptionError(f'mode={mode!r} is neither "reverse" nor "forward"')
        program = programs.derivative(self.graph, mode, value)
        found = Function.from_graph(program, name=f"d{self.name}")
        found.within = self
        found.variables, found.scalar, found.point = self.variables, len(program.outputs) == 1, self.point
        return found

    def compile(
        self, backend: str = "auto", derivative: str | None = None, accuracy: str = "fast",
        wrt: Sequence[Any] | None = None, constants: Mapping[Any, float] | None = None,
    ) -> Any:  # fmt: skip
        """A fast callable of the values, or of a `derivative`: see `adlab.compile`. `wrt` names the variables to
        differentiate by, `constants` fixes others, `{"g": 9.81}`.
        """
        from adlab.compile.program import compile_function

        return compile_function(self, backend, derivative, accuracy, wrt, constants)


def as_function(f: Any, variables: Iterable[sympy.Symbol | str] | None = None) -> Function:
    """A Function as it is; a text, an expression or a sequence of them made into one."""
    return f if isinstance(f, Function) else Function(f, variables)


def point_of(f: Function, x: Any) -> FloatArray:
    """One point for a report: `x`, or the function's own where it has one."""
    if x is None:
        if f.point is None and f.n:
            raise PointError(f"no point given; the variables are {listing(f.names)}")
        x = f.point or ()
    return coerce_one(x, f.names)


def _is_cached(name: str) -> bool:
    return isinstance(getattr(Function, name, None), cached_property)
