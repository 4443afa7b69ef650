"""The quick look at a few lines, number by number: a call of NumPy costs more than the arithmetic on a handful of numbers.

The rule is that of `quick`, and so are the numbers, to the last bit. It is written here for the stencils only, and only for
what is accepted at the first step: most derivatives are. What is not is left to the arrays of `quick`, with the same values.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from adlab.differences.estimates import LARGE
from adlab.differences.fits import CONFIDENCE, basis_at
from adlab.differences.lifts import CLEAR, KINKS, POINTS
from adlab.differences.near import NOISES, ROOM
from adlab.differences.plans import SchemePlan
from adlab.differences.quick import KINKLESS, ROOMY, mirrored, offsets_of, pairs_of, scale_of
from adlab.differences.scrutiny import CLOSER
from adlab.precision import UNIT_ROUNDOFF

FEW = 24
"""Lines times outputs: for more, arrays are quicker."""
FALLS = ROOM * CLOSER**1.5  # what is left of a lift, or of a gap, at the next pair
TINY = float(np.finfo(np.float64).tiny)
SINGLE = struct.Struct("f")

Floats = Sequence[float]
Weigh = Callable[..., tuple[float, ...]]
"""Weighed sums of the numbers that are its arguments."""
Answers = list[list[tuple[float, float]]]
"""The derivative of each output on each line, with its error."""


class Lifts(NamedTuple):
    """The fit of `lifts.lifted`: the places of the pairs, and the weights and factors of each number of terms.

    `transform` leaves out the first `dropped` rows, which no residue of a fit has.
    """

    places: tuple[tuple[int, int], ...]
    sums: Weigh
    transform: Weigh
    dropped: int
    terms: tuple[int, ...]
    spread: Floats
    length: Floats


class Arrangement(NamedTuple):
    """What does not depend on the point: the nodes in units of the step, the weights on them, and where the pairs stand.

    Each pair has the places of its nodes, and what a curvature leaves at it of the gap between the slopes.
    """

    plan: SchemePlan
    offsets: tuple[float, ...]
    own: int
    pairs: tuple[tuple[int, int, float], ...]
    quotient: Weigh
    span: Weigh
    sides: Weigh
    amplification: float
    lifts: Lifts | None


class Few(NamedTuple):
    """Lines through a point, with their steps, and their nodes: (L, K)."""

    layout: Arrangement
    origins: Floats
    steps: Floats
    nodes: list[list[float]]

    def points(self, point: list[float], indices: Sequence[int]) -> list[list[float]]:
        """All points at which f is wanted, those of one node after those of another, as `quick` has them."""
        found = []
        for nodes in zip(*self.nodes, strict=True):
            for node, index in zip(nodes, indices, strict=True):
                moved = point.copy()
                moved[index] = node
                found.append(moved)
        return found

    def reach(self, line: int) -> float:
        """The step of a line after rounding, as `quick` gives it."""
        up, down, _ = self.layout.pairs[0]
        x, nodes = self.origins[line], self.nodes[line]
        right, left = nodes[up] - x, x - nodes[down]
        return ((right + left) / 2, right, left)[self.layout.plan.towards]

    def one_sided(self, line: int, here: Floats, values: Sequence[Floats]) -> list[tuple[float, ...]]:
        """The slopes left and right of x by a scheme on both sides, for each output; `values` (K, m) are those of the line."""
        h = self.steps[line]
        columns = zip(here, zip(*values[: self.layout.own], strict=True), strict=True)
        rises = [[value - centre for value in column] for centre, column in columns]
        return [tuple(slope / h for slope in self.layout.sides(*each)) for each in rises]


def few_lines(plan: SchemePlan | None, origins: Floats, steps: Floats | None, m: int) -> Few | None:
    """The lines at these coordinates; None where there are too many of them, or the scheme is none for this look."""
    if plan is None or not plan.order or len(origins) * m > FEW:
        return None
    scales = [scale_of(x) for x in origins]
    if steps is None:
        steps, layout = [plan.relative * scale for scale in scales], _layout_at(plan)
    else:
        layout = _layout(plan, pairs_of(plan, min([h / scale for h, scale in zip(steps, scales, strict=True)])))
    nodes = []
    for x, h in zip(origins, steps, strict=True):
        if not (-LARGE < x < LARGE and h * plan.smallest >= ROOMY * math.ulp(x)):
            return None
        nodes.append([x + offset * h for offset in layout.offsets])
    return Few(layout, origins, steps, nodes)


def ordinary(few: Few, here: Floats, values: Sequence[Floats]) -> Answers | None:
    """The derivatives on all lines, if all are accepted at this step. `here` is f at x, (m,), `values` f at `points`."""
    lines, found = len(few.origins), []
    try:
        for line in range(lines):
            answers = []
            for centre, column in zip(here, zip(*values[line::lines], strict=True), strict=True):
                answer = _judged(few.layout, few.origins[line], few.steps[line], few.nodes[line], centre, column)
                if answer is None:
                    return None
                answers.append(answer)
            found.append(answers)
    except (ZeroDivisionError, OverflowError):
        return None
    return found


def _judged(
    layout: Arrangement, x: float, h: float, nodes: Floats, here: float, values: Floats
) -> tuple[float, float] | None:
    """What one output says on one line; None where `quick` would not accept it at once.

    Where a value is NaN or infinite, so is a slope or an error, and a comparison fails.
    """
    moved, rises = [node - x for node in nodes], [value - here for value in values]
    largest = max(max(values), -min(values), here, -here)
    own = layout.own
    weighed, change = layout.quotient(*rises[:own])
    df = weighed / layout.span(*moved[:own])[0]
    plain = abs(change) / h + layout.amplification * (UNIT_ROUNDOFF * largest) / h
    error = _beside(layout, moved, x, here, values, rises, df, plain, h)
    if not error <= layout.plan.tolerance * abs(df) < math.inf or all(map(_is_single, values)):
        return None
    if layout.lifts is not None and _is_lifted(layout.lifts, rises, moved, df, largest):
        return None
    return df, error


def _beside(
    layout: Arrangement, moved: Floats, x: float, here: float, values: Floats, rises: Floats, df: float, error: float, h: float
) -> float:
    """The error, raised to what the pairs next to x show; infinite where they contradict the quotient: see `quick`."""
    slipped, alone = abs(x * df), layout.plan.used == 2 and layout.lifts is None
    heard = widest = gap = lift = d = 0.0
    for k, (up, down, curved_by) in enumerate(layout.pairs):
        right, left, above, below = moved[up], -moved[down], rises[up], rises[down]
        distance = right + left
        slope = (above - below) / distance
        lift_before, d_before = lift, d
        lift, d, apart = abs(above + below - slope * (right - left)) / 2, distance / 2, abs(slope - df)
        if not k:
            widest, allowed = apart, KINKLESS * lift / d
            continue
        noise = NOISES * UNIT_ROUNDOFF * (max(abs(values[up]), abs(values[down]), abs(here)) + slipped)
        curved, slack, ratio = widest * curved_by, noise / d, d / d_before
        square = ratio * ratio
        gap = abs(lift - lift_before * square) / (d * (1 - ratio))
        near = apart <= 2 * error + curved + slack and lift <= FALLS * lift_before + noise
        if not (near and gap <= allowed + slack):
            return math.inf
        if k == 1 and (
            (lift == 0 and lift_before * (square * square) > noise)  # stairs
            or (alone and not widest <= 2 * error + noise / d_before)  # a kink
        ):
            return math.inf
        heard, allowed = max(heard, (apart - curved) * d), FALLS * gap
    if alone and widest > error / 2:
        error = max(error, 2 * widest) if widest > 2 * error else error
    return max(error, layout.amplification * heard / h + error / 2, UNIT_ROUNDOFF * abs(df))


def _is_lifted(lifts: Lifts, rises: Floats, moved: Floats, df: float, largest: float) -> bool:
    """Whether a kink shows in the even parts of f: see `lifts.lifted`."""
    even = [(rises[up] + rises[down] - (moved[up] + moved[down]) * df) / 2 for up, down in lifts.places]
    floor = max(UNIT_ROUNDOFF * largest, TINY)
    found = lifts.sums(*even)
    squares, total = [0.0], 0.0  # of what is left over, from the last row to each row
    for left in lifts.transform(*even)[::-1]:
        left /= floor
        total += left * left
        squares.append(total)
    last, rows = len(squares) - 1 + lifts.dropped, range(1, len(lifts.terms) - 1)
    moves = [abs(b - a) for a, b in pairwise(found)]
    half, least = 0.0, math.inf
    for i in rows:
        sigma = math.sqrt(squares[last - lifts.terms[i]]) * lifts.spread[i]
        noise = CONFIDENCE * floor * max(sigma, 1.0) * lifts.length[i]
        error = (moves[i] if len(even) < POINTS else max(moves[i - 1], moves[i])) + noise
        if error < least:
            half, least = found[i], error
    return abs(half) > CLEAR * least


def _is_single(value: float) -> bool:
    """Whether this is a number of binary32."""
    try:
        return bool(SINGLE.unpack(SINGLE.pack(value))[0] == value)
    except OverflowError:
        return False


# --- what does not depend on the point ----------------------------------------------------------------------------


@cache
def _layout_at(plan: SchemePlan) -> Arrangement:
    """The layout for the step that the scheme takes by itself."""
    return _layout(plan, pairs_of(plan, plan.relative))


@cache
def _layout(plan: SchemePlan, count: int) -> Arrangement:
    """The layout of a scheme with so many pairs next to x."""
    offsets, (above, below) = offsets_of(plan, count)
    pairs = zip(above.tolist(), below.tolist(), [ROOM * (CLOSER**k) ** 2 for k in range(count + 1)], strict=True)
    rows = plan.rows.tolist()
    lifts = _lifts(plan, len(offsets)) if plan.two_sided else None
    return Arrangement(
        plan, tuple(offsets.tolist()), len(plan.offsets), tuple(pairs), _weigh(rows[:2]), _weigh(rows[:1]), _weigh(rows[2:]),
        float(plan.amplification[0]), lifts,
    )  # fmt: skip


def _lifts(plan: SchemePlan, count: int) -> Lifts:
    """The fit for so many nodes."""
    distances, above, below = mirrored(plan, count)
    base = basis_at(distances, KINKS[: len(distances)], 0)
    places, terms = zip(above.tolist(), below.tolist(), strict=True), base.terms.tolist()
    sums, transform = _weigh(base.sums.tolist()), _weigh(base.transform.tolist()[terms[1] :])
    return Lifts(tuple(places), sums, transform, terms[1], tuple(terms), base.spread[:, 0].tolist(), base.length[:, 0].tolist())


def _weigh(rows: list[list[float]]) -> Weigh:
    """The sums by these rows of weights, written out: a loop would take several times as long.

    Products are added from the first to the last, as in `weights_on`. Python's own sum may carry more digits.

    >>> _weigh([[0.5, 0.0, -0.5], [1.0, 1.0, 1.0]])(8.0, 2.0, 4.0)
    (2.0, 14.0)
    """
    names = [f"v{k}" for k in range(len(rows[0]))] if rows else []
    sums = [" + ".join(f"{w!r}*{v}" for w, v in zip(row, names, strict=True) if w) for row in rows]
    space: dict[str, Weigh] = {}
    source = f"def weigh({', '.join(names)}):\n    return ({''.join(f'{each}, ' for each in sums)})"
    exec(source, space)  # text written here, of weights and numbered names
    return space["weigh"]
