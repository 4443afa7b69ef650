"""The value of a formula, to any number of digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adlab.errors import PointError
from adlab.function import as_function, is_code
from adlab.inputs import in_order, takes_at
from adlab.tracing.places import as_traced, at_point
from adlab.truth.judge import values_to


@takes_at
def value(f: Any, x: Any = None, digits: int = 30) -> Any:
    """f(x) to `digits` correct digits: an mpf, or a list of them for several outputs.

    The coordinates of x are used without rounding: ints, floats or mpmath numbers, by position or by name. The value comes from
    the expression itself, without adlab's graph and rules. Raises DomainError where there is no real value, PointError for a
    bad point, and OptionError for a bad number of digits.

    >>> import mpmath
    >>> print(mpmath.nstr(value("exp(x)", 1, digits=40), 40))
    2.718281828459045235360287471352662497757
    >>> with mpmath.workdps(40):
    ...     beside = 1 + mpmath.mpf(10) ** -30          # binary64 has no such number
    >>> value("exp(x)", beside, digits=40) > value("exp(x)", 1, digits=40)
    True
    """
    f = at_point(f, x)[0] if is_code(f) else as_function(f, x)
    x = f.point if x is None else x
    if x is None:
        raise PointError("there is no point to take the value at; give x")
    listed = x if getattr(x, "shape", None) != () and hasattr(x, "__len__") else [x]
    point = in_order(x, f.names) if isinstance(x, Mapping) else list(listed)
    if len(point) != f.n:
        raise PointError(f"the point has {len(point)} coordinates, and f has {f.n} variables; give one for each")
    traced = as_traced(f)
    if traced is not None:
        f = traced.at([float(number) for number in point])
    found = values_to(f.plan(), point, digits)
    return found[0] if f.scalar else found
