"""Adds `page` to functions. `adlab.Function` comes from here, since `adlab.function` must not import a room above it."""

from __future__ import annotations

from typing import Any

from adlab.function import Function
from adlab.inputs import takes_at


@takes_at
def page(f: Function, x: Any = None, out: Any = None) -> Any:
    """The interactive page of this function at a point. With `out` it is written to a file. See `adlab.page`."""
    from adlab.page import build

    return build.page(f, x, out)


setattr(Function, "page", page)  # noqa: B010 (mypy knows no such attribute of the class)

__all__ = ["Function"]
