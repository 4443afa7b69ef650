"""A function that is flat around x: how steep it may be all the same.

Equal values say that f is constant there, or that it has been rounded to a constant: −log(1 + exp(−x)) is at 40. Two things
outside the flat stretch tell more. An f that is the same number far away on both sides does not depend on x. And where the
stretch ends, f leaves it in one of two ways. A clip at 1 leaves it gradually: next to the end f differs by almost nothing. Then
f has been known to almost nothing on the whole stretch, and its slope is at most that over the length of the stretch. A
rounded f leaves by a jump as high as its roundings, and a jump says nothing of what lies between two of them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from adlab.differences.quotients import Array, Line
from adlab.differences.step_models import TYPICAL_SCALE
from adlab.precision import UNIT_ROUNDOFF

FAR = (-37.3, -1.7, -1.0, -0.6, 0.7, 1.9, 41.1)  # places at which f may differ, in units of |x|
BISECTIONS = 44  # they shrink an interval to 6e-14 of its length
FEW = 16.0  # roundings of f: a larger jump at the end of the flat stretch is a stair
SLIGHT = 2.0**-30  # of what f does beyond the end, over half of the length: a smaller jump is none
ROOM = 4.0  # the slope may be so many times what the jump at the end and the length of the stretch suggest


def independent(line: Line, flat: npt.NDArray[np.bool_]) -> bool:
    """Whether f is the same number far from x, too."""
    scale = max(abs(line.origin), TYPICAL_SCALE)
    values = line.at([line.origin + part * scale for part in FAR])
    return bool(np.all(~flat | (values == line.centre).all(axis=0)))


def steepest(line: Line, flat: npt.NDArray[np.bool_], reach: float) -> Array | None:
    """How steep f may be at x, for outputs that are flat within `reach`; None where the stretch ends in a stair.

    The end is looked for among places where f has been computed, and between them.
    """
    slopes = []
    for sign in (-1.0, 1.0):
        found = _end(line, flat, reach, sign)
        if found is None:
            continue
        inside, outside = found
        length = abs(inside - line.origin)
        jump, beyond = np.abs(line.at([outside, outside + sign * length / 2]) - line.centre)
        scale = UNIT_ROUNDOFF * np.maximum(np.abs(line.centre), np.where(np.isfinite(beyond), beyond, 0.0))
        gradual = (jump <= np.maximum(FEW * UNIT_ROUNDOFF * np.abs(line.centre), SLIGHT * beyond)) & np.isfinite(beyond)
        if length <= 0 or not np.all(~flat | gradual):
            return None
        slopes.append(np.where(flat, ROOM * np.maximum(jump, scale) / length, 0.0))
    return np.max(slopes, axis=0) if slopes else None


def _end(line: Line, flat: npt.NDArray[np.bool_], reach: float, sign: float) -> tuple[float, float] | None:
    """The last flat place on one side, and the next to it where f differs; None where f stays flat as far as is known."""

    def same(place: float) -> bool:
        value = line.at([place])[0]
        return bool(np.isfinite(value).all() and np.all(~flat | (value == line.centre)))

    scale = max(abs(line.origin), TYPICAL_SCALE)
    places = sorted({reach, *(part * sign * scale for part in FAR if part * sign > 0)})
    inside = line.origin
    for distance in places:
        outside = line.origin + sign * distance
        if not same(outside):
            break
        inside = outside
    else:
        return None
    for _ in range(BISECTIONS):
        middle = inside + (outside - inside) / 2
        if middle in (inside, outside):
            break
        inside, outside = (middle, outside) if same(middle) else (inside, middle)
    return inside, outside
