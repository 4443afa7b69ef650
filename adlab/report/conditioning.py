"""How ill-conditioned a point is: how much the relative error of an input grows in the result."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from adlab.arithmetic.extended import Extended
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.jacobian import tangents
from adlab.autodiff.sweeps import forward
from adlab.display import Report, Table, significant
from adlab.errors import UnsupportedExpression
from adlab.function import Function
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray, takes_at
from adlab.tracing.places import at_point
from adlab.truth.meanings import CONTEXT, exact, working

LARGEST_SECOND = 2_000_000  # nodes of the gradient program × inputs; beyond it, the conditioning of the partials is not computed
LARGEST_PRECISE = 5_000  # the same limit for unlimited exponents: some tenths of a second
MEANING = "A relative change of the inputs by a rounding, 1.1e-16, may change the result by that many roundings."


@dataclass(frozen=True)
class Conditioning(Report):
    """Relative condition numbers: the relative change of a result for a relative change of every input, to first order.

    `f[i]` is Σⱼ |xⱼ ∂ⱼfᵢ / fᵢ| and `partials[i][j]` is Σₖ |xₖ ∂ₖ∂ⱼfᵢ / ∂ⱼfᵢ|. Times 2⁻⁵³ it is the relative error that rounding
    the inputs alone may cause. `spread[i][j]` is the sum over k without the division; it is known even where a partial is 0.
    None where the program was too large.
    """

    f: FloatArray
    partials: FloatArray | None
    spread: FloatArray | None = None
    variables: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """`rows`: the condition number of each output, then of each of its partials. None where it is undefined."""
        many = len(self.f) > 1
        rows: list[dict[str, Any]] = []
        for i, number in enumerate(self.f.tolist()):
            name = f"f{i}" if many else "f"
            rows.append({"of": name, "condition": number})
            partials = [] if self.partials is None else self.partials[i].tolist()
            rows += [{"of": f"∂{name}/∂{x}", "condition": each} for x, each in zip(self.variables, partials, strict=True)]
        return {"rows": [{**row, "condition": None if math.isnan(row["condition"]) else row["condition"]} for row in rows]}

    def sections(self) -> list[Table | str]:
        """A line for each output and each partial."""
        cells = [[row["of"], significant(row["condition"], 3)] for row in self.to_dict()["rows"]]
        return [Table("relative condition numbers", ["of", "condition number"], cells, frozenset(["condition number"])), MEANING]


@takes_at
def conditioning(f: Any, x: Any = None) -> Conditioning:
    """The condition numbers of f and of each partial at a point.

    Where binary64 overflows or underflows on the way, they are computed with unlimited exponents, if the program is small. Raises
    PointError for a point that does not fit.

    >>> conditioning("log(x)", 1.001).f.round(-1)     # near 1 the logarithm is ill-conditioned
    array([1000.])
    """
    f, point = at_point(f, x)
    return replace(_conditioning(f, point), variables=tuple(f.names))


def _conditioning(f: Function, point: FloatArray) -> Conditioning:
    program = f.program("reverse")
    values: list[Any] = list(evaluate(program, point.tolist(), FLOATS))
    found = np.array([values[output] for output in program.outputs])
    suspicious = not np.isfinite(found).all() or not found.all()
    if suspicious and len(program) * f.n <= LARGEST_PRECISE:
        return _precisely(f, program, point)
    value, jacobian = found[: f.m], found[f.m :].reshape(f.m, f.n)
    with np.errstate(all="ignore"):
        of_f = (np.abs(jacobian) * np.abs(point)).sum(axis=-1) / np.abs(value)
        if len(program) * f.n > LARGEST_SECOND:
            return Conditioning(of_f, None)
        try:
            moved = tangents(program, values, dict(enumerate(np.diag(point))), FLOATS, still=np.zeros(f.n))
        except UnsupportedExpression:  # an operation without second derivatives
            return Conditioning(of_f, None)
        second = np.array([np.abs(each).sum() for each in moved[f.m :]]).reshape(f.m, f.n)
        return Conditioning(of_f, second / np.abs(jacobian), second)


def _precisely(f: Function, program: Graph, point: FloatArray) -> Conditioning:
    """The same by numbers of 53 bits with unlimited exponents; NaN where there is none."""
    with working(53):
        arithmetic = Extended(53)
        inputs = [exact(x) for x in point.tolist()]
        values = evaluate(program, inputs, arithmetic)
        moves = [forward(program, values, {k: x}, arithmetic) for k, x in enumerate(inputs) if x]
        zero = CONTEXT.zero
        second = [sum((abs(t.get(o, zero)) for t in moves), zero) for o in program.outputs[f.m :]]
        partials = [values[o] for o in program.outputs[f.m :]]
        moved = [[abs(x * d) for x, d in zip(inputs, partials[i * f.n :], strict=False)] for i in range(f.m)]
        of_f = [_ratio(sum(row, zero), values[o]) for row, o in zip(moved, program.outputs[: f.m], strict=True)]
        of_partials = [_ratio(a, b) for a, b in zip(second, partials, strict=True)]
        spread = np.array([float(s) for s in second])
        return Conditioning(np.array(of_f), np.array(of_partials).reshape(f.m, f.n), spread.reshape(f.m, f.n))


def _ratio(a: Any, b: Any) -> float:
    """|a/b| by IEEE rules."""
    if CONTEXT.isnan(a) or CONTEXT.isnan(b) or not (a or b):
        return math.nan
    return float(abs(a) / abs(b)) if b and CONTEXT.isfinite(b) else math.inf if not b else 0.0
