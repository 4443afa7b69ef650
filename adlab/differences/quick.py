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
from adlab.differences.quotients import LOST, NEARBY, Array, Sample, weights_on
from adlab.differences.scrutiny import CLOSER
from adlab.differences.step_models import TYPICAL_SCALE
from adlab.precision import UNIT_ROUNDOFF

Mask = npt.NDArray[np.bool_]
Truths = Mask
Places = npt.NDArray[np.int64]

SWINGS = 2.0**-12  # of its values: f that varies by more over the nodes changes over lengths of |x|, and no farther out
MOST = 12  # pairs
KINKLESS = 1.25 * CLOSER  # times f″d/2, of the widest pair: what a fourth power of d leaves over is less
PROBES = 2  # pairs next to x that are looked at for a kink, beside those of the scheme
ALMOST = 256.0  # times the tolerance: an error that a scheme may have where no other step promises a smaller one
GIVEN = 2.0**-8  # of the derivative: the error may be as large where the caller has chosen the step
SETTLED = 2.0  # times the error at the step before: a fair answer is off the one before by no more
AGAIN = 3  # times that a nearer step is computed from the errors at the last one
LEAP, BLIND = 24, 4  # halvings of the step at once, at most, and where no error is known since f has no value at a node
MUCH = 4.0  # times what roundings account for: a larger error is truncation, or f is noisy
SURELY = 2.0**20  # times what roundings account for: no noise is so loud but that of short numbers
NEARER_BELOW = 0.5**0.5  # of a power of two: what is less is nearer to half of that power, as a ratio
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
    taken: Places


def quick_look(
    sample: Sample, points: Array, index: Places, centre: Array, name: str, step: Array | None = None,
    bound: Array | None = None, ready: Array | None = None,
) -> Look | None:  # fmt: skip
    """The derivatives ∂f/∂xᵢ at `points` (L, n), i = `index` (L,), by the scheme of that name; None where it has no plan.

    `centre` is f there, (L, m); `step` (L,) is given by the caller; `bound` (L, m) bounds the error of f there.
    `ready` are the values at the nodes of the first step, if they are known.
    """
    plan = plan_of(name)
    return None if plan is None else _Looking(plan, sample, points, index, centre, step, bound, ready).found


class _Looking:
    """The look at L lines: steps are tried until a line is accepted, or left to the careful methods.

    A line is accepted at once where its error is within the tolerance. Where truncation rules (`coarse`), nearer steps are
    tried. Where noise rules, f may be nearly level, or change over lengths far greater than x. So wider steps are tried, unless
    the pairs next to x contradict the quotient (`bent`), as at a kink: no wider step mends that. A `fair` line has an answer with
    which nothing is wrong but that its error is somewhat large. The best such answer is accepted in the end.
    """

    def __init__(
        self, plan: SchemePlan, sample: Sample, points: Array, index: Places, centre: Array, step: Array | None,
        bound: Array | None, ready: Array | None,
    ) -> None:  # fmt: skip
        self.ready = ready
        self.plan, self.sample, self.points, self.index, self.centre, self.bound = plan, sample, points, index, centre, bound
        lines, m = centre.shape
        self.origin = points[np.arange(lines), index]
        size = np.abs(self.origin)
        part, exponent = np.frexp(np.where(size > 0, size, TYPICAL_SCALE))
        self.scale = np.ldexp(1.0, exponent - (part < NEARER_BELOW))
        self.limit = ALMOST * plan.tolerance if step is None else GIVEN
        self.pending = np.isfinite(centre).all(axis=1) & (size < LARGE)
        if bound is not None:  # values that have lost digits are heard out by the careful methods
            self.pending &= (bound <= LOST * UNIT_ROUNDOFF * np.abs(centre)).all(axis=1)
        self.found = Look(
            np.empty((lines, m)), np.empty((lines, m)), np.empty(lines), np.empty((2, lines, m)) if plan.two_sided else None,
            np.zeros(lines, bool), np.zeros(lines, np.int64),
        )  # fmt: skip
        self.last = np.full((lines, m), np.inf)  # the error at the step before, whatever was wrong
        self.before = np.zeros((lines, m))  # the derivative that went with it
        self.excess = np.ones(lines)  # truncation ÷ what the last digits of the values make the error
        self.coarse, self.bent, self.fair = np.zeros((3, lines), dtype=bool)
        first = plan.relative * self.scale if step is None else step
        self._at(self.pending, first)
        if not self.pending.any():
            return
        if step is None:
            self._elsewhere(first)
        self.found.accepted[self.fair & self.pending] = True

    def _elsewhere(self, first: Array) -> None:
        """Looks at other steps, nearer or farther, at what is not accepted at the first."""
        outwards, h = ~self.coarse, first
        for factor in self.plan.nearer or (None,) * AGAIN:
            if not (chosen := self.coarse & self.pending).any():
                break
            if factor is None:  # truncation ÷ roundoff is as h^(p + 1), and should be 1
                halvings = np.rint(np.log2(self.excess) / (self.plan.order + 1))
                h = h * np.exp2(-np.clip(np.nan_to_num(halvings, nan=BLIND), 1, LEAP))
            self._at(chosen, h if factor is None else factor * first)
        for factor in self.plan.farther:
            if not (chosen := outwards & self.pending & ~self.coarse & ~self.bent).any():
                break
            self._at(chosen, factor * first)

    def _at(self, chosen: Mask, steps: Array) -> None:
        """Looks at some lines with these steps, and writes down what is accepted, or better than what was fair before."""
        lines = np.flatnonzero(chosen)
        if not lines.size:
            return
        plan, found, h = self.plan, self.found, steps[lines]
        offsets, pairs = offsets_of(plan, pairs_of(plan, float((h / self.scale[lines]).min())))
        x, here, count = self.origin[lines], self.centre[lines], len(offsets)
        nodes = x + offsets[:, None] * h
        values = self._sampled(lines, nodes) if self.ready is None else self.ready.reshape(count, lines.size, -1)
        self.ready = None
        found.taken[lines] += count
        moved, rises, across = nodes - x, values - here, h[:, None]
        largest = np.maximum(np.abs(values).max(axis=0), np.abs(here))
        rounding = UNIT_ROUNDOFF * largest
        own = plan.rows.shape[1]
        weighed = weights_on(plan.rows, rises[:own])
        df, error, truncation = plan.chosen(weighed, moved[:own], across, rounding)
        quotient = df, error, truncation, plan.floor(across, rounding)
        inside = plan.floor(across, UNIT_ROUNDOFF * np.abs(x[:, None] * df))  # of a multiple of x inside f
        if self.coarse.any():
            error = np.where(self.coarse[lines, None], np.maximum(error, inside), error)  # much nearer to x, that may rule
        near, error, distances = _beside(plan, pairs, moved, x, here, values, rises, df, error, across)
        if plan.two_sided:
            near &= _lift(plan, offsets, rises, moved, df, largest, across) == 0
        single = (values.astype(np.float32) == values).all(axis=0)
        right = (near & ~single & np.isfinite(largest)).all(axis=1) & (h * plan.smallest >= ROOMY * np.spacing(np.abs(x)))
        steep = np.abs(df)
        good = right & (error <= plan.tolerance * steep).all(axis=1)
        everywhere = bool(good.all())
        if not everywhere:  # at a maximum nothing is relative to the slope: there the slopes farther out are the measure
            swing = np.ptp(rises[:own], axis=0)
            level = (truncation <= error / 2) & (swing > SWINGS * largest)
            steep = np.where(level, np.maximum(steep, swing / (2 * across)), steep)
            good = right & (error <= plan.tolerance * steep).all(axis=1)
            right &= (error <= self.limit * steep).all(axis=1)
        if self.bound is not None:
            error = np.maximum(error, NEARBY * self.bound[lines] / (across * plan.smallest))
        sides = None if found.sides is None else plan.sides(weighed, across)
        if everywhere and lines.size == self.origin.size:  # all lines at the first step
            self.found = Look(df, error, distances, sides, good, found.taken)
            self.pending = ~good
            return
        credible = self._credible(lines, *quotient, inside, near)
        self._write(lines, good, right, credible, df, error, distances, sides)

    def _sampled(self, lines: Places, nodes: Array) -> Array:
        """f where the coordinate of each line is at its nodes (K, L): (K, L, m)."""
        given = np.empty((*nodes.shape, self.points.shape[1]))
        given[:] = self.points[lines]
        given[:, np.arange(lines.size), self.index[lines]] = nodes
        return self.sample(given.reshape(nodes.size, -1)).reshape(*nodes.shape, -1)

    def _credible(
        self, lines: Places, df: Array, error: Array, truncation: Array, floor: Array, inside: Array, near: Mask
    ) -> Mask:
        """Whether the quotient, with its error by the scheme alone, has settled; notes what it says about the step."""
        last = self.last[lines]
        coarse = (~(error <= MUCH * floor) & ~((error >= last) & (error < SURELY * floor))).any(axis=1)
        settled = (np.abs(df - self.before[lines]) <= SETTLED * last).all(axis=1)
        self.last[lines], self.before[lines] = error, df
        self.excess[lines] = (truncation / np.maximum(floor, inside)).max(axis=1)
        self.coarse[lines], self.bent[lines] = coarse, ~near.all(axis=1)
        return np.asarray(settled if self.limit == GIVEN else settled & ~coarse)

    def _write(
        self, lines: Places, good: Mask, right: Mask, credible: Mask, df: Array, error: Array, step: Array, sides: Array | None
    ) -> None:
        """Writes down what is good, and what is fair and better than before. Two right answers that differ are both lost."""
        found, was, fair = self.found, self.fair[lines], right & credible
        if was.any():
            apart = was & (np.abs(df - found.df[lines]) > 2 * (error + found.error[lines])).any(axis=1)
            self.pending[lines[apart & right]] = False
            good, fair = good & ~apart, fair & ~apart & (error < found.error[lines]).all(axis=1)
        kept = good | fair
        taken = lines[kept]
        found.df[taken], found.error[taken], found.step[taken] = df[kept], error[kept], step[kept]
        if found.sides is not None and sides is not None:
            found.sides[:, taken] = sides[:, kept]
        self.fair[taken] = True
        accepted = lines[good]
        found.accepted[accepted], self.pending[accepted] = True, False


def _beside(
    plan: SchemePlan, pairs: tuple[Places, Places], moved: Array, x: Array, here: Array, values: Array, rises: Array, df: Array,
    error: Array, across: Array,
) -> tuple[Truths, Array, Array]:  # fmt: skip
    """Whether the pairs next to x agree with the quotient; its error, raised to what they show; and the step after rounding."""
    above, below = pairs
    right, left = moved[above], -moved[below]
    distance = right + left
    slopes = (rises[above] - rises[below]) / distance[:, :, None]
    lifts = np.abs(rises[above] + rises[below] - slopes * (right - left)[:, :, None]) / 2
    apart = np.abs(slopes - df)
    half = distance[1:, :, None] / 2
    local = np.maximum(np.maximum(np.abs(values[above[1:]]), np.abs(values[below[1:]])), np.abs(here))
    noise = NOISES * UNIT_ROUNDOFF * (local + np.abs(x[:, None] * df))  # of f, and of a multiple of x inside it
    curved = apart[0] * (ROOM * _ratios(len(above))[1:] ** 2)
    allowed = 2 * error + curved + noise / half
    curve = ROOM * CLOSER**1.5 * lifts[:-1] + noise
    near = ((apart[1:] <= allowed) & (lifts[1:] <= curve)).all(axis=0) & _smooth(distance / 2, lifts, noise)
    if plan.used == 2 and not plan.two_sided:  # of order 1: a kink next to x moves the mean of both sides
        near &= apart[0] <= 2 * error + 2 * noise[0] / distance[0, :, None]
        error = np.where(apart[0] > 2 * error, 2 * apart[0], error)
    heard = np.maximum((apart[1:] - curved) * half, 0.0).max(axis=0)  # what values near x are off the tangent by
    error = np.maximum(np.maximum(error, plan.noise(df, error, heard, across)), UNIT_ROUNDOFF * np.abs(df))
    return near, error, (distance[0] / 2, right[0], left[0])[plan.towards]


def _smooth(distance: Array, lifts: Array, noise: Array) -> Truths:
    """Whether what is left of f(x) ± d, after their slope and curvature are taken away, shrinks as it does where f is smooth.

    Two pairs tell the curvature. What they leave over, in units of d, is half of the gap between the slopes at a kink, however
    small d is. Where f is smooth it falls as d³. And f goes in stairs if it is flat at the second pair, and not at the first.
    """
    d = distance[:, :, None]
    ratio = d[1:] / d[:-1]
    gap = np.abs(lifts[1:] - lifts[:-1] * ratio**2) / (d[1:] * (1 - ratio))
    before = np.concatenate([KINKLESS * lifts[:1] / d[:1], ROOM * CLOSER**1.5 * gap[:-1]])
    stairs = (lifts[1] == 0) & (lifts[0] * (ratio[0] ** 2) ** 2 > noise[0])
    return np.asarray((gap <= before + noise / d[1:]).all(axis=0) & ~stairs)


def _lift(
    plan: SchemePlan, offsets: Array, rises: Array, moved: Array, df: Array, largest: Array, across: Array
) -> Array:
    """How far the slopes of both sides are from df, as even parts of f show it: see `lifts`."""
    distances, above, below = mirrored(plan, len(offsets))
    slip = moved[above] + moved[below]  # rounding has moved the nodes
    even = (rises[above] + rises[below] - slip[:, :, None] * df) / 2
    return np.asarray(lifted(distances, even, largest) / (across * offsets.max()))


@cache
def mirrored(plan: SchemePlan, count: int) -> tuple[tuple[float, ...], Places, Places]:
    """The distances of the scheme's own pairs and of those next to x, in units of the widest; and where both nodes stand."""
    offsets = offsets_of(plan, (count - len(plan.offsets)) // 2)[0].tolist()
    own = sorted(offset for offset in offsets[: len(plan.offsets)] if offset > 0 and -offset in offsets)
    chosen = own[::-1] + offsets[len(plan.offsets) :][:PROBES]
    chosen = [offset for offset in chosen if offset > 0]
    places = [np.array([offsets.index(sign * offset) for offset in chosen]) for sign in (1, -1)]
    return tuple(offset / max(offsets) for offset in chosen), places[0], places[1]


def scale_of(x: float) -> float:
    """The power of two that is nearest to |x|, as a ratio; a typical one for 0."""
    part, exponent = math.frexp(abs(x) or TYPICAL_SCALE)
    return math.ldexp(1.0, exponent - (part < NEARER_BELOW))


def pairs_of(plan: SchemePlan, relative: float) -> int:
    """How many pairs there are, each `CLOSER` to x than the one before, when the step is so large beside the scale of x."""
    first = relative * plan.smallest * CLOSER * GOLDEN
    needed = math.floor(math.log(max(NEAREST / first, CLOSER**MOST)) / math.log(CLOSER)) if first > 0 else 0
    return min(max(1, 1 + needed), MOST)


@cache
def offsets_of(plan: SchemePlan, count: int) -> tuple[Array, tuple[Places, Places]]:
    """All offsets in steps, those of the plan first; and where the pairs stand among them, from the widest, ± the smallest
    step of the plan, to the nearest."""
    probes = plan.smallest * GOLDEN * CLOSER ** np.arange(1, count + 1)
    offsets = np.concatenate([plan.offsets, probes, -probes])
    own = len(plan.offsets)
    above = np.array([plan.place(1), *range(own, own + count)])
    below = np.array([plan.place(-1), *range(own + count, own + 2 * count)])
    return offsets, (above, below)


@cache
def _ratios(pairs: int) -> Array:
    """How near each of so many pairs stands, in units of the widest; shape (pairs, 1, 1). Each is `CLOSER` than the last."""
    return np.asarray(CLOSER ** np.arange(pairs)[:, None, None])
