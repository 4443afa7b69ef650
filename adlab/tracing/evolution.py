"""The solution of y′ = f(t, y) as one node. Its adjoint runs the same steps backwards in time.

The steps are planned at the point, on floats: `runge_kutta` has the methods. Then they are plain numbers, and value, tangent and
adjoint are those of a loop over them. So the derivative is that of the steps that were taken, exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.taylor import Taylor
from adlab.autodiff.programs import tangent_program
from adlab.errors import DomainError, GaveUp, UnsupportedExpression
from adlab.graph import rules
from adlab.graph.compound import Compound, applied, filled
from adlab.graph.graph import Builder, Graph
from adlab.primitives.primitive import Parameter
from adlab.tracing.loops import SCAN, SCAN_BACK, both, dotted
from adlab.tracing.runge_kutta import Step, Stepping, equal, planned, refuse_jumps

MOST_PLANS = 64
"""Points whose steps are kept."""
GUESSED = 100
"""Steps between two times, where they are chosen at the point."""
Run = Callable[[Any, "Evolution", Sequence[Any], list[list[Step]]], list[Any]]


@dataclass(frozen=True, eq=False)
class Evolution:
    """What is stepped, and what decides the steps: for the tangent of an ode that is the ode itself."""

    stepping: Stepping
    leader: Stepping
    plans: dict[tuple[float, ...], list[list[Step]]]
    """The steps at the points met last."""

    @classmethod
    def of(cls, stepping: Stepping) -> Evolution:
        """An ode that decides its own steps."""
        return cls(stepping, stepping, {})

    @cached_property
    def tangent(self) -> Evolution:
        """y and its tangent side by side, with the steps of y."""
        p = self.stepping
        slope = p.slope
        pair = both(slope, tangent_program(slope, dotted(slope)))
        size, known, count = p.size, p.constants, len(slope.inputs)
        builder = Builder(["t", *(f"s{i}" for i in range(2 * (size + known)))], simplify=True)
        y, y_dot = range(1, 1 + size), range(1 + size, 1 + 2 * size)
        c, c_dot = range(1 + 2 * size, 1 + 2 * size + known), range(1 + 2 * size + known, 2 * count - 1)
        outputs = rules.splice(builder, pair, [0, *y, *c, builder.constant(0), *y_dot, *c_dot])
        made = Stepping(builder.finish(outputs), 2 * size, p.scheme, p.times, p.steps, p.tolerance)
        return Evolution(made, self.leader, self.plans)

    @property
    def own(self) -> list[int]:
        """The operands that the deciding ode has."""
        times = self.stepping.size // self.leader.size
        constants = times * self.leader.size
        return [*range(self.leader.size), *range(constants, constants + self.leader.constants)]

    def plan(self, operands: Sequence[Any], derivative: bool = False) -> list[list[Step]]:
        """The steps at these operands, which are floats; `derivative` if the slope must not jump on the way."""
        point = [operands[i] for i in self.own]
        key = (*point, float(derivative))  # the same numbers ask for the same steps
        if key not in self.plans:
            size = self.leader.size
            found = planned(self.leader, point[:size], point[size:])
            if derivative:
                refuse_jumps(self.leader, point[:size], point[size:], found)
            if len(self.plans) >= MOST_PLANS:
                self.plans.clear()
            self.plans[key] = found
        return self.plans[key]

    def equal(self) -> list[list[Step]]:
        """The steps where no value decides about them. Raises UnsupportedExpression where values do."""
        if self.leader.steps is None:
            raise UnsupportedExpression("an ode with recorded steps chooses them by values; give the number of steps for this")
        return equal(self.leader.times, self.leader.steps)


def as_floats(operands: Sequence[Any]) -> list[float] | None:
    """Numbers of any arithmetic as floats; None for letters and nodes, which have no value."""
    found = []
    for number in operands:
        value = getattr(number, "value", number)
        if isinstance(value, int) and not isinstance(number, float):
            return None  # a node of a graph
        try:
            found.append(float(value.real if isinstance(value, complex) else value))
        except (TypeError, ValueError):
            return None
    return found


class Ode(Compound):
    """y at each time after the first. The operands are y at the first time, then what the slope uses from around it."""

    def count(self, parameter: Parameter = None) -> int:
        return int(parameter.stepping.size + parameter.stepping.constants)

    def results(self, parameter: Parameter = None) -> int:
        return int(parameter.stepping.size * (len(parameter.stepping.times) - 1))

    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        return {"slope": parameter.stepping.slope}

    def weight(self, parameter: Parameter = None) -> float:
        return float(parameter.stepping.loop.body.weight() * _turns(parameter))

    def written(self, operands: tuple[str, ...], parameter: Parameter = None) -> str:
        p = parameter.stepping
        steps = "recorded steps" if p.steps is None else f"{_turns(parameter)} steps"
        return f"ode({', '.join(operands)}; {steps} of {p.scheme.name})"

    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        return _computed(numbers, parameter, operands, _forwards, parameter.stepping is not parameter.leader)

    def unrolled(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        """The same steps on nodes; they are written out to be differentiated."""
        return _computed(numbers, parameter, operands, _forwards, True)

    def jvp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            tangents: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        size = parameter.stepping.size
        moved = filled(numbers, tangents)
        given = [*operands[:size], *moved[:size], *operands[size:], *moved[size:]]
        found = applied(numbers, ODE, parameter.tangent, given)
        return [number for k in range(0, len(found), 2 * size) for number in found[k + size : k + 2 * size]]

    def vjp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            bars: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        return applied(numbers, ODE_BACK, parameter, [*operands, *filled(numbers, bars)])


class OdeBack(Compound):
    """The adjoint of an ode. Operands: the ode's, then the adjoints of its results. Results: the adjoints of its operands.

    It is Jᵀb, with the Jacobian J of the steps. The pair of y and its tangent has J, too, so the adjoint of the pair gives what a
    derivative of Jᵀb needs: the bars (a, b) give Jᵀa + ∂(bᵀJẏ)/∂y for y. The steps stay those of y.
    """

    def count(self, parameter: Parameter = None) -> int:
        return ODE.count(parameter) + ODE.results(parameter)

    def results(self, parameter: Parameter = None) -> int:
        return ODE.count(parameter)

    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        return {"slope": parameter.stepping.slope, "adjoint of a step": parameter.stepping.loop.adjoint}

    def weight(self, parameter: Parameter = None) -> float:
        return ODE.weight(parameter) + float(parameter.stepping.loop.adjoint.weight() * _turns(parameter))

    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        return _computed(numbers, parameter, operands, _backwards, True)

    def jvp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            tangents: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        given, moved = ODE.count(parameter), filled(numbers, tangents)
        return _of_the_pair(numbers, parameter, operands, moved[:given], moved[given:])

    def vjp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            bars: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        """Of gᵀJᵀb: Jg for b, and for y what the pair gives with y moved along g."""
        given, along = ODE.count(parameter), filled(numbers, bars)
        still = [numbers.constant(0)] * ODE.results(parameter)
        moved = ODE.jvp(numbers, parameter, operands[:given], (), along)
        return [*_of_the_pair(numbers, parameter, operands, along, still), *moved]


def _of_the_pair(numbers: Any, p: Evolution, operands: Sequence[Any], moved: Sequence[Any], bars: Sequence[Any]) -> list[Any]:
    """The change of the adjoint Jᵀb while the ode's operands move along `moved`, and b along `bars`."""
    size, given = p.stepping.size, ODE.count(p)
    held = operands[given:]
    pairs = [number for k in range(0, len(held), size) for number in [*bars[k : k + size], *held[k : k + size]]]
    at = [*operands[:size], *moved[:size], *operands[size:given], *moved[size:]]
    found = applied(numbers, ODE_BACK, p.tangent, [*at, *pairs])
    return [*found[:size], *found[2 * size : size + given]]


def _turns(parameter: Evolution) -> int:
    """How many steps are taken; a guess where they are chosen at the point."""
    p = parameter.stepping
    return (GUESSED if p.steps is None else p.steps) * (len(p.times) - 1)


def _computed(numbers: Any, p: Evolution, operands: Sequence[Any], run: Run, derivative: bool) -> list[Any]:
    """The results of `run` over the steps that the point needs. In arrays each row has its own; NaN where a row fails."""
    count = ODE.count(p)
    if numbers is FLOATS:
        return run(FLOATS, p, operands, p.plan(operands[:count], derivative))
    if any(isinstance(operand, np.ndarray) for operand in operands):
        return _rows(numbers, p, operands, run, derivative)
    given = operands[:count]
    if isinstance(numbers, Taylor):  # the steps are those of the value; its coefficients may be numbers of another arithmetic
        given = [getattr(series[0], "number", series[0]) for series in given]
    point = as_floats(given)
    return run(numbers, p, operands, p.equal() if point is None else p.plan(point, derivative))


def _rows(numbers: Any, p: Evolution, operands: Sequence[Any], run: Run, derivative: bool) -> list[Any]:
    count, spread = ODE.count(p), np.broadcast_arrays(*operands)
    table = np.stack([part.ravel() for part in spread], axis=-1)
    found: list[list[Any]] = []
    for row in table:
        try:
            steps = p.plan([float(x) for x in row.real[:count]], derivative)
            found.append([np.asarray(x).item() for x in run(numbers, p, [np.array(x) for x in row], steps)])
        except (DomainError, GaveUp):
            found.append([])
    width = ODE.results(p) if run is _forwards else count
    columns = np.array([row or [math.nan] * width for row in found]).reshape(len(found), width)
    return [columns[:, k].reshape(spread[0].shape) for k in range(width)]


def _forwards(numbers: Any, p: Evolution, operands: Sequence[Any], stretches: list[list[Step]]) -> list[Any]:
    stepping, found = p.stepping, list[Any]()
    y, known = list(operands[: stepping.size]), list(operands[stepping.size :])
    for steps in stretches:
        y = _over(numbers, stepping, y, known, steps)
        found += y
    return found


def _backwards(numbers: Any, p: Evolution, operands: Sequence[Any], stretches: list[list[Step]]) -> list[Any]:
    stepping, given = p.stepping, ODE.count(p)
    size = stepping.size
    begins, known, bars = [list(operands[:size])], list(operands[size:given]), list(operands[given:])
    for steps in stretches[:-1]:
        begins.append(_over(numbers, stepping, begins[-1], known, steps))
    passed, held = [numbers.constant(0)] * size, [numbers.constant(0)] * len(known)
    for k in reversed(range(len(stretches))):
        passed = [numbers.add(a, b) for a, b in zip(passed, bars[k * size : (k + 1) * size], strict=True)]
        steps = stretches[k]
        found = SCAN_BACK.apply(numbers, stepping.turns(len(steps)), [*begins[k], *known, *_flat(numbers, steps), *passed])
        passed = list(found[:size])
        held = [numbers.add(a, b) for a, b in zip(held, found[size:given], strict=True)]
    return [*passed, *held]


def _over(numbers: Any, p: Stepping, y: Sequence[Any], known: Sequence[Any], steps: list[Step]) -> list[Any]:
    return list(SCAN.apply(numbers, p.turns(len(steps)), [*y, *known, *_flat(numbers, steps)]))


def _flat(numbers: Any, steps: list[Step]) -> list[Any]:
    return [numbers.constant(number) for step in steps for number in step]


ODE, ODE_BACK = Ode("ode"), OdeBack("ode_back")
