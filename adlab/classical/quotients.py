"""One difference quotient at one step, with what is known of its error, and the second look that a doubtful one gets.

All of it is arithmetic on values of f along one coordinate, t ↦ f(x + t eᵢ); a `Line` takes and counts them. Values
have shape () or (m,), and so has every number made of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from adlab.classical.stencils import Stencil, scheme
from adlab.classical.step_models import TYPICAL_SCALE, UNIT_ROUNDOFF
from adlab.errors import DomainError, MethodError, OverflowedError, PointError

Array = npt.NDArray[np.float64]
Value = Callable[[Array], "float | Array"]

CLOSER = 2.0**-6  # a second look is taken at h/64
LOOKS = 4  # and a kink must show in up to so many, down to h/2²⁴
DOUBTFUL = 0.05  # a truncation error beyond this part of the value is not believed unseen
WIDE = 2.0**-14  # relative to x; in a narrower stencil no f is expected to swing to and fro
CLEARLY = 3.0  # slopes are unlike when they differ by more than this many times their errors

NOT_RESOLVED, LEFT_DOMAIN, NONFINITE = "step_not_resolved", "left_domain", "nonfinite"
KINK, UNSETTLED = "kink_in_stencil", "unsettled"


def evaluate(value: Value, x: Array) -> Array:
    """f(x), shape () or (m,): NaN where `DomainError` says that there is none, infinite where it overflows."""
    try:
        result = np.asarray(value(x))
    except DomainError:
        return np.array(math.nan)
    except OverflowedError:
        return np.array(math.inf)
    if result.ndim > 1 or result.dtype.kind not in "fiu":
        raise MethodError(
            "finite differences need a function whose value is a real number or a 1-D array of them; "
            f"got dtype {result.dtype} of shape {result.shape}"
        )
    return result.astype(np.float64)


def flag_of(values: Array) -> str:
    """`LEFT_DOMAIN` where a value is NaN, `NONFINITE` where one is infinite, else ""."""
    if np.isnan(values).any():
        return LEFT_DOMAIN
    return "" if np.isfinite(values).all() else NONFINITE


class Line:
    """t ↦ f(x + t eᵢ) near t = 0: each value is taken at most once, and `nfev` counts them truly.

    `centre` is f(x); if the caller knows it, it is not counted. Raises `PointError` for what is no point or no variable.
    """

    def __init__(self, value: Value, x: npt.ArrayLike, index: int, centre: float | Array | None = None) -> None:
        self.point = checked_point(x)
        if not 0 <= index < self.point.size:
            raise PointError(f"there is no variable {index}: the point has {self.point.size}, counted from 0")
        self.index = index
        self.origin = float(self.point[index])
        self.nfev = 1 if centre is None else 0
        self._value = value
        self.centre = evaluate(value, self.point.copy()) if centre is None else np.asarray(centre, dtype=np.float64)
        self._known = {self.origin: self.centre}

    def nodes(self, stencil: Stencil, h: float) -> Array:
        """The coordinates x + oₖ h as binary64 has them, shape (K,)."""
        return self.origin + stencil.float_offsets * h

    def values(self, stencil: Stencil, h: float) -> Array:
        """f there, shape (K,) or (K, m)."""
        return np.array([self._at(node) for node in self.nodes(stencil, h).tolist()])

    def resolves(self, stencil: Stencil, h: float) -> bool:
        """Whether all the nodes that `quotient` uses, and x, are different numbers."""
        coordinates = {self.origin, *self.nodes(stencil.wider, h).tolist()}
        return len(coordinates) == len({0.0, *stencil.wider.float_offsets.tolist()})

    def obstacle(self, stencil: Stencil, h: float) -> str:
        """The flag of the first of them at which f has no finite value, else ""."""
        return next(filter(None, map(flag_of, self.values(stencil.wider, h))), "")

    def usable(self, stencil: Stencil, h: float) -> bool:
        """Whether `quotient` can be formed."""
        return self.resolves(stencil, h) and not self.obstacle(stencil, h)

    def _at(self, coordinate: float) -> Array:
        if not math.isfinite(coordinate):
            return np.full(self.centre.shape, math.inf)
        if coordinate not in self._known:
            point = self.point.copy()
            point[self.index] = coordinate
            found = evaluate(self._value, point)
            self._known[coordinate] = np.full(self.centre.shape, found) if found.ndim == 0 else found
            self.nfev += 1
        return self._known[coordinate]


def checked_point(x: npt.ArrayLike) -> Array:
    """x as an array of shape (n,), a single number as (1,); raises `PointError` for what is not finite numbers."""
    try:
        point = np.atleast_1d(np.asarray(x, dtype=np.float64))
    except (TypeError, ValueError):
        raise PointError(f"a point must be a sequence of real numbers, got {x!r}") from None
    if point.ndim != 1 or not np.isfinite(point).all():
        raise PointError(f"a point must be a sequence of finite numbers, got {x!r}")
    return point


@dataclass(frozen=True, eq=False)
class Quotient:
    """A value for f′(x), another one near it, and the roundoff: the two parts of the error.

    The other is of higher order, hence so much nearer to f′(x) that the difference of the two *is* the truncation
    error, where h is small enough for f to look like its Taylor polynomial. Where h is so small that the values
    of f differ by their rounding only, both are noise, and so is their difference; hence the second part, A/h,
    for which rounding alone accounts.
    """

    df: Array
    neighbour: Array
    roundoff: Array
    step: float  # the realised one

    @property
    def truncation(self) -> Array:
        return np.abs(self.neighbour - self.df)

    @property
    def error(self) -> Array:
        """The estimate of |df − f′(x)|."""
        return self.truncation + self.roundoff

    @property
    def doubtful(self) -> bool:
        """Whether truncation is a sizeable part of some value, so that its own estimate is not to be relied upon."""
        return bool(np.any((self.truncation > DOUBTFUL * np.abs(self.df)) & (self.truncation > self.roundoff)))


def quotient(line: Line, stencil: Stencil, h: float) -> Quotient:
    """The difference quotient at a step where `line.usable(stencil, h)`, its neighbour from the wider stencil."""
    return replace(weighed(line, stencil, h), neighbour=weighed(line, stencil.wider, h).df)


def weighed(line: Line, stencil: Stencil, h: float) -> Quotient:
    """Σ wₖ fₖ / s with s = Σ wₖ sₖ, where sₖ = (x + oₖ h) − x is how far off rounding has put node k; no neighbour.

    For the forward difference s is the well-known (x + h) − x; in general it makes the quotient exact for every
    linear f, wherever the nodes fell. The weights' sum is 0, so f at the first node can be taken from all the
    values; values near each other subtract exactly (Sterbenz), and no rounding is added to that of f.
    """
    weights, values = stencil.float_weights, line.values(stencil, h)
    step = float(weights @ (line.nodes(stencil, h) - line.origin))
    df = np.asarray(weights @ (values - values[0])) / step
    noise = UNIT_ROUNDOFF * np.abs(values).max(axis=0)
    return Quotient(df, df, float(stencil.amplification) * noise / step, step)


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a second look said: the error, the flag ("" if nothing is wrong) with its reason, the slopes of the sides."""

    error: Array
    flag: str = ""
    reason: str = ""
    one_sided: tuple[Array, Array] | None = None


def second_look(line: Line, stencil: Stencil, h: float, first: Quotient) -> Verdict:
    """Looks again, nearer to x, at what is suspicious: slopes that differ from side to side, or too large an error.

    A central difference is blind to kinks: of |x| at 0 it sees two equal values and says 0, with an error of 0. But
    the slopes of the two sides tell. Those of a smooth function differ too, by h f″, yet that is what their own error
    estimates say, and the difference shrinks with h; only a difference that stays is a kink. The steep
    sqrt(x² + 1e-12) has a "kink" at h = 1e-5, and none at h/64.
    """
    sides = _sides(line, h) if stencil.two_sided else None
    one_sided = (sides[0].neighbour, sides[1].neighbour) if sides else None
    unlike = _unlike(*sides) if sides else np.zeros(first.df.shape, dtype=bool)
    if sides and unlike.any():
        gap = _gap(*sides)
        kink = unlike & _persists(line, h, gap)
        if kink.any():
            slopes = " and ".join(_shown(side.neighbour) for side in sides)
            reason = f"the slopes left and right, {slopes}, differ however small the step: f has a kink in the stencil"
            return Verdict(np.where(kink, first.error + gap, first.error), KINK, reason, one_sided)
    closer = h * CLOSER
    if (first.doubtful or unlike.any() or _swings(line, h, first)) and line.usable(stencil, closer):
        finer = quotient(line, stencil, closer)
        moved = np.abs(finer.df - first.df)
        unsettled = moved > 2 * (first.error + finer.error)
        if unsettled.any():
            reason = (
                f"the quotient has not settled: {_shown(first.df)} at h = {h:.3g}, but {_shown(finer.df)} at h/64; "
                "try a smaller step, unless f has no derivative there"
            )
            return Verdict(np.where(unsettled, moved + finer.error, first.error), UNSETTLED, reason, one_sided)
    return Verdict(first.error, one_sided=one_sided)


def _swings(line: Line, h: float, first: Quotient) -> bool:
    """Whether f may swing between the nodes of a wide stencil: the slope to one near point has nothing of the quotient.

    At h = 1/16 one sees sin(100 x) once in each period, nearly, and so a slow wave without any error to notice.
    """
    near = scheme("forward-difference")
    if h < WIDE * (abs(line.origin) or TYPICAL_SCALE) or not line.usable(near, h * CLOSER):
        return False
    slope = weighed(line, near, h * CLOSER)
    return bool(np.any(np.abs(slope.df - first.df) > DOUBTFUL * np.abs(first.df) + CLEARLY * slope.roundoff))


def _sides(line: Line, h: float) -> tuple[Quotient, Quotient] | None:
    """The slopes left and right of x."""
    left, right = scheme("backward-difference"), scheme("forward-difference")
    if line.usable(left, h) and line.usable(right, h):
        return quotient(line, left, h), quotient(line, right, h)
    return None


def _gap(left: Quotient, right: Quotient) -> Array:
    return np.abs(right.neighbour - left.neighbour)


def _unlike(left: Quotient, right: Quotient) -> npt.NDArray[np.bool_]:
    return np.asarray(_gap(left, right) > CLEARLY * (left.error + right.error))


def _persists(line: Line, h: float, gap: Array) -> npt.NDArray[np.bool_]:
    """Where the two slopes keep at least half of their gap as h shrinks, as far as rounding lets one see."""
    persists = np.ones(gap.shape, dtype=bool)
    for look in range(1, LOOKS + 1):
        sides = _sides(line, h * CLOSER**look)
        if sides is None:
            break
        persists &= _gap(*sides) + sides[0].error + sides[1].error > gap / 2
    return persists


def _shown(numbers: Array) -> str:
    listed: Sequence[float] = np.atleast_1d(numbers).tolist()
    return ", ".join(f"{number:.6g}" for number in listed[:4]) + (", …" if len(listed) > 4 else "")
