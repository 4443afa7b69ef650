"""How many digits a form keeps: at which points it is asked, what is true there, what its text gives."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.audit.corpus import drawn
from adlab.audit.search import Form
from adlab.autodiff.jacobian import jacobian
from adlab.errors import AdlabError, OptionError
from adlab.function import Function
from adlab.report.accuracy import distance
from adlab.report.truth import truth
from adlab.text.printing import readable

NEIGHBOURS = 6
"""Points beside the one asked for, within a thousandth of it. A form that is good at one point only is no better form."""
SAMPLE, CLOSER = 12, 100
"""Points of a range, and those at which a form that is to be proposed is looked at again."""
Place = list[float]


def measured_at(f: Function, place: Place, over: Mapping[str, tuple[float, float]] | None) -> list[Place]:
    """The point and what else is asked: points of the ranges, or points beside it. Raises OptionError for a bad range."""
    if over is not None and not isinstance(over, Mapping):
        raise OptionError(f"`over` is {over!r}; it takes ranges by name, such as {{'x': (1e-9, 1)}}")
    return _ranged(f, place, over) if over else _beside(place)


def true_at(f: Function, point: Place) -> tuple[Any, list[Any]] | None:
    """The value and the gradient to 30 digits, None where they are not known."""
    try:
        found = truth(f, point)
    except AdlabError:
        return None
    partials = list(found.gradient)
    return None if found.value is None or None in partials else (found.value, partials)


def measured(
    expression: Any, names: Sequence[str], wanted: Sequence[tuple[Place, Any]], steps: tuple[str, ...]
) -> Form | None:
    """The digits of value and gradient of a form as its text is read. Where it has none, it keeps 0 digits.

    None where the text cannot be read.
    """
    text = readable(expression)
    try:
        g = Function(text, names)
        operations = len(g.graph.operations)
    except (AdlabError, ArithmeticError, RecursionError):
        return None
    values, gradients, total = [], [], 0.0
    for point, (value, partials) in wanted:
        got = _value_and_gradient(g, point)
        scale = max((abs(float(partial)) for partial in partials), default=0.0) or 1.0
        kept = [0.0] * len(partials) if got is None else [digits_of(a, b, scale) for a, b in zip(got[1], partials, strict=True)]
        values.append(0.0 if got is None else digits_of(got[0], value))
        gradients.append(min(kept))
        total += (values[-1] + sum(kept)) / (1 + len(kept))
    return Form(text, steps, tuple(values), tuple(gradients), operations, total / len(wanted))


def measured_values(
    expression: Any, names: Sequence[str], wanted: Sequence[tuple[Place, Any]], steps: tuple[str, ...]
) -> Form | None:
    """The digits of the value alone, as `measured`. `wanted` has points, each with the true value and its scale."""
    text = readable(expression)
    try:
        g = Function(text, names)
        operations = len(g.graph.operations)
    except (AdlabError, ArithmeticError, RecursionError):
        return None
    values = tuple(0.0 if (got := _value(g, point)) is None else digits_of(got, *true) for point, true in wanted)
    return Form(text, steps, values, (), operations, sum(values) / len(values))


def _value(g: Function, point: Place) -> float | None:
    """The value in binary64 alone. adlab would compute a point again where a number leaves the range, other programs do not."""
    try:
        return float(evaluate(g.graph, point, FLOATS)[g.graph.outputs[0]])
    except (AdlabError, ArithmeticError, ValueError):
        return None


def _value_and_gradient(g: Function, point: Place) -> tuple[float, list[float]] | None:
    """The value and the gradient in binary64 alone, by reverse mode."""
    try:
        values = evaluate(g.graph, point, FLOATS)
        [row] = jacobian(g.graph, values, FLOATS)
        return values[g.graph.outputs[0]], list(row)
    except (AdlabError, ArithmeticError, ValueError):
        return None


def digits_of(value: float, true: Any, scale: float = 1.0) -> float:
    """Correct digits. Where the truth is 0 they are counted against `scale`, the size of what it stands beside.

    The nearest number of binary64 has them all, also where that is 0.

    >>> import mpmath
    >>> digits_of(1e-16, 0), digits_of(0.0, 0), digits_of(0.0, mpmath.mpf("1e-400"))
    (16.0, 16.0, 16.0)
    """
    if not math.isfinite(value):
        return 0.0
    if value == float(true):
        return 16.0
    if true or not value:
        return distance(value, true).digits
    return max(0.0, min(16.0, -math.log10(abs(value) / scale)))


def _beside(place: list[float]) -> list[list[float]]:
    chance = random.Random(1)
    return [place, *([x * (1 + chance.uniform(-1e-3, 1e-3)) for x in place] for _ in range(NEIGHBOURS))]


def closer_look(f: Function, place: Place, over: Mapping[str, tuple[float, float]], text: str) -> list[Place]:
    """Many points of the ranges, and for each number in a form's conditions those where a variable is next to it."""
    found = _ranged(f, place, over, CLOSER, 2)[1:]
    edges = [float(number) for number in _EDGE.findall(text)]
    for i, name in enumerate(f.names):
        beside = [side * edge * (1 + gap) for edge in edges for side in (-1, 1) for gap in (-1e-3, 1e-3)]
        found += [[*place[:i], x, *place[i + 1 :]] for x in beside if name in over and over[name][0] <= x <= over[name][1]]
    return found


_EDGE = re.compile(r"< ([0-9.e+-]+)")


def _ranged(
    f: Function, place: list[float], over: Mapping[str, tuple[float, float]], count: int = SAMPLE, seed: int = 1
) -> list[list[float]]:
    """Points of a box: variables without a range stay where they are."""
    ends: dict[int, tuple[float, float]] = {}
    for name, pair in over.items():
        try:
            low, high = map(float, pair)
        except (TypeError, ValueError):
            low = high = math.nan
        if name not in f.names or not low < high or not math.isfinite(high - low):
            raise OptionError(f"`over` has {name!r}: {pair!r}; it takes variables of f, each with two finite numbers, low < high")
        ends[f.names.index(name)] = low, high
    chance = random.Random(seed)
    return [place, *([drawn(chance, *ends[i]) if i in ends else x for i, x in enumerate(place)] for _ in range(count))]
