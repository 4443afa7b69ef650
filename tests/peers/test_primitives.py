"""Every primitive of the table through every framework: right in value and gradient, or refused by its name."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from table import CASES, Case, holds, partial, value

from adlab.errors import MethodError
from adlab.function import Function
from adlab.graph.graph import Builder, Graph
from adlab.peers import PEERS, prepare

CANDIDATES = (0.7, 1.9, -0.4, -1.7, 2.6)
LOGICAL = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "select"}  # tested together, by a Piecewise
NUMERICAL = [case for case in CASES if case.primitive.name not in LOGICAL]

INTEGRALS = {"Ei", "li", "Si", "Ci", "Shi", "Chi", "fresnels", "fresnelc", "erfi", "expint"}
BESSEL = {"besselj", "bessely", "besseli", "besselk", "sphericalj", "sphericali"}
LAMBERT = {"lambertw", "lambertw1", "explambertw"}
INVERSE = {"erfinv", "erfcinv", "gausserfinv", "gausserfcinv"}
GAMMAS = {"gamma", "loggamma", "polygamma", "zeta", "uppergamma", "lowergamma"}
KINKED = {"abs", "sign", "floor", "ceiling", "mod", "min", "max"}

# What a framework may refuse; whatever else it must compute.
REFUSED = {
    "torch": INTEGRALS | BESSEL | LAMBERT | {"polylog", "uppergamma"},
    "jax": BESSEL | LAMBERT | {"polylog", "erfi", "Shi", "Chi", "expint", "uppergamma"},
    "casadi": INTEGRALS | BESSEL | LAMBERT | GAMMAS | {"polylog"},
    "autograd": INTEGRALS | BESSEL | LAMBERT | {"polylog", "zeta", "uppergamma", "lowergamma"},
    "symengine": INTEGRALS | BESSEL | LAMBERT | INVERSE | GAMMAS | KINKED | {"polylog"},
}

# What a framework computes with fewer digits than binary64 has; measured, and not adlab's to mend.
INACCURATE = {
    ("torch", "polygamma"): 1e-8,  # its trigamma, the derivative of digamma, is good to 4e-10
    ("casadi", "erfinv"): 1e-6,  # an approximation good to 1e-8
    ("casadi", "erfcinv"): 1e-6,
    ("casadi", "gausserfinv"): 1e-6,
    ("casadi", "gausserfcinv"): 1e-5,
}

# Where a framework's function has a smaller domain than the table's.
NARROWER = {
    ("torch", "lowergamma"): "gammainc is NaN below 0",
    ("jax", "lowergamma"): "gammainc is NaN below 0",
    ("torch", "uppergamma"): "gammaincc is NaN below 0",
    ("jax", "uppergamma"): "gammaincc is NaN below 0",
    ("torch", "polygamma"): "of order 2 and above only for a > 0",
    ("jax", "polygamma"): "of order 1 and above only for a > 0",
    ("jax", "expint"): "expn is for a > 0",
}


def single(case: Case) -> Graph:
    builder = Builder(["a", "b", "c"][: case.primitive.arity])
    return builder.finish([builder.cons(case.primitive, tuple(range(case.primitive.arity)), case.parameter)])


def smooth_points(case: Case) -> list[tuple[float, ...]]:
    """Two points inside the domain, away from kinks; the second with a negative coordinate where there is such."""
    conditions = (case.primitive.value_condition(case.parameter), case.primitive.partial_condition(0, case.parameter))
    inside = [
        point for point in product(CANDIDATES, repeat=case.primitive.arity)
        if len(set(point)) == len(point) and all(holds(condition, point) for condition in conditions)
    ]  # fmt: skip
    negative = [point for point in inside if min(point) < 0]
    return inside[:1] + negative[:1]


def values_of(name: str, graph: Graph) -> Callable[[Any], Any]:
    """The graph as the framework's own function."""
    if name == "torch":
        return lambda point: graph.to_torch()(point).item()
    if name == "jax":
        return lambda point: float(graph.to_jax()(point))
    return lambda point: float(graph.to_casadi()(point))


@pytest.mark.parametrize("case", NUMERICAL, ids=str)
@pytest.mark.parametrize("name", REFUSED)
def test_right_or_refused(case: Case, name: str) -> None:
    pytest.importorskip(PEERS[name].package)
    method = "jax-eager" if name == "jax" else name  # compiling each of them would take a minute
    known = name, case.primitive.name
    for point in smooth_points(case):
        try:
            found = prepare(PEERS[method], single(case))(np.array(point))[0]
        except MethodError as refusal:
            assert case.primitive.name in REFUSED[name]
            assert f"`{case.primitive.name}`" in str(refusal)
            return
        if np.isnan(found).any() and known in NARROWER and min(point) < 0:
            continue
        exact = [float(partial(case, k, point)) for k in range(case.primitive.arity)]
        np.testing.assert_allclose(found, exact, rtol=INACCURATE.get(known, 1e-11), atol=1e-300)


@pytest.mark.parametrize("case", NUMERICAL, ids=str)
@pytest.mark.parametrize("name", ["torch", "jax", "casadi"])
def test_the_values_of_a_lowered_graph_are_right(case: Case, name: str) -> None:
    pytest.importorskip(PEERS[name].package)
    point = smooth_points(case)[0]
    try:
        found = values_of(name, single(case))(point)
    except MethodError as refusal:
        assert f"`{case.primitive.name}`" in str(refusal)
        return
    rough = 1e-5 if name == "jax" else INACCURATE.get((name, case.primitive.name), 1e-12)
    assert found == pytest.approx(float(value(case, point)), rel=rough, abs=1e-7 if name == "jax" else 0)


def test_comparisons_and_logic_choose_the_same_branch(graph_peer: Any) -> None:
    text = (
        "Piecewise((x*y, And(x < y, Not(x <= 0))), (x**2, Or(x > 1, x >= y)), (y**3, Eq(x, y)), (sin(x), Ne(x, y)), (0, True))"
    )
    f = Function(text, ["x", "y"])
    for point in [(0.5, 1.0), (2.0, 1.0), (1.0, 1.0), (-0.5, 1.0), (-1.0, -1.0), (0.5, 0.25)]:
        assert f.gradient(point, method=graph_peer.name) == pytest.approx(f.gradient(point))
