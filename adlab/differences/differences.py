"""Derivatives and gradients by finite differences, each with an honest estimate of its error.

Only values of f are used, and that costs digits. Of the 16 digits of a value, a forward difference keeps about 8, a central one
11, and one of order 8 perhaps 14: below some step, rounding costs more than a smaller truncation error gains (`step_models`).
So an answer comes with its error, and says what went wrong.

>>> import math
>>> slope = difference(lambda x: math.exp(x[0]), [1.0], 0, "central-difference")
>>> abs(slope.df - math.e) < slope.error < 1e-9
True
>>> difference(lambda x: abs(x[0]), [0.0], 0, "central-difference").flags     # 0.0, says the quotient
('kink_in_stencil',)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from adlab.differences.adaptive import adaptive
from adlab.differences.estimates import Estimate, concluded, estimated, failed, failed_at_x, unresolved
from adlab.differences.quotients import NONFINITE, Array, Bound, Line, Value, checked_point, quotient, value_at
from adlab.differences.richardson import richardson
from adlab.differences.stencils import SCHEMES, Stencil, scheme
from adlab.differences.step_choice import noise_of_single_precision, step_of
from adlab.differences.step_models import UNIT_ROUNDOFF, relative_step
from adlab.errors import OptionError

# A default step is kept if its error is within so many times u^(p/(p+d)), the error that the order can be expected to reach.
TOLERANCE = 64.0
EXTRAPOLATIONS = {"richardson": richardson, "adaptive-difference": adaptive}
NAMES = (*SCHEMES, *EXTRAPOLATIONS)


@np.errstate(all="ignore")  # overflows and invalid operations show in the values
def difference(
    value: Value,
    x: npt.ArrayLike,
    index: int,
    stencil: Stencil | str,
    step: float | str | None = None,
    centre: float | Array | None = None,
    order: int = 1,
    noise: float | Array | None = None,
    derivative: float | Array | None = None,
    bound: Bound | None = None,
) -> Estimate:
    """∂f/∂xᵢ (or ∂²f/∂xᵢ² for `order` 2) at x, shape (n,), for i = `index`, by a stencil or a name in `NAMES`.

    - `step` is a number, or one of the `MODES` of `steps`. By default, "auto", `default_steps` are tried. The second is tried
      only if the first leaves more error than the order can be expected to leave. Where f turns out to be computed in binary32,
      "model" is used.
    - `noise`, the error of a value of f, and `derivative`, the one in the truncation error, may be given for the other modes.
    - `centre` is f(x), if it is known. `bound` tells how wrong a value of f may be.
    - `value` takes an array of shape (n,) and returns a float or shape (m,). Outside its domain it may return NaN or raise
      `DomainError`; then all m outputs count as undefined.

    Raises `PointError`, `OptionError`, and `MethodError` if the values are not real numbers.
    """
    if order not in (1, 2):
        raise OptionError(f"derivatives of order 1 and 2 are to be had by differences, not of order {order!r}")
    if isinstance(stencil, str) and stencil in EXTRAPOLATIONS:
        if isinstance(step, str) and step != "auto":
            raise OptionError(f'`{stencil}` finds its own step: give a number to start from, or "auto", not {step!r}')
        return EXTRAPOLATIONS[stencil](value, x, index, None if isinstance(step, str) else step, centre, order, bound)
    made = scheme(stencil, order) if isinstance(stencil, str) else stencil
    line = Line(value, x, index, centre, bound)
    defined = bool(np.isfinite(line.centre).all())
    if step in (None, "auto") and defined and (single := noise_of_single_precision(line, made)) is not None:
        step, noise = "model", single  # the default steps suit binary64; here they would see only the stairs of the values
    if isinstance(step, str):
        step = step_of(line, made, step, noise, derivative) if defined else None
    p, d = made.order, made.derivative
    tolerance = TOLERANCE * UNIT_ROUNDOFF ** (p / (p + d))
    return estimated(line, lambda h: _at_step(line, made, h), step, relative_step(p, d), tolerance, d)


@np.errstate(all="ignore")
def gradient(
    value: Value,
    x: npt.ArrayLike,
    stencil: Stencil | str,
    step: float | str | npt.ArrayLike | None = None,
    order: int = 1,
) -> tuple[Array, list[Estimate]]:
    """All partial derivatives, shape (n,) or (m, n), and an `Estimate` for each variable.

    `step` is one step for all variables, or one for each. f(x) is computed once and counted with the first variable, so the sum
    of all `nfev` is the true count. For `order` 2 they are the second partials ∂²f/∂xᵢ².

    >>> partials, estimates = gradient(lambda x: x[0] * x[1], [2.0, 3.0], "central-difference")
    >>> [round(partial, 9) for partial in partials.tolist()], sum(estimate.nfev for estimate in estimates)
    ([3.0, 2.0], 19)
    """
    point = checked_point(x)
    centre = value_at(value, point.copy())
    estimates = []
    for i, h in enumerate(_steps(step, point.size)):
        made = difference(value, point, i, stencil, h, centre, order)
        estimates.append(replace(made, nfev=made.nfev + 1) if i == 0 else made)
    columns = np.array([estimate.df for estimate in estimates]).reshape(point.size, *centre.shape)
    return np.moveaxis(columns, 0, -1), estimates


def _steps(step: float | str | npt.ArrayLike | None, n: int) -> list[float | str | None]:
    """One step for each variable. Raises `OptionError` if their number is wrong."""
    if step is None or isinstance(step, str):
        return [step] * n
    try:
        return list(np.broadcast_to(np.asarray(step, dtype=np.float64), n).tolist())
    except (TypeError, ValueError):
        raise OptionError(f"`step` must be one number, or {n} of them, one for each variable; got {step!r}") from None


def _at_step(line: Line, stencil: Stencil, h: float) -> Estimate:
    """The attempt with this step. It is on one side of x if f is not defined on the other."""
    failure = failed_at_x(line, h, stencil.name)
    if failure:
        return failure
    if not line.resolves(stencil, h):
        return unresolved(line, h, stencil.name)
    found = quotient(line, stencil, h)
    if found:
        return concluded(line, stencil, h, found, stencil.name)
    obstacle = line.obstacle(stencil, h) or NONFINITE
    for one_sided in (stencil.one_sided(1), stencil.one_sided(-1)):
        found = quotient(line, one_sided, h)
        if found:
            return concluded(line, one_sided, h, found, one_sided.name, obstacle)
    reason = f"f, or its difference quotient, is not finite for h = {h:.3g} on either side of x; try a smaller step"
    return failed(line, h, stencil.name, obstacle, reason)
