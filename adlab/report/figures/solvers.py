"""The curse of unrolling: how far the derivative of an iteration is from that of its limit, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from adlab.function import Function
from adlab.plots.canvas import COLOURS, SMALL, panels
from adlab.precision import working
from adlab.report.truth import truth
from adlab.tracing.traced import from_python
from adlab.truth.meanings import exact

FEW, MANY, DOUBLED = range(1, 13), range(4, 81, 4), [2**k for k in range(8)]
"""The iterations that are shown: of a fast method, of a slow one, and of one whose steps are made shorter."""
FLOOR = 1e-17
"""Where an error of less than half an ulp is drawn."""
RATE = 0.15
"""The step of the gradient descent."""


class Iteration(NamedTuple):
    """An iteration that depends on a number p. `after(p, k)` is its value after k steps. `implicit(p, k)` is the derivative by p
    that an equation gives at this value. `closed` is the limit as a formula, `steps` are the k that are shown."""

    title: str
    after: Callable[[Any, int], Any]
    implicit: Callable[[float, int], float]
    closed: str
    p: float
    steps: Sequence[int] = MANY


def curse_of_unrolling(given: Any = None) -> Any:
    """Relative error of a derivative by a parameter against the number of iterations, for six solvers in binary64. "Unrolled"
    is reverse mode through every step. "Implicit" solves one equation at the value that is reached: that of the implicit
    function theorem, for the differential equation the adjoint equation, for the integral Leibniz's rule. Grey is the error of
    the value. Where an iteration converges by a factor ρ in each step, the unrolled derivative has an error of about k·ρᵏ after
    k steps, and the implicit one of about ρᵏ, as the value has. By Newton's method both converge quadratically, by Runge and
    Kutta's with order 4, by the midpoint rule with order 2; Leibniz's rule needs no panel. The limits have formulas, whose
    derivatives are certified by balls. Errors below 1e-17 are drawn there."""
    spots = panels(given, 3, 2, height=8.4)
    for place, (ax, iteration) in enumerate(zip(spots, ITERATIONS, strict=True)):
        ks, found = iteration.steps, errors(iteration, iteration.steps)
        ax.plot(ks, found["value"], "-", color="0.65", lw=2.5, label="the value")
        ax.plot(ks, found["unrolled"], "s", color=COLOURS[1], ms=3.5, label="derivative, unrolled")
        ax.plot(ks, found["implicit"], "o", color=COLOURS[0], ms=3, label="derivative, implicit")
        ax.set(yscale="log", ylim=(FLOOR / 3, 30), title=iteration.title)
        ax.set_xlabel("iteration" if place < 4 else "steps" if place == 4 else "panels")
        if iteration.steps is DOUBLED:
            ax.set_xscale("log")
        else:
            ax.set_xticks(range(0, ks[-1] + 1, ks[-1] // 4))
        if place % 2 == 0:
            ax.set_ylabel("relative error")
    handles, names = spots[0].get_legend_handles_labels()
    spots[0].figure.legend(handles, names, loc="outside upper center", ncols=3, frameon=False, fontsize=SMALL)
    return spots


def errors(iteration: Iteration, steps: Sequence[int]) -> dict[str, Any]:
    """Relative errors of the value and of both derivatives after so many steps."""
    limit = truth(Function(iteration.closed, variables=["p"]), iteration.p)
    right, slope = limit.outputs[0].value, limit.component(0, 0).value
    found: dict[str, list[float]] = {"value": [], "unrolled": [], "implicit": []}
    for k in steps:
        f = from_python(lambda p, k=k: iteration.after(p, k), iteration.p)
        found["value"].append(_error(f(iteration.p), right))
        found["unrolled"].append(_error(float(f.gradient(iteration.p)[0]), slope))
        found["implicit"].append(_error(iteration.implicit(iteration.p, k), slope))
    return {name: np.maximum(values, FLOOR) for name, values in found.items()}


def _error(number: float, right: Any) -> float:
    with working(200):
        return float(abs(exact(number) / exact(right) - 1))


# --- the six iterations ---------------------------------------------------------------------------------------------

RESIDUAL = Function("x*exp(x) - p", variables=["p", "x"])
"""The equation that Newton's method, the fixed point and the minimum solve: x is Lambert's W(p)."""


def _by_theorem(after: Callable[[Any, int], Any]) -> Callable[[float, int], float]:
    """dx/dp = −(∂g/∂p)/(∂g/∂x) at the value that is reached."""

    def implicit(p: float, k: int) -> float:
        by_p, by_x = RESIDUAL.gradient([p, float(after(p, k))]).tolist()
        return -float(by_p / by_x)

    return implicit


def _repeated(step: Callable[[Any, Any], Any], start: float) -> Callable[[Any, int], Any]:
    def after(p: Any, k: int) -> Any:
        x: Any = start
        for _ in range(k):
            x = step(p, x)
        return x * 1.0

    return after


newton = _repeated(lambda p, x: x - (x * np.exp(x) - p) / (np.exp(x) * (1 + x)), 2.5)
fixed_point = _repeated(lambda p, x: p * np.exp(-x), 0.3)
descent = _repeated(lambda p, x: x - RATE * (x - p * np.exp(-x)), 0.3)

COUPLED = 1.8
"""The coupling of the two equations of the linear system: Jacobi's iteration converges by a factor of about 0.73."""


def jacobi(p: Any, k: int) -> Any:
    """x₁ of 2x₁ + p x₂ = 1, p x₁ + 3x₂ = 2, by k steps of Jacobi's iteration from 0."""
    return _jacobi(p, k)[0]


def _jacobi(p: Any, k: int) -> tuple[Any, Any]:
    x: Any = 0.0
    y: Any = 0.0
    for _ in range(k):
        x, y = (1 - p * y) / 2, (2 - p * x) / 3
    return x + 0.0 * p, y


def _of_system(p: float, k: int) -> float:
    """A ẋ = ḃ − Ȧ x, solved exactly, at the x that is reached."""
    x, y = _jacobi(p, k)
    return float(np.linalg.solve([[2.0, p], [p, 3.0]], [-y, -x])[0])


END = 2.0
"""The time at which the differential equation's solution is asked for."""


def logistic(p: Any, k: int) -> Any:
    """y(2) of y′ = p y (1 − y), y(0) = 0.1, by k steps of the classical Runge–Kutta method."""
    y: Any = 0.1
    for _ in range(k):
        y = runge_kutta(lambda y: p * y * (1 - y), y, END / k)
    return y


def runge_kutta(f: Callable[[Any], Any], y: Any, h: float) -> Any:
    """One step of length h for y′ = f(y)."""
    k1 = f(y)
    k2 = f(y + h / 2 * k1)
    k3 = f(y + h / 2 * k2)
    k4 = f(y + h * k3)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def _adjoint_equation(p: float, k: int) -> float:
    """λ′ = −λ ∂f/∂y, λ(2) = 1, and ∫ λ ∂f/∂p, solved backwards in time beside y by the same method with the same steps."""

    def slopes(z: Any) -> Any:
        y, weight, _ = z
        return -np.array([p * y * (1 - y), -weight * p * (1 - 2 * y), -weight * y * (1 - y)])

    z = np.array([float(logistic(p, k)), 1.0, 0.0])
    for _ in range(k):
        z = runge_kutta(slopes, z, END / k)
    return float(z[2])


def midpoints(p: Any, k: int) -> Any:
    """∫ 2/√π exp(−x²) from 0 to p by the midpoint rule with k panels."""
    total: Any = 0.0
    for j in range(k):
        x = p * ((j + 0.5) / k)
        total = total + np.exp(-x * x)
    return total * p * (2 / np.sqrt(np.pi) / k)


def _leibniz(p: float, k: int) -> float:
    """The integrand at the upper end."""
    return float(2 / np.sqrt(np.pi) * np.exp(-p * p))


ITERATIONS = [
    Iteration("root: Newton's method", newton, _by_theorem(newton), "LambertW(p)", 1.5, FEW),
    Iteration("fixed point: x ← p exp(−x)", fixed_point, _by_theorem(fixed_point), "LambertW(p)", 1.5),
    Iteration("minimum: gradient descent", descent, _by_theorem(descent), "LambertW(p)", 1.5),
    Iteration("linear system: Jacobi", jacobi, _of_system, "(3 - 2*p)/(6 - p**2)", COUPLED),
    Iteration("differential equation: RK4", logistic, _adjoint_equation, "1/(1 + 9*exp(-2*p))", 1.5, DOUBLED),
    Iteration("integral: midpoint rule", midpoints, _leibniz, "erf(p)", 1.2, DOUBLED),
]
