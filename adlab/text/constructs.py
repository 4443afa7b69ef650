"""SymPy's own objects in a formula: objects that SymPy differentiates by become variables, constructs are written out.

SymPy takes derivatives with respect to more than symbols: q(t), Derivative(q(t), t), u[0], A[0, 1], the components of a frame.
Each of these is one variable here, independent of the others, and nothing inside it is examined. Sums and products with whole
bounds, substitutions and the like are replaced by the formula that they mean.

>>> t, x = sympy.symbols("t x")
>>> q = sympy.Function("q")(t)
>>> formula, = written_out([sympy.sin(q) * q.diff(t) + sympy.Sum(x**t, (t, 1, 3))])
>>> sorted(symbol.name for symbol in formula.free_symbols)
['Derivative(q(t), t)', 'q(t)', 'x']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, reduce
from typing import Any, cast

import sympy
from sympy import Add, And, Expr, Mul, Not, Or, Pow, S
from sympy.codegen import cfunctions, numpy_nodes
from sympy.core.basic import Basic
from sympy.core.function import Application, Derivative, Subs
from sympy.core.operations import LatticeOp
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import ITE, Equivalent, Implies, Xor
from sympy.matrices.expressions.matexpr import MatrixExpr
from sympy.printing.str import sstr
from sympy.sets.contains import Contains

from adlab.errors import UnsupportedExpression
from adlab.text.factorials import MEANINGS
from adlab.text.traversal import brief, is_small
from adlab.text.unevaluated import applied, flat

MOST_TERMS = 20_000
"""The most terms of a Sum or Product that are written out: some seconds of SymPy's time."""

LARGEST_LEAF = 60
"""The most nodes of an object that becomes one variable. Its text is the variable's name."""


class Leaf(sympy.Symbol):  # type: ignore[misc]  # SymPy has no types
    """A real variable that stands for another SymPy object. It is named and typeset as that object is.

    >>> leaf = Leaf(sympy.Indexed("u", 0))
    >>> leaf, leaf.stands_for, leaf == Leaf(sympy.Indexed("u", 0)), leaf.is_real
    (u[0], u[0], True, True)
    """

    __slots__ = ("stands_for",)
    stands_for: Basic

    def __new__(cls, stands_for: Basic) -> Leaf:
        self: Leaf = sympy.Symbol.__xnew__(cls, printed(stands_for), real=True)
        self.stands_for = stands_for
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[Basic], dict[str, Any]]:
        return (self.stands_for,), {}

    def _latex(self, printer: Any) -> str:
        return str(printer.doprint(self.stands_for))


def printed(variable: Any) -> str:
    """The name of a variable: that of a symbol, else the text that SymPy prints.

    >>> printed(sympy.Symbol("x")), printed(sympy.Function("q")(sympy.Symbol("t"))), printed("y")
    ('x', 'q(t)', 'y')
    """
    if isinstance(variable, sympy.Symbol):
        return str(variable.name)
    return str(sstr(variable)) if isinstance(variable, Basic) else str(getattr(variable, "name", variable))


def is_leaf(node: Basic) -> bool:
    """Whether SymPy differentiates by this object and it is not a symbol."""
    kind: Any = type(node)
    return bool(_may_be_leaf(kind) and node._diff_wrt)


@cache
def _may_be_leaf(kind: type) -> bool:
    owners = (vars(base)["_diff_wrt"] for base in kind.__mro__ if "_diff_wrt" in vars(base))
    never = (False, Expr._diff_wrt, vars(sympy.Function)["_diff_wrt"])
    return next(owners, False) not in never and not issubclass(kind, (sympy.Symbol, MatrixExpr))


@cache
def _is_peculiar(kind: type) -> bool:
    """Whether objects of this class are treated in this file."""
    return _may_be_leaf(kind) or issubclass(kind, _CONSTRUCTS)


def written_out(outputs: Iterable[Any], order: Iterable[Basic] | None = None) -> tuple[Any, ...]:
    """The expressions with leaves as symbols and constructs as what they mean. The same objects, where there are none.

    Each distinct object is visited once, so shared parts stay shared. `order` is the `postorder` of the outputs, if known. Raises
    UnsupportedExpression, which names the outermost construct that cannot be written out.
    """
    roots = tuple(outputs)
    if order is not None and not has_constructs(set(map(type, order))):
        return roots
    return tuple(_Rewriting().of(root) for root in roots)


def has_constructs(kinds: Iterable[type]) -> bool:
    """Whether objects of these classes may have to be written out."""
    return any(map(_is_peculiar, kinds))


class _Rewriting:
    """What each object became, by identity. `made` keeps new objects alive, so that no identity is used twice."""

    def __init__(self) -> None:
        self.done: dict[int, Basic] = {}
        self.leaves: dict[Basic, Leaf] = {}
        self.made: list[Basic] = []

    def of(self, root: Basic) -> Basic:
        stack: list[tuple[Basic, Basic | None, bool]] = [(root, None, False)]
        while stack:
            node, instead, operands_done = stack.pop()
            key = id(node)
            if key in self.done:
                continue
            if instead is not None:
                self.done[key] = self.done[id(instead)]
            elif operands_done:
                self.done[key] = self._rebuilt(node)
            elif is_leaf(node):
                self.done[key] = self._leaf(node)
            elif (meant := _meaning(node)) is not None:
                self.made.append(meant)
                stack += [(node, meant, False), (meant, None, False)]
            elif node.args:
                stack.append((node, None, True))
                stack += [(operand, None, False) for operand in reversed(node.args)]
            else:
                self.done[key] = node
        return self.done[id(root)]

    def _leaf(self, node: Basic) -> Leaf:
        if not is_small([node], LARGEST_LEAF):
            raise UnsupportedExpression(
                f"{type(node).__name__}(…) would be one variable, and too much stands inside it for a name; "
                "put a symbol in its place"
            )
        return self.leaves.setdefault(node, Leaf(node))

    def _rebuilt(self, node: Basic) -> Basic:
        operands = [self.done[id(operand)] for operand in node.args]
        if all(new is old for new, old in zip(operands, node.args, strict=True)):
            return node
        found = _with_operands(node, operands)
        self.made.append(found)
        return found


def _with_operands(node: Basic, operands: list[Any]) -> Basic:
    """The same operation on other operands, unevaluated and in the same order."""
    kind = type(node)
    if kind in (Add, Mul, Pow):
        made: Any = flat(kind, operands)
        made.is_commutative = node.is_commutative  # lowering reads here whether SymPy has sorted it
        return cast(Basic, made)
    if isinstance(node, (Application, LatticeOp, ExprCondPair, sympy.Rel)):
        return cast(Basic, applied(kind, *operands))
    return node.func(*operands)


# --- constructs -----------------------------------------------------------------------------------------------------


def _meaning(node: Basic) -> Basic | None:
    """What a construct means; None for any other object."""
    wanted: Any = type(node)
    if not _is_peculiar(wanted):
        return None
    for kind, mean in _MEANINGS.items():
        if isinstance(node, kind):
            return mean(node)
    return None


def _repeated(head: Any, empty: Basic) -> Callable[[Any], Basic]:
    """A Sum or Product, term by term in the order of its index."""

    def mean(node: Any) -> Basic:
        name = type(node).__name__
        *inner, (index, low, high) = node.limits
        if S.Infinity in (low, high) or S.NegativeInfinity in (low, high):
            raise _unserved(node, f"{name} with an infinite bound", "evaluate it with .doit(), or cut it off")
        if not (low.is_Integer and high.is_Integer):
            numbers = low.is_number and high.is_number
            raise _unserved(node, f"{name} with {'broken' if numbers else 'symbolic'} bounds", "give whole numbers for them")
        count = int(high) - int(low) + 1
        if count > MOST_TERMS:
            raise _unserved(node, f"{name} of {count:,} terms", f"at most {MOST_TERMS:,} are written out")
        if count < 0:
            return _evaluated(node)  # Karr's convention
        body = node.func(node.function, *inner) if inner else node.function
        terms = [substituted(body, index, sympy.Integer(k)) for k in range(int(low), int(high) + 1)]
        return flat(head, terms) if len(terms) > 1 else terms[0] if terms else empty

    return mean


def substituted(body: Basic, index: Basic, number: Basic) -> Any:
    """`body` with a number for its index. Parts without the index stay the same objects."""
    found = body.xreplace({index: number})
    return found if isinstance(found, Expr) else sympy.sympify(found)


def _evaluated(node: Any) -> Basic:
    """The result of `doit`, if that is something else."""
    found: Basic = node.doit(deep=False) if isinstance(node, Subs) else node.doit()
    if type(found) is type(node):
        raise _unserved(node, type(node).__name__, "evaluate it with .doit() first")
    return found


def _refused(node: Any) -> Basic:
    raise _unserved(node, type(node).__name__, "evaluate it with .doit() first")


def _unserved(node: Basic, what: str, instead: str) -> UnsupportedExpression:
    article = "an" if what[0] in "AEIOU" else "a"
    return UnsupportedExpression(f"the formula holds {brief(node)}, {article} {what}, which has no graph; {instead}")


def _either(a: Any, b: Any) -> Any:
    return applied(Or, applied(And, a, applied(Not, b)), applied(And, applied(Not, a), b))


def _contained(node: Any) -> Basic:
    found: Basic = node.args[1].contains(node.args[0])
    return _refused(node) if isinstance(found, Contains) else found


def _explicit(of: Callable[[Any], Basic]) -> Callable[[Any], Basic]:
    """A number made from a matrix, computed from its elements."""

    def mean(node: Any) -> Basic:
        matrix = node.args[0]
        if not all(isinstance(size, sympy.Integer) for size in matrix.shape):
            raise _unserved(node, f"{type(node).__name__} of a matrix of symbolic shape", "give its sizes as numbers")
        return of(matrix.as_explicit())

    return mean


_MEANINGS: dict[Any, Callable[[Any], Basic]] = {
    sympy.UnevaluatedExpr: lambda node: node.args[0],
    sympy.Sum: _repeated(Add, S.Zero),
    sympy.Product: _repeated(Mul, S.One),
    Derivative: _evaluated,
    Subs: _evaluated,
    sympy.Integral: _refused,
    sympy.Limit: _refused,
    ITE: lambda node: applied(
        Or, applied(And, *node.args[:2]), applied(And, applied(Not, node.args[0]), node.args[2])
    ),
    Xor: lambda node: reduce(_either, node.args),
    Implies: lambda node: applied(Or, applied(Not, node.args[0]), node.args[1]),
    Equivalent: lambda node: reduce(
        lambda a, b: applied(And, a, b),
        [applied(Not, _either(a, b)) for a, b in zip(node.args, node.args[1:], strict=False)],
        S.true,
    ),
    Contains: _contained,
    sympy.Trace: _explicit(lambda matrix: matrix.trace()),
    sympy.Determinant: _explicit(lambda matrix: matrix.det(method="berkowitz")),
    cfunctions.Sqrt: lambda node: sympy.sqrt(node.args[0]),
    cfunctions.log10: lambda node: sympy.log(node.args[0]) / sympy.log(10),
    numpy_nodes.logaddexp2: lambda node: (
        numpy_nodes.logaddexp(*(operand * sympy.log(2) for operand in node.args)) / sympy.log(2)
    ),
} | MEANINGS
_CONSTRUCTS = tuple(_MEANINGS)
