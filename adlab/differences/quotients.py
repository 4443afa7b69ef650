"""One difference quotient at one step, with what is known of its error.

Everything is arithmetic on values of f along one coordinate, t ↦ f(x + t eᵢ). A `Line` computes and counts them. Values have
shape () or (m,), and so have all numbers made of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.differences.stencils import Stencil
from adlab.errors import DomainError, MethodError, OverflowedError, PointError
from adlab.precision import UNIT_ROUNDOFF, still_time

Array = npt.NDArray[np.float64]
Value = Callable[[Array], "float | Array"]

Sample = Callable[[Array], Array]
"""f at many points: (N, n) to (N, m), NaN where it has no value, infinite where it overflows."""
Bound = Callable[[Array], Array]  # the error of f at a point is at most this
LOST = 64.0  # roundings: a value with a larger bound has lost digits on the way
MANY = 32  # values a node: for fewer, one product of all is quicker than a loop over the nodes
NEARBY = 2.0  # the bound on the error of f holds at x; at the nodes it may be so many times larger
LEFT_DOMAIN, NONFINITE = "left_domain", "nonfinite"  # what a value of f may say instead of a number


def value_at(value: Value, x: Array) -> Array:
    """f(x), shape () or (m,): NaN where `DomainError` says that there is no value, infinite where it overflows.

    Raises GaveUp where the caller's patience is over.
    """
    return _checked(_called(value, x))


def _called(value: Value, x: Array) -> Any:
    """What f gives at x, whatever it is: NaN or infinity where it says so by an exception."""
    still_time()
    try:
        return value(x)
    except DomainError:
        return math.nan
    except OverflowedError:
        return math.inf


def _checked(found: Any) -> Array:
    """A value as an array. Raises MethodError where it is none."""
    result = np.asarray(found)
    if result.ndim > 1 or result.dtype.kind not in "fiu":
        raise MethodError(
            "finite differences need a function whose value is a real number or a 1-D array of them; "
            f"got dtype {result.dtype} of shape {result.shape}"
        )
    return result.astype(np.float64)


def one_by_one(value: Value, shape: tuple[int, ...]) -> Sample:
    """A function of one point as one of many, whose values have this shape: (N, n) to (N, m).

    >>> one_by_one(lambda x: x[0] * x[1], ())(np.array([[2.0, 3.0], [4.0, 5.0]]))
    array([[ 6.],
           [20.]])
    """
    m = math.prod(shape)

    def at(point: Array) -> float | Array:
        result = _called(value, point)
        if not shape and isinstance(result, float):
            return result
        found = _checked(result)
        if found.shape != shape and not (found.ndim == 0 and not np.isfinite(found)):
            raise MethodError(f"the values of one function have shapes {shape} and {found.shape}; make them alike")
        return np.broadcast_to(found, shape) if shape else float(found)

    return lambda points: np.array([at(point) for point in points]).reshape(len(points), m)


def flag_of(values: Array) -> str:
    """`LEFT_DOMAIN` where a value is NaN, `NONFINITE` where one is infinite, else ""."""
    if np.isnan(values).any():
        return LEFT_DOMAIN
    return "" if np.isfinite(values).all() else NONFINITE


class Line:
    """t ↦ f(x + t eᵢ) near t = 0. Each value is computed once at most, and `nfev` counts them.

    `centre` is f(x); if the caller knows it, it is not counted. `bound` bounds the error of a value of f, as a running error
    bound does. If it says that digits have been lost at x, it is taken as the noise of all values. Raises `PointError` for a
    bad x or `index`.
    """

    def __init__(
        self,
        value: Value,
        x: npt.ArrayLike,
        index: int,
        centre: float | Array | None = None,
        bound: Bound | None = None,
    ) -> None:
        self.point = checked_point(x)
        if not 0 <= index < self.point.size:
            raise PointError(f"there is no variable {index}: the point has {self.point.size}, counted from 0")
        self.index = index
        self.origin = float(self.point[index])
        self.nfev = 1 if centre is None else 0
        self._value = value
        self.centre = value_at(value, self.point.copy()) if centre is None else np.asarray(centre, dtype=np.float64)
        self._known = {self.origin: self.centre}
        self._largest = _larger(np.zeros(self.centre.shape), self.centre)
        self._bound = bound
        self.bound = self.bound_at(self.origin)
        self.measured = np.zeros(self.centre.shape)
        if self.bound is not None:  # a few roundings do not count as noise; values near x show their effect
            lost = self.bound > LOST * rounding(self.centre[None])
            self.measured = np.where(lost, NEARBY * self.bound, 0.0)

    def bound_at(self, coordinate: float) -> Array | None:
        """The bound on the error of f there; None where nothing is known."""
        found = None if self._bound is None else self._bound(self._moved(coordinate))
        return None if found is None or not np.isfinite(found).all() else np.broadcast_to(found, self.centre.shape)

    def nodes(self, stencil: Stencil, h: float) -> Array:
        """The coordinates x + oₖ h after rounding to binary64, shape (K,)."""
        return self.origin + stencil.float_offsets * h

    def values(self, stencil: Stencil, h: float) -> Array:
        """f at the nodes, shape (K,) or (K, m)."""
        return self.at(self.nodes(stencil, h).tolist())

    def at(self, coordinates: Sequence[float]) -> Array:
        """f at these values of the coordinate, shape (K,) or (K, m)."""
        return np.array([self._at(coordinate) for coordinate in coordinates])

    def known(self, reach: float) -> list[float]:
        """The places within `reach` of x at which finite values are known, in order."""
        near = (node for node in self._known if abs(node - self.origin) <= reach)
        return sorted(node for node in near if np.isfinite(self._known[node]).all())

    def resolves(self, stencil: Stencil, h: float) -> bool:
        """Whether x and all nodes that `quotient` uses are different numbers."""
        coordinates = {self.origin, *self.nodes(stencil.wider, h).tolist()}
        return len(coordinates) == len({0.0, *stencil.wider.float_offsets.tolist()})

    @property
    def rounding(self) -> Array:
        """The error that the last rounding of the largest value so far may cause."""
        return np.asarray(UNIT_ROUNDOFF * self._largest)

    @property
    def noise(self) -> Array:
        """How wrong values of f may be: by their last rounding, and by the noise that `heard` was told of."""
        return np.maximum(self.measured, self.rounding)

    def heard(self, noise: Array) -> None:
        """Records that values of f have been found to be so noisy."""
        self.measured = np.maximum(self.measured, noise)

    def obstacle(self, stencil: Stencil, h: float) -> str:
        """The flag of the first node at which f has no finite value, else ""."""
        return next(filter(None, map(flag_of, self.values(stencil.wider, h))), "")

    def _at(self, coordinate: float) -> Array:
        if not math.isfinite(coordinate):
            return np.full(self.centre.shape, math.inf)
        if coordinate not in self._known:
            found = self._known[coordinate] = self._shaped(value_at(self._value, self._moved(coordinate)))
            self._largest = _larger(self._largest, found)
            self.nfev += 1
        return self._known[coordinate]

    def _moved(self, coordinate: float) -> Array:
        point = self.point.copy()
        point[self.index] = coordinate
        return point

    def _shaped(self, found: Array) -> Array:
        """A value in the shape of f(x). A single NaN or infinity stands for all m outputs."""
        if found.shape == self.centre.shape:
            return found
        if found.ndim == 0 and not np.isfinite(found):
            return np.full(self.centre.shape, found)
        shapes = f"{self.centre.shape} and {found.shape}"
        raise MethodError(f"the values of one function have shapes {shapes}; make them alike")


def _larger(largest: Array, value: Array) -> Array:
    """The largest |f| of finite values so far, output by output."""
    return np.maximum(largest, np.abs(value)) if np.isfinite(value).all() else largest


def checked_point(x: npt.ArrayLike) -> Array:
    """x as an array of shape (n,); a single number gives (1,). Raises `PointError` for what is not finite numbers."""
    try:
        point = np.atleast_1d(np.asarray(x, dtype=np.float64))
    except (TypeError, ValueError):
        raise PointError(f"a point must be a sequence of real numbers, got {x!r}") from None
    if point.ndim != 1 or not np.isfinite(point).all():
        raise PointError(f"a point must be a sequence of finite numbers, got {x!r}")
    return point


@dataclass(frozen=True, eq=False)
class Quotient:
    """A value for f′(x) or f″(x), a neighbour of higher order, and the roundoff: together they tell the error.

    The neighbour is so much nearer to the derivative that the difference of the two *is* the truncation error, where h is small
    enough for f to look like its Taylor polynomial. Where h is so small that the values of f differ by rounding only, both are
    noise, and so is their difference. So there is a second part, A/hᵈ: the error that rounding alone explains.
    """

    df: Array
    neighbour: Array
    roundoff: Array
    step: float  # the step after rounding
    measured: bool = (
        False  # whether the roundoff rests on measured noise, not only on the last digit of f
    )

    @cached_property
    def truncation(self) -> Array:
        """The difference between the value and its neighbour."""
        return np.abs(self.neighbour - self.df)

    @cached_property
    def error(self) -> Array:
        """The estimate of |df − f⁽ᵈ⁾(x)|."""
        return self.truncation + self.roundoff


def quotient(line: Line, stencil: Stencil, h: float) -> Quotient | None:
    """The difference quotient at h, with its neighbour from the wider stencil.

    None where nodes coincide, f has no finite value at one of them, or the quotient overflows.
    """
    if not line.resolves(stencil, h):
        return None
    first, wider = weighed(line, stencil, h), weighed(line, stencil.wider, h)
    if not (np.isfinite(first.df).all() and np.isfinite(wider.df).all()):
        return None
    return Quotient(first.df, wider.df, first.roundoff, first.step)


def weighed(line: Line, stencil: Stencil, h: float) -> Quotient:
    """Σ wₖ fₖ / sᵈ without a neighbour. The rounding of the nodes is corrected as far as f is linear.

    Rounding puts node k at sₖ = (x + oₖ h) − x and not at oₖ h. For a first derivative, s = Σ wₖ sₖ takes the place of h. For
    the forward difference that is the well-known (x + h) − x; in general it makes the quotient exact for every linear f. For a
    second derivative s = h, and the chord from the first node to the last is subtracted, which has the same effect. The sum of
    the weights is 0, so f at the first node can be subtracted from all values. Values near each other subtract exactly
    (Sterbenz), so this adds no rounding error.
    """
    weights, values = stencil.float_weights, line.values(stencil, h)
    moved = line.nodes(stencil, h) - line.origin
    rises, step = values - values[0], h
    if stencil.derivative == 1:
        step += float(combined(weights, moved - stencil.float_offsets * h))
    else:
        chord = rises[-1] / (moved[-1] - moved[0])
        rises = rises - np.multiply.outer(moved - moved[0], chord)
    df = over(combined(weights, rises), step, stencil.derivative)
    noise = np.maximum(rounding(values), line.measured)
    return Quotient(df, df, over(float(stencil.amplification) * noise, step, stencil.derivative), step)


def combined(weights: Array, values: Array) -> Array:
    """Σₖ wₖ vₖ: weights of shape (…, K), values (K,) or (K, m), sum (…) or (…, m).

    A matrix product would leave the order of the additions, and so the last digits, to the machine's BLAS. Here every product
    is rounded, and the products are added from the first to the last, on every machine.

    >>> print(combined(np.array([-0.5, 0.0, 0.5]), np.array([1.0, 2.0, 4.0])))
    1.5
    """
    return summed(weights.reshape(weights.shape + (1,) * (values.ndim - 1)) * values, weights.ndim - 1)


def summed(terms: Array, axis: int) -> Array:
    """The sum along an axis, from the first term to the last. NumPy's own sum takes pairs where the axis is contiguous."""
    return np.asarray(np.add.accumulate(terms, axis=axis).take(-1, axis=axis))


def weights_on(weights: Array, values: Array) -> Array:
    """Σₖ wᵣₖ vₖ: weights (R, K), values (K, ...), sum (R, ...), added from the first to the last, too.

    >>> weights_on(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])
    """
    shape = (*weights.shape, *[1] * (values.ndim - 1))
    if values[0].size < MANY:
        return summed(weights.reshape(shape) * values, 1)
    columns = np.moveaxis(weights.reshape(shape), 1, 0)
    total = columns[0] * values[0]
    product = np.empty_like(total)
    for column, value in zip(columns[1:], values[1:], strict=True):  # so that all numbers stay in the caches
        total += np.multiply(column, value, out=product)
    return np.asarray(total)


def least_of(errors: Array, *arrays: Array) -> list[Array]:
    """For each place, the entry of each array (K, ...) where the error (K, ...) is least.

    `take_along_axis` would take ten times as long for a few numbers.

    >>> least_of(np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[5.0, 6.0], [7.0, 8.0]]))
    [array([7., 6.])]
    """
    best, shape = errors.argmin(axis=0).ravel(), errors.shape[1:]
    places = np.arange(best.size)
    return [np.asarray(each.reshape(len(each), -1)[best, places].reshape(shape)) for each in arrays]


def over(numbers: npt.ArrayLike, h: float, power: int) -> Array:
    """Divides by hᵈ, one h at a time: h² may underflow or overflow where the quotient does not."""
    found = np.asarray(numbers, dtype=np.float64)
    for _ in range(power):
        found = found / h
    return np.asarray(found)


def rounding(values: Array) -> Array:
    """u|f| for the largest of several values (first axis): the error that the last rounding alone may cause."""
    return np.asarray(UNIT_ROUNDOFF * np.abs(values).max(axis=0))
