"""How large a step? A small one has a small truncation error, a large one a small roundoff error. The model finds the best.

A student's first instinct is that a smaller h is a better h. That holds only until f(x + h) and f(x) agree in so many digits
that their difference consists of the few wrong ones at the end. Each value is rounded, so it is wrong by up to ε = u|f| with u
= 2⁻⁵³. The quotient divides what is left of these errors by hᵈ. So in the worst case

    E(h) = A / hᵈ + C hᵖ,      A = Σ|w| ε,      C = |c f⁽ᵈ⁺ᵖ⁾(x)|,

with p, c and Σ|w| from the `Stencil`. On log-log axes that is a V: slope −d on the left (roundoff), +p on the right
(truncation). Setting E′(h) = 0 gives the bottom,

    h* = (d A / (p C))^(1/(p+d)),      E* = (1 + p/d) C h*ᵖ,

where roundoff is p/d times truncation. The best step is near the step where the two are equal. For forward differences h* ~ √u,
and *half of the digits are lost* at best. Each higher order loses fewer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from adlab.differences.stencils import Stencil
from adlab.errors import OptionError

TYPICAL_SCALE = 1.0  # the length over which f is assumed to change, where |x| does not tell
FINEST_IN_ULPS = 8  # a step of fewer ulps of x leaves too few nodes for a stencil

Steps = TypeVar("Steps", float, npt.NDArray[np.float64])


@dataclass(frozen=True)
class ErrorModel:
    """E(h) = A/hᵈ + C hᵖ for one stencil at one point.

    `noise` is the error of one value of f: `UNIT_ROUNDOFF * abs(f)` for a correctly rounded f, or what was measured.
    `derivative` is |f⁽ᵈ⁺ᵖ⁾(x)|. For the first derivative by a scheme of order p that is |f⁽ᵖ⁺¹⁾(x)|.

    >>> from adlab.differences.stencils import scheme
    >>> from adlab.precision import UNIT_ROUNDOFF
    >>> model = ErrorModel(scheme("forward-difference"), noise=UNIT_ROUNDOFF * math.e, derivative=math.e)
    >>> f"{model.optimal_step:.1e} {model.optimal_error / math.e:.1e}"
    '2.1e-08 2.1e-08'
    """

    stencil: Stencil
    noise: float
    derivative: float

    def __post_init__(self) -> None:
        for name, size in (("noise", self.noise), ("derivative", self.derivative)):
            if not 0 <= size < math.inf:
                raise OptionError(f"the {name} of an error model must be finite and not negative, got {size!r}")

    @property
    def roundoff(self) -> float:
        """A = Σ|w| ε."""
        return float(self.stencil.amplification) * self.noise

    @property
    def truncation(self) -> float:
        """C = |c f⁽ᵈ⁺ᵖ⁾|."""
        return abs(float(self.stencil.truncation)) * self.derivative

    def predicted_error(self, h: Steps) -> Steps:
        """E(h), for a step or an array of steps, all positive."""
        return self.roundoff / h**self.stencil.derivative + self.truncation * h**self.stencil.order

    @property
    def optimal_step(self) -> float:
        """h*: infinite where there is no truncation error, 0 where there is no noise."""
        d, p = self.stencil.derivative, self.stencil.order
        if self.truncation == 0:
            return math.inf
        root = 1 / (p + d)  # each factor by itself: their quotient may overflow where its root does not
        return float((d * self.roundoff) ** root / (p * self.truncation) ** root)

    @property
    def optimal_error(self) -> float:
        """E* = E(h*)."""
        d, p = self.stencil.derivative, self.stencil.order
        return (1 + p / d) * self.truncation * self.optimal_step**p if self.truncation > 0 else 0.0


def relative_step(order: int, derivative: int = 1) -> float:
    """u^(1/(p+d)) as a power of two: the step at |x| = 1 where f and f⁽ᵖ⁺ᵈ⁾ are of one size.

    With a power of two, x + h is mostly exact, and so is the division by h.

    >>> relative_step(1) == 2.0**-26, relative_step(2) == 2.0**-18, relative_step(2, derivative=2) == 2.0**-13
    (True, True, True)
    """
    return math.ldexp(1.0, -round(53 / (order + derivative)))


def default_steps(x: float, relative: float) -> tuple[float, ...]:
    """The steps to try at x: `relative` times each of the two lengths over which f may change there, as powers of two.

    No single rule can be right. log at 1e-10 changes over lengths of |x|: a step of 1e-8 leaves the domain. exp at 1e-10
    changes over lengths of 1: a step scaled to x is so small that exp(x + h) == exp(x). So |x| is tried first; it does not
    depend on units, and works for x from 1e-300 to 1e300. Then the `TYPICAL_SCALE` is tried, for functions that do not depend
    on how far x is from 0, such as sin at 1e6. No step is below 8 ulps of x. At x = 0 only the second rule exists.

    >>> default_steps(0.0, 2.0**-26) == (2.0**-26,), default_steps(1.0, 2.0**-26) == (2.0**-26,)
    (True, True)
    >>> default_steps(1024.0, 2.0**-26) == (2.0**-16, 2.0**-26)
    True
    """
    typical = TYPICAL_SCALE * relative
    if x == 0:
        return (typical,)
    scaled = math.ldexp(relative, round(math.log2(abs(x))))
    finest = FINEST_IN_ULPS * math.ulp(x)
    return tuple(dict.fromkeys([max(scaled, finest), max(typical, finest)]))
