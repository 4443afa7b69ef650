"""Says in words where the truth comes from."""

from __future__ import annotations

from collections.abc import Iterable

from adlab.truth.judge import Component

INDEPENDENT = "from high-precision values of the expression alone"
CERTIFIED = "by a power series of balls and by differences of values, which agree"
NOT_INDEPENDENT = "not independent: the expression was read off the graph"


def source_of(components: Iterable[Component], independent: bool) -> str:
    """Where the numbers come from, in words."""
    if not independent:
        return NOT_INDEPENDENT
    statuses = {component.status for component in components}
    if "certified" not in statuses:
        return INDEPENDENT
    return CERTIFIED if statuses == {"certified"} else f"certified ones {CERTIFIED}; the rest {INDEPENDENT}"
