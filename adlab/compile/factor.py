"""A factor that two products share is multiplied once: c a ± c b is written as (a ± b) c.

Where a line is used twice, reverse mode adds two contributions, each of them the adjoint times a local partial. Here the local
partials are added first. In a chain of such lines the adjoint then waits for one multiplication a link. The error bound is no
larger: the multiplications of the two products by the factor are one multiplication, of their sum.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from adlab.compile.reuse import reused
from adlab.graph.graph import Builder, Graph
from adlab.graph.simplify import ADD, MUL, NEG, SUB

MOST = 8
"""Factors of a product that is taken apart. Longer ones are products in their own right; to compare them would take long."""


class Factors(NamedTuple):
    """± the product of some nodes."""

    negative: bool
    nodes: Counter[int]


class Taken(NamedTuple):
    """(first ± second) × common, each a product of nodes."""

    first: Counter[int]
    second: Counter[int]
    common: Counter[int]
    minus: bool


def factored(graph: Graph) -> Graph:
    """The same outputs, where a sum of two products with a common factor is a product of that factor and a sum.

    >>> from adlab.autodiff.programs import derivative
    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = y = sympy.Symbol("x", real=True)
    >>> for _ in range(5):
    ...     y = 4*y*(1 - y)
    >>> program = derivative(lower([y], [x]))
    >>> len(program.operations), len(factored(program).operations)
    (32, 23)
    """
    turned = _turned(graph)
    readers: list[list[int]] = graph.uses()
    for operand in {operand for i in turned for operand in graph.nodes[i].operands}:
        readers[operand] = [i for i in readers[operand] if i not in turned]  # each becomes the negative of another difference
    for output in graph.outputs:
        readers[output].append(-1)
    changed: dict[int, Taken] = {}
    for i in graph.operations:
        if graph.nodes[i].primitive in (ADD, SUB) and i not in turned and not _is_term(graph, readers[i]):
            found = _shared(graph, i, readers, turned)
            if found is not None:
                changed[i] = found
    return _rebuilt(graph, changed, turned) if changed else graph


def shortened(graph: Graph) -> Graph:
    """The graph of a fast program: no linear form twice, no common factor twice."""
    return factored(reused(graph))


def _turned(graph: Graph) -> dict[int, int]:
    """For each difference b - a whose negative a - b stands before it, where that is."""
    known: dict[tuple[int, ...], int] = {}
    turned: dict[int, int] = {}
    for i in graph.operations:
        primitive, operands, _ = graph.nodes[i]
        if primitive is SUB:
            known[operands] = i
            if operands[::-1] in known:
                turned[i] = known[operands[::-1]]
    return turned


def _is_term(graph: Graph, readers: list[int]) -> bool:
    """Whether a longer sum takes it in. Its products are then added one by one, in one instruction each."""
    return len(readers) == 1 and readers[0] >= 0 and graph.nodes[readers[0]].primitive in (ADD, SUB)


def _shared(graph: Graph, i: int, readers: list[list[int]], turned: dict[int, int]) -> Taken | None:
    """What the sum at `i` becomes. None if its terms are no products that share a factor, or are read elsewhere too."""
    primitive, operands, _ = graph.nodes[i]
    if operands[0] == operands[1]:
        return None
    first, second = (_product(graph, operand, readers, turned) for operand in operands)
    if first is None or second is None or not (common := first.nodes & second.nodes):
        return None
    minus = first.negative != (second.negative != (primitive is SUB))
    rest, other = first.nodes - common, second.nodes - common
    if not rest or not other or (first.negative and not minus):
        return None
    return Taken(other, rest, common, minus) if first.negative else Taken(rest, other, common, minus)


def _product(graph: Graph, i: int, readers: list[list[int]], turned: dict[int, int]) -> Factors | None:
    """The factors of a product, and of those in it that nothing else reads."""
    if graph.nodes[i].primitive is not MUL:
        return None
    negative, factors, waiting = False, list[int](), [i]
    while waiting:
        at = waiting.pop()
        primitive, operands, _ = graph.nodes[at]
        if at in turned:
            negative, at = not negative, turned[at]
        if primitive is NEG:
            negative = not negative
            waiting.append(operands[0])
        elif primitive is MUL and len(readers[at]) == 1:
            waiting += reversed(operands)
        else:
            factors.append(at)
        if len(factors) + len(waiting) > MOST:
            return None
    return Factors(negative, Counter(factors))


def _rebuilt(graph: Graph, changed: dict[int, Taken], turned: dict[int, int]) -> Graph:
    """The graph with these products in place of its own sums."""
    builder = Builder(graph.inputs)
    place = list(range(len(graph.inputs)))
    for i, (primitive, operands, parameter) in enumerate(graph.nodes[len(place) :], len(place)):
        if i in changed:
            first, second, common, minus = changed[i]
            pair = _multiplied(builder, first, place), _multiplied(builder, second, place)
            total = builder.cons(SUB if minus else ADD, pair)
            place.append(_multiplied(builder, common, place, total))
        elif i in turned:
            place.append(builder.cons(NEG, (place[turned[i]],)))
        elif operands:
            place.append(builder.cons(primitive, tuple([place[operand] for operand in operands]), parameter))
        else:
            place.append(builder.constant(parameter))
    return builder.finish([place[output] for output in graph.outputs])


def _multiplied(builder: Builder, nodes: Counter[int], place: list[int], product: int | None = None) -> int:
    """The product of the factors, after what is given."""
    for factor in nodes.elements():
        product = place[factor] if product is None else builder.cons(MUL, (product, place[factor]))
    assert product is not None
    return product
