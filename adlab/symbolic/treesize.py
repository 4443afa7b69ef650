"""The size of an expression as a tree, without walking it as one.

SymPy stores an expression as a tree whose equal branches may be one object. Written out, `logistic_map(50)` has 10^15 nodes.
Everything here first numbers the *distinct* subexpressions, operands first. Then it asks how often each would stand in the
tree: as often as what uses it, once for each use. That is a reverse sweep, with the seed 1 at each root. Its cost is the number
of distinct nodes.

>>> import sympy
>>> x = sympy.Symbol("x")
>>> for _ in range(50):
...     x = flat(Mul, (x, x))
>>> tree_nodes(x), tree_depth(x), len(Distinct.of([x]).nodes)
(2251799813685247, 50, 51)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Add, Mul, Pow, S
from sympy.core.basic import Basic
from sympy.core.operations import LatticeOp

from adlab.text.traversal import postorder
from adlab.text.unevaluated import applied, flat

if TYPE_CHECKING:  # the worker process needs neither the graph nor NumPy
    from adlab.graph.graph import Graph

Positions = Sequence[int]


@dataclass(frozen=True)
class Distinct:
    """The distinct subexpressions of some expressions, by structure: equal branches are one, and operands come first.

    `operands[i]` are the positions of the operands of `nodes[i]`. `roots` are the positions of the expressions themselves.
    """

    nodes: Sequence[Basic]
    operands: Sequence[Positions]
    roots: Positions
    positions: dict[int, int]
    """The position of each object by its identity, equal objects included."""
    expressions: Sequence[Basic]
    """Objects kept alive, since an identity is valid only while its object lives."""

    @classmethod
    def of(cls, expressions: Iterable[Basic]) -> Distinct:
        """Numbers the subexpressions, in time linear in the number of objects. Nothing recurses, and no branches are compared."""
        expressions = list(expressions)
        known: dict[Any, int] = {}
        positions: dict[int, int] = {}
        nodes: list[Basic] = []
        operands: list[Positions] = []
        for node in postorder(expressions):
            below = tuple([positions[id(operand)] for operand in node.args])
            position = known.setdefault((type(node), below) if below else _atom(node), len(nodes))
            positions[id(node)] = position
            if position == len(nodes):
                nodes.append(node)
                operands.append(below)
        return cls(nodes, operands, [positions[id(root)] for root in expressions], positions, expressions)

    @cached_property
    def tree_nodes(self) -> int:
        """The nodes of all trees together."""
        return unfolded(self.operands, self.roots, [1] * len(self.nodes))

    @cached_property
    def tree_depth(self) -> int:
        """The number of steps from a root to its farthest leaf."""
        depths: list[int] = []
        for below in self.operands:
            depths.append(1 + max([depths[operand] for operand in below]) if below else 0)
        return max((depths[root] for root in self.roots), default=0)

    @cached_property
    def tree_operations(self) -> int:
        """What `sympy.count_ops` returns, summed over the roots."""
        tallies = _Counting(self).tallies()
        return unfolded([tally.met for tally in tallies], self.roots, [tally.operations for tally in tallies])


def _atom(node: Basic) -> Any:
    """A key that tells apart what `==` does not: 0.10 from 0.1, and Floats of different precision."""
    return type(node), node, getattr(node, "_prec", None), getattr(node, "text", None)


EXACT_BITS = 4096  # sizes up to 10^1233 are exact; of larger ones the first six hundred digits are


def unfolded(operands: Sequence[Positions], roots: Positions, weights: Sequence[int]) -> int:
    """The weights of all nodes of the trees that the roots stand for. Operands come before what uses them.

    The count of a position is dropped once it has been passed on. On a deep chain counts have thousands of digits. The sweep is
    linear, so all are scaled down together when they become too long.
    """
    times: dict[int, int] = {}
    for root in roots:
        times[root] = times.get(root, 0) + 1
    total, scaled = 0, 0
    for position in range(len(operands) - 1, -1, -1):
        count = times.pop(position, 0)
        if not count:
            continue
        if count.bit_length() > EXACT_BITS:
            scaled += EXACT_BITS // 2
            total, count = total >> EXACT_BITS // 2, count >> EXACT_BITS // 2
            times = {other: number >> EXACT_BITS // 2 for other, number in times.items()}
        total += count * weights[position]
        for operand in operands[position]:
            times[operand] = times.get(operand, 0) + count
    return total << scaled


def tree_nodes(expression: Basic) -> int:
    """How many nodes `expression` has as a tree: what `sympy.preorder_traversal` would visit.

    >>> x = sympy.Symbol("x")
    >>> tree_nodes(sympy.sin(x) * x)
    4
    """
    return Distinct.of([expression]).tree_nodes


def tree_depth(expression: Basic) -> int:
    """The number of steps from the root of the tree to the farthest leaf; 0 for an atom.

    >>> tree_depth(sympy.sin(sympy.Symbol("x") + 1))
    2
    """
    return Distinct.of([expression]).tree_depth


def tree_operations(expression: Basic) -> int:
    """What `sympy.count_ops(expression)` returns, in time linear in the number of distinct nodes.

    >>> x, y = sympy.symbols("x y")
    >>> tree_operations(x / sympy.sqrt(y) - 2), sympy.count_ops(x / sympy.sqrt(y) - 2)
    (4, 4)
    """
    return Distinct.of([expression]).tree_operations


def tree_nodes_of_graph(graph: Graph) -> int:
    """The nodes of a graph in which every shared node is written again for each use."""
    return unfolded([node.operands for node in graph.nodes], graph.outputs, [1] * len(graph))


def tree_operations_of_graph(graph: Graph) -> int:
    """The operations of a graph in which every shared node is written again for each use.

    >>> from adlab.graph.lowering import lower
    >>> x = sympy.Symbol("x", real=True)
    >>> tree_operations_of_graph(lower([(x + 1) * sympy.sin(x + 1)], [x]))
    4
    """
    operands = [node.operands for node in graph.nodes]
    return unfolded(operands, graph.outputs, [int(bool(below)) for below in operands])


# --- counting as count_ops does ---------------------------------------------------------------------------------
#
# `count_ops` looks at one node and passes on to some nodes below. All its rules are local except one: a product with factors
# below a
# fraction bar is first split into numerator and denominator, which SymPy evaluates. That is left to SymPy. It counts the
# product with
# every large part replaced by a letter (an applied undefined function), and says how often it has met each letter. This is
# exact unless
# its evaluation would reach below the letters. That takes numbers or quotients left unmerged several levels deep, which neither
# SymPy's
# evaluation nor adlab's parser leaves.

SMALL = 30  # nodes of a part that is shown to SymPy unchanged
LEVELS = 3  # levels below a product that SymPy looks at: a power, its base, the terms of that, their factors


@dataclass
class _Tally:
    """What `count_ops` counts at one node, and the positions that it goes on to."""

    operations: int
    met: list[int]


class _Counting:
    """`count_ops`, one distinct node at a time."""

    def __init__(self, distinct: Distinct) -> None:
        self.distinct = distinct
        self.sizes: list[int] = []
        self.divides: list[bool] = []
        for node, below in zip(distinct.nodes, distinct.operands, strict=True):
            self.sizes.append(min(SMALL, sum([self.sizes[operand] for operand in below])) + 1)
            self.divides.append(self.may_divide(node))
        self.fractions: dict[Any, tuple[int, dict[int, int]]] = {}

    def tallies(self) -> list[_Tally]:
        return [self.tally(node) for node in self.distinct.nodes]

    def tally(self, node: Any) -> _Tally:
        args: tuple[Any, ...] = node.args
        if isinstance(node, Mul):
            return self.product(args)
        if isinstance(node, Add):
            return self.sum(args)
        if isinstance(node, Pow):
            base, exponent = args
            if exponent is S.NegativeOne:
                return self.meeting(1, [base])
            return self.meeting(1, [exponent] if base is S.Exp1 else args)
        if isinstance(node, LatticeOp):
            return self.meeting(len(args) - 1, args)
        if not args:
            return _Tally(_atom_operations(node), [])
        counts = node.is_Function or isinstance(node, (sympy.Derivative, sympy.Integral, sympy.Sum))
        return self.meeting(int(counts), args)

    def meeting(self, operations: int, nodes: Iterable[Any]) -> _Tally:
        """So many operations here, and then those of `nodes`. Numbers, some of them new, are counted at once."""
        tally = _Tally(operations, [])
        for node in nodes:
            if node.is_Number:
                tally.operations += _atom_operations(node)
            else:
                tally.met.append(self.distinct.positions[id(node)])
        return tally

    def sum(self, terms: tuple[Any, ...]) -> _Tally:
        """One operation between terms, a subtraction where a term is negative; and a sign if all terms are negative."""
        minus = [term for term in terms if _is_negative(term)]
        plus = [term for term in terms if not _is_negative(term)]
        total = self.meeting(len(terms) - 1 + (not plus), plus)
        for term in minus:
            part = self.product(_negated(term.args)) if isinstance(term, Mul) else self.meeting(0, [-term])
            total.operations += part.operations
            total.met += part.met
        return total

    def product(self, factors: tuple[Any, ...]) -> _Tally:
        if len(factors) == 1:
            return self.meeting(0, factors)
        if not self.is_plain(factors):
            return self.fraction(factors)
        sign = 0
        if _is_negative_number(factors[0]):
            sign, factors = 1, _negated(factors)
        return self.meeting(len(factors) - 1 + sign, factors)

    def is_plain(self, factors: tuple[Any, ...]) -> bool:
        """Whether a product has no denominator, nothing to merge, and is not just a sign before a sum or product."""
        number, rest = (factors[0], factors[1:]) if factors[0].is_Number else (S.One, factors)
        if not rest or number.is_zero or (number.is_Rational and not number.is_Integer):
            return False
        if number is S.NegativeOne and len(rest) == 1 and isinstance(rest[0], (Add, Mul)):
            return False
        return not any(factor.is_Number or self.divides[self.distinct.positions[id(factor)]] for factor in rest)

    def may_divide(self, node: Any) -> bool:
        """Whether a node, as a factor, might stand below the fraction bar or cancel something that does."""
        if isinstance(node, Pow):
            base, exponent = node.args
            return bool(not exponent.is_Number or not exponent.is_extended_positive or base.is_Rational)
        if isinstance(node, Mul):
            rest = [factor for factor in node.args if not factor.is_Number]
            zero = any(factor.is_zero for factor in node.args if factor.is_Number)
            return not rest or zero or any(self.divides[self.distinct.positions[id(factor)]] for factor in rest)
        return isinstance(node, sympy.exp)

    # --- fractions ------------------------------------------------------------------------------------------------

    def fraction(self, factors: tuple[Any, ...]) -> _Tally:
        letters: dict[int, int] = {}
        shape = tuple([self.shape(factor, letters, LEVELS) for factor in factors])
        if shape not in self.fractions:
            self.fractions[shape] = _counted_by_sympy(self.built((Mul, *shape)))
        operations, times = self.fractions[shape]
        positions = list(letters)
        return _Tally(operations, [positions[letter] for letter, count in times.items() for _ in range(count)])

    def shape(self, node: Any, letters: dict[int, int], levels: int) -> Any:
        """What SymPy gets to see of a part. A small part is a position, shown unchanged; a large one is (class, operands …).

        ~0, ~1, … are the letters, which stand for large parts far below.
        """
        position = self.distinct.positions.get(id(node))
        if position is None:
            return (node,)  # a number that merging has made
        if self.sizes[position] <= SMALL:
            return position
        signed = isinstance(node, Mul) and node.args[0].is_Number  # a letter would hide a minus sign from the sum above
        if (levels > 0 and isinstance(node, (Add, Mul, Pow, sympy.exp))) or (levels == 0 and signed):
            return (type(node), *[self.shape(operand, letters, levels - 1) for operand in node.args])
        return ~letters.setdefault(position, len(letters))

    def built(self, shape: Any) -> Any:
        """The expression of that shape, unevaluated."""
        if isinstance(shape, int):
            return self.distinct.nodes[shape] if shape >= 0 else _letter(~shape)
        head, *operands = shape
        if not operands:
            return head
        parts = [self.built(operand) for operand in operands]
        return applied(head, *parts) if head is sympy.exp else flat(head, parts)


def _atom_operations(node: Any) -> int:
    """-1/3 is a sign and a division; E is a call of exp."""
    if node.is_Rational:
        return int(node.p < 0) + int(node.q != 1)
    return int(node is S.Exp1)


def _is_negative(term: Any) -> bool:
    return _is_negative_number(term.args[0] if isinstance(term, Mul) else term)


def _is_negative_number(node: Any) -> bool:
    return bool(node.is_Number and node.is_extended_negative)


def _negated(factors: tuple[Any, ...]) -> tuple[Any, ...]:
    """The factors of -product, as SymPy writes it: a -1 disappears, and exact numbers in front merge."""
    number, rest = -factors[0], factors[1:]
    if number is S.One:
        return rest
    if number.is_Rational and rest[0].is_Number:
        return (number * rest[0], *rest[1:])
    return (number, *rest)


@cache
def _letter(index: int) -> Any:
    return sympy.Function(f"letter{index}")(sympy.Symbol("t"))


def _counted_by_sympy(shown: Basic) -> tuple[int, dict[int, int]]:
    """The operations that count_ops finds, and how often it met each letter."""
    operations, times = 0, {}
    for term in Add.make_args(sympy.count_ops(shown, visual=True)):
        count, operation = term.as_coeff_Mul()
        name = operation.name if operation.is_Symbol else ""
        if name.startswith("FUNC_LETTER"):
            times[int(name.removeprefix("FUNC_LETTER"))] = int(count)
        else:
            operations += int(count)
    return operations, times
