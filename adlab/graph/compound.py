"""Operations with graphs of their own: loops, branches, solver calls. This file is the protocol that each of them follows.

A `Compound` is a primitive whose value and derivatives come from *body* graphs. Its node holds in its parameter what the
operation is made of: a hashable object with the body graphs, the number of turns, and the like. Its operands are any number of
nodes. It has one position in the graph and a fixed number of results. `part` nodes read the results one by one:

    v1 = repeat(x, y; 5 times)        one node, parameter Repeated(body, 5), two results
        body of a, b: …
    v2 = v1[0]                        part nodes: an ordinary number each
    v3 = v1[1]

Values, tangents (JVP) and adjoints (VJP) are three methods, each written once for any arithmetic. `numbers` is the arithmetic.
T is what it computes with: floats, arrays, balls, running error bounds, nodes of a new graph …

- `apply(numbers, parameter, operands) -> results`. It may evaluate a body with `evaluate(body, inputs, numbers)`. It may look
  at values to decide (has a loop ended?) where `numbers` has values. It is never called with nodes: on nodes the operation is
  *written down* as one node. So a loop stays a loop in a derivative program, however often it turns.
- `jvp(numbers, parameter, operands, results, tangents) -> tangents of the results`. A tangent that is None is zero.
- `vjp(numbers, parameter, operands, results, bars) -> adjoints of the operands`. Here too None stands for zero.

`jvp` and `vjp` are called with nodes too, so they must not look at values. They apply other operations: primitives by
`numbers.apply`, compound ones by `applied(numbers, operation, parameter, operands)`. On floats this computes at once. On nodes
it writes the derivative program. The tangent of a loop is a loop over the tangent of its body. The adjoint of a loop is another
compound operation: a loop that runs backwards over the states of the first one. `adlab.autodiff.programs.tangent_program` and
`adjoint_program` make the bodies that these need; `fresh` finds names for the inputs that they add. An operation without rules
of its own, whose `apply` looks at no value, inherits both rules by unrolling: `adlab.autodiff.unrolled.Unrolled`.

The sweeps, the evaluator, the printer and the checker know no such operation by name. They serve whatever follows the protocol.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from adlab.errors import UnsupportedExpression
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive


class Compound(Primitive, ABC):
    """An operation with bodies. The module's docstring has the protocol.

    A request for one function of it (`array`, `scalar`, `form`) is refused by name, with UnsupportedExpression.
    """

    compound: ClassVar[bool] = True

    def __init__(self, name: str) -> None:
        super().__init__(
            name, _refused(name, "formula"), _refused(name, "array function"), _refused(name, "function of floats"), ()
        )

    @abstractmethod
    def count(self, parameter: Parameter = None) -> int:
        """The number of operands."""

    @abstractmethod
    def results(self, parameter: Parameter = None) -> int:
        """The number of results."""

    @abstractmethod
    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        """The body graphs by their names, for the printer and the checker."""

    @abstractmethod
    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> Sequence[Any]:
        """The results, in an arithmetic that has values."""

    @abstractmethod
    def jvp(
        self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
        tangents: Sequence[Any | None],
    ) -> Sequence[Any | None]:  # fmt: skip
        """The tangents of the results, from the tangents of the operands. None is zero."""

    @abstractmethod
    def vjp(
        self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
        bars: Sequence[Any | None],
    ) -> Sequence[Any | None]:  # fmt: skip
        """The adjoints of the operands, from the adjoints of the results. None is zero."""

    def unrolled(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> Sequence[Any]:
        """The results with every step written out, on nodes that carry values (`adlab.autodiff.unrolling`)."""
        return self.apply(numbers, parameter, operands)

    def weight(self, parameter: Parameter = None) -> float:
        """The cost of one application, in additions. By default each body counts once."""
        return sum(body.weight() for body in self.bodies(parameter).values())

    def written(self, operands: tuple[str, ...], parameter: Parameter = None) -> str:
        """The operation written as a call. A subclass may add what its parameter says."""
        return f"{self.name}({', '.join(operands)})"


def applied(numbers: Any, operation: Compound, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
    """The results of a compound operation in any arithmetic: computed at once, or written down as nodes."""
    value = numbers.compound(operation, parameter, list(operands))
    return [numbers.part(value, k) for k in range(operation.results(parameter))]


def filled(numbers: Any, given: Sequence[Any | None]) -> list[Any]:
    """Tangents or adjoints, with every None replaced by a zero of the arithmetic."""
    return [numbers.constant(0) if number is None else number for number in given]


def refuse_bodies(graph: Graph, what: str) -> None:
    """Raises UnsupportedExpression if the graph has compound operations, which `what` does not serve."""
    if graph.compound:
        names = sorted({node.primitive.name for node in graph.nodes if isinstance(node.primitive, Compound)})
        raise UnsupportedExpression(
            f"{what} does not serve {', '.join(names)}: a loop, a branch, a solver or a call of outside code"
        )


def _refused(name: str, what: str) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        raise UnsupportedExpression(f"`{name}` is an operation with graphs of its own; it has no {what}")

    return refuse
