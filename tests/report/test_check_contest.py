"""Right and wrong gradients, drawn by a seed, of ten kinds each: no false alarm, no miss, and every slip has its name."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import adlab
from adlab.report.check import check

X, Y, Z = sympy.symbols("x y z", real=True)
OUTER: list[Callable[[Any], Any]] = [
    sympy.sin, sympy.cos, sympy.exp, sympy.tanh, sympy.atan, lambda a: sympy.log(1 + a**2), lambda a: sympy.sqrt(1 + a**2),
    lambda a: a**3, lambda a: 1 / (2 + a**2), sympy.erf,
]  # fmt: skip
EACH = [1, pytest.param(int(os.environ.get("ADLAB_GRADIENTS_OF_A_KIND", "4")), marks=pytest.mark.slow)]
"""How many of each kind are drawn; 20 of each of the ten kinds are 200 right and 200 wrong ones."""


def formula(rng: random.Random) -> tuple[Any, list[np.ndarray]]:
    """A smooth formula in x, y, z, every one of which occurs, and three points."""
    a, b, c = (rng.choice(OUTER)(rng.choice([X * Y, X + 2 * Y, X - Y * Z, X * Z])) for _ in range(3))
    expression = a * b + rng.choice([1, -2, 0.5]) * c + X * Y * Z + rng.randint(1, 3) * Y - Z**2
    return expression, [np.array([rng.uniform(0.3, 1.9) for _ in range(3)]) for _ in range(3)]


RIGHT: dict[str, Callable[[Any], Any]] = {
    "reverse": lambda f: lambda p: f.gradient(p),
    "forward": lambda f: lambda p: f.gradient(p, "forward"),
    "program": lambda f: lambda p: f.compile(derivative="gradient")(p),
    "symbolic": lambda f: sympy.lambdify((X, Y, Z), [sympy.diff(f.outputs[0], v) for v in (X, Y, Z)], "math"),
    "expanded": lambda f: sympy.lambdify((X, Y, Z), [sympy.diff(f.outputs[0], v).expand() for v in (X, Y, Z)], "math"),
    "letters": lambda f: [sympy.diff(f.outputs[0], v) for v in (X, Y, Z)],
    "texts": lambda f: [str(sympy.diff(f.outputs[0], v)) for v in (X, Y, Z)],
    "complex step": lambda f: lambda p: f.gradient(p, "complex-step"),
    "dictionary": lambda f: lambda p: dict(zip("xyz", f.gradient(p), strict=True)),
    "column": lambda f: lambda p: f.gradient(p).reshape(3, 1),
}


def _shifted(f: Any, h: float, both: bool) -> Callable[[np.ndarray], np.ndarray]:
    def quotient(p: np.ndarray) -> np.ndarray:
        moves = h * np.eye(3)
        low = [f(p - move) if both else f(p) for move in moves]
        return (np.array([f(p + move) for move in moves]) - low) / (h * (1 + both))

    return quotient


WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "sign": (lambda f: lambda p: f.gradient(p) * [1, -1, 1], "sign of y"),
    "factor": (lambda f: lambda p: f.gradient(p) * [2, 1, 1], "wrong by a factor 2 in x"),
    "swapped": (lambda f: lambda p: f.gradient(p)[[1, 0, 2]], "x and y are in each other's place"),
    "arguments": (lambda f: lambda p: f.gradient(p[[0, 2, 1]]), "the arguments are read in another order"),
    "summand": (lambda f: lambda p: np.add(f.gradient(p), [0, 0, 0.25]), "off by +0.25, the same at every point, in z"),
    "nothing": (lambda f: lambda p: f.gradient(p) * [0, 1, 1], "nothing arrives at x"),
    "single": (lambda f: lambda p: f.gradient(p).astype(np.float32), "accurate to single precision only in x, y, z"),
    "forward": (lambda f: _shifted(f, 1e-6, False), "forward difference"),
    "central": (lambda f: _shifted(f, 1e-3, True), "a central difference with a step of 0.001 in x, y"),
    "path": (lambda f: lambda p: f.gradient(p) - p[1] * p[2] * np.array([1, 0, 0]), "in x"),
}


@pytest.mark.parametrize("each", EACH)
@pytest.mark.parametrize("name", RIGHT)
def test_no_right_gradient_is_called_wrong(name: str, each: int) -> None:
    rng = random.Random(f"right {name}")
    for _ in range(each):
        expression, points = formula(rng)
        f = adlab.Function(expression, (X, Y, Z))
        found = check(f, RIGHT[name](f), points)
        assert found.passed, (expression, points, found.findings)
        assert {row.status for row in found.rows} == {"right"}


@pytest.mark.parametrize("each", EACH)
@pytest.mark.parametrize("name", WRONG)
def test_no_wrong_gradient_passes_and_its_slip_is_named(name: str, each: int) -> None:
    rng = random.Random(f"wrong {name}")
    make, said = WRONG[name]
    for _ in range(each):
        expression, points = formula(rng)
        f = adlab.Function(expression, (X, Y, Z))
        found = check(f, make(f), points)
        assert not found.passed
        assert any(said in finding for finding in found.findings), (expression, points, found.findings)


@pytest.mark.parametrize("each", EACH)
@pytest.mark.parametrize(("kind", "make"), [
    ("float32", lambda f: lambda p: f.gradient(p).astype(np.float32)),
    ("float16", lambda f: lambda p: f.gradient(p).astype(np.float16)),
    ("forward-difference", lambda f: _shifted(f, 1e-7, False)),
    ("central-difference", lambda f: _shifted(f, 6e-6, True)),
    ("difference", lambda f: _shifted(f, 2.0**-26, False)),
    (1e-5, lambda f: _shifted(f, 1e-7, False)),
])  # fmt: skip
def test_what_is_coarse_passes_by_the_tolerance_of_its_kind_and_a_slip_does_not(kind: Any, make: Any, each: int) -> None:
    rng = random.Random(f"coarse {kind}")
    for _ in range(each):
        expression, points = formula(rng)
        f = adlab.Function(expression, (X, Y, Z))
        assert not check(f, make(f), points).passed
        found = check(f, make(f), points, rtol=kind)
        assert found.passed, (expression, found.findings)
        coarse = make(f)
        assert not check(f, lambda p, g=coarse: np.asarray(g(p)) * [1, 1, 1.2], points, rtol=kind).passed
