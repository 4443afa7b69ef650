"""Derivatives of any order by one variable: certified where possible, else from high-precision values alone.

From values, the quotients left and right of the point must tend to one number for every order up to the one asked for. For |x|
at 0 all orders except the first do, and a central quotient would not even notice the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adlab.errors import DomainError
from adlab.precision import patience
from adlab.truth.judge import (
    NOTHING,
    RUNGS,
    SECONDS,
    Component,
    Status,
    agreed,
    certified,
    checked,
    disagreement,
    heuristic,
    proved,
)
from adlab.truth.limits import GUARD_BITS, Limit, Pair, higher, limit
from adlab.truth.meanings import CONTEXT, bits_of, exact, exported, magnitude, mp_text, working
from adlab.truth.values import Plan


@patience(SECONDS)
def higher_derivatives(
    made: Plan, point: Sequence[Any], index: int, order: int, digits: int = 30, output: int = 0
) -> list[Component]:
    """An output of a plan and its derivatives by variable `index`, from order 0 up to `order`.

    >>> import sympy
    >>> from adlab.truth.values import plan
    >>> x = sympy.Symbol("x")
    >>> [int(found.value) for found in higher_derivatives(plan([x**3], [x]), [2.0], 0, order=4)]
    [8, 12, 12, 6, 0]
    """
    numbers, name = checked(point, digits), made.variables[index].name
    proof = proved(made, numbers, digits, pairs=[(output, index)], order=order)
    keys = {k: (output, index, k) for k in range(1, order + 1)}
    found: list[Component] = []
    if output in proof.values and (order == 0 or keys[1] in proof.derivatives or not made.depends(output, index)):
        found.append(certified(output, name, proof.values[output]))
    else:
        judged = heuristic(made, numbers, digits, [(output, index)], [output])[output]
        status: Status = "unavailable" if judged.value is None else "heuristic"
        value = Component(output, name, status, judged.value, judged.radius, note=judged.note)
        found += [value, judged.partials[index]]
    for k in range(len(found), order + 1):
        if not made.depends(output, index):
            found.append(certified(output, name, NOTHING))
        elif keys[k] in proof.derivatives:
            found.append(certified(output, name, proof.derivatives[keys[k]]))
        elif found[-1].status == "unavailable":
            found.append(Component(output, name, "unavailable", note="the derivative before it does not exist"))
        else:
            found.append(_component(name, output, *_sides(made, numbers, (output, index), k, digits)))
    return found[: order + 1]


def directional_derivative(
    made: Plan, point: Sequence[Any], index: int, order: int, digits: int = 15, output: int = 0
) -> Any:
    """The derivative of an output, `order` times by variable `index`, as an mpf good to `digits`.

    Raises DomainError where there is none.

    >>> import sympy
    >>> from adlab.truth.values import plan
    >>> x = sympy.Symbol("x")
    >>> directional_derivative(plan([sympy.exp(2 * x)], [x]), [0.0], 0, order=5)
    mpf('32.0')
    """
    found = higher_derivatives(made, point, index, order, digits, output)[order]
    if found.value is None:
        at = mp_text(exact(point[index]))
        raise DomainError(f"f has no derivative of order {order} by {found.variable} at {at}: {found.note}")
    return found.value


def _sides(made: Plan, point: Sequence[Any], pair: Pair, order: int, digits: int) -> tuple[Limit, Limit, Limit | None]:
    """The limits of the quotients of this order on the left and on the right, and the derivative if they are one number."""
    for rung in RUNGS:
        far = rung * (bits_of(digits) + GUARD_BITS)
        near = far * 3 // 2
        quotients = [
            [higher(made, point, pair, order, shift, side, digits) for shift in (far, near)] for side in (-1, 1)
        ]
        with working(order * near + 2 * bits_of(digits)):
            floor = CONTEXT.ldexp(1, -bits_of(digits) - order * magnitude(point[pair[1]]))
            left, right = (limit(a, b, near - far, digits, rung == RUNGS[-1], floor) for a, b in quotients)
            both = agreed(left, right, digits)
        if both is not None:
            break
    return left, right, both


def _component(name: str, output: int, left: Limit, right: Limit, both: Limit | None) -> Component:
    if both is not None:
        return Component(output, name, "heuristic", exported(both.value), exported(both.radius))
    return Component(output, name, "unavailable", note=disagreement(left, right))
