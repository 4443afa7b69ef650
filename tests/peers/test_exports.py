"""What to_torch, to_jax and to_casadi give has adlab's own derivatives: right far out, at 0, and past branches not taken."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from table import CASES, PARAMETERS, Case

from adlab import Function
from adlab.errors import MethodError
from adlab.graph.graph import Builder, Graph

FRAMEWORKS = ["torch", "casadi", pytest.param("jax", marks=pytest.mark.slow)]  # JAX compiles for seconds
SIZES = (1e-300, 1e-170, 1e-120, 1e-10, 1e-3, 0.3, 0.7, 0.999999, 1.0, 1.7, 5.0, 22.0, 50.0, 180.0, 300.0, 360.0, 800.0, 1e10,
         1e120, 1e200, 1e300)  # fmt: skip
GRID = (*(-size for size in reversed(SIZES)), 0.0, *SIZES)
SLOW = 100  # the cost by which the table marks the special functions, which are tested at fewer points
FEW = (-1.7, -0.3, 0.3, 0.7, 1.7, 5.0)
LOGICAL = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "select"}  # tested together, by a Piecewise
ONCE = [
    case for case in CASES
    if case.primitive.name not in LOGICAL and case.parameter in PARAMETERS.get(case.primitive.name, [None])[:1]
]  # fmt: skip


def of_torch(graph: Graph, points: np.ndarray, order: int, dtype: str = "float64") -> np.ndarray:
    import torch

    f, x = graph.to_torch(), torch.tensor(points, dtype=getattr(torch, dtype), requires_grad=True)
    found = f(x).unsqueeze(-1)
    for _ in range(order):
        rows = [
            torch.autograd.grad(found[:, i].sum(), x, create_graph=True)[0] if found.requires_grad else torch.zeros_like(x)
            for i in range(found.shape[1])
        ]
        found = torch.cat(rows, -1)
    return np.asarray(found.detach())


def of_jax(graph: Graph, points: np.ndarray, order: int, dtype: str = "float64") -> np.ndarray:
    import jax

    with jax.enable_x64(dtype == "float64"):
        f = graph.to_jax(dtype)
        for _ in range(order):
            f = jax.jacfwd(f)
        found = np.asarray(jax.vmap(f)(points.astype(dtype)))
        return found.reshape(len(points), -1)


def of_casadi(graph: Graph, points: np.ndarray, order: int) -> np.ndarray:
    import casadi

    x = casadi.MX.sym("x", len(graph.inputs))
    y = graph.to_casadi()(x)
    for _ in range(order):
        y = casadi.jacobian(y, x).T
        y = casadi.reshape(y, -1, 1)
    found = casadi.Function("found", [x], [casadi.densify(y)])(points.T)
    return np.asarray(found.full()).T


EXPORTS: dict[str, Any] = {"torch": of_torch, "jax": of_jax, "casadi": of_casadi}


def exported(name: str, graph: Graph, points: np.ndarray, order: int) -> np.ndarray:
    pytest.importorskip(name)
    return EXPORTS[name](graph, points, order)


def adlabs(graph: Graph, points: np.ndarray, order: int) -> np.ndarray:
    f = Function.from_graph(graph)
    for _ in range(order):
        f = f.derivative()
    with np.errstate(all="ignore"):
        return np.asarray(f.compile(accuracy="strict")(points)).reshape(len(points), -1)


def allowed_error(expected: np.ndarray, relative: float = 1e-12) -> np.ndarray:
    """Of each entry; among second partials of the largest at that point, beside which others may cancel."""
    scale = np.abs(expected).max(axis=-1, keepdims=True) if expected.shape[-1] > 2 else np.abs(expected)
    return relative * scale + 1e-300


def named(refusal: MethodError) -> None:
    """A refusal names the function that the framework lacks."""
    assert "`" in str(refusal)


TRAPS = [
    ("Piecewise((sqrt(x), x > 0), (0, True))", [-1.0, 0.25]),
    ("Piecewise((log(x)*x, x > 0), (x**2, True))", [-1.0, 3.0]),
    ("Piecewise((1/x, x > 1), (x, True))", [0.0, 2.0]),
    ("tanh(x)", [22.0, -25.0, 100.0]),
    ("softplus(x)", [0.0, -50.0, 800.0, -745.0]),
    ("log(1 + exp(-abs(x))) + Max(x, 0)", [0.0, 1e-9, -30.0]),
    ("sinc(x)", [0.0, 1e-9, -1e-3, 30.0]),
    ("asinh(x)", [1e200, -1e200, 0.0]),
    ("atan2(x, 1)", [1e-170, 1e170, -2.0]),
    ("atan2(x, y)", [(1e-150, 1e-150), (1e150, 1e-150), (0.0, 1.0)]),
    ("hypot(x, y)", [(1e-170, 1e-170), (1e200, 1e200)]),
    ("sigmoid(x)", [50.0, -745.0, 0.0]),
    ("expm1(x)", [-50.0, 1e-20, 0.0]),
    ("erfinv(x)", [1 - 2**-53, -0.3, 0.9]),
    ("logaddexp(x, y)", [(0.0, 0.0), (800.0, -800.0), (-1000.0, -1001.0)]),
    ("Max(x, 0)**2 + abs(y)", [(0.0, 0.0), (-1.0, 2.0)]),
    ("acos(x)", [1 - 2**-53, -1 + 2**-53]),
]  # fmt: skip
KINKS_CANCEL = "log(1 + exp(-abs(x))) + Max(x, 0)"
"""At 0 two kinks cancel: f″ is 1/4. adlab finds that; an exported program has the second derivative of the branches, 0."""


@pytest.mark.parametrize("name", ["torch", "jax", "casadi"])
def test_a_branch_not_taken_and_a_saturated_tanh(name: str) -> None:
    graph = Function(["Piecewise((sqrt(x), x > 0), (0, True))", "tanh(y)"]).graph
    found = exported(name, graph, np.array([[-1.0, 25.0]]), 1)
    np.testing.assert_allclose(found, adlabs(graph, np.array([[-1.0, 25.0]]), 1), rtol=1e-12)


@pytest.mark.parametrize("name", FRAMEWORKS)
@pytest.mark.parametrize(("text", "at"), TRAPS, ids=[text for text, _ in TRAPS])
def test_the_frameworks_traps_are_not_fallen_into(name: str, text: str, at: Any) -> None:
    f = Function(text)
    points = np.array(at, dtype=float).reshape(len(at), f.n)
    for order in range(3):
        if order == 2 and text == KINKS_CANCEL:
            points = points[1:]
        try:
            found = exported(name, f.graph, points, order)
        except MethodError as refusal:
            return named(refusal)
        expected = adlabs(f.graph, points, order)
        assert (np.abs(found - expected) <= allowed_error(expected)).all(), (order, found, expected)


@cache
def grid(case: Case) -> np.ndarray:
    """Points all over the domain of an operation, where adlab has a value, and both derivatives or a reason for none."""
    axis = FEW if case.primitive.weight(case.parameter) >= SLOW else GRID
    if case.arity == 1:
        return np.array(axis)[:, None]
    rng = np.random.default_rng(1)
    return rng.choice(axis, size=(60, case.arity))


def single(case: Case) -> Graph:
    builder = Builder(["a", "b", "c", "d", "e"][: case.arity])
    return builder.finish([builder.cons(case.primitive, tuple(range(case.arity)), case.parameter)])


@pytest.mark.parametrize("name", FRAMEWORKS)
@pytest.mark.parametrize("case", ONCE, ids=str)
def test_every_operation_agrees_over_its_whole_range_or_is_refused(case: Case, name: str) -> None:
    graph, points = single(case), grid(case)
    there = np.ones(len(points), dtype=bool)
    for order in range(3):
        expected = adlabs(graph, points, order)
        there &= np.isfinite(expected).all(axis=-1)
        if not there.any():
            return
        try:
            found = exported(name, graph, points[there], order)
        except MethodError as refusal:
            return named(refusal)
        wrong = found - expected[there]
        allowed = allowed_error(expected[there], TOLERANCE.get((name, case.primitive.name), 1e-12))
        if case.primitive.name in PHASES:
            allowed = allowed + 1e-14
        bad = ~(np.abs(wrong) <= allowed) & ~np.isnan(found)  # NaN says that there is no answer
        assert not bad.any(), (order, points[there][bad.any(-1)][:4], found[bad][:4], expected[there][bad][:4])


PHASES = {"sinsquare", "cossquare", "fresnels", "fresnelc"}  # of a rounded pi*a**2/2, near their zeros
TOLERANCE = {
    ("torch", "polygamma"): 1e-8,  # its trigamma
    ("torch", "gamma"): 1e-8,  # its digamma near a pole, and trigamma
    ("torch", "loggamma"): 1e-8,
}
"""What a framework computes with fewer digits than binary64 has: values, which no rule of ours can mend."""


SINGLE = np.float32([1e-20, 1e-5, 0.01, 0.3, 0.7, 0.99, 1.0, 1.7, 5.0, 22.0, 60.0, 1e3, 1e10])
FLOAT32 = 2.0**-23
"""The unit in the last place of 1 in float32; CasADi has no float32."""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torch", "jax"])
@pytest.mark.parametrize("start", range(0, len(ONCE), 40))
def test_in_float32_every_operation_agrees_to_its_digits_or_is_refused(start: int, name: str) -> None:
    """To 3 digits in 4, beside the largest entry, the operands and 1: second derivatives cancel parts of that size."""
    pytest.importorskip(name)
    for case in ONCE[start : start + 40]:
        axis = np.float32(FEW) if case.primitive.weight(case.parameter) >= SLOW else np.concatenate([-SINGLE, [0], SINGLE])
        points = axis.astype(float)[:, None]
        if case.arity > 1:
            points = np.random.default_rng(1).choice(axis, size=(60, case.arity)).astype(float)
        graph, there = single(case), np.ones(len(points), dtype=bool)
        for order in range(3):
            expected = adlabs(graph, points, order)
            there &= np.isfinite(expected).all(axis=-1) & (np.abs(expected) < 1e30).all(axis=-1)
            if not there.any():
                break
            wanted, at = expected[there], points[there]
            try:
                found = EXPORTS[name](graph, at, order, "float32").astype(float)
            except MethodError as refusal:
                named(refusal)
                break
            scale = np.abs(wanted).max(axis=-1, keepdims=True)
            size = 1 + np.abs(at[:, :1]) * (1 + at[:, 1:] ** -2) if case.primitive.name == "mod" else 1.0  # (out - a)/b cancels
            size = 64.0 if case.primitive.name in PHASES else size
            bad = ~(np.abs(found - wanted) <= 1e-3 * scale + 16 * FLOAT32 * size) & ~np.isnan(found)
            assert not bad.any(), (str(case), order, at[bad.any(-1)][:4], found[bad][:4], wanted[bad][:4])
