"""A graph lowered into a framework: evaluated with the framework's numbers as the arithmetic.

There is no second translation of SymPy. A framework says which functions it has, by the names of adlab's primitives. Most of
these are NumPy's names too, and are derived from them. A function that it lacks is composed of others, by formulas that are
lowered like any formula (`cot(a)` is `1/tan(a)`). What cannot be composed is refused by name.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cache, reduce
from typing import Any

import numpy as np
import sympy
from sympy import Min, Mod, Piecewise, S, atan2, floor, sign
from sympy.codegen.cfunctions import log1p

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import Numbers, evaluate
from adlab.errors import MethodError, UnsupportedExpression
from adlab.graph.compound import refuse_bodies
from adlab.graph.graph import Builder, Graph
from adlab.graph.lowering import lower
from adlab.primitives.entries import exact
from adlab.primitives.heads import hypot, share
from adlab.primitives.primitive import A, B, N, Parameter, Primitive, exact_sympy, number_text, to_float
from adlab.primitives.table import BEYOND_ONE, INSIDE_ONE, PRIMITIVES
from adlab.text.functions import meaning_of

Functions = Mapping[str, Callable[..., Any]]

COMPOSED: dict[str | tuple[str, int], sympy.Expr] = {
    "xlogy": Piecewise((S.Zero, sympy.And(sympy.Eq(A, 0), sympy.Eq(B, 0))), (A * sympy.log(B), True)),
    "sec": 1 / sympy.cos(A),
    "csc": 1 / sympy.sin(A),
    "cot": 1 / sympy.tan(A),
    "asec": atan2(BEYOND_ONE, sign(A)),
    "acsc": atan2(sign(A), BEYOND_ONE),
    "acot": sympy.atan(1 / A),
    # Far out cosh overflows, and its derivative with it: 0·∞. From ±300 on both are exp(-|a|) as far as binary64 can tell.
    "sech": sympy.exp(-sympy.Max(sympy.Abs(A) - 300, 0)) / sympy.cosh(Min(sympy.Max(A, -300), 300)),
    "csch": sympy.exp(-sympy.Max(sympy.Abs(A) - 300, 0)) / sympy.sinh(Min(sympy.Max(A, -300), 300)),
    "coth": 1 / sympy.tanh(A),
    "asech": sympy.asinh(INSIDE_ONE / A),
    "acsch": sympy.asinh(1 / A),
    "acoth": sympy.atanh(1 / A),
    "heaviside": Piecewise((S.Zero, A < 0), (S.One, A > 0), (N, True)),
    "mod": A - B * floor(A / B),
    # Frameworks have log|gamma|. Below zero gamma changes its sign from one interval to the next.
    "gamma": (1 - 2 * Mod(Min(floor(A), 0, evaluate=False), 2)) * sympy.exp(sympy.loggamma(A)),
    "li": sympy.Ei(sympy.log(A)),
    "erfcinv": sympy.erfinv(1 - A),
    ("sphericalj", 0): sympy.sin(A) / A,
    "log2": sympy.log(A) / sympy.log(2),
    "exp2": sympy.Pow(2, A),
    # With the exponential that decays, so that neither the value nor its derivative overflows.
    "sigmoid": sympy.exp(Min(A, 0)) / (1 + sympy.exp(-sympy.Abs(A))),
    "softplus": sympy.Max(A, 0) + log1p(sympy.exp(-sympy.Abs(A))),
    "share": sympy.exp(Min(A - B, 0)) / (1 + sympy.exp(-sympy.Abs(A - B))),
    "heading": A / hypot(A, B),
    "sharing": share(A, B) * share(B, A),
    "cosquare": exact(1 - A, 1 + A),
    "expover": exact(sympy.exp(A / 2) / A, sympy.exp(A / 2)),
    "logaddexp": sympy.Max(A, B) + log1p(sympy.exp(-sympy.Abs(A - B))),
}
"""What to compute instead in a framework that lacks this function, or this parameter of it.

adlab's own functions, such as hypot, are replaced by their form.
"""

POWERS: Functions = {
    "powi": operator.pow,
    "powr": lambda a, n: a ** float(n),
    "pow": lambda a, b, n=None: a ** (b + float(n) if n else b),
    "cbrt": lambda a: a ** (1 / 3),
}
COMPARISONS: Functions = {name: getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")}


def numpy_names(module: Any) -> Functions:
    """The functions, by the names of adlab's primitives, of a framework that follows NumPy's names.

    >>> numpy_names(np)["asin"]
    <ufunc 'arcsin'>
    """
    names = {name: entry.array.__name__ for name, entry in PRIMITIVES.items() if isinstance(entry.array, np.ufunc)}
    found = {name: getattr(module, theirs) for name, theirs in names.items() if hasattr(module, theirs)}
    if hasattr(module, "logaddexp"):
        found["logaddexp"] = module.logaddexp
    if hasattr(module, "hypot"):
        found["norm"] = lambda *given: reduce(module.hypot, given[:-1])  # the squares would overflow
    return found | {"polylog": lambda a, n: -module.log1p(-a) if n == 1 else NotImplemented}


def of_whole_order(function: Callable[..., Any]) -> Callable[..., Any]:
    """A framework's function (order, a) as (a, n), for orders that are natural numbers only."""
    return lambda a, n: function(int(n), a) if n >= 0 and n == int(n) else NotImplemented


class Framework(Numbers):
    """A framework's numbers as an `Arithmetic`. So adlab's own sweeps run on them too.

    Constants are Python floats, and what depends on no input stays a float: frameworks fit a float to the precision of the
    number that it meets. `lift(a, like)` makes it a number of the framework where a function accepts nothing else. A function
    may return NotImplemented for a parameter that it cannot serve.
    """

    def __init__(self, name: str, functions: Functions, lift: Callable[[float, Any], Any] | None = None) -> None:
        self.name = name
        self.functions = functions
        self.lift = lift

    def constant(self, value: Any) -> Any:
        return value if isinstance(value, float) else to_float(value)

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        """One operation. Raises MethodError, which names the primitive, where the framework has no such function."""
        if all(isinstance(operand, float) for operand in operands):
            return FLOATS.apply(primitive, parameter, operands)
        if primitive.operator:
            return primitive.form(*operands)
        found = NotImplemented
        if primitive.name in self.functions:
            given = () if parameter is None else (parameter,)
            found = self.functions[primitive.name](*self._lifted(operands), *given)
        return self._composed(primitive, parameter, operands) if found is NotImplemented else found

    def _lifted(self, operands: list[Any]) -> list[Any]:
        if self.lift is None:
            return operands
        like = next(operand for operand in operands if not isinstance(operand, float))
        return [self.lift(operand, like) if isinstance(operand, float) else operand for operand in operands]

    def _composed(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        graph = composition(primitive, parameter)
        if graph is not None:
            try:
                return evaluate(graph, operands, self)[graph.outputs[0]]
            except MethodError:
                pass  # a part of it is missing too, but the user knows this primitive
        raise MethodError(
            f"{self.name} has no differentiable {_called(primitive, parameter)}, nor what it could be composed of; "
            "adlab's own reverse and forward modes have it"
        )

    def expanded(self, graph: Graph, probe: Any) -> Graph:
        """The graph with the functions that the framework lacks written out in those that it has, and every constant as a float.

        So a compiler that follows Python code need not follow it through SymPy. `probe` is any number of the framework.
        """
        refuse_bodies(graph, "an export")
        builder, place = Builder(graph.inputs), list(range(len(graph.inputs)))
        self._write(builder, graph, place, probe)
        return builder.finish([place[output] for output in graph.outputs])

    def _write(self, builder: Builder, graph: Graph, place: list[int], probe: Any) -> None:
        """Appends to `place` the position in the builder of each further node of the graph."""
        for primitive, operands, parameter in graph.nodes[len(place) :]:
            given = [place[operand] for operand in operands]
            values = [builder.value_of(position) for position in given]
            if not operands:
                place.append(builder.constant(self.constant(parameter)))
            elif None not in values:
                place.append(builder.constant(FLOATS.apply(primitive, parameter, values)))
            elif self._serves(primitive, parameter, probe) and not self._has(primitive, parameter, probe):
                inner = composition(primitive, parameter)
                assert inner is not None
                self._write(builder, inner, given, probe)
                place.append(given[inner.outputs[0]])
            else:
                place.append(builder.cons(primitive, tuple(given), parameter))

    def _has(self, primitive: Primitive, parameter: Parameter, probe: Any) -> bool:
        given = () if parameter is None else (parameter,)
        function = self.functions.get(primitive.name)
        if primitive.operator or function is None:
            return primitive.operator
        return function(*[probe] * primitive.count(parameter), *given) is not NotImplemented

    def _serves(self, primitive: Primitive, parameter: Parameter, probe: Any) -> bool:
        if self._has(primitive, parameter, probe):
            return True
        inner = composition(primitive, parameter)
        return inner is not None and all(self._serves(*inner.nodes[i][::2], probe) for i in inner.operations)

    def outputs(self, graph: Graph, inputs: Sequence[Any]) -> list[Any]:
        """The outputs of the graph at these inputs. An output that depends on no input is a Python float."""
        values = evaluate(graph, inputs, self)
        return [values[output] for output in graph.outputs]


def _called(primitive: Primitive, parameter: Parameter) -> str:
    """What the user calls it: `besselj` of order 2, `besselj` of a moving order."""
    name = primitive.name.removesuffix("_moving")
    if name != primitive.name:
        return f"`{name}` of a moving order"
    return f"`{name}`" + ("" if parameter is None else f" of order {number_text(parameter)}")


@cache
def composition(primitive: Primitive, parameter: Parameter = None) -> Graph | None:
    """The primitive as a graph of others; None where there is no such formula.

    >>> print(composition(PRIMITIVES["acot"]))
    v1 = 1/a
    v2 = atan(v1)
    >>> composition(PRIMITIVES["sin"]) is None
    True
    """
    try:
        graph = lower([_formula(primitive, parameter)], primitive.letters(parameter))
    except UnsupportedExpression:  # for example a hypergeometric series
        return None
    return None if any(node.primitive is primitive for node in graph.nodes) else graph


def _formula(primitive: Primitive, parameter: Parameter) -> Any:
    letters = primitive.letters(parameter)
    known = COMPOSED.get(primitive.name, COMPOSED.get((primitive.name, parameter)))
    if known is not None:
        return primitive.with_parameter(known, parameter)
    form = primitive.form(*letters) if parameter is None else primitive.form(*letters, exact_sympy(parameter))
    means = meaning_of(form)
    return form if means is None else means(*form.args)
