"""What `math` and `numpy` do while a function is traced: they also take traced numbers, and make arrays that hold them.

`math.sin(x)` calls `float(x)`, and `np.zeros(3)` makes an array that holds floats only. Both would end the trace. So during a
trace these names stand for functions that know traced numbers. In other threads they act as usual.
"""

from __future__ import annotations

import contextlib
import math
import sys
import threading
from collections.abc import Callable, Iterator
from functools import reduce, wraps
from typing import Any

import numpy as np

from adlab.tracing.array import UFUNCS, Array, is_traced
from adlab.tracing.callers import calls
from adlab.tracing.recorder import is_ours, refuse
from adlab.tracing.scalar import Scalar, power

_HERE = threading.local()
_LOCK = threading.RLock()

SAME = "sin cos tan sinh cosh tanh exp sqrt cbrt expm1 log1p log2 exp2 log10 erf erfc gamma degrees radians isnan isfinite isinf"
_MATH = {name: name for name in SAME.split()} | {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
    "fabs": "absolute", "atan2": "arctan2", "lgamma": "gammaln", "fmod": "fmod", "copysign": "copysign",
    "remainder": "", "nextafter": "", "ulp": "", "frexp": "", "modf": "", "ldexp": "",
}  # fmt: skip
"""Functions of `math`, and the ufuncs that compute the same."""


def _of_math(name: str) -> Callable[..., Any] | None:
    ufunc = UFUNCS.get(_MATH[name])
    original = getattr(math, name, None)
    if original is None:
        return None

    @wraps(original)
    def function(*arguments: Any) -> Any:
        if not any(isinstance(a, (Scalar, Array)) for a in arguments):
            return original(*arguments)
        if ufunc is None:
            raise refuse(f"math.{name} of a traced number", "write it with functions that adlab knows")
        return ufunc(*arguments)

    return function


@wraps(math.log)
def _log(x: Any, *base: Any) -> Any:
    if not isinstance(x, Scalar) and not any(isinstance(b, Scalar) for b in base):
        return _ORIGINAL["math", "log"](x, *base)
    log = UFUNCS["log"]
    return log(x) / log(base[0]) if base else log(x)


@wraps(math.pow)
def _pow(x: Any, y: Any) -> Any:
    return power(x, y) if isinstance(x, Scalar) or isinstance(y, Scalar) else _ORIGINAL["math", "pow"](x, y)


@wraps(math.hypot)
def _hypot(*numbers: Any) -> Any:
    if not any(isinstance(x, Scalar) for x in numbers):
        return _ORIGINAL["math", "hypot"](*numbers)
    return reduce(UFUNCS["hypot"], numbers) if len(numbers) > 1 else abs(numbers[0])


@wraps(math.dist)
def _dist(p: Any, q: Any) -> Any:
    if not any(isinstance(x, Scalar) for x in (*p, *q)):
        return _ORIGINAL["math", "dist"](p, q)
    return _hypot(*[a - b for a, b in zip(p, q, strict=True)])


@wraps(math.isclose)
def _isclose(a: Any, b: Any, *, rel_tol: float = 1e-9, abs_tol: float = 0.0) -> Any:
    if not isinstance(a, Scalar) and not isinstance(b, Scalar):
        return _ORIGINAL["math", "isclose"](a, b, rel_tol=rel_tol, abs_tol=abs_tol)
    return abs(a - b) <= max(rel_tol * max(abs(a), abs(b)), abs_tol)


@wraps(math.fsum)
def _fsum(numbers: Any) -> Any:
    items = list(numbers)
    if any(isinstance(x, Scalar) for x in items):
        return reduce(UFUNCS["add"], items)
    return _ORIGINAL["math", "fsum"](items)


@wraps(math.prod)
def _prod(numbers: Any, *, start: Any = 1) -> Any:
    items = [start, *numbers]
    return reduce(lambda a, b: a * b, items)


def _filled(name: str) -> Callable[..., Any]:
    original = getattr(np, name)

    @wraps(original)
    def function(*arguments: Any, **options: Any) -> Any:
        found = original(*arguments, **options)
        if found.dtype != np.float64 or not getattr(_HERE, "tracing", False):
            return found
        caller = sys._getframe(1)
        theirs = not is_ours(caller.f_code) and calls(caller, name, function)
        return found.astype(object).view(Array) if theirs else found

    return function


def _made(name: str) -> Callable[..., Any]:
    original = getattr(np, name)

    @wraps(original)
    def function(items: Any, *arguments: Any, **options: Any) -> Any:
        if not getattr(_HERE, "tracing", False) or not is_traced(items):
            return original(items, *arguments, **options)
        if isinstance(items, Scalar):
            held = np.empty((), dtype=object)
            held[()] = items
            return held.view(Array)
        return original(items, dtype=object).view(Array)

    return function


_ORIGINAL: dict[tuple[str, str], Any] = {
    ("math", name): getattr(math, name) for name in ("log", "pow", "hypot", "fsum", "prod", "dist", "isclose")
}
_REPLACED: list[tuple[Any, str, Any]] = [
    *((math, name, function) for name in _MATH if (function := _of_math(name)) is not None),
    (math, "log", _log), (math, "pow", _pow), (math, "hypot", _hypot), (math, "fsum", _fsum), (math, "prod", _prod),
    (math, "dist", _dist), (math, "isclose", _isclose),
    *((np, name, _filled(name)) for name in ("zeros", "ones", "empty", "full", "eye", "identity")),
    *((np, name, _made(name)) for name in ("array", "asarray", "asanyarray", "ascontiguousarray")),
]  # fmt: skip


@contextlib.contextmanager
def traced_names(namespace: dict[str, Any] | None = None) -> Iterator[None]:
    """During a trace `math` and `numpy` know traced numbers, and so do names that a module imported from them."""
    replaced = {id(getattr(module, name)): function for module, name, function in _REPLACED}
    with _LOCK:
        before = [(module, name, getattr(module, name)) for module, name, _ in _REPLACED]
        own = {} if namespace is None else {
            key: replaced[id(value)] for key, value in namespace.items() if callable(value) and id(value) in replaced
        }  # fmt: skip
        saved = {key: namespace[key] for key in own} if namespace is not None else {}
        _HERE.tracing = True
        try:
            for module, name, function in _REPLACED:
                setattr(module, name, function)
            if namespace is not None:
                namespace.update(own)
            yield
        finally:
            for module, name, function in before:
                setattr(module, name, function)
            if namespace is not None:
                namespace.update(saved)
            _HERE.tracing = False
