"""A graph for CasADi with adlab's own first and second derivatives: adlab's programs replace CasADi's rules."""

from __future__ import annotations

from typing import Any

import casadi

from adlab.autodiff.programs import derivative
from adlab.errors import OptionError
from adlab.exports.again import to_differentiate
from adlab.graph.graph import Graph
from adlab.peers.casadi import NUMBERS

ORDERS = 2
"""Orders of derivatives that are adlab's. CasADi wants all of them at once, and each costs a few times the one before."""


def export(graph: Graph, name: str = "f") -> Any:
    """The graph as a `casadi.Function` of one vector (n) with one vector output (m). Called on (n, N) it computes a batch.

    It enters expressions of SX and MX as one call. Raises MethodError for a primitive that CasADi lacks.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> a = sympy.Symbol("a", real=True)
    >>> f = export(lower([sympy.Piecewise((sympy.sqrt(a), a > 0), (0, True))], [a]))
    >>> f.jacobian()([-1.0], 0)  # CasADi's own rules give NaN
    DM(0)
    """
    if not (isinstance(name, str) and casadi.Function.check_name(name)):
        raise OptionError(f"a CasADi function is named by letters, digits and single underscores, not {name!r}")
    n, m = len(graph.inputs), len(graph.outputs)
    if not n:
        return casadi.Function(name, [_point(graph)[1]], [_values(graph, [], m, 1)], ["x"], ["y"])
    return _with_jacobian(graph, name, ["x"], "y", (m, 1), ORDERS)


def _point(graph: Graph) -> tuple[list[Any], Any]:
    inputs = [casadi.SX.sym(name) for name in graph.inputs]
    return inputs, casadi.vertcat(*inputs) if inputs else casadi.SX(0, 1)


def _values(graph: Graph, inputs: list[Any], rows: int, columns: int) -> Any:
    """The outputs, row by row, as a dense matrix."""
    flat = casadi.vertcat(*map(casadi.SX, NUMBERS.outputs(graph, inputs)))
    return casadi.densify(casadi.reshape(flat, columns, rows).T)


def _with_jacobian(graph: Graph, name: str, names: list[str], output: str, shape: tuple[int, int], orders: int) -> Any:
    """The function of x with its Jacobian. CasADi also passes earlier results, which are not needed here."""
    inputs, x = _point(graph)
    n, size = len(inputs), shape[0] * shape[1]
    passed = [casadi.SX.sym(each, *_shape(each, n, shape)) for each in names[1:]]
    values = _values(graph, inputs, *shape)  # first, so that a refusal names what the user wrote
    options: dict[str, Any] = {}
    if orders:
        kept = to_differentiate(graph)
        columnwise = Graph(kept.inputs, kept.nodes, _columnwise(kept.outputs, shape))
        program = derivative(columnwise, "forward" if n < size else "reverse")
        jacobian = _jacobian_of(program, name, names, output, shape, orders)
        options = {"never_inline": True, "enable_forward": False, "enable_reverse": False, "custom_jacobian": jacobian}
    return casadi.Function(name, [x, *passed], [values], names, [output], options)


def _jacobian_of(program: Graph, name: str, names: list[str], output: str, shape: tuple[int, int], orders: int) -> Any:
    """CasADi's `jac_f`. Its inputs are those of f and f's output. It has a Jacobian by each input; only that by x is not 0."""
    n, size = len(program.inputs), shape[0] * shape[1]
    inner_names = [*names, f"out_{output}"]
    if len(names) == 1:
        return _with_jacobian(program, f"jac_{name}", inner_names, f"jac_{output}_x", (size, n), orders - 1)
    inputs, x = _point(program)
    passed = [casadi.SX.sym(each, *_shape(each, n, shape)) for each in inner_names[1:]]
    zeros = [casadi.SX(size, each.numel()) for each in passed[:-1]]
    outputs = [_values(program, inputs, size, n), *zeros]
    return casadi.Function(
        f"jac_{name}", [x, *passed], outputs, inner_names, [f"jac_{output}_{each}" for each in names]
    )


def _shape(passed: str, n: int, shape: tuple[int, int]) -> tuple[int, int]:
    """The shape of an earlier result that is passed on: that of y, (m, 1), when the Jacobian (m, n) is computed."""
    return (shape[0], 1) if passed == "out_y" else shape


def _columnwise(outputs: tuple[int, ...], shape: tuple[int, int]) -> tuple[int, ...]:
    rows, columns = shape
    return tuple(outputs[i * columns + j] for j in range(columns) for i in range(rows))
