"""A SymPy expression as a flat list of rows, and back: exact, at any depth, in JSON.

Pickle recurses; `str` unfolds what is shared; and reading either back means running what is written there. A row of a tape is
(class, positions of the operands, what an atom holds). Each distinct subexpression has one row, operands first:

>>> import sympy
>>> x = sympy.Symbol("x")
>>> tape = record([sympy.sin(x) * sympy.sin(x) + 1])
>>> for row in tape.rows:
...     print(*row)
Integer () 0x1
Symbol () ('x', {'commutative': True})
sin (1,) None
Integer () 0x2
Pow (2, 3) None
Add (0, 4) None

What comes back is what was recorded. Rows are rebuilt by constructors that only store, so an evaluated form stays evaluated and a
written one stays as written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

import sympy
from sympy import Add, Dummy, Float, Integer, Mul, Pow, Rational, S, Symbol
from sympy.core.basic import Basic
from sympy.core.function import Application
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair

from adlab.errors import UnsupportedExpression
from adlab.symbolic.treesize import Distinct
from adlab.text.traversal import brief
from adlab.text.unevaluated import Decimal, applied, flat


class TapeRow(NamedTuple):
    """One subexpression: the name of its class, the positions of its operands, and for an atom what it holds."""

    head: str
    operands: tuple[int, ...]
    payload: Any = None


class Tape(NamedTuple):
    """Rows, and the positions of the recorded expressions."""

    rows: Sequence[TapeRow]
    roots: Sequence[int]

    def to_json(self) -> str:
        """One line of text."""
        return json.dumps(self)

    @classmethod
    def from_json(cls, text: str) -> Tape:
        """The tape in that text. `replay` checks what its rows say."""
        rows, roots = json.loads(text)
        return cls([TapeRow(head, tuple(operands), payload) for head, operands, payload in rows], roots)


def record(expressions: Iterable[Basic]) -> Tape:
    """The tape of these expressions. Raises UnsupportedExpression for a class of SymPy that it does not know."""
    distinct = Distinct.of(expressions)
    rows = [_row(node, tuple(below)) for node, below in zip(distinct.nodes, distinct.operands, strict=True)]
    return Tape(rows, distinct.roots)


def replay(tape: Tape) -> list[Any]:
    """The recorded expressions. Those that shared a part still share it.

    >>> x = sympy.Symbol("x")
    >>> replay(Tape.from_json(record([sympy.Mul(x, x, evaluate=False)]).to_json()))
    [x*x]
    """
    nodes: list[Any] = []
    for head, operands, payload in tape.rows:
        if head in _ATOMS:
            nodes.append(_ATOMS[head].read(payload))
        else:
            nodes.append(_stored(_heads()[head], [nodes[operand] for operand in operands]))
    return [nodes[root] for root in tape.roots]


def _row(node: Any, operands: tuple[int, ...]) -> TapeRow:
    name = type(node).__name__
    if isinstance(node, Rational):  # 0, 1, -1 and 1/2 have classes of their own
        name = "Integer" if node.is_Integer else "Rational"
    elif _heads().get(name) is not type(node) or (node.is_Symbol and not node.is_commutative):
        raise UnsupportedExpression(f"SymPy's `{name}` in {brief(node)} cannot be handed to the symbolic worker")
    return TapeRow(name, operands, _ATOMS[name].write(node) if name in _ATOMS else None)


def _stored(head: Any, operands: list[Any]) -> Any:
    """`head(*operands)`, neither evaluated nor reordered. A class without operands has one object only."""
    if issubclass(head, (Add, Mul, Pow)):
        return flat(head, operands)
    return applied(head, *operands) if operands else head()


@cache
def _heads() -> dict[str, Any]:
    """Every class that a row may name: SymPy's functions, relations, truth values and constants, and nothing else."""
    kinds = (Add, Mul, Pow, Application, Relational, sympy.Tuple)
    known = [value for value in vars(sympy).values() if isinstance(value, type) and issubclass(value, kinds)]
    single = [S.true, S.false, S.Pi, S.Exp1, S.EulerGamma, S.Catalan, S.GoldenRatio, S.TribonacciConstant]
    single += [S.ImaginaryUnit, S.Infinity, S.NegativeInfinity, S.ComplexInfinity, S.NaN]
    atoms = [atom.head for atom in _ATOMS.values()]
    return {head.__name__: head for head in [*known, ExprCondPair, *map(type, single), *atoms]}


# --- atoms ------------------------------------------------------------------------------------------------------


class _AtomKind(NamedTuple):
    """How an atom of some class is written down, and made again."""

    head: Any
    write: Callable[[Any], Any]
    read: Callable[[Any], Basic]


def _write_symbol(node: Symbol) -> tuple[str, dict[str, bool]]:
    return node.name, node.assumptions0


def _read_symbol(payload: Any) -> Symbol:
    name, assumptions = payload
    return Symbol(name, **assumptions)


def _write_dummy(node: Any) -> tuple[str, dict[str, bool], int]:
    return node.name, node.assumptions0, node.dummy_index


def _read_dummy(payload: Any) -> Symbol:
    name, assumptions, index = payload
    return Dummy(name, dummy_index=index, **assumptions)


def _write_rational(node: Any) -> tuple[str, str]:
    return hex(node.p), hex(node.q)


def _read_rational(payload: Any) -> Basic:
    p, q = payload
    return Rational(int(p, 16), int(q, 16))


def _write_float(node: Any) -> tuple[int, str, int, int, int]:
    sign, mantissa, exponent, bits = node._mpf_
    return int(sign), hex(mantissa), int(exponent), int(bits), node._prec


def _read_float(payload: Any) -> Any:
    sign, mantissa, exponent, bits, precision = payload
    return Float._new((sign, int(mantissa, 16), exponent, bits), precision, zero=False)


_ATOMS: dict[str, _AtomKind] = {
    "Dummy": _AtomKind(Dummy, _write_dummy, _read_dummy),
    "Symbol": _AtomKind(Symbol, _write_symbol, _read_symbol),
    "Integer": _AtomKind(Integer, lambda node: hex(node.p), lambda payload: Integer(int(payload, 16))),
    "Rational": _AtomKind(Rational, _write_rational, _read_rational),
    "Decimal": _AtomKind(Decimal, lambda node: node.text, Decimal),
    "Float": _AtomKind(Float, _write_float, _read_float),
}
