"""`Function`: f: Rⁿ → Rᵐ, the object that a user holds. It reads what is given and calls down; other rooms do the work."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import numpy as np
import sympy

from adlab.arithmetic.domain import domain, steady
from adlab.arithmetic.running import Runner
from adlab.arithmetic.symbols import in_symbols
from adlab.autodiff import programs
from adlab.autodiff.declared import signs_of
from adlab.autodiff.evaluator import Evaluator
from adlab.autodiff.jacobian import Mode, cheaper_mode
from adlab.autodiff.watching import watched
from adlab.conveniences import Conveniences
from adlab.errors import MethodError, OptionError, PointError
from adlab.graph.graph import Graph
from adlab.graph.lowering import lower
from adlab.inputs import Errors, FloatArray, coerce_one, coerce_with, named_at, read, takes_at
from adlab.methods import lookup
from adlab.precision import in_patience, still_time
from adlab.text.traversal import listing

if TYPE_CHECKING:
    from adlab.compile.batches import Batches

T = TypeVar("T")
MANY = 500
"""Points from which a compiled program for batches pays for its compilation."""


if TYPE_CHECKING:
    _once = cached_property
else:

    class _once(cached_property):  # noqa: N801  # stands for `cached_property`
        """Without the lock that Python 3.11 takes each time: two threads may make the same thing twice."""

        def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
            if instance is None:
                return self
            made = instance.__dict__[self.attrname] = self.func(instance)
            return made


class Function(Conveniences):
    """A formula with its variables: f: Rⁿ → Rᵐ. It has values, derivatives by every method, and programs that compute them.

    `expression` is a text (parsed safely), a SymPy expression, or a sequence of them for m outputs. `variables` are symbols or
    names. By default they are all that occur, in natural order (x2 before x10). `point` is where reports look by default;
    `about` is a sentence for the reader. `expression` may also be a Python function if there is an `example`, a point at which
    it is traced (`adlab.from_python`). Raises ParseError, VariableError or UnsupportedExpression where the formula cannot be
    read.

    >>> f = Function("log((x1 + x2)**2 + sin(x1*x2))")
    >>> f([1, 2]), f.gradient({"x1": 1, "x2": 2})
    (2.2934734504528866, array([0.52150078, 0.56349637]))
    >>> f.domain
    [(x1 + x2)**2 + sin(x1*x2) > 0]
    """

    of_code: ClassVar[Callable[..., Function] | None] = None
    """Traces a Python function. A room above this one puts it here: see `adlab.page.attach`."""

    strictly: ClassVar[Callable[..., Function] | None] = None
    """Writes a derivative program so that it keeps its digits. A room above this one puts it here, too."""

    within: Function | None = None
    """For a derivative program: the function that it differentiates. Outside that function's domain there is no value."""

    def __new__(cls, expression: Any = None, *_: Any, example: Any = None, **options: Any) -> Function:
        """A Python function with an example becomes a traced function, which is a `Function` too."""
        if example is None or cls is not Function:
            return object.__new__(cls)
        if not is_code(expression):
            raise OptionError("an example goes with a Python function; a formula has none, and `point` is its point")
        assert cls.of_code is not None, "import Function from adlab"
        return cls.of_code(expression, example, **options)

    def __init__(
        self,
        expression: Any,
        variables: Iterable[sympy.Symbol | str] | None = None,
        name: str | None = None,
        *,
        point: Sequence[float] | None = None,
        about: str = "",
        example: Any = None,
    ) -> None:
        if is_code(expression):
            raise OptionError("a Python function needs an example, a point to be traced at: Function(fn, example=[1.0, 2.0])")
        self._outputs: tuple[Any, ...] | None
        self._outputs, self.variables, self.shape, order = read(expression, variables)
        self.scalar = self.shape == ()
        self._order: list[Any] | None = order  # until the graph is made
        self.name = name or "f"
        self.text = expression if isinstance(expression, str) else ""
        self.about = about
        self.point = None if point is None else tuple(coerce_one(point, self.names).tolist())
        self._cache: dict[Any, Any] = {}

    @classmethod
    def from_graph(cls, graph: Graph, name: str = "f") -> Function:
        """The function that a graph computes. Its SymPy outputs are written on demand. Raises GraphError for a bad graph."""
        return cls._of_graph(graph.check(), name)

    @classmethod
    def _of_graph(cls, graph: Graph, name: str) -> Self:
        """The function of a graph that is known to be well formed: checked, or written by adlab itself."""
        self = object.__new__(cls)
        self.variables = tuple(sympy.Symbol(variable, real=True) for variable in graph.inputs)
        self._outputs, self.scalar, self.name, self.text = None, len(graph.outputs) == 1, name, ""
        self.shape = () if self.scalar else (len(graph.outputs),)
        self.about, self.point, self._cache = "", None, {}
        self.__dict__["graph"] = graph
        return self

    def with_graph(self, graph: Graph) -> Function:
        """The same formula, computed by this graph and still judged by the formula. Raises GraphError for a bad graph."""
        graph.check()
        made = copy.copy(self)
        made.__dict__["graph"] = graph
        return made

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled and copied: everything but compiled code, which is made again when it is needed."""
        kept = {key: value for key, value in vars(self).items() if key in ("graph", "outputs") or not _is_cached(key)}
        return kept | {"_cache": {}}

    # --- what it is ---------------------------------------------------------------------------------------------

    @_once
    def graph(self) -> Graph:
        """The computational graph, lowered once."""
        assert self._outputs is not None  # `from_graph` puts the graph in place itself
        order, self._order = self._order, None
        return lower(self._outputs, self.variables, order)

    @property
    def independent(self) -> bool:
        """Whether there is an expression, apart from the graph, to judge the graph by."""
        return self._outputs is not None

    @property
    def readable(self) -> bool:
        """Whether `outputs` are SymPy expressions that a formula can be made of."""
        return self.independent

    def plan(self, outputs: Sequence[int] | None = None) -> Any:
        """What the truth evaluates to any number of digits: these outputs, by default all."""
        from adlab.truth.values import plan

        return plan([self.outputs[i] for i in (range(self.m) if outputs is None else outputs)], self.variables)

    @cached_property
    def outputs(self) -> tuple[sympy.Expr, ...]:
        """The SymPy expression of each output."""
        return in_symbols(self.graph, self.variables) if self._outputs is None else self._outputs

    @property
    def n(self) -> int:
        """The number of variables."""
        return len(self.variables)

    @cached_property
    def m(self) -> int:
        """The number of outputs."""
        return len(self._outputs) if self._outputs is not None else len(self.graph.outputs)

    @property
    def names(self) -> list[str]:
        """The variables' names, in order."""
        return [variable.name for variable in self.variables]

    @cached_property
    def domain(self) -> list[Any]:
        """SymPy relationals under which f has a value; empty where it always has one."""
        return domain(self.graph)

    def cached(self, key: Any, make: Callable[[], T]) -> T:
        """Calls `make` the first time, and keeps what it returns: for what depends on the formula and not on a point."""
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

        At one point outside the domain it raises DomainError. In a batch such entries are NaN, unless `errors="raise"`.
        """
        point = coerce_with(x, self.names, errors)
        found = self.values(point) if point.ndim == 1 else self.batches.values(point)
        values = self.evaluator.checked(found, point, errors)
        if not self.scalar:
            return values
        return float(values[0]) if point.ndim == 1 else values[..., 0]

    @_once
    def evaluator(self) -> Evaluator:
        """Values and derivatives at one point, an array of shape (n,); NaN where there are none."""
        declared = signs_of(self.variables)
        return Evaluator(self.graph, None if self.within is None else self.within.evaluator, declared)

    @cached_property
    def batches(self) -> Batches:
        """Values and derivatives at many points, an array of shape (..., n); NaN where there are none."""
        from adlab.compile.batches import Batches

        return Batches(self.evaluator)

    def values(self, point: FloatArray) -> FloatArray:
        """The outputs at one point, shape (m,), NaN where there are none. Finite differences sample this."""
        return self.evaluator.values(point)

    def several(self, points: FloatArray) -> FloatArray:
        """The outputs at many points, (N, n) to (N, m), NaN where there are none: one by one where they are few."""
        still_time()
        return self.evaluator.several(points) if len(points) < MANY else self.batches.values(points)

    @_once
    def _run(self) -> Runner | None:
        """The graph on floats; None where more than the range of binary64 may come between them and the values."""
        at = self.evaluator
        plain = at.within is None and not at.declared and not self.graph.compound and steady(self.graph)
        return Runner(self.graph) if plain else None

    def plainly(self, points: Sequence[Sequence[float]]) -> Sequence[Sequence[float]] | None:
        """The outputs at a few points, as `values` has them; None where a closer look is needed than at floats."""
        run = self._run
        if run is None:
            return None
        real = run.compiled or (lambda *point: run.real(point))
        found, raised = watched(lambda: [real(*point) for point in in_patience(points)])
        return None if raised else found

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

        Method "auto" takes forward, reverse, coloured or mixed sweeps, whichever count fewer operations; `jacobian_choice`
        says which, and why. Over a batch it is forward or reverse mode. A sparse Jacobian is a scipy.sparse array
        where SciPy is installed, and has the attributes `pattern`, `colors` and `sweeps`. Raises as `gradient` does.
        """
        point = coerce_with(x, self.names, errors)
        if method == "reverse" and not options and point.ndim == 1:
            plain = self.evaluator.plainly(point)
            if plain is not None:
                return plain
        if options.pop("sparse", False):
            sparse: FloatArray = self.sparse_jacobian(point, method, **options)  # or a scipy.sparse array
            return sparse
        if method == "auto":
            counted = point.ndim == 1 and self.m > 1 and self.n > 1 and not options
            method = self.jacobian_choice.name if counted else cheaper_mode(self.graph)
            if method in ("coloured", "mixed"):
                dense: FloatArray = self.sparse_jacobian(point, method).toarray()
                return dense
        return lookup(method).jacobian(self, point, errors, **options)

    def program(self, mode: Mode) -> Graph:
        """The derivative program, with the values first. A NaN among the values says that the point is outside the domain."""
        return self.evaluator.program(mode)

    @takes_at
    def jvp(self, x: Any, v: Any) -> FloatArray:
        """The Jacobian times `v`, shape (m,): one forward sweep. Raises as calling f does."""
        point, direction = coerce_one(x, self.names), coerce_one(v, self.names, "direction")
        return self.evaluator.finite_row(self.evaluator.checked(self.evaluator.jvp(point, direction), point, derivative=True))

    @takes_at
    def vjp(self, x: Any, u: Any) -> FloatArray:
        """`u` times the Jacobian, shape (n,): one reverse sweep. Raises as calling f does."""
        point = coerce_one(x, self.names)
        weights = coerce_one(u, [f"output {i}" for i in range(self.m)], "vector of weights")
        return self.evaluator.finite_row(self.evaluator.checked(self.evaluator.vjp(point, weights), point, derivative=True))

    @takes_at
    def hessian(self, x: Any, sparse: bool = False) -> Any:
        """All second partials, shape (n, n); needs m = 1. Forward mode runs over the reverse-mode program.

        With `sparse` the zeros are left out: variables of one colour share a product, see `hessian_coloring`.
        """
        if sparse:
            return self.sparse_hessian(x)
        return self.evaluator.second_or_reason(coerce_one(x, self.names), np.eye(self.n))

    @takes_at
    def hvp(self, x: Any, v: Any, nesting: programs.Nesting | None = None) -> FloatArray:
        """The Hessian times `v`, shape (n,); needs m = 1. It costs about as much as two gradients.

        `nesting` chooses one of four programs, such as "reverse over forward"; `adlab.nestings` compares them. What a program
        cannot compute at x is then not looked for in other ways: it raises as `f.derivative()` does.
        """
        point, direction = coerce_one(x, self.names), coerce_one(v, self.names, "direction")
        if nesting is None:
            return self.evaluator.second_or_reason(point, direction.reshape(self.n, 1))[:, 0]
        if nesting not in programs.NESTINGS:
            raise OptionError(f"nesting={nesting!r}; there are {', '.join(programs.NESTINGS)}")
        if self.m != 1:
            raise MethodError(f"a Hessian needs one output, and this function has m = {self.m}")
        names = programs.fresh(self.names, [f"{name}_dot" for name in self.names])
        graph = self.cached(("hvp", nesting), lambda: programs.hvp_program(self.graph, names, nesting))
        return self.evaluator.finite_row(np.reshape(Function.from_graph(graph)(np.concatenate([point, direction])), self.n))

    # --- programs -----------------------------------------------------------------------------------------------

    def derivative(
        self, mode: Mode = "reverse", value: bool = False, *, accuracy: str | None = None, at: Any = None, over: Any = None
    ) -> Function:
        """The derivative program, itself a Function. Its outputs are the partials, row-major: output, then variable.

        It answers as `gradient` does: where a partial does not exist or is beyond binary64, it raises at a point and is NaN in
        a batch. With `value=True` the values of f stand before them. With `accuracy="strict"` each output that loses digits
        near the point `at` (by default the function's own), or over ranges such as `over={"x": (1, 1e9)}`, is written in a form
        that keeps them, if a search of `adlab.improve`'s kind finds one. No form is taken that is worse at any of the points.
        The program's `about` says what was rewritten and what is still lost. Raises OptionError for another mode or accuracy,
        for a traced program, and where there is no point.

        >>> import adlab
        >>> f = adlab.Function("x/(x**2 + 1)")
        >>> f.derivative(accuracy="strict", at=1.0000001).outputs
        (-(x - 1)*(x + 1)/(x**2 + 1)**2,)
        """
        program = programs.derivative(self.graph, mode, value)
        found = Function.from_graph(program, name=f"d{self.name}")
        found.within = self
        found.variables, found.scalar, found.point = self.variables, len(program.outputs) == 1, self.point
        if accuracy is None and at is None and over is None:
            return found
        assert Function.strictly is not None, "import Function from adlab"
        return Function.strictly(self, found, value, accuracy, at, over)


def as_function(f: Any, x: Any = None) -> Function:
    """A Function is returned as it is. A text, an expression or a sequence of them is made into one.

    A name to which the point `x` gives a value is a variable, even `pi` and `E`.
    """
    return f if isinstance(f, Function) else Function(f, named_at(f, x))


def is_code(f: Any) -> bool:
    """Whether this is a Python function, and not a formula."""
    return callable(f) and not isinstance(f, (Function, str, sympy.Basic, type))


def point_of(f: Function, x: Any) -> FloatArray:
    """One point for a report: `x`, or the function's own point where `x` is None. Raises PointError where there is neither."""
    if x is None:
        if f.point is None and f.n:
            raise PointError(f"no point given; the variables are {listing(f.names)}")
        x = f.point or ()
    return coerce_one(x, f.names)


def _is_cached(name: str) -> bool:
    return isinstance(getattr(Function, name, None), cached_property)
