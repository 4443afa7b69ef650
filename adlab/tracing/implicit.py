"""Solver calls as nodes: a linear system, and a root of equations. The implicit function theorem gives their derivatives.

A solver iterates, but its derivative need not follow the iteration. Where g(x, p) = 0 defines x, the tangent solves one linear
system: ∂g/∂x · ẋ = −∂g/∂p · ṗ, and the adjoint solves its transpose (Griewank & Walther 2008, chapter 15). So the derivative
costs one solve, and it is as exact as the root.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adlab.arithmetic.bounded import BOUNDED
from adlab.arithmetic.floats import FLOATS
from adlab.autodiff.programs import adjoint_program, derivative, fresh, tangent_program
from adlab.errors import DomainError, GaveUp, UnsupportedExpression
from adlab.graph.compound import Compound, applied, filled
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter
from adlab.primitives.table import PRIMITIVES
from adlab.tracing.loops import body_outputs, dotted

MUL, SUB, NEG, DIV = (PRIMITIVES[name] for name in ("mul", "sub", "neg", "div"))
MOST_STEPS = 100
"""Newton steps after which the search for a root is given up."""
FAR = 1e-6  # a relative step that is no convergence, and a curvature that counts as negative beside the largest
SHORTEST = 1e-300  # of a Newton step: where even so short a step finds no value, there is none
LARGEST_CHANGE = 0.5  # of the Jacobian over the root's own uncertainty, relative to itself
POLISH = 8
"""Newton steps in other numbers than floats. Each doubles the digits of a root that floats have found."""


def size_of(number: Any) -> float:
    """The magnitude by which pivots are chosen: that of a float, or of the middle of an interval."""
    value = getattr(number, "value", number)
    try:
        return float(abs(value))
    except (TypeError, ValueError):
        return 1.0


class LinearSolve(Compound):
    """x with A x = b. The parameter is n; the operands are A row by row, then b."""

    def count(self, parameter: Parameter = None) -> int:
        return int(parameter * parameter + parameter)

    def results(self, parameter: Parameter = None) -> int:
        return int(parameter)

    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        return {}

    def weight(self, parameter: Parameter = None) -> float:
        return float(2 * parameter**3 / 3 + 2 * parameter**2)

    def written(self, operands: tuple[str, ...], parameter: Parameter = None) -> str:
        return f"linear_solve({parameter} equations)"

    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        """Gaussian elimination with partial pivoting, in any arithmetic."""
        n = parameter
        a = [list(operands[i * n : (i + 1) * n]) for i in range(n)]
        b = list(operands[n * n :])

        def less(x: Any, factor: Any, y: Any) -> Any:
            return numbers.apply(SUB, None, [x, numbers.mul(factor, y)])

        for k in range(n):
            pivot = max(range(k, n), key=lambda i: size_of(a[i][k]))
            if size_of(a[pivot][k]) == 0:
                raise DomainError(f"the matrix of a linear system is singular at this point: column {k} has no pivot")
            a[k], a[pivot], b[k], b[pivot] = a[pivot], a[k], b[pivot], b[k]
            for i in range(k + 1, n):
                factor = numbers.apply(DIV, None, [a[i][k], a[k][k]])
                a[i][k + 1 :] = [less(x, factor, y) for x, y in zip(a[i][k + 1 :], a[k][k + 1 :], strict=True)]
                b[i] = less(b[i], factor, b[k])
        x: list[Any] = [None] * n
        for i in reversed(range(n)):
            known = b[i]
            for j in range(i + 1, n):
                known = less(known, a[i][j], x[j])
            x[i] = numbers.apply(DIV, None, [known, a[i][i]])
        return x

    def jvp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            tangents: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        """A ẋ = ḃ − Ȧ x."""
        n, moved = parameter, filled(numbers, tangents)
        right = list(moved[n * n :])
        for i in range(n):
            for j in range(n):
                if tangents[i * n + j] is not None:
                    right[i] = numbers.apply(SUB, None, [right[i], numbers.mul(moved[i * n + j], results[j])])
        return applied(numbers, SOLVE, n, [*operands[: n * n], *right])

    def vjp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            bars: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        """Aᵀ λ = x̄; then b̄ = λ and Ā = −λ xᵀ."""
        n = parameter
        transposed = [operands[j * n + i] for i in range(n) for j in range(n)]
        weight = applied(numbers, SOLVE, n, [*transposed, *filled(numbers, bars)])
        matrix = [numbers.apply(NEG, None, [numbers.mul(weight[i], results[j])]) for i in range(n) for j in range(n)]
        return [*matrix, *weight]


@dataclass(frozen=True, eq=False)
class Equations:
    """n equations g(x, p) = 0. The inputs are the n unknowns, then the parameters."""

    body: Graph
    unknowns: int
    tolerance: float
    least: bool = False
    """Whether g is the gradient of a function that must have a minimum there."""

    @cached_property
    def slopes(self) -> Graph:
        """∂g/∂(x, p), row by row."""
        return derivative(self.body)

    def matrix(self, numbers: Any, inputs: Sequence[Any]) -> list[Any]:
        """∂g/∂x, row by row."""
        n, every = self.unknowns, body_outputs(numbers, self.slopes, inputs)
        width = len(self.body.inputs)
        return [every[i * width + j] for i in range(n) for j in range(n)]


class Root(Compound):
    """The root of equations near a start. The operands are the start, then the parameters. The start has no derivative."""

    def count(self, parameter: Parameter = None) -> int:
        return len(parameter.body.inputs)

    def results(self, parameter: Parameter = None) -> int:
        return int(parameter.unknowns)

    def bodies(self, parameter: Parameter = None) -> dict[str, Graph]:
        return {"equations": parameter.body}

    def written(self, operands: tuple[str, ...], parameter: Parameter = None) -> str:
        return f"root({', '.join(operands)})"

    def apply(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        """Newton's method: damped on floats until it settles; in other numbers, a few steps from the root in floats."""
        n = parameter.unknowns
        if numbers is FLOATS:
            return newton(parameter, list(operands[:n]), list(operands[n:]))
        start = [size_signed(x) for x in operands]
        x: list[Any] = [numbers.constant(value) for value in newton(parameter, start[:n], start[n:])]
        for _ in range(POLISH):
            x = self._step(numbers, parameter, x, operands[n:])
        return x

    def unrolled(self, numbers: Any, parameter: Parameter, operands: Sequence[Any]) -> list[Any]:
        """As many of Newton's steps as floats take, each as long as there."""
        n, taken = parameter.unknowns, list[float]()
        start = [size_signed(x) for x in operands]
        newton(parameter, start[:n], start[n:], taken)
        x = list(operands[:n])
        for scale in taken:
            x = self._step(numbers, parameter, x, operands[n:], scale)
        return x

    @staticmethod
    def _step(numbers: Any, parameter: Equations, x: Sequence[Any], given: Sequence[Any], scale: float = 1.0) -> list[Any]:
        inputs = [*x, *given]
        system = [*parameter.matrix(numbers, inputs), *body_outputs(numbers, parameter.body, inputs)]
        moved = SOLVE.apply(numbers, parameter.unknowns, system)
        if scale != 1.0:
            moved = [numbers.mul(numbers.constant(scale), b) for b in moved]
        return [numbers.apply(SUB, None, [a, b]) for a, b in zip(x, moved, strict=True)]

    def jvp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            tangents: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        n, body = parameter.unknowns, parameter.body
        inputs, still = [*results, *operands[n:]], [numbers.constant(0)] * n
        program = tangent_program(body, dotted(body))
        pushed = body_outputs(numbers, program, [*inputs, *still, *filled(numbers, tangents[n:])])
        right = [numbers.apply(NEG, None, [number]) for number in pushed]
        return applied(numbers, SOLVE, n, [*_matrix(numbers, parameter, inputs), *right])

    def vjp(self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
            bars: Sequence[Any | None]) -> Sequence[Any | None]:  # fmt: skip
        n, body = parameter.unknowns, parameter.body
        inputs = [*results, *operands[n:]]
        matrix = _matrix(numbers, parameter, inputs)
        transposed = [matrix[j * n + i] for i in range(n) for j in range(n)]
        weight = applied(numbers, SOLVE, n, [*transposed, *filled(numbers, bars)])
        program = adjoint_program(body, fresh(body.inputs, [f"bar{k}" for k in range(n)]))
        passed = body_outputs(numbers, program, [*inputs, *(numbers.apply(NEG, None, [w]) for w in weight)])
        return [*[None] * n, *passed[n:]]


def _matrix(numbers: Any, parameter: Equations, inputs: Sequence[Any]) -> list[Any]:
    n, width = parameter.unknowns, len(parameter.body.inputs)
    every = body_outputs(numbers, parameter.slopes, inputs)
    return [every[i * width + j] for i in range(n) for j in range(n)]


def size_signed(number: Any) -> float:
    """A number of another arithmetic as a float. Raises UnsupportedExpression for what is not a single number."""
    try:
        return float(getattr(number, "value", number))
    except (TypeError, ValueError):
        raise UnsupportedExpression("a root is found for one point of numbers at a time, not for arrays or letters") from None


def newton(p: Equations, x: list[float], given: list[float], taken: list[float] | None = None) -> list[float]:
    """Damped Newton steps on floats. `taken` receives the part of each step that was taken: 1 for a full one.

    Raises GaveUp where they do not settle, DomainError where ∂g/∂x is singular.
    """
    lengths: list[float] = []

    def residual(at: list[float]) -> tuple[list[float], float]:
        found = [float(v) for v in body_outputs(FLOATS, p.body, [*at, *given])]
        return found, max((abs(v) for v in found), default=0.0)

    found, size = residual(x)
    if not math.isfinite(size):
        raise DomainError(f"the equations have no value at the start {x}; start nearer to the root")
    for _ in range(MOST_STEPS):
        if size == 0:
            return _accepted(p, x, given)
        try:
            step = SOLVE.apply(FLOATS, p.unknowns, [*p.matrix(FLOATS, [*x, *given]), *found])
        except DomainError:
            raise DomainError(f"∂g/∂x is singular at {x}, which Newton's method has reached; start elsewhere") from None
        scale = 1.0
        while True:
            trial = [a - scale * b for a, b in zip(x, step, strict=True)]
            after, new_size = residual(trial)
            if math.isfinite(new_size) and (new_size < size or scale < 1e-4):
                break
            scale /= 2
            if scale < SHORTEST:
                raise DomainError("the equations have no value around a point of Newton's method; start nearer to the root")
        moved = max(abs(scale * b) / max(abs(a), 1e-300) for a, b in zip(trial, step, strict=True))
        settled = moved <= p.tolerance or new_size >= size
        if new_size <= size:
            x, found, size = trial, after, new_size
            if taken is not None:
                taken.append(scale)
        if settled:
            if moved > FAR:
                break
            return _accepted(p, x, given)
        lengths.append(max(map(abs, step)))
    if _halving(lengths[-4:]):
        raise DomainError(f"∂g/∂x is singular at the root near {x}, or almost: Newton's steps shorten only by a constant factor, "
                          "as at a double root, where the root has no derivative")  # fmt: skip
    raise GaveUp(f"Newton's method has not found the root: after its last step the largest residual is {size:.3g}; start nearer")


def _halving(lengths: list[float]) -> bool:
    """Whether each of the last Newton steps is shorter than the one before by about the same factor, which is not near 0 or 1."""
    ratios = [b / a for a, b in itertools.pairwise(lengths) if a]
    return len(ratios) == 3 and min(ratios) > 0.25 and max(ratios) < min(0.95, 1.1 * min(ratios))


def _accepted(p: Equations, x: list[float], given: list[float]) -> list[float]:
    """x, if ∂g/∂x is regular there and, for a minimum, has no negative pivot. Raises DomainError otherwise."""
    _regular(p, x, given)
    return _least(p, x, given) if p.least else x


def _regular(p: Equations, x: list[float], given: list[float]) -> None:
    """Raises DomainError where ∂g/∂x is singular at the root as far as binary64 can tell.

    g is known to within its running error bound, so x to within δ with J δ = that bound. If the Jacobian J changes by as much as
    itself over δ, it may be singular at the root: (J(x + δ) − J(x)) δ is then no longer small beside J δ.
    """
    inputs = [BOUNDED.constant(number) for number in (*x, *given)]
    vague = [abs(number.error) for number in body_outputs(BOUNDED, p.body, inputs)]
    if not any(vague) or not all(map(math.isfinite, vague)):
        return
    n, here = p.unknowns, p.matrix(FLOATS, [*x, *given])
    delta = [abs(d) for d in SOLVE.apply(FLOATS, n, [*here, *vague])]
    there = p.matrix(FLOATS, [*(a + d for a, d in zip(x, delta, strict=True)), *given])
    moved = [sum((there[i * n + j] - here[i * n + j]) * delta[j] for j in range(n)) for i in range(n)]
    if not max(map(abs, SOLVE.apply(FLOATS, n, [*here, *moved]))) <= LARGEST_CHANGE * max(delta):
        raise DomainError(f"∂g/∂x is singular at the root near {x}, as far as binary64 can tell: rounding moves the root by "
                          f"{max(delta):.1g}, and the Jacobian by as much as itself")  # fmt: skip


def _least(p: Equations, x: list[float], given: list[float]) -> list[float]:
    """x, if the Hessian there has no negative pivot. Raises DomainError otherwise: it is no minimum.

    The pivots are those of elimination without exchanges; as many are negative as eigenvalues are (Sylvester). NumPy would clear
    the processor's flags, so it is not used here.
    """
    n, every = p.unknowns, [float(h) for h in p.matrix(FLOATS, [*x, *given])]
    rows = [every[i * n : (i + 1) * n] for i in range(n)]
    floor = FAR * max((abs(h) for h in every), default=0.0)
    for k, row in enumerate(rows):
        if row[k] < -floor:
            raise DomainError(f"the gradient is 0 at {x}, and the function has no minimum there: it curves down; start elsewhere")
        if row[k] > floor:
            for other in rows[k + 1 :]:
                share = other[k] / row[k]
                other[k:] = [a - share * b for a, b in zip(other[k:], row[k:], strict=True)]
    return x


SOLVE, ROOT = LinearSolve("linear_solve"), Root("root")
