"""Texts for the issue trackers of other projects: what was asked, what came, what is true, why, and what keeps the digits."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING

from adlab.display import significant
from adlab.truth.meanings import CONTEXT

if TYPE_CHECKING:
    from adlab.audit.rules import Rule


def issue_text(rule: Rule, version: str, instead: str, script: str) -> str:
    """A text about the worst ordinary point of a rule.

    `instead` is the rule that adlab has, empty where it has none to show. `script` prints what came.
    """
    k = rule.ordinary
    digits = rule.digits[k]
    nth = {1: "derivative", 2: "second derivative"}[rule.order]
    spread = f"{min(map(abs, rule.points)):.0e} to {max(map(abs, rule.points)):.0e}"
    lines = [
        f"The {nth} of `{rule.call}` loses its digits at x = {rule.points[k]!r}", "",
        "```python", script, "```", "",
        f"- formula: {rule.formula}" if rule.formula else "",
        f"- version: {version}, Python {platform.python_version()}, {rule.dtype}",
        f"- argument: {rule.points[k]!r}",
        f"- got: {rule.values[k]!r}",
        f"- true, to 20 digits: {rule.true[k]}",
        f"- correct digits: {significant(max(digits, 0.0), 3) if digits == digits else 'none'}",
        f"- why: {_why(rule.values, rule.true, k)}",
        f"- over {len(rule.points)} points from {spread} in size, {_percent(rule.lost)} keep fewer than {rule.half:g} digits",
        f"- a rule that keeps them: {instead}" if instead else "",
        "", "Found by `adlab rules`. The true value is computed to 25 digits from the formula, independently of any of these "
        "libraries. Thank you for the library!",
    ]  # fmt: skip
    return "\n".join(line for i, line in enumerate(lines) if line or i in (1, 5, len(lines) - 2))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"


def _why(values: Sequence[float], true: Sequence[str], k: int) -> str:
    """What the number tells of the fault. No rule of the library is read for it."""
    got, want = values[k], CONTEXT.mpf(true[k])
    if not math.isfinite(got):
        return "a number on the way overflows, or two infinite or undefined parts meet, though the derivative exists"
    if got == 0:
        return "a number on the way was rounded to its limit, or fell below the smallest float, and what is left is exactly 0"
    beside = [i for i in (k - 1, k + 1) if 0 <= i < len(values) and values[i] == got and true[i] != true[k]]
    if beside:
        return "from here on the rule answers with one number, the limit, where the derivative still changes"
    if (got < 0) != (want < 0):
        return "two nearly equal rounded numbers are subtracted; what is left is rounding, and has the wrong sign"
    if abs(got) > 1e3 * abs(want):
        return "two nearly equal rounded numbers are subtracted; what is left is rounding, larger than the derivative itself"
    return "nearly equal rounded numbers are subtracted, or an approximation is used beyond its range: leading digits are lost"
