"""Polynomials fitted to what is sampled at many steps: the weights of a fit, of its truncation, and of what it leaves over."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adlab.differences.quotients import Array, combined

RUNGS = (1.0, 0.75)  # of each power of two: short numbers, so that x ± h is mostly exact
CONFIDENCE = 2.0  # standard deviations that the noise is multiplied by


class Basis(NamedTuple):
    """What all fits to points at given ratios of steps share; a row for each number of terms.

    QR makes an orthonormal basis of the powers. In it a further term does not change the others. So the wanted coefficient is a
    partial sum (`sums` computes it from the points). The next summand is its truncation error (`following`). The remaining
    squares of the coefficients (`transform`) are the residue of the fit. `spread` turns the residue into a deviation, and
    `length`, ‖w‖, into noise.
    """

    transform: Array
    sums: Array
    following: Array
    terms: npt.NDArray[np.int64]
    spare: npt.NDArray[np.int64]
    spread: Array
    length: Array


@cache
def basis(first: int, count: int, powers: tuple[int, ...], wanted: int) -> Basis:
    """The basis for `count` points at the ratios of the steps from rung `first` on, and a point at 0 if 0 is a power."""
    nodes = np.array([RUNGS[i % 2] * 0.5 ** (i // 2) for i in range(first, first + count)]) / RUNGS[first]
    return basis_at(tuple(nodes.tolist()), powers, wanted)


@cache
def basis_at(places: tuple[float, ...], powers: tuple[int, ...], wanted: int) -> Basis:
    """The basis for points at these steps, of which the largest is about 1, and a point at 0 if 0 is a power."""
    nodes = np.array([*places, 0.0]) if powers[0] == 0 else np.array(places)
    most = min(len(powers), nodes.size)
    transform, triangle = _orthogonalised([[float(Fraction(node) ** p) for p in powers[:most]] for node in nodes])
    weights = _row_of_inverse(triangle, wanted)
    summands = weights[:, None] * transform[:most]
    terms = np.arange(wanted + 1, most)
    spare = nodes.size - terms
    spread = (1 + 2 / spare) / np.sqrt(spare)  # a deviation seen in few points may be small by luck
    length = np.sqrt(np.cumsum(weights**2))[terms - 1]
    return Basis(
        transform,
        np.cumsum(summands, axis=0)[terms - 1],
        summands[terms],
        terms,
        spare,
        spread[:, None],
        length[:, None],
    )


def _orthogonalised(columns: list[list[float]]) -> tuple[Array, Array]:
    """Qᵀ, shape (K, K), and R, shape (n, n), of a (K, n) matrix A = QR, by Householder's reflections.

    LAPACK's factorisation depends on the processor in its last digits. This one does not.
    """
    remaining = np.array(columns)
    transform = np.eye(len(remaining))
    for j in range(remaining.shape[1]):
        normal = remaining[:, j].copy()
        normal[:j] = 0.0
        normal[j] += math.copysign(math.sqrt(math.fsum(normal * normal)), normal[j])
        if (square := math.fsum(normal * normal)) == 0.0:
            continue  # the column is 0 from here on, so there is nothing to reflect
        for matrix in (remaining, transform):
            matrix -= np.multiply.outer(2 / square * normal, combined(normal, matrix))
    return transform, np.triu(remaining)[: remaining.shape[1]]


def _row_of_inverse(triangle: Array, row: int) -> Array:
    """The row w of the inverse of an upper triangular R, shape (n,): w R is the row of the identity."""
    found = np.zeros(len(triangle))
    for j in range(row, len(triangle)):
        found[j] = (float(j == row) - math.fsum(found[:j] * triangle[:j, j])) / triangle[j, j]
    return found
