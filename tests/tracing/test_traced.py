"""Traced Python functions in every verb: each point by its own path, judged by the function's own code."""

from __future__ import annotations

import json
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adlab
from adlab.cli.main import main
from adlab.errors import TracingError


def energy(x: Any) -> Any:
    r = np.sqrt(x[0] ** 2 + x[1] ** 2)
    return np.exp(-r) * np.sin(x[0]) if x[0] > 0 else x[1] * r


def slope(x: Any) -> Any:
    r = np.hypot(*x)
    if x[0] > 0:
        e = np.exp(-r)
        return np.array([e * np.cos(x[0]) - x[0] / r * e * np.sin(x[0]), -x[1] / r * e * np.sin(x[0])])
    return np.array([x[0] * x[1] / r, r + x[1] ** 2 / r])


POINTS = [[1.0, 2.0], [-1.0, 2.0], [0.5, -0.3]]


def test_every_point_goes_its_own_way_alone_and_in_a_batch() -> None:
    f = adlab.from_python(energy, POINTS[0])
    for x in POINTS:
        assert f(x) == pytest.approx(energy(np.array(x)), rel=1e-14)
        assert f.gradient(x) == pytest.approx(slope(x), rel=1e-13)
        assert f.jvp(x, [1, 2])[0] == pytest.approx(slope(x) @ [1, 2], rel=1e-13)
        assert f.vjp(x, [3]) == pytest.approx(3 * slope(x), rel=1e-13)
        assert f.hessian(x) == pytest.approx(f.hessian(x).T, rel=1e-12)
        assert f.hvp(x, [1, 0]) == pytest.approx(f.hessian(x)[:, 0], rel=1e-12)
        assert f.trace(x).gradient == pytest.approx(slope(x), rel=1e-13)
    batch = np.array([POINTS, POINTS[::-1]])
    assert f(batch) == pytest.approx(np.apply_along_axis(energy, -1, batch), rel=1e-14)
    assert f.gradient(batch) == pytest.approx(np.apply_along_axis(slope, -1, batch), rel=1e-13)


@pytest.mark.parametrize("x", POINTS, ids=str)
@pytest.mark.parametrize("method", ["reverse", "forward", "symbolic", "central-difference-8", "complex-step"])
def test_every_method_serves_a_function(method: str, x: list[float]) -> None:
    assert adlab.from_python(energy, POINTS[0]).gradient(x, method=method) == pytest.approx(slope(x), rel=1e-9)


@pytest.mark.parametrize("x", POINTS, ids=str)
def test_the_truth_of_a_function_is_its_derivative_there(x: list[float]) -> None:
    found = adlab.truth(energy, x)
    assert [float(g) for g in found.gradient] == pytest.approx(slope(x), rel=1e-14)


def test_the_truth_of_a_loop_comes_from_its_own_code() -> None:
    def loop(x: Any) -> Any:
        return adlab.while_loop(lambda s: s < 50, lambda s: s * x[0] + np.sin(s) * x[1], x[1])

    f = adlab.from_python(loop, [1.5, 2.0])
    found = adlab.truth(f, [1.5, 2.0], digits=20)
    assert found.status == "heuristic"
    assert [float(g) for g in found.gradient] == pytest.approx(f.gradient([1.5, 2.0]), rel=1e-12)


def test_reports_take_a_function_and_judge_the_path_of_their_point() -> None:
    for x in POINTS[:2]:
        found = adlab.compare(energy, x, ["reverse", "central-difference"], timed=False)
        rows = {(row.method, row.variable): row for row in found.accuracy}
        assert rows["reverse", "x0"].value == pytest.approx(slope(x)[0], rel=1e-13)
        assert rows["reverse", "x0"].digits is not None
        assert rows["reverse", "x0"].digits > 14
    assert adlab.check(energy, slope, at=POINTS[:2]).passed
    assert adlab.cost(energy, POINTS[0]).rows
    assert adlab.swell(adlab.from_python(energy, POINTS[0])).rows


def test_a_node_knows_its_source_line() -> None:
    f = adlab.from_python(energy, POINTS[0]).at(POINTS[0])
    lines = [f.line(i) for i in f.graph.operations]
    assert any("r = np.sqrt" in line for line in lines)
    assert all(line.startswith("test_traced.py:") for line in lines)


def test_a_program_of_one_path_has_no_value_on_another() -> None:
    """What is made of the graph (compiled code, derivative programs, formulas, enclosures) is NaN or refused off its path."""

    def f(x: Any) -> Any:
        return x[0] ** 2 * x[1] if x[0] > 0 else x[1] ** 3

    made = adlab.Function(f, example=[1.0, 2.0])
    here, there = [1.0, 2.0], [-1.0, 2.0]
    for derivative, value in ((None, 2.0), ("gradient", [4.0, 1.0])):
        program: Any = made.compile(derivative=derivative)
        assert np.array_equal(program(here), value)
        assert np.isnan(program(there)).all()
        assert np.isnan(program([here, there])[1]).all()
    with pytest.raises(adlab.DomainError):
        made.derivative()(there)
    assert str(made.diff("x0")) == "Piecewise((2*x0*x1, x0 > 0))"
    if find_spec("flint"):
        assert adlab.enclose(made, {"x0": (0.5, 1.0), "x1": 2.0}).rows[0].low is not None
        assert all(row.low is None or np.isnan(row.low) for row in adlab.enclose(made, {"x0": (-1.0, 1.0), "x1": 2.0}).rows)
    # what is asked at a point goes the way of the point
    assert made.values(np.array(there))[0] == float(adlab.value(made, there)) == made.series(there, [1.0, 0.0])[0] == 8.0
    assert adlab.gradient(f, there).tolist() == made.gradient(there).tolist() == [0.0, 12.0]
    assert min(adlab.table([(made, there)], methods=["reverse", "symbolic"]).values)[0] == 16.0


@pytest.mark.slow
def test_every_report_serves_loops_and_solvers() -> None:
    """A report either answers for a program that has no formula, or refuses in a sentence."""

    def loop(p: Any) -> Any:
        return adlab.while_loop(lambda x: x < 100.0, lambda x: x * p[0] + p[1], p[1])

    def root(p: Any) -> Any:
        return adlab.root(lambda x: x**3 + p[0] * x - p[1], 1.0)

    for code in (loop, root):
        f = adlab.from_python(code, [2.0, 1.0])
        assert f.gradient([2.0, 1.0]) == pytest.approx([float(v) for v in adlab.truth(f, [2.0, 1.0]).gradient], rel=1e-14)
        assert adlab.swell(f).row("f").status == "no formula"
        assert adlab.steps(code, [2.0, 1.0], variable="p1", schemes=["central-difference"]).best
        assert len(adlab.derivatives(f, [2.0, 1.0], "p0", order=2).values) == 3
        assert "reverse" in str(adlab.compare(code, [2.0, 1.0], methods=["reverse", "symbolic"], timed=False))
        with pytest.raises(adlab.AdlabError, match="no formula"):
            f.diff("p0")
    endless = adlab.from_python(loop, [2.0, 1.0])
    with pytest.raises(adlab.DomainError, match="cannot end"):
        endless([0.0, 1.0])
    assert np.isnan(endless([[0.0, 1.0], [2.0, 1.0]])).tolist() == [True, False]
    assert np.isnan(endless.gradient([[0.0, 1.0], [2.0, 1.0]])).tolist() == [[True, True], [False, False]]


def test_a_name_on_the_command_line_imports_that_module_and_no_other(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    (tmp_path / "mymodel2.py").write_text("from myhelper2 import K\ndef f(x):\n    return K*x[0]*x[1] if x[0] > 0 else x[1]\n")
    (tmp_path / "myhelper2.py").write_text("K = 2.0\n")
    for name in ("sympy", "flint", "jax"):  # a library's name: never executed
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken')\n")
    monkeypatch.chdir(tmp_path)
    for given in ("1,2", "x0=1 x1=2"):
        assert main(["truth", "mymodel2:f", "--at", *given.split(), "--json", "--quiet"]) == 0
        assert [float(v) for v in json.loads(capsys.readouterr().out)["gradient"]] == [4.0, 2.0]
    assert not {str(tmp_path), ""} & set(sys.path)
    for place, said in (("sympy:sin", "name of a library"), ("mymodel2:K", "is no function"), ("nowhere2:f", "nowhere2")):
        assert main(["truth", place, "--at", "1,2", "--quiet"]) == 2
        assert said in capsys.readouterr().err
    for command in (["derive"], ["swell"], ["graph"], *([["enclose"]] if find_spec("flint") else [])):
        at = ["x0=1..2", "x1=2"] if command == ["enclose"] else ["1,2"]
        assert main([*command, "mymodel2:f", "--at", *at, "--quiet"]) == 0, capsys.readouterr().err
        assert capsys.readouterr().out


def test_the_command_line_takes_module_and_function(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    (tmp_path / "mymodel.py").write_text("import math\ndef f(x, y):\n    return math.sin(x)*y if y > 0 else x\n")
    monkeypatch.chdir(tmp_path)
    assert main(["truth", "mymodel:f", "--at", "1,2", "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert float(found["gradient"][1]) == pytest.approx(np.sin(1.0), rel=1e-15)
    assert main(["compare", "mymodel:g", "--at", "1,2", "--quiet"]) == 2
    assert "mymodel has no function `g`; it has f" in capsys.readouterr().err


def test_what_cannot_be_traced_is_refused_by_its_line_from_every_verb() -> None:
    def f(x: Any) -> Any:
        return float(x) ** 2

    for verb in (adlab.truth, adlab.compare, adlab.cost, adlab.steps):
        with pytest.raises(TracingError, match=r"test_traced\.py:\d+: `return float"):
            verb(f, 1.0)


def test_errors_and_verdicts_name_the_source_line() -> None:
    def logarithm(x: Any) -> Any:
        y = x[0] - 3
        return np.log(y) * x[1]

    f = adlab.from_python(logarithm, [4.0, 1.0])
    for call in (f, f.gradient, lambda x: f.gradient(x, method="forward")):
        with pytest.raises(adlab.DomainError, match=r"v2 = log\(v1\) \(test_traced\.py:\d+: `return np\.log\(y\) .*`\) needs"):
            call([2.0, 1.0])

    def determinant(x: Any) -> Any:
        a, b, c, d = x
        return np.sin(a * d - b * c)

    found = adlab.compare(determinant, [1.0, 0.1, 10.0, 1.0 + 1e-12], ["reverse"], False)
    assert any("v3 = v1 - v2 (test_traced.py:" in s.text and "a * d - b * c" in s.text for s in found.verdict)

    rows = adlab.from_python(logarithm, [4.0, 1.0]).trace([5.0, 2.0]).to_dict()["rows"]
    assert [re.sub(r"\d+", "N", row["line"]) for row in rows if row["operation"] == "log"] == [
        "test_traced.py:N: return np.log(y) * x[N]"
    ]
    assert "return np.log(y) * x[1]" in str(adlab.from_python(logarithm, [4.0, 1.0]).trace([5.0, 2.0]))
    assert "line" not in adlab.Function("x*y").trace([1.0, 2.0]).to_dict()["rows"][0]


@pytest.mark.parametrize(("name", "text", "at"), [
    ("ellipk", "elliptic_k(x0)", [0.3]), ("ellipk", "elliptic_k(x0)", [-40.0]), ("ellipe", "elliptic_e(x0)", [0.9]),
    ("ellipkinc", "elliptic_f(x0, x1)", [0.7, 0.3]), ("ellipkinc", "elliptic_f(x0, x1)", [-9.0, -4.0]),
    ("ellipeinc", "elliptic_e(x0, x1)", [0.7, 0.3]), ("ellipeinc", "elliptic_e(x0, x1)", [5.0, -2.5]),
])  # fmt: skip
def test_scipys_elliptic_integrals_are_those_of_a_formula(name: str, text: str, at: list[float]) -> None:
    """SciPy's operands are the amplitude and the parameter m = k², in this order, as they are in a text."""
    special = pytest.importorskip("scipy.special")
    integral = getattr(special, name)
    traced, written = adlab.from_python(lambda x: integral(*x), at), adlab.Function(text)
    assert str(traced.graph) == str(written.graph)
    assert traced(at) == written(at) == pytest.approx(integral(*at), rel=4e-15)
    np.testing.assert_array_equal(traced.gradient(at), written.gradient(at))
    for k, slope in enumerate(traced.gradient(at)):
        beside = [[v + (i == k) * h for i, v in enumerate(at)] for h in (-1e-5, 1e-5)]
        assert slope == pytest.approx((integral(*beside[1]) - integral(*beside[0])) / 2e-5, rel=1e-7)
    parameters = np.array([at[-1], at[-1] / 2])
    many = adlab.from_python(lambda m: integral(*at[:-1], m).sum(), parameters)
    one = [written.gradient([*at[:-1], m])[-1] for m in parameters]
    np.testing.assert_array_equal(many.gradient(parameters), one)
