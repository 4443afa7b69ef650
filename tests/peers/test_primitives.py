"""Every primitive of the table through every framework: right in value and gradient, or refused by its name."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
from table import CASES, PARAMETERS, Case, holds

from adlab.errors import MethodError
from adlab.function import Function
from adlab.graph.arithmetic import FLOATS, evaluate
from adlab.graph.graph import Builder, Graph
from adlab.peers import PEERS, Peer, prepare

CANDIDATES = (0.7, 1.9, -0.4, -1.7, 2.6)
LOGICAL = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "select"}  # tested together, by a Piecewise
ORDERS = 2  # of those that the table is tested with; JAX compiles for seconds on some of them
NUMERICAL = [
    case for case in CASES
    if case.primitive.name not in LOGICAL and case.parameter in PARAMETERS.get(case.primitive.name, [None])[:ORDERS]
]  # fmt: skip

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


PLAINEST = {"jax": "jax-eager"}  # compiling each of them would take a minute


def single(case: Case) -> Graph:
    builder = Builder(["a", "b", "c"][: case.primitive.arity])
    return builder.finish([builder.cons(case.primitive, tuple(range(case.primitive.arity)), case.parameter)])


@cache
def smooth_points(case: Case) -> list[tuple[float, ...]]:
    """Two points inside the domain, away from kinks; the second with a negative coordinate where there is such."""
    primitive, parameter = case.primitive, case.parameter
    inside = [
        point for point in product(CANDIDATES, repeat=primitive.arity)
        if len(set(point)) == len(point) and holds(primitive.value_condition(parameter), point)
        and holds(primitive.partial_condition(0, parameter), point, FLOATS.apply(primitive, parameter, list(point)))
    ]  # fmt: skip
    negative = [point for point in inside if min(point) < 0]
    return inside[:1] + negative[:1]


@cache
def exact(case: Case) -> tuple[list[float], list[list[float]]]:
    """Values and gradients at the smooth points, by the table, which test_primitives.py of the graph proves to 8 ulps."""
    graph = single(case)
    found = [evaluate(graph, point, FLOATS) for point in smooth_points(case)]
    partials = [FLOATS.partials(graph, len(values) - 1, values) for values in found]
    return [values[-1] for values in found], [[partial or 0.0 for partial in row] for row in partials]


def values(name: str, graph: Graph, points: np.ndarray) -> Any:
    """The graph as the framework's own function, at many points."""
    if name == "torch":
        return graph.to_torch()(points).numpy()
    if name == "casadi":
        return graph.to_casadi()(points.T).full()[0]
    import jax

    with jax.enable_x64(True):
        return graph.to_jax("float64")(points)


@pytest.mark.parametrize("case", NUMERICAL, ids=str)
@pytest.mark.parametrize("name", REFUSED)
def test_right_or_refused(case: Case, name: str) -> None:
    pytest.importorskip(PEERS[name].package)
    points, graph = np.array(smooth_points(case)), single(case)
    differentiate = PEERS[PLAINEST.get(name, name)]
    if refusal := refused(differentiate, graph, points):
        assert case.primitive.name in REFUSED[name]
        assert f"`{case.primitive.name}`" in refusal
        return
    right, gradients = exact(case)
    compare(name, case, prepare(differentiate, graph)(points)[:, 0], gradients)
    if name in ("torch", "jax", "casadi"):
        compare(name, case, values(name, graph, points), right)


def refused(peer: Peer, graph: Graph, points: np.ndarray) -> str:
    """The reason why a framework cannot serve; empty if it can."""
    try:
        prepare(peer, graph)(points)
    except MethodError as reason:
        return str(reason)
    return ""


def compare(name: str, case: Case, found: Any, right: list[Any]) -> None:
    known = name, case.primitive.name
    for point, mine, theirs in zip(smooth_points(case), np.asarray(found), right, strict=True):
        if not (np.isnan(mine).any() and known in NARROWER and min(point) < 0):
            np.testing.assert_allclose(mine, theirs, rtol=INACCURATE.get(known, 1e-11), atol=1e-300)


def test_comparisons_and_logic_choose_the_same_branch(graph_peer: Any) -> None:
    text = (
        "Piecewise((x*y, And(x < y, Not(x <= 0))), (x**2, Or(x > 1, x >= y)), (y**3, Eq(x, y)), (sin(x), Ne(x, y)), (0, True))"
    )
    f = Function(text, ["x", "y"])
    for point in [(0.5, 1.0), (2.0, 1.0), (1.0, 1.0), (-0.5, 1.0), (-1.0, -1.0), (0.5, 0.25)]:
        assert f.gradient(point, method=graph_peer.name) == pytest.approx(f.gradient(point))
