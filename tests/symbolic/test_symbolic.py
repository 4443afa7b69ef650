"""The symbolic derivative: right, of the published sizes, and always an answer, if only that SymPy gave up."""

from __future__ import annotations

import math
import os
import subprocess
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Piecewise, cos, exp, log, sin, sqrt

from adlab.errors import AdlabError, DomainError, GaveUp, MethodError, OptionError, OverflowedError
from adlab.function import Function
from adlab.gallery import chain, logistic_map, speelpenning
from adlab.symbolic import derivative as symbolic, sympy_worker
from adlab.symbolic.derivative import SymbolicDerivative, derivative_of, operations_after_cse
from adlab.symbolic.sympy_worker import Job
from adlab.text.unevaluated import applied

x, y = sympy.symbols("x y", real=True)


def derivative(f: Any, cse: bool = False, seconds: float = 60.0) -> SymbolicDerivative:
    """Of a Function, or of a formula by all its variables."""
    f = f if isinstance(f, Function) else Function(f)
    return SymbolicDerivative(f.outputs, f.variables, cse, seconds)


@pytest.fixture
def by_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing counts as small."""
    monkeypatch.setattr(symbolic, "SMALL_DERIVATIVE", 0)


# --- values -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cse", [False, True])
@pytest.mark.parametrize("form", ["written", "evaluated"])
def test_slopes_of_the_logistic_map_are_the_published_ones(form: Any, cse: bool) -> None:
    published = {0.3: [1, 1.6, -4.352, 1.3090816], 0.2: [1, 2.4, -2.688, 9.0660864]}
    for n in range(1, 5):
        found = derivative(logistic_map(n, form=form), cse)
        for at, slopes in published.items():
            assert found.jacobian([at]) == pytest.approx(slopes[n - 1], rel=1e-14)


@pytest.mark.parametrize("cse", [False, True])
@pytest.mark.parametrize(
    ("formula", "point", "gradient"),
    [
        ("log((x1 + x2)**2 + sin(x1*x2))", (1, 2), (0.5215007789468607, 0.5634963734499162)),
        ("log((x1 + x2)**2 + sin(x1*x2))", (2, 5), (0.2023412296974792, 0.2542897125253650)),
        ("ln(x1) + x1*x2 - sin(x2)", (2, 5), (5.5, 1.7163378145367738)),
        ("exp(x)/sqrt(sin(x)^3 + cos(x)^3)", (1.5,), (4.0534278938986206577,)),
        ("x^(3/2)", (0.1,), (0.47434164902525691297,)),
    ],
)  # fmt: skip
def test_gradients_of_published_examples(formula: str, point: Any, gradient: Any, cse: bool) -> None:
    assert derivative(formula, cse).jacobian(point)[0] == pytest.approx(gradient, rel=1e-14)


def test_a_jacobian_has_a_row_for_each_output() -> None:
    found = SymbolicDerivative([x * y, x - y, sympy.Integer(3)], [x, y], cse=True)
    assert found.jacobian([2.0, 5.0]).tolist() == [[5, 2], [1, -1], [0, 0]]
    assert SymbolicDerivative([x], [], cse=False).jacobian([]).shape == (1, 0)


def test_any_name_may_be_a_variable() -> None:
    names = ["lambda", "if", "I", "x0", "t0", "exp", "_Dummy_1", "derivative"]
    formula = "sin(lambda*if)*sin(lambda*if + I) + x0*t0*exp + _Dummy_1*derivative"
    f, point = Function(formula, names), np.linspace(0.1, 0.8, 8)
    for cse in (False, True):
        assert derivative(f, cse).jacobian(point.tolist()) == pytest.approx(f.jacobian(point), rel=1e-14)


def test_floats_keep_every_digit_in_the_printed_formula() -> None:
    third = 0.1 + 0.2  # 0.30000000000000004; SymPy's printer would write 0.3
    assert derivative(sympy.Float(third) * x).jacobian([1.0])[0, 0] == third


@pytest.mark.parametrize(
    ("formula", "at", "slope"),
    [
        ("gamma(x)", 5.5, 84.329090666431266398),
        ("besselj(0, x)", 1.0, -0.44005058574493351596),
        ("uppergamma(2, x)", 1.0, -math.exp(-1)),
        ("Max(x, x^2)", 3.0, 6.0),
        ("sec(x) + acoth(x)", 2.0, math.tan(2) / math.cos(2) + 1 / (1 - 4)),
    ],
)
def test_what_math_lacks_is_printed_or_taken_from_mpmath(formula: str, at: float, slope: float) -> None:
    assert derivative(formula).jacobian([at])[0, 0] == pytest.approx(slope, rel=1e-13)


# --- sizes: the tables of NUMBERS -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "n", "plain", "f_after", "after"),
    [
        ("evaluated", 3, 21, 6, 12), ("evaluated", 4, 82, 9, 27), ("evaluated", 5, 264, 12, 45),
        ("evaluated", 6, 768, 15, 67), ("evaluated", 7, 2096, 18, 93), ("evaluated", 8, 5472, 21, 123),
        ("written", 3, 15, 6, 11), ("written", 4, 53, 9, 20), ("written", 5, 152, 12, 30), ("written", 8, 2343, 21, 66),
    ],
)  # fmt: skip
def test_logistic_map(form: Any, n: int, plain: int, f_after: int, after: int) -> None:
    f = logistic_map(n, form=form)
    sizes = derivative(f, cse=True).sizes
    assert (sizes.tree_operations, sizes.cse_operations) == (plain, after)
    assert operations_after_cse(f.outputs, seconds=60) == f_after
    assert sizes.distinct_nodes < sizes.tree_nodes


def test_logistic_map_factored_by_hand() -> None:
    f = 64 * x * (1 - x) * (1 - 2 * x) ** 2 * (1 - 8 * x + 8 * x**2) ** 2
    assert derivative(f).sizes.tree_operations == 57


@pytest.mark.parametrize(("n", "tree", "flat", "nested"), [(3, 3, 3, 3), (5, 15, 11, 10), (10, 80, 45, 30)])
def test_cse_does_not_rediscover_reverse_mode(n: int, tree: int, flat: int, nested: int) -> None:
    """All partials of x1⋯xn: n(n−2) multiplications as a tree; reverse mode needs 3n − 6."""
    sizes = derivative(speelpenning(n, form="evaluated"), cse=True).sizes
    assert sizes.tree_operations == tree == n * (n - 2)
    assert sizes.cse_operations == flat
    assert derivative(speelpenning(n), cse=True).sizes.cse_operations == nested
    assert flat >= nested >= 3 * n - 6


# --- in place and in the worker ---------------------------------------------------------------------------------


def test_the_worker_finds_what_is_found_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    f = Function(["sin(lambda*y)/y + 0.10*y", "Piecewise((y, y < lambda), (lambda, True))"])
    here = derivative(f, cse=True)
    monkeypatch.setattr(symbolic, "SMALL_DERIVATIVE", 0)
    there = derivative(f, cse=True)
    assert (here.where, there.where) == ("in place", "worker")
    assert (here.source, here.sizes) == (there.source, there.sizes)


def test_what_is_too_deep_in_place_goes_to_the_worker() -> None:
    found = derivative(chain_of_sines(60))
    assert found.where == "worker"
    assert found.jacobian([0.5])[0, 0] == pytest.approx(Function(chain_of_sines(60)).gradient(0.5)[0], rel=1e-12)


def chain_of_sines(depth: int) -> Any:
    level: Any = x
    for _ in range(depth):
        level = applied(sin, level)
    return level


def test_running_out_of_stack_in_place_leads_to_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def overflow(*_: Any) -> Any:
        raise RecursionError

    monkeypatch.setattr(sympy_worker.sympy, "diff", overflow)  # here, and not in the other process
    assert derivative(x**2).where == "worker"


@pytest.mark.usefixtures("by_worker")
def test_an_explosion_is_stopped_in_time_and_its_process_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []

    class Watched(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    with pytest.raises(GaveUp, match=r"gave up after [\d.]+ s: .*as a tree the formula has 2\.81e\+15 nodes"):
        derivative(logistic_map(50, form="evaluated"), seconds=1.0)
    (process,) = started
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)  # neither running nor waiting to be reaped
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # and it has left nobody behind


def test_running_out_of_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def overflow(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(sympy_worker.sympy, "cse", overflow)
    with pytest.raises(GaveUp, match=r"sympy\.cse needs more than 2,048 MB of memory") as caught:
        derivative(x**2 + 1, cse=True)
    assert caught.value.reached == symbolic.Sizes(1, 3, 3, None)  # the derivative was there by then


@pytest.mark.usefixtures("by_worker")
def test_a_worker_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbolic, "MEMORY", 64 << 20)
    with pytest.raises(AdlabError, match=r"symbolic worker|gave up"):
        derivative(x**2)


def test_seconds_must_be_a_time() -> None:
    for nonsense in (0, -1, math.inf, math.nan, "10"):
        with pytest.raises(OptionError, match="seconds"):
            SymbolicDerivative([x], [x], False, nonsense)  # type: ignore[arg-type]


def test_what_gave_up_is_not_tried_again() -> None:
    f = logistic_map(40, form="evaluated")
    with pytest.raises(GaveUp) as first:
        derivative_of(f, False, 0.5)
    for cse in (False, True):  # where diff alone does not end, diff and cse will not
        with pytest.raises(GaveUp) as again:
            derivative_of(f, cse, 0.5)
        assert again.value is first.value


def test_a_derivative_is_made_once() -> None:
    f = chain(2)
    assert derivative_of(f, False) is derivative_of(f, False) is not derivative_of(f, True)


# --- where there is no number -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "at", "error", "words"),
    [
        (x * log(x), -1.0, DomainError, "no real value"),
        (log(x), 0.0, DomainError, "division by zero"),
        (sqrt(x), 0.0, DomainError, "division by zero"),
        (x ** sympy.Rational(4, 3), -1.0, DomainError, "by x is complex"),
        (exp(x), 1000.0, OverflowedError, "overflows"),
        (x**401, 10.0, OverflowedError, "overflows"),
        (x**3, 1e200, OverflowedError, "overflows"),
        (Piecewise((x, x > 0)), -1.0, DomainError, "by x is not a number"),
        (sympy.asin(x), 2.0, DomainError, "no real value|complex"),
    ],
)
def test_a_point_without_a_number_is_named_in_an_error(formula: Any, at: float, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        derivative(formula).jacobian([at])


@pytest.mark.parametrize(
    ("formula", "left"),
    [
        (sympy.floor(x), "floor"), (sympy.zeta(x, y), "zeta"),
    ],
)  # fmt: skip
def test_what_diff_leaves_standing_is_refused_by_name(formula: Any, left: str) -> None:
    with pytest.raises(MethodError, match=f"sympy.diff leaves .*{left}"):
        derivative(formula)


def test_a_function_that_nobody_has_is_refused_by_name() -> None:
    with pytest.raises(MethodError, match="`riemann_xi`"):
        symbolic._compiled(sympy_worker._source([x], [], [sympy.riemann_xi(x)]))


def test_whatever_sympy_raises_is_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise NotImplementedError("no rule")

    monkeypatch.setattr(sympy_worker.sympy, "diff", fail)
    with pytest.raises(MethodError, match="SymPy fails on this formula, with NotImplementedError: no rule"):
        derivative(x**2)


def test_sympy_s_wrong_answer_is_passed_on() -> None:
    """x, written as 0 where x = 0: the slope is 1, and SymPy differentiates the branch."""
    branch = Piecewise((0, sympy.Eq(x, 0)), (x, True))
    assert derivative(branch).jacobian([0.0])[0, 0] == 0


def test_a_job_survives_the_way_to_the_worker() -> None:
    job = Job([cos(x) * y], [x, y], cse=False)
    assert Job.from_json(job.to_json()) == job
