"""What may be given as a point, and the one sentence, with the expected shape in it, for what may not."""

from __future__ import annotations

import inspect
import itertools
from decimal import Decimal
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import adlab
from adlab.errors import PointError
from adlab.inputs import coerce, coerce_one

NAMES = ["x", "y"]
x, y = sympy.symbols("x y", real=True)

ONES = [
    1, 1.0, True, np.float32(1), np.float64(1), np.int8(1), np.array(1.0), Fraction(1), Decimal(1), sympy.Integer(1),
    sympy.cos(0), mpmath.mpf(1), 10**30 // 10**30,
]  # fmt: skip


@pytest.mark.parametrize("one", ONES, ids=lambda one: type(one).__name__)
def test_a_number_of_any_kind(one: Any) -> None:
    """Alone where n = 1, in a sequence, in an array of objects, in a mapping."""
    assert coerce(one, ["x"]).tolist() == [1.0]
    assert coerce([one, one], NAMES).tolist() == [1.0, 1.0]
    assert coerce({"x": one, "y": 2}, NAMES).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("exact", "nearest"), [
    (Fraction(1, 3), 1 / 3), (sympy.Rational(1, 10), 0.1), (sympy.pi / 3, float(np.pi / 3)), (sympy.sqrt(2), 2**0.5),
    (10**300, 1e300), (2**64 + 1, 2.0**64), (mpmath.mpf("0.1"), 0.1),
])  # fmt: skip
def test_what_is_no_double_becomes_the_nearest(exact: Any, nearest: float) -> None:
    assert coerce([exact, 0], NAMES)[0] == pytest.approx(nearest, rel=2**-52)


@pytest.mark.parametrize("keys", list(itertools.product(["x", x, sympy.Symbol("x")], ["y", y])), ids=str)
def test_a_mapping_by_name_or_symbol_in_any_order(keys: tuple[Any, Any]) -> None:
    assert coerce(dict(zip(keys, (1, 2), strict=True)), NAMES).tolist() == [1.0, 2.0]
    assert coerce(dict(zip(reversed(keys), (2, 1), strict=True)), NAMES).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("shape", [(2,), (1, 2), (5, 2), (3, 4, 2), (0, 2)], ids=str)
def test_a_batch_keeps_its_shape(shape: tuple[int, ...]) -> None:
    batch = np.arange(np.prod(shape), dtype=float).reshape(shape)
    assert np.array_equal(coerce(batch, NAMES), batch)
    assert np.array_equal(coerce(batch.tolist() if batch.size else batch, NAMES), batch)


def test_a_mapping_of_arrays_is_a_batch() -> None:
    assert coerce({"x": [1, 2, 3], "y": 5}, NAMES).tolist() == [[1, 5], [2, 5], [3, 5]]
    assert coerce({"x": np.zeros((4, 1)), "y": np.ones(3)}, NAMES).shape == (4, 3, 2)


def test_a_constant_formula_has_one_point_the_empty_one() -> None:
    assert coerce([], []).shape == coerce({}, []).shape == (0,)
    assert coerce(np.empty((7, 0)), []).shape == (7, 0)
    with pytest.raises(PointError, match=r"expected 0 numbers: shape \(0,\)"):
        coerce(3, [])


def test_the_point_is_a_copy() -> None:
    given = np.array([1.0, 2.0])
    coerce(given, NAMES)[0] = 9.0
    assert given[0] == 1.0


BAD = {
    "a single number": 3,
    r"shape \(1,\)": [1],
    r"shape \(3,\)": [1, 2, 3],
    r"shape \(2, 3\)": np.zeros((2, 3)),
    r"shape \(0,\)": [],
    r"not 'ab'": "ab",
    r"not \[1, '1'\]": [1, "1"],
    r"not 'a'": [sympy.pi, "a"],
    r"not b'1'": [b"1", None],
    r"not None": [1, None],
    r"not 1j": [np.array(1), 1j, sympy.pi],
    r"not \[1j, 2\]": [1j, 2],
    r"not x": [1, x],
    r"not I": [1, sympy.I],
    r"not \{": {1, 2},
    r"not \[\[1, 2\], \[3\]\]": [[1, 2], [3]],
    r"y = nan, and every number must be finite": [1, float("nan")],
    r"x = inf": [float("inf"), 1],
    r"x = -inf": [-(10**400), 1],
    r"y = inf": [0, sympy.oo],
    r"no value for y": {"x": 1},
    r"no value for x, y and unknown z": {"z": 1},
    r"unknown z": {"x": 1, "y": 2, "z": 3},
    r"two values for x": {"x": 1, x: 2, "y": 3},
    r"`x` must be real numbers, not 'one'": {"x": "one", "y": 2},
}  # fmt: skip


@pytest.mark.parametrize(("said", "given"), list(BAD.items()), ids=list(BAD))
def test_a_bad_point_is_refused_with_the_expected_shape(said: str, given: Any) -> None:
    with pytest.raises(PointError, match=said) as caught:
        coerce(given, NAMES)
    message = str(caught.value)
    assert "expected 2 numbers for x, y: shape (2,) or (..., 2), or a mapping by name" in message
    assert len(message.splitlines()) == 1


def test_masked_entries_are_no_numbers() -> None:
    with pytest.raises(PointError, match="real numbers"):
        coerce(np.ma.array([1.0, 2.0], mask=[True, False]), NAMES)
    assert coerce(np.ma.array([1.0, 2.0]), NAMES).tolist() == [1.0, 2.0]


def test_shapes_that_do_not_broadcast() -> None:
    with pytest.raises(PointError, match=r"x \(2,\), y \(3,\)"):
        coerce({"x": [1, 2], "y": [1, 2, 3]}, NAMES)


def test_a_message_is_short_however_much_was_given() -> None:
    level: Any = x
    for _ in range(200):
        level = sympy.Mul(level, sympy.sin(level, evaluate=False), evaluate=False)
    many = [f"x{i}" for i in range(1000)]
    for given, names in ((level, ["x"]), ([level, 1], NAMES), (["a" * 10**6], ["x"]), ({}, many), (np.zeros(7), many)):
        with pytest.raises(PointError) as caught:
            coerce(given, names)
        assert len(str(caught.value)) < 600


def test_one_point_where_a_batch_makes_no_sense() -> None:
    assert coerce_one([1, 2], NAMES, "direction").tolist() == [1.0, 2.0]
    with pytest.raises(PointError, match=r"one direction of shape \(2,\), not a batch of shape \(3, 2\)"):
        coerce_one(np.zeros((3, 2)), NAMES, "direction")


@pytest.mark.parametrize("name", ["compare", "cost", "derivatives", "difference", "steps", "rounding", "exercise", "truth"])
def test_the_point_may_be_called_at_everywhere(name: str) -> None:
    report = getattr(adlab, name)
    options: dict[str, Any] = {"methods": ["reverse"], "timed": False} if name in ("compare", "cost") else {}
    options |= {"patience": 600} if name == "steps" else {}  # else a busy machine measures fewer steps
    assert str(report("x**2", 3.0, **options)) == str(report("x**2", at=3.0, **options))
    with pytest.raises(adlab.OptionError, match="twice"):
        report("x**2", 3.0, at=3.0)


def test_methods_of_a_function_take_at_too() -> None:
    f = adlab.Function("x*sin(y)")
    point = {"x": 1, "y": 2}
    assert f(at=point) == f([1, 2])
    assert f.gradient(at=point, method="forward").tolist() == f.gradient([1, 2], "forward").tolist()
    assert f.hessian(at=point).tolist() == f.hessian([1, 2]).tolist()
    assert f.jvp(at=point, v=[1, 0]).tolist() == f.jvp([1, 2], [1, 0]).tolist()
    assert f.trace(at=point).value == f([1, 2])


def test_an_array_is_many_points_of_one_variable() -> None:
    f = adlab.Function("x**2")
    assert f([1.0, 2.0, 3.0]).tolist() == [1, 4, 9]
    assert f.gradient([1.0, 2.0, 3.0]).tolist() == [[2], [4], [6]]
    assert f(2.0) == f([2.0]) == 4
    assert f([[1.0, 2.0], [3.0, 4.0]]).shape == (2, 2)


AT = {
    "compare": {"timed": False, "methods": ["reverse"]}, "conditioning": {}, "cost": {"timed": False, "methods": ["reverse"]},
    "derivatives": {}, "difference": {}, "exercise": {}, "gradient": {}, "jacobian": {}, "hessian": {}, "page": {},
    "rounding": {}, "truth": {}, "value": {}, "steps": {"schemes": ["central-difference"]}, "laplacian": {}, "divergence": {},
    "second_along": {"v": 1.0}, "checkpointed": {"memory": 50}, "improve": {}, "curl": {}, "swell": {},
}  # fmt: skip
"""The functions that take a point, and options that make them quick."""


def test_every_function_with_a_point_takes_it_by_position_and_as_at() -> None:
    """One variable: a number, a sequence, an array of one or of no dimension, a mapping are the same point."""
    with_points = {name for name in adlab.__all__ if "x" in _parameters(name)}
    with_points -= {"side_by_side", "derive"}  # the one needs a framework, the other's second operand is a variable
    assert with_points == set(AT)
    for name, options in AT.items():
        if name in ("curl", "improve"):  # the one needs three variables, the other takes seconds
            assert hasattr(getattr(adlab, name), "__wrapped__")
            continue
        for x in (2.0, [2.0], np.array([2.0]), np.array(2.0), {"x": 2.0}):
            getattr(adlab, name)("x**2*exp(x)", at=x, **options)
        getattr(adlab, name)("x**2*exp(x)", np.array(2.0), **options)
        with pytest.raises(adlab.AdlabError, match="given twice"):
            getattr(adlab, name)("x**2*exp(x)", 2.0, at=2.0, **options)


def _parameters(name: str) -> set[str]:
    found = getattr(adlab, name)
    return set(inspect.signature(found).parameters) if inspect.isfunction(found) else set()


def test_methods_of_a_function_take_at_too_and_one_variable_needs_no_brackets() -> None:
    f = adlab.Function("x**2*exp(x)")
    vectors = {"jvp": {"v": 1.0}, "hvp": {"v": 1.0}, "series": {"v": 1.0}, "vjp": {"u": 1.0}}
    for name in ("gradient", "jacobian", "hessian", "trace", "page", *vectors):
        made = getattr(f, name)
        assert str(made(at=2.0, **vectors.get(name, {}))) == str(made(np.array([2.0]), **vectors.get(name, {})))
    xs = np.linspace(0.1, 1.0, 5)
    for program in (f, f.gradient, f.compile(), f.compile(derivative="gradient")):
        assert np.array_equal(np.ravel(program(xs)), np.ravel(program(xs[:, None])))
        assert np.shape(program(xs)) == np.shape(program(xs[:, None]))
