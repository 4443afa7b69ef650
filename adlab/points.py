"""What a user may give as a point, made into an array of floats, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.errors import PointError
from adlab.expressions import listing

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
    if isinstance(x, Mapping):
        values = [_numbers(value, f"`{name}`") for name, value in zip(names, _by_name(x, names), strict=True)]
        point = np.stack(np.broadcast_arrays(*values), axis=-1) if values else np.empty(0)
    else:
        point = _numbers(x, f"the {what}")
        if point.ndim == 0 and n == 1:
            point = point.reshape(1)
    if point.ndim == 0 or point.shape[-1] != n:
        found = "a single number" if point.ndim == 0 else f"shape {point.shape}"
        raise PointError(
            f"the {what} has {found}, but the function has n = {n} variable{'s'[: n != 1]} ({listing(list(names))}): "
            f"give shape ({n},) or (..., {n}), or a mapping by name"
        )
    if not np.isfinite(point).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(point))[0])
        raise PointError(f"the {what} has {names[place[-1]]} = {point[place]}; every coordinate must be a finite number")
    return point


def _by_name(x: Mapping[Any, Any], names: Sequence[str]) -> list[Any]:
    given = {getattr(key, "name", key): value for key, value in x.items()}
    missing = [name for name in names if name not in given]
    unknown = [str(name) for name in given if name not in names]
    if missing or unknown:
        parts = [f"no value for {listing(missing)}"] if missing else []
        parts += [f"unknown {listing(unknown)}"] if unknown else []
        raise PointError(f"the point has {' and '.join(parts)}; the variables are {listing(list(names))}")
    return [given[name] for name in names]


def _numbers(value: Any, what: str) -> FloatArray:
    """An array of floats; complex numbers, texts and ragged lists are refused."""
    try:
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            return array.astype(np.float64)
        if array.dtype.kind == "O":
            return _from_objects(array)
    except (TypeError, ValueError, OverflowError):
        pass
    raise PointError(f"{what} must be real numbers, not {_shown(value)}")


def _from_objects(array: npt.NDArray[Any]) -> FloatArray:
    """Integers beyond 64 bits, fractions, SymPy and mpmath numbers: each to its nearest double."""
    for item in array.flat:
        if isinstance(item, (str, bytes)) or item is None:
            raise TypeError("not a number")
    return np.array([float(item) for item in array.flat], dtype=np.float64).reshape(array.shape)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
