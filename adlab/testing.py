"""For the test suites of people who write gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def assert_gradient(f: Any, grad: Any, at: Sequence[Any], rtol: Any = None, atol: Any = None) -> None:
    """Fails unless `grad` is the gradient of `f` at every point `at`. The message says which component is wrong, and how.

    The arguments are those of `adlab.check`. pytest's report of a failure ends at the line that calls this function.

    >>> assert_gradient("x**3", lambda x: 3*x**2, at=[0.5, 2.0])
    >>> assert_gradient("x**3", lambda x: x**2, at=[0.5, 2.0])
    Traceback (most recent call last):
        ...
    AssertionError: your gradient of f = x**3: wrong by a factor 1/3 in x
    """
    __tracebackhide__ = True  # pytest leaves this frame out
    from adlab.errors import AdlabError
    from adlab.report.check import check

    try:
        found = check(f, grad, at, rtol, atol)
    except AdlabError as refused:
        raise AssertionError(str(refused)) from None
    if not found.passed:
        raise AssertionError(f"your gradient of {found.name}: {'; '.join(found.findings)}")
