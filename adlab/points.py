"""What a user may give as a point, made into an array of floats, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt
from sympy.core.basic import Basic

from adlab.errors import PointError
from adlab.expressions import listing, shown, symbols_of

FloatArray = npt.NDArray[np.float64]


def coerce(x: Any, names: Sequence[str], what: str = "point") -> FloatArray:
    """`x` as an array of shape (..., n): array_like, or a mapping from every name, or one number where n = 1.

    Raises PointError, with the expected shape in it, for a wrong length, a missing or unknown name, and for
    anything that is not a finite real number.

    >>> coerce({"y": 2, "x": 1}, ["x", "y"])
    array([1., 2.])
    >>> coerce(3, ["x"])
    array([3.])
    """
    n = len(names)
    point = _by_name(x, names, what) if isinstance(x, Mapping) else _numbers(x, f"the {what}", names)
    if point.ndim == 0 and n == 1:
        point = point.reshape(1)
    if point.ndim == 0 or point.shape[-1] != n:
        found = "a single number" if point.ndim == 0 else f"shape {point.shape}"
        raise PointError(f"the {what} has {found}; {_expected(names)}")
    if not np.isfinite(point).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(point))[0])
        raise PointError(
            f"the {what} has {names[place[-1]]} = {point[place]}, and every number must be finite; {_expected(names)}"
        )
    return point


def coerce_one(x: Any, names: Sequence[str], what: str = "point") -> FloatArray:
    """As `coerce`, for what cannot take a batch: shape (n,)."""
    found = coerce(x, names, what)
    if found.ndim != 1:
        raise PointError(f"this needs one {what} of shape ({len(names)},), not a batch of shape {found.shape}")
    return found


def _expected(names: Sequence[str]) -> str:
    n = len(names)
    whom = f" for {listing(list(names))}" if n else ""
    return f"expected {n} number{'s'[: n != 1]}{whom}: shape ({n},) or (..., {n}), or a mapping by name"


def in_order(x: Mapping[Any, Any], names: Sequence[str], what: str = "point") -> list[Any]:
    """The mapping's values in the order of `names`; keys may be symbols too. PointError where they do not fit."""
    keys = [str(getattr(key, "name", key)) for key in x]
    faults = {
        "no value for": [name for name in names if name not in keys],
        "unknown": [key for key in keys if key not in names],
        "two values for": [name for name in names if keys.count(name) > 1],
    }
    if any(faults.values()):
        said = " and ".join(f"{fault} {listing(found)}" for fault, found in faults.items() if found)
        raise PointError(f"the {what} has {said}; {_expected(names)}")
    given = dict(zip(keys, x.values(), strict=True))
    return [given[name] for name in names]


def _by_name(x: Mapping[Any, Any], names: Sequence[str], what: str) -> FloatArray:
    values = [_numbers(value, f"`{name}`", names) for name, value in zip(names, in_order(x, names, what), strict=True)]
    try:
        return np.stack(np.broadcast_arrays(*values), axis=-1) if values else np.empty(0)
    except ValueError:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in zip(names, values, strict=True))
        raise PointError(f"the {what} has coordinates of shapes that do not broadcast: {shapes}") from None


def _numbers(value: Any, what: str, names: Sequence[str]) -> FloatArray:
    """An array of floats; complex numbers, texts, masked entries and ragged lists are refused."""
    refused = value
    try:
        array = np.asarray(value)
        if array.dtype.kind in "biuf" and not np.ma.is_masked(value):
            return array.astype(np.float64)
        if array.dtype.kind == "O":
            floats = np.empty(array.size)
            for i, refused in enumerate(array.flat):
                floats[i] = _float(refused)
            return floats.reshape(array.shape)
    except (TypeError, ValueError):
        pass
    raise PointError(f"{what} must be real numbers, not {shown(refused)}; {_expected(names)}")


def _float(item: Any) -> float:
    """Integers beyond 64 bits, fractions, SymPy and mpmath numbers: each to its nearest double."""
    if isinstance(item, (str, bytes)) or (isinstance(item, Basic) and symbols_of([item])):
        raise TypeError("not a number")
    try:
        return float(item)
    except OverflowError:
        return inf if item > 0 else -inf

