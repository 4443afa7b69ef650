"""How ill-conditioned a point is, and where digits are lost on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from adlab.arithmetic.domain import live
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.jacobian import Mode, tangents
from adlab.autodiff.sweeps import reverse
from adlab.function import Function
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray

LARGEST_SECOND = 2_000_000  # nodes of the gradient program × inputs; beyond, the derivative's conditioning is not asked
UNIT = 2.0**-53


@dataclass(frozen=True)
class Conditioning:
    """Relative condition numbers: relative change out for a relative change of every input, to first order.

    `f[i]` is Σⱼ |xⱼ ∂ⱼfᵢ / fᵢ| and `partials[i][j]` is Σₖ |xₖ ∂ₖ∂ⱼfᵢ / ∂ⱼfᵢ|. Times 2⁻⁵³ it is the relative error
    that the rounding of the input alone may cause. `spread[i][j]` is the sum over k alone, which is known where a partial
    is 0, too. None where it was too large to work out.
    """

    f: FloatArray
    partials: FloatArray | None
    spread: FloatArray | None = None


@dataclass(frozen=True)
class Loss:
    """An addition or subtraction whose result is far smaller than its operands: `digits` of them are gone, there, or in
    the one result that was asked about. `adjoint` if it is no operation of f but sums contributions of several paths."""

    node: int
    name: str
    written: str
    digits: float
    adjoint: bool = False


def conditioning(f: Function, point: FloatArray) -> Conditioning:
    """The condition numbers of f and of each partial at a point."""
    program = f.program("reverse")
    values: list[Any] = list(evaluate(program, point.tolist(), FLOATS))
    found = np.array([values[output] for output in program.outputs])
    value, jacobian = found[: f.m], found[f.m :].reshape(f.m, f.n)
    with np.errstate(all="ignore"):
        of_f = (np.abs(jacobian) * np.abs(point)).sum(axis=-1) / np.abs(value)
        if len(program) * f.n > LARGEST_SECOND:
            return Conditioning(of_f, None)
        moved = tangents(program, values, dict(enumerate(np.diag(point))), FLOATS, still=np.zeros(f.n))
        second = np.array([np.abs(each).sum() for each in moved[f.m :]]).reshape(f.m, f.n)
        return Conditioning(of_f, second / np.abs(jacobian), second)


def cancellations(graph: Graph, point: FloatArray, least: float = 3.0, output: int | None = None) -> list[Loss]:
    """The live sums in which at least `least` decimal digits cancel between operands that are not exact, worst first.

    x - 1 loses nothing where x is an input: its operands are exact. v5 - v6 does, each being rounded already. With an
    `output`, the position of a node, only what reaches that is counted: a sum whose operands are rounded by u times
    their size moves the output by that times its adjoint, and the digits lost are those of the output.
    """
    values = evaluate(graph, point.tolist(), FLOATS)
    alive = live(graph, values)
    reach = None if output is None else reverse(graph, values, {output: 1.0}, FLOATS)
    found = []
    for i in graph.operations:
        primitive, operands, _ = graph.nodes[i]
        if primitive.name not in ("add", "sub") or not alive[i] or (reach is not None and i not in reach):
            continue
        rounded = [operand for operand in operands if graph.nodes[operand].operands]
        size = max((abs(values[operand]) for operand in rounded), default=0.0)
        if size == 0 or not math.isfinite(size):
            continue
        digits = _digits(size, values[i])
        if reach is not None and output is not None:
            digits = min(digits, _digits(size * abs(reach[i]), values[output]))
        if digits >= least:
            found.append(Loss(i, graph.names[i], graph.written(i), digits))
    return sorted(found, key=lambda loss: -loss.digits)


def _digits(size: float, left: float) -> float:
    """How many decimal digits are gone when only `left` is left of numbers of that size, at most 16."""
    if not size:
        return 0.0
    return min(math.log10(size / abs(left)), 16.0) if left and size < abs(left) * 1e16 else 16.0


def losses(f: Function, point: FloatArray, mode: Mode, output: int, variable: int) -> list[Loss]:
    """Where the digits of one partial are lost on the way of one mode, worst first."""
    program = f.program(mode)
    found = cancellations(program, point, output=program.outputs[f.m + output * f.n + variable])
    return [replace(loss, adjoint=loss.node >= len(f.graph)) for loss in found]
