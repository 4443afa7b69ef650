"""Nodes of a new graph: a sweep that runs on them writes the derivative program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adlab.arithmetic.numbers import Values, rule_inputs
from adlab.arithmetic.writers import writer
from adlab.graph import rules
from adlab.graph.graph import Builder, Graph
from adlab.graph.simplify import add, mul
from adlab.primitives.primitive import Parameter, Primitive
from adlab.primitives.table import PART


class Nodes:
    """Nodes of a new graph. What is computed with them is written down as a program.

    `guards` gives, for each node inside a branch, the condition under which it is live. Elsewhere its partials are 0. Otherwise a
    NaN from the branch that is not taken would reach the result, as 0 × NaN.
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
        """The table's rule, written down."""
        primitive, _, parameter = graph.nodes[position]
        rule = rules.partials(primitive, parameter)
        return self._guarded(position, rules.splice(self.builder, rule, rule_inputs(graph, position, values)))

    def pullback(self, graph: Graph, position: int, values: Values[int], bar: int) -> Sequence[int | None]:
        """The rule for adjoint × partial, written down. Nothing is written for an operand that depends on no input."""
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
        """The partial, or 0 where the node is not live. None for a partial that is 0 everywhere."""
        if position in self.guards:
            guard, call, zero = self.guards[position], self.builder.call, self.zero
            found = [None if node is None else call("select", guard, node, zero) for node in found]
        return [None if node == self.zero else node for node in found]

    def compound(self, operation: Any, parameter: Parameter, operands: list[int]) -> int:
        """One node for the operation. Its bodies stay bodies."""
        return self.builder.cons(operation, tuple(operands), parameter)

    def part(self, value: int, k: int) -> int:
        """A node that reads result number k of an operation's node."""
        return self.builder.cons(PART, (value,), k)

    def reached(self, position: int, contributions: Sequence[int | None]) -> Sequence[int | None]:
        """Inside a branch: 0 where that branch is not taken."""
        return self._guarded(position, contributions)

    def exists(self, value: int) -> bool:
        """Always true: a node may have no value at some points, but the program is written for the others."""
        return True

    def add(self, a: int, b: int) -> int:
        return add(self.builder, (a, b))

    def mul(self, a: int, b: int) -> int:
        if a == self.one:
            return b
        return a if b == self.one else mul(self.builder, (a, b))
