"""Second derivatives of a formula: each certified where balls allow, else from high-precision values alone.

∂²f/∂xᵢ² is a derivative of order 2 by one variable. A mixed one comes from a line through the point. With g(t) = f(x + t·(sᵢ eᵢ
+ sⱼ eⱼ)), g″(0) = sᵢ² fᵢᵢ + 2 sᵢ sⱼ fᵢⱼ + sⱼ² fⱼⱼ, where the s are the sizes of the coordinates as powers of two. More digits
are computed to make up for what cancels. From values alone, a second line must give the same number: where f is not twice
differentiable it need not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import sympy

from adlab.precision import seconds_left
from adlab.truth.higher import higher_derivatives
from adlab.truth.judge import NOTHING, Component, certified, checked, weakest
from adlab.truth.meanings import CONTEXT, bits_of, exact, exported, magnitude, working
from adlab.truth.values import Plan, Step, plan

MOST_ATTEMPTS = 3  # each with more digits, where a mixed derivative is far smaller than the others
STRAIGHT = (sympy.Add,)
CONTRADICTION = "the second derivatives along two lines contradict each other"
LATE = "gave up: the time was over before this was done; be more patient"
NO_LINE = "there is no second derivative along the line that it is read from: "


def second_derivatives(made: Plan, point: Sequence[Any], digits: int = 30, output: int = 0) -> list[list[Component]]:
    """The Hessian of one output of a plan: n rows of n. Mixed ones are computed once and stand twice. What the caller's patience
    does not reach is unavailable.

    >>> x, y = sympy.symbols("x y")
    >>> found = second_derivatives(plan([x**2*y**3], [x, y]), [1.0, 2.0])
    >>> [[int(component.value) for component in row] for row in found]
    [[16, 24], [24, 12]]
    """
    numbers = checked(point, digits)
    n = len(made.variables)
    found: list[list[Any]] = [[None] * n for _ in range(n)]
    late = [Component(output, variable.name, "unavailable", note=LATE) for variable in made.variables]
    for i, j in [*((i, i) for i in range(n)), *itertools.combinations(range(n), 2)]:
        if not seconds_left():
            found[i][j] = found[j][i] = late[j]
        elif i == j:
            found[i][i] = higher_derivatives(made, numbers, i, 2, digits, output)[2]
        else:
            found[i][j] = found[j][i] = _mixed(made, numbers, i, j, digits, output)
    return found


def _mixed(made: Plan, point: Sequence[Any], i: int, j: int, digits: int, output: int) -> Component:
    name = made.variables[j].name
    if not coupled(made, output, i, j):
        return certified(output, name, NOTHING)
    asked, found = digits, None
    for _ in range(MOST_ATTEMPTS):
        found = _along(made, point, i, j, asked, output, (1, 1))
        if found.value is None or not found.radius:
            break
        if abs(found.value) <= found.radius:  # 0, or far smaller than the others
            asked = 3 * asked
            continue
        short = magnitude(found.radius) - magnitude(found.value) + bits_of(digits)
        if short <= 0:
            break
        asked += math.ceil(short * math.log10(2)) + 5
    assert found is not None
    if found.value is not None and abs(found.value) <= found.radius:
        radius = abs(found.value) + found.radius
        note = "0 within the absolute radius given" if radius else "exactly 0"
        found = Component(output, name, found.status, exported(CONTEXT.zero), exported(radius), note=note)
    if found.status == "heuristic":
        return _confirmed(found, _along(made, point, i, j, digits, output, (1, -2)), digits)
    return found


def _confirmed(found: Component, other: Component, digits: int) -> Component:
    """The mixed derivative, if a second line confirms it to half the digits. Otherwise it has cancelled."""
    if other.value is None:
        return other
    with working(4 * bits_of(digits)):
        apart = abs(exact(found.value) - exact(other.value))
        size = max(abs(exact(found.value)), abs(exact(other.value)))
        if apart > size * CONTEXT.mpf(10) ** (-digits // 2) + exact(found.radius) + exact(other.radius):
            return Component(found.output, found.variable, "unavailable", note=CONTRADICTION)
    return found


def _along(
    made: Plan, point: Sequence[Any], i: int, j: int, digits: int, output: int, parts: tuple[int, int]
) -> Component:
    """The mixed derivative from one line, with its radius."""
    sizes = [part * CONTEXT.ldexp(1, magnitude(exact(point[k]))) for k, part in zip((i, j), parts, strict=True)]
    line = on_a_line(made, {i: sizes[0], j: sizes[1]})
    whole = higher_derivatives(line, [*point, CONTEXT.zero], len(point), 2, digits, output)[2]
    own = [higher_derivatives(made, point, k, 2, digits, output)[2] for k in (i, j)]
    name = made.variables[j].name
    missing = next((c for c in (whole, *own) if c.value is None), None)
    if missing is not None:
        return Component(output, name, "unavailable", note=NO_LINE + missing.note)
    bits = 4 * bits_of(digits) + 200
    with working(bits):
        values = [exact(c.value) for c in (whole, *own)]
        radii = [exact(c.radius) for c in (whole, *own)]
        a, b = sizes
        twice = 2 * a * b
        value = (values[0] - a**2 * values[1] - b**2 * values[2]) / twice
        radius = (radii[0] + a**2 * radii[1] + b**2 * radii[2]) / abs(twice)
        largest = max(abs(values[0]), a**2 * abs(values[1]), b**2 * abs(values[2]))
        radius += CONTEXT.ldexp(largest, 4 - bits) / abs(twice)  # of this arithmetic, beside the largest part
        return Component(output, name, weakest([whole, *own]), exported(value), exported(radius))


def on_a_line(made: Plan, sizes: dict[int, Any]) -> Plan:
    """The same plan with each variable k of `sizes` moved to xₖ + size·t. t is one more variable, the last."""
    n = len(made.variables)
    t = sympy.Dummy("t", real=True)
    steps: list[Step] = []
    moved: dict[int, int] = {}
    for k, size in sizes.items():
        part = plan([made.variables[k] + sympy.Float(size, precision=53) * t], [made.variables[k], t])
        place = [k, n, *range(n + 1 + len(steps), n + 1 + len(steps) + len(part.steps))]
        steps += [step._replace(operands=tuple(place[o] for o in step.operands)) for step in part.steps]
        moved[k] = place[part.outputs[0]]
    shift = 1 + len(steps)

    def placed(slot: int) -> int:
        return moved.get(slot, slot) if slot < n else slot + shift

    steps += [step._replace(operands=tuple(map(placed, step.operands))) for step in made.steps]
    return Plan((*made.variables, t), tuple(steps), tuple(map(placed, made.outputs)))


def coupled(made: Plan, output: int, i: int, j: int) -> bool:
    """Whether two variables meet anywhere except in sums whose terms hold one of them each."""
    n, both = len(made.variables), 1 << i | 1 << j
    stack, seen = [made.outputs[output]], set[int]()
    while stack:
        slot = stack.pop()
        if slot in seen or made.reached(slot) & both != both:
            continue
        seen.add(slot)
        if slot < n or not isinstance(made.steps[slot - n].node, STRAIGHT):
            return True
        stack.extend(made.steps[slot - n].operands)
    return False
