"""A function, or its derivative, as a Numba `cfunc`: machine code that Numba's, SciPy's and C's code can call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adlab.errors import MissingExtra
from adlab.exports.lines import SHARED, Language, written
from adlab.exports.plan import Task, task
from adlab.exports.to_python import PYTHON, spelled

_BY_NUMPY = {"fabs": "abs", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
             "atanh": "arctanh", "atan2": "arctan2"}  # fmt: skip
"""Functions that NumPy calls otherwise than C. Numba's NumPy has the floats of C: NaN and infinities instead of exceptions."""
NUMBA = Language(
    name="Numba",
    truths=("False", "True"),
    number=spelled,
    functions={name: f"np.{_BY_NUMPY.get(name, name)}" for name in SHARED}
    | {"pow": "np.power", "erf": "math.erf", "erfc": "math.erfc", "tgamma": "math.gamma"},
    relations=PYTHON.relations,
    logic=PYTHON.logic,
    negation="(not {0})",
    choice="({1} if {0} else {2})",
)
SOURCE = """\
def {name}(x, {vector}out):
    {body}
"""


def to_numba(
    f: Any,
    derivative: str | None = None,
    wrt: Sequence[Any] | None = None,
    constants: Mapping[Any, float] | None = None,
) -> Any:
    """A `numba.cfunc` of signature `int (double *x, double *out)`, or `(double *x, double *v, double *out)` for a product.

    It writes into `out` what the C of `to_c` writes, and returns the same status: 0; 1 where some number does not exist and is
    NaN; 2 where a number left the range of binary64, and all are NaN. Raises MissingExtra without Numba,
    UnsupportedExpression for a function that Numba lacks, and what `f.compile` raises.
    """
    try:
        import numba
    except ImportError:
        raise MissingExtra("Numba is not installed: pip install 'adlab[numba]'") from None
    work = task(f, derivative, None, wrt, constants)
    double = numba.types.CPointer(numba.float64)
    signature = numba.int32(*[double] * (3 if work.vector else 2))
    space = _namespace(numba)
    exec(compile(_source(work), f"<{work.name} for Numba>", "exec"), space)
    return numba.cfunc(signature, error_model="numpy")(space[work.name])


def _source(work: Task) -> str:
    """Python for Numba. It holds operations, numbers, and the positions of inputs: no name that a user chose."""
    found = written(work.plan.graph, NUMBA, work.argument(), remarks=False)
    lines = [*found.lines, *(f"out[{k}] = {output}" for k, output in enumerate(found.outputs))]
    if found.checks:
        lost = [f"out[{k}] = nan" for k in range(work.width)]
        lines += ["lost = False", *(f"lost |= {check}" for check in found.checks)]
        lines += ["if lost:", *(f"    {line}" for line in [*lost, "return 2"])]
    lines += [f"if out[{k}] != out[{k}]:\n        return 1" for k in range(work.width)]
    return SOURCE.format(name=work.name, vector="v, " * bool(work.vector), body="\n    ".join([*lines, "return 0"]))


def _namespace(numba: Any) -> dict[str, Any]:
    """What the source reads by name."""
    import math

    import numpy as np

    def odd(v: Any) -> Any:
        return abs(v) == np.inf or 0 < abs(v) < 2.2250738585072014e-308

    return {"np": np, "math": math, "nan": math.nan, "inf": math.inf, "odd": numba.njit(odd)}
