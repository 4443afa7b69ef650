"""Derivative programs that keep their digits: `f.derivative(accuracy="strict", at=x)`. The search is that of `improve`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from adlab.audit.measured import measured_values, true_at
from adlab.audit.places import NEIGHBOURS, SAMPLE, Place, drawn_from, ranges_of
from adlab.audit.rewrites import evaluated
from adlab.audit.search import ENOUGH, SECONDS, Form, Search
from adlab.errors import OptionError
from adlab.function import Function, point_of
from adlab.text.printing import readable

Wanted = list[tuple[Place, tuple[Any, float]]]
"""Points, each with the true value and its scale, against which a value is measured where the truth is 0."""
SHORT = 12.0
"""A number with fewer correct digits than this is named in what the program says about itself."""


def derivative(
    f: Function, program: Function, value: bool, x: Any, over: Mapping[str, tuple[float, float]] | None = None
) -> Function:
    """`program`, the derivative program of f, with every output in a form that keeps its digits near x or over ranges.

    An output that loses digits at one of the points is searched for another form, by its value alone. A form is taken only if it
    keeps as many digits at every point. `about` of the result says what was rewritten, and where digits are still lost.
    """
    if not f.independent:
        raise OptionError("a strict derivative program is looked for of a formula; this function is a program")
    if x is None and f.point is None:
        raise OptionError('accuracy="strict" needs the point that the program is for, as at=, or ranges with a point, as over=')
    try:
        formulas = program.outputs
    except TypeError:  # SymPy's, of a condition that is a Piecewise itself
        raise OptionError("the derivative program has a condition that no formula has; leave accuracy out") from None
    place = point_of(f, x).tolist()
    points = [place, *drawn_from(place, ranges_of(f.names, place, over), SAMPLE if over else NEIGHBOURS)]
    near = dict(zip(f.variables, place, strict=True))
    values, partials, left_out = _truths(f, points)
    wanted = (values if value else []) + [entry for row in partials for entry in row]
    search_of = [None] * (f.m if value else 0) + [(k, i) for k in range(f.m) for i in range(f.n)]
    said, texts = [], []
    for formula, truths, part in zip(formulas, wanted, search_of, strict=True):
        before = measured_values(formula, f.names, truths, (), as_written=True)
        if before is None or not truths or before.worst >= ENOUGH:
            texts.append(readable(formula, as_written=True))
            continue
        starts = {"": formula, "usual order": evaluated(formula)}
        if part is not None:
            starts["derivative of the formula"] = sympy.diff(evaluated(f.outputs[part[0]]), f.variables[part[1]])
        after = _best(starts, before, f.names, truths, near, SECONDS / len(wanted))
        texts.append(after.text)
        title = "f" if part is None else f"∂/∂{f.names[part[1]]}"
        if after is not before:
            said.append(f"{title} is written as {', then '.join(after.steps)}")
        low = min(range(len(truths)), key=lambda j: after.value[j])
        if after.value[low] < SHORT:
            at = ", ".join(f"{name} = {number:.8g}" for name, number in zip(f.names, truths[low][0], strict=True))
            said.append(f"{title} keeps {after.value[low]:.1f} digits at {at}")
    if left_out:
        said.append(f"{left_out} of {len(points)} points have no known value and gradient")
    strict = Function(texts if len(texts) > 1 or not program.scalar else texts[0], f.variables, name=program.name)
    strict.within, strict.point, strict.about = f, f.point, ". ".join(said)
    return strict


def _best(starts: dict[str, Any], before: Form, names: Any, truths: Wanted, near: Mapping[Any, float], seconds: float) -> Form:
    """The best form that is nowhere worse than the program's own."""
    search = Search(lambda expression, steps: measured_values(expression, names, truths, steps), near, max(seconds, 2.0))
    next((form for form in search.passes(starts, before) if form.worst >= ENOUGH), None)
    good = [form for form in search.known.values() if form.nowhere_worse(before)]
    best = max([before, *good], key=lambda form: form.score)
    return best if best.score[:2] > before.score[:2] else before


def _truths(f: Function, points: list[Place]) -> tuple[list[Wanted], list[list[Wanted]], int]:
    """For each output, and for each output and variable: the truths at the points where they are known."""
    values: list[Wanted] = [[] for _ in range(f.m)]
    partials: list[list[Wanted]] = [[[] for _ in range(f.n)] for _ in range(f.m)]
    left_out = 0
    for k, formula in enumerate(f.outputs):
        one = Function(formula, f.variables)
        for point in points:
            known = true_at(one, point)
            if known is None:
                left_out += 1
                continue
            scale = max(abs(float(partial)) for partial in known[1]) or 1.0
            values[k].append((point, (known[0], 1.0)))
            for i, partial in enumerate(known[1]):
                partials[k][i].append((point, (partial, scale)))
    return values, partials, left_out
