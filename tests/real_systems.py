"""Systems as SymPy's users have them: equations of motion, kinetics, a filter's update, densities."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from sympy import stats
from sympy.physics.mechanics import LagrangesMethod, Lagrangian, Particle, Point, ReferenceFrame, dynamicsymbols
from sympy.physics.mechanics.models import n_link_pendulum_on_cart


def by_kane(links: int) -> tuple[Any, list[Any]]:
    """Mass matrix beside forces of a pendulum on a cart, and what they depend on."""
    made = n_link_pendulum_on_cart(links, cart_force=False)
    both = sympy.Matrix.hstack(made.mass_matrix_full, made.forcing_full)
    return both, [*made.q, *made.u, *_constants(both)]


def by_lagrange(links: int) -> tuple[Any, list[Any]]:
    """The same pendulum from its Lagrangian; its speeds are derivatives of its coordinates."""
    t = sympy.Symbol("t")
    q, m, length = dynamicsymbols(f"q0:{links + 1}"), sympy.symbols(f"m0:{links + 1}"), sympy.symbols(f"l0:{links}")
    ground, origin = ReferenceFrame("I"), Point("O")
    origin.set_vel(ground, 0)
    cart = origin.locatenew("P0", q[0] * ground.x)
    cart.set_vel(ground, q[0].diff(t) * ground.x)
    points, bodies = [cart], [Particle("B0", cart, m[0])]
    for i in range(links):
        frame = ground.orientnew(f"F{i}", "Axis", [q[i + 1], ground.z])
        frame.set_ang_vel(ground, q[i + 1].diff(t) * ground.z)
        points.append(points[-1].locatenew(f"P{i + 1}", length[i] * frame.x))
        points[-1].v2pt_theory(points[-2], ground, frame)
        bodies.append(Particle(f"B{i + 1}", points[-1], m[i + 1]))
    for body in bodies:
        body.potential_energy = body.mass * sympy.Symbol("g") * body.point.pos_from(origin).dot(ground.y)
    made = LagrangesMethod(Lagrangian(ground, *bodies), q, frame=ground)
    made.form_lagranges_equations()
    both = sympy.Matrix.hstack(made.mass_matrix_full, made.forcing_full)
    return both, [*q, *(angle.diff(t) for angle in q), *_constants(both)]


def _constants(expression: Any) -> list[Any]:
    return sorted(expression.free_symbols - {sympy.Symbol("t")}, key=str)


def kinetics(species: int = 20, reactions: int = 40) -> tuple[Any, list[Any]]:
    """The rates of a network of reactions, saturated or activated."""
    rng = np.random.default_rng(1)
    c, k = sympy.symbols(f"c0:{species}"), sympy.symbols(f"k0:{reactions}")
    rates: list[Any] = [sympy.Integer(0)] * species
    for r in range(reactions):
        a, b, made = (int(i) for i in rng.choice(species, 3, replace=False))
        speed = k[r] * c[a] * c[b] / (1 + c[b] / 10) if r % 3 else k[r] * sympy.exp(-5 / c[made]) * c[a]
        rates[a] -= speed
        rates[b] -= speed if r % 3 else 0
        rates[made] += speed
    return sympy.Matrix(rates), [*c, *k]


def kalman() -> tuple[Any, list[Any]]:
    """State and covariance after an extended Kalman filter has seen range and bearing of a point that moves in the plane."""
    x, z, r = sympy.symbols("x:4"), sympy.symbols("z:2"), sympy.symbols("r:2")
    entries = iter(sympy.symbols("p:10"))
    before = sympy.zeros(4)
    for i in range(4):
        for j in range(i, 4):
            before[i, j] = before[j, i] = next(entries)
    seen = sympy.Matrix([sympy.sqrt(x[0] ** 2 + x[1] ** 2), sympy.atan2(x[1], x[0])])
    slope = seen.jacobian(x)
    gain = before * slope.T * (slope * before * slope.T + sympy.diag(*r)).inv()
    after = [*(sympy.Matrix(x) + gain * (sympy.Matrix(z) - seen)), *((sympy.eye(4) - gain * slope) * before)]
    return sympy.Matrix(after), [*x, *_constants(before), *z, *r]


x, a, b = sympy.symbols("x a b", positive=True)
DENSITIES = [
    stats.Normal("X", a, b), stats.Gamma("X", a, b), stats.Beta("X", a, b), stats.StudentT("X", a), stats.LogNormal("X", a, b),
    stats.Weibull("X", a, b), stats.Cauchy("X", a, b), stats.Logistic("X", a, b), stats.Gumbel("X", a, b),
    stats.ChiSquared("X", a),
    stats.Pareto("X", a, b), stats.Rayleigh("X", a), stats.Laplace("X", a, b), stats.VonMises("X", a, b), stats.Maxwell("X", a),
    stats.Nakagami("X", a, b), stats.Kumaraswamy("X", a, b), stats.FDistribution("X", a, b), stats.Exponential("X", a),
    stats.Erlang("X", 3, b), stats.GaussianInverse("X", a, b), stats.Levy("X", a, b), stats.Dagum("X", 2, a, b),
    stats.Lomax("X", a, b),
    stats.GammaInverse("X", a, b), stats.Benini("X", a, b, sympy.Rational(1, 3)), stats.Chi("X", a), stats.BetaPrime("X", a, b),
    stats.PowerFunction("X", a, 0, 3), stats.Reciprocal("X", a, b), stats.Triangular("X", 0, 3, 1), stats.Uniform("X", a, b),
]  # fmt: skip
