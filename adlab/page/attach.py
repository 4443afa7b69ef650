"""What rooms above `adlab.function` do for it: `page`, and functions of Python code. `adlab.Function` comes from here."""

from __future__ import annotations

from typing import Any

from adlab.errors import OptionError
from adlab.function import Function
from adlab.inputs import takes_at


@takes_at
def page(f: Function, x: Any = None, out: Any = None, comparison: Any = None) -> Any:
    """The interactive page of this function at a point. With `out` it is written to a file. See `adlab.page`."""
    from adlab.page import build

    return build.page(f, x, out, comparison)


def of_code(function: Any, example: Any, *_: Any, **options: Any) -> Any:
    """The traced function of a Python function: see `adlab.from_python`."""
    from adlab.tracing.traced import from_python

    return from_python(function, example, **options)


def strictly(f: Function, program: Function, value: bool, accuracy: Any, x: Any, over: Any) -> Function:
    """A derivative program that keeps its digits: see `Function.derivative`."""
    from adlab.audit.strict import derivative

    if accuracy is None:
        raise OptionError('`at` and `over` say where a program with accuracy="strict" keeps its digits')
    if accuracy != "strict":
        raise OptionError(f'accuracy={accuracy!r} is neither None nor "strict"')
    return derivative(f, program, value, x, over)


setattr(Function, "of_code", staticmethod(of_code))  # noqa: B010
setattr(Function, "strictly", staticmethod(strictly))  # noqa: B010
setattr(Function, "page", page)  # noqa: B010 (mypy knows no such attribute of the class)

__all__ = ["Function"]
