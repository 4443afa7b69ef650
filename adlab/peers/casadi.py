"""CasADi: a graph as a symbolic function of its SX scalars, differentiated by graph colouring and its own sweeps."""

from __future__ import annotations

from typing import Any

import casadi
import numpy as np

from adlab.errors import OptionError
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray
from adlab.peers.lowering import COMPARISONS, POWERS, Framework, numpy_names
from adlab.peers.shapes import Jacobians


def _erfc(a: Any) -> Any:
    """1 - erf(a) is nothing but roundoff at 6. From 2 on this is Laplace's continued fraction, with 40 levels."""
    far = below = casadi.if_else(a < 2, 2, a)
    for k in range(40, 0, -1):
        below = far + k / 2 / below
    return casadi.if_else(a < 2, 1 - casadi.erf(a), casadi.exp(-far * far) / np.sqrt(np.pi) / below)


def _erfinv(a: Any) -> Any:
    """CasADi's own is good to 1e-8. Newton steps improve it: with erf near 0, and near 1 with erfc, which keeps its digits."""
    b = casadi.fabs(a)
    y = casadi.erfinv(b)
    for _ in range(3):
        beyond = casadi.if_else(b < 0.5, casadi.erf(y) - b, (1 - b) - _erfc(y))
        y = y - beyond * (np.sqrt(np.pi) / 2) * casadi.exp(y * y)
    return casadi.sign(a) * y


def _erfcinv(a: Any) -> Any:
    """The same for erfc, whose small values keep their digits. NaN for a < 1e-16, where 1 - a is 1."""
    y = casadi.erfinv(1 - a)
    for _ in range(2):
        y = y + (_erfc(y) - a) * (np.sqrt(np.pi) / 2) * casadi.exp(y * y)
    return y


def _mod(a: Any, b: Any) -> Any:
    """The remainder with the sign of b. CasADi's fmod is exact and has the sign of a; its remainder rounds to nearest."""
    rest = casadi.fmod(a, b)
    return casadi.if_else(casadi.logic_and(rest != 0, (rest < 0) != (b < 0)), rest + b, rest)


NUMBERS = Framework(
    "CasADi",
    {
        **numpy_names(casadi), **POWERS, **COMPARISONS, "min": casadi.fmin, "max": casadi.fmax, "abs": casadi.fabs,
        "mod": _mod,
        "and": casadi.logic_and, "or": casadi.logic_or, "not": casadi.logic_not, "select": casadi.if_else,
        "erf": casadi.erf, "erfc": _erfc, "erfinv": _erfinv, "erfcinv": _erfcinv,
    },
)  # fmt: skip


def function(graph: Graph, name: str = "f") -> Any:
    """The graph as a `casadi.Function` of one SX vector (n) with one vector output (m). Called on (n, N) it computes a batch.

    Raises MethodError for a primitive that CasADi lacks.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> a, b = sympy.symbols("a b", real=True)
    >>> function(lower([sympy.sin(a * b)], [a, b]))([2.0, 0.5])
    DM(0.841471)
    """
    if not (isinstance(name, str) and casadi.Function.check_name(name)):
        raise OptionError(f"a CasADi function is named by letters, digits and single underscores, not {name!r}")
    x, y = _expressions(graph)
    return casadi.Function(name, [x], [y], ["x"], ["y"])


def _expressions(graph: Graph) -> tuple[Any, Any]:
    inputs = [casadi.SX.sym(name) for name in graph.inputs]
    return casadi.vertcat(*inputs), casadi.vertcat(*map(casadi.SX, NUMBERS.outputs(graph, inputs)))


def jacobian(graph: Graph) -> Jacobians:
    """casadi.jacobian of the SX expression. It is an SX graph itself, run by CasADi's virtual machine."""
    x, y = _expressions(graph)
    return _evaluated(x, casadi.jacobian(y, x), len(graph.outputs))


def hessian(graph: Graph) -> Jacobians:
    """casadi.hessian of the SX expression of one output."""
    x, y = _expressions(graph)
    return _evaluated(x, casadi.hessian(y, x)[0], len(graph.inputs))


def _evaluated(x: Any, matrix: Any, m: int) -> Jacobians:
    """A matrix of m rows as a function of x."""
    program, n = casadi.Function("J", [x], [casadi.densify(matrix)]), x.numel()

    def matrices(points: FloatArray) -> FloatArray:
        columns = np.ascontiguousarray(points.reshape(-1, n).T)
        found = np.asarray(program(columns), dtype=float).reshape(m, -1, n)
        return np.moveaxis(found, 1, 0).reshape(*points.shape[:-1], m, n)

    return matrices
