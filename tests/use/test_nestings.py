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
