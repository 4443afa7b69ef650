"""What ADBench and GradBench time, as NumPy code: traced as it stands, certified, and beside other systems on the same code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import workloads

import adlab
from adlab.tracing import precise

PROBLEMS = pytest.mark.parametrize("problem", workloads.POINTS, ids=lambda f: f.__name__)


def apart(a: Any, b: Any) -> float:
    """The largest difference, relative to the largest entry."""
    return float(np.max(np.abs(np.asarray(a) - b)) / np.max(np.abs(b)))


@PROBLEMS
def test_the_gradient_is_certified(problem: Any) -> None:
    """Where balls cannot follow, by the code itself on high-precision numbers."""
    x = workloads.POINTS[problem]
    f = adlab.from_python(problem, x)
    judged = adlab.truth(problem, x, digits=15)
    assert f(x) == pytest.approx(float(problem(x)), rel=1e-13)
    assert apart(f.gradient(x), [float(partial) for partial in judged.gradient]) < 1e-14
    assert apart(f.gradient(x, method="forward"), f.gradient(x)) < 1e-13


@PROBLEMS
def test_autograd_says_the_same_of_the_same_code(problem: Any) -> None:
    autograd = pytest.importorskip("autograd")
    x = workloads.POINTS[problem]
    theirs = autograd.grad(lambda z: problem(z, autograd.numpy))(x)
    assert apart(adlab.from_python(problem, x).gradient(x), theirs) < 1e-13


@pytest.mark.slow
@PROBLEMS
def test_jax_says_the_same_of_the_same_code(problem: Any) -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    x = workloads.POINTS[problem]
    theirs = np.array(jax.grad(lambda z: problem(z, jax.numpy))(jax.numpy.array(x)))
    assert apart(adlab.from_python(problem, x).gradient(x), theirs) < 1e-13


@pytest.mark.slow
@PROBLEMS
def test_pytorch_says_the_same_of_the_graph(problem: Any) -> None:
    pytest.importorskip("torch")
    x = workloads.POINTS[problem]
    f = adlab.from_python(problem, x).at(x)
    assert apart(f.gradient(x, method="torch"), f.gradient(x)) < 1e-13


def test_a_branch_is_judged_by_the_code_itself() -> None:
    """Numbers of high precision know which of them are conditions, although they record nothing."""
    f = adlab.from_python(lambda x: x * x if x > 1 and x else -x, 2.0)
    assert [float(precise.values(f.runnable, [x])[0]) for x in (2.0, 0.5, 0.0)] == [4.0, -0.5, 0.0]
