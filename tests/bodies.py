"""A compound operation for the tests: one that applies its body graph a fixed number of times, forward and in reverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.programs import adjoint_program, fresh, tangent_program
from adlab.autodiff.unrolled import Unrolled
from adlab.graph.compound import Compound, applied, filled
from adlab.graph.graph import Builder, Graph
from adlab.graph.rules import splice


@dataclass(frozen=True)
class Repeated:
    """What a node of `repeat` is made of: a body with `states` outputs, which its first inputs become, `times` times."""

    body: Graph
    times: int

    @property
    def states(self) -> int:
        return len(self.body.outputs)


class _Repeat(Compound):
    def count(self, parameter: Any = None) -> int:
        return len(parameter.body.inputs)

    def results(self, parameter: Any = None) -> int:
        return parameter.states

    def bodies(self, parameter: Any = None) -> dict[str, Graph]:
        return {"body": parameter.body}

    def weight(self, parameter: Any = None) -> float:
        return parameter.times * parameter.body.weight()

    def written(self, operands: tuple[str, ...], parameter: Any = None) -> str:
        return f"repeat({', '.join(operands)}; {parameter.times} times)"

    def apply(self, numbers: Any, parameter: Any, operands: Sequence[Any]) -> Sequence[Any]:
        return list(states_of(numbers, parameter, operands))[-1]

    def jvp(self, numbers: Any, parameter: Any, operands: Any, results: Any, tangents: Any) -> Sequence[Any | None]:
        n, moved = parameter.states, filled(numbers, tangents)
        inside = [*operands[:n], *moved[:n], *operands[n:], *moved[n:]]
        return applied(numbers, REPEAT, Repeated(tangent_body(parameter.body), parameter.times), inside)[n:]

    def vjp(self, numbers: Any, parameter: Any, operands: Any, results: Any, bars: Any) -> Sequence[Any | None]:
        return applied(numbers, BACKWARDS, parameter, [*operands, *filled(numbers, bars)])


class _Backwards(Unrolled):
    """The adjoint of `repeat`: over the states of the loop, the last one first. Its own derivatives by unrolling."""

    def count(self, parameter: Any = None) -> int:
        return len(parameter.body.inputs) + parameter.states

    def results(self, parameter: Any = None) -> int:
        return len(parameter.body.inputs)

    def bodies(self, parameter: Any = None) -> dict[str, Graph]:
        return {"body": parameter.body, "adjoint": adjoint_body(parameter.body)}

    def apply(self, numbers: Any, parameter: Any, operands: Sequence[Any]) -> Sequence[Any]:
        n, count = parameter.states, len(parameter.body.inputs)
        fixed, bars = operands[n:count], list(operands[count:])
        gathered = [numbers.constant(0) for _ in fixed]
        backwards = adjoint_body(parameter.body)
        for state in reversed(list(states_of(numbers, parameter, operands[:count]))[:-1]):
            values = evaluate(backwards, [*state, *fixed, *bars], numbers)
            passed = [values[output] for output in backwards.outputs]
            bars = passed[:n]
            gathered = [numbers.add(a, b) for a, b in zip(gathered, passed[n:], strict=True)]
        return [*bars, *gathered]


REPEAT, BACKWARDS = _Repeat("repeat"), _Backwards("repeat_backwards")


def states_of(numbers: Any, parameter: Any, operands: Sequence[Any]) -> Any:
    n, body = parameter.states, parameter.body
    state, fixed = list(operands[:n]), list(operands[n:])
    yield state
    for _ in range(parameter.times):
        values = evaluate(body, [*state, *fixed], numbers)
        state = [values[output] for output in body.outputs]
        yield state


@cache
def tangent_body(body: Graph) -> Graph:
    """States, their tangents, what stays fixed, its tangents → new states, their tangents."""
    n, names = len(body.outputs), list(body.inputs)
    dotted = fresh(names, [f"{name}_dot" for name in names])
    builder = Builder([*names[:n], *dotted[:n], *names[n:], *dotted[n:]], simplify=True)
    inputs = {name: i for i, name in enumerate(builder.inputs)}
    state = splice(builder, body, [inputs[name] for name in names])
    return builder.finish([*state, *splice(builder, tangent_program(body, dotted), [inputs[name] for name in names + dotted])])


@cache
def adjoint_body(body: Graph) -> Graph:
    return adjoint_program(body, fresh(body.inputs, [f"bar{k}" for k in range(len(body.outputs))]))
