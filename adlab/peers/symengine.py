"""SymEngine: SymPy's core rewritten in C++; differentiates expressions and compiles the results with LLVM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import symengine

from adlab.graph.graph import Graph
from adlab.inputs import FloatArray
from adlab.peers.lowering import POWERS, Framework
from adlab.peers.shapes import Jacobians
from adlab.primitives.primitive import exact_sympy
from adlab.primitives.table import PRIMITIVES

# SymEngine has these. It leaves their derivatives as unevaluated objects, or uses functions that it cannot evaluate.
WITHOUT_DERIVATIVE = {
    "abs", "sign", "floor", "ceiling", "min", "max", "gamma", "loggamma", "polygamma", "zeta", "lambertw",
    "lowergamma", "uppergamma",
}  # fmt: skip


def _functions() -> dict[str, Callable[..., Any]]:
    """Its names are SymPy's."""
    plain = [name for name, entry in PRIMITIVES.items() if hasattr(entry.head, "__name__") and entry.parameter_at is None]
    names = {name: PRIMITIVES[name].head.__name__ for name in plain if name not in WITHOUT_DERIVATIVE}
    found = {name: getattr(symengine, theirs) for name, theirs in names.items() if hasattr(symengine, theirs)}
    return {
        **found,
        "sqrt": symengine.sqrt,
        "cbrt": lambda a: a ** symengine.Rational(1, 3),
        "powi": POWERS["powi"],
        "powr": lambda a, n: a ** symengine.sympify(exact_sympy(n)),
        "pow": lambda a, b, n=None: a ** (b + symengine.sympify(exact_sympy(n)) if n else b),
        "select": lambda condition, a, b: symengine.Piecewise((a, condition), (b, True)),
        "mod": lambda a, b: NotImplemented,
    }


class _Symbolic(Framework):
    """Expressions; constants stay exact."""

    def constant(self, value: Any) -> Any:
        return symengine.RealDouble(value) if isinstance(value, float) else symengine.sympify(exact_sympy(value))


NUMBERS = _Symbolic("SymEngine", _functions())


def symbolic(graph: Graph, dtype: str = "float64") -> Jacobians:
    """symengine.diff of every output by every variable, then Lambdify."""
    inputs, outputs = _expressions(graph)
    return _evaluated(inputs, [[symengine.diff(output, x) for x in inputs] for output in outputs], dtype)


def hessian(graph: Graph, dtype: str = "float64") -> Jacobians:
    """symengine.diff of one output, twice, then Lambdify."""
    inputs, [output] = _expressions(graph)
    partials = [symengine.diff(output, x) for x in inputs]
    return _evaluated(inputs, [[symengine.diff(partial, x) for x in inputs] for partial in partials], dtype)


def _expressions(graph: Graph) -> tuple[list[Any], list[Any]]:
    inputs = symengine.symbols([f"x{i}" for i in range(len(graph.inputs))])
    return inputs, NUMBERS.outputs(graph, inputs)


def _evaluated(inputs: list[Any], matrix: list[list[Any]], dtype: str) -> Jacobians:
    program = symengine.Lambdify(inputs, matrix, **({} if dtype == "float64" else {"dtype": np.dtype(dtype)}))

    def matrices(points: FloatArray) -> FloatArray:
        return np.asarray(program(points.astype(dtype)), dtype=float).reshape(*points.shape[:-1], len(matrix), len(inputs))

    return matrices
