"""Fits and minima: certified results, uncertainty, conditioning, refusals."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from corpora import rows

import adlab

pytest.importorskip("scipy")

# Misra1a of NIST's Statistical Reference Datasets (itl.nist.gov/div898/strd): monomolecular adsorption.
PRESSURE = np.array([77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0])
VOLUME = np.array([10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78])
MISRA = {"x": PRESSURE, "y": VOLUME}
CERTIFIED = {"b1": 2.3894212918e02, "b2": 5.5015643181e-04}
DEVIATIONS = [2.7070075241, 7.2668688436e-06]
MODEL = "b1*(1 - exp(-b2*x))"
LINE = {"x": np.arange(6.0), "y": 2 * np.arange(6.0) + 1}


def digits(found: float, certified: float) -> float:
    return -np.log10(max(abs(found - certified) / abs(certified), 1e-16))


@pytest.mark.parametrize("method", ["reverse", "symbolic", "complex-step", "central-difference"])
def test_certified_parameters_and_deviations(method) -> None:
    found = adlab.fit(MODEL, MISRA, start={"b1": 250, "b2": 5e-4}, method=method)
    assert found.converged
    assert min(digits(found.parameters[name], value) for name, value in CERTIFIED.items()) > 9.5
    assert min(map(digits, found.deviations, DEVIATIONS)) > 8
    assert digits(found.rss, 1.2455138894e-01) > 8
    assert found.freedom == 12


@pytest.mark.slow
@pytest.mark.parametrize("start", ["start1", "start2"])
def test_all_problems_of_nist_from_both_starts(start) -> None:
    """At least 9 of the 11 certified digits of every parameter, and as many of the residual sum as its own size allows."""
    problems = rows("nist_strd")
    assert len(problems) == 27
    for problem in problems:
        data = dict(zip(problem["data_columns"], np.array(problem["data"], float).T, strict=True))
        if problem["response"] == "log(y)":
            data["y"] = np.log(data["y"])
        model = adlab.Function(problem["expr"], problem["vars"])
        found = adlab.fit(model, data, {name: float(value) for name, value in problem[start].items()})
        worst = min(digits(found.parameters[name], float(value)) for name, value in problem["certified"].items())
        assert worst > 9, (problem["id"], worst)
        deviations = dict(zip(found.names, found.deviations, strict=True))
        if float(problem["certified_rss"]) > 1e-20:
            for name, value in problem["certified_sd"].items():
                assert digits(deviations[name], float(value)) > 4, (problem["id"], name)


def test_bounds_are_kept_and_uncertainties_given() -> None:
    found = adlab.fit(MODEL, MISRA, [200, 5e-4], bounds={"b1": (None, 230)})
    assert found.parameters["b1"] == pytest.approx(230, rel=1e-6)
    exact = adlab.fit("a*x + b", LINE, [1, 0], sigma=0.5)
    design = np.column_stack([LINE["x"], np.ones(6)])
    np.testing.assert_allclose(exact.covariance, 0.25 * np.linalg.inv(design.T @ design), rtol=1e-10)
    assert exact.parameters == pytest.approx({"a": 2, "b": 1}, rel=1e-12)


@pytest.mark.parametrize("bounds", [None, {"a": (0, None)}])
def test_a_fit_does_not_depend_on_units(bounds) -> None:
    """Data and parameters whose squares almost leave binary64's range, and a spare column that is no number."""
    data = {"x": LINE["x"], "y": LINE["y"] + 0.1 * np.cos(9 * LINE["x"]), "note": list("abcdef")}
    plain = adlab.fit("a*x + b", data, [1, 1], bounds, response="y")
    for right, left in ((1.0, 1e-150), (1.0, 1e150), (1e-150, 1.0), (1e150, 1.0)):
        units = np.array([right / left, right])
        found = adlab.fit("a*x + b", data | {"x": data["x"] * left, "y": data["y"] * right}, units, bounds, response="y")
        np.testing.assert_allclose(found.values / units, plain.values, rtol=1e-12)
        np.testing.assert_allclose(found.deviations / units, plain.deviations, rtol=1e-9)
        assert found.condition == pytest.approx(plain.condition, rel=1e-9)


def test_a_report_says_how_well_the_data_determine_the_parameters() -> None:
    good = adlab.fit(MODEL, MISRA, [250, 5e-4])
    assert "well-conditioned" in str(good)
    assert good.to_dict()["condition"] == pytest.approx(good.condition)
    bad = adlab.fit("a*exp(b + c*x)", {"x": PRESSURE / 500, "y": VOLUME}, [10.0, 0.1, 1.0])
    assert "do not determine" in str(bad)
    assert str(bad).split("do not determine ")[1].startswith(("a and b", "b and a", "a, b", "b, a"))
    assert np.isinf(bad.deviations).all()
    axes = good.plot()
    assert axes.get_xlabel() == "x"
    assert len(axes.lines[-1].get_xdata()) == len(PRESSURE)


@pytest.mark.parametrize(("arguments", "words"), [
    (("a*x + b", {"x": [1.0, 2.0]}, [1, 1]), "one column that the model does not use"),
    (("a*x + b", LINE | {"z": LINE["x"]}, [1, 1]), "one column that the model does not use"),
    (("a*x + b", LINE, [1, 1, 1]), "start"),
    (("a*x + b", LINE | {"y": LINE["y"][:4]}, [1, 1]), "`y` has 4 numbers"),
    (("a*log(x)", LINE, [1]), "data row 0: f has no value"),
    ((["a*x", "b"], LINE, [1, 1]), "one output"),
    (("a*x + b", {"x": [1.0], "y": [1.0]}, [1, 1]), "1 rows cannot determine 2"),
    (("a*x + b", {"x": [], "y": []}, [1, 1]), "the columns are empty"),
    (("a*x + b", lambda: iter([LINE]), [1, 1]), "takes a mapping from names to arrays"),
    (("a*x + b", LINE, [1, 1], {"a": (2, 3)}), "start: `a` is 1.0, outside its bounds"),
    (("a*x + b", LINE | {"y": np.cos(LINE["x"]) * 1e170}, [1, 1]), "leaves binary64's range; scale the data"),
])  # fmt: skip
def test_what_cannot_be_fitted_is_one_sentence(arguments, words) -> None:
    with pytest.raises(adlab.AdlabError, match=words):
        adlab.fit(*arguments)


@pytest.mark.parametrize(("options", "words"), [
    ({"bounds": {"q": (0, 1)}}, "no parameter `q`"),
    ({"bounds": {"a": 3}}, "needs a pair"),
    ({"bounds": {"a": (2, 1)}}, "must be smaller"),
    ({"sigma": 0}, "sigma must be positive"),
    ({"sigma": [1.0, 2.0]}, "one for each of the 6 rows"),
    ({"method": "newton"}, "no method `newton`"),
    ({"response": "x"}, "response: `x`"),
])  # fmt: skip
def test_options_that_cannot_be_meant(options, words) -> None:
    with pytest.raises(adlab.AdlabError, match=words):
        adlab.fit("a*x + b", LINE, [1, 1], **options)


def test_without_scipy_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    for call in (lambda: adlab.fit("a*x", LINE, [1]), lambda: adlab.minimize("x**2", [1])):
        with pytest.raises(adlab.MissingExtra, match=r"adlab\[fit\]"):
            call()


def test_minima_saddles_and_flat_places_are_told_apart() -> None:
    valley = adlab.minimize("(1 - x)**2 + 100*(y - x**2)**2", [-1.2, 1.0])
    assert (valley.kind, valley.solution) == ("minimum", pytest.approx({"x": 1, "y": 1}, rel=1e-14))
    assert valley.products > 0
    assert adlab.minimize("x**2 - y**2", [1.0, 0.0]).kind == "saddle"
    assert adlab.minimize("(x + y)**2", [1.0, 0.5]).kind == "flat"
    assert "smallest eigenvalue of the Hessian is 1" in str(adlab.minimize("x - log(x)", [3.0]))
    loss = adlab.total("(y - a*x - b)**2", LINE)
    assert adlab.minimize(loss, [0, 0]).solution == pytest.approx({"a": 2, "b": 1}, rel=1e-12)


def test_one_output_in_a_list_is_a_number_and_nothing_to_search_is_said() -> None:
    assert adlab.minimize(["x**2 + y**2"], [1.0, 1.0]).kind == "minimum"
    assert adlab.fit(["a*x"], LINE, [1.0]).values == pytest.approx(adlab.fit("a*x", LINE, [1.0]).values, rel=1e-14)
    with pytest.raises(adlab.MethodError, match="no variables"):
        adlab.minimize("2 + 1", [])


def test_a_minimum_is_none_on_a_slope_whatever_the_scale_of_f() -> None:
    for f, start, at in (("x - log(x)", 1e-10, 1), ("1e-20*(x - 1e-12)**2", 3, 1e-12)):
        found = adlab.minimize(f, [start])
        assert (found.kind, found.converged, found.point) == ("minimum", True, pytest.approx([at], rel=1e-12)), f
    for f, start in (("exp(-x)", 0), ("-x", 0)):
        assert "has not converged" in str(adlab.minimize(f, [start], steps=100)), f
    assert [adlab.minimize(f, [5.0]).kind for f in ("x**3", "x**4")] == ["flat", "flat"]
    with pytest.raises(adlab.MethodError, match="f has a kink there, or needs a larger scale"):
        adlab.minimize("sqrt(x**2 + y**2)", [3.0, 1.0])


def test_bounds_and_constraints_of_a_minimum() -> None:
    bounded = adlab.minimize("(x - 3)**2 + (y + 1)**2", [0.3, 0.2], bounds={"x": (0, 2)})
    assert bounded.solution == pytest.approx({"x": 2, "y": -1}, abs=1e-5)
    circle = adlab.minimize("x + y", [0.3, 0.2], constraints=[("x**2 + y**2", None, 1)])
    assert circle.solution == pytest.approx({"x": -(0.5**0.5), "y": -(0.5**0.5)}, abs=1e-6)
    assert circle.kind == "constrained"
    half = adlab.minimize("x + y", [0.3, 0.2], constraints=[("x**2", None, 1), (adlab.Function("y", ["x", "y"]), 0, None)])
    assert half.solution == pytest.approx({"x": -1, "y": 0}, abs=1e-6)
    for constraint, words in (("x", "is a triple"), (("x", 2, 1), "must not be larger"), (("x", "a", 1), "numbers or None"),
                              (("z", 0, 1), "holds z"), ((adlab.Function("x"), 0, 1), "f has x, y, in this order")):  # fmt: skip
        with pytest.raises(adlab.AdlabError, match=words):
            adlab.minimize("x + y", [0.3, 0.2], constraints=[constraint])
    with pytest.raises(adlab.DomainError):
        adlab.minimize("log(x)", [-1.0])
