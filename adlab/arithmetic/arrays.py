"""NumPy arrays: a batch of points at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from adlab.arithmetic.numbers import Numbers, evaluate
from adlab.graph import rules
from adlab.primitives.primitive import Parameter, Primitive, to_float


class Arrays(Numbers):
    """NumPy arrays: a batch of points at once. Entries outside a domain are NaN."""

    def constant(self, value: Any) -> Any:
        return np.float64(to_float(value))

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        with quiet():
            result = primitive.array(*operands) if parameter is None else primitive.array(*operands, parameter)
        if rules.unconditional(primitive):
            return result
        exists = rules.conditions(primitive, parameter)
        held = evaluate(exists, [*operands, result], self)[exists.outputs[0]]
        return np.where(held == 1, result, np.nan)[()]


def quiet(outside: Any = "ignore") -> Any:
    """NumPy's state for IEEE rules without warnings. A caller that asked NumPy to report overflow or underflow still gets the
    report.

    `outside` says what happens where an operand is outside the domain.
    """
    before: dict[str, Any] = dict(np.geterr())
    kept: dict[str, Any] = {kind: before[kind] if before[kind] == "call" else "ignore" for kind in ("over", "under")}
    return np.errstate(**kept, divide=outside, invalid=outside)


ARRAYS = Arrays()
