"""Walks over a SymPy expression without recursion, and without unfolding what it shares.

An expression is a directed acyclic graph, but SymPy's own traversals read it as a tree. On `logistic_map(50)` they would visit
10^15 nodes, and on a chain 100,000 deep they overflow the stack. Everything here visits each *object* once. So the cost is the
number of distinct nodes, at any depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import sympy
from sympy.core.basic import Basic
from sympy.printing.str import sstr

from adlab import native

if native.core is not None:
    native.core.read_args(Basic.args, getattr(Basic, "_args", None))
    native.core.read_symbols(sympy.Symbol, getattr(Basic, "_assumptions", None))


def postorder(roots: Iterable[Basic]) -> list[Basic]:
    """Every distinct object below `roots`, operands before what uses them, in reading order.

    Objects are told apart by identity, since `==` on a SymPy expression walks the tree.

    >>> x, y = sympy.symbols("x y")
    >>> postorder([sympy.sin(x * y) + 1])
    [1, x, y, x*y, sin(x*y), sin(x*y) + 1]
    """
    if native.core is not None:
        order: list[Basic] = native.core.postorder(roots)
        return order
    done: set[int] = set()
    order = []
    stack: list[Basic | None] = list(roots)[::-1]
    waiting: list[Basic] = []  # nodes that wait for a None on top of the stack: then their operands are done
    while stack:
        node = stack.pop()
        if node is None:
            node = waiting.pop()
        elif id(node) in done:
            continue
        elif operands := node.args:
            waiting.append(node)
            stack.append(None)
            stack.extend(operands[::-1])
            continue
        if id(node) not in done:
            done.add(id(node))
            order.append(node)
    return order


def symbols_in(order: Iterable[Basic]) -> list[sympy.Symbol]:
    """The symbols of a `postorder`, in reading order; equal symbols once.

    >>> x, y = sympy.symbols("x y")
    >>> symbols_in(postorder([sympy.sin(y), x, y**2]))
    [y, x]
    """
    return list(dict.fromkeys(node for node in order if isinstance(node, sympy.Symbol)))


def symbols_of(roots: Iterable[Basic]) -> list[sympy.Symbol]:
    """The distinct symbols below `roots`, in reading order."""
    return symbols_in(postorder(roots))


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts x2 before x10.

    >>> sorted(["x10", "x2", "b", "x1"], key=natural_key)
    ['b', 'x1', 'x2', 'x10']
    """
    key = []
    for part in re.findall(r"[0-9]+|[^0-9]+", name):
        digits = part.lstrip("0")  # compared by their count, then one by one; int would limit the number of digits
        key.append((0, len(digits), f"{digits} {part}") if part[0] in "0123456789" else (1, 0, part))
    return tuple(key)


def brief(expression: Basic, limit: int = 60) -> str:
    """The expression as text, cut off after about `limit` characters. It never walks more than it prints.

    `str(expression)` recurses and unfolds what is shared, so messages use this instead.

    >>> x = sympy.Symbol("x")
    >>> brief(sympy.sin(x) ** 2)
    'sin(x)**2'
    """
    if not is_small([expression], limit):
        return f"{type(expression).__name__}(…)"
    text = as_text(expression)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def as_text(expression: Basic) -> str:
    """The expression as SymPy prints it. Where SymPy cannot sort its terms they keep their order.

    To sort, SymPy evaluates the constants among them, and fails over one without a value such as 1/0.

    >>> x = sympy.Symbol("x")
    >>> as_text(x + 1), as_text(sympy.Add(x, sympy.acsc(0, evaluate=False), evaluate=False))
    ('x + 1', 'x + acsc(0)')
    """
    try:
        return str(expression)
    except (ArithmeticError, TypeError, ValueError):
        return str(sstr(expression, order="none"))


def written_short(text: str, expression: Basic | None, limit: int = 100) -> str:
    """The formula as it was typed, or else the expression as text. Empty where that takes more than `limit` characters.

    >>> x = sympy.Symbol("x")
    >>> written_short("x  +  1", None), written_short("", x**2), written_short("", None)
    ('x + 1', 'x**2', '')
    """
    typed = " ".join(text.split())
    if not typed and expression is not None and is_small([expression], limit):
        typed = as_text(expression)
    return typed if len(typed) <= limit else ""


def is_small(expressions: Iterable[Basic], limit: int) -> bool:
    """Whether the expressions, as trees, have about `limit` nodes together at most. It never walks many more.

    >>> x = sympy.Symbol("x")
    >>> is_small([x + 1], 3), is_small([x + 1], 1)
    (True, False)
    """
    size, stack, seen_depth = 0, [(expression, 0) for expression in expressions], 0
    while stack and size <= limit and seen_depth <= limit:
        node, depth = stack.pop()
        size += 1
        seen_depth = max(seen_depth, depth)
        stack.extend((operand, depth + 1) for operand in node.args)
    return not stack


def shown(value: object, limit: int = 60) -> str:
    """Any given value as text, for the message that refuses it.

    >>> shown([1, "a"])
    "[1, 'a']"
    """
    text = brief(value, limit) if isinstance(value, Basic) else repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def listing(names: Sequence[str], limit: int = 8) -> str:
    """Names for a message: `a, b, c and 12 more`.

    >>> listing(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
