"""Proofs over a box, re-verified by a checker of their own; units along a graph."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import mpmath
import pytest

import adlab
from adlab.use import lemmas
from adlab.use.lemmas import check

BOX = {"x": (0.5, 2), "y": (1, 3)}
PROVEN = ["log(x**2 + 1)/y", "exp(-x**2)*sin(x*y) + sqrt(y)/3", "tanh(x) + x**1.5 - Abs(x - y)", "cosh(x)*sinh(y) - 0.1*cos(x)",
          ["x/y", "x*y - 2"]]  # fmt: skip


@pytest.mark.parametrize("f", PROVEN, ids=str)
def test_the_checker_accepts_a_proof_and_notices_every_change(f) -> None:
    proof = adlab.prove(f, BOX)
    assert proof.check() == ""
    written = json.loads(proof.to_json())["rows"]
    assert check(written) == ""
    for k, lemma in enumerate(written):
        if lemma["operation"] == "input":
            continue
        low, high = map(float.fromhex, lemma["in"])
        for end in ([high, high], [low, low]) if low < high else ([low + 1, low + 1],):
            tampered = [dict(other) for other in written]
            tampered[k]["in"] = [x.hex() for x in end]
            assert check(tampered[: k + 1]), lemma
        missing = written[:k] + written[k + 1 :]
        assert k == len(written) - 1 or check(missing) or all(lemma["name"] not in other["of"] for other in missing)


def lemma(name: str, operation: str, of: list[str], low: float, high: float, parameter: str | None = None) -> dict:
    return {"name": name, "operation": operation, "of": of, "parameter": parameter, "in": [low.hex(), high.hex()]}


X, Y, INF = lemma("x", "input", [], 1.0, 2.0), lemma("y", "input", [], -1.0, 3.0), float("inf")
WIDE = (-INF, INF)


@pytest.mark.parametrize("last", [
    lemma("v", "log", ["y"], *WIDE), lemma("v", "div", ["x", "y"], *WIDE), lemma("v", "sqrt", ["y"], *WIDE),
    lemma("v", "div", ["x", "z"], *WIDE), lemma("v", "powi", ["y"], *WIDE, "-2"), lemma("v", "powr", ["y"], *WIDE, "1/2"),
    lemma("v", "powr", ["y"], *WIDE, "-1/2"), lemma("v", "add", ["x", "y"], 0.0, 4.999), lemma("v", "sub", ["x", "y"], 0.0, 1.0),
    lemma("v", "mul", ["x", "y"], 0.0, 6.0), lemma("v", "neg", ["x"], 1.0, 2.0), lemma("v", "exp", ["x"], 2.719, 8.0),
    lemma("v", "exp", ["x"], 2.7, 7.389), lemma("v", "sin", ["x"], 0.84, 0.9999), lemma("v", "cos", ["y"], -0.9, 1.0),
    lemma("v", "powi", ["y"], 1.0, 9.0, "2"), lemma("v", "powi", ["x"], 1.0, 3.9, "2"), lemma("v", "tanh", ["x"], 0.762, 1.0),
    lemma("v", "cosh", ["y"], 1.5, 11.0), lemma("v", "abs", ["y"], 1.0, 3.0), lemma("v", "log", ["x"], 0.0, 0.693),
    lemma("v", "sinh", ["y"], -1.0, 11.0), lemma("v", "gamma", ["x"], *WIDE), lemma("v", "add", ["v", "v"], *WIDE),
    lemma("v", "log", ["later"], *WIDE), lemma("v", "constant", [], 0.1, 0.1, "1/10"), lemma("v", "constant", [], *WIDE, "1/0"),
    lemma("x", "input", [], 1.5, 1.5), lemma("y", "powi", ["x"], 1.0, 4.0, "2"), lemma("w", "input", [], 1.0, 1.0),
    lemma("v", "log", ["x"], float("nan"), float("nan")), lemma("v", "log", ["x"], float("nan"), 1.0),
    lemma("v", "log", ["x"], 1.0, 0.0), lemma("v", "add", ["x"], *WIDE), lemma("v", "log", ["x", "x"], *WIDE),
    lemma("v", "powi", ["x"], *WIDE), lemma("v", "add", ["x"], *WIDE, "2"), lemma("v", "constant", ["x"], 1.0, 1.0, "1/1"),
    lemma("v", "powr", ["z"], *WIDE, "-1/2"), {"name": "v"}, "v", lemma("v", "log", ["x"], 0.0, 1.0) | {"in": ["0x0p+0"]},
    lemma("v", "log", ["x"], 0.0, 1.0) | {"in": ["zero", "one"]},
])  # fmt: skip
def test_forty_claims_that_do_not_follow_are_refused(last) -> None:
    before = [X, Y, lemma("z", "constant", [], 0.0, 0.0, "0/1")]
    assert check(before, {"x": (1.0, 2.0), "y": (-1.0, 3.0)}) == ""
    assert check([*before, last], {"x": (1.0, 2.0), "y": (-1.0, 3.0)})
    assert check(before, {"x": (1.0, 2.5), "y": (-1.0, 3.0)}).startswith("x = input")


def test_a_power_with_a_positive_exponent_is_0_at_0() -> None:
    proof = adlab.prove("x**1.5 + x**(7/2)", {"x": (0, 4)})
    low, high = map(float.fromhex, proof.lemmas[-1]["in"])
    assert -1e-300 < low <= 0
    assert 136 <= high < 136.001
    assert check([lemma("z", "constant", [], 0.0, 0.0, "0/1"), lemma("v", "powr", ["z"], 0.0, 0.0, "3/2")]) == ""


def test_values_of_f_lie_where_the_proof_says() -> None:
    for text in PROVEN[:4]:
        f, proof = adlab.Function(text, ["x", "y"]), adlab.prove(text, BOX)
        low, high = map(float.fromhex, proof.lemmas[-1]["in"])
        assert all(low <= f([x, y]) <= high for x in (0.5, 1.0, 1.7, 2.0) for y in (1.0, 2.2, 3.0))


def test_the_checker_shares_nothing_with_what_it_checks() -> None:
    tree = ast.parse(Path(str(lemmas.__file__)).read_text(encoding="utf-8"))
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not any(module.startswith("adlab") for module in modules)
    before = mpmath.iv.prec
    assert adlab.prove("exp(x)", {"x": (0, 1)}).check() == ""
    assert mpmath.iv.prec == before  # the user's intervals are left alone


@pytest.mark.parametrize(("f", "box", "words"), [
    ("log(x)", {"x": (0, 1)}, r"log\(x\) needs x > 0, with x in \[0, 1\]"),
    ("1/(x - y)", BOX, "needs v1 != 0"),
    ("sinh(x)", {"x": (-1000, 1000)}, r"v1 = sinh\(x\) may leave binary64's range"),
    ("gamma(x)", {"x": (1, 2)}, "the checker knows no gamma"),
    ("x", {"x": (2, 1)}, "runs from 2.0 to 1.0"),
    ("x", {"x": 3}, "is a pair"),
    ("pi*x", {"x": (0, 1)}, "write it as a fraction"),
    ("x", {"x": (0, 10**400)}, "a side of the box is beyond binary64"),
    ("x", None, "the box maps names to pairs"),
    ("log(tanh(x))", {"x": (1e-300, 1)}, "the checker, with intervals of its own, finds that v1 = tanh"),
])  # fmt: skip
def test_what_cannot_be_proven_is_said(f, box, words) -> None:
    with pytest.raises(adlab.AdlabError, match=words):
        adlab.prove(f, box)


def test_units_are_carried_along_and_differences_refused() -> None:
    energy = adlab.Function("m*v**2/2 + m*g*h", ["m", "v", "g", "h"])
    assert str(adlab.walk(energy, "units", ["kg", "m/s", "m/s**2", "m"])[0]) == "kg*m**2*s**-2"
    with pytest.raises(adlab.MethodError, match=r"add of .* the units differ"):
        adlab.walk(energy, "units", ["kg", "m/s", "m/s", "m"])
    with pytest.raises(adlab.MethodError, match="exp needs a number without a unit, and this has s"):
        adlab.walk(adlab.Function("exp(t)"), "units", ["s"])
    assert str(adlab.walk(adlab.Function("sqrt(x)*Max(y, 0)"), "units", ["m", "1/s"])[0]) == "m**(1/2)*s**-1"
    with pytest.raises(adlab.AdlabError, match=r"a unit such as .* `m` is 'kg m'"):
        adlab.walk(energy, "units", ["kg m", "m/s", "m/s", "m"])
