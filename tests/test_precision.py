"""High precision: no setting of the user's changes a result, no thread or fork disturbs another, every call ends."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import libmp

import adlab
from adlab import precision
from adlab.errors import GaveUp
from adlab.precision import CONTEXT, TimeIsUp, at_most, if_time, in_time, patience, seconds_left, working


def for_ever() -> None:
    while True:
        str(1).strip()
        list(map(abs, range(3)))
        (lambda: 0)()


def test_a_call_that_does_not_end_is_ended() -> None:
    with pytest.raises(GaveUp, match=r"gave up after 0\.1 s"), patience(0.1):
        in_time(for_ever)
    with patience(0.1), pytest.raises(TimeIsUp):
        in_time(CONTEXT.psi, 1, CONTEXT.mpf(-(10**8)) - 0.5)


def test_the_shortest_patience_holds() -> None:
    with patience(1000):
        with patience(2000):
            assert 900 < seconds_left() <= 1000
        with patience(0):
            assert seconds_left() == 0
        assert seconds_left() > 900
    assert seconds_left() == float("inf")


def test_what_mpmath_keeps_stays_whole_when_a_call_is_ended() -> None:
    """Interrupted at many places, what it has cached of π, of ln 2 and of Bernoulli's numbers is still right."""
    with working(3000):
        for k in range(60):
            with patience(0.0003 * k), pytest.raises(TimeIsUp):
                in_time(lambda: [CONTEXT.gamma(CONTEXT.mpf(n) / 7) * CONTEXT.zeta(n + 3) for n in range(1, 10**6)])
        assert CONTEXT.prec == 3000
        assert abs(CONTEXT.sin(CONTEXT.pi)) < CONTEXT.mpf(2) ** -2900
        for n in (10, 50, 200):
            assert CONTEXT.almosteq(CONTEXT.bernoulli(n), CONTEXT.mpf(libmp.bernfrac(n)[0]) / libmp.bernfrac(n)[1])


FORMULAS = ["uppergamma(x1,x2)", "zeta(1.5,x1)*exp(x2)", "erf(x1)*x2 + gamma(x2)", "sin(x1*x2)/x1"]
POINT = [1.25, 2.5]


def everything(text: str) -> list[str]:
    f = adlab.Function(text)
    return [
        *(f"{partial:.13e}" for method in ("reverse", "symbolic") for partial in f.gradient(POINT, method=method)),
        str(adlab.truth(f, POINT).to_dict()),
        str([row.status for row in adlab.compare(f, POINT, methods=["reverse", "symbolic"]).accuracy]),
        str([f"{row['value']:.13e}" for row in adlab.rounding(f, POINT).to_dict()["rows"]]),
    ]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_the_users_precision_changes_nothing_and_is_not_changed(text: str) -> None:
    expected = everything(text)
    for digits in (3, 200):
        with mpmath.workdps(digits):
            before = mpmath.mp.prec
            assert everything(text) == expected
            assert mpmath.mp.prec == before


def test_steps_are_the_same_at_any_precision_of_the_users() -> None:
    expected = adlab.steps("besselj(1,x)", 0.5, schemes=["central-difference"], patience=600)
    with mpmath.workdps(3):
        found = adlab.steps("besselj(1,x)", 0.5, schemes=["central-difference"], patience=600)
    np.testing.assert_array_equal(found.curves[0].total, expected.curves[0].total)
    np.testing.assert_array_equal(found.curves[0].truncation, expected.curves[0].truncation)


def test_threads_do_not_disturb_each_other() -> None:
    expected = [everything(text) for text in FORMULAS]
    before = mpmath.mp.prec, CONTEXT.prec
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(everything, FORMULAS * 2))
    assert found == expected * 2
    assert (mpmath.mp.prec, CONTEXT.prec) == before


def test_without_time_nothing_is_begun() -> None:
    """Each of a thousand values of a difference would else take its time after the report's patience has ended."""
    begun: list[int] = []
    with patience(0):
        assert at_most(10.0, lambda: "unknown", begun.append, 1) == if_time("unknown", begun.append, 1) == "unknown"
        values = adlab.Function("x**2/x").values(np.array([1e200]))  # too large a square: it needs numbers of unlimited exponent
    assert not begun
    assert np.isnan(values).all()
    assert at_most(10.0, lambda: 0, int, "3") == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*fork.*:RuntimeWarning")  # of JAX, where another test has loaded it
def test_a_fork_while_another_thread_is_at_work_does_not_hang() -> None:
    """The other thread holds the lock, at another precision, and is not there in the child."""
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with working(4000):
            inside.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(60)
    child = os.fork()
    if not child:
        same = precision.CONTEXT.prec == 53
        with working(100):
            same = same and str(CONTEXT.sqrt(2))[:8] == "1.414213"
        os._exit(0 if same else 1)
    until = time.monotonic() + 30
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < until:
        time.sleep(0.01)
    done.set()
    thread.join()
    if not ended[0]:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert ended == (child, 0)


def test_a_call_is_not_ended_within_a_generator_that_is_being_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", said.append)

    def endless() -> None:
        end = time.monotonic() + 1  # where the limit is lost
        while time.monotonic() < end:
            begun = (k for k in range(3))
            next(begun)
            del begun  # Python closes it, and would print what is raised there and go on without a limit
            (lambda: 0)()

    for _ in range(30):
        with pytest.raises(GaveUp), precision.patience(0.002):
            precision.in_time(endless)
    assert not said
