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

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol, TypeVar

import numpy as np
import sympy

from adlab.graph import rules
from adlab.graph.graph import Builder, Graph
from adlab.graph.primitive import Parameter, Primitive, exact_sympy
from adlab.graph.simplify import add, mul
from adlab.graph.writers import writer

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


class Adjoints(Arithmetic[T], Protocol[T]):
    """What a reverse sweep asks for besides."""

    def pullback(self, graph: Graph, position: int, values: Values[T], bar: T) -> Sequence[T | None]:
        """What a node whose adjoint is `bar` passes to each operand, bar × partial; None where nothing can flow."""


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


class Numbers(ABC):
    """Numbers that Python can add and multiply."""

    @abstractmethod
    def constant(self, value: Any) -> Any:
        """An exact constant in this arithmetic."""

    @abstractmethod
    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        """One operation."""

    def pullback(self, graph: Graph, position: int, values: Values[Any], bar: Any) -> Sequence[Any]:
        """Partial by partial."""
        mul = self.mul
        return [None if partial is None else mul(bar, partial) for partial in self.partials(graph, position, values)]

    def partials(self, graph: Graph, position: int, values: Values[Any]) -> Sequence[Any]:
        """The partials of a node: its rule is a graph, walked with the same arithmetic."""
        primitive, _, parameter = graph.nodes[position]
        rule = rules.partials(primitive, parameter)
        inside = evaluate(rule, _rule_inputs(graph, position, values), self)
        return [inside[output] for output in rule.outputs]

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


class Floats(Numbers):
    """binary64, one number at a time, under IEEE rules: NaN outside a domain, infinity at an overflow."""

    def constant(self, value: Any) -> float:
        return to_float(value)

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[float]) -> float:
        return primitive.careful(*operands) if parameter is None else primitive.careful(*operands, parameter)

    def partials(self, graph: Graph, position: int, values: Values[float]) -> Sequence[float | None]:
        primitive, _, parameter = graph.nodes[position]
        found = _compiled(rules.partials, primitive, parameter)(*_rule_inputs(graph, position, values))
        return [partial or None for partial in found] if primitive.routes else found

    def pullback(self, graph: Graph, position: int, values: Values[float], bar: float) -> Sequence[float | None]:
        """By the rule for both, in which bar × 1/b is bar/b: the operations of a derivative program, done at once."""
        primitive, operands, parameter = graph.nodes[position]
        if primitive.routes:  # what is not used gets nothing, not even 0 × its infinite partial
            return super().pullback(graph, position, values, bar)
        given = [values[operand] for operand in operands]
        return _compiled(rules.pullback, primitive, parameter)(*given, values[position], bar)


@cache
def _compiled(rule: Callable[..., Graph], primitive: Primitive, parameter: Parameter) -> Callable[..., tuple[float, ...]]:
    from adlab.graph.compile.python import compiled_rule

    return compiled_rule(rule(primitive, parameter))


class Arrays(Numbers):
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


class ComplexNumbers(Numbers):
    """complex128, for the complex step; meant for analytic primitives near the real axis."""

    def constant(self, value: Any) -> complex:
        return complex(to_float(value))

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        function = primitive.complex or primitive.array
        with np.errstate(all="ignore"):
            return function(*operands) if parameter is None else function(*operands, parameter)


class Expressions(Numbers):
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

    def constant(self, value: Any) -> int:
        return self.builder.constant(value)

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[int]) -> int:
        return self.builder.apply(primitive, operands, parameter)

    def partials(self, graph: Graph, position: int, values: Values[int]) -> Sequence[int | None]:
        """As the rule says, written down."""
        primitive, _, parameter = graph.nodes[position]
        rule = rules.partials(primitive, parameter)
        return self._guarded(position, rules.splice(self.builder, rule, _rule_inputs(graph, position, values)))

    def pullback(self, graph: Graph, position: int, values: Values[int], bar: int) -> Sequence[int | None]:
        """As the rule for both says; nothing is written for an operand that depends on no input."""
        primitive, operands, parameter = graph.nodes[position]
        active = graph.active
        if len(operands) == 2:
            a, b = operands
            write = writer(primitive, parameter, (active[a], active[b]))
            found = write(self.builder, values[a], values[b], values[position], bar)
        else:
            write = writer(primitive, parameter, tuple([active[operand] for operand in operands]))
            found = write(self.builder, *[values[operand] for operand in operands], values[position], bar)
        return self._guarded(position, found) if self.guards or self.zero in found else found

    def _guarded(self, position: int, found: Sequence[int | None]) -> Sequence[int | None]:
        """0 where the node is not live; None for what is 0 throughout."""
        if position in self.guards:
            guard, call, zero = self.guards[position], self.builder.call, self.zero
            found = [None if node is None else call("select", guard, node, zero) for node in found]
        return [None if node == self.zero else node for node in found]

    def add(self, a: int, b: int) -> int:
        return add(self.builder, (a, b))

    def mul(self, a: int, b: int) -> int:
        if a == self.one:
            return b
        return a if b == self.one else mul(self.builder, (a, b))


FLOATS, ARRAYS, COMPLEX, SYMPY = Floats(), Arrays(), ComplexNumbers(), Expressions()
