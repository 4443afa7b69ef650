"""The points at which forms are compared: of ranges or about a point; more beside the seams of branches, and beside zeros."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy

from adlab.errors import OptionError

Place = list[float]
Range = tuple[float, float]
BESIDE = 1e-3
"""Without ranges a form is asked for within so much of the point, relative to it."""
NEIGHBOURS, SAMPLE = 10, 36
"""Points beside the one that is asked for, and those of ranges, at which every form of a search is measured."""
CLOSER = 400
"""Points at which a form that is to be proposed is compared with the original."""
NEAREST = 1e-15
"""The distance from an end, from 0 and from the point down to which numbers of a range are drawn, relative to the range."""
BASES, SCAN = 4, 40
"""Points from which seams are looked for along each variable, and the places that are looked at on each such line."""
HALVINGS = 120
"""Steps of a bisection: 60 find a seam to the last bit; more are needed where it is much nearer to 0 than its ends."""
GAPS = tuple(10.0**-k for k in range(1, 16, 2))
"""How far beside a seam points are taken, relative to it."""


def ranges_of(names: Sequence[str], place: Place, over: Mapping[str, Range] | None) -> dict[int, Range]:
    """The range of each variable by its number; without `over` what is beside the point. Raises OptionError for a bad range."""
    if over is not None and not isinstance(over, Mapping):
        raise OptionError(f"`over` is {over!r}; it takes ranges by name, such as {{'x': (1e-9, 1)}}")
    if not over:
        return {i: (x - BESIDE * abs(x), x + BESIDE * abs(x)) for i, x in enumerate(place) if math.isfinite(x * (1 + BESIDE))}
    ends: dict[int, Range] = {}
    for name, pair in over.items():
        try:
            low, high = map(float, pair)
        except (TypeError, ValueError):
            low = high = math.nan
        if name not in names or not low < high or not math.isfinite(high - low):
            raise OptionError(f"`over` has {name!r}: {pair!r}; it takes variables of f, each with two finite numbers, low < high")
        ends[list(names).index(name)] = low, high
    return ends


def drawn_from(place: Place, ranges: Mapping[int, Range], count: int, near: bool = False, seed: int = 1) -> list[Place]:
    """So many points. With `near` half of the numbers are close to an end of their range, to 0, or to the point itself.

    >>> [point] = drawn_from([1.0, 2.0], {0: (1e-9, 1.0)}, 1)
    >>> 1e-9 <= point[0] <= 1, point[1]
    (True, 2.0)
    """
    chance = random.Random(seed)
    return [[_number(chance, *ranges[i], x, near) if i in ranges else x for i, x in enumerate(place)] for _ in range(count)]


def _number(chance: random.Random, low: float, high: float, middle: float, near: bool) -> float:
    """Uniform, or with a logarithm that is uniform, or beside an anchor."""
    kind = chance.random()
    if near and kind < 0.5:
        anchor = chance.choice([low, high, middle, min(max(0.0, low), high)])
        x = anchor + chance.choice((-1, 1)) * (high - low) * 10 ** chance.uniform(math.log10(NEAREST), 0)
    elif kind < 0.75:
        x = _by_size(chance, low, high)
    else:
        x = chance.uniform(low, high)
    return min(max(x, low), high)


def _by_size(chance: random.Random, low: float, high: float) -> float:
    """All sizes alike, of both signs. Where 0 is in the range, sizes go down to 1e-20 of the larger end."""
    sign = chance.choice((-1, 1)) if low < 0 < high else 1 if high > 0 else -1
    near, far = sorted((abs(low), abs(high))) if low > 0 or high < 0 else (0.0, high if sign > 0 else -low)
    if not far:  # the range is 0 alone
        return 0.0
    least = near or max(far * 1e-20, math.ulp(0.0))
    return sign * math.exp(chance.uniform(math.log(least), math.log(far)))


def beside_changes(
    kind: Callable[[Place], Any], points: Sequence[Place], ranges: Mapping[int, Range], most: int
) -> list[Place]:
    """At most so many points on both sides of the places where `kind` changes, on lines through some of the points.

    >>> found = beside_changes(lambda point: point[0] < 0.25, [[0.5]], {0: (0.0, 1.0)}, 40)
    >>> sum(0 < 0.25 - x < 1e-9 for [x] in found), sum(0 <= x - 0.25 < 1e-9 for [x] in found)
    (4, 5)
    """
    found: list[Place] = []
    for base, (i, (low, high)) in itertools.product(points[:BASES], ranges.items()):
        chance = random.Random(i)
        line = sorted({low, high, *(_number(chance, low, high, base[i], False) for _ in range(SCAN))})

        def along(x: float, base: Place = base, i: int = i) -> Any:
            return kind([*base[:i], x, *base[i + 1 :]])

        kinds = list(map(along, line))
        for k in range(len(line) - 1):
            if kinds[k] != kinds[k + 1] and len(found) < most:
                seam = _seam(along, line[k], line[k + 1])
                beside = [seam, *(seam + side * gap * abs(seam) for gap in GAPS for side in (-1, 1))]
                found += [[*base[:i], x, *base[i + 1 :]] for x in beside if low <= x <= high]
    return found


def branches_taken(formula: Any, variables: Sequence[Any]) -> Callable[[Place], Any] | None:
    """Which conditions of the formula hold at a point. None where it has no branches."""
    pieces = sorted(formula.atoms(sympy.Piecewise), key=str)
    conditions = [condition for piece in pieces for _, condition in piece.args if condition not in (True, sympy.true)]
    if not conditions:
        return None
    asked = sympy.lambdify(list(variables), conditions, modules="math")

    def taken(point: Place) -> Any:
        try:
            return tuple(map(bool, asked(*point)))
        except (ArithmeticError, ValueError, TypeError, NameError):
            return None

    return taken


def _seam(along: Callable[[float], Any], a: float, b: float) -> float:
    """A number of binary64 at which the kind is no longer that of a, by bisection."""
    left = along(a)
    for _ in range(HALVINGS):
        middle = a / 2 + b / 2
        if not a < middle < b:
            break
        a, b = (middle, b) if along(middle) == left else (a, middle)
    return b
