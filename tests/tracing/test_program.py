"""Python functions as graphs: the graph computes what the function computes, on every path, or the function is refused."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable
from math import exp, sin  # names that a module imported are traced too
from typing import Any

import numpy as np
import pytest

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.sweeps import reverse
from adlab.errors import PointError, TracingError
from adlab.tracing.program import Program


def values(program: Program, point: list[float]) -> list[float]:
    graph = program.path(point).graph
    found = evaluate(graph, point, FLOATS)
    return [found[output] for output in graph.outputs]


def gradient(program: Program, point: list[float]) -> list[float]:
    graph = program.path(point).graph
    carried = evaluate(graph, point, FLOATS)
    adjoints = reverse(graph, carried, {graph.outputs[0]: 1.0}, FLOATS)
    return [adjoints.get(i, 0.0) for i in range(len(point))]


@dataclasses.dataclass
class Body:
    mass: Any
    speed: Any

    @property
    def energy(self) -> Any:
        return self.mass * self.speed**2 / 2


def in_place(x: Any) -> Any:
    c = np.zeros(3)
    for i in range(3):
        c[i] = math.sin(x[i])
    c += x
    c[0] -= 2 * c[1]
    return c @ c


def recursion(x: Any) -> Any:
    def power(base: Any, n: int) -> Any:
        return base if n == 1 else base * power(base, n - 1)

    return power(x[0], 5) + power(x[1], 3)


def newton(x: Any) -> Any:
    root = x[0] if x[0] > 1 else 1.0
    while abs(root * root - x[0]) > 1e-14 * x[0]:
        root = (root + x[0] / root) / 2
    return root * x[1]


def generator(x: Any) -> Any:
    return sum(a * b for a, b in zip(x, reversed(list(x)), strict=True))


def statistics(x: Any) -> Any:
    return np.mean(x) + np.std(x) * np.var(x) + np.prod(x) - np.cumsum(x)[-1] / np.max(np.abs(x))


def matrices(x: Any) -> Any:
    a = np.array([[x[0] + 3, x[1]], [x[1], x[2] + 4]])
    return np.linalg.solve(a, np.ones(2)).sum() + np.linalg.det(a) + np.trace(np.linalg.inv(a)) + np.linalg.norm(a @ x[:2])


def shapes(x: Any) -> Any:
    m = np.outer(x, x).reshape(-1)[::2].copy()
    return np.concatenate([m, np.stack([x, 2 * x]).T.ravel()]).sum() + np.einsum("i,j->", x, x) + np.dot(x, x[::-1])


def choices(x: Any) -> Any:
    return np.where(x > 1, np.log(np.abs(x) + 1), x**3).sum() + np.clip(x, 0.2, 0.9).sum() + np.maximum(x, 1).min()


def sorting(x: Any) -> Any:
    return np.sort(x) @ np.arange(1.0, 4.0) + sorted(x.tolist())[1] ** 2 + x[np.argmax(x)] + min(x[0], x[1])


def closure_and_class(x: Any) -> Any:
    scale = x[2]
    body = Body(x[0], x[1])
    return (lambda e: e * scale)(body.energy)


def imported_names(x: Any) -> Any:
    return exp(-x[0]) * sin(x[1]) + math.hypot(x[0], x[2]) + math.log(x[1], 2) + math.pow(x[0], 2.5) + math.fsum(x)


def logic(x: Any) -> Any:
    if x[0] > 0 and not (x[1] > 5 or x[2] < -9):
        return x[0] * x[1]
    return x[2] or x[0]


def powers(x: Any) -> Any:
    return x[0] ** 3 + x[1] ** -2 + x[2] ** 0.5 + 2 ** x[0] + x[0] ** x[1] + x[1] ** 1.5 + np.power(x[0], -0.5) + x[2] ** 0


def quotients(x: Any) -> Any:
    return x[0] // 0.3 + x[1] % 0.7 + divmod(x[2], 0.4)[1] + np.floor(x[0]) * x[1] + math.ceil(x[2]) * x[0]


def try_and_with(x: Any) -> Any:
    try:
        if x[0] < 0:
            raise ValueError("negative")
        y = np.sqrt(x[0])
    except ValueError:
        y = x[1] * 3
    return y + x[2]


PROGRAMS: list[Callable[[Any], Any]] = [
    in_place, recursion, newton, generator, statistics, matrices, shapes, choices, sorting, closure_and_class,
    imported_names, logic, powers, quotients, try_and_with,
]  # fmt: skip
POINTS = [[0.7, 1.3, 2.1], [1.7, 0.4, 0.6], [2.2, 3.1, 0.3]]


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda f: f.__name__)
def test_the_graph_computes_what_the_function_computes(function: Callable[[Any], Any]) -> None:
    program = Program.of(function, POINTS[0])
    for point in POINTS:
        assert values(program, point) == pytest.approx(np.ravel(function(np.array(point))), rel=1e-13)


@pytest.mark.parametrize("function", [f for f in PROGRAMS if f is not quotients], ids=lambda f: f.__name__)
def test_the_gradient_is_the_slope_of_the_function(function: Callable[[Any], Any]) -> None:
    program = Program.of(function, POINTS[0])
    for point in POINTS:
        h, found = 1e-6, gradient(program, point)
        for i, slope in enumerate(found):
            above, below = np.array(point), np.array(point)
            above[i] += h
            below[i] -= h
            assert slope == pytest.approx((function(above) - function(below)) / (2 * h), rel=1e-6, abs=1e-7)


def test_a_point_that_takes_another_branch_is_traced_anew() -> None:
    program = Program.of(lambda x: x[0] ** 2 if x[0] > x[1] else x[1] * 3, [2.0, 1.0])
    assert gradient(program, [2.0, 1.0]) == [4.0, 0.0]
    assert gradient(program, [1.0, 2.0]) == [0.0, 3.0]
    assert gradient(program, [3.0, 1.0]) == [6.0, 0.0]
    assert len(program.paths) == 2


def test_another_branch_is_refused_with_its_line_where_that_was_asked() -> None:
    program = Program.of(newton, [2.0, 1.0], guards="refuse")
    with pytest.raises(TracingError, match=r"test_program\.py:\d+: `(root = x\[0\]|while abs).*goes another way"):
        program.path([0.5, 1.0])


REFUSED = {
    "float": (lambda x: float(x) * 2, "float"),
    "int": (lambda x: int(x) * x, "np.floor"),
    "index": (lambda x: [1, 2][x], "index"),
    "range": (lambda x: sum(range(x)), "index"),
    "dict key": (lambda x: {x: 1}[x], "key"),
    "round": (lambda x: round(x), "np.floor"),
    "nothing": (lambda x: None, "None"),
    "text": (lambda x: f"{x}", "number"),
    "attribute": (lambda x: x.size_of_all, "size_of_all"),
    "random": (lambda x: np.random.rand() * x, "random"),
    "random of Python": (lambda x: random.random() * x, "random"),
    "unknown to numpy": (lambda x: np.linalg.eig(np.diag(x * np.ones(2)))[0].sum(), "linalg.eig"),
    "unknown ufunc": (lambda x: np.nextafter(x, 2.0), "nextafter"),
    "indices of where": (lambda x: np.where(x > np.zeros(2))[0].sum(), "indices"),
    "raises": (lambda x: x / "a", "TypeError"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_become_a_constant_is_refused_with_its_line(name: str) -> None:
    function, reason = REFUSED[name]
    with pytest.raises(TracingError, match=reason):
        Program.of(function, 1.5)


def test_state_that_changes_is_noticed() -> None:
    calls = []

    def counted(x: Any) -> Any:
        calls.append(1)
        return x * len(calls)

    with pytest.raises(TracingError, match="something besides its inputs"):
        Program.of(counted, 1.0)


def test_math_and_numpy_are_as_before_after_a_trace_that_failed() -> None:
    before = math.sin, np.zeros, np.array, sin
    with pytest.raises(TracingError):
        Program.of(lambda x: float(x), 1.0)
    assert (math.sin, np.zeros, np.array, sin) == before


def test_every_node_knows_its_line() -> None:
    path = Program.of(in_place, [1.0, 2.0, 3.0]).paths[0]
    assert set(path.graph.operations) <= set(path.lines)
    assert {mark.line.text.split("=")[0].strip() for mark in path.lines.values()} >= {"c[i]", "c +", "c[0] -"}


def test_arguments_keep_their_names_and_shapes() -> None:
    def energy(mass: Any, velocity: Any, *, g: float = 9.81) -> Any:
        return mass * (velocity @ velocity) / 2 + mass * g

    program = Program.of(energy, (2.0, [1.0, 2.0]))
    assert program.arguments.variables == ["mass", "velocity0", "velocity1"]
    assert values(program, [2.0, 1.0, 2.0]) == [2 * 5 / 2 + 2 * 9.81]
    assert Program.of(energy, {"velocity": [1.0], "mass": 3.0}).arguments.variables == ["velocity0", "mass"]


def test_an_example_must_be_finite_numbers() -> None:
    for example in ("text", [1.0, math.inf], None):
        with pytest.raises(PointError):
            Program.of(lambda x: x, example)
