"""Formulas from files: the same function, whatever language it is written in; nothing is executed; faults say why."""

from __future__ import annotations

import json
import math
import re
import time
from pathlib import Path

import pytest
import random_expressions
import sympy

import adlab
from adlab.audit.fpcore import read_fpcore
from adlab.audit.latex import read_latex
from adlab.audit.srepr import read_srepr
from adlab.errors import UnsupportedExpression

COOLPROP = {
    "INFO": {"NAME": "A"},
    "STATES": {"critical": {"T": 300.0, "rhomolar": 10.0}},
    "EOS": [{
        "STATES": {"reducing": {"T": 450.0, "rhomolar": 8.0}},
        "alphar": [
            {"type": "ResidualHelmholtzPower", "n": [0.5, -0.25], "d": [1, 2], "t": [0.25, 0], "l": [0, 2]},
            {"type": "ResidualHelmholtzGaussian", "n": [1.5], "d": [1], "t": [1], "eta": [2], "epsilon": [1], "beta": [3],
             "gamma": [1.5]},
            {"type": "ResidualHelmholtzAssociating", "m": 1.5, "a": 1, "vbarn": 0.04, "epsilonbar": 2.5, "kappabar": 0.01},
        ],
    }],
}  # fmt: skip
SBML = """<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="m">
<listOfFunctionDefinitions><functionDefinition id="mm"><math xmlns="http://www.w3.org/1998/Math/MathML"><lambda>
<bvar><ci>s</ci></bvar><bvar><ci>k</ci></bvar><apply><divide/><ci>s</ci><apply><plus/><ci>s</ci><ci>k</ci></apply></apply>
</lambda></math></functionDefinition></listOfFunctionDefinitions>
<listOfCompartments><compartment id="c" size="2"/></listOfCompartments>
<listOfSpecies><species id="S" compartment="c" initialConcentration="3"/></listOfSpecies>
<listOfParameters><parameter id="V" value="1.5"/><parameter id="K" value="0.25"/></listOfParameters>
<listOfReactions><reaction id="R"><kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>V</ci>
<apply><ci>mm</ci><ci>S</ci><ci>K</ci></apply><apply><log/><logbase><cn type="integer">10</cn></logbase><ci>S</ci></apply>
</apply></math></kineticLaw></reaction></listOfReactions></model></sbml>"""


def written(tmp_path: Path, name: str, text: str) -> adlab.audit.corpus.Corpus:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return adlab.read(tmp_path / name)


@pytest.mark.parametrize(("name", "text", "faults"), [
    ("a.jsonl", '{"expr": "x*y"}\n{"expr": oops}\n[1]\n{"expr": "x+1"}', ["not JSON", "no object"]),
    ("a.jsonl", f'{{"expr": "x"}}\n{"9" * 5000}\n{{"expr": "y"}}', ["more than 4300 digits"]),
    ("a.jsonl", f'{{"expr": "x"}}\n{"[" * 100_000}\n{{"expr": "y"}}', ["too many brackets"]),
    ("a.fpcore", "(FPCore (x) (+ x 1))\n(FPCore (x) (+ x 2)\n(FPCore (x) (sqrt x))", ["never closed"]),
    ("a.fpcore", "(FPCore (x) (+ x 1))\n(FPCore (x) (sqrt x)))", ["never opened"]),
    ("a.srepr", "Symbol('x')\n__import__('os')\nAdd(*[1])\nSymbol('y')", ["`__import__` is not", "nothing like this"]),
    ("a.tex", "x^2\n\\input{/etc/passwd}\n\\sqrt{y}", ["`\\input`"]),
    ("a.csv", "expr,x\nx+1,1\nx*((,1\nx+2,two\nx+3,1", ["where an operand is missing", "no finite number"]),
])  # fmt: skip
def test_a_bad_row_is_named_and_the_good_ones_are_read(tmp_path: Path, name: str, text: str, faults: list[str]) -> None:
    found = written(tmp_path, name, text)
    reasons = [reason for _, reason in found.faults()]
    assert len(reasons) == len(faults)
    assert all(said in reason for said, reason in zip(faults, reasons, strict=True))
    assert len(found) - len(reasons) == 2


@pytest.mark.parametrize("strange", ["\0", "\x1b[2J", "\x7f"])
def test_a_file_with_control_characters_is_refused(tmp_path: Path, strange: str) -> None:
    with pytest.raises(adlab.AdlabError, match="line 2 has the control character U"):
        written(tmp_path, "a.csv", f"expr\n{strange}x+1")


def test_one_function_in_every_language(tmp_path: Path) -> None:
    x, y = sympy.symbols("x y")
    files = {
        "a.jsonl": json.dumps({"id": "a", "expr": "x*exp(-y) + sqrt(x)/3", "point": {"x": 2, "y": 0.5}}),
        "a.csv": 'id,expr,x,y\na,"x*exp(-y) + sqrt(x)/3",2,0.5\n',
        "a.fpcore": '(FPCore (x y) :name "a" (+ (* x (exp (- y))) (/ (sqrt x) 3)))',
        "a.srepr": sympy.srepr(x * sympy.exp(-y) + sympy.sqrt(x) / 3),
        "a.tex": "\\begin{equation}\n  f(x, y) = x e^{-y} + \\frac{\\sqrt x}{3}  % the same\n\\end{equation}",
        "a.txt": "x*exp(-y) + sqrt(x)/3 at x=2, y=1/2   # the same",
    }
    want = adlab.Function("x*exp(-y) + sqrt(x)/3").gradient([2.0, 0.5])
    for name, text in files.items():
        [entry] = written(tmp_path, name, text)
        assert entry.function.gradient([2.0, 0.5]) == pytest.approx(want, rel=1e-15), name
        if name in ("a.jsonl", "a.csv", "a.txt"):
            assert entry.function.point == (2.0, 0.5), name


def test_a_fluid_of_coolprop_is_its_formula(tmp_path: Path) -> None:
    [entry] = written(tmp_path, "fluid.json", json.dumps(COOLPROP))
    eta = "0.04*delta"
    unbonded = f"(2/(sqrt(1 + 4*(2 - {eta})/(2*(1 - {eta})**3)*(exp(2.5*tau) - 1)*0.01*delta) + 1))"
    formula = (f"0.5*delta*tau**0.25 - 0.25*delta**2*exp(-delta**2) + 1.5*delta*tau*exp(-2*(delta - 1)**2 - 3*(tau - 1.5)**2)"
               f" + 1.5*(log({unbonded}) - {unbonded}/2 + 1/2)")  # fmt: skip
    assert entry.function.point == (1.25, 1.5)
    assert entry.function.gradient([1.25, 1.5]) == pytest.approx(adlab.Function(formula).gradient([1.25, 1.5]), rel=1e-14)


def test_a_model_in_sbml_has_its_values_and_its_functions(tmp_path: Path) -> None:
    pytest.importorskip("libsbml")
    [law] = written(tmp_path, "m.xml", SBML)
    assert (law.name, law.variables, law.function.point) == ("R, kinetic law", ("K", "S", "V"), (0.25, 3.0, 1.5))
    want = adlab.Function("V*(S/(S + K))*log(S)/log(10)").gradient([0.25, 3.0, 1.5])
    assert law.function.gradient([0.25, 3.0, 1.5]) == pytest.approx(want, rel=1e-14)


@pytest.mark.parametrize(
    ("core", "why"),
    [
        ("(FPCore (n) (while (< n 1) ([x 0 (+ x 1)]) x))", "`while` is a loop"),
        ("(FPCore ((A 3)) 1)", "is an array"),
        ("(FPCore (x) (zorp x))", "`zorp`"),
        ("(FPCore (x) (+ x q))", "`q` is neither an argument"),
        ("(FPCore (x) x x)", "2 bodies"),
        ("(FPCore (x) (/ 1/0 x))", "divides by 0"),
        ("(FPCore (x) (let (((a b) x)) x))", "no `let`"),
        ("(FPCore (x) (< x))", "`<` of 1 operands"),
        ("(FPCore (x) (+ x TRUE))", "truth value"),
    ],
)
def test_a_core_that_is_no_formula_says_why(core: str, why: str) -> None:
    [entry] = read_fpcore(core, "a file")
    assert why in entry.reason
    with pytest.raises(adlab.UnsupportedExpression, match=why):
        entry.function  # noqa: B018


def test_copysign_has_the_size_of_the_one_and_the_sign_of_the_other() -> None:
    [entry] = read_fpcore("(FPCore (x y) (copysign x y))", "a file")
    assert [entry.function([x, y]) for x, y in ((2, -3), (-2, 3), (2, 0), (-2, -1e-9))] == [-2, 2, 2, -2]


def test_deep_forms_need_no_recursion() -> None:
    [entry] = read_fpcore("(FPCore (x) " + "(sin " * 3000 + "x" + ")" * 3000 + ")", "a file")
    assert len(entry.function.graph) == 3001
    [nested] = read_fpcore("(FPCore (x) " + "(let ((x (* x x))) " * 60 + "x" + ")" * 60 + ")", "a file")
    assert len(nested.function.graph) == 61  # x**(2**60), each square computed once


LONG = "9" * 5000
"""A whole number with more digits than Python turns into one."""


@pytest.mark.parametrize(("name", "text", "why"), [
    ("a.fpcore", f"(FPCore (x) (+ x {LONG}))", "at most 1000 digits"),
    ("a.fpcore", f"(FPCore (x) (+ x 1/{LONG}))", "at most 1000 digits"),
    ("a.fpcore", "(FPCore (x) ())", "no operation in it"),
    ("a.fpcore", "(FPCore (x) (not))", "`not` is given nothing"),
    ("a.fpcore", "(FPCore (x) (if x 1 2))", "`if` is given a number"),
    ("a.fpcore", "(FPCore (x) (if (< x 1) TRUE FALSE))", "`if` is given a truth value"),
    ("a.fpcore", "(FPCore (x) (sin (< x 1)))", "`sin` is given a truth value"),
    ("a.fpcore", "(FPCore (x) (if (< (< x 1) 2) x 1))", "`<` is given a truth value"),
    ("a.srepr", f"Add(Symbol('x'), Integer({LONG}))", "at most 1000 digits"),
    ("a.srepr", "Piecewise(Symbol('x'))", "pairs of a value and a condition"),
    ("a.srepr", "Max(Symbol('x'), true)", "`Max` is given a truth value"),
    ("a.srepr", "Rational(1, 0)", "divides by 0"),
    ("a.srepr", "Symbol('')", "a variable has a name"),
    ("a.srepr", "Symbol(Symbol('x'))", "a variable has a name"),
    ("a.srepr", "Rational(1)", "an operand that is missing"),
    ("a.tex", "x^2^3", "two exponents stand on each other"),
    ("a.jsonl", '{"expr": "x", "point": {"x": %s}}' % ("9" * 400), "the point has for x a number of very many digits"),
    ("a.jsonl", '{"expr": "x", "point": {"x": "1e999"}}', 'has for x "1e999", which is no finite number'),
    ("a.jsonl", '{"expr": "x", "point": {"x": NaN}}', "no finite number"),
    ("a.jsonl", '{"expr": "x", "point": [1]}', "an object with a field for each variable"),
    ("a.jsonl", '{"expr": "x", "ranges": {"x": [2, 1]}}', "begins at 2 and ends at 1"),
    ("a.jsonl", '{"expr": "x", "ranges": {"x": 1}}', "it takes two numbers"),
    ("a.jsonl", '{"expr": "x", "variables": {"x": 1}}', "a list of names"),
    ("a.csv", "expr,x\nx+1,abc\n", 'has for x "abc", which is no finite number'),
    ("a.json", json.dumps(COOLPROP).replace("0.04", '"0.04)"'), "the wrong kind of value"),
    ("a.json", json.dumps(COOLPROP).replace("[1.5]", "[1.5, 2]"), "the lists of a term have different lengths"),
    ("a.json", json.dumps(COOLPROP).replace('"eta"', '"zeta"'), "no field `eta`"),
    ("a.json", json.dumps(COOLPROP).replace("HelmholtzPower", "Helmholtz"), "terms of the type `ResidualHelmholtz`"),
])  # fmt: skip
def test_a_formula_that_cannot_be_read_says_why_in_a_sentence(tmp_path: Path, name: str, text: str, why: str) -> None:
    [entry] = written(tmp_path, name, text)
    [(_, reason)] = adlab.read(tmp_path / name).faults()
    assert why in reason
    assert reason == " ".join(reason.split())
    with pytest.raises(adlab.AdlabError, match=re.escape(why)):
        entry.function  # noqa: B018


@pytest.mark.parametrize(("name", "text", "why"), [
    ("a.csv", "expr,x\n" + "x+" * 100_000 + "x,2\n", "not CSV: field larger than field limit"),
    ("a.json", json.dumps(COOLPROP | {"STATES": 3}), "the wrong kind of value"),
    ("a.json", json.dumps(COOLPROP | {"INFO": 3}), "the wrong kind of value"),
    ("a.json", json.dumps(COOLPROP).replace('"T": 300.0', '"T": %s' % ("9" * 400)), "is 0, or too large"),
    ("a.json", json.dumps(COOLPROP).replace("reducing", "reduced"), "no field `reducing`"),
])  # fmt: skip
def test_a_file_that_cannot_be_read_says_why_in_a_sentence(tmp_path: Path, name: str, text: str, why: str) -> None:
    with pytest.raises(adlab.AdlabError, match=why):
        written(tmp_path, name, text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("expr\nx\n".encode("utf-16"))
    with pytest.raises(adlab.AdlabError, match="not text in UTF-8"):
        adlab.read(tmp_path / "a.csv")


@pytest.mark.parametrize(("math", "why"), [
    ("<piecewise/>", "`piecewise` of 0 operands"), ("<ci> </ci>", "has no name"), ("<apply/>", "has no name"),
    ("<piecewise><piece><cn>1</cn><ci>V</ci></piece></piecewise>", "`piecewise` is given a number"),
    ("<apply><and/><ci>V</ci><ci>V</ci></apply>", "`and` is given a number"),
    ('<cn type="rational">1<sep/>0</cn>', "divides by 0"),
])  # fmt: skip
def test_a_law_of_sbml_that_cannot_be_read_says_why(tmp_path: Path, math: str, why: str) -> None:
    pytest.importorskip("libsbml")
    law = SBML.partition("<kineticLaw>")[2].partition("</kineticLaw>")[0]
    [entry] = written(tmp_path, "m.xml", SBML.replace(law, f'<math xmlns="http://www.w3.org/1998/Math/MathML">{math}</math>'))
    assert why in entry.reason


@pytest.mark.parametrize("number", ["<cn>abc</cn>", f"<cn>{LONG}</cn>", f'<cn type="integer">{LONG}</cn>'])
def test_libsbml_is_not_believed_where_it_read_another_number(tmp_path: Path, number: str) -> None:
    pytest.importorskip("libsbml")
    with pytest.raises(adlab.AdlabError, match=r"m\.xml: line \d+: "):
        written(tmp_path, "m.xml", SBML.replace("<ci>V</ci>", number))


def test_a_capital_e_in_latex_is_a_variable_and_a_small_one_is_eulers_number(tmp_path: Path) -> None:
    [energy] = written(tmp_path, "a.tex", r"\frac{E}{e} e^{-E}")
    assert energy.function.names == ["E"]
    assert energy.function([2.0]) == pytest.approx(2 * math.exp(-3), rel=1e-15)


@pytest.mark.parametrize(
    "text", ["__import__('os').system('x')", "Symbol('x').__class__", "eval('1')", "Function('f')(1)", "Add(1", "open",
             "Add(1, 2)", "Add('a')", "Pow(Symbol('x'))", "Float('nan')", "Symbol('\\x')", "sin(Symbol('x'), Symbol('y'))"]
)
def test_srepr_is_never_run(text: str) -> None:
    with pytest.raises(adlab.AdlabError):
        read_srepr(text)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.fpcore", "a.xml", "a.srepr", "a.txt", "a.pdf"])
@pytest.mark.parametrize("text", ["", "{", "((((", ")", "\x00", "[]", '{"EOS": 3}', "<a/>", '"'])
def test_any_file_is_read_or_refused(tmp_path: Path, name: str, text: str) -> None:
    if name == "a.xml":
        pytest.importorskip("libsbml")
    try:
        corpus = written(tmp_path, name, text)
    except adlab.AdlabError:
        return
    assert all(reason for _, reason in corpus.faults())
    assert "not read" in str(corpus)


@pytest.mark.parametrize("seed", range(12))
def test_what_sympy_writes_in_latex_is_read_as_the_same_function(seed: int) -> None:
    expression = random_expressions.random_expression(seed, written=False, steps=8)
    known = adlab.Function(expression, random_expressions.VARIABLES)
    found = adlab.Function(read_latex(sympy.latex(expression)), ["x", "y", "z"])
    for point in ([0.7, 1.3, 0.4], [2.5, -0.6, 1.75]):
        try:
            want = known(point)
        except adlab.AdlabError:
            continue
        assert found(point) == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize(("latex", "text"), [
    (r"\sin 2x\cos y", "sin(2*x)*cos(y)"), (r"\sin^{-1} x^2", "asin(x**2)"), (r"\cos^2 x", "cos(x)**2"), (r"\frac12 x", "1/2*x"),
    (r"\log_{10} x", "log(x)/log(10)"), (r"\left|x - |y|\right|", "Abs(x - Abs(y))"), (r"\sqrt[3]{x}^2", "(x**(1/3))**2"),
    (r"\lambda_{\text{max}} e^{-\pi t}", "lambda_max*exp(-pi*t)"), (r"$x^{-1}$.", "1/x"), (r"\frac{a}{b}^2", "(a/b)**2"),
    (r"f(x) = \begin{cases} x & x \le 1 \\ -x & \text{otherwise} \end{cases}", "Piecewise((x, x <= 1), (-x, True))"),
    (r"\mathrm{erf}(x)\max(x, y)", "erf(x)*max(x, y)"), (r"-x^2 \cdot -y", "-x**2*(-y)"), (r"\frac12x", "((1)/(2))*x"),
])  # fmt: skip
def test_latex_is_read_as_mathematicians_do(latex: str, text: str) -> None:
    want = adlab.Function(text)
    found = adlab.Function(read_latex(latex), want.names)
    for x in (0.3, 0.8):
        assert found([x] * want.n) == pytest.approx(want([x] * want.n), rel=1e-14)


@pytest.mark.parametrize("latex", [
    r"\int_0^1 x dx", r"\frac{d}{dx} x^2", r"\frac{\partial f}{\partial x}", r"\sum_{i=1}^3 i x", "x'", "", "}{", "(x]", "x^",
    r"\mathrm{", r"\begin{cases}", r"\begin{matrix} x \end{matrix}", "2e-3", "x & y", "a_", r"\sqrt[",
    r"\input{file}", "(" * 500, "_", "^",
])  # fmt: skip
def test_other_latex_is_refused_in_a_sentence(latex: str) -> None:
    with pytest.raises(adlab.AdlabError):
        adlab.Function(read_latex(latex))


@pytest.mark.parametrize(("source", "said"), [
    (r"\frac{dy}{dx}", "a derivative"), (r"\frac{\mathrm{d}^2 y}{\mathrm{d}x^2}", "a derivative"), ("2^10", "write ^{10}"),
    ("1 000x", "side by side"), ("3.5.2", "side by side"), ("n!!", "double factorial"), (r"\sqrt" * 5000 + "x", "too many parts"),
    ("x_" * 5000 + "x", "too many parts"),
])  # fmt: skip
def test_latex_that_means_something_else_is_refused(source: str, said: str) -> None:
    with pytest.raises(UnsupportedExpression, match=re.escape(said)):
        read_latex(source)


def test_latex_with_much_room_is_read_at_once() -> None:
    before = time.process_time()
    assert read_latex("x +" + " " * 20_000 + "y") == "x + y"
    assert time.process_time() - before < 1.0


def test_a_formula_too_deep_to_be_printed_is_read_and_listed(tmp_path: Path) -> None:
    file = tmp_path / "deep.srepr"
    file.write_text("exp(" * 5_000 + "Symbol('x')" + ")" * 5_000)
    found = adlab.read(file)
    assert found[0].function.n == 1
    assert "exp(…)" in str(found)
    assert found.to_dict()["rows"][0]["formula"] == "exp(…)"
