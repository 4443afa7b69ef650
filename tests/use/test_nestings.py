"""The four nestings of a Hessian-vector product: one number, four costs."""

from __future__ import annotations

import numpy as np
import pytest

import adlab
from adlab.autodiff.programs import NESTINGS, hvp_program
from adlab.use.nestings import nestings


@pytest.mark.parametrize("f", [
    "Piecewise((x**2*sin(y)/z, x > 0), (exp(x*z), True)) + Abs(y)*z",
    "log(x + y**2)*tanh(z) + x*y*z", "Max(x, y)*z**3 + hypot(x, z)",
])  # fmt: skip
def test_all_four_are_the_hessian_times_the_vector(f) -> None:
    g, v = adlab.Function(f, ["x", "y", "z"]), [0.5, -1.0, 2.0]
    for point in ([1.2, 0.7, 0.4], [-0.3, 1.4, 2.0] if "log" not in f else [0.2, -1.4, 3.0]):
        for nesting in NESTINGS:
            program = hvp_program(g.graph, ["a", "b", "c"], nesting)
            found = adlab.Function.from_graph(program)([*point, *v])
            np.testing.assert_allclose(found, g.hessian(point) @ v, rtol=1e-13, atol=1e-13)


def test_forward_over_forward_grows_with_the_inputs_and_the_others_do_not() -> None:
    ratios = {n: {each.name: each.ratio for each in nestings(adlab.gallery.speelpenning(n)).found} for n in (4, 16)}
    assert ratios[16]["forward over forward"] > 2 * ratios[4]["forward over forward"]
    for nesting in NESTINGS[:3]:
        assert ratios[16][nesting] < 14


def test_a_table_counts_and_times() -> None:
    found = nestings("x**2*sin(y)", [1.0, 2.0], [1.0, 0.0])
    assert all(each.apart < 1e-15 for each in found.found)
    assert "reverse over reverse" in str(found)
    with pytest.raises(adlab.MethodError, match="one output"):
        nestings(["x", "x**2"], [1.0])


@pytest.mark.parametrize("nesting", NESTINGS)
@pytest.mark.parametrize("text", ["x**2*sin(y)", "log(1 + exp(x*y))", "Piecewise((x**3*y, x > 0), (x*y, True))"])
def test_a_product_by_a_chosen_nesting_is_the_product(text: str, nesting: str) -> None:
    f = adlab.Function(text, ["x", "y"])
    for x in ([0.5, 1.25], [-1.5, 0.75]):
        np.testing.assert_allclose(f.hvp(x, [2.0, -1.0], nesting=nesting), f.hvp(x, [2.0, -1.0]), rtol=1e-13, atol=1e-15)


def test_an_unknown_nesting_is_refused() -> None:
    with pytest.raises(adlab.AdlabError, match="there are forward over reverse"):
        adlab.Function("x**2").hvp([1.0], [1.0], nesting="sideways")
    with pytest.raises(adlab.AdlabError, match="m = 2"):
        adlab.Function(["x", "x**2"]).hvp([1.0], [1.0], nesting="reverse over reverse")
