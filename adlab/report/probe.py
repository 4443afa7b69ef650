"""Values of a function along one coordinate, as floats and in high precision. They tell truncation and roundoff apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from adlab.differences.stencils import Stencil
from adlab.errors import AdlabError
from adlab.function import Function
from adlab.inputs import FloatArray
from adlab.precision import CONTEXT, working
from adlab.truth.higher import directional_derivative
from adlab.truth.meanings import exact as exact_number
from adlab.truth.values import Outcome, Plan, State

BITS = 320  # for nodes closer than 1e-16 |x|, and values to 40 digits more
NODES = 8  # on each side of x, to measure the noise
SPACING = 2.0**-30  # relative to x: so near that f is a straight line, so far that roundings are not shared


class Probe:
    """f along each coordinate through a point, in binary64 and to `bits` bits. Each value is computed once."""

    def __init__(self, f: Function, point: FloatArray, bits: int = BITS) -> None:
        self.f, self.point, self.bits = f, point, bits
        self.plan: Plan = f.plan()
        self.state: State = self.plan.base(point.tolist(), bits)
        self._floats: dict[tuple[int, float], FloatArray] = {}
        self._sharp: dict[tuple[int, Any], list[Outcome]] = {}

    def quotients(self, stencil: Stencil, i: int, j: int, h: float) -> tuple[float, Any]:
        """The difference quotient of output i from floats (NaN where f has no value), and from exact values (None there)."""
        rounded, sharp = 0.0, CONTEXT.zero
        for weight, offset in zip(stencil.weights, stencil.offsets, strict=True):
            rounded += float(weight) * float(self.rounded(j, float(self.point[j]) + float(offset) * h)[i])
            value = self.exact(i, j, exact_number(float(self.point[j])) + exact_number(h) * int(offset))
            if value is None:
                return rounded / h**stencil.derivative, None
            sharp += value * weight.numerator / weight.denominator
        return rounded / h**stencil.derivative, sharp / exact_number(h) ** stencil.derivative

    def unsure(self, stencil: Stencil, i: int, j: int, h: float) -> Any:
        """How far the exact quotient may be off, because its values are not known better; infinite where that is unknown."""
        x, far = exact_number(float(self.point[j])), exact_number(h)
        pairs = zip(stencil.weights, stencil.offsets, strict=True)
        errors = [self._sharp[j, x + far * int(o)][i].error * abs(w.numerator) / w.denominator for w, o in pairs]
        return sum(errors, CONTEXT.zero) / far

    def rounded(self, j: int, node: float) -> FloatArray:
        """All outputs in binary64, shape (m,), where coordinate j is `node`."""
        if (j, node) not in self._floats:
            moved = self.point.copy()
            moved[j] = node
            self._floats[j, node] = self.f.values(moved)
        return self._floats[j, node]

    def exact(self, i: int, j: int, node: Any) -> Any:
        """Output i at the same place, to `bits` bits. None where there is no real value."""
        if (j, node) not in self._sharp:
            self._sharp[j, node] = self.state.moved(j, node)
        outcome = self._sharp[j, node][i]
        if outcome.failure is not None or hasattr(outcome.value, "_mpc_"):
            return None
        return exact_number(outcome.value)

    def noise(self, i: int, j: int) -> float:
        """ε_f, the noise of f: the largest |f₆₄ − f| of output i at x and some nodes around it. It is measured, not assumed."""
        x = float(self.point[j])
        apart = (abs(x) or 1.0) * SPACING / 3  # not a power of two: nodes should round as other numbers do
        found = [self._off(i, j, x + k * apart) for k in range(-NODES, NODES + 1)]
        return max((error for error in found if error is not None), default=0.0)

    def _off(self, i: int, j: int, node: float) -> float | None:
        rounded = float(self.rounded(j, node)[i])
        with working(self.bits):
            sharp = self.exact(i, j, exact_number(node))
            return None if sharp is None or not np.isfinite(rounded) else float(abs(exact_number(rounded) - sharp))

    def derivative(self, i: int, j: int, order: int) -> float | None:
        """|∂ᵏf/∂xⱼᵏ| of output i for k = `order`, from high-precision values. None where it cannot be found."""
        try:
            found = directional_derivative(self.plan, self.point.tolist(), j, order, output=i)
        except AdlabError:
            return None
        return abs(float(found))

