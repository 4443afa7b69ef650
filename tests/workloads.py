"""The problems of ADBench and GradBench, in small sizes, written as people write them in NumPy.

ADBench (Šrajer, Kukelova & Fitzgibbon 2018): a mixture of Gaussians, bundle adjustment, an LSTM, a hand. GradBench: determinants,
a differential equation, k-means, log-sum-exp, linear least squares, and the particle and the saddle of Pearlmutter and Siskind
(2008). Each is a function of one flat array; `xp` is the library that computes. `POINTS` has a point for each.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

RNG = np.random.default_rng(20)
CENTRES, SAMPLES = RNG.normal(size=(3, 2)), RNG.normal(size=(5, 2))
TIMES, HEIGHTS = np.linspace(-1, 1, 7), RNG.normal(size=7)
BONES = [(-1, np.array([0.0, 0.0, 0.0])), (0, np.array([1.0, 0.2, 0.0])), (1, np.array([0.8, 0.0, 0.1]))]
SKIN = RNG.random((4, 3)) / 3 + np.array([0.5, 0.1, 0.0])
SHARES = RNG.dirichlet(np.ones(3), size=4)
SEEN = RNG.normal(size=(4, 3))


def logsumexp(z: Any, xp: Any) -> Any:
    largest = xp.max(z)
    return largest + xp.log(xp.sum(xp.exp(z - largest)))


def gmm(x: Any, xp: Any = np) -> Any:
    """The log-likelihood of samples under a mixture: weights, means, logarithms of diagonals, and lower entries."""
    k, d = 3, 2
    alphas, means = x[:k], x[k : k + k * d].reshape(k, d)
    logs, lower = x[k + k * d : k + 2 * k * d].reshape(k, d), x[k + 2 * k * d :]
    total = 0.0
    for sample in SAMPLES:
        terms = []
        for i in range(k):
            delta = sample - means[i]
            scales = xp.exp(logs[i])
            turned = xp.stack([scales[0] * delta[0], lower[i] * delta[0] + scales[1] * delta[1]])
            terms.append(alphas[i] + xp.sum(logs[i]) - 0.5 * xp.sum(turned**2))
        total = total + logsumexp(xp.stack(terms), xp)
    prior = 0.5 * (xp.sum(xp.exp(2 * logs)) + xp.sum(lower**2)) - xp.sum(logs)
    return total - len(SAMPLES) * logsumexp(alphas, xp) - prior


def rodrigues(turn: Any, x: Any, xp: Any) -> Any:
    square = xp.sum(turn**2)
    angle = xp.sqrt(square)
    axis = turn / angle
    across = xp.stack([axis[1] * x[2] - axis[2] * x[1], axis[2] * x[0] - axis[0] * x[2], axis[0] * x[1] - axis[1] * x[0]])
    return x * xp.cos(angle) + across * xp.sin(angle) + axis * xp.dot(axis, x) * (1 - xp.cos(angle))


def bundle(x: Any, xp: Any = np) -> Any:
    """The squared reprojection error of one point: rotation, centre, focal length, principal point, distortion, point, weight."""
    turn, centre, focal, principal, radial, point, weight = x[:3], x[3:6], x[6], x[7:9], x[9:11], x[11:14], x[14]
    moved = rodrigues(turn, point - centre, xp)
    flat = moved[:2] / moved[2]
    square = xp.sum(flat**2)
    seen = flat * (1 + radial[0] * square + radial[1] * square**2) * focal + principal
    wrong = weight * (seen - np.array([0.3, -0.2]))
    return xp.sum(wrong**2) + (1 - weight**2) ** 2


def lstm(x: Any, xp: Any = np) -> Any:
    """The loss of a cell with two hidden numbers over a sequence of three characters."""
    size, sequence = 2, [0, 1, 0, 1]
    weights, bias, state, cell = x[:16].reshape(4, 2, 2), x[16:24].reshape(4, 2), x[24:26], x[26:28]
    total = 0.0
    for now, after in itertools.pairwise(sequence):
        given = np.eye(size)[now]
        gates = [weights[i, 0] * given + weights[i, 1] * state + bias[i] for i in range(4)]
        forget, enter, leave = (1 / (1 + xp.exp(-g)) for g in gates[:3])
        cell = cell * forget + enter * xp.tanh(gates[3])
        state = leave * xp.tanh(cell)
        total = total + logsumexp(state, xp) - state[after]
    return total / 3


def hand(x: Any, xp: Any = np) -> Any:
    """The squared distances of a skin over three bones from what is seen; each bone turns against the one before."""
    placed: list[Any] = []
    for i, (parent, offset) in enumerate(BONES):
        turn = x[3 * i : 3 * i + 3]
        if parent < 0:
            placed.append((lambda v, t=turn: rodrigues(t, v, xp)))
        else:
            placed.append((lambda v, t=turn, p=parent, o=offset: placed[p](rodrigues(t, v, xp) + o)))
    total = 0.0
    for vertex, shares, seen in zip(SKIN, SHARES, SEEN, strict=True):
        where = sum(share * place(vertex) for share, place in zip(shares, placed, strict=True))
        total = total + xp.sum((where - seen) ** 2)
    return total


def det(x: Any, xp: Any = np) -> Any:
    """A determinant by minors, as GradBench has it."""

    def minors(rows: list[list[Any]]) -> Any:
        if len(rows) == 1:
            return rows[0][0]
        return sum((-1) ** j * rows[0][j] * minors([row[:j] + row[j + 1 :] for row in rows[1:]]) for j in range(len(rows)))

    return minors([[x[4 * i + j] for j in range(4)] for i in range(4)])


def ode(x: Any, xp: Any = np) -> Any:
    """Runge and Kutta's method, written out: y₀′ = x₀, yᵢ′ = xᵢ yᵢ₋₁."""

    def slope(y: Any) -> Any:
        return xp.concatenate([x[:1], x[1:] * y[:-1]])

    y, h = 0 * x, 0.1
    for _ in range(10):
        k1 = slope(y)
        k2 = slope(y + h / 2 * k1)
        k3 = slope(y + h / 2 * k2)
        k4 = slope(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y[-1]


def kmeans(x: Any, xp: Any = np) -> Any:
    """The sum over samples of the squared distance from the nearest centre."""
    centres = x.reshape(-1, 2)
    return sum(xp.min(xp.sum((centres - sample) ** 2, axis=1)) for sample in SAMPLES)


def lse(x: Any, xp: Any = np) -> Any:
    """log-sum-exp, with the largest taken off."""
    return logsumexp(x, xp)


def llsq(x: Any, xp: Any = np) -> Any:
    """Half the squared distance of a polynomial from data."""
    found = sum(c * TIMES**k for k, c in enumerate([x[i] for i in range(len(x))]))
    return xp.sum((found - HEIGHTS) ** 2) / 2


def particle(x: Any, xp: Any = np) -> Any:
    """Where a charged particle comes down, squared: naive Euler until it would be below 0, then a step of the right length."""
    position, speed, h = np.array([0.0, 8.0]), np.array([0.75, 0.0]), 1.0
    while True:
        force: Any = 0.0
        for centre in (xp.stack([10.0 + 0 * x[0], 10.0 - x[0]]), xp.stack([10.0 + 0 * x[0], 0 * x[0]])):
            away = position - centre
            force = force + away / xp.sum(away**2) ** 1.5
        after = position + h * speed
        if after[1] <= 0:
            break
        position, speed = after, speed + h * force
    t = -position[1] / speed[1]
    return (position[0] + t * speed[0]) ** 2


def saddle(x: Any, xp: Any = np) -> Any:
    """min over (x₀, y₀) of max over (x₁, y₁) of (x₀² + y₀²) − (x₁² + y₁²), twenty steps of descent with an inner ascent."""
    low = x[:2]
    for _ in range(20):
        high = x[2:]
        for _ in range(20):
            high = high - 0.2 * 2 * high + 0.01 * low
        low = low - 0.2 * (2 * low + 0.02 * high)
    return xp.sum(low**2) - xp.sum(high**2) + xp.sum(x**2)


POINTS: dict[Any, Any] = {
    gmm: RNG.normal(size=3 + 6 + 6 + 3) / 2,
    bundle: np.array([0.1, -0.2, 0.3, 0.1, 0.2, -5.0, 1.2, 0.1, -0.1, 0.01, 0.002, 0.4, -0.3, 0.5, 0.9]),
    lstm: RNG.normal(size=28) / 2,
    hand: RNG.normal(size=9) / 2,
    det: RNG.normal(size=16),
    ode: RNG.normal(size=5),
    kmeans: CENTRES.ravel(),
    lse: np.array([0.1, 700.0, 699.5, -3.0]),
    llsq: RNG.normal(size=4),
    particle: np.array([0.0]),
    saddle: RNG.normal(size=4),
}
