"""Derivatives and gradients by finite differences, each with an honest estimate of its error.

Nothing is asked of f but its values, and nothing is given for free: of the about 16 digits of a value, a forward
difference keeps 8, a central one 11, one of order 8 perhaps 14, for there is always a step below which rounding takes
more than truncation gives (`step_models`). So an answer comes with its error, and says what went wrong.

>>> import math
>>> slope = difference(lambda x: math.exp(x[0]), [1.0], 0, "central-difference")
>>> abs(slope.df - math.e) < slope.error < 1e-9
True
>>> difference(lambda x: abs(x[0]), [0.0], 0, "central-difference").flags     # 0.0, says the quotient
('kink_in_stencil',)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from adlab.classical.quotients import NOT_RESOLVED, Array, Line, Value, checked_point, evaluate, quotient, second_look
from adlab.classical.step_models import UNIT_ROUNDOFF, default_steps, relative_step
from adlab.classical.stencils import Stencil, scheme
from adlab.errors import OptionError

SATISFIED = 64.0  # a default step is kept if its error is within so many times u^(p/(p+1)), what the order lets one expect


@dataclass(frozen=True, eq=False)
class Estimate:
    """∂f/∂xᵢ by finite differences, and what is known of it.

    `df` and `error` are floats, or arrays of shape (m,); `error` is an estimate of |df − ∂f/∂xᵢ|, not a bound: truncation,
    as seen by a stencil of higher order, plus roundoff, for values of f that are correctly rounded. `nfev` counts
    every value of f that was taken, those for the error estimate and for a step that was given up included.
    `step` is the realised one, `scheme` the name of the stencil that was used in the end.

    `flags`, out of: `step_not_resolved` (x + h == x), `left_domain` (f is not defined at a node; a one-sided stencil of
    the same order then takes over), `nonfinite` (a value is infinite; likewise), `kink_in_stencil` (see `one_sided`, the
    slopes left and right, which every two-sided scheme gives), `unsettled` (a second look at h/64 contradicts the
    estimate). If there is no result to trust, `success` is False and `reason` says why in a sentence.
    """

    df: float | Array
    error: float | Array
    nfev: int
    step: float
    scheme: str
    flags: tuple[str, ...] = ()
    success: bool = True
    reason: str = ""
    one_sided: tuple[float | Array, float | Array] | None = None


def difference(
    value: Value,
    x: npt.ArrayLike,
    index: int,
    stencil: Stencil | str,
    step: float | None = None,
    centre: float | Array | None = None,
) -> Estimate:
    """∂f/∂xᵢ at x, shape (n,), for i = `index`, by a stencil or the name of one in `SCHEMES`.

    Without a `step`, `default_steps` are tried, and the second only if the first leaves more error than the order
    lets one expect. `centre` is f(x), if known. `value` takes an array of shape (n,) and gives a float or shape (m,); it may
    give NaN or raise `DomainError` outside its domain. Raises `PointError`, `OptionError`, and `MethodError`
    if the values are not real numbers.
    """
    stencil = scheme(stencil) if isinstance(stencil, str) else stencil
    if stencil.derivative != 1:
        raise OptionError(f"`difference` gives first derivatives; the stencil is for derivative {stencil.derivative}")
    line = Line(value, x, index, centre)
    steps = default_steps(line.origin, relative_step(stencil.order)) if step is None else (checked_step(step),)
    expected = UNIT_ROUNDOFF ** (stencil.order / (stencil.order + 1))
    return best(lambda h: _difference_at(line, stencil, h), steps, SATISFIED * expected, line)


def gradient(
    value: Value, x: npt.ArrayLike, stencil: Stencil | str, step: float | npt.ArrayLike | None = None
) -> tuple[Array, list[Estimate]]:
    """All partial derivatives, shape (n,) or (m, n), and an `Estimate` for each variable.

    `step` is one for all, or one for each variable. f(x) is taken once for all and counted with the first variable, so
    the sum of all `nfev` is the true count. The name "richardson" is one too.

    >>> partials, estimates = gradient(lambda x: x[0] * x[1], [2.0, 3.0], "central-difference")
    >>> [round(partial, 9) for partial in partials.tolist()], sum(estimate.nfev for estimate in estimates)
    ([3.0, 2.0], 9)
    """
    point = checked_point(x)
    centre = evaluate(value, point)
    steps = [None] * point.size if step is None else np.broadcast_to(np.asarray(step, dtype=np.float64), point.shape).tolist()
    estimates = [partial(value, point, i, stencil, h, centre) for i, h in enumerate(steps)]
    estimates[0] = replace(estimates[0], nfev=estimates[0].nfev + 1)
    return np.stack(np.broadcast_arrays(*(estimate.df for estimate in estimates)), axis=-1), estimates


def partial(
    value: Value, x: npt.ArrayLike, index: int, stencil: Stencil | str, step: float | None, centre: Array
) -> Estimate:
    """`difference`, or `richardson` if that is the name."""
    if stencil == "richardson":
        from adlab.classical.richardson import richardson  # it is built on this module

        return richardson(value, x, index, step, centre)
    return difference(value, x, index, stencil, step, centre)


def checked_step(step: float) -> float:
    """A step given by the caller; raises `OptionError` if it cannot be one."""
    if not (isinstance(step, (int, float)) and 0 < step < math.inf):
        raise OptionError(f"a step must be a positive finite number, got {step!r}")
    return float(step)


def best(attempt: Callable[[float], Estimate], steps: Iterable[float], satisfied: float, line: Line) -> Estimate:
    """The best of the estimates at these steps; no more are made once the relative error is within `satisfied`."""
    chosen: Estimate | None = None
    for h in steps:
        made = attempt(h)
        chosen = made if chosen is None else _better(chosen, made)
        if chosen.success and np.all(chosen.error <= satisfied * np.abs(chosen.df)):
            break
    assert chosen is not None, "there is always a first step"
    return replace(chosen, nfev=line.nfev)


def _better(one: Estimate, other: Estimate) -> Estimate:
    """The one with the smaller error, if the two agree; else the finer: a derivative is local.

    Far too large a step may come with a small error estimate: 1/x at 1e-10 is as good as 0 at both x + 1e-5 and
    x − 1e-5. What contradicts it from nearer to x is to be believed.
    """
    if one.success != other.success:
        return one if one.success else other
    fine, coarse = sorted((one, other), key=lambda estimate: estimate.step)
    agree = np.all(np.abs(np.subtract(coarse.df, fine.df)) <= 2 * np.add(coarse.error, fine.error))
    return coarse if agree and np.all(np.less_equal(coarse.error, fine.error)) else fine


def _difference_at(line: Line, stencil: Stencil, h: float) -> Estimate:
    """With this step, on one side of x if f is not defined on the other."""
    if not line.resolves(stencil.wider, h):
        reason = f"x + h equals x for h = {h:.3g} at x = {line.origin!r}; try a step of at least {math.ulp(line.origin):.3g}"
        return failed(line, h, stencil.name, NOT_RESOLVED, reason)
    at_x = flag_of(line.centre)
    if at_x:
        return failed(line, h, stencil.name, at_x, f"f has no finite value at x itself, variable {line.index} = {line.origin!r}")
    obstacle = line.obstacle(stencil, h)
    if obstacle:
        sides = [side for side in (stencil.one_sided(1), stencil.one_sided(-1)) if line.usable(side, h)]
        if not sides:
            reason = f"f has no finite values within reach of h = {h:.3g} on either side of x; try a smaller step"
            return failed(line, h, stencil.name, obstacle, reason)
        stencil = sides[0]
    first = quotient(line, stencil, h)
    ...
