"""SymPy expression → value to any precision, with an estimate of its error; no graph and no derivative rule.

A `Plan` is made once from expressions and variables: a list of steps, each one mpmath operation on earlier
slots, evaluated as often as one likes. `Plan.base` evaluates it at a point and keeps every slot; moving *one*
variable from there (`State.moved`) redoes only the steps that depend on it.

Each slot carries a running error, for precision alone is no guide: ``x*(1 + (exp(1e-80) - 1)*1e80)`` reads x
at 60 and at 75 digits, and is 2x. The error of a sum or product is the usual bound; that of any other
operation is measured: how far does its value move when its operand moves by its own error? So cancellation,
ill-conditioned functions and undecided comparisons all show as a large error (or an infinite one), and whoever
asked can come again with more bits.

Meanings are SymPy's, on the complex numbers with principal branches. A step that has no value (log 0, 1/0)
yields a `Failure`, which spoils whatever uses it and is raised only from an output. So the branches which a
`Piecewise` does not take may fail without harm, although every branch is evaluated.

>>> x = sympy.Symbol("x")
>>> plan([sympy.sqrt(x), x / 3], [x]).values([2.0], bits=100)[0]
mpf('1.4142135623730951')
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import mpmath
import sympy
from mpmath import libmp
from sympy.core.basic import Basic
from sympy.functions.elementary.piecewise import ExprCondPair

from adlab.errors import AdlabError, DomainError, GaveUp, OverflowedError, UnsupportedExpression, VariableError
from adlab.expressions import brief, postorder

CONTEXT: Any = mpmath.MPContext()  # our own, so that the user's mpmath.mp keeps its precision
_LOCK = threading.RLock()  # the context's precision is shared by all threads
LARGEST_MAGNITUDE = 2**64  # of any value, in bits: mpmath's exponents are integers of any size
LARGEST_ARGUMENT = 2**14  # of a function, in bits: sin and exp need that many more digits of pi and ln 2
ERROR_BITS = 12  # errors are kept this short, and rounded up


@contextmanager
def working(bits: int) -> Iterator[None]:
    """Arithmetic on the numbers of this module runs at `bits` of precision inside this block."""
    with _LOCK, CONTEXT.workprec(bits):
        yield


class Failure(NamedTuple):
    """Why a step has no value; costs nothing until `error` is asked for the sentence."""

    kind: str
    node: Basic
    operands: tuple[tuple[Basic, Any], ...]

    def error(self) -> AdlabError:
        """The failure as an exception that names the operation and the operands met there."""
        name = brief(self.node)
        where = ", ".join(f"{brief(node)} = {_short(value)}" for node, value in self.operands)
        at = f" where {where}" if where else ""
        if self.kind == "overflow":
            return OverflowedError(f"{name} is too large or too small to be evaluated{at}; try a point of smaller size")
        if self.kind == "stuck":
            return GaveUp(f"{name} cannot be evaluated{at}: the series used for it does not converge there")
        operand = self.operands[0][1] if self.operands else None
        sentence = {
            "pole": f"{name} has no finite value{at}",
            "complex": f"{name} needs real operands, and has a complex one{at}",
            "branch": f"no condition of {name} holds at this point; add a last branch with the condition True",
        }[self.kind]
        return DomainError(sentence, operation=name, operand=operand, condition=sentence)


class _NotReal(ValueError):
    """A complex operand where the operation knows only real ones."""


class Outcome(NamedTuple):
    """One output: its value (None if it failed), an estimate of its absolute error (infinite if nothing
    is known at this precision), and the failure if there is one. Do arithmetic on both inside `working`."""

    value: Any
    error: Any
    failure: Failure | None


class Step(NamedTuple):
    """One operation: `apply(*arguments)` writes a slot; `error(arguments, errors, result)` estimates its error."""

    apply: Callable[..., Any]
    operands: tuple[int, ...]
    node: Basic
    error: Callable[[list[Any], list[Any], Any], Any]
    guarded: bool = False  # arguments must be of reasonable magnitude
    lazy: bool = False  # takes failed arguments: uses some operands only


@dataclass(frozen=True)
class Plan:
    """Steps in the order of evaluation; slots are numbered variables first, then steps."""

    variables: tuple[sympy.Symbol, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]
    _dependents: dict[int, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)

    def dependents(self, index: int) -> tuple[int, ...]:
        """The slots that change with variable `index`, itself first, in the order of evaluation."""
        if index not in self._dependents:
            reached = bytearray(len(self.variables) + len(self.steps))
            reached[index] = 1
            for slot, step in enumerate(self.steps, len(self.variables)):
                reached[slot] = any(reached[operand] for operand in step.operands)
            self._dependents[index] = tuple(slot for slot, hit in enumerate(reached) if hit)
        return self._dependents[index]

    def depends(self, output: int, index: int) -> bool:
        """Whether variable `index` occurs in output number `output`."""
        return self.outputs[output] in self.dependents(index)

    def base(self, point: Sequence[Any], bits: int) -> State:
        """Every slot at `point` (exact numbers: float, int, mpf or mpc), at `bits` of working precision."""
        if len(point) != len(self.variables):
            raise VariableError(f"the point has {len(point)} numbers for {len(self.variables)} variables")
        blank = [None] * len(self.steps)
        state = State(self, bits, [exact(number) for number in point] + blank, [_ZERO] * len(point) + blank)
        state.sweep(range(len(point), len(state.slots)))
        return state

    def values(self, point: Sequence[Any], bits: int) -> list[Any]:
        """The outputs at `point` as mpmath's own mpf or mpc. Raises the error of the first that fails."""
        results = []
        for value, _, failure in self.base(point, bits).outcomes():
            if failure is not None:
                raise failure.error()
            results.append(exported(value))
        return results


@dataclass
class State:
    """A plan evaluated at a point: `slots` hold the values, `errors` the estimates of their errors (raw mpf)."""

    plan: Plan
    bits: int
    slots: list[Any]
    errors: list[Any]

    def moved(self, index: int, value: Any) -> list[Outcome]:
        """The outputs with variable `index` at `value` instead; this state stays as it is."""
        state = State(self.plan, self.bits, self.slots.copy(), self.errors.copy())
        state.slots[index] = exact(value)
        state.sweep(self.plan.dependents(index)[1:])
        return state.outcomes()

    def sweep(self, schedule: Iterable[int]) -> None:
        """Evaluate the slots of `schedule`, in this order."""
        first, steps, slots, errors = len(self.plan.variables), self.plan.steps, self.slots, self.errors
        with working(self.bits):
            for slot in schedule:
                step = steps[slot - first]
                arguments = [slots[operand] for operand in step.operands]
                bounds = [errors[operand] for operand in step.operands]
                slots[slot], errors[slot] = self._evaluate(step, arguments, bounds)

    def _evaluate(self, step: Step, arguments: list[Any], bounds: list[Any]) -> tuple[Any, Any]:
        if not step.lazy:
            for argument, bound in zip(arguments, bounds, strict=True):
                if argument.__class__ is Failure:
                    return argument, bound
            kind = "overflow" if step.guarded and any(_magnitude(a) > LARGEST_ARGUMENT for a in arguments) else ""
        else:
            kind = ""
        if not kind:
            result, kind = _attempt(step.apply, arguments)
        if not kind:
            return result, step.error(arguments, bounds, result)
        operands = tuple((self._node(o), a) for o, a in zip(step.operands, arguments, strict=True) if not step.lazy)
        uncertain = any(bound != _ZERO for bound in bounds)
        return Failure(kind, step.node, operands), libmp.finf if uncertain else _ZERO

    def _node(self, slot: int) -> Basic:
        first = len(self.plan.variables)
        return self.plan.variables[slot] if slot < first else self.plan.steps[slot - first].node

    def outcomes(self) -> list[Outcome]:
        """The outputs, where an imaginary part no larger than the error counts as none."""
        results = []
        for slot in self.plan.outputs:
            value, error = self.slots[slot], CONTEXT.make_mpf(self.errors[slot])
            if value.__class__ is Failure:
                results.append(Outcome(None, error, value))
                continue
            if value.__class__ is CONTEXT.mpc and (abs(value.imag) <= error or _vanishes(value, self.bits)):
                value = value.real
            results.append(Outcome(value, error, None))
        return results

    def used(self, output: int) -> Iterator[Any]:
        """The values that output number `output` rests on, without the branches not taken."""
        first, seen, stack = len(self.plan.variables), set[int](), [self.plan.outputs[output]]
        while stack:
            slot = stack.pop()
            if slot in seen:
                continue
            seen.add(slot)
            yield self.slots[slot]
            if slot >= first:
                step = self.plan.steps[slot - first]
                taken = _taken([self.slots[o] for o in step.operands]) if step.apply is _piecewise else None
                stack.extend(step.operands if taken is None else step.operands[1 : taken + 2 : 2])
                stack.extend(step.operands[taken : taken + 1] if taken is not None else ())
