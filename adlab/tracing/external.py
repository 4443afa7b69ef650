"""`external`: a function that cannot be traced, as one node of a graph. Its derivative is its author's rule, or a difference.

Compiled code, a table of measurements, another program: code that computes on floats only is a *black box*. A graph cannot look
inside. So the node calls the function. Its derivative is what the author says (`jvp`, `vjp`), or a finite difference. The error
estimate of the difference becomes the running error bound of the partial.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.floats import FLOATS
from adlab.differences.differences import difference
from adlab.differences.estimates import Estimate
from adlab.errors import AdlabError, DomainError, OptionError, TracingError, UnsupportedExpression
from adlab.graph.compound import Compound, applied, filled
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter
from adlab.tracing.control import Structure, innermost, record
from adlab.tracing.implicit import size_signed
from adlab.tracing.recorder import refuse

SCHEME = "adaptive-difference"
SLACK = 1e-6
"""A rule is refused if it differs from a finite difference by this relative error, and the difference is more exact."""
TOO_VAGUE = 1e-2
"""A finite difference with a larger relative error says nothing about a rule."""


class Outside:
    """A function of numbers and arrays that cannot be looked into; see `external`."""

    def __init__(self, function: Callable[..., Any], jvp: Any = None, vjp: Any = None, error: float | None = None) -> None:
        self.function, self.error = function, error
        self.jvp, self.vjp = self._rule(jvp), self._rule(vjp)
        self.name = getattr(function, "__name__", type(function).__name__).replace("<lambda>", "external")
        self.checked = self.jvp is None and self.vjp is None

    def _rule(self, rule: Any) -> Outside | None:
        return rule if rule is None or isinstance(rule, Outside) else Outside(rule, error=self.error)

    def __call__(self, *arguments: Any) -> Any:
        recorder = innermost(*arguments)
        if recorder is None:
            return self.function(*arguments)
        given = tuple(Structure(argument) for argument in arguments)
        numbers = [n for shape, argument in zip(given, arguments, strict=True) for n in shape.flat(argument)]
        point = [size_signed(number) for number in numbers]
        found = Structure(self.function(*built(given, point)))
        called = Called(self, given, found)
        if not self.checked:
            called.check(point)
            self.checked = True
        return found.built(list(record(recorder, EXTERNAL, called, numbers)))

    def __repr__(self) -> str:
        return f"<external {self.name}>"


def built(structures: Sequence[Structure], numbers: Sequence[float]) -> list[Any]:
    """Floats as the arguments that the structures describe: a number becomes a float, an array an array of floats."""
    rest: list[Any] = list(numbers)
    return [structure.built(rest) for structure in structures]


@dataclass(frozen=True, eq=False)
class Called:
    """A call of an outside function: what it is called with, and what it returns."""

    outside: Outside
    given: tuple[Structure, ...]
    found: Structure

    @property
    def inputs(self) -> int:
        return sum(structure.size for structure in self.given)

    def values(self, point: Sequence[float]) -> list[float]:
        """The results on floats. Raises DomainError where the function raises, and for results that are not numbers."""
        try:
            found = self.found.flat(self.outside.function(*built(self.given, point)))
            return [float(number) for number in found]
        except AdlabError:
            raise
        except Exception as reason:  # a stranger's function may raise anything
            said = f"{type(reason).__name__}: {reason}"
            raise DomainError(f"external function {self.outside.name} at {list(point)}: {said}") from reason

    def column(self, point: Sequence[float], j: int) -> Estimate:
        """The derivatives of all results by number j, from differences, with their errors."""
        return difference(lambda x: np.array(self.values(x.tolist())), np.array(point, dtype=float), j, SCHEME)

    def pushing(self) -> Called | None:
        """The author's JVP as a call: from the arguments and their tangents to the tangents of the results."""
        rule = self.outside.jvp
        return None if rule is None else Called(rule, (*self.given, *self.given), self.found)

    def pulling(self) -> Called | None:
        """The author's VJP as a call: from the arguments and the adjoints of the results to the adjoints of the arguments."""
        rule = self.outside.vjp
        if rule is None:
            return None
        return Called(rule, (*self.given, self.found), self.given[0] if len(self.given) == 1 else Structure.of(self.given))

    def check(self, point: Sequence[float]) -> None:
        """Compares the author's rules with differences along one direction. Raises TracingError where they disagree."""
        direction = [1.0 + k / 7 for k in range(len(point))]
        weights = [1.0 + k / 5 for k in range(self.found.size)]

        def along(t: Any) -> Any:
            moved = self.values([x + float(t[0]) * d * max(abs(x), 1.0) for x, d in zip(point, direction, strict=True)])
            return sum(w * v for w, v in zip(weights, moved, strict=True))

        dots = [d * max(abs(x), 1.0) for x, d in zip(point, direction, strict=True)]
        found = difference(along, np.zeros(1), 0, SCHEME)
        slope, error = float(found.df), float(found.error)
        if not found.success or not error <= TOO_VAGUE * abs(slope):
            return
        pushing, pulling = self.pushing(), self.pulling()
        said = {}
        if pushing is not None:
            said["jvp"] = sum(w * v for w, v in zip(weights, pushing.values([*point, *dots]), strict=True))
        if pulling is not None:
            said["vjp"] = sum(d * v for d, v in zip(dots, pulling.values([*point, *weights]), strict=True))
        for rule, value in said.items():
            if not abs(value - slope) <= error + SLACK * abs(slope):
                raise refuse(
                    f"the {rule} of external function {self.outside.name} gives {value:.9g} along a direction, and differences "
                    f"give {slope:.9g} ± {error:.1g}", f"correct the {rule}"
                )  # fmt: skip


class External(Compound):
    """A call of an outside function."""

    def count(self, parameter: Parameter = None) -> int:
        return int(parameter.inputs)

    def results(self, parameter: Parameter = None) -> int:
        return int(parameter.found.size)

    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        return {}

    def weight(self, parameter: Parameter = None) -> float:
        return 1.0

    def written(self, operands: tuple[str, ...], parameter: Parameter = None) -> str:
        shown = operands if len(operands) <= 8 else (*operands[:7], "…")
        return f"{parameter.outside.name}({', '.join(shown)})"

    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        """The call on floats. Other numbers are first made floats, since the function knows nothing else."""
        if any(isinstance(operand, np.ndarray) for operand in operands):
            return one_by_one(lambda each: self.apply(FLOATS, parameter, each), operands)
        if numbers is FLOATS:
            return list(parameter.values(operands))
        found = parameter.values(floats_of(operands, parameter))
        if numbers is BOUNDED:
            if parameter.outside.error is None:
                why = f"the error of external function {parameter.outside.name} is not known; give adlab.external its error"
                return [Bounded(value, math.inf, why) for value in found]
            passed = moved(parameter.values, operands)
            return [Bounded(v, parameter.outside.error * abs(v) + p) for v, p in zip(found, passed, strict=True)]
        return [numbers.constant(value) for value in found]

    def unrolled(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        """One node: nobody can look inside."""
        return list(numbers.kept(self, parameter, operands))

    def jvp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            tangents: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        """By the author's JVP; else the Jacobian times the tangents."""
        pushing = parameter.pushing()
        if pushing is not None:
            return applied(numbers, EXTERNAL, pushing, [*operands, *filled(numbers, tangents)])
        rows = _jacobian(numbers, parameter, operands)
        return [_dot(numbers, row, tangents) for row in rows]

    def vjp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            bars: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        """By the author's VJP; else the adjoints times the Jacobian."""
        pulling = parameter.pulling()
        if pulling is not None:
            return applied(numbers, EXTERNAL, pulling, [*operands, *filled(numbers, bars)])
        rows = _jacobian(numbers, parameter, operands)
        return [_dot(numbers, [row[j] for row in rows], bars) for j in range(len(operands))]


def one_by_one(compute: Callable[[list[float]], Sequence[float]], operands: Sequence[Any]) -> list[Any]:
    """The results at many points, or for many directions. Operands are arrays that broadcast. Complex numbers are refused."""
    if any(np.iscomplexobj(operand) for operand in operands):
        raise UnsupportedExpression("an external function computes on floats, and not on complex numbers")
    spread = np.broadcast_arrays(*operands)
    rows = [compute(list(row)) for row in np.stack([part.ravel() for part in spread], axis=-1).tolist()]
    return [np.array(column).reshape(spread[0].shape) for column in zip(*rows, strict=True)]


def floats_of(operands: Sequence[Any], parameter: Parameter) -> list[float]:
    """Numbers of another arithmetic as floats. Raises UnsupportedExpression for what is not a single real number."""
    try:
        if any(np.iscomplexobj(operand) for operand in operands):
            raise UnsupportedExpression("complex numbers")
        return [size_signed(operand) for operand in operands]
    except UnsupportedExpression:
        name = f"external function {parameter.outside.name}"
        raise UnsupportedExpression(f"{name} computes on floats, one point at a time, and on nothing else") from None


ENLARGED, LARGEST_MOVE = 2.0**20, 2.0**-10
"""An operand is moved by so many times its error, to rise above the function's noise, but by no more than this part of its
size."""


def moved(compute: Callable[[list[float]], Sequence[float]], operands: Sequence[Bounded]) -> list[float]:
    """How far the errors of the operands move each result. This is measured, since nothing else is known of the function."""
    point = [operand.value for operand in operands]
    centre = compute(point)
    total = [0.0] * len(centre)
    for j, operand in enumerate(operands):
        if not operand.error:
            continue
        if not operand.error < math.inf:
            return [math.inf] * len(centre)
        times = max(1.0, min(ENLARGED, LARGEST_MOVE * max(abs(operand.value), 1.0) / operand.error))
        sides = [compute([*point[:j], point[j] + side * times * operand.error, *point[j + 1 :]]) for side in (-1, 1)]
        for i, value in enumerate(centre):
            total[i] += max(abs(side[i] - value) for side in sides) / times
    return total


def _dot(numbers: Any, row: Sequence[Any], given: Sequence[Any | None]) -> Any | None:
    total = None
    for partial, number in zip(row, given, strict=True):
        if number is not None:
            term = numbers.mul(partial, number)
            total = term if total is None else numbers.add(total, term)
    return total


def _jacobian(numbers: Any, parameter: Called, operands: Sequence[Any]) -> list[list[Any]]:
    """Every partial, row by row: by the author's other rule, one sweep for each row or column; else by differences."""
    n, m = len(operands), parameter.found.size
    pushing, pulling = parameter.pushing(), parameter.pulling()

    def seeds(count: int, k: int) -> list[Any]:
        return [numbers.constant(int(i == k)) for i in range(count)]

    if pulling is not None:
        return [list(applied(numbers, EXTERNAL, pulling, [*operands, *seeds(m, i)])) for i in range(m)]
    if pushing is not None:
        columns = [applied(numbers, EXTERNAL, pushing, [*operands, *seeds(n, j)]) for j in range(n)]
        return [[column[i] for column in columns] for i in range(m)]
    flat = applied(numbers, DIFFERENCED, parameter, list(operands))
    return [flat[i * n : (i + 1) * n] for i in range(m)]


class Differenced(Compound):
    """The Jacobian of an outside function by finite differences, row by row."""

    def count(self, parameter: Parameter = None) -> int:
        return int(parameter.inputs)

    def results(self, parameter: Parameter = None) -> int:
        return int(parameter.inputs * parameter.found.size)

    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        return {}

    def weight(self, parameter: Parameter = None) -> float:
        return float(20 * parameter.inputs)  # about as many evaluations as a difference takes

    def written(self, operands: tuple[str, ...], parameter: Parameter = None) -> str:
        return f"difference of {EXTERNAL.written(operands, parameter)}"

    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        """Each partial; in numbers that know their error, with the error estimate. Raises DomainError where there is none."""
        if any(isinstance(operand, np.ndarray) for operand in operands):
            return one_by_one(lambda each: self.apply(FLOATS, parameter, each), operands)
        point = list(operands) if numbers is FLOATS else floats_of(operands, parameter)
        values = self._partials(parameter, point)
        if numbers is BOUNDED:
            passed = moved(lambda at: [v for v, _ in self._partials(parameter, at)], operands)
            return [Bounded(value, error + p) for (value, error), p in zip(values, passed, strict=True)]
        return [value if numbers is FLOATS else numbers.constant(value) for value, _ in values]

    def _partials(self, parameter: Called, point: list[float]) -> list[tuple[float, float]]:
        """Each partial with its error, row by row."""
        columns = [self._column(parameter, point, j) for j in range(len(point))]
        return [(float(np.ravel(c.df)[i]), float(np.ravel(c.error)[i])) for i in range(parameter.found.size) for c in columns]

    @staticmethod
    def _column(parameter: Called, point: list[float], j: int) -> Estimate:
        found = parameter.column(point, j)
        if not found.success:
            raise DomainError(
                f"differences find no derivative of external function {parameter.outside.name} by its number {j} at {point}: "
                f"{found.reason or 'the estimates do not settle'}; give adlab.external its jvp or vjp"
            )
        return found

    def jvp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            tangents: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        raise UnsupportedExpression(
            f"second derivatives of external function {parameter.outside.name} need its rule; give adlab.external its jvp or vjp"
        )

    def vjp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            bars: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        return self.jvp(numbers, parameter, operands, results, bars)


EXTERNAL, DIFFERENCED = External("external"), Differenced("difference of external")


Rule = Callable[..., Any] | None


def external(function: Callable[..., Any], jvp: Rule = None, vjp: Rule = None, error: float | None = None) -> Outside:
    """A function that cannot be traced, for use inside a traced function: one node, which calls it on floats and float arrays.

    `jvp(*arguments, *tangents)` returns the tangent of the result, `vjp(*arguments, adjoint)` the adjoint of each argument. One
    of them is enough. Without both, derivatives are finite differences, and a point where these find no derivative is refused.
    A rule is compared with differences once, when the function is first traced. Second derivatives are differences of the rule,
    unless the rule is itself `external` with rules of its own.

    `error` is the relative error of the function's values and of its rules. With it `adlab.rounding` bounds every partial,
    including the error of a difference. Without it that bound is infinite.

    Raises TracingError where a rule disagrees with differences, DomainError where the function raises, OptionError for an
    `error` that is no relative error.

    >>> import math
    >>> sine = external(lambda x: math.sin(float(x)), jvp=lambda x, dx: math.cos(x) * dx)
    >>> from adlab.tracing.traced import from_python
    >>> f = from_python(lambda x: 3.0 * sine(x), 0.0)
    >>> f.gradient(0.0)
    array([3.])
    """
    for name, given in (("function", function), ("jvp", jvp), ("vjp", vjp)):
        if not callable(given) and not (given is None and name != "function"):
            raise TracingError(f"the {name} of an external function must be callable, not {type(given).__name__}")
    if error is not None and not (isinstance(error, (int, float)) and 0 <= error < 1):
        raise OptionError(f"error={error!r} is no relative error; give a number from 0 to 1, such as 1e-15")
    return Outside(function, jvp, vjp, error)


__all__ = ["external"]
