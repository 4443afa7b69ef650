"""A linear form that a program computes twice is computed once: the gradient of a quadratic form takes half the operations.

Of q = Σⱼ xⱼ sⱼ with sⱼ = Σᵢ aⱼᵢ xᵢ, reverse mode writes two parts of ∂q/∂xⱼ, each times the adjoint c of q: c sⱼ, and
Σᵢ aᵢⱼ (c xᵢ). If the matrix is symmetric, the second is c sⱼ too. It is a sum of terms with the common factor c, and without
that factor it has the terms of a sum that is there already. Then the sum is taken from there. It is rounded in another order,
and no less exactly: each term still meets a few roundings of its own and those of one sum.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from adlab.graph.graph import Builder, Graph
from adlab.graph.simplify import ADD, DIV, MUL, NEG, SUB
from adlab.primitives.primitive import Primitive
from adlab.primitives.table import CONSTANT

LONG = 4
"""Terms: shorter sums are not looked for."""
SHORT = 8
"""Terms of a sum that is subtracted, so that it may be taken apart: turning the signs of a long one takes as long as it is."""
TRIES = 8
"""Forms that are compared with a sum: those that share its rarest term."""


class Term(NamedTuple):
    """± a × `of`, or ± `of` / a, where `by` is the position of the constant a; None for a = 1."""

    negative: bool
    of: int
    scale: Primitive | None = None
    by: int | None = None

    def turned(self) -> Term:
        return self._replace(negative=not self.negative)


Sums = dict[int, list[Term]]


def reused(graph: Graph) -> Graph:
    """The same outputs, where sums c a₁ x₁ + c a₂ x₂ + … are c times a sum a₁ x₁ + a₂ x₂ + … that stands before them.

    >>> from adlab.autodiff.programs import derivative
    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.symbols("x1:6", real=True)
    >>> sums = [sum(sympy.Rational(1, i + j + 2) * y for j, y in enumerate(x)) for i in range(5)]
    >>> program = derivative(lower([sympy.sin(sum(y * s for y, s in zip(x, sums)))], x))
    >>> len(program.operations), len(reused(program).operations)
    (115, 70)
    """
    sums = _sums(graph)
    forms = _forms(sums)
    changed = {i: new for i, terms in sums.items() if (new := _taken(graph, i, terms, forms)) is not None} if forms else {}
    return _rebuilt(graph, changed) if changed else graph


def _sums(graph: Graph) -> Sums:
    """The terms of every sum that is not itself a term of one."""
    readers = [0] * len(graph)
    for operand in (*graph.outputs, *(operand for i in graph.operations for operand in graph.nodes[i].operands)):
        readers[operand] += 1
    sums: Sums = {}

    def terms_of(i: int, negative: bool) -> list[Term]:
        inside = sums.get(i)
        if inside is None or readers[i] > 1 or (negative and len(inside) > SHORT):
            return [_term(graph, i, negative)]
        del sums[i]
        return [term.turned() for term in inside] if negative else inside

    for i in graph.operations:
        primitive, operands, _ = graph.nodes[i]
        if primitive is NEG:
            sums[i] = terms_of(operands[0], True)
        elif primitive is ADD or primitive is SUB:
            first, second = terms_of(operands[0], False), terms_of(operands[1], primitive is SUB)
            longer, shorter = (first, second) if len(first) >= len(second) else (second, first)
            longer += shorter
            sums[i] = longer
    return sums


def _term(graph: Graph, i: int, negative: bool) -> Term:
    primitive, operands, _ = graph.nodes[i]
    scale, by = None, None
    if primitive is MUL or primitive is DIV:
        a, b = operands
        if graph.nodes[b].primitive is CONSTANT:
            i, scale, by = a, primitive, b
        elif graph.nodes[a].primitive is CONSTANT and primitive is MUL:
            i, scale, by = b, primitive, a
    if graph.nodes[i].primitive is NEG:
        i, negative = graph.nodes[i].operands[0], not negative
    return Term(negative, i, scale, by)


def _forms(sums: Sums) -> dict[Term, list[tuple[int, frozenset[Term]]]]:
    """The long sums in which something is multiplied by a constant, by each of their terms, which are all different."""
    found: dict[Term, list[tuple[int, frozenset[Term]]]] = defaultdict(list)
    for i, terms in sums.items():
        if len(terms) >= LONG and any(term.by is not None for term in terms) and len(set(terms)) == len(terms):
            form = i, frozenset(terms)
            for term in terms:
                found[term].append(form)
    return found


class Product(NamedTuple):
    """± factor × form."""

    negative: bool
    factor: int
    form: int


def _taken(
    graph: Graph, i: int, terms: Sequence[Term], forms: dict[Term, list[tuple[int, frozenset[Term]]]]
) -> list[Term | Product] | None:
    """The terms of the sum at `i`, with products of a factor and a form in place of what equals them. None if there are none."""
    if len(terms) < LONG:
        return None
    factors = Counter(factor for term in terms for factor in _factors(graph, term.of))
    products: list[Term | Product] = []
    left = list(terms)
    for factor, count in factors.most_common():
        if count < LONG:
            break
        while found := _form_in(graph, i, factor, left, forms):
            product, gone = found
            products.append(product)
            left = [term for k, term in enumerate(left) if k not in gone]
    return [*left, *products] if products else None


def _factors(graph: Graph, i: int) -> Iterable[int]:
    primitive, operands, _ = graph.nodes[i]
    return set(operands) if primitive is MUL else ()


def _form_in(
    graph: Graph, i: int, factor: int, terms: Sequence[Term], forms: dict[Term, list[tuple[int, frozenset[Term]]]]
) -> tuple[Product, set[int]] | None:
    """A form that stands before `i` and that, times the factor, is part of the sum of the terms; and which terms it is."""
    bare: dict[Term, int] = {}
    for k, term in enumerate(terms):
        operands = graph.nodes[term.of].operands
        if graph.nodes[term.of].primitive is MUL and factor in operands:
            bare[term._replace(of=operands[operands[0] == factor])] = k
    for turned in (False, True):
        known = [term for term in bare if term in forms]
        rarest = min(known, key=lambda term: len(forms[term]), default=None)
        for place, form in forms[rarest][:TRIES] if rarest is not None else ():
            if place < i and form <= bare.keys():
                return Product(turned, factor, place), {bare[term] for term in form}
        bare = {term.turned(): k for term, k in bare.items()}
    return None


def _rebuilt(graph: Graph, changed: dict[int, list[Term | Product]]) -> Graph:
    """The graph with these sums in place of its own."""
    builder = Builder(graph.inputs)
    place = list(range(len(graph.inputs)))
    for i, (primitive, operands, parameter) in enumerate(graph.nodes[len(place) :], len(place)):
        if i in changed:
            place.append(_written(builder, changed[i], place))
        elif operands:
            place.append(builder.cons(primitive, tuple([place[operand] for operand in operands]), parameter))
        else:
            place.append(builder.constant(parameter))
    return builder.finish([place[output] for output in graph.outputs])


def _written(builder: Builder, terms: Sequence[Term | Product], place: Sequence[int]) -> int:
    """The sum, which begins with a term that is added if there is one."""
    total: int | None = None
    for term in sorted(terms, key=lambda term: term.negative):
        if isinstance(term, Product):
            new = builder.cons(MUL, (place[term.factor], place[term.form]))
        elif term.scale is None or term.by is None:
            new = place[term.of]
        else:
            new = builder.cons(term.scale, (place[term.of], place[term.by]))
        if total is None:
            total = builder.cons(NEG, (new,)) if term.negative else new
        else:
            total = builder.cons(SUB if term.negative else ADD, (total, new))
    assert total is not None
    return total
