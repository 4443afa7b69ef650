"""The traces that a learner reads: the forward sweep and the reverse sweep, node by node, with nothing left out."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from sympy import Expr, Symbol

from adlab.arithmetic.domain import beyond_range
from adlab.arithmetic.floats import FLOATS, Floats
from adlab.arithmetic.numbers import Numbers, evaluate
from adlab.autodiff.evaluator import Evaluator
from adlab.autodiff.sweeps import forward, reverse
from adlab.display import Report, Table
from adlab.errors import DomainError, GaveUp, OverflowedError, VariableError
from adlab.graph import rules
from adlab.graph.compound import refuse_bodies
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray
from adlab.primitives.primitive import Parameter, Primitive
from adlab.primitives.table import READ_BETTER, define
from adlab.text.traversal import listing

MOST_PATHS = 10_000
"""The most paths that are listed one by one. A reader looks at a few dozen."""
DIGITS = 5
"""Significant digits of a trace: enough to follow it by hand."""


@dataclass(frozen=True)
class Contribution:
    """What the operation `source` passes to its operand `target`: adjoint × local partial, and the sum after it is added."""

    source: int
    target: int
    operand: int
    """The number of the operand of `source`. The same node may be several operands."""
    partial: float
    value: float
    sum_after: float


def in_letters(graph: Graph, node: int) -> list[str]:
    """The local partials of an operation in letters. A loop or a solver has none: its derivative is a program."""
    primitive, operands, parameter = graph.nodes[node]
    if primitive.compound or not operands:
        return []
    names = [graph.names[i] for i in (*operands, node)]
    return [template.format(*names) for template in _templates(primitive, parameter)]


@cache
def _templates(primitive: Primitive, parameter: Parameter) -> tuple[str, ...]:
    """The local partials of an operation as texts, with places {0}, {1} … for its operands and a last one for its result."""
    places = {letter: Symbol(f"{{{i}}}", real=True) for i, letter in enumerate(rules.letters(primitive, parameter))}
    partials = [define(primitive.partial(k, parameter), READ_BETTER) for k in range(primitive.count(parameter))]
    return tuple(str(partial.xreplace(places)) for partial in partials)


class _Recording(Floats):
    """Floats that keep every local partial they hand out."""

    def __init__(self) -> None:
        self.partials_by_node: dict[int, tuple[float | None, ...]] = {}

    def partials(self, graph: Graph, position: int, values: Sequence[float]) -> Sequence[float | None]:
        found = tuple(super().partials(graph, position, values))
        self.partials_by_node[position] = found
        return found

    def pullback(self, graph: Graph, position: int, values: Sequence[float], bar: float) -> Sequence[float | None]:
        """Each partial by itself, times the adjoint, as a reader does it on paper."""
        return Numbers.pullback(self, graph, position, values, bar)


@dataclass(frozen=True, eq=False)
class Trace(Report):
    """Both sweeps at one point. `primals` holds the value of every node of `graph`, by position.

    `adjoints` belong to the output number `output`. `contributions` are in the order in which the reverse sweep makes them.
    `tangents` are there if a direction was given.
    """

    graph: Graph
    primals: list[float]
    partials: dict[int, tuple[float | None, ...]]
    adjoints: dict[int, float]
    contributions: list[Contribution]
    tangents: dict[int, float] | None = None
    output: int = 0
    digits: int = DIGITS
    """Significant digits that are shown. All digits are kept."""
    judge: Callable[[], list[float] | None] | None = None
    """Computes the gradient without any sweep, to check this one. None where there is no expression to compute it from."""
    lines: Mapping[int, str] = field(default_factory=dict)
    """The source line of a node, by position, where the graph is that of Python code."""

    def judged_by(self, expression: Expr, variables: tuple[Symbol, ...], point: list[float]) -> Trace:
        """This trace, with its gradient checked against high-precision values of the expression, which no sweep takes part in."""
        from adlab.autodiff.trace_text import DIGITS_OF_JUDGE
        from adlab.truth.judge import gradient_in_floats

        return replace(self, judge=lambda: gradient_in_floats(expression, variables, point, DIGITS_OF_JUDGE))

    # --- the numbers --------------------------------------------------------------------------------------------

    @property
    def value(self) -> float:
        return self.primals[self.graph.outputs[self.output]]

    @property
    def gradient(self) -> list[float]:
        """The adjoint of each input."""
        return [self.adjoints.get(i, 0.0) for i in range(len(self.graph.inputs))]

    @cached_property
    def shown(self) -> list[int]:
        """The nodes with a line of their own: inputs and operations."""
        return [*range(len(self.graph.inputs)), *self.graph.operations]

    def into(self, node: int) -> list[Contribution]:
        """The contributions that a node's adjoint is the sum of."""
        return self._by_target.get(node, [])

    @cached_property
    def _by_target(self) -> dict[int, list[Contribution]]:
        found: dict[int, list[Contribution]] = {}
        for contribution in self.contributions:
            found.setdefault(contribution.target, []).append(contribution)
        return found

    def letters(self, node: int) -> list[str]:
        """The local partials of an operation in letters: `1/v5`, `x2*cos(v3)` …"""
        return in_letters(self.graph, node)

    def partial_formula(self, node: int, operand: int) -> Any:
        """The local partial by operand number `operand`, as a SymPy expression in the names of the nodes."""
        primitive, operands, parameter = self.graph.nodes[node]
        names = [self.graph.names[i] for i in (*operands, node)]
        symbols = [Symbol(name, real=True) for name in names]
        letters = dict(zip(rules.letters(primitive, parameter), symbols, strict=False))
        return define(primitive.partial(operand, parameter), READ_BETTER).xreplace(letters)

    def __repr__(self) -> str:
        return f"<Trace of {self.graph!r}, value {self.value!r}>"

    # --- paths --------------------------------------------------------------------------------------------------

    def paths(self, variable: int | str = 0) -> list[GraphPath]:
        """Every path from an input to the output, with the product of the partials along it.

        The products add up to the derivative: that is the chain rule. Raises GaveUp for more than 10,000 paths.
        """
        start, end = self._input(variable), self.graph.outputs[self.output]
        counts, uses = self._path_counts(end), self.graph.uses()
        if counts[start] > MOST_PATHS:
            raise GaveUp(f"more than {MOST_PATHS} paths lead to the output; paths are for small graphs")
        done: list[GraphPath] = []
        stack: list[tuple[tuple[int, Any], float]] = [((start, None), 1.0)] if counts[start] else []
        while stack:
            trail, product = stack.pop()
            node = trail[0]
            if node == end:
                done.append(GraphPath(self.graph, _unrolled(trail), product))
                continue
            for user in reversed(dict.fromkeys(uses[node])):
                for operand, partial in zip(self.graph.nodes[user].operands, self.partials[user], strict=True):
                    if operand == node and partial is not None and counts[user]:
                        stack.append(((user, trail), product * partial))
        return done

    def _input(self, variable: int | str) -> int:
        names = self.graph.inputs
        if variable in names:
            return names.index(str(variable))
        if variable in range(len(names)):
            return int(variable)
        raise VariableError(f"no variable {variable!r}; there are {listing(names)}")

    def _path_counts(self, end: int) -> list[int]:
        """How many paths lead from each node to `end`, found without walking them."""
        counts = [0] * len(self.graph)
        counts[end] = 1
        for node in reversed(self.graph.operations):
            if counts[node]:
                for operand, partial in zip(self.graph.nodes[node].operands, self.partials[node], strict=True):
                    counts[operand] += counts[node] * (partial is not None)
        return counts

    # --- as a report --------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """`rows` has an entry for each input and operation, in order. `value` and `gradient` stand beside it."""
        return {
            "value": self.value,
            "gradient": dict(zip(self.graph.inputs, self.gradient, strict=True)),
            "rows": [self._row(node) for node in self.shown],
        }

    def _row(self, node: int) -> dict[str, Any]:
        graph, names = self.graph, self.graph.names
        primitive, operands, _ = graph.nodes[node]
        line = {"line": self.lines.get(node, "")} if self.lines else {}
        return line | {
            "node": names[node],
            "operation": primitive.name,
            "expression": graph.written(node),
            "operands": [names[operand] for operand in operands],
            "primal": self.primals[node],
            "tangent": None if self.tangents is None else self.tangents.get(node, 0.0),
            "partials": list(self.partials.get(node, ())),
            "partials_in_letters": self.letters(node),
            "adjoint": self.adjoints.get(node, 0.0),
            "contributions": [
                {"from": names[c.source], "value": c.value, "sum_after": c.sum_after} for c in self.into(node)
            ],
        }

    def sections(self) -> list[Table | str]:
        """First the values and local partials, from the inputs on. Then the adjoints, from the output back; or the tangents, if a
        direction was given. Each line is in letters and in numbers. The result comes last."""
        from adlab.autodiff.trace_text import conclusion, forward_table, reverse_table, tangent_table

        return [forward_table(self), reverse_table(self) if self.tangents is None else tangent_table(self), conclusion(self)]

    def to_latex(self) -> str:
        """Both tables as LaTeX arrays. Beyond 200 nodes only the size is given."""
        from adlab.autodiff.trace_text import as_latex

        return as_latex(self)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The graph with these numbers on it; returns the Axes."""
        return self.graph.plot(ax=ax, trace=self, **options)

    def to_svg(self, **options: Any) -> str:
        """The graph with these numbers on it, as an `<svg>` element; the options are those of `Graph.plot`."""
        return self.graph.to_svg(trace=self, **options)

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_png_(self) -> bytes:
        """A PNG as well as the SVG: a notebook that is not trusted drops the SVG."""
        written = io.BytesIO()
        self.plot().figure.savefig(written, format="png", dpi=144, bbox_inches="tight")
        return written.getvalue()

    def _repr_latex_(self) -> str:
        from adlab.display import displayed

        return displayed(self.to_latex())


@dataclass(frozen=True)
class GraphPath:
    """Nodes from an input to the output, and the product of the local partials between them."""

    graph: Graph
    nodes: tuple[int, ...]
    product: float

    def __str__(self) -> str:
        return " → ".join(self.graph.names[node] for node in self.nodes) + f": {self.product:.6g}"


def _unrolled(trail: Any) -> tuple[int, ...]:
    """(last, (…, (first, None))) as (first, …, last)."""
    nodes = []
    while trail is not None:
        node, trail = trail
        nodes.append(node)
    return tuple(reversed(nodes))


def trace(
    graph: Graph, point: Sequence[float], tangent: Mapping[int, float] | None = None, output: int = 0
) -> Trace:
    """Both sweeps on floats at one point, recorded. `tangent` is a direction, by input position."""
    refuse_bodies(graph, "a trace")
    numbers = _Recording()
    primals = evaluate(graph, point, numbers)
    contributions: list[Contribution] = []

    def note(source: int, operand: int, value: float, sum_after: float) -> None:
        target = graph.nodes[source].operands[operand]
        partial = numbers.partials_by_node[source][operand]
        assert partial is not None  # otherwise nothing would have been passed on
        contributions.append(Contribution(source, target, operand, partial, value, sum_after))

    adjoints = reverse(graph, primals, {graph.outputs[output]: 1.0}, numbers, note)
    tangents = None if tangent is None else forward(graph, primals, tangent, FLOATS)
    for node in graph.operations:  # also the nodes that the reverse sweep did not need
        if node not in numbers.partials_by_node:
            numbers.partials(graph, node, primals)
    return Trace(graph, primals, numbers.partials_by_node, adjoints, contributions, tangents, output)


def trace_or_reason(
    at: Evaluator, point: FloatArray, tangent: Mapping[int, float] | None = None, output: int = 0
) -> Trace:
    """As `trace`. Raises DomainError or OverflowedError, with the reason, where the value or the gradient is missing."""
    given = point.tolist()
    found = trace(at.graph, given, tangent, output)
    if found.value != found.value:
        at.checked(at.values(point)[[output]], point)
        kind, where = beyond_range(at.graph, given)
        if kind:
            raise OverflowedError(f"a trace shows binary64, which {kind}s here: {where}; f(x) and f.gradient(x) still answer")
        raise DomainError("f is real here only by way of complex numbers, which a trace over the reals cannot show")
    at.checked(np.array(found.gradient), point, derivative=True)
    return found
