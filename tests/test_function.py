"""The face a user holds: points, batches, domains, kinks, programs, and the laws that its derivatives obey."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy

import adlab

GALLERY = [
    adlab.gallery.worked_example(), adlab.gallery.baydin(), adlab.gallery.logistic_map(5),
    adlab.gallery.logistic_map(5, form="evaluated"), adlab.gallery.speelpenning(6), adlab.gallery.rosenbrock(5),
    adlab.gallery.helmholtz(4), adlab.gallery.squire_trapp(), adlab.gallery.chain(4), adlab.gallery.switched(),
    adlab.gallery.attention(), adlab.gallery.bundle_adjustment(),
]  # fmt: skip
WORKED = "log((x1 + x2)**2 + sin(x1*x2))"


@pytest.fixture(params=GALLERY, ids=lambda f: f.name)
def f(request) -> adlab.Function:
    return request.param


def test_reverse_and_forward_agree(f) -> None:
    assert f.jacobian(f.point, "reverse") == pytest.approx(f.jacobian(f.point, "forward"), rel=1e-11, abs=1e-13)


def test_the_products_are_adjoint_to_each_other(f) -> None:
    """⟨u, J v⟩ = ⟨Jᵀ u, v⟩ in random directions."""
    random = np.random.default_rng(7)
    for _ in range(3):
        u, v = random.normal(size=f.m), random.normal(size=f.n)
        assert u @ f.jvp(f.point, v) == pytest.approx(f.vjp(f.point, u) @ v, rel=1e-9, abs=1e-11)


def test_a_batch_is_its_points(f) -> None:
    points = np.array(f.point) * np.linspace(0.9, 1.1, 6)[:, None]
    for shape in ((6, f.n), (2, 3, f.n)):
        batch = points.reshape(shape)
        values, jacobians = f(batch), f.jacobian(batch)
        assert values.shape == (*shape[:-1], *((f.m,) if f.m > 1 else ()))
        assert jacobians.shape == (*shape[:-1], f.m, f.n)
        for place in np.ndindex(*shape[:-1]):
            assert values[place] == pytest.approx(f(batch[place]), rel=1e-12, abs=1e-300)
            assert jacobians[place] == pytest.approx(f.jacobian(batch[place]), rel=1e-11, abs=1e-13)


def test_the_hessian_is_symmetric_and_gives_the_products(f) -> None:
    if f.m > 1:
        with pytest.raises(adlab.MethodError, match="m = 2"):
            f.hessian(f.point)
        return
    hessian = f.hessian(f.point)
    scale = np.abs(hessian).max()
    assert hessian == pytest.approx(hessian.T, rel=1e-9, abs=1e-12 * scale)
    v = np.random.default_rng(3).normal(size=f.n)
    assert f.hvp(f.point, v) == pytest.approx(hessian @ v, rel=1e-9, abs=1e-10 * scale)


def test_the_derivative_program_is_a_function_of_the_same_variables(f) -> None:
    with_value = f.derivative("reverse", value=True)
    assert with_value.names == f.names
    found = np.array(with_value(f.point)).reshape(-1)
    assert found[: f.m] == pytest.approx(np.reshape(f(f.point), -1), rel=1e-14)
    assert found[f.m :].reshape(f.m, f.n) == pytest.approx(f.jacobian(f.point), rel=1e-14)


def test_derivatives_of_derivatives() -> None:
    f = adlab.Function("x**5")
    third = f.derivative("forward").derivative("reverse").derivative("forward")
    assert third(2.0) == 60 * 2.0**2
    again = adlab.Function(WORKED).derivative().derivative("forward")
    assert np.reshape(again([1, 2]), (2, 2)) == pytest.approx(adlab.Function(WORKED).hessian([1, 2]), rel=1e-12)


def test_paths_add_up_to_the_derivative() -> None:
    for f in GALLERY[:3]:
        trace = f.trace(f.point)
        for name, slope in zip(f.names, trace.gradient, strict=True):
            assert sum(path.product for path in trace.paths(name)) == pytest.approx(slope, rel=1e-12)


# --- points -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x",
    [[1, 2], (1.0, 2.0), np.array([1, 2]), {"x1": 1, "x2": 2}, {"x2": 2.0, "x1": 1}, [Fraction(1), 2], [sympy.Integer(1), 2],
     {sympy.Symbol("x1", real=True): 1, sympy.Symbol("x2", real=True): 2}],
    ids=str,
)  # fmt: skip
def test_a_point_may_be_given_in_many_ways(x) -> None:
    assert adlab.Function(WORKED)(x) == 2.2934734504528866


@pytest.mark.parametrize(
    "x",
    [[1], [1, 2, 3], 1.0, {"x1": 1}, {"x1": 1, "x2": 2, "x3": 3}, ["a", 2], [1, None], [1, float("nan")], [1, float("inf")],
     [1 + 2j, 0], "12", [[1], [2, 3]]],
    ids=str,
)  # fmt: skip
def test_a_bad_point_is_refused_in_a_sentence(x) -> None:
    with pytest.raises(adlab.PointError, match=r"n = 2|x1|x2|real numbers|finite|point"):
        adlab.Function(WORKED)(x)


def test_one_variable_needs_no_brackets() -> None:
    f = adlab.Function("x**2")
    assert f(3) == f([3]) == f({"x": 3}) == 9.0
    assert f.gradient(3).tolist() == [6.0]


def test_variables_stand_in_natural_order_unless_given() -> None:
    assert adlab.Function("x10*x2*x1").names == ["x1", "x2", "x10"]
    assert adlab.Function("x10*x2*x1", variables=["x10", "x1", "x2"]).names == ["x10", "x1", "x2"]


def test_a_variable_that_does_not_occur_has_partial_zero() -> None:
    f = adlab.Function("x**2", variables=["x", "unused"])
    assert f.gradient([3, 5]).tolist() == [6.0, 0.0]
    assert f.gradient([3, 5], "forward").tolist() == [6.0, 0.0]


def test_symbols_of_one_name_are_not_two_variables() -> None:
    plain, real = sympy.Symbol("x"), sympy.Symbol("x", real=True)
    with pytest.raises(adlab.VariableError, match="`x`"):
        adlab.Function(plain * real)
    with pytest.raises(adlab.VariableError, match="`x`"):
        adlab.Function(plain**2, variables=[real])
    with pytest.raises(adlab.VariableError, match="y"):
        adlab.Function(plain * sympy.Symbol("y"), variables=[plain])


def test_awkward_names_are_plain_variables() -> None:
    f = adlab.Function("gamma*S + I*lambda + E_n*if")
    assert sorted(f.names) == ["E_n", "I", "S", "gamma", "if", "lambda"]
    assert np.isfinite(f.gradient(np.arange(1.0, 7.0), "symbolic")).all()


# --- domains, kinks, branches -------------------------------------------------------------------------------------

OUTSIDE = [
    ("log(x)", -1.0, "log(x)", "x > 0"), ("sqrt(x)", -1.0, "sqrt(x)", "x >= 0"), ("1/x", 0.0, "1/x", "x != 0"),
    ("asin(x)", 2.0, "asin(x)", "x <= 1"), ("cbrt(x)", -8.0, "cbrt(x)", "x >= 0"), ("x**(2/5)", -1.0, "x**(2/5)", "x >= 0"),
    ("loggamma(x)", -0.5, "loggamma(x)", "x > 0"), ("acosh(x)", 0.5, "acosh(x)", "x >= 1"), ("atan(1/x)", 0.0, "1/x", "x != 0"),
    ("exp(-1/x)", 0.0, "(-1)/x", "x != 0"), ("gamma(x)", -2.0, "gamma(x)", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "x", "operation", "condition"), OUTSIDE, ids=[row[0] for row in OUTSIDE])
def test_outside_the_domain_the_operation_is_named(formula, x, operation, condition) -> None:
    f = adlab.Function(formula)
    for call in (f, f.gradient, lambda x: f.gradient(x, "forward"), f.trace):
        with pytest.raises(adlab.DomainError) as caught:
            call(x)
        assert caught.value.operation == operation
        assert condition in caught.value.condition
        assert repr(x) in str(caught.value)
    batch = f([[x], [0.75 if "acosh" not in formula else 1.5]])
    assert np.isnan(batch[0])
    assert np.isfinite(batch[1])
    with pytest.raises(adlab.DomainError):
        f([[x], [0.75]], errors="raise")


@pytest.mark.parametrize("formula", ["sqrt(x)", "asin(1 - x)", "x**(1/3)", "x**(2/3)", "acosh(1 + x)"])
def test_a_value_without_a_derivative(formula: str) -> None:
    """At 0 these have a value, and an infinite slope: the value is returned, the gradient is not."""
    f = adlab.Function(formula)
    assert np.isfinite(f(0.0))
    for mode in ("reverse", "forward"):
        with pytest.raises(adlab.DomainError, match="no derivative"):
            f.gradient(0.0, mode)
        assert np.isnan(f.gradient([[0.0]], mode)).all()


def test_the_domain_is_said_in_relationals() -> None:
    x1, x2 = adlab.Function(WORKED).variables
    assert adlab.Function(WORKED).domain == [sympy.StrictGreaterThan((x1 + x2) ** 2 + sympy.sin(x1 * x2), 0)]
    assert adlab.Function("sin(x) + x**2").domain == []


BRANCHES = [
    ("Piecewise((sqrt(x), x > 0), (0, True))", -1.0, 0.0, 0.0),
    ("Piecewise((sqrt(x), x > 0), (0, True))", 4.0, 2.0, 0.25),
    ("Piecewise((sin(x)/x, x != 0), (1, True))", 0.0, 1.0, 0.0),
    ("Piecewise((log(x), x > 1), (Piecewise((sqrt(-x), x < 0), (x, True)), True))", 0.5, 0.5, 1.0),
    ("Piecewise((log(x), x > 1), (Piecewise((sqrt(-x), x < 0), (x, True)), True))", -4.0, 2.0, -0.25),
    ("Max(1/x, x)*0 + Piecewise((1/x, x > 0), (x**2, True))", 2.0, 0.5, -0.25),
    ("Max(sqrt(x), 1)", 0.0, 1.0, 0.0),
]


@pytest.mark.parametrize(("formula", "x", "value", "slope"), BRANCHES)
def test_a_branch_not_taken_leaves_no_trace(formula, x, value, slope) -> None:
    f = adlab.Function(formula)
    assert f(x) == pytest.approx(value)
    assert f([[x]])[0] == pytest.approx(value)
    for mode in ("reverse", "forward"):
        assert f.gradient(x, mode)[0] == pytest.approx(slope)
        assert f.gradient([[x]], mode)[0, 0] == pytest.approx(slope)
    assert f.trace(x).gradient[0] == pytest.approx(slope)


@pytest.mark.parametrize(("formula", "point", "partials"), [
    ("Abs(x)", [0], [0]), ("sign(x)", [0], [0]), ("Max(x, y)", [2, 2], [0.5, 0.5]), ("Min(x, y)", [2, 2], [0.5, 0.5]),
    ("floor(x)", [3], [0]), ("Heaviside(x)", [0], [0]), ("Max(x, y)", [3, 2], [1, 0]), ("Mod(x, y)", [7.5, 2], [1, -3]),
])  # fmt: skip
def test_kinks_follow_the_convention_of_the_table(formula, point, partials) -> None:
    for mode in ("reverse", "forward"):
        assert adlab.Function(formula).gradient(point, mode).tolist() == partials


def test_overflow_is_an_infinity_and_nonsense_is_named() -> None:
    assert adlab.Function("exp(x)")(1000.0) == np.inf
    with pytest.raises(adlab.OverflowedError, match=r"exp"):
        adlab.Function("exp(x) - exp(x + 1)")(1000.0)


def test_real_by_way_of_complex_numbers() -> None:
    """sqrt(x)/sqrt(y) of two negative numbers is what SymPy means by it; a complex value is outside the domain."""
    f = adlab.Function("sqrt(x)/sqrt(y)")
    assert f([-4, -1]) == pytest.approx(2.0)
    assert f.gradient([-4.0, -1.0]) == pytest.approx([-0.25, 1.0])
    with pytest.raises(adlab.DomainError):
        f([-4, 1])


# --- size -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_chain_30000_deep_under_the_default_recursion_limit() -> None:
    f = adlab.gallery.chain(30_000)
    reverse = f.gradient(f.point)
    assert reverse == pytest.approx(f.gradient(f.point, "forward"), rel=1e-9)
    assert len(repr(f)) < 300
    assert len(f.title) < 300


def test_what_is_shared_is_never_unfolded() -> None:
    x = sympy.Symbol("x", real=True)
    nest = x
    for _ in range(100):
        nest = sympy.Mul(sympy.sin(nest, evaluate=False), sympy.exp(nest, evaluate=False), evaluate=False)
    f = adlab.Function(nest)
    assert len(f.graph.operations) == 300
    assert np.isfinite(f.gradient(0.5)).all()
    assert len(f.title) < 300


def test_python_source_computes_the_same(f) -> None:
    namespace: dict = {}
    source = f.to_python()
    exec(source, namespace)
    name = [line for line in source.splitlines() if line.startswith("def ")][-1][4:].split("(")[0]
    found = namespace[name](*map(float, f.point))
    assert found == pytest.approx(f(f.point) if f.m == 1 else tuple(f(f.point)), rel=1e-14)


def test_latex_of_a_program_is_bounded(f) -> None:
    text = f.to_latex()
    assert text.startswith((r"\begin{aligned}", r"\text"))
    assert len(text) < 40_000


def test_the_registry_is_called_by_its_public_name_whatever_was_imported_before() -> None:
    """A submodule named `methods` would hide the function once anything had imported it."""
    from adlab.methods import METHODS

    assert adlab.methods()["reverse"] is METHODS["reverse"]
    for name in adlab.methods():
        assert adlab.methods()[name].name == name


@pytest.mark.parametrize("name", adlab.gallery.GALLERY)
def test_the_first_gradients_are_swept_and_the_later_ones_run_the_program(name: str) -> None:
    f = adlab.gallery.GALLERY[name]()
    first = f.jacobian(f.point)
    assert not f.evaluator.written
    for _ in range(20):
        last = f.jacobian(f.point)
    assert f.evaluator.written
    np.testing.assert_allclose(first, last, rtol=1e-13, atol=1e-15 * np.abs(last).max())


@pytest.mark.parametrize("method", ["reverse", "forward"])
@pytest.mark.parametrize(("at", "gradient"), [([0, 2], [0, 0]), ([0, 1], [1, 0]), ([0, 2.5], [0, 0])])
def test_a_power_of_zero_has_its_partials(method: str, at: list[float], gradient: list[float]) -> None:
    """∂(x**y)/∂y is 0 at x = 0 for y > 0, although its rule reads 0·log 0."""
    f = adlab.Function("x**y")
    assert f.gradient(at, method=method).tolist() == gradient
    assert f.gradient([at, at], method=method).tolist() == [gradient, gradient]
    for nowhere in ([0, 0], [0, 0.5], [-2, 3]):
        with pytest.raises(adlab.DomainError):
            f.gradient(nowhere, method=method)


def test_an_overflow_on_the_way_leaves_no_trace() -> None:
    """sqrt(x² + y²) at 1e200, where x/∞ would be 0: unlimited exponents give the true derivatives."""
    norm, far = adlab.Function("sqrt(x**2 + y**2)"), [1e200, 1.0]
    assert norm(far) == 1e200
    for found in (norm.gradient(far), norm.vjp(far, [1.0]), norm.gradient([far, [3.0, 4.0]])[0]):
        assert found.tolist() == [1.0, 1e-200]
    assert norm.jvp(far, [1.0, 0.0]).tolist() == [1.0]
    assert norm.hessian(far)[1, 1] == 1e-200


def test_a_function_differentiates_as_sympy_users_expect() -> None:
    f = adlab.Function("x**2*sin(y)")
    x, y = f.variables
    assert f.expr == x**2 * sympy.sin(y)
    assert f.diff("x") == 2 * x * sympy.sin(y)
    assert f.diff(x, "y") == 2 * x * sympy.cos(y)
    assert adlab.Function("x**3").diff() == 3 * adlab.Function("x").variables[0] ** 2
    assert adlab.Function(["x*y", "x + y"]).diff("x") == (y, 1)
    with pytest.raises(adlab.VariableError, match="x, y"):
        f.diff()
    with pytest.raises(adlab.VariableError, match="no variable `z`"):
        f.diff("z")
