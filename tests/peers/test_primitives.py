"""Every primitive of the table through every framework: right in value and gradient, or refused by its name."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
from table import CASES, PARAMETERS, Case, holds

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.errors import MethodError
from adlab.function import Function
from adlab.graph.graph import Builder, Graph
from adlab.peers.catalogue import PEERS, Peer, prepare
from adlab.primitives.table import PRIMITIVES

CANDIDATES = (0.7, 1.9, -0.4, -1.7, 2.6, -0.3)
LOGICAL = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "select"}  # tested together, by a Piecewise
ORDERS = 2  # of those that the table is tested with; JAX compiles for seconds on some of them
NUMERICAL = [
    case for case in CASES
    if case.primitive.name not in LOGICAL and case.parameter in PARAMETERS.get(case.primitive.name, [None])[:ORDERS]
]  # fmt: skip

INTEGRALS = {"Ei", "li", "Si", "Ci", "Shi", "Chi", "fresnels", "fresnelc", "erfi", "expint"}
BESSEL = {"besselj", "bessely", "besseli", "besselk", "sphericalj", "sphericali"}
ELLIPTIC = {name for name in PRIMITIVES if name.startswith("elliptic")}
LAMBERT = ELLIPTIC | {"lambertw", "lambertw1", "explambertw", "lambertwm", "lambertwm1", "explambertwm"}
INVERSE = {"erfinv", "erfcinv", "gausserfinv", "gausserfcinv"}
GAMMAS = {"gamma", "loggamma", "polygamma", "zeta", "uppergamma", "lowergamma"}
MOVING = {name for name, p in PRIMITIVES.items() if name.endswith("_moving") or (p.special and p.spelling)}
"""Which no framework has: moving orders, and special functions whose spelling only the table knows."""
KINKED = {"abs", "sign", "floor", "ceiling", "mod", "min", "max"}

# What a framework may refuse; whatever else it must compute.
REFUSED = {
    "torch": MOVING | INTEGRALS | BESSEL | LAMBERT | {"polylog", "uppergamma"},
    "jax": MOVING | BESSEL | LAMBERT | {"polylog", "erfi", "Shi", "Chi", "expint", "uppergamma"},
    "casadi": MOVING | INTEGRALS | BESSEL | LAMBERT | GAMMAS | {"polylog"},
    "autograd": MOVING | INTEGRALS | BESSEL | LAMBERT | {"polylog", "zeta", "uppergamma", "lowergamma"},
    "symengine": MOVING | INTEGRALS | BESSEL | LAMBERT | INVERSE | GAMMAS | KINKED | {"polylog"}
    | {"sigmoid", "softplus", "share", "sharing", "logaddexp"},
}

# What a framework computes with fewer digits than binary64 has; measured, and not adlab's to mend.
INACCURATE = {
    ("torch", "polygamma"): 1e-8,  # its trigamma, the derivative of digamma, is good to 4e-10
}

# Where a framework's function has a smaller domain than the table's.
NARROWER = {
    ("torch", "lowergamma"): "gammainc is NaN below 0",
    ("jax", "lowergamma"): "gammainc is NaN below 0",
    ("torch", "uppergamma"): "gammaincc is NaN below 0",
    ("jax", "uppergamma"): "gammaincc is NaN below 0",
    ("torch", "polygamma"): "of order 2 and above only for a > 0",
    ("jax", "polygamma"): "of order 1 and above only for a > 0; what JAX answers below is wrong",
    ("jax", "zeta"): "only for a > 0; what JAX answers below is wrong",
    ("jax", "expint"): "expn is for a > 0",
}


PLAINEST = {"jax": "jax-eager"}  # compiling each of them would take a minute


def single(case: Case) -> Graph:
    builder = Builder(["a", "b", "c", "d", "e"][: case.arity])
    return builder.finish([builder.cons(case.primitive, tuple(range(case.arity)), case.parameter)])


@cache
def smooth_points(case: Case) -> list[tuple[float, ...]]:
    """Two points inside the domain, away from kinks; the second with a negative coordinate where there is such."""
    primitive, parameter = case.primitive, case.parameter
    inside = [
        point for point in product(CANDIDATES, repeat=case.arity)
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


ABSENT = [name for name in REFUSED if not PEERS[name].installed]


@pytest.mark.parametrize(("name", "case"), [
    *[(name, case) for name in REFUSED if name not in ABSENT for case in NUMERICAL],
    *[pytest.param(name, None, marks=pytest.mark.skip(reason=f"{name} is not installed")) for name in ABSENT],
], ids=str)  # fmt: skip
def test_right_or_refused(name: str, case: Case) -> None:
    points, graph = np.array(smooth_points(case)), single(case)
    differentiate = PEERS[PLAINEST.get(name, name)]
    if refusal := refused(differentiate, graph, points):
        assert case.primitive.name in REFUSED[name]
        assert f"`{case.primitive.name.removesuffix('_moving')}`" in refusal
        return
    right, gradients = exact(case)
    compare(name, case, prepare(differentiate, graph)(points)[:, 0], gradients)
    if name in ("torch", "jax", "casadi"):
        found, said = None, ""
        try:
            found = values(name, graph, points)
        except MethodError as refusal:  # of its derivative, which an export must have too
            said = str(refusal)
        if said:
            assert f"`{case.primitive.name.removesuffix('_moving')}`" in said
        else:
            compare(name, case, found, right)


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


# --- where a framework's own function, or the obvious formula, would go wrong -------------------------------------------


def of_one(name: str, text: str, points: list[float]) -> tuple[list[float], list[float]]:
    """Values and derivatives of a function of x."""
    graph = Function(text, ["x"]).graph
    at = np.array(points)[:, None]
    return np.asarray(values(name, graph, at)).tolist(), list(prepare(PEERS[PLAINEST.get(name, name)], graph)(at)[:, 0, 0])


# Computed with mpmath at 40 digits: f(x), f'(x).
TAILS = {
    ("erfc(x)", 6.0): (2.151973671249891312e-17, -2.617301239249264829e-16),
    ("erfc(x)", 20.0): (5.395865611607900928e-176, -2.161037474386798461e-174),
    ("erfcinv(x)", 1e-8): (4.052237243871389203, -1.199312879075161219e7),
    ("polylog(1, x)", -1e-18): (-1e-18, 1.0),
    ("sech(x)", 400.0): (3.830339193428011390e-174, -3.830339193428011390e-174),
    ("sech(x)", -300.0): (1.029640044482402756e-130, 1.029640044482402756e-130),
    ("csch(x)", -400.0): (-3.830339193428011390e-174, -3.830339193428011390e-174),
    ("sech(x)", 800.0): (0.0, 0.0),
}


@pytest.mark.parametrize("name", ["torch", "jax", "casadi"])
@pytest.mark.parametrize(("text", "x"), TAILS)
def test_tails_keep_their_digits(name: str, text: str, x: float) -> None:
    pytest.importorskip(PEERS[name].package)
    [value], [slope] = of_one(name, text, [x])
    assert (value, slope) == pytest.approx(TAILS[text, x], rel=1e-12, abs=0)


def test_jax_does_not_hang_on_an_exponential_integral_of_numbers_of_all_sizes() -> None:
    """`expi` and `expn` themselves never return: their continued fraction waits for the smallest of a batch."""
    pytest.importorskip("jax")
    points = [-5.0, -1e-8, 5.0, 1e-20]
    found, slopes = of_one("jax", "Ei(x)", points)
    right = [-0.001148295591275325797, -17.84346508905083256, 40.18527535580317745, -45.47448619497938087]
    assert found == pytest.approx(right, rel=1e-14)
    assert slopes == pytest.approx([math.exp(x) / x for x in points], rel=1e-14)
    found, slopes = of_one("jax", "expint(2, x)", [1e-12, 3.0])
    assert found == pytest.approx([0.9999999999719462, 0.01064192508527283], rel=1e-14)


def test_jax_says_nan_where_its_own_zeta_is_wrong() -> None:
    pytest.importorskip("jax")
    for text in ("zeta(2, x)", "polygamma(1, x)"):
        found, slopes = of_one("jax", text, [-26.5, 2.5])
        assert np.isnan([found[0], slopes[0]]).all()
        assert [found[1], slopes[1]] == pytest.approx([0.4903577561002349, -0.2362040516417274]), text
    _, [slope] = of_one("jax", "digamma(x)", [-26.5])
    assert slope == pytest.approx(Function("digamma(x)").gradient(-26.5)[0], rel=1e-12)


@pytest.mark.parametrize("name", ["torch", "jax", "autograd"])
@pytest.mark.parametrize("primitive", ["zeta", "polygamma"])
def test_an_order_that_a_framework_would_round_is_refused(name: str, primitive: str) -> None:
    pytest.importorskip(PEERS[name].package)
    graph = single(Case(PRIMITIVES[primitive], Fraction(1, 2)))
    assert f"`{primitive}` of order (1/2)" in refused(PEERS[PLAINEST.get(name, name)], graph, np.array([[0.7]]))


def test_comparisons_and_logic_choose_the_same_branch(graph_peer: Any) -> None:
    text = (
        "Piecewise((x*y, And(x < y, Not(x <= 0))), (x**2, Or(x > 1, x >= y)), (y**3, Eq(x, y)), (sin(x), Ne(x, y)), (0, True))"
    )
    f = Function(text, ["x", "y"])
    for point in [(0.5, 1.0), (2.0, 1.0), (1.0, 1.0), (-0.5, 1.0), (-1.0, -1.0), (0.5, 0.25)]:
        assert f.gradient(point, method=graph_peer.name) == pytest.approx(f.gradient(point))
