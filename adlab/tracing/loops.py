"""Control flow that stays in the graph: a loop or a branch is one node, with a graph of its own as its body.

`Scan` repeats a body a fixed number of times, `While` until its condition fails, `Branch` takes one of two bodies. Each follows
the protocol of `adlab.graph.compound`. The tangent of a loop is a loop over the tangent of its body. The adjoint of a loop is a
loop that runs backwards. It computes the states of the first loop again, from checkpoints at every √T-th step, so it needs
memory for 2√T states and not for T (Griewank & Walther 2008, chapter 12).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from adlab.arithmetic.floats import FLOATS, compile_python
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.programs import adjoint_program, fresh, tangent_program
from adlab.autodiff.unrolled import Unrolled
from adlab.errors import DomainError, GaveUp, UnsupportedExpression
from adlab.graph import rules
from adlab.graph.compound import Compound, applied, filled
from adlab.graph.graph import Builder, Graph
from adlab.primitives.primitive import Parameter

MOST_TURNS = 10_000_000
"""Turns after which a `While` on floats gives up."""
MOST_SLOW_TURNS = 20_000
"""The same on other numbers: a turn on high-precision numbers takes a hundred times as long."""


def body_outputs(numbers: Any, body: Graph, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of a body in any arithmetic."""
    return list(stepper(numbers, body)(*inputs))


def stepper(numbers: Any, body: Graph) -> Callable[..., Sequence[Any]]:
    """From the inputs of a body to its outputs, in any arithmetic. On floats the body is compiled."""
    if numbers is FLOATS:
        return compiled(body)

    def step(*inputs: Any) -> list[Any]:
        values = evaluate(body, list(inputs), numbers)
        return [values[output] for output in body.outputs]

    return step


def compiled(body: Graph) -> Callable[..., tuple[float, ...]]:
    """The body as straight-line Python, made once."""
    kept = body.__dict__.get("compiled")
    if kept is None:
        kept = body.__dict__["compiled"] = compile_python(body)
    return cast(Callable[..., tuple[float, ...]], kept)


def both(body: Graph, moved: Graph) -> Graph:
    """A graph with the outputs of the body and then those of its tangent program, whose first inputs are the body's."""
    builder = Builder(moved.inputs, simplify=True)
    values = rules.splice(builder, body, range(len(body.inputs)))
    return builder.finish([*values, *rules.splice(builder, moved, range(len(moved.inputs)))])


def dotted(body: Graph) -> list[str]:
    return fresh(body.inputs, [f"{name}_dot" for name in body.inputs])


@dataclass(frozen=True, eq=False)
class Scanned:
    """A loop of `length` turns.

    The body's inputs are the carried numbers, the constants, and the turn's own numbers. Its outputs are the carried numbers,
    then the numbers that the turn gives out.
    """

    body: Graph
    carried: int
    constants: int
    own: int
    length: int

    @property
    def out(self) -> int:
        """How many numbers a turn gives out."""
        return len(self.body.outputs) - self.carried

    def parts(self, operands: Sequence[Any]) -> tuple[list[Any], list[Any], list[list[Any]]]:
        """Carried numbers, constants, and the own numbers of each turn."""
        fixed = self.carried + self.constants
        rest = list(operands[fixed : fixed + self.own * self.length])
        turns = [rest[t * self.own : (t + 1) * self.own] for t in range(self.length)] if self.own else [[]] * self.length
        return list(operands[: self.carried]), list(operands[self.carried : fixed]), turns

    @cached_property
    def tangent(self) -> Scanned:
        """The loop over the body and its tangent side by side: carried numbers and their tangents, and so on."""
        body = both(self.body, tangent_program(self.body, dotted(self.body)))
        count = len(self.body.inputs)
        c, k = self.carried, self.constants
        order = [*range(c), *range(count, count + c), *range(c, c + k), *range(count + c, count + c + k),
                 *range(c + k, count), *range(count + c + k, 2 * count)]  # fmt: skip
        outs = len(self.body.outputs)
        results = [*range(c), *range(outs, outs + c), *range(c, outs), *range(outs + c, 2 * outs)]
        return Scanned(reordered(body, order, results), 2 * c, 2 * k, 2 * self.own, self.length)

    @cached_property
    def adjoint(self) -> Graph:
        """The reverse sweep of one turn, as a graph. It reads the body's inputs and then the adjoints of its outputs. It gives
        the adjoints of its inputs."""
        return adjoint_program(self.body, fresh(self.body.inputs, [f"bar{k}" for k in range(len(self.body.outputs))]))


def reordered(graph: Graph, inputs: Sequence[int], outputs: Sequence[int]) -> Graph:
    """The same graph with its inputs and outputs in another order."""
    builder = Builder([graph.inputs[i] for i in inputs])
    place = [0] * len(inputs)
    for new, old in enumerate(inputs):
        place[old] = new
    found = rules.splice(builder, graph, place)
    return builder.finish([found[k] for k in outputs])


class Scan(Compound):
    """A loop of a fixed number of turns."""

    def count(self, parameter: Parameter = None) -> int:
        return int(parameter.carried + parameter.constants + parameter.own * parameter.length)

    def results(self, parameter: Parameter = None) -> int:
        return int(parameter.carried + parameter.out * parameter.length)

    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        return {"turn": parameter.body}

    def weight(self, parameter: Parameter = None) -> float:
        return float(parameter.length * parameter.body.weight())

    def written(self, operands: tuple[str, ...], parameter: Parameter = None) -> str:
        shown = operands if len(operands) <= 8 else (*operands[:7], "…")
        return f"scan({', '.join(shown)}; {parameter.length} turns)"

    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        carry, constants, turns = parameter.parts(operands)
        step, c = stepper(numbers, parameter.body), parameter.carried
        out: list[Any] = []
        for own in turns:
            found = step(*carry, *constants, *own)
            carry = found[:c]
            out += found[c:]
        return [*carry, *out]

    def jvp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            tangents: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        carry, constants, turns = parameter.parts(operands)
        moved, held, driven = parameter.parts(filled(numbers, tangents))
        own = [number for a, b in zip(turns, driven, strict=True) for number in (*a, *b)]
        found = applied(numbers, SCAN, parameter.tangent, [*carry, *moved, *constants, *held, *own])
        c, out = parameter.carried, parameter.out
        rest = found[2 * c :]
        return [*found[c : 2 * c], *(rest[2 * out * t + out + k] for t in range(parameter.length) for k in range(out))]

    def vjp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            bars: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        return applied(numbers, SCAN_BACK, parameter, [*operands, *filled(numbers, bars)])


class ScanBack(Unrolled):
    """The adjoint of a scan. Operands: the scan's, then the adjoints of its results. Results: the adjoints of its operands."""

    def count(self, parameter: Parameter = None) -> int:
        return SCAN.count(parameter) + SCAN.results(parameter)

    def results(self, parameter: Parameter = None) -> int:
        return SCAN.count(parameter)

    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        return {"turn": parameter.body, "adjoint of a turn": parameter.adjoint}

    def weight(self, parameter: Parameter = None) -> float:
        return float(parameter.length * (parameter.body.weight() + parameter.adjoint.weight()))

    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        given = SCAN.count(parameter)
        carry, constants, turns = parameter.parts(operands[:given])
        bars = list(operands[given:])
        c, out = parameter.carried, parameter.out
        passed, put = bars[:c], bars[c:]
        held: list[Any] = [numbers.constant(0)] * parameter.constants
        driven: list[Sequence[Any]] = []
        back = stepper(numbers, parameter.adjoint)
        for t, state in backwards(numbers, parameter, carry, constants, turns):
            found = back(*state, *constants, *turns[t], *passed, *put[t * out : (t + 1) * out])
            passed = list(found[:c])
            held = [numbers.add(a, b) for a, b in zip(held, found[c : c + parameter.constants], strict=True)]
            if parameter.own:
                driven.append(found[c + parameter.constants :])
        return [*passed, *held, *(number for own in reversed(driven) for number in own)]


def backwards(
    numbers: Any, p: Scanned, carry: list[Any], constants: list[Any], turns: list[list[Any]]
) -> Iterator[tuple[int, Sequence[Any]]]:
    """Each turn with the state before it, the last turn first. States are kept at every √T-th turn and computed again between."""
    stride, step, c = max(1, math.isqrt(p.length)), stepper(numbers, p.body), p.carried
    kept: list[Sequence[Any]] = []
    state: Sequence[Any] = carry
    for t in range(p.length):
        if t % stride == 0:
            kept.append(state)
        if t < p.length - 1:
            state = step(*state, *constants, *turns[t])[:c]
    for block in range(len(kept) - 1, -1, -1):
        start, states = block * stride, [kept[block]]
        end = min(start + stride, p.length)
        for t in range(start, end - 1):
            states.append(step(*states[-1], *constants, *turns[t])[:c])
        for t in range(end - 1, start - 1, -1):
            yield t, states[t - start]


@dataclass(frozen=True, eq=False)
class Repeated:
    """A loop that turns as long as `condition` is not 0. Both bodies read the carried numbers and the constants."""

    condition: Graph
    body: Graph
    carried: int
    constants: int

    @cached_property
    def tangent(self) -> Repeated:
        """The loop over the body and its tangent side by side, with the same condition."""
        scanned = Scanned(self.body, self.carried, self.constants, 0, 1).tangent
        count, c = len(self.body.inputs), self.carried
        builder = Builder(scanned.body.inputs)
        place = [*range(c), *range(2 * c, 2 * c + count - c)]
        condition = builder.finish(rules.splice(builder, self.condition, place))
        return Repeated(condition, scanned.body, 2 * c, 2 * self.constants)


class While(Compound):
    """A loop that turns until its condition fails. It needs numbers that can be compared."""

    def count(self, parameter: Parameter = None) -> int:
        return int(parameter.carried + parameter.constants)

    def results(self, parameter: Parameter = None) -> int:
        return int(parameter.carried)

    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        return {"condition": parameter.condition, "turn": parameter.body}

    def written(self, operands: tuple[str, ...], parameter: Parameter = None) -> str:
        return f"while({', '.join(operands)})"

    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        return turned(numbers, parameter, operands)[0]

    def jvp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            tangents: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        c, dots = parameter.carried, filled(numbers, tangents)
        found = applied(numbers, WHILE, parameter.tangent, [*operands[:c], *dots[:c], *operands[c:], *dots[c:]])
        return found[c:]

    def vjp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            bars: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        return applied(numbers, WHILE_BACK, parameter, [*operands, *filled(numbers, bars)])


def turned(numbers: Any, parameter: Repeated, operands: Sequence[Any]) -> tuple[list[Any], int]:
    """The last state of a while loop, and its turns. Raises DomainError if it cannot end, GaveUp after very many."""
    carry, constants = list(operands[: parameter.carried]), list(operands[parameter.carried :])
    test, step = stepper(numbers, parameter.condition), stepper(numbers, parameter.body)
    most = MOST_TURNS if numbers is FLOATS else MOST_SLOW_TURNS
    for turns in range(most):
        if not holds(test(*carry, *constants)[0]):
            return carry, turns
        after = list(step(*carry, *constants))
        if all(_same(a, b) for a, b in zip(after, carry, strict=True)):
            raise DomainError(f"a while_loop cannot end: after {turns:,} turns its numbers change no more; check its condition")
        carry = after
    raise GaveUp(f"a while_loop has not ended after {most:,} turns; check its condition")


class WhileBack(Compound):
    """The adjoint of a while loop: it counts the turns, then is the adjoint of a scan of so many."""

    def count(self, parameter: Parameter = None) -> int:
        return WHILE.count(parameter) + WHILE.results(parameter)

    def results(self, parameter: Parameter = None) -> int:
        return WHILE.count(parameter)

    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        return WHILE.bodies(parameter)

    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        _, turns = turned(numbers, parameter, operands[: WHILE.count(parameter)])
        scanned = Scanned(parameter.body, parameter.carried, parameter.constants, 0, turns)
        if not turns:
            return [*operands[WHILE.count(parameter) :], *[numbers.constant(0)] * parameter.constants]
        return SCAN_BACK.apply(numbers, scanned, operands)

    def jvp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            tangents: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        raise UnsupportedExpression("reverse mode through a while_loop has no derivative; use scan for second derivatives")

    def vjp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            bars: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        return self.jvp(numbers, parameter, operands, results, bars)


@dataclass(frozen=True, eq=False)
class Branched:
    """Two bodies with the same inputs and the same number of outputs."""

    yes: Graph
    no: Graph


class Branch(Compound):
    """One of two bodies: the first operand says which. Only that one is computed."""

    def count(self, parameter: Parameter = None) -> int:
        return 1 + len(parameter.yes.inputs)

    def results(self, parameter: Parameter = None) -> int:
        return len(parameter.yes.outputs)

    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        return {"if": parameter.yes, "else": parameter.no}

    def written(self, operands: tuple[str, ...], parameter: Parameter = None) -> str:
        return f"cond({', '.join(operands)})"

    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        return body_outputs(numbers, parameter.yes if holds(operands[0]) else parameter.no, operands[1:])

    def jvp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            tangents: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        moved = Branched(*(tangent_program(body, dotted(body)) for body in (parameter.yes, parameter.no)))
        return applied(numbers, BRANCH, moved, [*operands, *filled(numbers, tangents[1:])])

    def vjp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            bars: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        names = fresh([*parameter.yes.inputs, *parameter.no.inputs], [f"bar{k}" for k in range(len(results))])
        passed = Branched(*(adjoint_program(body, names) for body in (parameter.yes, parameter.no)))
        return [None, *applied(numbers, BRANCH, passed, [*operands, *filled(numbers, bars)])]


def _same(a: Any, b: Any) -> bool:
    """Whether two numbers, or arrays of them, are equal. NumPy would clear the processor's flags, so floats go without it."""
    equal = a == b
    return bool(equal.all()) if hasattr(equal, "all") else bool(equal)


def holds(condition: Any) -> bool:
    """Whether a condition is not 0. Raises UnsupportedExpression for what is not a single number: arrays, intervals, letters."""
    value = getattr(condition, "value", condition)
    if isinstance(value, (int, float)) or hasattr(value, "_mpf_"):
        return bool(value != 0)
    raise UnsupportedExpression(
        "a loop or a branch that depends on values needs one point at a time: these numbers are many, or cannot be compared"
    )


SCAN, SCAN_BACK = Scan("scan"), ScanBack("scan_back")
WHILE, WHILE_BACK = While("while"), WhileBack("while_back")
BRANCH = Branch("cond")
