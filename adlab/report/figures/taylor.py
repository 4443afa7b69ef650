"""Taylor coefficients of high order: what each way to compute them costs, and how many digits it keeps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import sympy

from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.taylor import Taylor
from adlab.autodiff.programs import derivative
from adlab.function import Function
from adlab.plots.canvas import COLOURS, label_ends, lines, panels
from adlab.primitives.primitive import Parameter, Primitive
from adlab.report.accuracy import distance

FORMULAS = (("exp(sin(x))/(1 + x**2)", 0.7), ("sin(x)/x", 0.1))
"""A formula and the point of its series. The quotient of the second cancels near 0."""
ORDERS = range(1, 9)


def taylor_coefficients(given: Any = None) -> Any:
    """Derivative k of a function of one variable, by three ways. Top: operations against the order k. Taylor mode carries k + 1
    coefficients through f once; its additions, multiplications and function values are counted, and grow with k². Nested forward
    mode writes the derivative program of a derivative program, and so on, which doubles it each time. Symbolic differentiation
    is repeated; `sympy.count_ops` counts its formula as a tree, and its graph has each shared part once. Middle and bottom:
    correct decimal digits in binary64, for the same function and for sin(x)/x, whose quotient cancels. There every way loses
    digits with each order."""
    spots = panels(given, 3, 1, height=8.4, sharex=True)
    for spot, (formula, x) in enumerate(FORMULAS):
        rows = list(measured(Function(formula), x))
        if spot == 0:
            costs = {name: [cost for each, cost, _ in rows if each == name] for name in dict.fromkeys(row[0] for row in rows)}
            lines(spots[0], ORDERS, costs)
            spots[0].set(yscale="log", ylabel="operations", title=f"derivative k of {formula}")
        digits = {name: [kept for each, _, kept in rows if each == name] for name in dict.fromkeys(row[0] for row in rows)}
        lines(spots[spot + 1], ORDERS, digits)
        spots[spot + 1].set(ylim=(0, 17), ylabel="correct digits", title=f"{formula} at x = {x}")
    label_ends(spots[0], {name: (ORDERS[-1], costs[name][-1], COLOURS[k]) for k, name in enumerate(costs)})
    spots[2].set(xlabel="order k", xticks=list(ORDERS))
    return spots


def measured(f: Function, x: float) -> Iterator[tuple[str, int, float | None]]:
    """For each order: a way, its operations, and the correct digits of its coefficient at x."""
    true = f.series([x], [1.0], order=ORDERS[-1]).truth()
    program, formula = f.graph, f.outputs[0]
    for k in ORDERS:
        program, formula = derivative(program, "forward"), sympy.diff(formula, f.variables[0])
        nested, shared = Function.from_graph(program, f.name), Function(formula, f.variables)
        cost, coefficient = counted(f, x, k)
        yield "Taylor mode", cost, distance(coefficient, true[k]).digits
        for name, g in (("nested forward mode", nested), ("symbolic, each part once", shared)):
            yield name, len(g.graph.operations), distance(g([x]) / math.factorial(k), true[k]).digits
        yield "symbolic, as a tree", int(sympy.count_ops(formula)), None


# --- counting -------------------------------------------------------------------------------------------------------


class Counted(float):
    """A float that counts the operations on numbers of its kind in `Counted.total`."""

    total = 0


def _counting(name: str) -> Any:
    operation = getattr(float, name)

    def counted(self: Counted, other: float) -> Counted:
        Counted.total += 1
        return Counted(operation(self, float(other)))

    return counted


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv"):
    setattr(Counted, f"__{_name}__", _counting(f"__{_name}__"))


class CountingTaylor(Taylor):
    """Taylor mode on counted numbers."""

    def lift(self, value: Any) -> Counted:
        return Counted(super().lift(value))

    def value(self, primitive: Primitive, parameter: Parameter, at: list[Any]) -> Counted:
        Counted.total += 1
        return Counted(super().value(primitive, parameter, [float(number) for number in at]))


def counted(f: Function, x: float, order: int) -> tuple[int, float]:
    """The operations of Taylor mode up to this order, and the last coefficient.

    >>> counted(Function("x*x"), 3.0, 2)
    (12, 1.0)
    """
    Counted.total = 0
    line = [tuple(map(Counted, (x, 1.0, *[0.0] * (order - 1))))]
    found = evaluate(f.graph, line, CountingTaylor(order))[f.graph.outputs[0]]
    return Counted.total, float(found[order])
