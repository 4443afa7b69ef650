"""NumPy functions of sampled data, on arrays of traced numbers: differences, integrals, interpolation, order statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import arange, empty  # as they were before a trace

from adlab.tracing.array import FUNCTIONS, plain, stripped, wrapped
from adlab.tracing.functions import SUM, select, sort
from adlab.tracing.recorder import refuse


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue) -> Any:
    """Differences of neighbours."""
    array = np.moveaxis(plain(a), axis, 0)
    ends = [None if end is np._NoValue else plain(end) for end in (prepend, append)]
    before, after = [[] if e is None else [np.broadcast_to(e, (1, *array.shape[1:])) if e.ndim == 0 else e] for e in ends]
    if array.ndim > 1 and any(e is not None and e.ndim for e in ends):
        raise refuse("np.diff with an array before or after a matrix", "join them by np.concatenate first")
    array = np.concatenate([*before, array, *after])
    for _turn in range(n):
        array = array[1:] - array[:-1]
    return wrapped(np.moveaxis(array, 0, axis))


def gradient(f: Any, *spacings: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """np.gradient: second-order differences inside and one-sided ones at both ends, of samples at equal or given places."""
    array = plain(f)
    axes = list(range(array.ndim)) if axis is None else [axis] if isinstance(axis, int) else list(axis)
    steps = list(spacings) if len(spacings) == len(axes) else list(spacings or [1.0]) * len(axes)
    if len(steps) != len(axes) or edge_order not in (1, 2):
        raise refuse("np.gradient with these options", "give one spacing for each axis, and edge_order 1 or 2")
    slopes = [_slopes(np.moveaxis(array, k, 0), h, edge_order) for k, h in zip(axes, steps, strict=True)]
    found = tuple(wrapped(np.moveaxis(part, 0, k)) for k, part in zip(axes, slopes, strict=True))
    return found[0] if len(found) == 1 else found


def _slopes(y: Any, spacing: Any, edge_order: int) -> Any:
    places = plain(spacing)
    h = np.full(len(y) - 1, spacing, dtype=object) if places.ndim == 0 else places[1:] - places[:-1]
    h = h.reshape(-1, *[1] * (y.ndim - 1))
    slopes = (y[1:] - y[:-1]) / h
    left, right = h[:-1], h[1:]
    inner = (left * slopes[1:] + right * slopes[:-1]) / (left + right)
    first, last = slopes[:1], slopes[-1:]
    if edge_order == 2:  # the slope of the parabola through the three points at that end
        first = first - (slopes[1:2] - slopes[:1]) * h[:1] / (h[:1] + h[1:2])
        last = last + (slopes[-1:] - slopes[-2:-1]) * h[-1:] / (h[-1:] + h[-2:-1])
    return np.concatenate([first, inner, last])


def polynomial(p: Any, x: Any) -> Any:
    """np.polyval: the coefficient of the highest power first, by Horner's rule."""
    total: Any = 0.0
    for coefficient in plain(p):
        total = total * x + coefficient
    return total


def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral of samples by the trapezoidal rule."""
    values = np.moveaxis(plain(y), axis, -1)
    widths = dx if x is None else plain(diff(x))
    return SUM(wrapped((values[..., 1:] + values[..., :-1]) / 2 * widths), axis=-1)


def interpolated(x: Any, xp: Any, fp: Any, **options: Any) -> Any:
    """np.interp of one number or several: the interval is a branch that the function took."""
    if options:
        raise refuse(f"np.interp with {', '.join(options)}", "leave the option out")
    array, nodes, values = plain(x), plain(xp), plain(fp)

    def at(number: Any) -> Any:
        if not number > nodes[0]:
            return values[0]
        for k in range(1, len(nodes)):
            if number < nodes[k]:
                slope = (values[k] - values[k - 1]) / (nodes[k] - nodes[k - 1])
                return values[k - 1] + slope * (number - nodes[k - 1])
        return values[-1]

    return wrapped(np.frompyfunc(at, 1, 1)(array))


def placed(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """np.searchsorted: the place of each number among sorted ones, which is a branch that the function took."""
    nodes = plain(a)

    def at(number: Any) -> int:
        return sum(1 for node in nodes if (node <= number if side == "right" else node < number))

    if sorter is not None:
        raise refuse("np.searchsorted with sorter=", "sort the array first")
    found = np.frompyfunc(at, 1, 1)(plain(v))
    return int(found) if np.ndim(found) == 0 else found.astype(int)


def digitized(x: Any, bins: Any, right: bool = False) -> Any:
    """np.digitize for bins that increase."""
    return placed(bins, x, side="left" if right else "right")


def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The middle of the sorted numbers, or the mean of the middle two."""
    return quantile(a, 0.5, axis=axis, keepdims=keepdims)


def quantile(a: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: Any = False, **options: Any) -> Any:
    """np.quantile by linear interpolation between the sorted numbers: their order is a branch that the function took."""
    if method != "linear" or options or keepdims is True or not isinstance(axis, (int, type(None))):
        raise refuse("np.quantile with these options", "use the linear method, one axis or none, and np.expand_dims for keepdims")
    array = plain(a)
    rows = plain(sort(array.ravel() if axis is None else np.moveaxis(array, axis, -1)))
    last = rows.shape[-1] - 1

    def at(share: float) -> Any:
        place = float(share) * last
        low = min(int(place), max(last - 1, 0))
        below, above = rows[..., low], rows[..., min(low + 1, last)]
        return below if place == low else above if place == low + 1 else below + (above - below) * (place - low)

    found = np.array([at(share) for share in np.ravel(q)], dtype=object)
    return wrapped(found.reshape(np.shape(q) + found.shape[1:]))


def convolved(a: Any, v: Any, mode: str = "full") -> Any:
    """np.convolve: entry k is the sum of a[i]·v[k − i]."""
    x, y = plain(a).ravel(), plain(v).ravel()
    if len(y) > len(x):
        x, y = y, x
    n, m = len(x), len(y)
    full = empty(n + m - 1, dtype=object)
    for k in range(n + m - 1):
        full[k] = sum(x[i] * y[k - i] for i in range(max(0, k - m + 1), min(k, n - 1) + 1))
    start, count = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}[mode]
    return wrapped(full[start : start + count])


def correlated(a: Any, v: Any, mode: str = "valid") -> Any:
    """np.correlate: a convolution with the second reversed."""
    if len(plain(v)) > len(plain(a)) and mode != "full":
        raise refuse("np.correlate with a longer second array", "give the longer array first")
    return convolved(a, plain(v)[::-1], mode)


def spaced(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, **_: Any) -> Any:
    """np.linspace between two numbers, of which one is traced at least."""
    step = (stop - start) / max(num - endpoint, 1)
    found = wrapped(plain(start) + arange(num) * plain(step))
    if endpoint and num > 1:
        found[-1] = stop
    return (found, step) if retstep else found


def chosen(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0) -> Any:
    """np.select: the first choice whose condition holds. All are computed, and the graph keeps the choice."""
    found = plain(default)
    for condition, choice in reversed(list(zip(conditions, choices, strict=True))):
        found = np.frompyfunc(select, 3, 1)(plain(condition), plain(choice), found)
    return wrapped(found)


def piecewise(x: Any, conditions: Any, functions: Sequence[Any], *arguments: Any, **options: Any) -> Any:
    """np.piecewise: each function gets the entries for which its condition holds, which are branches that the function took."""
    array = plain(x)
    held = [plain(c) for c in (conditions if np.ndim(stripped(conditions)) > array.ndim else [conditions])]
    found = empty(array.shape, dtype=object)
    for place in np.ndindex(array.shape):
        kind = next((k for k in reversed(range(len(held))) if held[k][place]), len(held))
        chosen_one: Any = functions[kind] if kind < len(functions) else 0.0
        found[place] = chosen_one(array[place], *arguments, **options) if callable(chosen_one) else chosen_one
    return wrapped(found)


def padded(array: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    """np.pad where it only moves entries or adds constants."""
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise refuse(f"np.pad with mode={mode!r}", "use constant, edge, reflect, symmetric or wrap")
    return wrapped(np.pad(plain(array), pad_width, mode=mode, **stripped(options)))  # type: ignore[call-overload]


def along(function: Callable[..., Any], axis: int, array: Any, *arguments: Any, **options: Any) -> Any:
    """np.apply_along_axis: the function of every row."""
    rows = np.moveaxis(plain(array), axis, -1)
    found = [plain(function(wrapped(rows[place]), *arguments, **options)) for place in np.ndindex(rows.shape[:-1])]
    stacked = np.array(found, dtype=object).reshape(rows.shape[:-1] + found[0].shape)
    return wrapped(np.moveaxis(stacked, -1, axis) if found[0].ndim else stacked)


FUNCTIONS.update({
    "polyval": polynomial, "trapezoid": trapezoid, "trapz": trapezoid, "interp": interpolated, "diff": diff, "gradient": gradient,
    "searchsorted": placed, "digitize": digitized, "median": median, "quantile": quantile,
    "percentile": lambda a, q, **options: quantile(a, np.asarray(q) / 100, **options),
    "convolve": convolved, "correlate": correlated, "linspace": spaced,
    "select": chosen, "piecewise": piecewise, "pad": padded, "apply_along_axis": along,
})  # fmt: skip
