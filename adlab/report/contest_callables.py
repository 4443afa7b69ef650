"""Callables for the contest of differences: things that people differentiate that are not formulas.

Each takes a number. A callable that has a state comes from a function that makes a new one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

# --- an isolated value ---------------------------------------------------------------------------------------------


def hole_at_one(x: float) -> float:
    """sin x, but 7 at 1."""
    return 7.0 if x == 1 else math.sin(x)


def spike_at_one(x: float) -> float:
    """x², wrong by 1e-6 at 1."""
    return x * x + (1e-6 if x == 1 else 0.0)


def zero_at_zero(x: float) -> float:
    """sin(x)/x with a wrong value at 0, as a guard in code may have it."""
    return math.sin(x) / x if x else 0.0


def removable(x: float) -> float:
    """sin(x)/x with the right value at 0, where its derivative is 0, as that of x² is."""
    return math.sin(x) / x if x else 1.0


# --- few digits ----------------------------------------------------------------------------------------------------


def single_exp(x: float) -> float:
    """exp in binary32 of a binary64 number."""
    return float(np.float32(math.exp(x)))


def single_argument(x: float) -> float:
    """x², where x is rounded to binary32 and the square is not."""
    return float(np.float32(x)) ** 2


def single_sin(x: float) -> float:
    """sin, computed wholly in binary32."""
    return float(np.sin(np.float32(x)))


def half_sin(x: float) -> float:
    """sin in binary16: three digits."""
    return float(np.sin(np.float16(x)))


def half_log(x: float) -> float:
    """log(3.5 + x²) as a number of binary16: even, and flat around 0."""
    return float(np.float16(math.log(3.5 + x * x)))


def single_product(x: float) -> float:
    """2.18 x in binary32: exact at 0, and not beside it."""
    return float(np.float32(2.18 * float(np.float32(x))))


def single_cubic(x: float) -> float:
    """x³ + 1.8 x + 1.7, where x and the result are rounded to binary32."""
    single = float(np.float32(x))
    return float(np.float32(single**3 + 1.8 * single + 1.7))


def rounded_to_cents(x: float) -> float:
    """x² to two decimal places."""
    return round(x * x, 2)


def stairs(x: float) -> float:
    """x in steps of 1e-6."""
    return math.floor(x * 1e6) / 1e6


def printed(x: float) -> float:
    """exp(−x) as it is read back from a file with six digits."""
    return float(f"{math.exp(-x):.6g}")


# --- noise ---------------------------------------------------------------------------------------------------------


def hashed_noise(x: float) -> float:
    """sin x with noise of 1e-8 that depends on x alone."""
    return math.sin(x) + 1e-8 * math.sin(1e17 * math.frexp(x)[0])


def loud_noise(x: float) -> float:
    """1e-6 x with noise of size 1 that depends on x alone."""
    return math.sin(1e17 * math.frexp(x)[0]) + 1e-6 * x


def truncated_sum(x: float) -> float:
    """The series of exp, ended where a term is below 1e-7."""
    total, term, k = 0.0, 1.0, 0
    while abs(term) > 1e-7:
        total, k = total + term, k + 1
        term *= x / k
    return total


def trapezoids(x: float) -> float:
    """1 + the integral of exp from 0 to x by 200,000 trapezoids: right to 1e-11."""
    nodes = np.linspace(0.0, x, 200_001)
    return 1.0 + float(np.trapezoid(np.exp(nodes), nodes))


# --- a state -------------------------------------------------------------------------------------------------------


def counting() -> Callable[[float], float]:
    """sin x, plus 1e-3 more at each call."""
    calls = [0]

    def counting(x: float) -> float:
        calls[0] += 1
        return math.sin(x) + 1e-3 * calls[0]

    return counting


def toggling() -> Callable[[float], float]:
    """x² at every other call, 2x² at the calls between."""
    calls = [0]

    def toggling(x: float) -> float:
        calls[0] += 1
        return x * x * (1 + calls[0] % 2)

    return toggling


def random_walk() -> Callable[[float], float]:
    """sin x with noise that is drawn anew at each call."""
    rng = np.random.default_rng(7)

    def random_walk(x: float) -> float:
        return math.sin(x) + 1e-3 * float(rng.normal())

    return random_walk


def warming_up() -> Callable[[float], float]:
    """√x by an iteration that starts where the last call ended, so it gets better from call to call."""
    guess = [10.0]

    def warming_up(x: float) -> float:
        guess[0] = (guess[0] + x / guess[0]) / 2 + 1e-4 * guess[0]
        return guess[0]

    return warming_up


# --- it raises -----------------------------------------------------------------------------------------------------


def asserting(x: float) -> float:
    """x² where |x| ≤ 1."""
    assert x * x <= 1, "outside"
    return x * x


def raising_key(x: float) -> float:
    """x√x, and a KeyError where x is negative."""
    if x < 0:
        raise KeyError(x)
    return x * math.sqrt(x)


def raising_overflow(x: float) -> float:
    """exp, which raises OverflowError from 709.8 on."""
    return math.exp(x)


def math_log(x: float) -> float:
    """log, which raises ValueError at 0 and below."""
    return math.log(x)


def math_sqrt(x: float) -> float:
    """sqrt, which raises ValueError below 0."""
    return math.sqrt(x)


def only_positive(x: float) -> float:
    """x², and a RuntimeError where x is negative."""
    if x < 0:
        raise RuntimeError("negative")
    return x * x


# --- a constant, or rounded to one ---------------------------------------------------------------------------------


def softplus_naive(x: float) -> float:
    """−log(1 + exp(−x)), which is 0 from 37 on."""
    return -math.log(1 + math.exp(-x))


def beta_naive(x: float) -> float:
    """log B(x, 3) by three logarithms of Γ."""
    return math.lgamma(x) + math.lgamma(3.0) - math.lgamma(x + 3.0)


def relu(x: float) -> float:
    """0 on the left and x on the right: softplus after it is rounded."""
    return max(x, 0.0)


def nothing(x: float) -> float:
    """Always 5: the argument is not used."""
    return 5.0


def far_log(x: float) -> float:
    """log(0.128 + x²), so far from 0 that values lie on stairs of height 1/2."""
    return math.log(0.128 + x * x) + 3.3e15


def far_tanh(x: float) -> float:
    """tanh(2.25 x + 0.8) on stairs of height 1/2: at a distance there are two of them."""
    return math.tanh(2.25 * x + 0.8) - 2.9e15


def far_and_back(x: float) -> float:
    """log(3.3 + x²) on stairs of height 1e-4, though its values are small."""
    return (math.log(3.3 + x * x) + 9.3e11) - 9.3e11


# --- code ----------------------------------------------------------------------------------------------------------


def newton_root(x: float) -> float:
    """√x by Newton's iteration to the last digit."""
    guess = max(x, 1.0)
    for _ in range(60):
        guess = (guess + x / guess) / 2
    return guess


def bisected_root(x: float) -> float:
    """√x by bisection of [0, 4] to 1e-9, which makes stairs."""
    low, high = 0.0, 4.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if middle * middle < x else (low, middle)
    return low


def simulated(x: float) -> float:
    """exp(−x), as a fourth-order Runge-Kutta solution of y′ = −y in 1,000 steps."""
    y, h = 1.0, x / 1000
    for _ in range(1000):
        y *= 1 - h + h * h / 2 - h**3 / 6 + h**4 / 24
    return y


def horner(x: float) -> float:
    """A polynomial by Horner's scheme."""
    total = 0.0
    for coefficient in (1.0, 0.0, -3.0, 0.0, 1.0, 0.0):
        total = total * x + coefficient
    return total


def branching(x: float) -> float:
    """x² up to 1.5 and x³ beyond."""
    return x * x if x <= 1.5 else x**3


def of_an_array(x: float) -> float:
    """x² as NumPy gives it for an array with one entry."""
    return float(np.square([x])[0])


def clipped(x: float) -> float:
    """x, held between 0 and 1."""
    return min(max(x, 0.0), 1.0)


def table_lookup(x: float) -> float:
    """x² interpolated in a table: its true slope is that of a chord, 0.7 between 0.3 and 0.4."""
    k = math.floor(x * 10)
    low, high = k / 10, (k + 1) / 10
    return low**2 + (x - low) * (high**2 - low**2) / (high - low)
