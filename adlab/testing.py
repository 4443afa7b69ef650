"""For people's own test suites."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def assert_gradient(f: Any, grad: Callable[..., Any], at: Sequence[Any]) -> None:
    """Fails, saying which component is wrong and how, unless `grad` is the gradient of `f` at every point `at`.

    >>> assert_gradient("x**3", lambda x: 3*x**2, at=[0.5, 2.0])
    >>> assert_gradient("x**3", lambda x: x**2, at=[0.5, 2.0])
    Traceback (most recent call last):
        ...
    AssertionError: your gradient of f = x**3: wrong by a factor 1/3 in x
    """
    from adlab.report.check import check

    found = check(f, grad, at)
    if not found.passed:
        raise AssertionError(f"your gradient of {found.name}: {'; '.join(found.findings)}")
