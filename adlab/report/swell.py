"""Expression swell: the size of f and of each derivative as trees, as graphs, after cse, and as programs.

Swell belongs to the tree notation. A derivative that explodes as a tree may be small as a graph of distinct nodes. It may be
smaller still as a program that never was a tree. So all of them are counted, and no tree is walked to be counted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import sympy
from sympy.core.basic import Basic

from adlab import precision
from adlab.display import Report, Table, count, explained
from adlab.errors import AdlabError, GaveUp, OptionError
from adlab.function import Function
from adlab.graph.graph import Graph, Node
from adlab.graph.lowering import lower
from adlab.inputs import takes_at
from adlab.precision import PATIENCE
from adlab.primitives.table import INPUT
from adlab.symbolic.derivative import SECONDS, derivative_of, operations_after_cse
from adlab.symbolic.formula import partials
from adlab.symbolic.treesize import Distinct, tree_nodes_of_graph, tree_operations_of_graph
from adlab.tracing.places import function_at

LEGEND = [
    "tree operations: as `sympy.count_ops` counts an expression; for a program, with every shared operation written out.",
    "tree nodes: counted in the same way. graph nodes: distinct nodes. after cse: operations that `sympy.cse` leaves, over",
    "all outputs together. operations: what the graph or program really computes. (count_ops and the graph count",
    "differently: 1/sqrt(x) is 3 operations to the first and 2 to the second.)",
]


@dataclass(frozen=True)
class SwellRow:
    """The sizes of one thing. None where there is no number; then `status` and `note` say why."""

    what: str
    tree_operations: int | None = None
    tree_nodes: int | None = None
    graph_nodes: int | None = None
    cse_operations: int | None = None
    graph_operations: int | None = None
    status: str = "ok"
    note: str = ""


@dataclass(frozen=True)
class Swell(Report):
    """`rows` for f, its symbolic derivative and the derivative programs. `form` says which form of f was counted."""

    name: str
    form: str
    rows: list[SwellRow]
    function: Function | None = None

    def row(self, what: str) -> SwellRow:
        """The row of that name: `f`, `symbolic derivative`, `reverse program`, `forward program`."""
        return next(row for row in self.rows if row.what == what)

    def to_dict(self) -> dict[str, Any]:
        """`form`, and `rows` with the fields of `SwellRow`. A size beyond binary64 is a text, "2.3e+1000"."""
        rows = [{field: _plain(value) for field, value in asdict(row).items()} for row in self.rows]
        return {"name": self.name, "form": self.form, "rows": rows}

    def sections(self) -> list[Table | str]:
        """One table."""
        head = ["what", "tree operations", "tree nodes", "graph nodes", "after cse", "operations", "status"]
        rows = [
            [r.what, count(r.tree_operations), count(r.tree_nodes), count(r.graph_nodes), count(r.cse_operations),
             count(r.graph_operations), explained(r.status, r.note)]
            for r in self.rows
        ]  # fmt: skip
        return [Table(f"swell of {self.name}, {self.form}", head, rows, frozenset(head[1:6]), LEGEND)]

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Bars on a log scale: the tree, cse and graph operations of each. `options` go to `Axes.bar`. Returns the Axes."""
        from adlab.plots.pieces import swell_bars

        return swell_bars(self, ax, options)


    def plot_side_by_side(self, axes: Any = None) -> Any:
        """Two pictures: the derivative of `sympy.diff` as a tree, and the reverse-mode program, in which each part stands once.

        `axes` are two Axes. Returns them. Raises OptionError where the tree is too large to draw.
        """
        from adlab.plots.canvas import entitle, two_panels

        f = self.function
        tree = None if f is None or not f.readable else _tree(f)
        if f is None or tree is None:
            raise OptionError(f"a picture of the tree needs a formula whose derivative has at most {MOST_DRAWN} nodes as a tree")
        program = f.program("reverse")
        left, right = two_panels(len(tree.inputs) / 8) if axes is None else np.ravel(axes)
        entitle(left, f"derivative of {self.name} as a tree: {len(tree.operations)} operations")
        entitle(right, f"by reverse mode, value included: {len(program.operations)} operations")
        tree.plot(ax=left)
        program.plot(ax=right)
        return np.array([left, right])


MOST_DRAWN = 120
"""Nodes of the largest tree that can be read on a page."""


def _tree(f: Function) -> Graph | None:
    """The graph of all partials with nothing shared: every use of a part has its own copy. None where it is too large."""
    try:
        shared = lower(tuple(partials(f.outputs, f.variables)), f.variables)
    except AdlabError:
        return None
    if tree_nodes_of_graph(shared) > MOST_DRAWN:
        return None
    leaves: list[str] = []
    nodes: list[Node] = []

    def copied(position: int) -> int:
        """The position of a part's copy. Leaves have negative positions until their number is known."""
        primitive, operands, parameter = shared.nodes[position]
        if position < len(shared.inputs):
            leaves.append(shared.inputs[position])
            return -len(leaves)
        mine = tuple([copied(operand) for operand in operands])
        nodes.append(Node(primitive, mine, parameter))
        return len(nodes) - 1

    outputs = [copied(output) for output in shared.outputs]
    place = [-1 - k if k < 0 else k + len(leaves) for k in range(-len(leaves), len(nodes))]  # leaf −1 is input 0, and so on

    def at(position: int) -> int:
        return place[position + len(leaves)]

    moved = [Node(primitive, tuple(map(at, operands)), parameter) for primitive, operands, parameter in nodes]
    return Graph(tuple(leaves), (*(Node(INPUT, (), name) for name in leaves), *moved), tuple(map(at, outputs)))


def _plain(value: Any) -> Any:
    return count(value) if isinstance(value, int) and value > sys.float_info.max else value


@takes_at
def swell(f: Any, x: Any = None, *, seconds: float = SECONDS, patience: float = PATIENCE) -> Swell:
    """Counts f and its derivatives. SymPy gets `seconds` for each of its tasks, and `patience` seconds for all of them.

    f is a Function, an expression or a text, or a Python function, which is traced at the point `x`. A row says where SymPy gave
    up. Raises PointError for a Python function without a point.

    >>> found = swell("4*x*(1 - x)")
    >>> [(row.what, row.tree_operations) for row in found.rows][:2]
    [('f', 3), ('symbolic derivative', 2)]
    """
    f = function_at(f, x)
    with precision.patience(patience):
        derivative = _derivative(f, seconds)
        rows = [_expression(f, seconds), derivative]
    rows += [_program(f, mode) for mode in ("reverse", "forward")]
    return Swell(f.title, form_of(f.outputs) if f.readable else "as a program", rows, f)


def _expression(f: Function, seconds: float) -> SwellRow:
    if not f.readable:
        note = "loops and solvers are not written out as a formula"
        return SwellRow("f", graph_operations=len(f.graph.operations), status="no formula", note=note)
    distinct = Distinct.of(f.outputs)
    after, status, note = _after_cse(f, seconds)
    return SwellRow("f", distinct.tree_operations, distinct.tree_nodes, len(distinct.nodes), after,
                    len(f.graph.operations), status, note)  # fmt: skip


def _after_cse(f: Function, seconds: float) -> tuple[int | None, str, str]:
    try:
        return operations_after_cse(f.outputs, seconds), "ok", ""
    except AdlabError as reason:
        return None, "cse gave up" if isinstance(reason, GaveUp) else "no cse", str(reason)


def _derivative(f: Function, seconds: float) -> SwellRow:
    """All partials together, as `sympy.diff` leaves them, and after cse over all of them."""
    what = "symbolic derivative"
    note = ""
    try:
        sizes = derivative_of(f, True, seconds).sizes
    except GaveUp as reason:
        sizes, note = reason.reached, str(reason)
    except AdlabError as reason:
        return SwellRow(what, status="refused", note=str(reason))
    if sizes is None:
        return SwellRow(what, status="gave up", note=note)
    counted = "ok" if sizes.cse_operations is not None else "cse gave up"
    return SwellRow(what, sizes.tree_operations, sizes.tree_nodes, sizes.distinct_nodes, sizes.cse_operations,
                    None, counted, note)  # fmt: skip


def _program(f: Function, mode: Any) -> SwellRow:
    what = f"{mode} program"
    if mode == "forward" and f.evaluator.unwritable:
        return SwellRow(what, status="not written", note=f"{f.n} sweeps over {len(f.graph):,} nodes")
    program: Graph = f.program(mode)
    return SwellRow(what, tree_operations_of_graph(program), tree_nodes_of_graph(program), len(program), None,
                    len(program.operations), "ok", "value included")  # fmt: skip


def form_of(expressions: Iterable[Basic]) -> str:
    """"as written" if SymPy's arithmetic would still merge or distribute something, else "as SymPy evaluates it".

    In evaluated form a sum contains no sum and a product no product. Each has one number at most. No two terms differ by a
    number only, no two factors by an exponent only. A number times a sum is multiplied out. The order of operands is not
    examined, since no count depends on it.

    >>> x = sympy.Symbol("x")
    >>> form_of([4 * x * (1 - x)]), form_of([sympy.Mul(x, x, evaluate=False)])
    ('as SymPy evaluates it', 'as written')
    """
    distinct = Distinct.of(expressions)
    written = any(_unmerged(distinct, node) for node in distinct.nodes)
    return "as written" if written else "as SymPy evaluates it"


def _unmerged(distinct: Distinct, node: Any) -> bool:
    if isinstance(node, sympy.Pow):
        base, exponent = node.args
        whole = isinstance(exponent, sympy.Integer)
        return whole and (exponent.p in (0, 1) or isinstance(base, (sympy.Pow, sympy.Mul, sympy.Rational)))
    if not isinstance(node, (sympy.Add, sympy.Mul)):
        return False
    numbers = [part for part in node.args if part.is_Number]
    rest = [part for part in node.args if not part.is_Number]
    if len(numbers) > 1 or node.identity in numbers or any(type(part) is type(node) for part in rest):
        return True
    if isinstance(node, sympy.Mul) and numbers and len(rest) == 1 and isinstance(rest[0], sympy.Add):
        return True
    keys = [_without_number(distinct, node, part) for part in rest]
    return len(set(keys)) < len(keys)


def _without_number(distinct: Distinct, node: Any, part: Any) -> tuple[int, ...]:
    """A term without its coefficient, or a factor without its constant exponent. SymPy merges two that are equal."""
    kept = [part]
    if isinstance(node, sympy.Add) and isinstance(part, sympy.Mul):
        kept = [factor for factor in part.args if not factor.is_Number]
    elif isinstance(node, sympy.Mul) and isinstance(part, sympy.Pow) and part.args[1].is_Number:
        kept = [part if isinstance(part.args[0], (sympy.exp, sympy.Pow)) else part.args[0]]  # SymPy keeps exp(x)/sqrt(exp(x))
    return tuple(sorted(distinct.positions[id(operand)] for operand in kept))


def swell_by_depth(make: Callable[[int], Function], depths: Sequence[int], seconds: float = 5.0) -> dict[str, Any]:
    """Operations of the derivative for a family of functions: `depth`, and a list for each notation.

    None stands where SymPy gave up; it is not asked again at larger depths.
    """
    found: dict[str, Any] = {"depth": list(depths), "as a tree": [], "distinct nodes": [], "after cse": [], "reverse program": []}
    given_up = False
    for depth in depths:
        f = make(depth)
        row = SwellRow("", status="gave up") if given_up else _derivative(f, seconds)
        given_up = row.status != "ok"
        found["as a tree"].append(row.tree_operations)
        found["distinct nodes"].append(row.graph_nodes)
        found["after cse"].append(row.cse_operations)
        found["reverse program"].append(len(f.program("reverse").operations))
    return found
