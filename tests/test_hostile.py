"""Odd input meets a sentence of adlab's, never a bare exception from below; what is written is whole."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import pickle
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import fuzz
import numpy as np
import pytest
import sympy

import adlab
from adlab.bench.race import bench
from adlab.cli.main import main
from adlab.errors import AdlabError, GraphError, OptionError, PointError
from adlab.graph.graph import Builder
from adlab.process import whole_file
from adlab.text.traversal import natural_key

X = sympy.Symbol("x")


@pytest.mark.parametrize("constant", ["floor(pi)", "ceil(pi)", "Mod(7,pi)", "Heaviside(3)", "sign(-2)", "Max(2,3)"])
def test_constants_of_functions_that_are_not_complex(constant: str) -> None:
    found = adlab.compare(f"x*{constant}", 1.0, methods=["reverse", "complex-step"], timed=False)
    assert [row.status for row in found.accuracy] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("text", "at"), [("Piecewise((besselj(log(x),2),x>0),(x,True))", -1.0), ("zeta(1.5,atanh(x))", 2.0)]
)
def test_functions_that_arb_has_for_real_numbers_only(text: str, at: float) -> None:
    assert adlab.truth(text, at).components


@pytest.mark.parametrize(("text", "at"), [
    ("Piecewise(((Piecewise((sign(3/7),(z/100)>0),(z,True))/Shi(y)),"
     "Piecewise(((floor(x10)-(y-z)),(z-(z/z))>0),(exp2(x1),True))>0),(z,True))", [22.0, -0.0, 0.5, -0.0]),
    ("Piecewise(((1/3/100),Piecewise((log(z),1e300>0),((x10*z),True))>0),(hypot(y,(x**x10)),True))", [-0.0, -0.0, 1e300, 22.0]),
])  # fmt: skip
def test_a_piecewise_in_the_condition_of_a_piecewise(text: str, at: list[float]) -> None:
    """SymPy rewrites such a condition when a Piecewise is built, and fails over it."""
    assert adlab.truth(text, at).components


def test_the_square_of_a_piecewise_keeps_its_conditions() -> None:
    """SymPy makes exp(x)**2 of the square of Piecewise((exp(x), y**3 > 0), (x, True)); the truth took the wrong branch."""
    f = adlab.Function("hypot(Piecewise((exp(x), y**3 > 0), (x, True)), 0*x)", ["x", "y"])
    for y, (value, slope) in ((-3.5, (0.25, 1.0)), (3.5, (float(sympy.exp(0.25)), float(sympy.exp(0.25))))):
        found = adlab.truth(f, [0.25, y])
        assert (float(found.value), float(found.gradient[0])) == pytest.approx((value, slope), rel=1e-15)


def test_a_moving_order_that_would_take_minutes_is_refused() -> None:
    for order in (-1e300, -999.5):
        with pytest.raises(adlab.DomainError, match=r"that adlab can compute.*x > -300"):
            adlab.Function("zeta(x, y)").gradient([order, 1.0])


@pytest.mark.parametrize("name", ["₁", "x1₂", "²", "x" + "9" * 5000, "٣"])
def test_names_that_end_in_odd_digits(name: str) -> None:
    f = adlab.Function(sympy.Symbol(name) ** 2)
    assert f.gradient([2.0]) == pytest.approx([4.0])
    assert natural_key("x2") < natural_key("x10") < natural_key("y")


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "x\0y", "a\x1b[31m", "\u202eabc", "a\u2028b", "\ud800"])
def test_a_name_that_cannot_be_printed_is_refused(name: str) -> None:
    for variables in (None, [sympy.Symbol(name)], [name]):
        with pytest.raises(adlab.VariableError, match="cannot be printed"):
            adlab.Function(sympy.Symbol(name) ** 2, variables)
    with pytest.raises(GraphError, match="cannot be printed"):
        adlab.Function.from_graph(Builder([name]).finish([0]))


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "x`y`", "a|b", "]]>", "&amp;", '"q"', "<img src=x>"])
def test_a_name_that_is_markup_is_text_in_every_output(name: str) -> None:
    f = adlab.Function(sympy.sin(sympy.Symbol(name) * X), [sympy.Symbol(name), X])
    point = [1.0, 2.0]
    outputs = [
        f.graph.to_svg(), f.trace(point)._repr_html_(), adlab.truth(f, point)._repr_html_(), f.trace(point).to_markdown(),
        adlab.compare(f, point, ["reverse"], timed=False).to_html(),
    ]  # fmt: skip
    assert all(tag not in text for text in outputs for tag in ("<script>alert", "<img src=x", "]]>\n"))


@pytest.mark.parametrize("text", ["Piecewise((x,x>1),(1,True))**2", "log(x,1)+y", "csc(0)-x", "1/(1-1)*x"])
def test_latex_of_what_sympy_cannot_print(text: str) -> None:
    f = adlab.Function(text)
    assert f._repr_latex_()
    assert f.to_latex()


ODD_POINTS = [None, "", "1,2", [], [[]], {}, {"x": None}, np.ma.masked_array([1.0, 2.0], [True, False]), object(),
              np.array([1.0, None], dtype=object), [10**400, 1], [1j, 2], [[1.0], [1.0, 2.0]], np.array(["a", "b"]),
              {"x": 1, "y": 2, "z": 3}, [np.nan, 1.0], b"12", {1, 2}, np.datetime64("2020-01-01")]  # fmt: skip


def test_a_refusal_prints_terms_that_sympy_cannot_sort() -> None:
    """To sort the terms of a sum SymPy evaluates the constants among them, and fails over 1/0."""
    with pytest.raises(AdlabError, match=r"order of `heaviside` in Heaviside\(acsc\(0\)"):
        adlab.Function("(x-Heaviside((acsc(0)-(z**x10)),z))").graph  # noqa: B018 - lowered when asked for


@pytest.mark.parametrize("point", ODD_POINTS, ids=lambda p: str(p)[:20])
@pytest.mark.parametrize("verb", ["gradient", "jacobian", "trace", "hessian", "__call__"])
def test_odd_points_are_refused_in_a_sentence(verb: str, point: object) -> None:
    with pytest.raises(AdlabError):
        getattr(adlab.Function("x*y"), verb)(point)


ODD = [np.array(2.0), None, float, [1, [2]], 10**400, "1", np.array([1.0, 2.0], dtype=object), 7]
ASKED = {
    "derive by": lambda odd: adlab.derive("x*y", odd if odd is not None else 7),
    "fit": lambda odd: adlab.fit("a*t", {"t": odd, "y": [1.0, 2.0]}, {"a": 1.0}),
    "total": lambda odd: adlab.total("x*y", odd),
    "walk": lambda odd: adlab.walk(adlab.Function("x*y*z"), "floats", odd),
    "from_python": lambda odd: adlab.from_python(lambda p: p[0] * p[5], odd),
    "wrt": lambda odd: adlab.Function("x*y").compile(derivative="gradient", wrt=odd if odd is not None else 7),
    "constants": lambda odd: adlab.Function("x*y").compile(constants=odd if odd is not None else 7),
}


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:20])
@pytest.mark.parametrize("asked", ASKED)
def test_odd_things_where_names_data_or_functions_are_due(asked: str, odd: object) -> None:
    with pytest.raises(AdlabError):
        ASKED[asked](odd)


@pytest.mark.slow
@pytest.mark.parametrize("verb", range(len(fuzz.VERBS)))
def test_every_public_function_answers_or_refuses_whatever_it_is_given(verb: int) -> None:
    for odd in fuzz.NUMBERS_OF_ANY_KIND:
        with contextlib.suppress(AdlabError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fuzz.VERBS[verb](adlab.Function("x*y"), odd)


def test_a_foreign_array_that_refuses() -> None:
    class Stubborn:
        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
            raise RuntimeError("call detach() first")

    with pytest.raises(PointError, match=r"call detach\(\) first"):
        adlab.Function("x*y").gradient(Stubborn())


def test_numbers_beyond_binary64_and_next_to_0() -> None:
    with pytest.raises(AdlabError, match="beyond the range"):
        adlab.Function(sympy.Float("1e5000") * X).gradient(1.0)
    for tiny in (1e-310, 5e-324):
        adlab.steps("sin(x)", tiny, schemes=["central-difference"], patience=60)
    with pytest.raises(OptionError, match="nothing to fill in"):
        adlab.exercise("3+sin(2)", [])


def test_functions_are_copied_and_pickled() -> None:
    f = adlab.Function("x*sin(y)", name="f")
    f.gradient([1.0, 2.0])
    for made in (copy.copy(f), copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
        assert made.gradient([1.0, 2.0]).tolist() == f.gradient([1.0, 2.0]).tolist()


@pytest.mark.parametrize("limits", [{"seconds": float("nan")}, {"seconds": 0.0}, {"rounds": 0}])
def test_the_bench_needs_a_time_and_a_round(limits: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        bench(["worked-example"], ["sympy"], **limits)


@pytest.mark.parametrize("backend", ["python", "numpy", "llvm"])
@pytest.mark.parametrize("derivative", [None, "gradient", "value_and_gradient"])
def test_programs_without_inputs(backend: str, derivative: str | None) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    program = adlab.Function("pi").compile(backend, derivative)
    one, many = program([]), program(np.zeros((3, 0)))
    assert np.shape(many if derivative != "value_and_gradient" else many[0])[0] == np.shape(np.zeros(3))[0]
    assert np.size(one if derivative != "value_and_gradient" else one[1]) == (derivative is None)


def test_ragged_points_and_variables_without_a_dimension() -> None:
    with pytest.raises(PointError):
        adlab.check("x*y", lambda point: [1.0, 1.0], at=[1, [2]])
    with pytest.raises(AdlabError, match="symbols or names"):
        adlab.Function("x*y", variables=np.ma.masked)


def test_an_exponent_that_no_float_holds() -> None:
    f = adlab.Function("(((sigmoid(x1)/z)-digamma((1-1e-300)))**((abs(z)*log2(z))*acosh(log1p(y))))")
    f.compile("python", "gradient")([22.0, 22.0, 1.7e308])  # no bare OverflowError


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    for framework in ("torch", "jax"):
        pytest.importorskip(framework)
    assert main(["peers", "x*y", "--at", "x=1", "y=2", "--methods", "torch,jax", "--json", "--quiet"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2


@pytest.mark.skipif(os.name != "posix", reason="runs in a shell")
@pytest.mark.parametrize(("output", "code"), [(">&-", 0), (">/dev/full", 2)])
def test_standard_output_closed_or_full(output: str, code: int) -> None:
    if "full" in output and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m adlab truth 'x**2' --at x=1 --quiet {output}"],
        capture_output=True, text=True, timeout=120, check=False, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_file(file) as draft:  # noqa: PT012
        draft.write_text("ne")
        raise KeyboardInterrupt
    assert file.read_text() == "old"
    with whole_file(file) as draft:
        draft.write_text("new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "new")]


def test_sigterm_is_given_back(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert main(["truth", "x**2", "--at", "x=1", "--quiet"]) == 0
    assert signal.getsignal(signal.SIGTERM) is before
