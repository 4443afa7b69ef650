"""At one point every path gives one answer: a derivative where `gradient` gives one, NaN where it raises, never an infinity."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Iterator

import edges
import numpy as np
import pytest

import adlab

BACKENDS = ["auto", "python", "numpy", *(["llvm"] if importlib.util.find_spec("llvmlite") else [])]
CALLS = 12
"""A gradient is swept at first, and computed by a program from the ninth call on."""
ROWS = 9  # of a batch: more than a vector of the processor, and enough to be walked together


def paths(f: adlab.Function, x: list[float], backend: str) -> Iterator[tuple[str, str, np.ndarray]]:
    """What is computed ("f", "f'" or "f''"), by which path, and the answer."""
    point, batch = np.array(x), np.tile(np.array(x), (ROWS, 1))
    slope, gradient, both = f.derivative(), f.compile(backend, "gradient"), f.compile(backend, "value_and_gradient")
    one, many = np.empty(f.n), np.empty((ROWS, f.n))
    gradient.bind(point, one)()
    gradient.bind(batch, many)()
    entries = f.compile(backend, "jacobian", sparse=True)
    yield "f", "compile", np.array(f.compile(backend).call(*x))
    yield "f", "value_and_gradient", np.array(both.call(*x)[:1])
    yield "f'", "value_and_gradient", np.array(both.call(*x)[1:])
    yield "f'", "value_and_gradient of a batch", both(batch)[1][-1]
    yield "f'", "call", np.array(gradient.call(*x))
    yield "f'", "at a point", gradient(point)
    yield "f'", "a batch", gradient(batch)[0]
    yield "f'", "threads", gradient(batch, threads=2)[-1]
    yield "f'", "bind", one
    yield "f'", "bind of a batch", many[ROWS // 2]
    yield "f'", "derivative()", np.array(slope.compile(backend).call(*x))
    if entries.columns.tolist() == list(range(f.n)):
        yield "f'", "sparse", np.array(entries.call(*x))
    yield "f''", "hessian", np.array(f.compile(backend, "hessian").call(*x))


def shared_paths(f: adlab.Function, x: list[float]) -> Iterator[tuple[str, str, np.ndarray]]:
    """As `paths`, those that no backend is named for."""
    point, slope = np.array(x), f.derivative()
    yield "f", "a batch", np.atleast_1d(f([x, x])[1])
    yield "f'", "a batch", f.gradient([x, x])[1]
    yield "f'", "a batch by forward mode", f.gradient([x, x], "forward")[0]
    yield "f'", f"call {CALLS}", [finite(f.evaluator.jacobian(point)[0]) for _ in range(CALLS)][-1]
    yield "f'", "derivative() of a batch", np.reshape(slope([x, x]), (2, f.n))[1]
    yield "f'", "derivative(value=True)", f.derivative(value=True)([x, x])[0, 1:]


def finite(found: np.ndarray) -> np.ndarray:
    """What exists and is beyond binary64 has no number."""
    return np.where(np.isinf(found), np.nan, found)


def agree(text: str, x: list[float]) -> None:
    f = adlab.Function(text)
    at, point = f.evaluator, np.array(x)
    expected = {
        "f": at.values(point), "f'": finite(at.jacobian(point)[0]), "f''": finite(at.second(point, np.eye(f.n))).ravel()
    }  # fmt: skip
    for call in (f.gradient, f.derivative()):
        if np.isnan(expected["f'"]).any():
            with pytest.raises(adlab.AdlabError):
                call(x)
        else:
            assert np.isfinite(call(x)).all()
    bounds = {"f": edges.value_bounds(f, x), "f'": edges.bounds(f, x), "f''": edges.second_bounds(f, x)}
    found = [("", *path) for path in shared_paths(f, x)]
    found += [(backend, *path) for backend in BACKENDS for path in paths(f, x, backend)]
    for backend, what, path, answer in found:
        wanted = expected[what]
        with np.errstate(all="ignore"):
            near = np.abs(answer - wanted) <= 8 * np.array(bounds[what]) + 1e-12 * np.abs(wanted) + 2.0**-1074
        same = (answer == wanted) | (np.isnan(answer) & np.isnan(wanted)) | near
        assert same.all(), (what, path, backend, text, x, wanted, answer)


BEYOND = [  # formula, point: some derivative is beyond binary64, or does not exist
    ("exp(x)", [709.9]), ("1/x", [-1e-200]), ("x**3*y", [1e155, 2.0]), ("log(x)", [-1.0]), ("sqrt(x) + y", [0.0, 1.0]),
    ("x*y*1e200", [1e200, 1.0]), ("exp(x)*y", [800.0, 0.0]), ("tan(x)**2/1e300", [1e-310]), ("Abs(x)*y", [0.0, 1e200]),
    ("x**0.5*1e300", [1e-100]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "x"), BEYOND)
def test_what_is_beyond_binary64_is_refused_by_every_path(text: str, x: list[float]) -> None:
    agree(text, x)


@pytest.mark.parametrize("case", [0, 3, 6])
def test_a_few_random_formulas_at_extreme_points(case: int) -> None:
    text, _, x = next(itertools.islice(edges.random_cases(seed=8), case, None))
    agree(text, x)


@pytest.mark.slow
@pytest.mark.parametrize("case", range(60))
def test_random_formulas_at_extreme_points(case: int) -> None:
    text, _, x = next(itertools.islice(edges.random_cases(seed=9), case, None))
    agree(text, x)


TOO_SMALL = [  # an inner function is below binary64, and what is made of it is not
    ("1e200*gamma(x)", [-180.5]), ("y**2/gamma(x)", [-500.5, 0.0]), ("1e300*x/hypot(x, y)", [1e-200, 1e200]),
    *(pytest.param(*case, marks=pytest.mark.slow) for case in [
        ("1e100*airyai(x)", [110.0]), ("1e100*uppergamma(2, x)", [800.0]), ("1e100*besselj(50, x)", [1e-6]),
        ("1e300*lowergamma(40, x)", [1e-10]),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "x"), TOO_SMALL)
def test_what_is_below_binary64_on_the_way_is_no_zero_by_any_path(text: str, x: list[float]) -> None:
    agree(text, x)
    true = adlab.truth(text, x).components
    assert adlab.gradient(text, x).tolist() == pytest.approx([float(c.value) for c in true], rel=1e-14, abs=5e-324)


def test_a_special_function_whose_derivatives_are_too_small_as_well_has_them() -> None:
    assert adlab.gradient("1e300*polygamma(5, x)", 1e90)[0] == pytest.approx(-1.2e-238, rel=1e-13)
    assert adlab.gradient("1e200*expint(x, 800)", 2.5)[0] == pytest.approx(-5.688388611559e-154, rel=1e-12)


def test_a_flag_that_tells_of_nothing_takes_no_answer_away() -> None:
    """mpmath cannot give J0 at a rounded 1e55 with more bits. No value has left binary64's range, so its number stands."""
    f = adlab.Function("besselj(0, Piecewise((z/x, y*z > 0), (x*y, True)))*Max(softplus(1e100), x/y)/(3/2/sqrt(y))")
    x = [-1.7330982297799472e-27, 5.985352531599002e-16, 2.92056619548093e28]
    assert f(x) == f([x, x])[0]
    assert f.gradient(x) == pytest.approx(f.gradient([x] * 9)[8], rel=1e-12)


def test_a_derivative_that_rounding_decides_beyond_the_reals_is_refused_as_that() -> None:
    with pytest.raises(adlab.DomainError, match="real here only by way of complex numbers, and rounding decides its derivative"):
        adlab.gradient("(x**(-0.5)/y**(-0.5))**4*(z/(y*z) - (y*y - log(2)))", [36.47157997501052, -1.5175122338054776, -0.5])


def test_an_order_that_is_too_large_for_a_derivative_leaves_the_value_to_points_and_batches() -> None:
    f = adlab.Function("besselj(x, 0.5)")
    assert f([150.0]) == f([[150.0], [150.0]])[1] == pytest.approx(8.588713830e-354, rel=1e-9, abs=5e-324)


def test_a_derivative_beyond_binary64_is_called_so() -> None:
    f = adlab.Function(["exp(x)*y", "x*y"])
    for call in (f.jacobian, f.derivative(), f.derivative(value=True)):
        with pytest.raises(adlab.OverflowedError):
            call([709.5, 1e9])
    found = f.derivative(value=True)([[709.5, 1e9]])[0]
    assert found[0] == np.inf
    assert np.isnan(found[2])
    assert found[[1, 4, 5]].tolist() == [709.5e9, 1e9, 709.5]


def test_a_second_derivative_needs_no_first_one_within_binary64() -> None:
    f = adlab.Function("x**3")
    expected = pytest.approx(6e170, rel=1e-14)
    assert f.hessian(1e170)[0, 0] == f.derivative().derivative()(1e170) == f.derivative().gradient(1e170)[0] == expected
