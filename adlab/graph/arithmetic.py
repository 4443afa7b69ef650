"""What a graph can be walked with: one small class for each kind of number.

`evaluate` is the only evaluator; the forward and reverse sweeps (`adlab.autodiff`) take the same arithmetics.

>>> from adlab.graph.lowering import lower
>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> graph = lower([sympy.exp(x) * x], [x])
>>> evaluate(graph, [1.0], FLOATS)[-1], evaluate(graph, [np.array([0.0, 1.0])], ARRAYS)[-1]
(2.718281828459045, array([0.        , 2.71828183]))
>>> evaluate(graph, [x], SYMPY)[-1]
x*exp(x)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Protocol, TypeVar

import numpy as np
import sympy

from adlab.graph import rules
from adlab.graph.graph import Builder, Graph
from adlab.graph.primitive import Parameter, Primitive, exact_sympy
from adlab.graph.simplify import ADD, MUL

T = TypeVar("T")
Values = Sequence[T]


class Arithmetic(Protocol[T]):
    """Numbers of type T: how constants, operations, and local partials are made of them."""

    def constant(self, value: Any) -> T:
        """An exact constant in this arithmetic."""

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[T]) -> T:
        """One operation."""

    def partials(self, graph: Graph, position: int, values: Values[T]) -> Sequence[T | None]:
        """The local partial for each operand of a node; None where nothing can flow."""

    def add(self, a: T, b: T) -> T:
        """a + b."""

    def mul(self, a: T, b: T) -> T:
        """a × b."""


def evaluate(graph: Graph, inputs: Sequence[T], arithmetic: Arithmetic[T]) -> list[T]:
    """The value of every node, in order."""
    values = list(inputs)
    apply, constant = arithmetic.apply, arithmetic.constant
    for primitive, operands, parameter in graph.nodes[len(values) :]:
        if operands:
            values.append(apply(primitive, parameter, [values[operand] for operand in operands]))
        else:
            values.append(constant(parameter))
    return values


def _rule_inputs(graph: Graph, position: int, values: Values[T]) -> list[T]:
    return [*(values[operand] for operand in graph.nodes[position].operands), values[position]]


def _by_the_rule(graph: Graph, position: int, values: Values[T], arithmetic: Arithmetic[T]) -> list[T]:
    """The partials of a node: its rule is a graph, walked with the same arithmetic."""
    primitive, _, parameter = graph.nodes[position]
    rule = rules.partials(primitive, parameter)
    inside = evaluate(rule, _rule_inputs(graph, position, values), arithmetic)
    return [inside[output] for output in rule.outputs]


class _Numbers:
    """Numbers that Python can add and multiply."""

    def add(self, a: Any, b: Any) -> Any:
        return a + b

    def mul(self, a: Any, b: Any) -> Any:
        return a * b


@cache
def to_float(constant: Any) -> float:
    """The double nearest to an exact constant; ±inf beyond the largest."""
    try:
        return float(constant)
    except OverflowError:
        return np.inf if constant > 0 else -np.inf


class Floats(_Numbers):
    """binary64, one number at a time, under IEEE rules: NaN outside a domain, infinity at an overflow."""

    def constant(self, value: Any) -> float:
        return to_float(value)

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[float]) -> float:
        return primitive.careful(*operands) if parameter is None else primitive.careful(*operands, parameter)

    def partials(self, graph: Graph, position: int, values: Values[float]) -> Sequence[float | None]:
        from adlab.graph.compile.python import compiled_rule

        primitive, _, parameter = graph.nodes[position]
        found = compiled_rule(rules.partials(primitive, parameter))(*_rule_inputs(graph, position, values))
        return [partial or None for partial in found] if primitive.routes else found


class Arrays(_Numbers):
    """NumPy arrays, a batch of points at once; entries outside a domain are NaN."""

    def constant(self, value: Any) -> Any:
        return np.float64(to_float(value))

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        with np.errstate(all="ignore"):
            result = primitive.array(*operands) if parameter is None else primitive.array(*operands, parameter)
        if rules.unconditional(primitive):
            return result
        exists = rules.conditions(primitive, parameter)
        held = evaluate(exists, [*operands, result], self)[exists.outputs[0]]
        return np.where(held == 1, result, np.nan)[()]

    def partials(self, graph: Graph, position: int, values: Values[Any]) -> Sequence[Any]:
        return _by_the_rule(graph, position, values, self)


class ComplexNumbers(_Numbers):
    """complex128, for the complex step; meant for analytic primitives near the real axis."""

    def constant(self, value: Any) -> complex:
        return complex(to_float(value))

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        function = primitive.complex or primitive.array
        with np.errstate(all="ignore"):
            return function(*operands) if parameter is None else function(*operands, parameter)

    def partials(self, graph: Graph, position: int, values: Values[complex]) -> Sequence[complex]:
        return _by_the_rule(graph, position, values, self)


class Expressions(_Numbers):
    """SymPy expressions, unevaluated and sharing what the graph shares."""

    def constant(self, value: Any) -> sympy.Expr:
        return sympy.Float(value, precision=53) if isinstance(value, float) else exact_sympy(value)

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        with sympy.evaluate(False):
            given = operands if parameter is None else [*operands, exact_sympy(parameter)]
            made = primitive.form(*given)
        _ = made.is_commutative  # known of each in its turn: asked of the last, SymPy would recurse down a deep chain
        return made

    def partials(self, graph: Graph, position: int, values: Values[Any]) -> Sequence[Any]:
        """The rule of the table with its letters replaced, simplified as SymPy does by itself."""
        primitive, operands, parameter = graph.nodes[position]
        letters = dict(zip(rules.letters(primitive), _rule_inputs(graph, position, values), strict=True))
        return [primitive.partial(k, parameter).xreplace(letters) for k in range(len(operands))]


class Nodes:
    """Nodes of a new graph: what is walked with these is written down as a program.

    `guards` names, for nodes inside branches, the condition under which they are live: elsewhere their partials are
    0, or a NaN from the branch not taken would reach the result through 0 × NaN.
    """

    def __init__(self, builder: Builder, guards: Mapping[int, int] | None = None) -> None:
        self.builder = builder
        self.guards = guards or {}
        self.zero, self.one = builder.constant(0), builder.constant(1)
        self._constants: dict[Graph, list[int]] = {}

    def constant(self, value: Any) -> int:
        return self.builder.constant(value)

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[int]) -> int:
        return self.builder.apply(primitive, operands, parameter)

    def partials(self, graph: Graph, position: int, values: Values[int]) -> Sequence[int | None]:
        """As rules say; nothing is written for an operand that depends on no input."""
        primitive, operands, parameter = graph.nodes[position]
        active = graph.active
        rule = rules.partials_of(primitive, parameter, tuple([active[operand] for operand in operands]))
        found = self._spliced(rule, [*[values[operand] for operand in operands], values[position]])
        if position in self.guards:
            found = [self.builder.call("select", self.guards[position], partial, self.zero) for partial in found]
        zero = self.zero
        return [None if partial == zero else partial for partial in found]

    def _spliced(self, rule: rules.Rule, place: list[int]) -> list[int]:
        """The rule written into the builder; its constants are looked up once."""
        constants = self._constants.get(rule.graph)
        if constants is None:
            constants = self._constants[rule.graph] = [self.builder.constant(value) for value in rule.constants]
        place += constants
        apply = self.builder.apply
        for primitive, operands, parameter in rule.operations:
            place.append(apply(primitive, [place[operand] for operand in operands], parameter))
        return [place[output] for output in rule.graph.outputs]

    def add(self, a: int, b: int) -> int:
        return self.builder.apply(ADD, (a, b))

    def mul(self, a: int, b: int) -> int:
        if a == self.one:
            return b
        return a if b == self.one else self.builder.apply(MUL, (a, b))


FLOATS, ARRAYS, COMPLEX, SYMPY = Floats(), Arrays(), ComplexNumbers(), Expressions()
