"""Schemes as matrices: the weights of every estimate that a scheme makes of one batch of values.

A `SchemePlan` weighs the rises f(x + oₖ h) − f(x). One row of it is one estimate of h f′(x), another what the next estimate would
change, and so on. The schemes are those of `stencils`, `richardson` and `adaptive`, with a fixed number of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from adlab.differences.fits import CONFIDENCE, RUNGS, basis
from adlab.differences.quotients import Array, least_of, weights_on
from adlab.differences.richardson import FIRST_STEP, TOLERANCE
from adlab.differences.stencils import SCHEMES, Stencil, scheme
from adlab.differences.step_models import relative_step
from adlab.precision import UNIT_ROUNDOFF

WITHIN = 64.0
"""A default step is kept if its error is within so many times u^(p/(p+d)), the error that the order can be expected to reach."""
RUNGS_TAKEN, TERMS = 9, (2, 3, 4, 5, 6, 7)  # points of a fit, and how many of its terms may be taken
ROWS = 7  # of Richardson's tableau
NEARER = (2.0**-2, 2.0**-5, 2.0**-9, 2.0**-14, 2.0**-20)
"""Times the first step of an extrapolation: where truncation rules, it is tried nearer to x."""
FARTHER = (2.0**6, 2.0**12, 2.0**20, 2.0**28)
"""Times the first step: where noise rules, f may change over lengths greater than x, and it is tried farther out."""


@dataclass(frozen=True, eq=False)
class SchemePlan:
    """The matrices of one scheme. `rows` has K columns, one for each of the `offsets`: `count` rows of estimates of h f′, as
    many of what the next one would change, those of the two sides where it is `two_sided`, and the residues of a fit.

    The offsets are in units of the widest step, which is `relative` times the scale of x; the smallest of them is `smallest`. An
    answer is accepted if its relative error is within `tolerance`. The scheme itself takes `used` values, at `steps` steps. Where
    an answer is not good enough, the widest step is tried `nearer` to x and `farther` from it, in these multiples.

    `amplification` (count,) is what the noise of a value is multiplied by, `tails` (count, residues) says which residues are
    left over by an estimate, and `spread` (count,) turns their length into a deviation. `towards` is 1 or −1 where all nodes
    lie on that side of x. `order` is that of a stencil.
    """

    offsets: Array
    rows: Array
    count: int
    amplification: Array
    relative: float
    tolerance: float
    smallest: float
    used: int
    steps: int = 1
    nearer: tuple[float, ...] = ()
    farther: tuple[float, ...] = ()
    towards: int = 0
    order: int = 0
    tails: Array | None = None
    spread: Array | None = None

    @cached_property
    def loudest(self) -> float:
        """The largest of the amplifications."""
        return float(np.max(self.amplification))

    @property
    def two_sided(self) -> bool:
        """Whether there are nodes on both sides of x."""
        return not self.towards

    def place(self, side: int) -> int:
        """Where the node at ± the smallest step stands among the offsets."""
        return int(np.flatnonzero(self.offsets == side * self.smallest)[0])

    def chosen(self, weighed: Array, moved: Array, h: Array, rounding: Array) -> tuple[Array, Array, Array]:
        """The estimate of least error, that error, and what of it is truncation; nodes are `moved` (K, L) from x.

        Rounding has moved the nodes. So an estimate is divided by what it makes of the moves, and is exact for linear f.
        """
        count = self.count
        spans = weights_on(self.rows[:count], moved)
        found = weighed[:count] / spans[:, :, None]
        noise = rounding
        if self.tails is not None and self.spread is not None:
            squares = (weighed[-self.tails.shape[1] :] / rounding) ** 2  # in roundings, that no square overflows
            left = np.sqrt(weights_on(self.tails, squares)) * self.spread[:, None, None]
            noise = rounding * np.maximum(left, 0.5)
        truncation = np.abs(weighed[count : 2 * count]) / h
        errors = truncation + self.amplification[:, None, None] * noise / h
        if count == 1:
            return found[0], errors[0], truncation[0]
        df, error, part = least_of(errors, found, errors, truncation)
        return df, error, part

    def floor(self, h: Array, rounding: Array) -> Array:
        """What the last digits of the values alone make the error."""
        return self.loudest * rounding / h

    def noise(self, df: Array, error: Array, heard: Array, h: Array) -> Array:
        """The error that values near x make one expect; a fit has heard its own noise."""
        return error if self.tails is not None else self.amplification[0] * heard / h + error / 2

    def sides(self, weighed: Array, h: Array) -> Array:
        """The slopes left and right of x, shape (2, L, m)."""
        return weighed[2 * self.count : 2 * self.count + 2] / h


@cache
def plan_of(name: str) -> SchemePlan | None:
    """The plan of a scheme for first derivatives; None where it has none."""
    if name in SCHEMES:
        return _of_stencil(scheme(name))
    if name == "richardson":
        return _of_tableau()
    return _of_fits() if name == "adaptive-difference" else None


def _of_stencil(stencil: Stencil) -> SchemePlan:
    """One estimate, and the change that the wider stencil would make."""
    offsets = [o for o in sorted({-1.0, 1.0, *map(float, stencil.wider.offsets)}) if o]
    own, wider = _spread(stencil, offsets), _spread(stencil.wider, offsets)
    rows = [own, wider - own]
    if stencil.two_sided:
        rows += [_spread(scheme(f"{side}-difference-2"), offsets) for side in ("backward", "forward")]
    p, towards = stencil.order, 0 if stencil.two_sided else 1 if max(stencil.offsets) > 0 else -1
    return SchemePlan(
        np.array(offsets), np.array(rows), 1, np.array([float(stencil.amplification)]), relative_step(p),
        WITHIN * UNIT_ROUNDOFF ** (p / (p + 1)), 1.0, len(stencil.offsets), farther=FARTHER[:1], towards=towards, order=p,
    )  # fmt: skip


def _spread(stencil: Stencil, offsets: Sequence[float]) -> Array:
    """The weights of a stencil on the rises at these offsets; that of x itself weighs no rise."""
    known = {float(o): float(w) for o, w in zip(stencil.offsets, stencil.weights, strict=True)}
    return np.array([known.get(offset, 0.0) for offset in offsets])


def _of_fits() -> SchemePlan:
    """Odd polynomials fitted to pairs at h, 3h/4, h/2 …: the summand of the next term is the truncation."""
    steps = [RUNGS[i % 2] * 0.5 ** (i // 2) for i in range(RUNGS_TAKEN)]
    made = basis(0, RUNGS_TAKEN, tuple(range(1, 2 * TERMS[-1] + 2, 2)), 0)
    chosen = [i for i, terms in enumerate(made.terms.tolist()) if terms in TERMS]
    sums, following = made.sums[chosen], made.following[chosen]
    tails = np.array([np.arange(RUNGS_TAKEN) >= made.terms[i] for i in chosen], dtype=float)
    rows = np.concatenate([sums, following, _sides_at(steps), made.transform])
    return _paired(steps, rows, len(chosen), CONFIDENCE * made.length[chosen, 0], tails, made.spread[chosen, 0])


def _of_tableau() -> SchemePlan:
    """The diagonal of Richardson's tableau: what differs from the entry before is the truncation."""
    steps = [0.5**i for i in range(ROWS)]
    row: list[Array] = []
    diagonal = []
    for i in range(ROWS):
        last, row = row, [np.eye(ROWS)[i] / steps[i]]
        for j, above in enumerate(last, start=1):
            row.append(row[-1] + (row[-1] - above) / (4.0**j - 1))
        diagonal.append(row[-1])
    estimates, before = np.array(diagonal[3:]), np.array(diagonal[2:-1])
    rows = np.concatenate([estimates, estimates - before, _sides_at(steps)])
    return _paired(steps, rows, len(estimates), np.abs(estimates).sum(axis=1))


def _sides_at(steps: Sequence[float]) -> Array:
    """No weights of pairs: the slopes of the sides are those of single nodes, and `_paired` writes them."""
    return np.zeros((2, len(steps)))


def _paired(
    steps: Sequence[float], rows: Array, count: int, amplification: Array, tails: Array | None = None,
    spread: Array | None = None,
) -> SchemePlan:  # fmt: skip
    """Weights of odd parts (f(x + s) − f(x − s))/2 as weights of the rises at ± s; those of the sides from the two nodes
    nearest to x of which one is twice as far as the other."""
    offsets = np.array([*steps, *(-s for s in steps)])
    both = np.concatenate([rows / 2, -rows / 2], axis=1)
    near, far = len(steps) - 1, len(steps) - 1 - (2 if steps[-2] != 2 * steps[-1] else 1)
    s = steps[-1]
    for number, side in enumerate((-1, 1)):
        shift = len(steps) if side < 0 else 0
        both[2 * count + number, near + shift] = side * 2 / s
        both[2 * count + number, far + shift] = -side / (2 * s)
    return SchemePlan(
        offsets, both, count, amplification, FIRST_STEP, TOLERANCE, s, 2 * len(steps), len(steps), NEARER, FARTHER,
        tails=tails, spread=spread,
    )  # fmt: skip
