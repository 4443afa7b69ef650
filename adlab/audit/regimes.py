"""One form on one side of a number and another one beyond it, where no single form keeps its digits over a range."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import sympy

from adlab.audit.search import ENOUGH, Form
from adlab.text.parser import parse

GAIN = 0.5
"""Digits that two forms must win at the worst point over a single one: a branch has its price."""


WHERE = "where"
"""How the step begins that joins two forms."""


@dataclass(frozen=True)
class Pair:
    """A form for points below a bound and another one for those above, with the digits at the worst point and in sum."""

    digits: float
    total: float
    below: Form
    above: Form
    key: Any
    bound: Any

    def written(self, names: Sequence[str]) -> Any:
        """Both in one formula."""
        below, above = (parse(form.text, names=list(names)) for form in (self.below, self.above))
        return sympy.Piecewise((below, self.key < self.bound), (above, True))

    @property
    def steps(self) -> tuple[str, ...]:
        """What made it."""
        below, above = (", ".join(form.steps) or "f itself" for form in (self.below, self.above))
        return f"{WHERE} {self.key} < {float(self.bound):g}: {below}", f"elsewhere: {above}"


def pairs(
    forms: Sequence[Form], points: Sequence[Sequence[float]], variables: Sequence[Any], ranged: Iterable[int]
) -> Iterator[list[Pair]]:
    """For each ranged variable, and for its modulus, the best pair at each bound between two points. No pair is part of one."""
    forms = [form for form in forms if not any(step.startswith(WHERE) for step in form.steps)]
    for i in ranged:
        x, sizes = variables[i], [point[i] for point in points]
        yield _split(forms, sizes, x)
        if min(sizes) < 0 < max(sizes):
            yield _split(forms, list(map(abs, sizes)), sympy.Abs(x))


def better_pairs(found: Iterable[list[Pair]], alone: float) -> list[Pair]:
    """The best of each list, if its worst point keeps more digits than a single form's does."""
    best = [max(each, key=lambda pair: (pair.digits, pair.total)) for each in found if each]
    return [pair for pair in best if pair.digits > min(alone, ENOUGH) + GAIN]


def _split(forms: Sequence[Form], sizes: list[float], key: Any) -> list[Pair]:
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    lowest = [[min(*form.kept[k], ENOUGH) for k in order] for form in forms]
    below = _running(lowest)
    above = [row[::-1] for row in _running([row[::-1] for row in lowest])]
    found = []
    for cut in range(1, len(order)):
        a, b = sizes[order[cut - 1]], sizes[order[cut]]
        if a < b:
            low = max(range(len(forms)), key=lambda j: (*below[j][cut - 1], -forms[j].operations))
            high = max(range(len(forms)), key=lambda j: (*above[j][cut], -forms[j].operations))
            (worst, total), (worst_above, total_above) = below[low][cut - 1], above[high][cut]
            if low != high:
                digits = min(worst, worst_above)
                found.append(Pair(digits, total + total_above, forms[low], forms[high], key, between(a, b)))
    return found


def _running(rows: list[list[float]]) -> list[list[tuple[float, float]]]:
    """The least so far and the sum so far, along each row."""
    return [list(zip(accumulate(row, min), accumulate(row), strict=True)) for row in rows]


def between(a: float, b: float) -> Any:
    """A short number above a, and at most b.

    >>> float(between(0.0123, 0.178)), between(-3.0, 5.0)
    (0.05, 1)
    """
    middle = math.sqrt(a) * math.sqrt(b) if a > 0 else -math.sqrt(-a) * math.sqrt(-b) if b < 0 else (a + b) / 2
    short = next((x for n in range(1, 17) if a < (x := float(f"{middle:.{n - 1}e}")) <= b), b)
    return sympy.Float(repr(short)) if short != int(short) else sympy.Integer(int(short))
