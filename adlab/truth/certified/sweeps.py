"""A plan of `adlab.truth.values` evaluated on balls: at a point, beside it, and as a power series in one variable.

The plan says in which order the SymPy expression is evaluated, each distinct object once. What its nodes mean is read from the
expression again, by the tables of this room.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import sympy
from flint import acb, arb, fmpq
from sympy.core.basic import Basic

from adlab.truth.certified import elementary, elliptic, special
from adlab.truth.certified.balls import NAN, ball, integer_power, variable
from adlab.truth.values import LARGEST_ROOT, Plan, Step

MEANINGS: dict[type, Callable[..., Any]] = {
    sympy.Add: operator.add,
    sympy.Mul: operator.mul,
    sympy.Piecewise: elementary.branch,
    **elementary.CONDITIONS,
    **elementary.FUNCTIONS,
    **special.FUNCTIONS,
    **elliptic.FUNCTIONS,
}

_CONSTANTS: dict[type, Callable[[], Any]] = {
    type(sympy.pi): arb.pi,
    type(sympy.E): arb.const_e,
    type(sympy.EulerGamma): arb.const_euler,
    type(sympy.Catalan): arb.const_catalan,
    type(sympy.GoldenRatio): lambda: (1 + arb(5).sqrt()) / 2,
    type(sympy.I): lambda: acb(0, 1),
    type(sympy.true): lambda: True,
    type(sympy.false): lambda: False,
}


class BallProgram(NamedTuple):
    """A plan, with the meaning of each of its steps on balls."""

    plan: Plan
    meanings: tuple[Callable[..., Any], ...]

    def base(self, point: Sequence[arb]) -> list[Any]:
        """The value of every slot at a point."""
        first = len(self.plan.variables)
        return self._swept([*point, *[None] * len(self.plan.steps)], range(first, first + len(self.plan.steps)))

    def moved(self, base: list[Any], index: int, to: Any) -> list[Any]:
        """The outputs with variable `index` at another place, or as a series.

        Only the steps that depend on it are computed again.
        """
        slots = base.copy()
        slots[index] = to
        return self.outputs(self._swept(slots, self.plan.dependents(index)[1:]))

    def expanded(self, base: list[Any], index: int) -> list[Any]:
        """The outputs as power series in variable `index`."""
        return self.moved(base, index, variable(base[index]))

    def outputs(self, slots: list[Any]) -> list[Any]:
        """The slots of the outputs."""
        return [slots[slot] for slot in self.plan.outputs]

    def complex_inside(self, slots: list[Any], output: int) -> bool:
        """Whether output number `output` depends on a complex number."""
        return any(isinstance(value, acb) for value in self.plan.used(slots, output))

    def _swept(self, slots: list[Any], schedule: Iterable[int]) -> list[Any]:
        first, steps, meanings = len(self.plan.variables), self.plan.steps, self.meanings
        for slot in schedule:
            operands = [slots[operand] for operand in steps[slot - first].operands]
            try:
                slots[slot] = meanings[slot - first](*operands)
            except (ValueError, ZeroDivisionError, OverflowError, TypeError):  # a series that python-flint refuses to divide by
                slots[slot] = NAN
        return slots


def program(plan: Plan) -> BallProgram:
    """A plan, with what each step means on balls."""
    return BallProgram(plan, tuple(map(_meaning, plan.steps)))


def _meaning(step: Step) -> Callable[..., Any]:
    node = step.node
    if not step.operands:
        return _constant(node)
    if isinstance(node, sympy.Pow):
        return _power(node, len(step.operands))
    return next((MEANINGS[cls] for cls in type(node).__mro__ if cls in MEANINGS), _unknown)


def _power(node: Basic, operands: int) -> Callable[..., Any]:
    """As the plan reads it: with a whole or simple exponent where that is a number, else with both operands."""
    _, exponent = node.args
    if operands == 2:
        return elementary.general_power
    if isinstance(exponent, sympy.Integer):
        return partial(integer_power, int(exponent))
    if isinstance(exponent, sympy.Rational) and exponent.q <= LARGEST_ROOT:
        return partial(elementary.root_power, int(exponent.p), int(exponent.q))
    return elementary.exp


def _constant(node: Basic) -> Callable[[], Any]:
    if isinstance(node, sympy.Float):
        return partial(ball, node)
    if isinstance(node, sympy.Integer):
        return partial(arb, int(node))
    if isinstance(node, sympy.Rational):
        return lambda: arb(fmpq(int(node.p), int(node.q)))
    return _CONSTANTS[type(node)]


def _unknown(*operands: Any) -> Any:
    """For a function that `adlab.truth.meanings` knows and this room does not."""
    return NAN
