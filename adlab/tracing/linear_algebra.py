"""Products of matrices, and linear systems of small size, on arrays of objects."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import array, asarray, empty, eye, zeros  # as they were before a trace

from adlab.tracing.recorder import refuse

LARGEST = 64
"""The most rows of a system that is eliminated entry by entry: n³/3 multiplications become nodes of the graph."""


def product(a: Any, b: Any) -> Any:
    """a @ b, summed in order."""
    if 0 in (a.ndim, b.ndim):
        raise refuse("@ needs arrays, not numbers", "write *")
    return np.matmul(a, b) if a.size and b.size else zeros(np.matmul(zeros(a.shape), zeros(b.shape)).shape)


def size_of(item: Any) -> float:
    """The magnitude by which pivots are chosen. The choice affects rounding only."""
    return abs(float(getattr(item, "value", item)))


def eliminated(matrix: Any, right: Any) -> tuple[Any, Any, int]:
    """Upper triangular form by Gaussian elimination with partial pivoting: matrix, right-hand side, sign of the permutation.

    Raises TracingError where a column has no pivot, and for a matrix that is not square or too large.
    """
    a, b = array(matrix, dtype=object), array(right, dtype=object)
    n = len(a)
    if a.ndim != 2 or a.shape[1] != n or n > LARGEST:
        raise refuse(f"a linear system of shape {a.shape}", f"give a square matrix of at most {LARGEST} rows")
    sign = 1
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: size_of(a[i, k]))
        if size_of(a[pivot, k]) == 0:
            raise refuse(f"the matrix is singular: column {k} has no pivot", "check the matrix at this point")
        if pivot != k:
            a[[k, pivot]], b[[k, pivot]], sign = a[[pivot, k]], b[[pivot, k]], -sign
        for i in range(k + 1, n):
            if size_of(a[i, k]) == 0 and not hasattr(a[i, k], "value"):
                continue  # a constant zero, so there is nothing to eliminate
            factor = a[i, k] / a[k, k]
            a[i, k + 1 :] = a[i, k + 1 :] - factor * a[k, k + 1 :]
            b[i] = b[i] - factor * b[k]
    return a, b, sign


def solve(matrix: Any, right: Any) -> Any:
    """x with matrix @ x = right, for right of shape (n,) or (n, k)."""
    a, b, _ = eliminated(matrix, right)
    n = len(a)
    x = empty(b.shape, dtype=object)
    for i in reversed(range(n)):
        known = b[i]
        for j in range(i + 1, n):
            known = known - a[i, j] * x[j]
        x[i] = known / a[i, i]
    return x


def inverse(matrix: Any) -> Any:
    """The inverse, column by column."""
    return solve(matrix, eye(len(matrix)))


def determinant(matrix: Any) -> Any:
    """The product of the pivots. For 1, 2 and 3 rows it is the formula, which also holds for singular matrices."""
    a = asarray(matrix, dtype=object)
    if a.shape == (1, 1):
        return a[0, 0]
    if a.shape == (2, 2):
        return a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
    if a.shape == (3, 3):
        return (
            a[0, 0] * (a[1, 1] * a[2, 2] - a[1, 2] * a[2, 1])
            - a[0, 1] * (a[1, 0] * a[2, 2] - a[1, 2] * a[2, 0])
            + a[0, 2] * (a[1, 0] * a[2, 1] - a[1, 1] * a[2, 0])
        )
    upper, _, sign = eliminated(a, zeros(len(a)))
    found: Any = sign
    for k in range(len(upper)):
        found = found * upper[k, k]
    return found


def sign_and_log_of_determinant(matrix: Any) -> tuple[Any, Any]:
    """np.linalg.slogdet: the sign, and the logarithm of the magnitude, as a sum over the pivots."""
    upper, _, permutation = eliminated(matrix, zeros(len(matrix)))
    sign: Any = permutation
    logarithm: Any = 0.0
    for k in range(len(upper)):
        sign = np.sign(upper[k, k]) * sign
        logarithm = logarithm + np.log(np.abs(upper[k, k]))
    return sign, logarithm


def cholesky(matrix: Any, upper: bool = False) -> Any:
    """The lower triangular L with L·Lᵀ = matrix, of which only the lower half is read (the upper one for `upper`).

    Raises TracingError where a pivot is not positive.
    """
    a = asarray(matrix, dtype=object)
    a = a.T if upper else a
    n = len(a)
    if a.ndim != 2 or a.shape[1] != n or n > LARGEST:
        raise refuse(f"a Cholesky factor of shape {a.shape}", f"give a square matrix of at most {LARGEST} rows")
    found = zeros((n, n)).astype(object)
    for j in range(n):
        pivot = a[j, j] - sum(found[j, k] * found[j, k] for k in range(j))
        if not getattr(pivot, "value", pivot) > 0:
            raise refuse(f"the matrix is not positive definite: pivot {j} is not positive", "check the matrix at this point")
        found[j, j] = np.sqrt(pivot)
        for i in range(j + 1, n):
            found[i, j] = (a[i, j] - sum(found[i, k] * found[j, k] for k in range(j))) / found[j, j]
    return found.T if upper else found


def matrix_power(matrix: Any, exponent: int) -> Any:
    """The n-th power by repeated squaring. A negative one is that of the inverse."""
    base = inverse(matrix) if exponent < 0 else asarray(matrix, dtype=object)
    found, left = eye(len(base)).astype(object), abs(exponent)
    while left:
        found = product(found, base) if left % 2 else found
        left //= 2
        base = product(base, base) if left else base
    return found
