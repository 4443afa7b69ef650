"""Every function of the gallery is what its name says: judged by its formula in NumPy, and by published numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import corpora
import numpy as np
import pytest
import sympy

from adlab import gallery
from adlab.errors import AdlabError, OptionError, PointError
from adlab.function import Function

# --- the same formulas in NumPy: each takes a complex point --------------------------------------------------------


def _logistic(x: Any, n: int) -> Any:
    (level,) = x
    for _ in range(n - 1):
        level = 4 * level * (1 - level)
    return level


def _chain(x: Any, depth: int) -> Any:
    (level,) = x
    for _ in range(depth):
        level = np.sin(level) * np.exp(-level)
    return level


def _rosenbrock(x: Any, n: int) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def _helmholtz(x: Any, n: int) -> Any:
    i = np.arange(1, n + 1)
    A, bx, r2 = 1 / (i[:, None] + i - 1), np.sum(x / (n + i)), np.sqrt(2)
    log = np.log((1 + (1 + r2) * bx) / (1 + (1 - r2) * bx))
    return 2.5 * np.sum(x * np.log(x / (1 - bx))) - (x @ A @ x) / (np.sqrt(8) * bx) * log


def _residual_network(x: Any, width: int, depth: int, inputs: int) -> Any:
    h, first = (2 * np.arange(1, inputs + 1) - 1) / (2 * inputs), 0
    for k in range(depth + 1):
        size = width * h.size
        W, b = x[first : first + size].reshape(width, h.size), x[first + size : first + size + width]
        h = (h if k else 0) + np.tanh(W @ h + b)
        first += size + width
    return (x[first:] @ h - 1) ** 2


def _network(x: Any, inputs: int, outputs: int, width: int, depth: int) -> Any:
    h = x
    for k, rows in enumerate([*[width] * depth, outputs]):
        i, j = np.arange(rows)[:, None], np.arange(h.size)
        level = np.round(np.sqrt(3) / h.size * np.cos(i + 2 * j + 3 * k), 6) @ h
        h = np.tanh(level) if k < depth else level
    return h


def _attention(x: Any, tokens: int, width: int) -> Any:
    X, rest = x[: tokens * width].reshape(tokens, width), x[tokens * width :].reshape(3, width, width)
    Q, K, V = X @ rest
    scores = np.exp(Q @ K.T / np.sqrt(width))
    return np.mean((scores / scores.sum(axis=1, keepdims=True) @ V) ** 2)


def _bundle_adjustment(x: Any, measured: tuple[float, float] = (250.0, 160.0)) -> Any:
    r, C, (f, u0, v0, k1, k2), X, w = x[:3], x[3:6], x[6:11], x[11:14], x[14]
    angle = np.sqrt(r @ r)
    k = r / angle
    cross = np.array([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
    R = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    seen = R @ (X - C)
    plane = seen[:2] / seen[2]
    rho2 = plane @ plane
    return w * (f * (1 + k1 * rho2 + k2 * rho2**2) * plane + np.array([u0, v0]) - np.array(measured))


def _robot_arm(q: Any, joints: int) -> Any:
    hand = np.array([1 / 8, 1 / 8, 1 / 2])
    for number, angle in reversed(list(enumerate(q))):
        c, s = np.cos(angle), np.sin(angle)
        turn = [[c, 0, s], [0, 1, 0], [-s, 0, c]] if number % 2 else [[c, -s, 0], [s, c, 0], [0, 0, 1]]
        hand = np.array(turn) @ hand + [0, 0, 1 / 4]
    return hand


CASES: list[tuple[str, tuple[Any, ...], Callable[..., Any]]] = [
    ("worked_example", (), lambda x: np.log((x[0] + x[1]) ** 2 + np.sin(x[0] * x[1]))),
    ("baydin", (), lambda x: np.log(x[0]) + x[0] * x[1] - np.sin(x[1])),
    ("squire_trapp", (), lambda x: np.exp(x[0]) / np.sqrt(np.sin(x[0]) ** 3 + np.cos(x[0]) ** 3)),
    ("switched", (), lambda x: np.sqrt(x[0] - x[1]) if x[0].real > x[1].real else x[0] ** 2 * np.sin(x[1])),
    *(("logistic_map", (n,), _logistic) for n in (1, 2, 7)),
    *(("speelpenning", (n,), lambda x, n: np.prod(x)) for n in (1, 2, 40)),
    *(("rosenbrock", (n,), _rosenbrock) for n in (2, 9)),
    *(("helmholtz", (n,), _helmholtz) for n in (1, 2, 12)),
    *(("chain", (depth,), _chain) for depth in (1, 60)),
    *(("residual_network", sizes, _residual_network) for sizes in ((11, 2, 8), (1, 1, 1), (3, 5, 2))),
    *(("network", sizes, _network) for sizes in ((4, 3, 8, 3), (1, 1, 1, 1), (3, 5, 2, 1))),
    *(("attention", sizes, _attention) for sizes in ((4, 3), (1, 1), (2, 5))),
    ("bundle_adjustment", (), _bundle_adjustment),
    *(("robot_arm", (joints,), _robot_arm) for joints in (1, 6)),
]
IDS = [":".join([name, *map(str, sizes)]) for name, sizes, _ in CASES]


def jacobian(reference: Callable[..., Any], point: Any, *sizes: Any) -> Any:
    """By the complex step, which is right to the last digits where everything is analytic."""
    columns = [np.imag(reference(point + 1e-200j * direction, *sizes)) / 1e-200 for direction in np.eye(len(point))]
    return np.atleast_2d(np.array(columns).T)


@pytest.mark.parametrize(("name", "sizes", "reference"), CASES, ids=IDS)
def test_value_and_partials_are_those_of_the_formula(name: str, sizes: Any, reference: Any) -> None:
    f: Function = getattr(gallery, name)(*sizes)
    assert f.point is not None
    point = np.array(f.point)
    for x in (point, point * (1 - 0.01 * np.cos(np.arange(f.n)))):  # at its point, and beside it
        np.testing.assert_allclose(f(x), np.real(reference(x + 0j, *sizes)), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(f.jacobian(x), jacobian(reference, x, *sizes), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", gallery.GALLERY)
def test_every_function_has_a_point_of_its_domain_and_a_sentence(name: str) -> None:
    f = gallery.named(name)
    assert f.point is not None
    assert len(f.point) == f.n
    assert np.isfinite(f(f.point)).all()
    assert np.isfinite(f.jacobian(f.point)).all()
    assert re.fullmatch(r"[A-Z].{30,110}\.", f.about)
    assert all(symbol.is_real for symbol in f.variables)


# --- forms --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [gallery.logistic_map, gallery.speelpenning])
def test_evaluated_and_written_forms_are_one_function(make: Any) -> None:
    for n in (1, 2, 3, 6, 25):
        written, evaluated = make(n), make(n, form="evaluated")
        x = np.array(written.point) * np.linspace(0.5, 1.0, 5)[:, None]
        np.testing.assert_allclose(evaluated(x), written(x), rtol=1e-9)
        np.testing.assert_allclose(evaluated.gradient(x), written.gradient(x), rtol=1e-8)
        assert len(evaluated.graph.operations) == len(written.graph.operations)


# count_ops of f, of its derivative, and of the derivative after cse: NUMBERS.md
LOGISTIC_COUNTS = {
    "evaluated": {3: (8, 21, 12), 4: (18, 82, 27), 5: (38, 264, 45)},
    "written": {3: (9, 15, 11), 4: (21, 53, 20), 5: (45, 152, 30)},
}


def cse_operations(expressions: list[Any]) -> int:
    replacements, reduced = sympy.cse(expressions)
    return int(sympy.count_ops([right for _, right in replacements]) + sympy.count_ops(reduced))


@pytest.mark.parametrize("form", ["written", "evaluated"])
def test_logistic_map_has_the_operation_counts_of_its_form(form: Any) -> None:
    for n, counts in LOGISTIC_COUNTS[form].items():
        f = gallery.logistic_map(n, form)
        expression, (x,) = f.outputs[0], f.variables
        derivative = sympy.diff(expression, x)
        assert (sympy.count_ops(expression), sympy.count_ops(derivative), cse_operations([derivative])) == counts


@pytest.mark.parametrize(("form", "after_cse"), [("evaluated", (3, 11, 45)), ("written", (3, 10, 30))])
def test_speelpenning_has_the_operation_counts_of_its_form(form: Any, after_cse: tuple[int, ...]) -> None:
    for n, expected in zip((3, 5, 10), after_cse, strict=True):
        f = gallery.speelpenning(n, form)
        partials = [sympy.diff(f.outputs[0], x) for x in f.variables]
        assert sympy.count_ops(partials) == n * (n - 2)
        assert cse_operations(partials) == expected
        assert f.derivative("reverse").graph.counts() == {"mul": 3 * n - 6}


def test_written_expressions_are_those_that_sympy_writes_unevaluated() -> None:
    x = sympy.Symbol("x", real=True)
    level: Any = x
    for _ in range(2):
        level = sympy.Mul(4, level, sympy.Add(1, sympy.Mul(-1, level, evaluate=False), evaluate=False), evaluate=False)
    (written,) = gallery.logistic_map(3).outputs
    assert written == level
    assert hash(written) == hash(level)
    assert str(written) == str(level)
    assert written.is_commutative
    assert sympy.diff(written, x) == sympy.diff(level, x)


# --- published numbers --------------------------------------------------------------------------------------------


def test_worked_example_is_the_published_wengert_list() -> None:
    f = gallery.worked_example()
    assert str(f.graph).splitlines() == [
        "v1 = x1 + x2", "v2 = v1**2", "v3 = x1*x2", "v4 = sin(v3)", "v5 = v2 + v4", "v6 = log(v5)",
    ]  # fmt: skip
    known = {
        (1, 2): (2.2934734504528866, 0.5215007789468607, 0.5634963734499162),
        (2, 3): (3.207636277204819, 0.5210439445318398, 0.4822030228464966),
        (2, 5): (3.880655734007233, 0.2023412296974792, 0.2542897125253650),
    }
    for point, expected in known.items():
        np.testing.assert_allclose([f(point), *f.gradient(point)], expected, rtol=1e-14)


def test_baydins_example_has_the_published_trace() -> None:
    f = gallery.baydin()
    rows = {row["node"]: row for row in f.trace(f.point, tangent=(1, 0)).to_dict()["rows"]}
    nodes = [rows[name] for name in ("v1", "v2", "v3", "v4", "v5")]
    assert [round(row["primal"], 3) for row in nodes] == [0.693, 10, -0.959, 10.693, 11.652]
    assert [row["tangent"] or 0 for row in nodes] == [0.5, 5, 0, 5.5, 5.5]
    assert [row["adjoint"] for row in nodes] == [1, 1, -1, 1, 1]
    np.testing.assert_allclose(f.gradient(f.point), (5.5, 1.7163378145367738), rtol=1e-15)


@pytest.mark.parametrize("form", ["written", "evaluated"])
def test_logistic_map_has_the_published_slopes(form: Any) -> None:
    slopes = {0.3: (1, 1.6, -4.352, 1.3090816), 0.2: (1, 2.4, -2.688, 9.0660864)}
    for x, published in slopes.items():
        found = [gallery.logistic_map(n, form).gradient(x)[0] for n in (1, 2, 3, 4)]
        np.testing.assert_allclose(found, published, rtol=1e-14)


def test_squire_and_trapps_derivative() -> None:
    f = gallery.squire_trapp()
    np.testing.assert_allclose(f.gradient(f.point), 4.0534278938986206577, rtol=1e-14)


def test_speelpennings_product_telescopes_at_its_point() -> None:
    for n in (1, 10, 1000):
        f = gallery.speelpenning(n)
        np.testing.assert_allclose(f(f.point), 1 / (n + 1), rtol=1e-12)
        np.testing.assert_allclose(f.gradient(f.point), f(f.point) / np.array(f.point), rtol=1e-12)


def test_rosenbrocks_valley_ends_at_ones() -> None:
    f = gallery.rosenbrock(50)
    assert f(np.ones(50)) == 0
    assert not f.gradient(np.ones(50)).any()
    assert gallery.rosenbrock(2)((-1.2, 1)) == pytest.approx(24.2, rel=1e-15)


def test_bundle_adjustment_is_that_of_adbench() -> None:
    found = [row for row in corpora.rows("adbench") if row["id"].startswith("ADBench-BA-row")][:2]
    measured = [-float(re.findall(r"[uv]0 ([+-] [\d.]+)\)$", row["expr"])[0].replace(" ", "")) for row in found]
    f = gallery.bundle_adjustment(measured)
    assert f.names == found[0]["variables"]
    values, partials = f(found[0]["point"]), f.jacobian(found[0]["point"])
    for i, row in enumerate(found):
        assert values[i] == pytest.approx(float(row["value"]), rel=1e-11)
        np.testing.assert_allclose(partials[i], [float(row["gradient"][name]) for name in f.names], rtol=1e-11)


# --- size ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "operations"),
    [
        (gallery.logistic_map, lambda n: 3 * (n - 1)),
        (lambda n: gallery.logistic_map(n, "evaluated"), lambda n: 3 * (n - 1)),
        (gallery.speelpenning, lambda n: n - 1),
        (gallery.rosenbrock, lambda n: 8 * (n - 1) - 1),
        (gallery.chain, lambda n: 4 * n),
    ],
    ids=["logistic-map", "logistic-map evaluated", "speelpenning", "rosenbrock", "chain"],
)
def test_the_graph_grows_linearly(make: Callable[[int], Function], operations: Callable[[int], int]) -> None:
    for n in (2, 3, 10, 60):
        assert len(make(n).graph.operations) == operations(n)


def test_the_helmholtz_energy_costs_two_operations_for_each_pair_of_variables() -> None:
    counts = [len(gallery.helmholtz(n).graph.operations) for n in (10, 11, 12, 13)]
    assert set(np.diff(counts, n=2)) == {4}


def test_no_depth_is_too_much() -> None:
    deep = gallery.chain(20_000)
    assert len(deep.graph.operations) == 80_000
    assert gallery.logistic_map(20_000).m == gallery.speelpenning(1000).m == 1


def test_the_default_network_has_374_weights() -> None:
    assert gallery.residual_network().n == 374


# --- by name ------------------------------------------------------------------------------------------------------


def test_every_row_of_the_list_can_be_called_by_its_name() -> None:
    rows = gallery.listing()
    assert [row.name.split(":")[0] for row in rows] == list(gallery.GALLERY)
    for row in rows:
        f = gallery.named(row.name)
        assert (f.n, f.m, len(f.graph.operations), f.about) == row[1:]


def test_sizes_follow_the_name() -> None:
    assert gallery.named("residual-network:2:3").n == gallery.residual_network(2, 3).n
    assert gallery.named("speelpenning:17").n == 17


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("speelpening:3", "no `speelpening`; the nearest is `speelpenning`"),
        ("logistic_map", "the nearest is `logistic-map`"),
        ("", "it has worked-example, baydin,"),
        ("chain:ten", "depth is a whole number of at most 9 digits, as in `chain:10`, not `ten`"),
        ("chain:-1", "not `-1`"),
        ("chain:", "not ``"),
        ("chain:0", "depth is a whole number from 1 up, not 0"),
        ("chain:٣", "not `٣`"),
        ("chain:" + "9" * 5000, "at most 9 digits"),
        ("chain:3:4", "`chain` takes 1 size (depth), as in `chain:10`, not 2: `chain:3:4`"),
        ("attention:1:2:3", "takes 2 sizes (tokens, width), as in `attention:4:3`, not 3"),
        ("worked-example:1", "`worked-example` takes no size"),
        ("rosenbrock:1", "n is a whole number from 2 up, not 1"),
        ("helmholtz:99999", "n = 99999 makes about 19,999,600,002 operations"),
    ],
)
def test_what_is_not_in_the_gallery_is_refused_in_a_sentence(text: str, message: str) -> None:
    with pytest.raises(OptionError, match=re.escape(message)):
        gallery.named(text)


def test_arguments_that_do_not_fit_are_refused_in_a_sentence() -> None:
    wrong: Any = "3"
    for make in (gallery.logistic_map, gallery.speelpenning, gallery.helmholtz, gallery.attention):
        with pytest.raises(OptionError, match="is a whole number from 1 up, not '3'"):
            make(wrong)
    with pytest.raises(OptionError, match='neither "written" nor "evaluated"'):
        gallery.speelpenning(3, form=wrong)
    with pytest.raises(OptionError, match="beyond 500 for the evaluated form"):
        gallery.logistic_map(501, form="evaluated")
    with pytest.raises(PointError, match="measured image"):
        gallery.bundle_adjustment(measured=(1.0, float("nan")))
    assert issubclass(OptionError, AdlabError)


# --- straight into a graph ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", gallery.GALLERY)
def test_built_straight_it_is_the_graph_that_lowering_makes(name: str) -> None:
    lowered = gallery.GALLERY[name]()
    with gallery.straight():
        built = gallery.GALLERY[name]()
    assert built.names == lowered.names
    assert built.point == lowered.point
    assert built.scalar == lowered.scalar
    assert abs(len(built.graph.check().operations) - len(lowered.graph.operations)) <= 1
    scale = np.abs(lowered.jacobian(lowered.point)).max()
    np.testing.assert_allclose(built(built.point), lowered(lowered.point), rtol=1e-14)
    np.testing.assert_allclose(built.jacobian(built.point), lowered.jacobian(lowered.point), rtol=1e-13, atol=1e-15 * scale)


def test_the_evaluated_form_is_not_built_straight() -> None:
    with gallery.straight(), pytest.raises(OptionError, match="written form"):
        gallery.logistic_map(4, form="evaluated")
    assert gallery.logistic_map(4, form="evaluated").independent
