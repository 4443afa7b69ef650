"""A function, or its derivative, as a Python file that needs only NumPy, or JAX, or PyTorch. It never imports adlab.

It follows IEEE rules: NaN outside the domain. Where a number leaves binary64's range on the way, all numbers of that point are
NaN. adlab itself would go on with wider numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from adlab.exports.lines import SHARED, SIGNS, WORD, Language, written
from adlab.exports.plan import Task, task
from adlab.exports.to_python import BY_MATH, SAFE, documented, quotable, safe, spelled

ARCS = {f"a{name}": f"arc{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "tan2")}

PLAIN = {"one": "(({0} < {1}) | ({0} > {1}))", "uno": "(({0} != {0}) | ({1} != {1}))"}


def _language(name: str, functions: dict[str, str], choice: str, lift: str = "{0}") -> Language:
    """A library of arrays; all of them have Python's operators."""
    return Language(
        name=name,
        truths=("False", "True"),
        number=spelled,
        functions=functions,
        relations={key: f"({sign})" for key, sign in SIGNS.items()} | PLAIN,
        logic={"and": "({0} & {1})", "or": "({0} | {1})", "xor": "({0} ^ {1})"},
        negation="~{0}",
        choice=choice,
        lift=lift,
    )


ARCS_OF_ALL = {name: ARCS.get(name, name) for name in SHARED} | {"pow": "power"}
NUMPY = _language(
    "NumPy",
    {name: f"np.{own}" for name, own in ARCS_OF_ALL.items()} | {k: f"_{k}" for k in BY_MATH},
    "np.where({0}, {1}, {2})",
)
JAX = _language(
    "JAX",
    {name: f"np.{own}" for name, own in ARCS_OF_ALL.items()} | {"erf": "erf", "erfc": "erfc"},
    "np.where({0}, {1}, {2})",
)
TORCH = _language(
    "PyTorch",
    {name: f"torch.{'abs' if name == 'fabs' else name}" for name in [*SHARED, "pow", "erf", "erfc"] if name != "cbrt"},
    "torch.where({0}, {1}, {2})",
    lift="torch.as_tensor({0}, dtype=x.dtype)",
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
    """The function, or a derivative with a name that `f.compile` knows, as a file that needs only NumPy.

    The function in the file takes a point, shape (n,), or points, (..., n), and returns arrays as the compiled program does.
    Raises UnsupportedExpression for functions that neither NumPy nor `math` has, and what `f.compile` raises.
    """
    work = task(f, derivative, name, wrt, constants)
    found = written(work.plan.graph, NUMPY, work.argument("x[..., {0}]", "v[..., {0}]"))
    body = ["x = np.asarray(x, dtype=float)", "before = x.shape[:-1]"]
    if work.vector:
        body[1:] = ["v = np.asarray(v, dtype=float)", "before = np.broadcast_shapes(x.shape[:-1], v.shape[:-1])"]
    body += [f"out = np.empty((*before, {work.width}))", 'with np.errstate(all="ignore"):']
    body += [f"    {line}" for line in found.lines]
    body += [f"    out[..., {k}] = {output}" for k, output in enumerate(found.outputs)]
    if found.checks:
        body.append("    lost = np.zeros(before, dtype=bool)")
        body += [f"    lost |= {check}" for check in found.checks]
        body.append("out[lost] = nan")
    by_math = [k for k in sorted(BY_MATH) if k in found.used]
    imports = [
        *["import math"] * bool(by_math),
        *[""] * bool(by_math),
        "import numpy as np",
        "from numpy import inf, nan",
    ]
    vectorised = [f"_{k} = np.vectorize({safe(k)}, otypes=[float])" for k in by_math]
    helpers = [*([SAFE, "", *vectorised, "", ""] if vectorised else []), *([ODD, ""] if found.checks else [])]
    return _file(work, "NumPy alone", [*imports, "", "", *helpers], body)


def to_jax(f: Any, derivative: str | None = None, **options: Any) -> str:
    """The same as a file that needs JAX, with 64-bit numbers switched on. It works with jit and vmap. See `to_numpy`."""
    work = task(f, derivative, **_options(options))
    head = ["import jax.numpy as np", "from jax.numpy import inf, nan", "from jax.scipy.special import erf, erfc"]
    made = 'if x.dtype != "float64":\n        raise TypeError("switch on jax_enable_x64: the numbers are those of float64")'
    return _functional(work, JAX, head, "np.asarray({0})", made, "np.stack(np.broadcast_arrays({0}), -1)", "np.where")


def to_torch(f: Any, derivative: str | None = None, **options: Any) -> str:
    """The same as a file that needs PyTorch, on tensors of float64. See `to_numpy`."""
    work = task(f, derivative, **_options(options))
    head = ["import torch", "from math import inf, nan"]
    made = "x = x.to(torch.float64)"
    stack = "torch.stack(torch.broadcast_tensors({0}), -1)"
    return _functional(work, TORCH, head, "torch.as_tensor({0})", made, stack, "torch.where")


def _options(options: dict[str, Any]) -> dict[str, Any]:
    return {"name": None, "wrt": None, "constants": None} | options


def _functional(
    work: Task, language: Language, head: Sequence[str], read: str, made: str, stack: str, where: str
) -> str:  # fmt: skip
    """A file for a library whose arrays cannot be written into."""
    found = written(work.plan.graph, language, work.argument("x[..., {0}]", "v[..., {0}]"))
    body = [f"x = {read.format('x')}", made]
    body += [f"v = {read.format('v')}"] * bool(work.vector)
    body += list(found.lines)
    full = [f"{output} + 0 * x[..., 0]" if not WORD.fullmatch(output) else output for output in found.outputs]
    body += [f"out = {stack.format(', '.join(full))}", "before = out.shape[:-1]"]
    if found.checks:
        body += ["lost = x[..., 0] != x[..., 0]", *[f"lost = lost | {check}" for check in found.checks]]
        body.append(f"out = {where}(lost[..., None], nan, out)")
    helpers = [ODD.replace("np.abs(v)", "abs(v)"), ""] if found.checks else []
    return _file(work, language.name, [*head, "", "", *helpers], body)


def _file(work: Task, needs: str, head: Sequence[str], body: Sequence[str]) -> str:
    """The whole file: what it is, what stands above the function, the function."""
    return "\n".join([
        f'"""{quotable(work.about)}\n\nWritten by adlab. It needs {needs}.\n"""\n',
        *head,
        f"def {work.name}({'x, v' if work.vector else 'x'}):",
        documented(work, f"{work.parts()}, for x = {', '.join(work.point) or 'nothing'} in the last axis"),
        *[f"    {line}" for line in body],
        f"    return {_parts(work)}", "",
    ])  # fmt: skip


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
