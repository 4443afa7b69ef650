"""A sparse Jacobian is the dense one without its zeros, from few sweeps."""

from __future__ import annotations

import builtins
import random

import numpy as np
import pytest

import adlab
from adlab.autodiff.acyclic import substituted
from adlab.autodiff.careful import walked
from adlab.autodiff.orders import ORDERS, clique, colors_needed
from adlab.autodiff.sparse import color, greedy
from adlab.autodiff.sparse_hessian import HessianColoring


def arrow(n: int) -> adlab.Function:
    first = "+".join(f"x{i}**2" for i in range(1, n + 1))
    return adlab.Function([first, *(f"x1*sin(x{i})" for i in range(2, n + 1))])


def band(n: int) -> adlab.Function:
    return adlab.Function([f"x{i} + x{min(i + 1, n)}*x{max(i - 1, 1)}" for i in range(1, n + 1)])


def dense(found) -> np.ndarray:
    return np.asarray(found.toarray())


@pytest.mark.parametrize(("f", "sweeps"), [(arrow(30), 3), (band(30), 3), (adlab.Function(["x", "y*z", "exp(z)"]), 2)])
def test_known_patterns_need_as_few_sweeps_as_they_can(f, sweeps):
    x = np.linspace(0.3, 1.2, f.n)
    found = f.jacobian(x, sparse=True)
    assert np.allclose(dense(found), f.jacobian(x), rtol=1e-14, atol=0)
    assert found.sweeps == f.coloring.sweeps == sweeps
    assert str(f.coloring.entries) in f.coloring.reason


def test_a_wide_arrow_needs_three_sweeps():
    n = 500
    found = color([list(range(n)), *([0, i] for i in range(1, n))], n)
    assert found.sweeps == 3


@pytest.mark.parametrize("seed", range(40))
def test_every_entry_can_be_read_off_one_sweep(seed):
    """Random patterns with random values: the compressed products give each entry back."""
    rng = random.Random(seed)
    m, n = rng.randint(1, 12), rng.randint(1, 12)
    given = [sorted(rng.sample(range(n), rng.randint(0, n))) if rng.random() < 0.3 else
             sorted(rng.sample(range(n), min(n, 2))) for _ in range(m)]  # fmt: skip
    found = color(given, n)
    matrix = np.zeros((m, n))
    for i, columns in enumerate(given):
        matrix[i, columns] = [rng.uniform(1, 2) for _ in columns]
    for i, columns in enumerate(given):
        for j in columns:
            row, column = found.row_colors[i], found.column_colors[j]
            if row is not None:
                read = sum(matrix[k, j] for k in range(m) if found.row_colors[k] == row)
            else:
                assert column is not None
                read = sum(matrix[i, k] for k in range(n) if found.column_colors[k] == column)
            assert read == matrix[i, j]
    assert found.sweeps <= min(m, n)


def test_greedy_colours_no_group_twice():
    assert greedy([[0, 1, 2]], 3, [0, 1, 2]) == [0, 1, 2]
    assert greedy([[0], [1], [2]], 3, [0, 2]) == [0, None, 0]


def test_without_scipy_rows_columns_and_values_are_there(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name.split(".")[0] == "scipy":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    found = adlab.Function(["x*y", "y**2"]).jacobian([2.0, 3.0], sparse=True)
    assert found.shape == (2, 2)
    assert (found.rows.tolist(), found.columns.tolist(), found.values.tolist()) == ([0, 0, 1], [0, 1, 1], [3.0, 2.0, 6.0])
    assert (found.sweeps, found.colors) == (2, ([None, None], [1, 0]))
    assert adlab.Function("x*y").hessian([2.0, 3.0], sparse=True).toarray().tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_what_has_no_derivative_is_refused_as_in_the_dense_jacobian():
    f = adlab.Function(["sqrt(x)", "y"])
    for point in ([-1.0, 1.0], [0.0, 1.0]):
        with pytest.raises(adlab.DomainError) as dense_reason:
            f.jacobian(point)
        with pytest.raises(adlab.DomainError) as sparse_reason:
            f.jacobian(point, sparse=True)
        assert str(sparse_reason.value).splitlines()[0] == str(dense_reason.value).splitlines()[0]
    with pytest.raises(adlab.OptionError, match="own sweeps"):
        f.jacobian([1.0, 1.0], "central-difference", sparse=True)
    with pytest.raises(adlab.PointError):
        f.jacobian([[1.0, 1.0]], sparse=True)


@pytest.mark.parametrize(("formula", "point"), [
    (["Max(x, y)*z", "y*z", "exp(x)"], [1.0, 1.0, 2.0]), (["x/(x + y)", "z/x**2", "y*z"], [1e100, 1e100, 2.0]),
    (["sqrt(x**4) + y", "y*z", "x*z"], [0.0, 1.0, 2.0]),
])  # fmt: skip
def test_where_binary64_is_not_enough_it_is_the_dense_jacobian_computed_once(formula, point, monkeypatch):
    f, walks = adlab.Function(formula, ["x", "y", "z"]), []
    monkeypatch.setattr("adlab.autodiff.evaluator.walked", lambda *given: walks.append(1) or walked(*given))
    assert np.array_equal(dense(f.jacobian(point, sparse=True)), f.jacobian(point))
    assert len(walks) == 2, "one for the sparse Jacobian, one for the dense one"


def test_a_partial_beyond_binary64_is_named_as_in_the_dense_jacobian():
    f = adlab.Function(["x*y", "y/x**2"])
    for options in ({}, {"sparse": True}):
        with pytest.raises(adlab.OverflowedError, match="the partial by x of output 1 is beyond"):
            f.jacobian([1e-120, 1.0], **options)
    with pytest.raises(adlab.OptionError, match="neither"):
        f.jacobian([1.0, 1.0], sparse=True, errors="none")


@pytest.mark.parametrize(("f", "name"), [
    (arrow(5), "reverse"), (band(300), "coloured"), (arrow(500), "mixed"),
    (adlab.Function(["x", "x**2*y"]), "reverse"), (adlab.Function(["sin(x)*y", "cos(x)", "exp(sin(x))*y", "x*y"]), "forward"),
])  # fmt: skip
def test_method_auto_takes_the_sweeps_that_count_fewest(f, name):
    x = np.linspace(0.3, 1.2, f.n)
    choice = f.jacobian_choice
    assert choice.name == name
    assert choice.costs[name] == min(choice.costs.values())
    assert choice.reason.startswith({"mixed": "coloured sweeps of both kinds"}.get(name, f"{name} sweeps"))
    assert np.allclose(f.jacobian(x, "auto"), f.jacobian(x), rtol=1e-14, atol=0)
    found = f.jacobian(x, "auto", sparse=True)
    assert np.allclose(dense(found), f.jacobian(x), rtol=1e-14, atol=0)
    assert found.sweeps == f.coloring.sweeps
    assert f.jacobian(np.array([x, x]), "auto").shape == (2, f.m, f.n)


def test_the_picture_has_a_square_for_each_entry():
    f = arrow(8)
    ax = f.coloring.plot()
    assert sum(len(drawn.get_paths()) for drawn in ax.collections) == f.coloring.entries == 22
    assert "3 sweeps" in ax.get_title()


def symmetric_pattern(rng: random.Random, n: int) -> list[list[int]]:
    pairs = {(i, j) for i in range(n) for j in range(i) if rng.random() < 2.5 / n}
    return [sorted({i, *(j for a, j in pairs if a == i), *(a for a, j in pairs if j == i)}) for i in range(n)]


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("kind", ["star", "acyclic"])
def test_a_symmetric_matrix_comes_back_from_its_products(seed, kind):
    rng = random.Random(seed)
    n = rng.randint(1, 25)
    found = HessianColoring.of(symmetric_pattern(rng, n))
    found = found if kind == "star" else found.acyclic()
    matrix = np.zeros((n, n))
    for i, row in enumerate(found.pattern):
        for j in row:
            matrix[i, j] = matrix[j, i] = rng.randint(1, 1000)  # whole numbers: every subtraction is exact
    products = np.array([[matrix[i, [j for j in range(n) if found.colors[j] == c]].sum() for c in range(found.sweeps)]
                         for i in range(n)])  # fmt: skip
    expected = [matrix[i, j] for i, row in enumerate(found.pattern) for j in row]
    if kind == "acyclic":
        assert substituted(found.pattern, found.colors, products).tolist() == expected
    assert found.least <= found.sweeps
    assert HessianColoring.of(found.pattern).acyclic().sweeps <= min(HessianColoring.of(found.pattern).orders.values())


def test_an_acyclic_colouring_takes_fewer_products_and_gives_the_hessian():
    f = adlab.Function("+".join(f"sin(x{i}*x{i % 40 + 1})" for i in range(1, 41)))
    x = np.linspace(0.2, 1.4, f.n)
    star, acyclic = f.hessian_coloring, f.hessian_coloring.acyclic()
    assert acyclic.sweeps <= star.sweeps
    found = f.sparse_hessian(x, coloring="acyclic")
    np.testing.assert_allclose(dense(found), f.hessian(x), rtol=1e-11, atol=1e-12)
    assert found.sweeps == acyclic.sweeps
    with pytest.raises(adlab.AdlabError, match="neither 'star' nor 'acyclic'"):
        f.sparse_hessian(x, coloring="rainbow")


def test_the_arrow_meets_its_bound_and_orders_are_compared():
    assert arrow(30).coloring.sweeps == arrow(30).coloring.least == 3
    assert band(30).coloring.orders == dict.fromkeys(ORDERS, (3, 3))
    assert set(adlab.Function("+".join(f"x{i}*x1" for i in range(1, 9))).hessian_coloring.orders) == set(ORDERS)


@pytest.mark.parametrize("seed", range(20))
def test_every_order_takes_every_member_once_and_no_bound_is_too_high(seed):
    rng = random.Random(seed)
    n = rng.randint(1, 15)
    beside = [[j for j in row if j != i] for i, row in enumerate(symmetric_pattern(rng, n))]
    counts = {name: colors_needed(beside, order(beside)) for name, order in ORDERS.items()}
    assert all(sorted(order(beside)) == list(range(n)) for order in ORDERS.values())
    assert clique(beside) <= min(counts.values())
