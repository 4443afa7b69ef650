"""Operations of the user's own: what serves them, and what is refused at registration, with the place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import sympy

import adlab
from adlab.arithmetic.registration import forget
from adlab.primitives.table import HEADS, PRIMITIVES
from adlab.text.vocabulary import FUNCTIONS


@contextmanager
def registered(name: str, **known: Any) -> Iterator[Any]:
    head = adlab.primitive(name, **known)
    try:
        yield head
    finally:
        forget(name)


SWISH = {
    "form": lambda a: a / (1 + sympy.exp(-a)),
    "partials": ["sigmoid(a) + a*sigmoid(a)*sigmoid(-a)"],
    "value": lambda a: a / (1 + math.exp(-a)) if a > -700 else a * math.exp(a),
    "array": lambda a: a / (1 + np.exp(-a)),
}


def test_a_primitive_of_ones_own_is_served_everywhere() -> None:
    with registered("swish", **SWISH) as swish:
        x = sympy.Symbol("x", real=True)
        f = adlab.Function("x*swish(2*x)")
        same = adlab.Function("x*(2*x/(1 + exp(-2*x)))")
        assert f([0.3]) == pytest.approx(same([0.3]), rel=1e-15)
        for method in ("reverse", "forward", "symbolic", "central-difference-6"):
            np.testing.assert_allclose(f.gradient([0.3], method=method), same.gradient([0.3]), rtol=1e-9)
        np.testing.assert_allclose(f.hessian([0.3]), same.hessian([0.3]), rtol=1e-13)
        np.testing.assert_allclose(f.gradient([[0.3], [2.0]]), same.gradient([[0.3], [2.0]]), rtol=1e-13)
        for backend in ("python", "numpy", "auto"):
            np.testing.assert_allclose(f.compile(backend, derivative="gradient")([0.3]), same.gradient([0.3]), rtol=1e-13)
        assert adlab.truth(f, [0.3]).status == adlab.truth(same, [0.3]).status
        assert adlab.Function(swish(x) * x).gradient([0.3]) == adlab.Function("x*swish(x)").gradient([0.3])
        assert "swish" in f.graph.to_latex()
    assert "swish" not in PRIMITIVES
    assert "swish" not in FUNCTIONS
    assert swish not in HEADS
    with pytest.raises(adlab.ParseError):
        adlab.parse("swish(x)")


def test_a_domain_and_several_operands() -> None:
    known = {"form": lambda a, b: sympy.log(a / b), "partials": ["1/a", "-1/b"], "domain": "And(a > 0, b > 0)"}
    with registered("logratio", **known):
        f = adlab.Function("logratio(x, y)**2")
        assert f([2.0, 5.0]) == pytest.approx(math.log(0.4) ** 2, rel=1e-15)
        np.testing.assert_allclose(f.gradient([2.0, 5.0]), 2 * math.log(0.4) * np.array([0.5, -0.2]), rtol=1e-14)
        with pytest.raises(adlab.DomainError, match=r"needs .*x > 0"):
            f([-1.0, 5.0])
        assert np.isnan(f([[-1.0, 5.0], [2.0, 5.0]])).tolist() == [True, False]


@pytest.mark.parametrize(("known", "message"), [
    ({"form": sympy.atan, "partials": ["1/(1 + a)"]}, r"the partial for a is wrong at a = .*: the rule gives .*, differences"),
    ({"form": lambda a, b: a * b, "partials": ["b", "b"]}, r"the partial for b is wrong at a = .*, b = "),
    ({"form": sympy.tanh, "partials": ["1 - out**2"]}, r"the rule for a loses its digits at a = "),
    ({"form": sympy.log, "partials": ["1/a"]}, r"is not real at a = -.*, which its domain contains"),
    ({"form": lambda a: 1 / sympy.floor(a), "partials": ["0*a"]}, r"has no value at a = "),
    ({"form": sympy.sin, "partials": ["cos(a)"], "value": math.cos}, r"`value` gives .* at a = .*, the form"),
    ({"form": sympy.sin, "partials": ["cos(a)"], "array": np.cos}, r"`array` gives .* at a = .*, the form"),
    ({"form": sympy.sin, "partials": ["cos(x)"]}, r"holds x; its letters are a, out"),
    ({"form": sympy.sin, "partials": ["cos(a"]}, r"the rule 'cos\(a' cannot be read"),
    ({"form": sympy.Abs, "partials": ["sign(a)"], "smooth": "Ne(a, 0)"}, r"say by `convention`"),
    ({"form": sympy.sqrt, "partials": ["1/(2*out)"], "domain": "a > 1e9"}, r"no points of its domain"),
])  # fmt: skip
def test_what_is_wrong_is_refused_with_the_place(known: dict[str, Any], message: str) -> None:
    before = set(PRIMITIVES), set(FUNCTIONS), set(HEADS)
    with pytest.raises(adlab.OptionError, match=message):
        adlab.primitive("mine", **known)
    assert (set(PRIMITIVES), set(FUNCTIONS), set(HEADS)) == before


@pytest.mark.parametrize("name", ["sin", "hypot", "gauss", "two words", "", 3])
def test_a_name_must_be_new_and_a_name(name: Any) -> None:
    with pytest.raises(adlab.OptionError):
        adlab.primitive(name, form=sympy.sin, partials=["cos(a)"])
    with pytest.raises(adlab.OptionError):
        forget("sin")
