"""A function, or its derivative, as Python source that runs by itself. It never imports adlab.

If no number can leave binary64's range on the way to a result, and `math` has every operation, the source has one line for each
operation, ready to paste, and raises as `math` does. Otherwise, and for derivatives, it follows IEEE rules: NaN outside the
domain. Where a number leaves binary64's range on the way, all numbers are NaN. adlab itself would go on with wider numbers;
Python has none.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Mapping, Sequence
from typing import Any

from adlab.exports.lines import SHARED, SIGNS, WORD, Language, literal, written
from adlab.exports.plan import Task, task
from adlab.graph.graph import Graph
from adlab.primitives.primitive import to_float

BY_MATH = {"erf": "erf", "erfc": "erfc", "tgamma": "gamma"}
"""Functions that Python's `math` has and NumPy lacks, by their names in C. Python's lgamma is wrong by 30 ulps near 1 and 2."""
TAKEN = frozenset(["inf", "nan", "math", "out", "lost", "odd", "abs", "float"])
"""Names that the written code uses itself. It also uses names that begin with `_`."""
BOUNDED = {"sin": 1.0, "cos": 1.0, "tanh": 1.0, "atan": 2.0}
"""Functions with values of at most this size, which lose no digit to underflow either: sin(x) is x where x is that small."""


def spelled(value: float) -> str:
    """A number in source that has imported `inf` and `nan`."""
    if math.isfinite(value):
        return literal(value)
    return "nan" if math.isnan(value) else "inf" if value > 0 else "(-inf)"


PYTHON = Language(
    name="plain Python",
    truths=("False", "True"),
    number=spelled,
    functions={name: f"_{name}" for name in [*SHARED, "pow", *BY_MATH]},
    relations={key: f"({sign})" for key, sign in SIGNS.items()}
    | {"one": "({0} < {1} or {0} > {1})", "uno": "({0} != {0} or {1} != {1})"},
    logic={"and": "({0} and {1})", "or": "({0} or {1})", "xor": "({0} != {1})"},
    negation="(not {0})",
    choice="({1} if {0} else {2})",
    division="_div({0}, {1})",
)
OVERFLOWS = {"sinh": "math.copysign(inf, a[0])", "tgamma": "math.copysign(inf, a[0])", "floor": "a[0]", "ceil": "a[0]",
             "pow": "-inf if a[0] < 0 and a[1] % 2 == 1 else inf"}  # fmt: skip
"""What C's functions give where those of `math` raise OverflowError. All others give infinity."""

SAFE = '''\
def _safe(function, overflow=lambda *a: inf):
    """The function under IEEE rules: NaN outside its domain, infinity where it overflows."""

    def careful(*a):
        try:
            return float(function(*a))
        except (ValueError, ZeroDivisionError):
            return nan
        except OverflowError:
            return overflow(*a)

    return careful
'''
ODD = '''\
def odd(v):
    """Whether v is infinite or too small for all its digits."""
    return abs(v) == inf or 0 < abs(v) < 2.0**-1022
'''


def to_python(
    f: Any,
    derivative: str | None = None,
    name: str | None = None,
    wrt: Sequence[Any] | None = None,
    constants: Mapping[Any, float] | None = None,
) -> str:
    """A function of floats that returns its one number, or the tuple of its numbers. The source runs by itself.

    Formulas that cannot leave binary64's range before their last operation are written plainly. They raise as `math` does:
    ValueError or ZeroDivisionError outside the domain, OverflowError beyond binary64. All others, and derivatives, follow IEEE
    rules and give NaN, also where a number overflows or underflows on the way. Raises
    UnsupportedExpression for functions that cannot be composed of those in `math`, and what `f.compile` raises.

    >>> import adlab
    >>> print(to_python(adlab.Function("sin(x)/x")))
    from math import sin
    <BLANKLINE>
    <BLANKLINE>
    def f(x):
        v1 = sin(x)
        v2 = v1/x
        return v2
    <BLANKLINE>
    """
    work = task(f, derivative, name, wrt, constants)
    if derivative is None and _plain(work.plan.graph):
        return _pasted(work.plan.graph, work.name)
    return _careful(work)


def documented(work: Task, gives: str) -> str:
    """The lines of a docstring: what the function takes, returns and refuses."""
    vector = " The rest is the vector that the derivative is applied to." if work.vector else ""
    return (
        f'    """{quotable(work.about)}\n\n    Gives {gives}.{vector}\n'
        "    Outside the domain, and on a kink, it is NaN; so are all numbers of a point where one leaves the range of floats.\n"
        '    """'
    )


def quotable(text: str) -> str:
    """A text that may stand in a docstring."""
    return text.replace("\\", "/").replace('"""', "'''")


def _careful(work: Task) -> str:
    """The source under IEEE rules."""
    names = _arguments(work.inputs)
    found = written(work.plan.graph, PYTHON, names)
    used = sorted(found.used)
    parts = ["import math\nfrom math import inf, nan\n\n" if used else "from math import inf, nan\n\n"]
    if used:
        parts += [SAFE + "\n", "\n".join(f"_{k} = {safe(k)}" for k in used) + "\n\n"]
    parts += [ODD + "\n"] if found.checks else []
    body = [f"    {line}" for line in found.lines]
    if found.checks:
        body += ["    lost = False", *[f"    lost |= {check}" for check in found.checks]]
        body += ["    if lost:", f"        return {', '.join(['nan'] * work.width)}"]
    parts += [f"def {work.name}({', '.join(names)}):", documented(work, work.parts())]
    return "\n".join([*parts, *body, f"    return {', '.join(found.outputs) or '()'}", ""])


def safe(function: str) -> str:
    """A function of C's library, or `div`, as source that calls `_safe`."""
    source = "lambda a, b: a / b" if function == "div" else f"math.{BY_MATH.get(function, function)}"
    return f"_safe({source}, lambda *a: {OVERFLOWS[function]})" if function in OVERFLOWS else f"_safe({source})"


def _arguments(inputs: Sequence[str]) -> list[str]:
    """The inputs' own names if Python accepts all of them, else x0, x1, …"""
    own = all(name.isidentifier() and not keyword.iskeyword(name) and name not in TAKEN and name[0] != "_" for name in inputs)
    return list(inputs) if own and not any(map(WORD.fullmatch, inputs)) else [f"x{i}" for i in range(len(inputs))]


# --- one line an operation --------------------------------------------------------------------------------------------


def _plain(graph: Graph) -> bool:
    """Whether operators and functions of `math` are enough, nothing branches, and no number can leave the range on the way.

    The last operation of a result may leave the range: then the result itself does. `size` holds bounds of magnitudes.
    """
    read = {operand for node in graph.nodes for operand in node.operands}
    size: dict[int, float] = {}
    for i, (primitive, operands, parameter) in enumerate(graph.nodes):
        if not operands:
            size[i] = math.inf if i < len(graph.inputs) else abs(to_float(parameter))
            continue
        bounds = [size[operand] for operand in operands]
        size[i] = BOUNDED.get(primitive.name, sum(bounds))
        tame = primitive.name == "neg" or primitive.name in BOUNDED
        if i in read and not tame and not (primitive.name in ("add", "sub") and math.isfinite(size[i])):
            return False
        named = getattr(math, primitive.name, None) is primitive.scalar
        if primitive.routes or not (primitive.operator or primitive.name == "powi" or named):
            return False
    return True


def _pasted(graph: Graph, name: str) -> str:
    letters = _identifiers(graph)
    lines = []
    for i in graph.operations:
        primitive, operands, parameter = graph.nodes[i]
        words = tuple(letters[operand] for operand in operands)
        right = f"{words[0]}**{parameter}" if primitive.name == "powi" else primitive.written(words)
        lines.append(f"    {letters[i]} = {right}")
    used = {node.primitive for node in graph.nodes if node.operands}
    imported = sorted(p.name for p in used if not p.operator and p.name != "powi")
    head = [f"from math import {', '.join(imported)}", "", ""] if imported else []
    results = ", ".join(letters[output] for output in graph.outputs)
    return "\n".join(
        [*head, f"def {name}({', '.join(letters[: len(graph.inputs)])}):", *lines, f"    return {results}", ""]
    )


def _identifiers(graph: Graph) -> list[str]:
    """Names that Python accepts: an input's own if Python accepts all, else x0, x1, …"""
    own = all(name.isidentifier() and not keyword.iskeyword(name) for name in graph.inputs)
    clash = {"float", *(node.primitive.name for node in graph.nodes if node.operands)} & set(graph.inputs)
    letters = list(graph.names)
    if not own or clash:
        letters[: len(graph.inputs)] = [f"x{i}" for i in range(len(graph.inputs))]
        operations = iter(range(1, len(graph) + 1))
        for i in graph.operations:
            letters[i] = f"v{next(operations)}"
    for i, node in enumerate(graph.nodes[len(graph.inputs) :], len(graph.inputs)):
        if not node.operands:
            value = to_float(node.parameter)
            letters[i] = f"({value!r})" if value < 0 else repr(value) if math.isfinite(value) else f'float("{value}")'
    return letters
