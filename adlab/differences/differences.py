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

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from adlab.differences.adaptive import adaptive
from adlab.differences.estimates import (
    GAVE_UP,
    Estimate,
    checked_step,
    concluded,
    failed,
    failed_at_x,
    plain,
    unresolved,
)
from adlab.differences.few import Answers, Few, few_lines, ordinary
from adlab.differences.plans import WITHIN, plan_of
from adlab.differences.quick import Look, quick_look
from adlab.differences.quotients import (
    NONFINITE,
    Array,
    Bound,
    Line,
    Sample,
    Value,
    checked_point,
    one_by_one,
    quotient,
    value_at,
)
from adlab.differences.richardson import richardson
from adlab.differences.search import estimated
from adlab.differences.stencils import SCHEMES, Stencil, scheme
from adlab.differences.step_choice import hear_single_precision, noise_of_single_precision, step_of
from adlab.differences.step_models import relative_step
from adlab.errors import GaveUp, OptionError, PointError
from adlab.precision import UNIT_ROUNDOFF

EXTRAPOLATIONS = {"richardson": richardson, "adaptive-difference": adaptive}
NAMES = (*SCHEMES, *EXTRAPOLATIONS)
CHUNK = 512  # points of a batch that are looked at together: their values stay in the caches


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
    sample: Sample | None = None,
) -> Estimate:
    """∂f/∂xᵢ (or ∂²f/∂xᵢ² for `order` 2) at x, shape (n,), for i = `index`, by a stencil or a name in `NAMES`.

    - `step` is a number, or one of the `MODES` of `steps`. By default, "auto", `default_steps` are tried. The second is tried
      only if the first leaves more error than the order can be expected to leave. Where f turns out to be computed in binary32,
      "model" is used.
    - `noise`, the error of a value of f, and `derivative`, the one in the truncation error, may be given for the other modes.
    - `centre` is f(x), if it is known. `bound` tells how wrong a value of f may be.
    - `value` takes an array of shape (n,) and returns a float or shape (m,). Outside its domain it may return NaN or raise
      `DomainError`; then all m outputs count as undefined.
    - `sample` gives values at many points, (N, n) to (N, m).

    One batch of values tells a first derivative that is ordinary: see `quick`.
    Raises `PointError`, `OptionError`, and `MethodError` if the values are not real numbers.
    """
    told = noise is not None or derivative is not None
    if order != 1 or not isinstance(stencil, str) or told or not _is_plain(step):
        return _carefully(value, x, index, stencil, step, centre, order, noise, derivative, bound)
    [found] = partials(value, x, [index], stencil, [step], centre, bound, sample)
    return found


@np.errstate(all="ignore")
def partials(
    value: Value,
    x: npt.ArrayLike,
    indices: Sequence[int],
    stencil: str,
    steps: Sequence[float | str | None],
    centre: float | Array | None = None,
    bound: Bound | None = None,
    sample: Sample | None = None,
    partly: bool = False,
    evaluations: int = 0,
) -> list[Estimate]:
    """∂f/∂xᵢ for each of the `indices`, with a step for each; arguments and errors are those of `difference`.

    All of them are looked at in one batch. What is not ordinary is then looked at node by node. Where the caller's patience ends
    before that, GaveUp is raised; or, if they are wanted `partly`, the estimates that are missing say so. So many `evaluations`
    were made before; they are counted with the first.
    """
    point = checked_point(x)
    for index in indices:
        if not 0 <= index < point.size:
            raise PointError(f"there is no variable {index}: the point has {point.size}, counted from 0")
    spent = evaluations + (centre is None)
    here = value_at(value, point.copy()) if centre is None else np.asarray(centre, dtype=np.float64)
    few = None if bound is not None else _few(value, point, indices, stencil, steps, here, sample)
    if few is not None and few.found is not None:
        return _ordinary(few, few.found, stencil, here, spent)
    looked = _looked_at(value, point, indices, stencil, steps, here, bound, sample, None if few is None else few.values)
    found = []
    for line, (index, step) in enumerate(zip(indices, steps, strict=True)):
        if looked is not None and looked.accepted[line]:
            made = _accepted(looked, line, stencil, here.shape, float(point[index]), spent)
        else:
            made = (_patiently if partly else _plainly)(value, point, index, stencil, step, here, bound)
            made = replace(made, nfev=made.nfev + spent + (0 if looked is None else int(looked.taken[line])))
        found.append(made)
        spent = 0
    return found


def _plainly(
    value: Value, point: Array, index: int, stencil: str, step: float | str | None, here: Array, bound: Bound | None
) -> Estimate:
    return _carefully(value, point, index, stencil, step, here, 1, None, None, bound)


def _patiently(
    value: Value, point: Array, index: int, stencil: str, step: float | str | None, here: Array, bound: Bound | None
) -> Estimate:
    """Node by node, or the estimate that says that the caller's patience was over."""
    try:
        return _plainly(value, point, index, stencil, step, here, bound)
    except GaveUp:
        nothing, reason = np.full(here.shape, np.nan), "gave up: the time was over before this was done; be more patient"
        return Estimate(plain(nothing), plain(nothing + np.inf), 0, np.nan, stencil, (GAVE_UP,), success=False, reason=reason)


def _is_plain(step: Any) -> bool:
    """Whether a step is a number, or left to the scheme: one that is chosen by the noise is none for a quick look."""
    return not isinstance(step, str) or step == "auto"


def _looked_at(
    value: Value, point: Array, indices: Sequence[int], name: str, steps: Sequence[float | str | None], here: Array,
    bound: Bound | None, sample: Sample | None, ready: Array | None,
) -> Look | None:  # fmt: skip
    """The quick look at all of them; None where there is none for this scheme or this point."""
    if plan_of(name) is None or _are_mixed(steps) or not indices or not np.isfinite(here).all():
        return None
    given = _given(steps)
    sizes = np.array(given) if given else None
    points, centre = np.repeat(point[None], len(indices), axis=0), np.broadcast_to(here.ravel(), (len(indices), here.size))
    known = None if bound is None else np.broadcast_to(bound(point), centre.shape)
    chosen = np.array(indices, dtype=np.int64)
    return quick_look(sample or one_by_one(value, here.shape), points, chosen, centre, name, sizes, known, ready)


def _given(steps: Sequence[float | str | None]) -> list[float]:
    """The steps that are numbers."""
    return [checked_step(step) for step in steps if step is not None and not isinstance(step, str)]


def _are_mixed(steps: Sequence[float | str | None]) -> bool:
    """Whether some steps are numbers, and others are not."""
    return len({step is None or isinstance(step, str) for step in steps}) > 1


class _Few(NamedTuple):
    """A look at a few lines: their nodes, f there, and what is found if all of them are ordinary."""

    lines: Few
    values: Array
    found: Answers | None


def _few(
    value: Value, point: Array, indices: Sequence[int], name: str, steps: Sequence[float | str | None], here: Array,
    sample: Sample | None,
) -> _Few | None:  # fmt: skip
    """The look at them number by number, where they are few; None where there is none."""
    if _are_mixed(steps) or not indices or not np.isfinite(here).all():
        return None
    place, centre = point.tolist(), here.ravel().tolist()
    lines = few_lines(plan_of(name), [place[index] for index in indices], _given(steps) or None, len(centre))
    if lines is None:
        return None
    values = (sample or one_by_one(value, here.shape))(np.array(lines.points(place, indices)))
    return _Few(lines, values, ordinary(lines, centre, values.tolist()))


def _ordinary(few: _Few, found: Answers, name: str, here: Array, spent: int) -> list[Estimate]:
    """What was found on a few lines, as estimates."""
    lines, shape, centre = few.lines, here.shape, here.ravel().tolist()
    plan, count, made = lines.layout.plan, len(lines.layout.offsets), []
    rows = few.values.tolist() if plan.two_sided else []
    for line, answers in enumerate(found):
        slopes = lines.one_sided(line, centre, rows[line :: len(found)]) if plan.two_sided else None
        df, error = _shaped(answers, shape)
        made.append(Estimate(
            df, error, count + (0 if line else spent), lines.reach(line), name, nit=plan.steps, x=lines.origins[line],
            one_sided=None if slopes is None else _shaped(slopes, shape), nfev_scheme=plan.used,
        ))  # fmt: skip
    return made


def _shaped(pairs: Sequence[tuple[float, ...]], shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Two numbers for each output as two numbers or two arrays."""
    first, second = zip(*pairs, strict=True)
    return (np.array(first), np.array(second)) if shape else (first[0], second[0])


def _accepted(looked: Look, line: int, name: str, shape: tuple[int, ...], x: float, spent: int) -> Estimate:
    """What the quick look found on one line, as an estimate."""
    plan = plan_of(name)
    assert plan is not None
    sides = None if looked.sides is None else tuple(plain(side.reshape(shape)) for side in looked.sides[:, line])
    return Estimate(
        plain(looked.df[line].reshape(shape)), plain(looked.error[line].reshape(shape)), int(looked.taken[line]) + spent,
        float(looked.step[line]), name, one_sided=None if sides is None else (sides[0], sides[1]), nit=plan.steps, x=x,
        nfev_scheme=plan.used,
    )  # fmt: skip


def _carefully(
    value: Value, x: npt.ArrayLike, index: int, stencil: Stencil | str, step: float | str | None,
    centre: float | Array | None, order: int, noise: float | Array | None, derivative: float | Array | None,
    bound: Bound | None,
) -> Estimate:  # fmt: skip
    """Node by node, with a second look wherever something is suspicious."""
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
        step = step_of(line, made, step, noise, derivative)
        hear_single_precision(line, made, step)
    if isinstance(step, str):
        step = step_of(line, made, step, noise, derivative) if defined else None
    p, d = made.order, made.derivative
    tolerance = WITHIN * UNIT_ROUNDOFF ** (p / (p + d))
    return estimated(line, lambda h: _at_step(line, made, h), step, relative_step(p, d), tolerance, d)


@np.errstate(all="ignore")
def gradient(
    value: Value,
    x: npt.ArrayLike,
    stencil: Stencil | str,
    step: float | str | npt.ArrayLike | None = None,
    order: int = 1,
    sample: Sample | None = None,
) -> tuple[Array, list[Estimate]]:
    """All partial derivatives, shape (n,) or (m, n), and an `Estimate` for each variable.

    `step` is one step for all variables, or one for each. f(x) is computed once and counted with the first variable, so the sum
    of all `nfev` is the true count. For `order` 2 they are the second partials ∂²f/∂xᵢ².

    >>> partials, estimates = gradient(lambda x: x[0] * x[1], [2.0, 3.0], "central-difference")
    >>> [round(partial, 9) for partial in partials.tolist()], sum(estimate.nfev for estimate in estimates)
    ([3.0, 2.0], 21)
    """
    point = checked_point(x)
    centre = value_at(value, point.copy())
    steps = _steps(step, point.size)
    if order == 1 and isinstance(stencil, str) and all(map(_is_plain, steps)):
        estimates = partials(value, point, range(point.size), stencil, steps, centre, sample=sample, evaluations=1)
    else:
        estimates = [difference(value, point, i, stencil, h, centre, order) for i, h in enumerate(steps)]
        if estimates:
            estimates[0] = replace(estimates[0], nfev=estimates[0].nfev + 1)
    columns = np.array([estimate.df for estimate in estimates]).reshape(point.size, *centre.shape)
    return np.moveaxis(columns, 0, -1), estimates


def at_once(
    values: Callable[[list[list[float]]], Sequence[Sequence[float]] | None], point: list[float], name: str, m: int
) -> Array | None:
    """All partials at one point, (m, n), if they are few, and ordinary; else None. `values` may refuse by None, too.

    >>> at_once(lambda points: [(x * y,) for x, y in points], [2.0, 3.0], "central-difference", 1).round(6)
    array([[3., 2.]])
    """
    lines = few_lines(plan_of(name), point, None, m) if point else None
    if lines is None:
        return None
    with np.errstate(all="ignore"):
        rows = values([point, *lines.points(point, range(len(point)))])
    found = None if rows is None else ordinary(lines, rows[0], rows[1:])
    return None if found is None else np.array([[answers[i][0] for answers in found] for i in range(m)])


@np.errstate(all="ignore")
def jacobians(value: Value, sample: Sample, points: Array, scheme: str, m: int) -> Array:
    """All partials at many points, (..., n) to (..., m, n), NaN where f has no value: one batch for what is ordinary.

    >>> jacobians(lambda x: x[0] ** 2, lambda points: points**2, np.array([[1.0], [3.0]]), "central-difference", 1).round(6)
    array([[[2.]],
    <BLANKLINE>
           [[6.]]])
    """
    n = points.shape[-1]
    if not points.size:
        return np.zeros((*points.shape[:-1], m, n))
    rows = points.reshape(-1, n)
    found = np.full((len(rows), m, n), np.nan)
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        here = sample(part)
        lines, index = np.repeat(part, n, axis=0), np.tile(np.arange(n), len(part))
        looked = quick_look(sample, lines, index, np.repeat(here, n, axis=0), scheme)
        defined = np.isfinite(part).all(axis=1) & np.isfinite(here).all(axis=1)
        for line in np.flatnonzero(np.repeat(defined, n) if looked is None else np.repeat(defined, n) & ~looked.accepted):
            k, j = divmod(int(line), n)
            made = _carefully(value, part[k], j, scheme, None, here[k], 1, None, None, None)
            found[start + k, :, j] = made.df
        if looked is not None:
            kept = looked.df.reshape(len(part), n, m).transpose(0, 2, 1)
            chosen = looked.accepted.reshape(len(part), 1, n)
            found[start : start + CHUNK] = np.where(chosen, kept, found[start : start + CHUNK])
    return found.reshape(*points.shape[:-1], m, n)


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
