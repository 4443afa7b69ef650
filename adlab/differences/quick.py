"""The quick look: all nodes of a scheme in one batch, and a handful of array operations on their values.

Most derivatives are ordinary: f is smooth around x on the scale of x, and its values are exact but for their last digits.
There one batch of values tells the derivative, its error, and that nothing is wrong. The batch holds the nodes of the scheme,
and pairs of fresh nodes nearer and nearer to x, down to 2⁻⁴¹ of its scale. A quotient is accepted only if

* all values are finite, and are not all numbers of binary32;
* its error, truncation as a second estimate shows it and roundoff, is within the tolerance of the scheme;
* the slope between the nodes of each pair is the derivative found, but for its error, truncation and roundoff;
* no kink shows in the even parts of f (`lifts`);
* f(x) lies on the curve through each pair: a kink or an isolated value of f lifts it, and more so the nearer the pair.

What is not accepted is no failure: it is looked at again, node by node, by the careful methods (`differences`, `richardson`,
`adaptive`). Nothing here depends on how many points, variables or outputs there are: a `SchemePlan` has the weights as
matrices, and the values of all lines are weighed at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from adlab.differences.estimates import LARGE
from adlab.differences.lifts import lifted
from adlab.differences.near import GOLDEN, NEAREST, NOISES, ROOM
from adlab.differences.plans import SchemePlan, plan_of
from adlab.differences.quotients import LOST, NEARBY, Array, Sample, summed
from adlab.differences.scrutiny import CLOSER
from adlab.differences.step_models import TYPICAL_SCALE
from adlab.precision import UNIT_ROUNDOFF

Mask = npt.NDArray[np.bool_]
Truths = Mask

SWINGS = 2.0**-12  # of its values: f that varies by more over the nodes changes over lengths of |x|, and no farther out
MOST = 12  # pairs
KINKLESS = 1.25 * CLOSER  # times f″d/2, of the widest pair: what a fourth power of d leaves over is less
PROBES = 2  # pairs next to x that are looked at for a kink, beside those of the scheme
MUCH = 4.0  # times what roundings account for: a larger error is truncation, or f is noisy
SURELY = 2.0**20  # times what roundings account for: no noise is so loud but that of short numbers
ROOMY = 8192.0  # ulps of x: the least step, so that nodes are where they should be


@dataclass(frozen=True, eq=False)
class Look:
    """What was found on L lines of m outputs: `df` and `error` (L, m), `step` (L,), the slopes of the sides (2, L, m) or None,
    and which lines are `accepted`, (L,). The numbers of other lines mean nothing. `taken` counts the values of each line."""

    df: Array
    error: Array
    step: Array
    sides: Array | None
    accepted: Mask
    taken: npt.NDArray[np.int64]


def quick_look(
    sample: Sample, points: Array, index: npt.NDArray[np.int64], centre: Array, name: str, step: Array | None = None,
    bound: Array | None = None,
) -> Look | None:  # fmt: skip
    """The derivatives ∂f/∂xᵢ at `points` (L, n), i = `index` (L,), by the scheme of that name; None where it has no plan.

    `centre` is f there, (L, m); `step` (L,) is given by the caller; `bound` (L, m) bounds the error of f there.
    """
    plan = plan_of(name)
    if plan is None:
        return None
    rows = np.arange(len(points))
    origin = points[rows, index]
    size = np.abs(origin)
    exponent = np.where(size > 0, np.rint(np.log2(np.where(size > 0, size, 1.0))), math.log2(TYPICAL_SCALE)).astype(np.int64)
    lines, m = len(points), centre.shape[1]
    found = Look(
        np.full((lines, m), np.nan), np.full((lines, m), np.inf), np.full(lines, np.nan),
        np.full((2, lines, m), np.nan) if plan.two_sided else None, np.zeros(lines, bool), np.zeros(lines, np.int64),
    )  # fmt: skip
    pending = np.isfinite(centre).all(axis=1) & (size < LARGE)
    if bound is not None:  # values that have lost digits are heard out by the careful methods
        pending &= (bound <= LOST * UNIT_ROUNDOFF * np.abs(centre)).all(axis=1)
    scale = np.ldexp(1.0, exponent)
    first = plan.relative * scale if step is None else step
    coarse = np.zeros(lines, dtype=bool)  # truncation rules, as far as is known
    bent = np.zeros(lines, dtype=bool)  # the pairs next to x contradict the quotient, as at a kink: no wider step mends that

    def at(chosen: Mask, factor: float) -> None:
        left = rows[chosen & pending]
        if left.size:
            good, coarse[left], bent[left] = _at_step(
                found, plan, sample, points, index, origin, centre, bound, left, factor * first[left], scale[left]
            )
            pending[left] = ~good

    at(pending.copy(), 1.0)
    if step is None:
        outwards = ~coarse
        for factor in plan.nearer:
            at(coarse.copy(), factor)
        for factor in plan.farther:
            at(outwards & ~coarse & ~bent, factor)
    return found


def _at_step(
    found: Look, plan: SchemePlan, sample: Sample, points: Array, index: npt.NDArray[np.int64], origin: Array, centre: Array,
    bound: Array | None, lines: npt.NDArray[np.int64], h: Array, scale: Array,
) -> tuple[Mask, Mask, Mask]:  # fmt: skip
    """Looks at some lines with the steps h, and writes down what is accepted.

    Tells which lines are accepted, where truncation rules, and where the pairs next to x contradict the quotient.
    """
    offsets, pairs = _offsets(plan, _pairs(plan, float(np.min(h / scale))))
    x, here, count = origin[lines], centre[lines], len(offsets)
    nodes = x + offsets[:, None] * h
    given = np.repeat(points[lines][None], count, axis=0)
    given[:, np.arange(lines.size), index[lines]] = nodes
    values = sample(given.reshape(count * lines.size, -1)).reshape(count, lines.size, -1)
    found.taken[lines] += count
    moved, rises, across = nodes - x, values - here, h[:, None]
    largest = np.maximum(np.abs(values).max(axis=0), np.abs(here))
    rounding = UNIT_ROUNDOFF * largest
    own = plan.rows.shape[1]
    weighed = summed(plan.rows[:, :, None, None] * rises[:own], 1)
    df, error, truncation = plan.chosen(weighed, moved[:own], across, rounding)
    floor = plan.floor(across, rounding)
    coarse = (~(error <= MUCH * floor) & ~((error >= found.error[lines]) & (error < SURELY * floor))).any(axis=1)
    found.error[lines] = error

    above, below = pairs
    right, left = moved[above], -moved[below]
    distance = right + left
    slopes = (rises[above] - rises[below]) / distance[:, :, None]
    lifts = np.abs(rises[above] + rises[below] - slopes * (right - left)[:, :, None]) / 2
    apart = np.abs(slopes - df)
    ratio = plan.ratios(len(above))
    half = distance[1:, :, None] / 2
    local = np.maximum(np.maximum(np.abs(values[above[1:]]), np.abs(values[below[1:]])), np.abs(here))
    noise = NOISES * UNIT_ROUNDOFF * (local + np.abs(x[:, None] * df))  # of f, and of a multiple of x inside it
    curved = ROOM * apart[0] * ratio[1:] ** 2
    allowed = 2 * error + curved + noise / half
    curve = ROOM * lifts[:-1] * CLOSER**1.5 + noise
    near = ((apart[1:] <= allowed) & (lifts[1:] <= curve)).all(axis=0) & _smooth(distance / 2, lifts, noise)
    if plan.used == 2 and not plan.two_sided:  # of order 1: a kink next to x moves the mean of both sides
        near &= apart[0] <= 2 * error

    heard = np.maximum((apart[1:] - curved) * half, 0.0).max(axis=0)  # what values near x are off the tangent by
    error = np.maximum(np.maximum(error, plan.noise(df, error, heard, across)), UNIT_ROUNDOFF * np.abs(df))
    if plan.two_sided:
        near &= _lift(plan, offsets, rises, moved, df, largest, across) == 0
    single = (values.astype(np.float32) == values).all(axis=0)
    steep = np.abs(df)
    if plan.farther:  # at a maximum nothing is relative to the slope: there the slopes farther out are the measure
        swing = np.ptp(rises[:own], axis=0)
        level = (truncation <= error / 2) & (swing > SWINGS * largest)
        steep = np.where(level, np.maximum(steep, swing / (2 * across)), steep)
    good = (near & ~single & (error <= plan.tolerance * steep) & np.isfinite(largest)).all(axis=1)
    good &= h * plan.smallest >= ROOMY * np.spacing(np.abs(x))
    if bound is not None:
        error = np.maximum(error, NEARBY * bound[lines] / (across * plan.smallest))
    taken = lines[good]
    found.accepted[taken] = True
    realised = (distance[0] / 2, right[0], left[0])[plan.towards]
    found.df[taken], found.error[taken], found.step[taken] = df[good], error[good], realised[good]
    if found.sides is not None:
        found.sides[:, taken] = plan.sides(weighed, across)[:, good]
    return good, np.asarray(coarse), np.asarray(~near.all(axis=1))


def _smooth(distance: Array, lifts: Array, noise: Array) -> Truths:
    """Whether what is left of f(x) ± d, after their slope and curvature are taken away, shrinks as it does where f is smooth.

    Two pairs tell the curvature. What they leave over, in units of d, is half of the gap between the slopes at a kink, however
    small d is. Where f is smooth it falls as d³. And f goes in stairs if it is flat at the second pair, and not at the first.
    """
    d = distance[:, :, None]
    ratio = d[1:] / d[:-1]
    gap = np.abs(lifts[1:] - lifts[:-1] * ratio**2) / (d[1:] * (1 - ratio))
    before = np.concatenate([KINKLESS * lifts[:1] / d[:1], ROOM * CLOSER**1.5 * gap[:-1]])
    stairs = (lifts[1] == 0) & (lifts[0] * ratio[0] ** 4 > noise[0])
    return np.asarray((gap <= before + noise / d[1:]).all(axis=0) & ~stairs)


def _lift(
    plan: SchemePlan, offsets: Array, rises: Array, moved: Array, df: Array, largest: Array, across: Array
) -> Array:
    """How far the slopes of both sides are from df, as even parts of f show it: see `lifts`."""
    distances, above, below = _mirrored(plan, len(offsets))
    slip = moved[above] + moved[below]  # rounding has moved the nodes
    even = (rises[above] + rises[below] - slip[:, :, None] * df) / 2
    return np.asarray(lifted(distances, even, largest) / (across * offsets.max()))


@cache
def _mirrored(plan: SchemePlan, count: int) -> tuple[tuple[float, ...], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The distances of the scheme's own pairs and of those next to x, in units of the widest; and where both nodes stand."""
    offsets = _offsets(plan, (count - len(plan.offsets)) // 2)[0].tolist()
    own = sorted(offset for offset in offsets[: len(plan.offsets)] if offset > 0 and -offset in offsets)
    chosen = own[::-1] + offsets[len(plan.offsets) :][:PROBES]
    chosen = [offset for offset in chosen if offset > 0]
    places = [np.array([offsets.index(sign * offset) for offset in chosen]) for sign in (1, -1)]
    return tuple(offset / max(offsets) for offset in chosen), places[0], places[1]


def _pairs(plan: SchemePlan, relative: float) -> int:
    """How many pairs there are, each `CLOSER` to x than the one before, when the step is so large beside the scale of x."""
    first = relative * plan.smallest * CLOSER * GOLDEN
    needed = math.floor(math.log(max(NEAREST / first, CLOSER**MOST)) / math.log(CLOSER)) if first > 0 else 0
    return min(max(1, 1 + needed), MOST)


@cache
def _offsets(plan: SchemePlan, count: int) -> tuple[Array, tuple[Array, Array]]:
    """All offsets in steps, those of the plan first; and where the pairs stand among them, from the widest, ± the smallest
    step of the plan, to the nearest."""
    probes = plan.smallest * GOLDEN * CLOSER ** np.arange(1, count + 1)
    offsets = np.concatenate([plan.offsets, probes, -probes])
    own = len(plan.offsets)
    above = np.array([plan.place(1), *range(own, own + count)])
    below = np.array([plan.place(-1), *range(own + count, own + 2 * count)])
    return offsets, (above, below)
