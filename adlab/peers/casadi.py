"""CasADi: a graph as a symbolic function of its SX scalars, differentiated by graph colouring and its own sweeps."""

from __future__ import annotations

from typing import Any

import casadi
import numpy as np

from adlab.graph.graph import Graph
from adlab.peers.lowering import COMPARISONS, POWERS, Framework, numpy_names
from adlab.peers.shapes import Jacobians
from adlab.points import FloatArray

NUMBERS = Framework(
    "CasADi",
    {
        **numpy_names(casadi), **POWERS, **COMPARISONS, "min": casadi.fmin, "max": casadi.fmax, "abs": casadi.fabs,
        "mod": lambda a, b: NotImplemented,  # casadi.remainder rounds to nearest, as in IEEE, and not down
        "and": casadi.logic_and, "or": casadi.logic_or, "not": casadi.logic_not, "select": casadi.if_else,
        "erf": casadi.erf, "erfinv": casadi.erfinv,
    },
)  # fmt: skip


def function(graph: Graph, name: str = "f") -> Any:
    """The graph as a `casadi.Function` of one SX vector (n) with one vector output (m); called on (n, N), a batch.

    Raises MethodError for a primitive that CasADi lacks.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> a, b = sympy.symbols("a b", real=True)
    >>> function(lower([sympy.sin(a * b)], [a, b]))([2.0, 0.5])
    DM(0.841471)
    """
    x, y = _expressions(graph)
    return casadi.Function(name, [x], [y], ["x"], ["y"])


def _expressions(graph: Graph) -> tuple[Any, Any]:
    inputs = [casadi.SX.sym(name) for name in graph.inputs]
    return casadi.vertcat(*inputs), casadi.vertcat(*map(casadi.SX, NUMBERS.outputs(graph, inputs)))


def jacobian(graph: Graph) -> Jacobians:
    """casadi.jacobian of the SX expression, itself an SX graph, run by CasADi's virtual machine."""
    x, y = _expressions(graph)
    program = casadi.Function("J", [x], [casadi.densify(casadi.jacobian(y, x))])
    m, n = len(graph.outputs), len(graph.inputs)

    def jacobians(points: FloatArray) -> FloatArray:
        columns = np.ascontiguousarray(points.reshape(-1, n).T)
        found = np.asarray(program(columns), dtype=float).reshape(m, -1, n)
        return np.moveaxis(found, 1, 0).reshape(*points.shape[:-1], m, n)

    return jacobians
