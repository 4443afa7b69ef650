"""`adlab check`: a gradient of the user's own, as code or as text."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from adlab.cli.code import CODE, imported
from adlab.cli.given import function_of, number, points_of
from adlab.cli.output import show
from adlab.errors import AdlabError, OptionError


def check(options: argparse.Namespace) -> None:
    """Judges a user's own gradient. A wrong one ends with exit code 1, so that scripts can see it."""
    from adlab.report.check import check

    if options.gradient is None:
        raise OptionError('no gradient; write it before the formula: adlab check MODULE:FUNCTION "x*sin(y)" --at x=1 y=2')
    formula, given = options.formula or "", options.gradient
    if CODE.fullmatch(formula) and not CODE.fullmatch(given) and given.lstrip()[:1] != "[":
        raise OptionError(f'the gradient comes first, then the formula: adlab check {formula} "{given}"')
    gradient = imported(given) if CODE.fullmatch(given) else given
    rtol = _tolerance("--rtol", options.rtol)
    atol = _tolerance("--atol", options.atol)
    if CODE.fullmatch(formula):
        found = check(imported(formula), gradient, points_of(options), rtol, atol)
    else:
        f = function_of(options)
        _expect_partials(given.strip(), f.names)
        found = check(f, gradient, points_of(options, f) or ([f.point] if f.point else []), rtol, atol)
    show(options, found)
    if not found.passed:
        _say_if_swapped(options, gradient, rtol, atol)
        raise SystemExit(1)


def _say_if_swapped(options: argparse.Namespace, gradient: Any, rtol: Any, atol: Any) -> None:
    """Says so where the two texts are swapped: where the second is the derivative of the first."""
    from adlab.report.check import check

    if not isinstance(gradient, str):
        return
    try:
        turned = argparse.Namespace(**{**vars(options), "formula": gradient})
        f = function_of(turned)
        swapped = check(f, options.formula, points_of(turned, f), rtol, atol).passed
    except AdlabError:
        return
    if swapped:
        print("adlab: the other way round it is right: the gradient comes first, then the formula", file=sys.stderr)


def _expect_partials(text: str, names: Sequence[str]) -> None:
    """Raises OptionError for the bare name of something that is no variable: a function whose module was left out."""
    if text.isidentifier() and text not in (*names, "pi", "E"):
        raise OptionError(f"`{text}` is neither MODULE:FUNCTION nor a partial derivative in {', '.join(names)}")


def _tolerance(option: str, text: str | None) -> Any:
    """A number if the text reads as one, else the name of a kind."""
    if text is None or (option == "--rtol" and text[:1].isalpha()):
        return text
    return number(option, text)
