"""Losses over data: the sums of what single rows give, in bounded memory, refused with the row."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import adlab
from adlab.use import sums, total as module

RANDOM = np.random.default_rng(7)
T = RANDOM.uniform(0.1, 4, 57)
Y = 2 * np.exp(-0.5 * T) + RANDOM.normal(0, 0.05, 57)
P = [2.0, 0.5, 0.3]
TEXT = "(y - a*exp(-b*t) - c*sin(t))**2"
V = [1.0, -2.0, 0.5]


@pytest.fixture(params=[10**6, 8])
def loss(request, monkeypatch):
    """The loss, in one block and in many."""
    monkeypatch.setattr(module, "LONGEST", request.param)
    return adlab.total(TEXT, {"t": T, "y": Y})


def rows():
    f = adlab.Function(TEXT, ["a", "b", "c", "t", "y"])
    return f, np.column_stack([np.tile(P, (len(T), 1)), T, Y])


def test_every_derivative_is_the_sum_over_the_rows(loss) -> None:
    f, points = rows()
    assert loss.parameters == ["a", "b", "c"]
    assert loss(P) == pytest.approx(f(points).sum(), rel=1e-14)
    value, slope = loss.value_and_gradient(P)
    np.testing.assert_allclose(loss.gradient(P), f.gradient(points).sum(axis=0)[:3], rtol=1e-13)
    np.testing.assert_allclose(np.append(slope, value), np.append(loss.gradient(P), loss(P)), rtol=1e-14)
    hessian = sum(f.hessian(point)[:3, :3] for point in points)
    np.testing.assert_allclose(loss.hessian(P), hessian, rtol=1e-12)
    np.testing.assert_allclose(loss.hvp({"a": 2, "b": 0.5, "c": 0.3}, V), hessian @ V, rtol=1e-12)


def test_squares_have_a_gauss_newton_product(loss) -> None:
    fitted = adlab.total("y - a*exp(-b*t) - c*sin(t)", {"t": T, "y": Y}, squares=True)
    assert 2 * fitted(P) == pytest.approx(loss(P), rel=1e-14)
    np.testing.assert_allclose(2 * fitted.hessian(P), loss.hessian(P), rtol=1e-12)
    jacobian = fitted.jacobian(P)
    np.testing.assert_allclose(fitted.gauss_newton(P), jacobian.T @ jacobian, rtol=1e-13)
    np.testing.assert_allclose(fitted.gauss_newton(P, V), jacobian.T @ jacobian @ V, rtol=1e-12)
    np.testing.assert_allclose(jacobian.T @ fitted.residuals(P), fitted.gradient(P), rtol=1e-12)
    with pytest.raises(adlab.MethodError, match="squares=True"):
        loss.gauss_newton(P)


def test_several_outputs_are_summed_and_their_squares_too() -> None:
    f = adlab.Function(["a*t - y", "a + b - y"])
    data = {"t": T, "y": Y}
    assert adlab.total(f, data)([1.5, 0.5]) == pytest.approx((1.5 * T - Y + 2.0 - Y).sum(), rel=1e-13)
    squares = adlab.total(f, data, squares=True)
    assert squares([1.5, 0.5]) == pytest.approx(((1.5 * T - Y) ** 2 + (2.0 - Y) ** 2).sum() / 2, rel=1e-13)
    assert squares.jacobian([1.5, 0.5]).shape == (2 * len(T), 2)


def test_data_may_come_in_pieces() -> None:
    whole = adlab.total(TEXT, {"t": T, "y": Y})
    pieces = adlab.total(TEXT, lambda: ({"t": T[k : k + 10], "y": Y[k : k + 10]} for k in range(0, 57, 10)))
    for _ in range(2):
        np.testing.assert_allclose(pieces.gradient(P), whole.gradient(P), rtol=1e-13)


def test_a_row_without_a_value_is_named() -> None:
    bad = T.copy()
    bad[41] = -1.0
    with pytest.raises(adlab.DomainError, match=r"data row 41: .*log\(t\) needs t > 0"):
        adlab.total("(y - a*log(t))**2", {"t": bad, "y": Y}).gradient([1.0])
    bad[41] = np.nan
    with pytest.raises(adlab.PointError, match="data row 41: `t` is nan"):
        adlab.total("(y - a*log(t))**2", {"t": bad, "y": Y})([1.0])
    with pytest.raises(adlab.OverflowedError, match="data row 0"):
        adlab.total("exp(a*t)", {"t": T + 400})([1e5])


@pytest.mark.parametrize(("data", "words"), [
    ({"q": T}, "no variable `q`"),
    ({}, "the data name no variable"),
    ({"a": T, "t": T, "y": T, "b": T, "c": T}, "the data name every variable"),
    ({"t": T, "y": Y[:9]}, "`y` has 9 numbers"),
    ({"t": T, "y": [["u"]]}, "must be a row of real numbers"),
    (lambda: iter([]), "the iterator is empty"),
])  # fmt: skip
def test_data_that_cannot_be_meant_are_refused_in_a_sentence(data, words) -> None:
    with pytest.raises(adlab.AdlabError, match=words):
        adlab.total(TEXT, data)([1.0] * 3)


def test_many_rows_take_no_more_memory_than_a_block() -> None:
    f = adlab.Function("(y - a*t)**2", ["a", "t", "y"])
    loss = adlab.total(f, {"t": np.broadcast_to(1.0, 300_000), "y": np.broadcast_to(2.0, 300_000)})
    assert loss.gradient([0.5]) == pytest.approx([-900_000.0])
    tracemalloc.start()
    loss.gradient([0.5])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * module.LONGEST * 8 * (f.n + 4)  # a 50th of what the whole would take


def test_compile_takes_data_for_what_is_not_differentiated() -> None:
    f = adlab.Function(TEXT, ["a", "b", "c", "t", "y"])
    _, points = rows()
    by_name = f.compile("python", "gradient", wrt=["a", "b", "c"])
    assert np.array_equal(f.compile("python", "gradient", data=["t", "y"])(points), by_name(points))
    with pytest.raises(adlab.OptionError, match="wrt= or data="):
        f.compile(derivative="gradient", wrt=["a"], data=["t"])
    with pytest.raises(adlab.VariableError, match="no variable `q`"):
        f.compile(derivative="gradient", data="q")


def test_the_sum_over_rows_is_compensated_and_refused_beyond_binary64(monkeypatch) -> None:
    assert adlab.total("a*t", {"t": [1e16, 1.0, -1e16]})([1.0]) == 1
    many = np.concatenate([np.full(501, 1e16), np.ones(77), np.full(501, -1e16)])
    for longest in (8192, 8):
        monkeypatch.setattr(module, "LONGEST", longest)
        assert adlab.total("a*t", {"t": many}).gradient([1.0]).tolist() == [77]
    large = adlab.total("a*t", {"t": [1e308, 1e308]}, squares=False)
    squares = adlab.total("a*t", {"t": [1e200, 1.0]}, squares=True)
    for call in (lambda: large([1.0]), lambda: large.gradient([1.0]), lambda: large.value_and_gradient([1.0]),
                 lambda: squares.gauss_newton([1.0]), lambda: squares.gauss_newton([1.0], [1.0])):  # fmt: skip
        with pytest.raises(adlab.OverflowedError, match="the sum over the data is beyond binary64"):
            call()


def test_data_without_rows_or_names_are_refused() -> None:
    for call in (lambda: adlab.total("a*t", {"t": []})([1.0]), lambda: adlab.total("a*t", lambda: [{"t": []}])([1.0])):
        with pytest.raises(adlab.PointError, match="the columns are empty"):
            call()
    with pytest.raises(adlab.PointError, match="must be a mapping from names to arrays"):
        adlab.total("a*t", [1.0])


MANY = 20_003  # more than a block, and no multiple of a vector's lanes


def many():
    t = np.random.default_rng(5).uniform(0.1, 4, MANY)
    return t, 2 * np.exp(-0.5 * t) + 0.1 * np.sin(3 * t)


def test_the_loop_of_machine_code_gives_the_sums_of_all_rows(monkeypatch) -> None:
    t, y = many()
    for text in (TEXT, "Piecewise((a*t**2, t < b), (c*y*log(t), True))", "max(a*t, b*y)*exp(c) + sqrt(b)"):
        found, kept = [], []
        for longest in (8192, 10**6):  # by the loop, and row by row
            monkeypatch.setattr(module, "LONGEST", longest)
            loss = adlab.total(text, {"t": t, "y": y})
            found.append([loss(P), *loss.gradient(P), *loss.hessian(P).ravel(), *loss.hvp(P, V)])
            kept.append(any(loss._loops.values()))
        np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-9)
        assert kept == [sums.has_machine_code(), False]


def test_columns_of_any_kind_give_the_same_sums() -> None:
    t = np.arange(MANY) % 7 + 1
    plain = adlab.total("(a - sin(b*t))**2", {"t": t.astype(float)}).gradient([1.0, 0.3])
    for kind in (t, t.astype("int8"), t.astype("float32"), np.repeat(t, 2)[::2], t.astype(">f8"), t[::-1].astype(float)[::-1]):
        np.testing.assert_allclose(adlab.total("(a - sin(b*t))**2", {"t": kind}).gradient([1.0, 0.3]), plain, rtol=1e-14)


def test_a_row_that_leaves_binary64_on_the_way_is_computed_with_care() -> None:
    t, _ = many()
    u, v = np.ones(MANY), np.ones(MANY)
    t[12_345], u[12_345], v[12_345] = 760.0, 1e300, 1e34  # exp(-760) is too small for binary64, and exp(-760)*1e334 is not
    loss = adlab.total("a*exp(-t)*u*v", {"t": t, "u": u, "v": v})
    whole = 2 * (np.exp(-np.delete(t, 12_345)).sum() + np.exp(334 * np.log(10) - 760))
    assert loss([2.0]) == pytest.approx(whole, rel=1e-11)


def test_in_many_rows_too_the_odd_one_is_named() -> None:
    t, y = many()
    for value, words in ((-1.0, r"data row 17000: .*log\(t\) needs t > 0"), (np.nan, "data row 17000: `t` is nan"),
                         (np.inf, "data row 17000: `t` is inf")):  # fmt: skip
        t[17_000] = value
        with pytest.raises(adlab.AdlabError, match=words):
            adlab.total("(y - a/log(t))**2", {"t": t, "y": y}).gradient([1.0])


def test_the_loop_compensates_too() -> None:
    many = np.concatenate([np.full(10_001, 1e16), np.ones(77), np.full(10_001, -1e16)])
    assert adlab.total("a*t", {"t": many}).value_and_gradient([1.0]) == (77, [77])
