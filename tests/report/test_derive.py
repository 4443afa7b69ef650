"""The derivative as a formula and as a program: they agree, at every order, by any variables."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess

import numpy as np
import pytest
import sympy

import adlab

FORMULAS = ["x*sin(y)", "log((x1 + x2)**2 + sin(x1*x2))", "exp(-x**2)", "x**y", ["x*y", "sin(x) + y"], "sqrt(1 + x**2*y)"]


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("text", FORMULAS, ids=str)
def test_formula_reverse_and_forward_agree(text, order: int) -> None:
    found = adlab.derive(text, order=order)
    f = found.function
    point = np.linspace(0.6, 1.3, f.n)
    at = dict(zip(f.variables, point.tolist(), strict=True))
    exact = [float(formula.subs(at)) for formula in found.formulas]
    for program in (found.program, found.forward):
        assert np.ravel(program(point)) == pytest.approx(exact, rel=1e-12, abs=1e-14)
    assert len(exact) == len(found.names) == f.m * f.n**order


@pytest.mark.parametrize("by", [["y"], ["y", "x"]])
def test_by_some_variables_only(by: list[str]) -> None:
    found = adlab.derive("x**2*y**3*z", by=by, order=2)
    x, y, z = found.function.variables
    expected = [sympy.diff(x**2 * y**3 * z, *[sympy.Symbol(n, real=True) for n in e]) for e in itertools.product(by, repeat=2)]
    assert [sympy.simplify(a - b) for a, b in zip(found.formulas, expected, strict=True)] == [0] * len(expected)


def test_names_are_those_of_mathematics() -> None:
    assert adlab.derive("x*y", order=2).names == ["∂²f/∂x²", "∂²f/∂x∂y", "∂²f/∂y∂x", "∂²f/∂y²"]
    assert adlab.derive("x**3", order=2).names == ["f′′"]
    assert adlab.derive(["x*y", "x"], by="x").names == ["∂f0/∂x", "∂f1/∂x"]


def test_what_is_too_large_for_a_formula_is_a_program_all_the_same() -> None:
    found = adlab.derive(adlab.gallery.logistic_map(20))
    assert found.formulas is None
    assert "too many" in str(found)
    assert found.sizes["reverse program"] < 200
    with pytest.raises(adlab.AdlabError, match=r"\.program"):
        found.expr  # noqa: B018


def test_every_form(tmp_path) -> None:
    found = adlab.derive("x*sin(y)")
    assert found.expr == found.formulas
    assert "\\frac{\\partial f}{\\partial x}" in found.to_latex()
    json.dumps(found.to_dict())
    assert found.to_csv().splitlines()[0] == "derivative,formula"
    space: dict[str, object] = {}
    exec(found.written("python"), space)
    assert space["df"](2.0, 0.0) == (0.0, 2.0)
    assert found.plot() is not None


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_c_compiles_and_says_the_same(tmp_path) -> None:
    found = adlab.derive("x*sin(y) + sqrt(x)/y")
    (tmp_path / "d.c").write_text(found.written("c") + '\n#include <stdio.h>\nint main(void) { double x[] = {2, 3}, out[2]; '
                                  'df(x, out); printf("%.17g %.17g", out[0], out[1]); return 0; }\n')  # fmt: skip
    subprocess.run(["cc", "-o", tmp_path / "d", tmp_path / "d.c", "-lm"], check=True)
    printed = subprocess.run([tmp_path / "d"], capture_output=True, text=True, check=True).stdout
    assert list(map(float, printed.split())) == pytest.approx(adlab.gradient(found.function, [2.0, 3.0]), rel=1e-14)


def test_a_gradient_is_one_call_away() -> None:
    assert adlab.gradient("x*y", at={"x": 2, "y": 3}).tolist() == [3, 2]
    assert adlab.hessian("x*y", [2, 3]).tolist() == [[0, 1], [1, 0]]
    assert adlab.jacobian(["x", "x**2"], 3).tolist() == [[1], [6]]
    assert adlab.gradient(adlab.gallery.worked_example()).shape == (2,)


@pytest.mark.parametrize("text", ["x1*sin(x2) + exp(x1*x2)", "x**2", "x*y", "exp(sin(x))"])
def test_the_programs_of_both_modes_stand_side_by_side(text: str) -> None:
    made = adlab.derive(text)
    [programs] = [part for part in made.sections() if getattr(part, "title", "") == "as a program"]
    columns = [[line for line in column if line] for column in zip(*programs.rows, strict=True)]
    both = [str(program.graph).splitlines() for program in (made.program, made.forward)]
    assert columns == (both[:1] if both[0] == both[1] else both)
    assert len(programs.head) == len(columns)


def test_of_a_long_program_the_first_lines_are_shown() -> None:
    shown = str(adlab.derive(adlab.gallery.rosenbrock(12)))
    assert shown.count("more lines") == 2
    assert "v20 = " in shown
    assert "v22 = " not in shown
