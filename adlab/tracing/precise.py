"""Python code run on high-precision numbers. So code that has no formula is judged by its own values.

The meaning of each operation is that of `adlab.truth`, which evaluates SymPy's functions by mpmath. No graph and no rule of
differentiation takes part. `CodePlan` stands where `adlab.truth.values.Plan` stands for a formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from adlab.arithmetic.extended import Extended
from adlab.errors import AdlabError, DomainError, TracingError, UnsupportedExpression
from adlab.graph.compound import Compound
from adlab.primitives.primitive import Parameter, Primitive
from adlab.tracing.array import plain
from adlab.tracing.external import External
from adlab.tracing.names import traced_names
from adlab.tracing.program import Arguments, nested, run
from adlab.tracing.recorder import Recorder
from adlab.tracing.scalar import Scalar
from adlab.truth.judge import OutputTruth, heuristic
from adlab.truth.meanings import CONTEXT, exact, exported, magnitude, working
from adlab.truth.values import Outcome


class Precise(Recorder):
    """Numbers of mpmath with a fixed count of bits. Nothing is recorded; positions only tell the numbers apart.

    The same operation on the same numbers has the same position, so that a body that is run again meets the same numbers.
    """

    def __init__(self, bits: int) -> None:
        super().__init__(["x"])
        self.arithmetic = Extended(bits)
        self.positions: dict[Any, int] = {}
        self.conditions: set[int] = set()

    def fresh(self) -> int:
        """A position that no other number has."""
        return self._position(len(self.positions))

    def _position(self, key: Any) -> int:
        return self.positions.setdefault(key, len(self.positions))

    def compound(self, operation: Compound, parameter: Parameter, values: Sequence[Any]) -> Sequence[Any]:  # type: ignore[override]
        """What an operation with bodies gives: its bodies are walked with the same numbers."""
        if isinstance(operation, External):
            name = parameter.outside.name
            raise UnsupportedExpression(f"external function {name} computes on floats, and has no more digits to judge by")
        return operation.apply(self.arithmetic, parameter, values)

    def value(self, primitive: Primitive, values: Sequence[Any], parameter: Parameter) -> Any:  # type: ignore[override]
        """What the operation gives; NaN where it has no value."""
        return self.arithmetic.apply(primitive, parameter, list(values))

    def number(self, constant: Any) -> Any:  # type: ignore[override]
        """The binary64 number or the integer that it is."""
        return exact(int(constant)) if isinstance(constant, int) else exact(float(constant))

    def constant(self, value: Any) -> int:
        return self._position(("constant", value))

    plain = False

    def float_or_int(self, value: float) -> int:
        return self.constant(value)

    def node(self, primitive: Primitive, operands: tuple[int, ...], parameter: Parameter = None) -> int:
        position = self._position((primitive, operands, parameter))
        if primitive.truth_valued:
            self.conditions.add(position)
        return position

    def is_condition(self, position: int) -> bool:
        return position in self.conditions

    def decide(self, position: int, held: bool) -> bool:
        return held


@dataclass(frozen=True)
class Code:
    """Python code that computes f: the function, how a flat point becomes its arguments, and names for the point's numbers."""

    function: Callable[..., Any]
    arguments: Arguments
    names: tuple[str, ...]


def values(code: Code, point: Sequence[Any], bits: int = 200) -> list[Any]:
    """The outputs of the code itself, run on numbers of `bits` bits; NaN where there is none.

    Raises TracingError where the code cannot run on such numbers.

    >>> from adlab.tracing.program import Arguments
    >>> code = Code(lambda x: x * x - 2, Arguments(["x"], [()]), ("x",))
    >>> [str(value) for value in values(code, [1.5])]
    ['0.25']
    """
    recorder = Precise(bits)
    numbers = [Scalar(recorder, exact(x), recorder.fresh()) for x in point]
    with traced_names(getattr(code.function, "__globals__", None)):
        found = run(code.function, lambda: code.arguments.call(code.function, numbers))
    return [exported(_number(item)) for item in plain(nested(found)).ravel().tolist()]


def _number(item: Any) -> Any:
    if isinstance(item, Scalar):
        return item.value
    if isinstance(item, (int, float, np.number, np.bool_)):
        return exact(float(item))
    raise TracingError(f"the function must return numbers, not {type(item).__name__}")


def judged(code: Code, point: Sequence[Any], digits: int, m: int) -> list[OutputTruth]:
    """The value and the partials of each of the m outputs, from runs of the code alone: no graph, no rule of differentiation."""
    made: Any = CodePlan(code, range(m))
    pairs = [(i, j) for i in range(m) for j in range(len(point))]
    found = heuristic(made, [exact(number) for number in point], digits, pairs, range(m))
    return [found[i] for i in range(m)]


class NoValue:
    """Why the code has no value at a point."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def error(self) -> AdlabError:
        """As an exception."""
        return DomainError(self.reason)


@dataclass(frozen=True)
class CodePlan:
    """The code as the judge reads it: outputs at any precision, with an estimate of their error."""

    code: Code
    outputs: Sequence[int]

    @property
    def variables(self) -> tuple[sympy.Symbol, ...]:
        return tuple(sympy.Symbol(name, real=True) for name in self.code.names)

    def depends(self, output: int, index: int) -> bool:
        """Whether an output may depend on a variable: the code does not tell, so it may."""
        return True

    def used(self, slots: Sequence[Any], output: int) -> Iterator[Any]:
        """The numbers on the way to an output, which the code does not show."""
        return iter(())

    def base(self, point: Sequence[Any], bits: int) -> CodeState:
        """The code run at a point."""
        return CodeState(self, bits, [exact(number) for number in point])


MORE_BITS = 64
"""Bits that the second run has beyond the first: the difference of both estimates the error of the first."""


@dataclass(frozen=True)
class CodeState:
    """The code at one point with so many bits."""

    plan: CodePlan
    bits: int
    point: list[Any]
    slots: tuple[Any, ...] = ()

    def outcomes(self) -> list[Outcome]:
        """Each output with an estimate of its error, from a second run with more bits."""
        try:
            rough = values(self.plan.code, self.point, self.bits)
            fine = values(self.plan.code, self.point, self.bits + MORE_BITS)
        except AdlabError as reason:
            return [Outcome(None, CONTEXT.zero, NoValue(str(reason)))] * len(self.plan.outputs)  # type: ignore[arg-type]
        with working(self.bits + MORE_BITS):
            return [self._outcome(exact(rough[i]), exact(fine[i])) for i in self.plan.outputs]

    def _outcome(self, rough: Any, fine: Any) -> Outcome:
        if not CONTEXT.isfinite(fine) or not CONTEXT.isfinite(rough):
            return Outcome(None, CONTEXT.zero, NoValue("the function has no real value there"))  # type: ignore[arg-type]
        size = magnitude(fine) if fine else -self.bits
        return Outcome(fine, 2 * abs(rough - fine) + CONTEXT.ldexp(1, size - self.bits - MORE_BITS // 2), None)

    def moved(self, index: int, value: Any) -> list[Outcome]:
        """The outputs with one input at another value."""
        point = list(self.point)
        point[index] = exact(value)
        return CodeState(self.plan, self.bits, point).outcomes()

    def extent(self) -> int:
        """The magnitude in bits of the largest or smallest number among inputs and outputs."""
        found = [magnitude(x) for x in self.point if x] + [magnitude(o.value) for o in self.outcomes() if o.value]
        return max((abs(size) for size in found), default=0)
