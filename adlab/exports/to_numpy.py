"""A function, or its derivative, as a Python file that needs NumPy alone. It never imports adlab.

It follows IEEE rules: NaN outside the domain. Where a number leaves binary64's range on the way, all of that point is NaN:
adlab itself would go on with wider numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from adlab.exports.lines import SHARED, SIGNS, Language, written
from adlab.exports.plan import Task, task
from adlab.exports.to_python import BY_MATH, SAFE, documented, quotable, safe, spelled

ARCS = {f"a{name}": f"arc{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "tan2")}

NUMPY = Language(
    name="NumPy",
    truths=("False", "True"),
    number=spelled,
    functions={name: f"np.{ARCS.get(name, name)}" for name in SHARED} | {"pow": "np.power"} | {k: f"_{k}" for k in BY_MATH},
    relations={key: f"({sign})" for key, sign in SIGNS.items()}
    | {"one": "(({0} < {1}) | ({0} > {1}))", "uno": "(np.isnan({0}) | np.isnan({1}))"},
    logic={"and": "({0} & {1})", "or": "({0} | {1})", "xor": "({0} ^ {1})"},
    negation="~{0}",
    choice="np.where({0}, {1}, {2})",
)
ODD = '''\
def odd(v):
    """Where v is infinite or too small for all its digits."""
    size = np.abs(v)
    return (size == inf) | ((size > 0) & (size < 2.0**-1022))
'''


def to_numpy(
    f: Any,
    derivative: str | None = None,
    name: str | None = None,
    wrt: Sequence[Any] | None = None,
    constants: Mapping[Any, float] | None = None,
) -> str:
    """The function, or a derivative as `f.compile` names them, as a file that needs NumPy alone.

    Its function takes a point, shape (n,), or points, (..., n), and gives arrays as the compiled program does. Raises
    UnsupportedExpression for functions that neither NumPy nor `math` has, and what `f.compile` raises.
    """
    work = task(f, derivative, name, wrt, constants)
    found = written(work.plan.graph, NUMPY, work.argument("x[..., {0}]", "v[..., {0}]"))
    several = len(work.plan.widths) > 1
    body = ["x = np.asarray(x, dtype=float)", "before = x.shape[:-1]"]
    if several:
        body[1:] = ["v = np.asarray(v, dtype=float)", "before = np.broadcast_shapes(x.shape[:-1], v.shape[:-1])"]
    body += [f"out = np.empty((*before, {work.width}))", 'with np.errstate(all="ignore"):']
    body += [f"    {line}" for line in found.lines]
    body += [f"    out[..., {k}] = {output}" for k, output in enumerate(found.outputs)]
    if found.checks:
        body.append("    lost = np.zeros(before, dtype=bool)")
        body += [f"    lost |= {check}" for check in found.checks]
        body.append("out[lost] = nan")
    by_math = [k for k in sorted(BY_MATH) if k in found.used]
    imports = [*["import math"] * bool(by_math), *[""] * bool(by_math), "import numpy as np", "from numpy import inf, nan"]
    vectorised = [f"_{k} = np.vectorize({safe(k)}, otypes=[float])" for k in by_math]
    return "\n".join([
        f'"""{quotable(work.about)}\n\nWritten by adlab. It needs NumPy alone.\n"""\n',
        *imports, "", "",
        *([SAFE, "", *vectorised, "", ""] if vectorised else []),
        *([ODD, ""] if found.checks else []),
        f"def {work.name}({'x, v' if several else 'x'}):",
        documented(work, f"{work.parts()}, for x = {_names(work)} in the last axis"),
        *[f"    {line}" for line in body],
        f"    return {_parts(work)}", "",
    ])  # fmt: skip


def _names(work: Task) -> str:
    return ", ".join(work.inputs[: work.plan.widths[0]]) or "nothing"


def _parts(work: Task) -> str:
    """What is returned: each part in its shape."""
    shown, start = [], 0
    for shape in work.plan.shapes:
        if shape:
            inside = ", ".join(map(str, shape))
            shown.append(f"out[..., {start}:{start + prod(shape)}].reshape((*before, {inside}))")
        else:
            shown.append(f"out[..., {start}]")
        start += prod(shape)
    return ", ".join(shown)
