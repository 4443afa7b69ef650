"""Someone's own gradient: ten deliberately broken ones, each named for what it is."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy

import adlab
from adlab.report.check import check
from adlab.testing import assert_gradient

WORKED = "log((x1 + x2)**2 + sin(x1*x2))"
POINTS = [[1.0, 2.0], [2.0, 3.0], [0.3, 0.7]]


def true_gradient(x):
    s = (x[0] + x[1]) ** 2 + np.sin(x[0] * x[1])
    return np.array([2 * (x[0] + x[1]) + x[1] * np.cos(x[0] * x[1]), 2 * (x[0] + x[1]) + x[0] * np.cos(x[0] * x[1])]) / s


def broken(change):
    return lambda x: change(np.array(true_gradient(x)), x)


SLIPS = {
    "factor": (broken(lambda g, x: g * [1, 2]), "wrong by a factor 2 in x2"),
    "half": (broken(lambda g, x: g / 2), "wrong by a factor 1/2 in x1, x2"),
    "sign": (broken(lambda g, x: g * [-1, 1]), "sign of x1"),
    "swapped": (broken(lambda g, x: g[::-1]), "x1 and x2 are in each other's place"),
    "single precision": (broken(lambda g, x: g.astype(np.float32)), "accurate to single precision only in x1, x2"),
    "nothing": (broken(lambda g, x: g * [0, 1]), "nothing arrives at x1"),
    "missing path": (
        lambda x: 2 * (x[0] + x[1]) / ((x[0] + x[1]) ** 2 + np.sin(x[0] * x[1])) * np.ones(2),
        "missing the path through v3 = x1*x2 in x1, x2",
    ),
    "another": (broken(lambda g, x: g + np.sin(g)), "wrong in a way that is none of the usual slips in x1, x2"),
    "not finite": (broken(lambda g, x: g * [np.nan, 1]), "not a finite number in x1"),
    "shape": (lambda x: true_gradient(x)[:1], "the shape is (1,) where (2,) is due"),
}


FORMULA = "x1**2*x2 + sin(x1*x2)*exp(x3)"
PLACES = [[1.0, 2.0, 0.5], [0.3, -1.2, 1.1], [2.2, 0.7, -0.4]]


def its_gradient(x):
    a, b, c = x
    inner = np.cos(a * b) * np.exp(c)
    return np.array([2 * a * b + b * inner, a * a + a * inner, np.sin(a * b) * np.exp(c)])


def its_value(x):
    return x[0] ** 2 * x[1] + np.sin(x[0] * x[1]) * np.exp(x[2])


MORE_SLIPS = {
    "next": (lambda x: np.roll(its_gradient(x), 1), "off by one: what belongs to each is in the place of the next"),
    "before": (lambda x: np.roll(its_gradient(x), -1), "off by one: what belongs to each is in the place of the one before"),
    "reversed": (lambda x: its_gradient(x)[::-1], "x1 and x3 are in each other's place"),
    "arguments": (lambda x: its_gradient(x[[1, 0, 2]]), "the arguments are read in another order, x2 as x1, x1 as x2"),
    "degrees": (lambda x: its_gradient(x) * 180 / np.pi, "wrong by a factor 180/π, degrees for radians in x1, x2, x3"),
    "decimal": (lambda x: its_gradient(x) * [1, 1e-3, 1], "wrong by a factor 1e-3 in x2"),
    "odd factor": (lambda x: its_gradient(x) * [1, 1, 1.2345], "wrong by the factor 1.2345, the same at every point, in x3"),
    "summand": (lambda x: its_gradient(x) + np.eye(3)[2], "off by +1, the same at every point, in x3"),
    "logarithm": (lambda x: its_gradient(x) / its_value(x), "as if it were the gradient of log f, in x1, x2, x3"),
    "at one point": (lambda x: its_gradient(x) * (1 + (x[0] == 1)), "in x1, x2, x3 at 1 of 3 points, at [1.0, 2.0, 0.5]"),
    "wrong wave": (
        lambda x: [2 * x[0] * x[1] + x[1] * np.sin(x[0] * x[1]) * np.exp(x[2]), *its_gradient(x)[1:]],
        "the derivative of v4 = sin(v3) is taken to be the value itself, in x1",
    ),
    "a pair": (lambda x: (its_value(x), its_gradient(x)), "two things come back"),
    "complex": (lambda x: its_gradient(x) + 1j, "complex numbers come back"),
}  # fmt: skip


@pytest.mark.parametrize(("grad", "finding"), MORE_SLIPS.values(), ids=MORE_SLIPS)
def test_slips_of_order_factor_and_chain(grad, finding: str) -> None:
    found = check(FORMULA, grad, PLACES)
    assert not found.passed
    assert finding in found.findings[0]
    assert len(found.findings) == 1


def test_an_inner_derivative_left_out_is_named() -> None:
    forgotten = lambda x: np.array([np.cos(x[0] ** 2), np.sin(x[0] ** 2)]) * np.exp(x[1])  # noqa: E731
    found = check("sin(x**2)*exp(y)", forgotten, [[0.3, 1], [2, 0.5]])
    assert found.findings == ["the derivative of v1 = x**2 is taken to be 1: it is left out of the chain, in x"]
    found = check("exp(2*sin(x**3))", lambda x: np.exp(2 * np.sin(x**3)) * 2 * np.cos(x**3) * x**2, at=[0.3, 1.2])
    assert found.findings == ["wrong by a factor 1/3 in x"]


def test_outputs_in_another_order_are_named() -> None:
    rows = lambda x: np.array([[x[1], x[0]], [1, np.cos(x[1])], [2 * x[0], 0]])  # noqa: E731
    formulas, at = ["x*y", "x + sin(y)", "x**2"], [[1.0, 2.0], [0.3, -1.2]]
    assert check(formulas, rows, at).passed
    assert "outputs are off by one" in check(formulas, lambda x: np.roll(rows(x), 1, axis=0), at).findings[0]
    assert "f0 and f1 are in each other's place" in check(formulas, lambda x: rows(x)[[1, 0, 2]], at).findings[0]


def test_the_roundings_of_the_formula_are_told_from_a_slip() -> None:
    """(1 − cos x)/x² at 1e-6 as it is written: reverse mode says −88.9 where −8.3e-8 is due."""
    naive = lambda x: np.sin(x) / x**2 - 2 * (1 - np.cos(x)) / x**3  # noqa: E731
    found = check("(1 - cos(x))/x**2", naive, at=[1e-6])
    assert "no more than the roundings of the formula account for" in found.findings[0]
    assert "lost at v2 = 1 - v1" in found.findings[0]


def test_a_zero_is_judged_by_what_moves_it() -> None:
    """∂/∂x of x*y − 0.3*x at y = 0.3 is 0, and a rounding of y moves it by 5e-17."""
    assert check("x*y - 0.3*x", lambda x: [x[1] - 0.3 + 2e-17, x[0]], at=[[2.0, 0.3]]).passed
    assert check("x**2", lambda x: 2 * x + 1e-3, at=[0.0]).findings == ["up to 0.001 where the derivative is 0, in x"]


def test_an_overflow_is_right_where_the_truth_overflows() -> None:
    assert check("exp(x)", lambda x: np.array([np.inf]), at=[800.0]).passed


@pytest.mark.parametrize(("grad", "finding"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_called_by_its_name(grad, finding: str) -> None:
    found = check(WORKED, grad, POINTS)
    assert not found.passed
    assert any(finding in sentence for sentence in found.findings), found.findings


def test_a_transposed_jacobian_is_named() -> None:
    f = adlab.Function(["x*y", "x + sin(y)"])

    def jacobian(x):
        return np.array([[x[1], x[0]], [1, np.cos(x[1])]])

    assert check(f, jacobian, [[1.0, 2.0], [0.5, 3.0]]).passed
    assert "transposed" in check(f, lambda x: jacobian(x).T, [[1.0, 2.0], [0.5, 3.0]]).findings[0]
    wide = adlab.Function(["x*y", "x + sin(y)", "x"])
    assert "transposed" in check(wide, lambda x: np.zeros((2, 3)), [[1.0, 2.0]]).findings[0]


def test_a_right_gradient_passes_at_every_scale() -> None:
    assert check(WORKED, true_gradient, POINTS).passed
    for scale in (1e-200, 1e-8, 1e8, 1e150):
        assert check("x**2", lambda x: 2 * x, at=[scale]).passed


def test_ill_conditioning_is_no_slip() -> None:
    """At 40 the argument of the cosine is 4.6e7: rounding it costs eight digits, and that is allowed for."""
    assert check("cos(723*x**3)", lambda x: -np.sin(723 * x**3) * 723 * 3 * x**2, at=[40.0]).passed


def test_assertion_for_test_suites() -> None:
    assert_gradient(WORKED, true_gradient, POINTS)
    with pytest.raises(AssertionError, match="sign of x1"):
        assert_gradient(WORKED, SLIPS["sign"][0], POINTS)


def test_what_cannot_be_checked_is_said() -> None:
    with pytest.raises(adlab.OptionError, match="function"):
        check(WORKED, 3, POINTS)
    with pytest.raises(adlab.MethodError, match="ZeroDivisionError"):
        check("x", lambda x: 1 / 0, at=[1.0])
    with pytest.raises(adlab.MethodError, match="no truth"):
        check("log(x)", lambda x: 1 / x, at=[-1.0])
    with pytest.raises(adlab.PointError):
        check(WORKED, true_gradient, at=[])


def test_beyond_binary64_nothing_is_called_a_slip() -> None:
    """All numbers are nothing beside an infinite one."""
    assert check("exp(x)", lambda x: [5.0], at=[1000.0]).findings == ["wrong in a way that is none of the usual slips in x"]


def test_no_conditioning_excuses_a_sign() -> None:
    assert check("sin(x)", lambda x: -np.cos(x), at=[1e14]).findings == ["sign of x"]
    assert check("sin(x)", np.cos, at=np.array(1e14)).passed


# --- each point on its own ----------------------------------------------------------------------------------------


def test_a_kink_is_judged_by_both_sides_and_ends_nothing() -> None:
    found = check("Abs(x)", np.sign, at=[-1, 0, 1])
    assert found.passed
    assert [row.status for row in found.rows] == ["right", "convention", "right"]
    assert "is a convention" in found.notes[0]
    for value in (-1.0, 1.0, 0.25, math.nan):
        assert check("Abs(x)", lambda x, v=value: np.where(x == 0, v, np.sign(x)), at=[0, 3]).passed
    beyond = check("Abs(x)", lambda x: np.where(x == 0, 1.5, np.sign(x)), at=[0, 3])
    assert beyond.findings == ["1.5 at [0.0] in x is not between the one-sided derivatives, -1.0 on the left, 1.0 on the right"]


def test_a_point_outside_the_domain_is_noted_and_the_rest_is_judged() -> None:
    found = check("log(x)", lambda x: 1 / x, at=[-1.0, 2.0])
    assert found.passed
    assert [row.point for row in found.rows] == [1]
    assert "not judged at [-1.0]: the value is complex here" in found.notes[0]
    assert not check("log(x)", lambda x: 2 / x, at=[-1.0, 2.0]).passed
    raising = check("log(x)", lambda x: 1 / math.sqrt(x[0]) ** 2, at=[-1.0, 2.0])
    assert raising.passed
    assert "your gradient raises" in raising.notes[0]


def test_a_gradient_that_raises_at_one_point_is_wrong_there_only() -> None:
    found = check("x**2", lambda x: 2 * x if x[0] > 0 else {}["none"], at=[-1.0, 2.0])
    assert found.findings == ["your gradient raised KeyError: 'none' (at [-1.0])"]
    assert [row.status for row in found.rows] == ["right"]


# --- zeros, and what rounding leaves of them ----------------------------------------------------------------------


def test_rounding_where_the_truth_is_exactly_or_nearly_0() -> None:
    assert check("4*((1/r)**12 - (1/r)**6)", lambda r: 4 * (6 * r**-7 - 12 * r**-13), at=[2 ** (1 / 6), 1.3]).passed

    def rotated(t, x, y):
        a, b = x * math.cos(t) - y * math.sin(t), x * math.sin(t) + y * math.cos(t)
        n = math.hypot(a, b)
        by_t = (a * (-x * math.sin(t) - y * math.cos(t)) + b * (x * math.cos(t) - y * math.sin(t))) / n
        return by_t, (a * math.cos(t) + b * math.sin(t)) / n, (b * math.cos(t) - a * math.sin(t)) / n

    norm = "sqrt((x*cos(t) - y*sin(t))**2 + (x*sin(t) + y*cos(t))**2)"
    at = [[t, 1.3, -0.7] for t in (0.1, 0.4, 2.5, 7.3)]
    assert check(norm, rotated, at).passed
    assert check(norm, lambda t, x, y: (rotated(t, x, y)[0] + 1e-9, *rotated(t, x, y)[1:]), at).findings


def test_a_form_that_cancels_is_no_missing_path() -> None:
    s = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    for at in ([40.0], [1.0, 40.0]):
        [finding] = check("1/(1 + exp(-x))", lambda x: s(x) * (1 - s(x)), at=at).findings
        assert "no digit is left in x" in finding
        assert "nothing arrives" not in finding


# --- tolerances ---------------------------------------------------------------------------------------------------


def test_tolerances_are_numbers_or_kinds() -> None:
    off = lambda x: 2 * x * (1 + 1e-7)  # noqa: E731
    assert not check("x**2", off, at=[3.0]).passed
    assert check("x**2", off, at=[3.0], rtol=2e-7).passed
    assert not check("x**2", off, at=[3.0], rtol=5e-8).passed
    assert check("x**2", off, at=[3.0], atol=1e-6).passed
    assert check("x**2", off, at=[3.0], rtol=np.float32).passed
    for bad in ("float31", -1, [1], True):
        with pytest.raises(adlab.OptionError, match="rtol"):
            check("x**2", off, at=[3.0], rtol=bad)
    with pytest.raises(adlab.OptionError, match="did you mean 'float32'"):
        check("x**2", off, at=[3.0], rtol="float3")


# --- gradients and models as people have them ---------------------------------------------------------------------


def test_a_gradient_of_several_arguments_goes_by_their_names() -> None:
    assert check("x*y**2", lambda x, y: (y**2, 2 * x * y), at=[[2.0, 3.0]]).passed
    assert check("x*y**2", lambda y, x: (2 * x * y, y**2), at=[[2.0, 3.0]]).passed  # in its own order
    assert check("x*y**2", lambda a, b: (b**2, 2 * a * b), at=[[2.0, 3.0]]).passed
    assert check("x*y**2", lambda *p: (p[1] ** 2, 2 * p[0] * p[1]), at=[[2.0, 3.0]]).passed
    assert check("sin(x)", math.cos, at=[0.3]).passed


def test_a_gradient_in_letters() -> None:
    x, y = sympy.symbols("x y")
    at = [[2.0, 3.0], [0.5, -1.0]]
    for given in ("[y**2, 2*x*y]", "y**2, 2*x*y", ["y**2", "2*x*y"], [y**2, 2 * x * y], sympy.Matrix([[y**2, 2 * x * y]]),
                  adlab.Function(["y**2", "2*x*y"], ["x", "y"])):  # fmt: skip
        assert check("x*y**2", given, at).passed, given
    assert check("x**3", "3*x**2", [2.0]).passed
    assert check("x**3", 3 * x**2, [2.0]).passed
    assert check("x*y**2", "[y**2, x*y]", at).findings == ["wrong by a factor 1/2 in y"]
    with pytest.raises(adlab.ParseError):
        check("x**3", "3*x**", [2.0])


def test_a_gradient_of_a_framework() -> None:
    torch = pytest.importorskip("torch")
    of_vector = torch.func.grad(lambda v: torch.sin(v[0]) * torch.exp(v[1]))
    of_numbers = torch.func.grad(lambda x, y: torch.sin(x) * torch.exp(y), argnums=(0, 1))
    for given in (of_vector, of_numbers):
        assert check("sin(x)*exp(y)", given, [[1.0, 0.5]]).passed


def wave(v):
    return math.sin(v[0]) * helper(v[1])


def helper(t):
    return math.exp(-t * t)


def test_a_model_in_python_is_judged_by_its_own_code_on_high_precision_numbers() -> None:
    right = lambda v: [math.cos(v[0]) * helper(v[1]), -2 * v[1] * wave(v)]  # noqa: E731
    found = check(wave, right, [[1.0, 0.5], [0.2, 2.0]])
    assert found.passed
    assert "high-precision" in found.source
    assert check(wave, lambda v: np.multiply(right(v), [1, 2]), [[1.0, 0.5]]).findings == ["wrong by a factor 2 in x2"]
    assert check(lambda x, y: x**2 * np.sin(y), lambda x, y: (2 * x * np.sin(y), x**2 * np.cos(y)), [[3.0, 2.0]]).passed
    assert check(np.linalg.norm, lambda v: v / np.linalg.norm(v), [[3.0, 4.0]]).passed
    slopes = lambda v: [2 * v[1], 2 * v[0] if v[0] > 0 else v[0]]  # noqa: E731
    kinked = check(lambda v: max(v[0], 2 * v[0]) * v[1], slopes, [[0.0, 1.0], [1.0, 1.0]])
    assert kinked.passed
    assert "is a convention" in kinked.notes[0]


def test_a_model_that_runs_on_floats_only_is_sampled_and_said_to_be() -> None:
    found = check(lambda v: float(np.float64(v[0])) ** 3, lambda v: 3 * v**2, [[2.0]])
    assert found.passed
    assert "not independent" in found.source
    assert check(lambda v: float(np.float64(v[0])) ** 3, lambda v: 2 * v**2, [[2.0]]).findings == ["wrong by a factor 2/3 in v"]


def test_assertions_hide_their_own_frames() -> None:
    """pytest leaves out a frame in which `__tracebackhide__` is set."""
    with pytest.raises(AssertionError, match="your gradient raised KeyError"):  # whatever goes wrong is a failure of the test
        assert_gradient("x**3", lambda x: {}[0], at=[0.5])
    with pytest.raises(AssertionError, match="wrong by a factor 1/3 in x") as caught:
        assert_gradient("x**3", lambda x: x**2, at=[0.5, 2.0])
    inside = [entry.frame.f_locals for entry in caught.traceback[1:]]
    assert inside
    assert all(frame.get("__tracebackhide__") for frame in inside)


@pytest.mark.parametrize(("formula", "at"), [
    ("1/sqrt(x) - 1/sqrt(x + 1)", {"x": 1e17}),
    ("log(n + 1) - log(n)", {"n": 1e18}),
    ("(-b - sqrt(b*b - a*c))/a", {"a": 1e-12, "b": -2.0, "c": 1e-9}),
    ("x + (tan(y + z) - tan(a))", {"x": 1.0, "y": 0.5, "z": 1e-18, "a": 0.5}),
])  # fmt: skip
def test_what_the_formula_itself_loses_is_never_called_a_slip(formula: str, at: dict[str, float]) -> None:
    f = adlab.Function(formula)
    for finding in check(f, lambda x: f.jacobian(x)[0], [at]).findings:
        assert "no more than the roundings of the formula account for" in finding or "digits only" in finding


@pytest.mark.parametrize(("formula", "gradient", "at", "off"), [
    ("sqrt(x+1)-sqrt(x)", lambda x: 0.5 / math.sqrt(x + 1) - 0.5 / math.sqrt(x), 1e12, 1e-4),
    ("(1-cos(x))/x**2", lambda x: math.sin(x) / x**2 - 2 * (1 - math.cos(x)) / x**3, 1e-3, 1e-2),
    ("exp(x)-exp(1.000001)", lambda x: math.exp(x) * (1 + 1e-11), 1.000001, 1e-11),
])  # fmt: skip
def test_an_rtol_that_the_user_gives_is_the_rule(formula: str, gradient, at: float, off: float) -> None:
    """The condition of the point stretches the default, and never a number of the user's own."""
    assert not check(formula, gradient, at=[at], rtol=off / 1e3).passed
    assert check(formula, gradient, at=[at], rtol=off * 1e3).passed


def test_an_rtol_does_not_judge_what_is_relative_to_0() -> None:
    potential, at = "4*((1/r)**12-(1/r)**6)", [2 ** (1 / 6)]
    assert check(potential, lambda r: 4 * (6 * r**-7 - 12 * r**-13), at, rtol=1e-12, atol=1e-13).passed
    assert check("cos(x)", lambda x: -np.sin(x), at=[0.0], rtol=1e-15).passed
