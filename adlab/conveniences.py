"""Methods of a `Function` that other rooms write: SymPy formulas, traces, series, programs, source, other frameworks' versions.

Each room is imported when its method is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from adlab.errors import MethodError, OptionError, VariableError
from adlab.exports import on_graphs as on_graphs  # attaches the methods of a graph
from adlab.graph.graph import Graph
from adlab.inputs import coerce_one, takes_at
from adlab.text.traversal import is_small, listing, written_short

if TYPE_CHECKING:
    import sympy

SHORT = 8
"""The most variables of a formula that is typeset on one line. It may have a dozen times as many nodes as a tree."""


class Conveniences:
    """What a function can do that other rooms do for it. `Function` inherits these methods."""

    name: str
    variables: tuple[sympy.Symbol, ...]
    scalar: bool
    text: str
    if TYPE_CHECKING:  # what a Function has: see `adlab.function`

        @property
        def graph(self) -> Graph: ...
        @property
        def outputs(self) -> tuple[sympy.Expr, ...]: ...
        @property
        def readable(self) -> bool: ...
        @property
        def independent(self) -> bool: ...
        @property
        def m(self) -> int: ...
        @property
        def n(self) -> int: ...
        @property
        def names(self) -> list[str]: ...
        @property
        def evaluator(self) -> Any: ...
        @property
        def within(self) -> Any: ...
        def cached(self, key: Any, make: Any) -> Any: ...

    @property
    def written(self) -> str:
        """The formula in at most 100 characters; empty where it is longer, and where there are several outputs."""
        return written_short(self.text, self.outputs[0] if self.readable and self.m == 1 else None)

    @property
    def title(self) -> str:
        """A heading: the name, and the formula where that is short."""
        return f"{self.name} = {self.written}" if self.written else self.name

    @property
    def expr(self) -> Any:
        """The formula as a SymPy expression; for several outputs, a tuple of expressions."""
        return self.outputs[0] if self.scalar else self.outputs

    def diff(self, *by: sympy.Symbol | str) -> Any:
        """The derivative as a SymPy formula, by one variable or by several in turn. For several outputs: a tuple of formulas.

        By default there must be only one variable. `adlab.derive` also has the programs and the sizes. Raises VariableError for
        an unknown name, and MethodError where the derivative is too large for a formula.

        >>> import adlab
        >>> adlab.Function("x**2*sin(y)").diff("x"), adlab.Function("x**2*sin(y)").diff("x", "y")
        (2*x*sin(y), 2*x*cos(y))
        """
        from adlab.symbolic.formula import partials

        found: Sequence[Any] = self.outputs
        if not by and self.n != 1:
            raise VariableError(f"name the variable to differentiate by: {listing([v.name for v in self.variables])}")
        for variable in self.chosen(by or self.variables):
            found = partials(found, [variable])
        return found[0] if self.scalar else tuple(found)

    def chosen(self, by: Sequence[sympy.Symbol | str]) -> list[sympy.Symbol]:
        """The variables with these names. Raises VariableError for a name that is not a variable."""
        known = {variable.name: variable for variable in self.variables}
        names = [str(getattr(variable, "name", variable)) for variable in by]
        for name in names:
            if name not in known:
                raise VariableError(f"no variable `{name}`; there are {listing(list(known))}")
        return [known[name] for name in names]

    @takes_at
    def trace(self, x: Any, tangent: Any = None, output: int = 0) -> Any:
        """Both sweeps at one point, node by node: see `Trace`. `tangent` is a direction, shape (n,).

        Raises as calling f does, and OptionError for an output that there is not.
        """
        from adlab.autodiff.trace import trace_or_reason

        if output not in range(self.m):
            raise OptionError(f"output {output!r} is not one of the function's {self.m} (0 to {self.m - 1})")
        point = coerce_one(x, self.names)
        direction = None if tangent is None else dict(enumerate(coerce_one(tangent, self.names, "direction").tolist()))
        found = trace_or_reason(self.evaluator, point, direction, int(output))
        return found.judged_by(self.outputs[output], self.variables, point.tolist()) if self.independent else found

    @property
    def coloring(self) -> Any:
        """The sparsity pattern of the Jacobian, and the sweeps that find it: `.pattern`, `.sweeps`, `.reason`, `.plot()`."""
        from adlab.autodiff.sparse import coloring

        return self.cached("coloring", lambda: coloring(self.graph))

    @property
    def jacobian_choice(self) -> Any:
        """Which sweeps find the Jacobian with the fewest operations, counted: `.name`, `.costs`, `.reason`."""
        from adlab.autodiff.choice import Choice

        return self.cached("jacobian choice", lambda: Choice.of(self.graph, self.coloring))

    @property
    def hessian_coloring(self) -> Any:
        """The sparsity pattern of the Hessian, and the products that find it: `.pattern`, `.sweeps`, `.reason`."""
        from adlab.autodiff.sparse_hessian import hessian_coloring

        return self.cached("hessian coloring", lambda: hessian_coloring(self.graph))

    def sparse_hessian(self, x: Any, coloring: str = "star") -> Any:
        """`hessian(x, sparse=True)`: a `scipy.sparse.csr_array`, or a `SparseMatrix` without SciPy. Raises as `hessian` does.

        `coloring="acyclic"` takes fewer products where it can, and subtracts entries from each other: digits may be lost.
        """
        from adlab.autodiff.sparse_hessian import sparse_hessian

        if coloring not in ("star", "acyclic"):
            raise OptionError(f"coloring={coloring!r} is neither 'star' nor 'acyclic'")
        point, star = coerce_one(x, [v.name for v in self.variables]), self.hessian_coloring
        found = star if coloring == "star" else self.cached("acyclic coloring", star.acyclic)
        return sparse_hessian(self.evaluator, point, found).preferred()

    def sparse_jacobian(self, x: Any, method: str = "auto", **options: Any) -> Any:
        """`jacobian(x, sparse=True)`. Raises as calling f does, and OptionError for options that it cannot serve.

        Coloured sweeps find it; with "auto" the cheapest ones, see `jacobian_choice`.
        """
        from adlab.autodiff.sparse import sparse_jacobian

        if options or method not in ("auto", "reverse", "coloured", "mixed"):
            raise OptionError('a sparse Jacobian chooses its own sweeps; give the point, sparse=True and perhaps method="auto"')
        mode = self.jacobian_choice.mode if method == "auto" else None
        point, at = coerce_one(x, [v.name for v in self.variables]), self.evaluator
        at.checked(at.values(point), point)
        found = sparse_jacobian(at, point, self.coloring, mode)
        at.checked(found.values, point, derivative=True)
        return found.preferred()

    @takes_at
    def series(self, x: Any, v: Any, order: int = 20) -> Any:
        """The Taylor coefficients of t ↦ f(x + t·v) up to t**order, shape (order + 1,), or (m, order + 1) for m outputs.

        Coefficient k is the k-th derivative along v, divided by k!. The array has `.bound`, a bound on each error, and
        `.truth()`, the coefficients to 30 digits. Raises as calling f does, and DomainError where f has
        no derivatives along a line through the point: on a kink, or at the edge of the domain.

        >>> import adlab
        >>> adlab.Function("exp(x)").series([0.0], [1.0], order=4)
        array([1.        , 1.        , 0.5       , 0.16666667, 0.04166667])
        """
        from adlab.autodiff.series import checked_series

        if type(order) is not int or order < 0:
            raise OptionError(f"order={order!r} is not a whole number from 0")
        names = [variable.name for variable in self.variables]
        point, direction = coerce_one(x, names), coerce_one(v, names, "direction")
        self.evaluator.checked(self.evaluator.values(point), point)
        found = checked_series(self.evaluator, point, direction, order)
        shown = found[0] if self.scalar else found
        return self._judged_series(shown, point, direction)

    def _judged_series(self, found: Any, point: Any, direction: Any) -> Any:
        """The coefficients with their bounds and their truth, each of which is computed when it is asked for."""
        import numpy as np

        from adlab.arithmetic.taylor_over import bounds
        from adlab.autodiff.series import Coefficients

        made = found.view(Coefficients)
        order = found.shape[-1] - 1

        def bound() -> Any:
            rows = bounds(self.graph, point.tolist(), direction.tolist(), order)
            off = [[b.error + abs(b.value - x) for b, x in zip(row, own, strict=True)]
                   for row, own in zip(rows, np.atleast_2d(np.asarray(found)).tolist(), strict=True)]  # fmt: skip
            known = np.array(off).reshape(found.shape)
            return np.where(np.isnan(known), np.inf, known)

        def truth(digits: int) -> Any:
            from adlab.symbolic.along import taylor_truth

            if not self.readable:
                raise MethodError("the truth needs a formula, and this function is a program")
            rows = taylor_truth(self.outputs, self.variables, point.tolist(), direction.tolist(), order, digits)
            return np.array(rows, dtype=object).reshape(found.shape)

        made.bounding, made.judging = bound, truth
        return made

    def compile(
        self, backend: str = "auto", derivative: str | None = None, accuracy: str = "fast",
        wrt: Sequence[Any] | None = None, constants: Mapping[Any, float] | None = None, data: Sequence[Any] | None = None,
        sparse: bool = False, threads: Any = 1,
    ) -> Any:  # fmt: skip
        """A fast callable of the values, or of a `derivative`: see `adlab.compile`.

        `wrt` names the variables to differentiate by; `data` names those to leave out. `constants` fixes others: `{"g": 9.81}`.
        With `sparse` a Jacobian or a Hessian leaves its zeros out. `threads`, a number or "auto", share a large batch.
        """
        from adlab.compile.derivatives import but_data
        from adlab.compile.program import compile_function

        by = but_data(self.names, wrt, constants, data)
        return compile_function(self, backend, derivative, accuracy, by, constants, sparse, threads)

    def to_data(self) -> dict[str, Any]:
        """The function as data for JSON: its graph, and for a derivative program also the graph that it differentiates."""
        from adlab.graph.saved import to_data

        within = None if self.within is None else self.within.to_data()
        data = {"name": self.name, "scalar": self.scalar, "graph": to_data(self.graph), "within": within}
        declared = self.evaluator.declared
        return data | ({"declared": dict(declared)} if declared else {})

    def save(self, path: Any) -> None:
        """Writes the function as JSON, for `adlab.load(path)`. Raises UnsupportedExpression for what a file cannot hold."""
        from adlab.graph.saved import write

        write(path, self.to_data())

    def to_python(self, derivative: str | None = None, **options: Any) -> str:
        """The function, or a derivative as `compile` names them, as Python source that needs nothing else.

        Options: `name` of the function; `wrt` and `constants` as in `compile`. Raises UnsupportedExpression for functions that
        cannot be composed of those in `math`.
        """
        from adlab.exports.to_python import to_python

        return to_python(self, derivative, **options)

    def to_numpy(self, derivative: str | None = None, **options: Any) -> str:
        """The same as a Python file that needs only NumPy, for one point (n,) or many (..., n)."""
        from adlab.exports.to_numpy import to_numpy

        return to_numpy(self, derivative, **options)

    def to_fortran(self, derivative: str | None = None, **options: Any) -> str:
        """The same as a Fortran 2008 subroutine, `(x, out, status)`, which C can call as well."""
        from adlab.exports.to_fortran import to_fortran

        return to_fortran(self, derivative, **options)

    def to_c(self, derivative: str | None = None, **options: Any) -> Any:
        """The same as C99: an object with `.header`, `.source` and `.write(path)`. Its `main` checks it at the point `at`.

        >>> import adlab
        >>> code = adlab.Function("x*sin(y)").to_c("gradient", name="slope")
        >>> code.header.splitlines()[-3]
        'int slope(const double x[2], double out[2]);'
        """
        from adlab.exports.to_c import to_c

        return to_c(self, derivative, **options)

    def to_latex(self) -> str:
        """The program as LaTeX, one line for each operation."""
        return self.graph.to_latex()

    def to_torch(self, dtype: Any = None, callback: bool = False) -> Any:
        """A differentiable PyTorch module of this function: see `Graph.to_torch`. Raises MissingExtra without torch.

        With `callback` PyTorch calls adlab for values and derivatives. That serves functions that PyTorch lacks, and formulas
        whose numbers leave the range of their type on the way. Without it PyTorch has no wider numbers to go on with: the
        derivative of 1/x**2 at 1e100 is then 0, and a quotient that overflows may be NaN.
        """
        return self._called_back("torch", "in_torch") if callback else self.graph.to_torch(dtype)

    def to_jax(self, dtype: Any = None, callback: bool = False) -> Any:
        """A pure JAX function, for grad, jit and vmap: see `Graph.to_jax`. Raises MissingExtra without jax.

        With `callback` it is a `jax.custom_vjp` that calls adlab, in reverse mode only. It is for what `to_torch` names.
        """
        return self._called_back("jax", "in_jax") if callback else self.graph.to_jax(dtype)

    def to_casadi(self, callback: bool = False) -> Any:
        """A `casadi.Function` of one vector: see `Graph.to_casadi`. Raises MissingExtra without casadi.

        With `callback` it is a `casadi.Callback` that calls adlab, for what `to_torch` names.
        """
        name = self.name if self.name.isidentifier() else "f"
        return self._called_back("casadi", "in_casadi", name) if callback else self.graph.to_casadi(name)

    def _called_back(self, peer: str, adapter: str, *more: Any) -> Any:
        from adlab.peers.catalogue import library

        library(peer)  # raises a sentence that says what to install
        from adlab.exports import callbacks

        return getattr(callbacks, adapter)(self, *more)

    def to_scipy(self, sparse: bool = False) -> dict[str, Any]:
        """`fun`, `jac` and `hessp` for `scipy.optimize.minimize(x0=…, **f.to_scipy())`; of several outputs `fun` and `jac`."""
        from adlab.exports.to_scipy import to_scipy

        return to_scipy(self, sparse)

    def to_numba(self, derivative: str | None = None, wrt: Any = None, constants: Any = None) -> Any:
        """A Numba `cfunc` that writes f, or a derivative, into a buffer: `int (double *x, double *out)`. Extra `numba`."""
        from adlab.exports.to_numba import to_numba

        return to_numba(self, derivative, wrt, constants)

    def _repr_latex_(self) -> str:
        """The formula if it is short, else the program line by line, else its size."""
        from adlab.display import displayed

        short = self.readable and self.n <= SHORT and is_small(self.outputs, 12 * SHORT)
        return displayed(self._formula_in_latex() if short else self.to_latex())

    def _formula_in_latex(self) -> str:
        import sympy

        from adlab.text.latex import formula_in_latex

        rows = r" \\ ".join(map(formula_in_latex, self.outputs))
        values = rows if self.scalar else rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"
        letters = ", ".join(sympy.latex(variable) for variable in self.variables)
        return rf"\left({letters}\right) \mapsto {values}"
