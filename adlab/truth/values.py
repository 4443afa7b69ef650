"""From a SymPy expression to its value at any precision, with an estimate of its error. No graph, no derivative rule.

A `Plan` is made once from expressions and variables: a list of steps, each one mpmath operation on earlier slots. It can be
evaluated any number of times. `Plan.base` evaluates it at a point and keeps every slot. `State.moved` moves *one* variable from
there, and computes only the steps that depend on it.

Meanings are SymPy's (`adlab.truth.meanings`), and every slot carries its error (`adlab.truth.running_error`). A step without a
value (log 0, 1/0) gives a `Failure`. It spoils whatever uses it, and is raised only from an output. So branches of a
`Piecewise` that are not taken may fail without harm, although every branch is evaluated.

>>> x = sympy.Symbol("x")
>>> [mp_text(value, 20) for value in plan([sympy.sqrt(x), x / 3], [x]).values([2.0], bits=100)]
['1.4142135623730950488', '0.66666666666666666667']
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, partial, reduce
from typing import Any, NamedTuple

import sympy
from sympy.core.basic import Basic
from sympy.functions.elementary.piecewise import ExprCondPair

from adlab.errors import AdlabError, DomainError, GaveUp, OverflowedError, UnsupportedExpression, VariableError
from adlab.precision import in_time
from adlab.text.functions import spelled_out
from adlab.text.traversal import brief, postorder
from adlab.truth import meanings
from adlab.truth.meanings import CONTEXT, exact, exported, magnitude, mp_text, real, working
from adlab.truth.reality import surely_complex
from adlab.truth.running_error import (
    INFINITE,
    ZERO,
    Operation,
    attempt,
    branch_error,
    comparison_error,
    logic_error,
    measured_error,
    power_error,
    product_error,
    rounding,
    sum_error,
    taken_branch,
)

LARGEST_OPERAND = 2**14  # the largest operand of a function, in bits: sin and exp need that many more digits of pi and ln 2
SLOW_OPERANDS = 64, 2**11  # the same for a function that is summed as a series: upwards, and towards 0
LARGEST_ROOT = 64  # a root of higher degree is computed as a general power


_UNEVALUATED: dict[str, tuple[type[AdlabError], str]] = {
    "overflow": (OverflowedError, "too large or too near 0"),
    "stuck": (GaveUp, "its series does not converge"),
    "late": (GaveUp, "it takes too long"),
}


class Failure(NamedTuple):
    """Why a step has no value. It costs nothing until `error` is asked for the sentence."""

    kind: str
    node: Basic
    operands: tuple[tuple[Basic, Any], ...]

    def error(self) -> AdlabError:
        """The failure as an exception that names the operation and the operands that it met."""
        name = brief(self.node)
        at = ", ".join(f"{brief(node)} = {mp_text(value)}" for node, value in self.operands) or "this point"
        if self.kind in _UNEVALUATED:
            kind, why = _UNEVALUATED[self.kind]
            return kind(f"{name} cannot be evaluated at {at}: {why}; try another point")
        if self.kind == "branch":
            return DomainError(f"no condition of {name} holds here; give it a last branch with the condition True")
        lacks = "real operands" if self.kind == "complex" else "a finite value"
        operand = self.operands[0][1] if self.operands else None
        return DomainError(f"{name} does not have {lacks} at {at}", operation=name, operand=operand, condition=lacks)


class Outcome(NamedTuple):
    """One output: its value (None if it failed), its absolute error (infinite if unknown), its failure. `real` is false where an
    imaginary part within the error was left out."""

    value: Any
    error: Any
    failure: Failure | None
    real: bool = True


class Step(NamedTuple):
    """One operation on earlier slots. `node` is its place in the formula."""

    operation: Operation
    operands: tuple[int, ...]
    node: Basic


@dataclass(frozen=True)
class Plan:
    """Steps in the order of evaluation. Slots are numbered: variables first, then steps."""

    variables: tuple[sympy.Symbol, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]
    @cached_property
    def _reach(self) -> list[int]:
        """For each slot, the variables that it depends on: a bit for each."""
        reach = [1 << index for index in range(len(self.variables))]
        for step in self.steps:
            reach.append(reduce(operator.or_, map(reach.__getitem__, step.operands), 0))
        return reach

    @cached_property
    def _dependents(self) -> list[list[int]]:
        """For each variable its dependents, found in one pass: most slots depend on few variables."""
        found: list[list[int]] = [[] for _ in self.variables]
        for slot, left in enumerate(self._reach):
            while left:
                found[(left & -left).bit_length() - 1].append(slot)
                left &= left - 1
        return found

    def dependents(self, index: int) -> list[int]:
        """The slots that change with variable `index`, itself first, in the order of evaluation."""
        return self._dependents[index]

    def reached(self, slot: int) -> int:
        """Which variables a slot depends on, as an integer: bit k stands for variable k."""
        return self._reach[slot]

    def depends(self, output: int, index: int) -> bool:
        """Whether variable `index` occurs in output number `output`."""
        return bool(self._reach[self.outputs[output]] >> index & 1)

    def used(self, slots: Sequence[Any], output: int) -> Iterator[Any]:
        """The slots that output number `output` depends on. Slots of branches that are not taken are left out."""
        first, seen, stack = len(self.variables), set[int](), [self.outputs[output]]
        while stack:
            slot = stack.pop()
            if slot in seen:
                continue
            seen.add(slot)
            yield slots[slot]
            if slot >= first and not isinstance(slots[slot], Failure):
                operation, operands, _ = self.steps[slot - first]
                used = operation.uses([slots[o] for o in operands]) if operation.uses else range(len(operands))
                stack.extend(operands[index] for index in used)

    def base(self, point: Sequence[Any], bits: int) -> State:
        """Every slot at `point` (exact numbers: int, float, mpf or mpc) at `bits` of working precision."""
        if len(point) != len(self.variables):
            raise VariableError(f"{len(point)} numbers given for {len(self.variables)} variables; give one for each")
        blank = [None] * len(self.steps)
        state = State(self, bits, [exact(number) for number in point] + blank, [ZERO] * len(point) + blank)
        state.sweep(range(len(point), len(state.slots)))
        return state

    def values(self, point: Sequence[Any], bits: int) -> list[Any]:
        """The outputs at `point` as mpmath's own mpf or mpc. Raises the error of the first that failed."""
        outcomes = self.base(point, bits).outcomes()
        for outcome in outcomes:
            if outcome.failure is not None:
                raise outcome.failure.error()
        return [exported(outcome.value) for outcome in outcomes]


@dataclass
class State:
    """A plan evaluated at a point: the value of every slot (a `Failure` where there is none), and its error."""

    plan: Plan
    bits: int
    slots: list[Any]
    errors: list[Any]

    def moved(self, index: int, value: Any) -> list[Outcome]:
        """The outputs with variable `index` at `value`. This state stays as it is."""
        state = State(self.plan, self.bits, self.slots.copy(), self.errors.copy())
        state.slots[index] = exact(value)
        state.sweep(self.plan.dependents(index)[1:])
        return state.outcomes()

    def sweep(self, schedule: Iterable[int]) -> None:
        """Evaluates the slots of `schedule`, in this order."""
        first, steps, slots, errors = len(self.plan.variables), self.plan.steps, self.slots, self.errors
        with working(self.bits):
            for slot in schedule:
                operation, operands, _ = steps[slot - first]
                values, own = [slots[operand] for operand in operands], [errors[operand] for operand in operands]
                if operation.uses is None and Failure in map(type, values):
                    spoiled = next(index for index, value in enumerate(values) if isinstance(value, Failure))
                    slots[slot], errors[slot] = values[spoiled], own[spoiled]
                    continue
                value, failed = attempt(operation.apply, values, operation.largest, operation.tiniest)
                if failed:
                    slots[slot], errors[slot] = self._failure(slot, failed), _uncertainty(failed, own)
                else:
                    slots[slot], errors[slot] = value, operation.error(values, own, value)

    def _failure(self, slot: int, kind: str) -> Failure:
        first = len(self.plan.variables)
        operation, operands, node = self.plan.steps[slot - first]
        if operation.uses is not None:
            return Failure(kind, node, ())
        names = (self.plan.variables[o] if o < first else self.plan.steps[o - first].node for o in operands)
        return Failure(kind, node, tuple(zip(names, map(self.slots.__getitem__, operands), strict=True)))

    def outcomes(self) -> list[Outcome]:
        """The outputs. An imaginary part no larger than the error counts as none, unless the operations tell that it is one."""
        with working(self.bits):
            return [self._outcome(slot) for slot in self.plan.outputs]

    def _outcome(self, slot: int) -> Outcome:
        value, error = self.slots[slot], CONTEXT.make_mpf(self.errors[slot])
        if isinstance(value, Failure):
            return Outcome(None, error, value)
        doubtful = hasattr(value, "_mpc_") and abs(value.imag) <= error
        if not doubtful or surely_complex(self.plan.steps, self.slots, self.errors, slot):
            return Outcome(value, error, None)
        return Outcome(value.real, error, None, not value.imag)

    def extent(self) -> int:
        """The magnitude, up or down, of the largest or smallest number in the formula, in bits: how far sizes may be from 1.

        Numbers that may be 0 do not count.
        """
        found = 0
        for value, error in zip(self.slots, self.errors, strict=True):
            if not isinstance(value, (bool, Failure)) and abs(value) > CONTEXT.make_mpf(error):
                found = max(found, abs(magnitude(value)))
        return found


def _uncertainty(failed: str, errors: Sequence[Any]) -> Any:
    """The error of a failure. It is certain only if the operands were exact; for a `Piecewise`, if the conditions were."""
    return ZERO if all(error == ZERO for error in (errors[1::2] if failed == "branch" else errors)) else INFINITE


# --- making a plan --------------------------------------------------------------------------------------------


def plan(expressions: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol]) -> Plan:
    """The steps that evaluate `expressions`, each distinct object once.

    Raises `UnsupportedExpression` for a function without a meaning here, and `VariableError` for a symbol that is not one of
    `variables`.

    >>> x, y = sympy.symbols("x y")
    >>> [int(value) for value in plan([x * y, x + y], [x, y]).values([2.0, 5.0], bits=60)]
    [10, 7]
    """
    for expression in expressions:
        if not isinstance(expression, sympy.Expr):
            raise UnsupportedExpression(f"{brief(expression)} is not a number; an output must be a formula")
    writer, expressions = _Writer(tuple(variables)), spelled_out(expressions, keep=meanings.FUNCTIONS)
    for node in postorder(expressions):
        writer.add(node)
    return Plan(writer.variables, tuple(writer.steps), tuple(writer.slots[id(root)] for root in expressions))


class _Writer:
    """Writes the list of steps, equal ones once. `slots` finds the slot of every expression object by its identity."""

    def __init__(self, variables: tuple[sympy.Symbol, ...]) -> None:
        self.variables = variables
        self.positions = {variable: position for position, variable in enumerate(variables)}
        self.slots: dict[int, int] = {}
        self.steps: list[Step] = []
        self.written: dict[tuple[object, ...], int] = {}

    def add(self, node: Basic) -> None:
        if isinstance(node, ExprCondPair):  # its Piecewise reads it
            return
        if isinstance(node, sympy.Symbol):
            if node not in self.positions:
                raise VariableError(f"{brief(node)} is not among the given variables; add it to them")
            self.slots[id(node)] = self.positions[node]
        elif type(node) in _FOLDED:
            self.slots[id(node)] = self._fold(_FOLDED[type(node)], [self.slots[id(term)] for term in node.args], node)
        else:
            operation, operands = _operation(node)
            self.slots[id(node)] = self._write(operation, [self.slots[id(operand)] for operand in operands], node)

    def _write(self, operation: Operation, operands: Sequence[int], node: Basic) -> int:
        key = (operation, *operands) if operands else (type(node), node)
        if key not in self.written:
            self.steps.append(Step(operation, tuple(operands), node))
            self.written[key] = len(self.variables) + len(self.steps) - 1
        return self.written[key]

    def _fold(self, operation: Operation, slots: list[int], node: Basic) -> int:
        """In balanced pairs, so that moving one of n operands changes only log n steps."""
        while len(slots) > 1:
            pairs = [self._write(operation, slots[i : i + 2], node) for i in range(0, len(slots) - 1, 2)]
            slots = pairs + slots[2 * len(pairs) :]
        return slots[0]


def _operation(node: Basic) -> tuple[Operation, Sequence[Basic]]:
    """The operation of one node, and the nodes that are its operands."""
    if not node.args:
        return _constant(node), ()
    if isinstance(node, sympy.Pow):
        return _power(node)
    if isinstance(node, sympy.Piecewise):
        return _BRANCH, [part for pair in node.args for part in pair.args]
    for cls in type(node).__mro__:
        if cls in _COMPARISONS:
            return _COMPARISONS[cls], node.args
        if cls in _LOGIC:
            return _LOGIC[cls], node.args
        if cls in meanings.FUNCTIONS:
            return _function(cls), node.args
    raise UnsupportedExpression(
        f"no numerical meaning is known for `{type(node).__name__}` in {brief(node)}; write it by elementary functions"
    )


@cache
def _function(cls: type) -> Operation:
    apply = partial(in_time, meanings.FUNCTIONS[cls]) if cls in meanings.SLOW else meanings.FUNCTIONS[cls]
    error = measured_error(apply, exact=cls in meanings.EXACT, jumps=cls in meanings.JUMPING)
    limits = SLOW_OPERANDS if cls in meanings.SLOW else () if cls in meanings.EASY else (LARGEST_OPERAND,)
    return Operation(apply, error, *limits)


def _power(node: Basic) -> tuple[Operation, Sequence[Basic]]:
    base, exponent = node.args
    if isinstance(exponent, sympy.Integer):
        return _integer_power(int(exponent)), (base,)
    if isinstance(exponent, sympy.Rational) and exponent.q <= LARGEST_ROOT:
        return _root_power(int(exponent.p), int(exponent.q)), (base,)
    if isinstance(base, type(sympy.E)):
        return _function(sympy.exp), (exponent,)
    return _GENERAL_POWER, node.args


@lru_cache(1000)
def _integer_power(exponent: int) -> Operation:
    return Operation(partial(meanings.integer_power, exponent), power_error(exponent))


@lru_cache(1000)
def _root_power(numerator: int, degree: int) -> Operation:
    apply = partial(meanings.root_power, numerator, degree)
    return Operation(apply, measured_error(apply))


def _constant(node: Basic) -> Operation:
    apply, is_exact = _number(node)
    return Operation(apply, lambda operands, errors, value: ZERO if is_exact else rounding(value))


def _number(node: Basic) -> tuple[Callable[[], Any], bool]:
    """A constant as a function of the working precision, and whether it is exact at every precision."""
    if isinstance(node, sympy.Float):
        return partial(CONTEXT.make_mpf, node._mpf_), True
    if isinstance(node, sympy.Integer):
        return partial(exact, int(node)), True
    if isinstance(node, sympy.Rational):
        is_short = not node.q & (node.q - 1) and int(node.p).bit_length() <= 53  # such as 5/2: every precision holds it
        return lambda: CONTEXT.mpf(node.p) / node.q, is_short
    if type(node) in meanings.CONSTANTS:
        return meanings.CONSTANTS[type(node)], False
    if isinstance(node, type(sympy.I)):
        return lambda: CONTEXT.mpc(0, 1), True
    if node in (sympy.true, sympy.false):
        return partial(bool, node == sympy.true), True
    raise UnsupportedExpression(f"the constant {brief(node)} is not a finite number; leave it out of the formula")


_FOLDED = {
    sympy.Add: Operation(operator.add, sum_error),
    sympy.Mul: Operation(operator.mul, product_error),
    sympy.Min: Operation(meanings.minimum, measured_error(meanings.minimum, exact=True)),
    sympy.Max: Operation(meanings.maximum, measured_error(meanings.maximum, exact=True)),
}

_COMPARISONS = {
    sympy.Eq: Operation(operator.eq, comparison_error),
    sympy.Ne: Operation(operator.ne, comparison_error),
    sympy.Lt: Operation(lambda a, b: real(a) < real(b), comparison_error),
    sympy.Le: Operation(lambda a, b: real(a) <= real(b), comparison_error),
    sympy.Gt: Operation(lambda a, b: real(a) > real(b), comparison_error),
    sympy.Ge: Operation(lambda a, b: real(a) >= real(b), comparison_error),
}

_LOGIC = {
    sympy.And: Operation(meanings.all_hold, logic_error(False), uses=lambda operands: range(len(operands))),
    sympy.Or: Operation(meanings.one_holds, logic_error(True), uses=lambda operands: range(len(operands))),
    sympy.Not: Operation(operator.not_, logic_error(True)),
}

_GENERAL_POWER = Operation(meanings.general_power, measured_error(meanings.general_power), LARGEST_OPERAND)

_BRANCH = Operation(lambda *operands: operands[taken_branch(operands)[-1]], branch_error, uses=taken_branch)
