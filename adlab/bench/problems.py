"""The problems of `adlab bench`, each written three times: as a gallery function, on scalars, and on arrays.

Peers get a problem in their own language. Those that build graphs of scalars (CasADi, ddx, heyoka, symengine) get
`scalars`. Those that work on arrays (torch, jax, autograd) get `arrays`, whose last axis is the point. Both find their functions
in `ns`. Both must agree with the gallery's formula: the bench does not time a peer whose gradient differs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import pairwise
from typing import Any

import numpy as np
import sympy

from adlab import gallery
from adlab.function import Function

Scalars = Callable[[Sequence[Any], Any], list[Any]]
Arrays = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Problem:
    """`scalars(x, ns)`: a list of n scalars → m of them; `arrays(x, ns)`: (..., n) → (...) or, if m > 1, (..., m).

    Where nobody would use arrays for it, `arrays` are the scalars over columns, and `in_arrays` is False.
    """

    name: str
    make: Callable[[], Function]
    scalars: Scalars
    by_hand: Arrays | None = None
    order: int = 1
    """1 for the gradient, or the Jacobian; 2 for the Hessian."""
    sparse: bool = False
    """Whether most entries are 0, so that a library may leave them out."""

    @property
    def in_arrays(self) -> bool:
        return self.by_hand is not None

    @property
    def arrays(self) -> Arrays:
        return self.by_hand or on_columns(self.scalars)


def _sum(terms: Any) -> Any:
    return reduce(lambda a, b: a + b, terms)


def _worked(x: Sequence[Any], ns: Any) -> list[Any]:
    return [ns.log((x[0] + x[1]) ** 2 + ns.sin(x[0] * x[1]))]


def _logistic(n: int, x: Sequence[Any], ns: Any) -> list[Any]:
    (level,) = x
    for _ in range(n - 1):
        level = 4 * level * (1 - level)
    return [level]


def _speelpenning(x: Sequence[Any], ns: Any) -> list[Any]:
    return [reduce(lambda a, b: a * b, x)]


def _rosenbrock(x: Sequence[Any], ns: Any) -> list[Any]:
    return [_sum(100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairwise(x))]


def _rosenbrock_arrays(x: Any, ns: Any) -> Any:
    a, b = x[..., :-1], x[..., 1:]
    return (100 * (b - a**2) ** 2 + (1 - a) ** 2).sum(-1)


def _hilbert(n: int) -> Any:
    return 1 / (np.arange(n)[:, None] + np.arange(n) + 1.0)


def _helmholtz(x: Sequence[Any], ns: Any) -> list[Any]:
    n = len(x)
    A = _hilbert(n).tolist()
    bx = _sum(x_i / (n + i) for i, x_i in enumerate(x, 1))
    mixing = _sum(x_i * ns.log(x_i / (1 - bx)) for x_i in x)
    quadratic = _sum(x_i * _sum(a * x_j for a, x_j in zip(row, x, strict=True)) for x_i, row in zip(x, A, strict=True))
    return [_attraction(mixing, quadratic, bx, ns)]


def _attraction(mixing: Any, quadratic: Any, bx: Any, ns: Any) -> Any:
    root = math.sqrt(2)
    return 2.5 * mixing - quadratic / (math.sqrt(8) * bx) * ns.log((1 + (1 + root) * bx) / (1 + (1 - root) * bx))


def _helmholtz_arrays(n: int) -> Arrays:
    def energy(x: Any, ns: Any) -> Any:
        A, b = ns.array(_hilbert(n)), ns.array(1 / (n + np.arange(1.0, n + 1)))
        bx = x @ b
        mixing = (x * ns.log(x / (1 - bx)[..., None])).sum(-1)
        return _attraction(mixing, (x * (x @ A)).sum(-1), bx, ns)

    return energy


_WIDTH, _INPUTS = 11, 8
"""Units of a layer and inputs of the residual network: some 700 operations, between the gallery's small and large formulas."""
_DATA = [(2 * j - 1) / (2 * _INPUTS) for j in range(1, _INPUTS + 1)]
"""The inputs, evenly spread over (0, 1)."""


def _network(x: Sequence[Any], ns: Any) -> list[Any]:
    given = iter(x)

    def affine(h: Sequence[Any]) -> list[Any]:
        W = [[next(given) for _ in h] for _ in range(_WIDTH)]
        return [_sum([next(given), *(w * v for w, v in zip(row, h, strict=True))]) for row in W]

    h = [ns.tanh(a) for a in affine(_DATA)]
    for _ in range(2):
        h = [v + ns.tanh(a) for v, a in zip(h, affine(h), strict=True)]
    return [(_sum(next(given) * v for v in h) - 1) ** 2]


def _network_arrays(x: Any, ns: Any) -> Any:
    h, place = ns.array(np.array(_DATA)), 0
    for layer, width in enumerate([_INPUTS, _WIDTH, _WIDTH]):
        W = x[..., place : place + _WIDTH * width].reshape(*x.shape[:-1], _WIDTH, width)
        place += _WIDTH * width
        step = ns.tanh((W * h[..., None, :]).sum(-1) + x[..., place : place + _WIDTH])
        h, place = (h + step if layer else step), place + _WIDTH
    return ((x[..., place:] * h).sum(-1) - 1) ** 2


def _bundle(x: Sequence[Any], ns: Any) -> list[Any]:
    """r, C, f, u0, v0, k1, k2, X, w: see the gallery."""
    r, C, X = x[0:3], x[3:6], x[11:14]
    f, u0, v0, k1, k2, w = x[6], x[7], x[8], x[9], x[10], x[14]
    y = [a - b for a, b in zip(X, C, strict=True)]
    angle = ns.sqrt(_sum(a * a for a in r))
    axis = [a / angle for a in r]
    cos, sin = ns.cos(angle), ns.sin(angle)
    along = _sum(a * b for a, b in zip(axis, y, strict=True)) * (1 - cos)
    turned = [axis[(i + 1) % 3] * y[(i + 2) % 3] - axis[(i + 2) % 3] * y[(i + 1) % 3] for i in range(3)]
    p, q, s = (y[i] * cos + turned[i] * sin + axis[i] * along for i in range(3))
    u, v = p / s, q / s
    rho2 = u * u + v * v
    zoom = f * (1 + k1 * rho2 + k2 * (rho2 * rho2))
    return [w * (zoom * u + u0 - 250.0), w * (zoom * v + v0 - 160.0)]


def _broyden(x: Sequence[Any], ns: Any) -> list[Any]:
    """Broyden's tridiagonal system: three entries in each row of the Jacobian."""
    return [(3 - 2 * b) * b - a - 2 * c + 1 for a, b, c in zip([0, *x[:-1]], x, [*x[1:], 0], strict=True)]


def _broyden_function(n: int) -> Function:
    x = sympy.symbols(f"x1:{n + 1}", real=True)
    return Function(_broyden(x, None), x, name=f"broyden:{n}", point=[-1.0] * n)


def on_columns(scalars: Scalars) -> Arrays:
    """A function of scalars, on arrays: the entries of the last axis are the scalars."""

    def arrays(x: Any, ns: Any) -> Any:
        found = scalars([x[..., i] for i in range(x.shape[-1])], ns)
        return found[0] if len(found) == 1 else ns.stack(found)

    return arrays


def _problems() -> list[Problem]:
    found = [Problem("worked-example", gallery.worked_example, _worked)]
    for n in (12, 50):
        level = partial(_logistic, n)
        found.append(Problem(f"logistic-map:{n}", partial(gallery.logistic_map, n), level))
    found.append(
        Problem("speelpenning:1000", partial(gallery.speelpenning, 1000), _speelpenning, lambda x, ns: ns.product(x))
    )
    for n in (100, 1000):
        found.append(Problem(f"rosenbrock:{n}", partial(gallery.rosenbrock, n), _rosenbrock, _rosenbrock_arrays))
    for n in (10, 50, 100):
        found.append(Problem(f"helmholtz:{n}", partial(gallery.helmholtz, n), _helmholtz, _helmholtz_arrays(n)))
    found.append(Problem("residual-network", gallery.residual_network, _network, _network_arrays))
    found.append(Problem("bundle-adjustment", gallery.bundle_adjustment, _bundle))
    found.append(Problem("jacobian:broyden:100", partial(_broyden_function, 100), _broyden, sparse=True))
    second = {"worked-example": False, "helmholtz:10": False, "rosenbrock:100": True}
    return found + [replace(p, name=f"hessian:{p.name}", order=2, sparse=second[p.name]) for p in found if p.name in second]


PROBLEMS: dict[str, Problem] = {problem.name: problem for problem in _problems()}
