"""Least squares with exact derivatives: parameters, their uncertainty, and how well the data determine them.

SciPy's `least_squares` searches (the extra `fit`): Levenberg and Marquardt's method in MINPACK, or with bounds its
trust-region method. adlab gives the Jacobian. Covariance and condition come from the singular values of the Jacobian at the
solution, its columns scaled to length 1, so that units do not matter (Björck, Numerical Methods for Least Squares Problems,
section 2.8).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adlab.display import Report, Table
from adlab.errors import DomainError, MethodError, MissingExtra, OptionError, OverflowedError, PointError, VariableError
from adlab.function import Function, as_function
from adlab.inputs import FloatArray, coerce_one
from adlab.precision import UNIT_ROUNDOFF
from adlab.primitives.ranges import SMALLEST_NORMAL
from adlab.text.traversal import listing
from adlab.use.slopes import Slopes, slopes
from adlab.use.total import Columns, Total

SEARCHED = 1e-12
"""Where a search without bounds stops: above the noise of rounding, which would decide how long it goes on. Polishing follows."""
HOPELESS = 1e150
"""A residual at a trial step where the model has no value. Its square is finite, so the search takes the step back."""
NEARLY, MOST_POLISHED, SHRINKING, PATIENCE, SLACK = 1e-3, 100, 0.9, 3, 1e-10
"""For polishing: the relative step to start from, the most steps, how the shortest must shrink within so many steps, and what
rounding may add to the sum."""
WORRYING = 1e6
"""With a larger condition number the report says which parameters go together: half the digits may be lost."""


@dataclass(frozen=True)
class Fit(Report):
    """A fit: the parameters by name, their covariance, the residuals, and what the search did."""

    title: str
    names: tuple[str, ...]
    values: FloatArray
    covariance: FloatArray
    """By s² (JᵀJ)⁻¹ with s² = RSS/(rows − parameters), or by the given uncertainties alone. Infinite if undetermined."""
    residuals: FloatArray
    """Data minus model, divided by `sigma` if that was given."""
    condition: float
    """Of the Jacobian with columns of length 1: its largest singular value over its smallest."""
    direction: FloatArray
    """The combination of scaled parameters, of length 1, that the data determine worst."""
    evaluations: int
    jacobians: int
    """Polishing included."""
    converged: bool
    message: str
    method: str
    shown: tuple[str, FloatArray]
    """What the residuals are drawn against: a name and values."""

    @property
    def parameters(self) -> dict[str, float]:
        """The values by name."""
        return dict(zip(self.names, self.values.tolist(), strict=True))

    @property
    def deviations(self) -> FloatArray:
        """The standard deviation of each parameter."""
        found: FloatArray = np.sqrt(np.diag(self.covariance))
        return found

    @property
    def rss(self) -> float:
        """The residual sum of squares."""
        return math.fsum((self.residuals**2).tolist())

    @property
    def freedom(self) -> int:
        """Rows minus parameters."""
        return len(self.residuals) - len(self.names)

    def sections(self) -> list[Table | str]:
        """The parameters, and how far to trust them."""
        cells = [
            [name, f"{value:.10g}", f"{deviation:.3g}", f"{abs(deviation / value):.1e}" if value else "–"]
            for name, value, deviation in zip(self.names, self.values, self.deviations, strict=True)
        ]
        head = ["parameter", "value", "standard deviation", "relative"]
        return [Table(f"fit of {self.title}", head, cells, frozenset(head[1:])), " ".join(self._sentences())]

    def _sentences(self) -> list[str]:
        spread = math.sqrt(self.rss / self.freedom) if self.freedom > 0 else float("nan")
        found = [f"{len(self.residuals)} rows, residual sum of squares {self.rss:.10g}"
                 + (f", residual standard deviation {spread:.4g}." if self.freedom > 0 else ".")]  # fmt: skip
        found.append(f"{self.evaluations} evaluations and {self.jacobians} Jacobians by {self.method}.")
        if not self.converged:
            found.append(f"The search has not converged: {self.message}. Try another start.")
        found.append(f"Condition number of the scaled Jacobian {self.condition:.2g}:")
        if self.condition * UNIT_ROUNDOFF * len(self.names) >= 1:
            found.append(f"the data do not determine {self._together()}.")
        elif self.condition > WORRYING:
            found.append(f"ill-conditioned; the data hardly tell {self._together()} apart. "
                         f"Rounding alone may change the last {math.log10(self.condition):.0f} of 16 digits.")  # fmt: skip
        else:
            found.append("well-conditioned.")
        return found

    def _together(self) -> str:
        """The parameters in the worst direction, the largest part first."""
        parts = sorted(range(len(self.names)), key=lambda j: -abs(self.direction[j]))
        return listing([self.names[j] for j in parts if abs(self.direction[j]) > 0.1])

    def to_dict(self) -> dict[str, Any]:
        """The facts as numbers."""
        rows = [{"parameter": name, "value": value, "deviation": deviation} for name, value, deviation in
                zip(self.names, self.values.tolist(), self.deviations.tolist(), strict=True)]  # fmt: skip
        return {"title": self.title, "rows": rows, "covariance": self.covariance.tolist(), "rss": self.rss,
                "freedom": self.freedom, "condition": self.condition, "evaluations": self.evaluations,
                "jacobians": self.jacobians, "converged": self.converged, "message": self.message, "method": self.method,
                "residuals": self.residuals.tolist()}  # fmt: skip

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The residuals against the first column of the data. Returns the Axes."""
        from adlab.plots.canvas import axes, entitle

        ax, (name, values) = axes(ax), self.shown
        ax.axhline(0, color="0.6", linewidth=1)
        ax.plot(values, self.residuals, **{"marker": "o", "linestyle": "none", "markersize": 4, **options})
        ax.set(xlabel=name, ylabel="data − model")
        entitle(ax, f"residuals of {self.title}")
        return ax


def fit(
    model: Any,
    data: Columns,
    start: Any,
    bounds: Any = None,
    sigma: Any = None,
    method: str = "reverse",
    response: str | None = None,
) -> Fit:
    """The parameters for which the model comes closest to the data, in the least-squares sense.

    `data` maps names to arrays. Names that the model uses are its predictors. The name that it does not use is the response. If
    there are several such names, `response` says which one is meant. The model's other variables are the parameters. `start` is
    a first guess of them, in order or by name. `bounds` maps names to (low, high). `sigma` is the uncertainty of the response.
    `method`, for the Jacobian, is any in `adlab.methods()`.

    Raises MissingExtra without SciPy, VariableError and PointError for data or a start that do not fit the model, DomainError
    where the model has no value at the start, OverflowedError where a variance leaves binary64's range.

    >>> import numpy as np
    >>> t = np.array([0.0, 1.0, 2.0, 3.0])
    >>> found = fit("a*exp(-b*t)", {"t": t, "y": np.array([2.0, 1.2, 0.8, 0.4])}, start={"a": 1, "b": 1})
    >>> {name: round(value, 6) for name, value in found.parameters.items()}
    {'a': 2.000518, 'b': 0.497099}
    """
    try:
        from scipy.optimize import least_squares
    except ImportError:
        raise MissingExtra('adlab.fit needs SciPy; pip install "adlab[fit]"') from None
    f = as_function(model)
    if f.m != 1:
        raise MethodError(f"a model has one output, and this function has m = {f.m}")
    if not isinstance(data, Mapping):
        raise PointError(f"data: a fit takes a mapping from names to arrays, and this is {type(data).__name__}")
    answer = _response(f, data, response)
    over = Total(f, {name: column for name, column in data.items() if name in f.names}, squares=True)
    y, p = _column(data[answer], answer), coerce_one(start, over.parameters, "start")
    ends = limits(bounds, over.parameters)
    for name, low, x, high in zip(over.parameters, ends[0], p, ends[1], strict=True):
        if not low <= x <= high:
            raise OptionError(f"start: `{name}` is {x}, outside its bounds {low} and {high}")
    search = _Search(over, answer, y, _weights(sigma, len(y)), p, method, HOPELESS if bounds is None else np.inf)
    tolerance = SEARCHED if bounds is None else 2 * UNIT_ROUNDOFF
    found = least_squares(
        search.residuals, p * search.turn, jac=search.jacobian, method="lm" if bounds is None else "trf", x_scale="jac",
        bounds=[end * search.turn for end in ends], xtol=tolerance, ftol=tolerance, gtol=tolerance, max_nfev=200 * (len(p) + 1),
    )  # fmt: skip
    solution, rest = np.asarray(found.x), np.asarray(found.fun)
    if found.status > 0 and not np.any(found.active_mask):
        solution, rest = _polished(solution, rest, search.residuals, search.jacobian)
    spread = 1 / search.unit if sigma is not None else _length(rest) / math.sqrt(max(len(y) - len(p), 1))
    determined = len(y) > len(p) or sigma is not None
    spent = search.evaluations, search.jacobians
    root, condition, direction = _uncertainty(search.jacobian(solution), spread if determined else math.inf)
    root, residuals = root / search.turn[:, None], -rest * search.unit
    for size in (_length(residuals), *map(_length, root)):
        if 0 < size < math.inf and not SMALLEST_NORMAL <= size * size < math.inf:
            raise OverflowedError(f"a square ({size:.3g} squared) leaves binary64's range; scale the data and the parameters")
    return Fit(
        f.title, tuple(over.parameters), solution / search.turn, root @ root.T, residuals, condition, direction,
        *spent, found.status > 0, str(found.message).rstrip("."), method,
        (over.columns[0], _column(data[over.columns[0]], over.columns[0])),
    )  # fmt: skip


class _Search:
    """The residuals, model minus data, in numbers near 1: data and parameters are scaled by powers of 2, which lose no bit."""

    def __init__(
        self, over: Total, answer: str, y: FloatArray, weights: FloatArray, p: FloatArray, method: str, refused: float
    ) -> None:
        self.over, self.y, self.weights, self.refused = over, y, weights, refused
        self.unit, self.turn, self._slopes = 1.0, np.ones(len(p)), slopes(over, method)
        self.evaluations = self.jacobians = 0
        at_start = over.residuals(p)
        if len(y) != len(at_start):
            raise PointError(f"data: `{answer}` has {len(y)} numbers, and `{over.columns[0]}` has {len(at_start)}")
        if len(y) < len(p):
            raise PointError(f"{len(y)} rows cannot determine {len(p)} parameters")
        with np.errstate(over="ignore"):
            largest = float(max(np.abs(y / weights).max(), np.abs(at_start / weights).max()))
        if math.isinf(largest):
            raise OverflowedError("a residual divided by sigma leaves binary64's range; scale the data")
        self.unit = float(_power_of_2(np.array(largest)))
        self.turn = _power_of_2(_lengths(self.jacobian(p)))

    def residuals(self, q: FloatArray) -> FloatArray:
        """At the scaled parameters q; a large number where the model has no value."""
        self.evaluations += 1
        try:
            return (self.over.residuals(q / self.turn) - self.y) / self.weights / self.unit
        except (DomainError, OverflowedError):
            return np.full(len(self.y), self.refused)

    def jacobian(self, q: FloatArray) -> FloatArray:
        """By the scaled parameters."""
        self.jacobians += 1
        found: FloatArray = self._slopes(q / self.turn) / np.reshape(self.weights, (-1, 1)) / self.unit / self.turn
        return found


def _power_of_2(sizes: FloatArray) -> FloatArray:
    """The power of 2 just below each size; 1 for 0."""
    return np.where(sizes == 0, 1.0, np.ldexp(1.0, np.frexp(sizes)[1] - 1))


def _length(v: FloatArray) -> float:
    """The length of v, also where the squares would leave binary64's range."""
    return math.hypot(*v.tolist())


def _lengths(jacobian: FloatArray) -> FloatArray:
    """The length of each column, also where the squares would leave binary64's range; 1 for a column of zeros."""
    largest = np.abs(jacobian).max(axis=0)
    largest = np.where(largest == 0, 1.0, largest)
    found: FloatArray = np.linalg.norm(jacobian / largest, axis=0)
    return np.where(found == 0, 1.0, found) * largest


def _response(f: Function, data: Columns, response: str | None) -> str:
    others = [name for name in data if name not in f.names]
    if response is not None:
        if response not in others:
            raise VariableError(f"response: `{response}` must be a column of the data that the model does not use")
        others = [response]
    if len(others) != 1:
        raise VariableError(
            f"the data must have one column that the model does not use, the response; they have {listing(others) or 'none'}, "
            f"and the model uses {listing(f.names)}"
        )
    return others[0]


def _column(given: Any, name: str) -> FloatArray:
    column = np.asarray(given)
    if column.ndim != 1 or column.dtype.kind not in "biuf" or not np.isfinite(column).all():
        raise PointError(f"data: `{name}` must be a row of finite real numbers")
    return column.astype(float)


def _weights(sigma: Any, rows: int) -> FloatArray:
    given = np.asarray(1.0 if sigma is None else sigma)
    if given.dtype.kind not in "biuf" or given.shape not in ((), (rows,)) or not (np.isfinite(given) & (given > 0)).all():
        raise PointError(f"sigma must be positive: a number, or one for each of the {rows} rows")
    return given.astype(float)


def limits(bounds: Any, names: Sequence[str]) -> tuple[Any, Any]:
    """Arrays of the smallest and of the largest values."""
    low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    if bounds is None:
        return low, high
    if not isinstance(bounds, Mapping):
        raise OptionError('bounds map names to pairs: {"a": (0, 10), "b": (0, None)}')
    for name, pair in bounds.items():
        if name not in names:
            raise VariableError(f"bounds: no parameter `{name}`; there are {listing(names)}")
        try:
            least, most = (
                none if end is None else float(end) for end, none in zip(pair, (-math.inf, math.inf), strict=True)
            )
        except (TypeError, ValueError):
            raise OptionError(f"bounds: `{name}` needs a pair (low, high), None for no limit; found {pair!r}") from None
        if not least < most:
            raise OptionError(f"bounds: `{name}` has {least} and {most}, and the first must be smaller")
        low[names.index(name)], high[names.index(name)] = least, most
    return low, high


def _polished(p: FloatArray, rest: FloatArray, residuals: Slopes, jacobian: Slopes) -> tuple[FloatArray, FloatArray]:
    """The solution after Gauss–Newton steps, as long as they get shorter, and the residuals there.

    The search stops where the sum of squares no longer falls. It is flat there, so only half the digits of the parameters are
    right. These steps go on by the gradient, which is not flat.
    """
    best, shortest, since = (p, rest), NEARLY, 0
    for _ in range(MOST_POLISHED):
        slope = jacobian(p)
        scale = _lengths(slope)
        step = np.linalg.lstsq(slope / scale, -rest, rcond=None)[0] / scale
        size = float(np.max(np.abs(step) / np.where(p == 0, 1.0, np.abs(p))))
        since = 0 if size <= SHRINKING * shortest else since + 1
        if size < shortest:
            best, shortest = (p, rest), size
        there = residuals(p + step)
        if since == PATIENCE or not rest @ rest * (1 + SLACK) >= there @ there:
            break
        p, rest = p + step, there
    return best


def _uncertainty(jacobian: FloatArray, spread: float) -> tuple[FloatArray, float, FloatArray]:
    """A root R of the covariance R Rᵀ, infinite if undetermined; the condition number; the direction determined worst."""
    k = jacobian.shape[1]
    scale = _lengths(jacobian)
    _, singular, right = np.linalg.svd(jacobian / scale, full_matrices=False)
    condition = float(singular[0] / singular[-1]) if singular[-1] > 0 else math.inf
    if condition * UNIT_ROUNDOFF * k >= 1 or math.isinf(spread):
        return np.full((k, k), math.inf), condition, right[-1]
    return spread * (right.T / singular) / scale[:, None], condition, right[-1]
