"""`adlab.page`: the page of one formula at a point, or of several formulas a course."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adlab.errors import OptionError
from adlab.inputs import takes_at
from adlab.page.build import page as single
from adlab.page.course import course
from adlab.page.file import Page


@takes_at
def page(f: Any, x: Any = None, out: str | Path | None = None, comparison: Any = None) -> Page | list[Path]:
    """The interactive page of a formula at a point: step through both sweeps, fill in, predict, break, compare.

    `f` is a Function, an expression or a text; of several outputs the reader chooses one. `x` is a point. With `out` the page is written.
    `comparison` is one that is made already; False leaves it out. A list of functions makes a course in the folder `out`: an
    index, a page for each, two explorers and ten questions. Its entries are Functions with a point, or pairs (f, x). The
    files are returned. `Comparison.to_html()` is the same page, with that comparison.

    Raises OptionError for a list without `out`, and what `f.trace` raises outside the domain.

    >>> print(page("x*sin(x)", 2.0, comparison=False).html[:15])
    <!doctype html>
    """
    if not isinstance(f, (list, tuple)):
        return single(f, x, out, comparison)
    if out is None or x is not None:
        raise OptionError("several functions make a course: give out=FOLDER, and points in pairs, [(f, x), …]")
    return course(f, out)
