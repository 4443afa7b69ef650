"""A graph written into a block: every operation with its domain, and truth values as bits.

A comparison is two bits, `true` and `false`. Neither is set where an operand is NaN. Kleene's logic on such pairs is what the
table's `and`, `or`, `not` and `select` mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from adlab.compile.existence import value_condition
from adlab.compile.llvm.circular import sine_and_cosine
from adlab.compile.llvm.forms import Forms
from adlab.compile.llvm.order import SUMS
from adlab.graph.constants import constants
from adlab.graph.graph import Graph, Node
from adlab.graph.rules import unconditional

RELATIONS = {
    "lt": ("olt", "oge"), "le": ("ole", "ogt"), "gt": ("ogt", "ole"), "ge": ("oge", "olt"), "eq": ("oeq", "one"),
    "ne": ("one", "oeq"),
}  # fmt: skip
TRUTHS = frozenset([*RELATIONS, "and", "or", "not"])
PRODUCTS = frozenset(["mul", "powi"])
CHECKED_BY_HARDWARE = frozenset([np.sqrt])  # the processor gives NaN exactly where the table does


SHARED = 3  # divisions: from here on it pays to invert their divisor, at a single point too


@lru_cache(maxsize=4)
def shared_divisors(graph: Graph) -> frozenset[int]:
    """The nodes that several operations divide by."""
    counts = Counter(node.operands[1] for node in map(graph.nodes.__getitem__, graph.operations) if node.primitive.name == "div")
    return frozenset(i for i, count in counts.items() if count >= SHARED)


CIRCULAR = ("sin", "cos")
"""In the order of `sine_and_cosine`."""


@lru_cache(maxsize=4)
def angles(graph: Graph) -> frozenset[int]:
    """The nodes of which both sine and cosine are taken."""
    nodes = [graph.nodes[i] for i in graph.operations]
    sines, cosines = ({node.operands[0] for node in nodes if node.primitive.name == name} for name in CIRCULAR)
    return frozenset(sines & cosines)


class Body:
    """The values of a graph's nodes in a block. `load(i)` gives values that are computed elsewhere.

    `known` are the graph's constants: a graph that is written in many blocks is looked through for them once.
    """

    def __init__(
        self, graph: Graph, forms: Forms, load: Callable[[int], str], known: Mapping[int, float] | None = None
    ) -> None:
        self.graph, self.forms, self.block, self.load = graph, forms, forms.block, load
        self.known = constants(graph) if known is None else known
        self.shared = shared_divisors(graph) if forms.shares else frozenset[int]()
        self.angles = angles(graph) if forms.pairs else frozenset[int]()
        self.values: dict[int, str] = {}
        self.called: dict[int, str] = {}
        """Values of functions that were called for several nodes at once; whether they exist is still to be asked."""
        self.true: dict[int, str] = {}
        self.false: dict[int, str] = {}

    def write(self, i: int) -> None:
        """Writes this operation. Its operands are constants, written already, or can be loaded."""
        node = self.graph.nodes[i]
        if i in self.known or not node.operands:
            return
        if node.primitive.name in TRUTHS:
            self._truth(i, node)
        elif node.primitive.name == "select":
            self.values[i] = self._select(node)
        else:
            self.values[i] = self._operation(i, node)

    def number(self, i: int) -> str:
        """The value of a node as a number."""
        if i in self.known:
            return self.block.number(self.known[i])
        if i not in self.values:
            self.values[i] = self._from_bits(i) if i in self.true else self.load(i)
        return self.values[i]

    def bits(self, i: int) -> tuple[str, str]:
        """Whether a node is true, and whether it is false, as bits."""
        if i not in self.true:
            value, zero = self.number(i), self.block.number(0.0)
            self.true[i], self.false[i] = self.block.compare("one", value, zero), self.block.compare("oeq", value, zero)
        return self.true[i], self.false[i]

    def call_together(self, calls: Sequence[int], lanes: int) -> None:
        """Calls a function once, on a vector, for several nodes that apply it to different operands."""
        nodes = [self.graph.nodes[i] for i in calls]
        wide = self.block.wide(lanes)
        operands = [wide.gathered([self.number(a) for a in column]) for column in zip(*(n.operands for n in nodes), strict=True)]
        found = Forms(wide, self.forms.strict).apply(nodes[0].primitive, nodes[0].parameter, operands)
        self.called |= {i: wide.lane(found, k) for k, i in enumerate(calls)}

    def _operation(self, i: int, node: Node) -> str:
        operands = [self.number(operand) for operand in node.operands]
        if node.primitive.name == "div" and node.operands[1] in self.known:
            return self.forms.divided(operands[0], self.known[node.operands[1]])
        if node.primitive.name == "div" and node.operands[1] in self.shared:
            return self.forms.divided_by_shared(*operands)  # which has no value where the divisor is 0
        if self._adds_a_product(node):
            return self.forms.fused(node.primitive, operands)
        if node.primitive.name in CIRCULAR and node.operands[0] in self.angles:
            return sine_and_cosine(self.block, operands[0])[CIRCULAR.index(node.primitive.name)]
        value = self.called.get(i) or self.forms.apply(node.primitive, node.parameter, operands)
        if unconditional(node.primitive) or node.primitive.array in CHECKED_BY_HARDWARE:
            return value
        rule, _ = value_condition(node.primitive, node.parameter)
        inside = Body(rule, self.forms, [*operands, value].__getitem__)
        for i in rule.operations:
            inside.write(i)
        return self.block.choose(inside.bits(rule.outputs[0])[0], value, self.block.number(float("nan")))

    def _adds_a_product(self, node: Node) -> bool:
        """Whether a sum has one product: a × b + c.

        Of two products one would be rounded and the other not, so that x² - y² would no longer be 0 at x = y.
        """
        if node.primitive.name not in SUMS:
            return False
        return [self.graph.nodes[operand].primitive.name in PRODUCTS for operand in node.operands].count(True) == 1

    def _select(self, node: Node) -> str:
        condition, a, b = node.operands
        true, false = self.bits(condition)
        nan = self.block.number(float("nan"))
        otherwise = self.number(b)
        if otherwise != nan:
            otherwise = self.block.choose(false, otherwise, nan)
        return self.block.choose(true, self.number(a), otherwise)

    def _truth(self, i: int, node: Node) -> None:
        block, name = self.block, node.primitive.name
        if name in RELATIONS:
            a, b = (self.number(operand) for operand in node.operands)
            yes, no = RELATIONS[name]
            self.true[i], self.false[i] = block.compare(yes, a, b), block.compare(no, a, b)
        elif name == "not":
            self.false[i], self.true[i] = self.bits(node.operands[0])
        else:
            (true_a, false_a), (true_b, false_b) = (self.bits(operand) for operand in node.operands)
            dual = "or" if name == "and" else "and"
            self.true[i], self.false[i] = block.logic(name, true_a, true_b), block.logic(dual, false_a, false_b)

    def _from_bits(self, i: int) -> str:
        true, false = self.bits(i)
        zero_or_nan = self.block.choose(false, self.block.number(0.0), self.block.number(float("nan")))
        return self.block.choose(true, self.block.number(1.0), zero_or_nan)
