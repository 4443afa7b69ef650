"""How many digits a form keeps: what is true at a point, what its text gives there, and where another one is worse."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.audit.places import Place
from adlab.audit.search import ENOUGH, Form
from adlab.autodiff.jacobian import jacobian, reverse_cost
from adlab.errors import AdlabError
from adlab.function import Function
from adlab.report.accuracy import distance
from adlab.report.truth import truth
from adlab.text.printing import readable

MOST_TRUTHS = 150
"""Truths that are computed in a closer look: of points where two forms do not agree."""
AGREE = 10.0**-ENOUGH
"""Relative difference up to which two forms count as equal: then the new one is not worse there, and no truth is needed."""
Known = tuple[Place, tuple[Any, list[Any]]]
"""A point, with the true value and gradient."""


def worse_at(f: Function, after: Form, points: Sequence[Place], margin: float) -> list[Known]:
    """The points at which the value or a partial loses more than a margin of digits in the new form, with their truths."""
    new = Function(after.text, f.names)
    doubtful = [point for point in points if not _alike(value_and_gradient(f, point), value_and_gradient(new, point))]
    known = [(point, true) for point in doubtful[:MOST_TRUTHS] if (true := true_at(f, point)) is not None]
    return [(point, true) for point, true in known
            if not _at(new, point, true).nowhere_worse(_at(f, point, true), margin)]  # fmt: skip


def low_at(f: Function, after: Form, points: Sequence[Place], margin: float) -> list[Known]:
    """The points at which the new form keeps too few digits, with their truths."""
    new = Function(after.text, f.names)
    known = [(point, true) for point in points if (true := true_at(f, point)) is not None]
    return [(point, true) for point, true in known if _at(new, point, true).worst < ENOUGH - margin]


def _at(g: Function, point: Place, true: tuple[Any, list[Any]]) -> Form:
    return Form("", (), (_kept(g, point, true),), 0)


def _alike(old: tuple[float, list[float]] | None, new: tuple[float, list[float]] | None) -> bool:
    """Whether the new numbers are about the old ones, or there are no old ones."""
    if old is None or not all(map(math.isfinite, (old[0], *old[1]))):
        return True
    if new is None:
        return False
    return all(abs(a - b) <= AGREE * abs(a) for a, b in zip((old[0], *old[1]), (new[0], *new[1]), strict=True))


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
    return _form(expression, names, steps, lambda g: tuple(_kept(g, point, true) for point, true in wanted))


def measured_itself(f: Function, wanted: Sequence[Known]) -> Form:
    """The digits of f as it was written."""
    kept = tuple(_kept(f, point, true) for point, true in wanted)
    return Form(readable(f.outputs[0], as_written=True), (), kept, len(f.graph.operations), reverse_cost(f.graph))


def measured_values(
    expression: Any, names: Sequence[str], wanted: Sequence[tuple[Place, Any]], steps: tuple[str, ...], as_written: bool = False
) -> Form | None:
    """The digits of the value alone, as `measured`. `wanted` has points, each with the true value and its scale."""

    def kept(g: Function) -> tuple[tuple[float, ...], ...]:
        return tuple((0.0 if (got := _value(g, point)) is None else digits_of(got, *true),) for point, true in wanted)

    return _form(expression, names, steps, kept, as_written)


def _form(
    expression: Any, names: Sequence[str], steps: tuple[str, ...], kept: Callable[[Function], tuple[tuple[float, ...], ...]],
    as_written: bool = False,
) -> Form | None:  # fmt: skip
    text = readable(expression, as_written)
    try:
        g = Function(text, names)
        graph = g.graph
    except (AdlabError, ArithmeticError, RecursionError):
        return None
    return Form(text, steps, kept(g), len(graph.operations), reverse_cost(graph))


def _kept(g: Function, point: Place, true: tuple[Any, list[Any]]) -> tuple[float, ...]:
    """The digits of the value and of each partial."""
    value, partials = true
    got = value_and_gradient(g, point)
    if got is None:
        return (0.0,) * (1 + len(partials))
    scale = max((abs(float(partial)) for partial in partials), default=0.0) or 1.0
    return digits_of(got[0], value), *(digits_of(a, b, scale) for a, b in zip(got[1], partials, strict=True))


def _value(g: Function, point: Place) -> float | None:
    """The value in binary64 alone. adlab would compute a point again where a number leaves the range, other programs do not."""
    try:
        return float(evaluate(g.graph, point, FLOATS)[g.graph.outputs[0]])
    except (AdlabError, ArithmeticError, ValueError):
        return None


def value_and_gradient(g: Function, point: Place) -> tuple[float, list[float]] | None:
    """The value and the gradient in binary64 alone, by reverse mode."""
    try:
        values = evaluate(g.graph, point, FLOATS)
        [row] = jacobian(g.graph, values, FLOATS)
        return values[g.graph.outputs[0]], list(row)
    except (AdlabError, ArithmeticError, ValueError):
        return None


def signs(g: Function) -> Callable[[Place], Any]:
    """The signs of value and partials at a point: where they change, digits are lost."""

    def kind(point: Place) -> Any:
        got = value_and_gradient(g, point)
        return None if got is None else tuple(x > 0 for x in (got[0], *got[1]))

    return kind


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
