"""The second look that a suspicious difference quotient gets, nearer to x.

An error estimate can be as wrong as the quotient that it belongs to, for it is made of the same few values. A central
difference is blind to kinks: of |x| at 0 it sees two equal values and says 0, with an error of 0. A wide stencil is
blind to waves: at h = 1/16 it meets sin(100 x) once in each period, nearly, and sees a slow one, without any error
to notice. So a quotient is looked at again with a smaller step, if any of three things makes it suspicious: the
slopes left and right of x differ; the estimated truncation is a good part of the value; the slope to a point very
near has nothing of the quotient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from adlab.classical.quotients import Array, Line, Quotient, quotient, weighed
from adlab.classical.stencils import Stencil, scheme
from adlab.classical.step_models import TYPICAL_SCALE

KINK, UNSETTLED = "kink_in_stencil", "unsettled"

CLOSER = 2.0**-6  # the second look is taken at h/64
LOOKS = 4  # and a kink must show in up to so many, down to h/2²⁴
DOUBTFUL = 0.05  # truncation beyond this part of the value is not believed unseen
CLEARLY = 3.0  # slopes are unlike when they differ by more than so many times their errors
WIDE = 2.0**-14  # relative to x: a step that is large enough for f to swing to and fro


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a second look said: the error, the flag ("" if nothing is wrong) and its reason, the slopes of the sides."""

    error: Array
    flag: str = ""
    reason: str = ""
    one_sided: tuple[Array, Array] | None = None


def second_look(line: Line, stencil: Stencil, h: float, first: Quotient) -> Verdict:
    """The verdict on a quotient that was formed at h."""
    sides = _sides(line, h) if stencil.two_sided else None
    if sides is None:
        suspicious = _doubtful(first) or _swings(line, stencil, h, first)
        return _nearer(line, stencil, h, first) if suspicious else Verdict(first.error)
    one_sided = sides[0].neighbour, sides[1].neighbour
    gap = _gap(*sides)
    unlike = gap > CLEARLY * (sides[0].error + sides[1].error)
    kink = unlike & _persists(line, h, gap) if unlike.any() else unlike
    if kink.any():
        slopes = " and ".join(map(_shown, one_sided))
        reason = f"the slopes left and right, {slopes}, differ however small the step: f has a kink in the stencil"
        return Verdict(np.where(kink, first.error + gap, first.error), KINK, reason, one_sided)
    suspicious = bool(unlike.any()) or _doubtful(first) or _swings(line, stencil, h, first)
    verdict = _nearer(line, stencil, h, first) if suspicious else Verdict(first.error)
    return replace(verdict, one_sided=one_sided)


def _nearer(line: Line, stencil: Stencil, h: float, first: Quotient) -> Verdict:
    """The same stencil at h/64: what that moves, but for its own rounding, the error must cover."""
    finer = quotient(line, stencil, h * CLOSER)
    if finer is None:
        return Verdict(first.error)
    moved = np.abs(finer.df - first.df)
    error = np.maximum(first.error, moved - finer.roundoff)
    if np.all(moved <= 2 * (first.error + finer.error)):
        return Verdict(error)
    reason = (
        f"the quotient has not settled: {_shown(first.df)} at h = {h:.3g}, but {_shown(finer.df)} at h/64; "
        "try a smaller step, unless f has no derivative there"
    )
    return Verdict(error, UNSETTLED, reason)


def _doubtful(first: Quotient) -> bool:
    """Whether truncation is so large a part of some value that its own estimate is not to be relied upon."""
    return bool(np.any((first.truncation > DOUBTFUL * np.abs(first.df)) & (first.truncation > first.roundoff)))


def _swings(line: Line, stencil: Stencil, h: float, first: Quotient) -> bool:
    """Whether f swings or jumps between the nodes: the slope to a point near x has nothing of the quotient.

    A low order in a narrow stencil is not asked: its own error shows a jump, and few f swing within 1e-4 of x.
    """
    narrow = h < WIDE * (abs(line.origin) or TYPICAL_SCALE)
    near = scheme("forward-difference" if max(stencil.offsets) > 0 else "backward-difference")
    if narrow and stencil.order <= 2:
        return False
    slope = weighed(line, near, h * CLOSER)
    return bool(np.any(np.abs(slope.df - first.df) > DOUBTFUL * np.abs(first.df) + CLEARLY * slope.roundoff))


def _sides(line: Line, h: float) -> tuple[Quotient, Quotient] | None:
    """The slopes left and right of x, the neighbours being of second order; `None` if one has no values."""
    left = quotient(line, scheme("backward-difference"), h)
    right = quotient(line, scheme("forward-difference"), h)
    return (left, right) if left and right else None


def _gap(left: Quotient, right: Quotient) -> Array:
    return np.abs(right.neighbour - left.neighbour)


def _persists(line: Line, h: float, gap: Array) -> npt.NDArray[np.bool_]:
    """Where the gap between the slopes stays as h shrinks, within a factor of 2 and rounding: that is a kink.

    The slopes of a smooth f differ too, by h f″, but ever less: the steep sqrt(x² + 1e-12) has a "kink" at h = 1e-5 and
    none at h/64. Those of a noisy f, or at a jump, differ ever more.
    """
    persists = np.zeros(gap.shape, dtype=bool)
    for look in range(1, LOOKS + 1):
        sides = _sides(line, h * CLOSER**look)
        if sides is None:
            break
        seen, blur = _gap(*sides), sides[0].error + sides[1].error
        stays = (seen + blur > gap / 2) & (seen - blur < gap * 2)
        persists = stays if look == 1 else persists & stays
    return persists


def _shown(numbers: Array) -> str:
    listed: Sequence[float] = np.atleast_1d(numbers).tolist()
    return ", ".join(f"{number:.6g}" for number in listed[:4]) + (", …" if len(listed) > 4 else "")
