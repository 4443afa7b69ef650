"""Whether a number is complex however small its imaginary part: told from the operations, not from digits.

(-2)**(1e-600) is 1 + 3e-600·i. At any number of bits that are worth trying, the imaginary part is below the rounding of the 1.
But the base is negative and the exponent is no whole number, so the power is complex. What is complex stays so when a real number
is added, or when it is multiplied by one that is not 0.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import partial
from typing import Any

from adlab.truth import meanings
from adlab.truth.meanings import CONTEXT


def surely_complex(steps: Sequence[Any], slots: Sequence[Any], errors: Sequence[Any], wanted: int) -> bool:
    """Whether slot `wanted` of an evaluated plan is complex. Its steps follow the variables, as in `State`.

    False where the number is real, and where neither is known.
    """
    first, known = len(slots) - len(steps), dict[int, bool | None]()
    for slot in range(wanted + 1):
        value, error = slots[slot], CONTEXT.make_mpf(errors[slot])
        if not hasattr(value, "_mpc_"):
            known[slot] = False  # a real number, a truth value or a failure
        elif abs(value.imag) > error:
            known[slot] = True
        elif slot < first:
            known[slot] = False  # a variable, which is given exactly
        else:
            operation, operands, _ = steps[slot - first]
            parts = [(known[o], slots[o], CONTEXT.make_mpf(errors[o])) for o in operands]
            known[slot] = True if _stays_complex(operation.apply, parts) else None
    return known[wanted] is True


def _stays_complex(apply: Any, parts: Sequence[tuple[bool | None, Any, Any]]) -> bool:
    """Whether the result of an operation is surely complex. Each operand comes with what is known of it, and its error."""
    if apply is operator.add:
        return {parts[0][0], parts[1][0]} == {True, False}
    if apply is operator.mul:
        return any(parts[i][0] is True and parts[1 - i][0] is False and abs(parts[1 - i][1]) > parts[1 - i][2] for i in (0, 1))
    if isinstance(apply, partial) and apply.func is meanings.integer_power and apply.args == (-1,):
        return parts[0][0] is True
    if apply is meanings.general_power:
        (base_known, base, off), (exponent_known, exponent, wide) = parts
        whole = base_known is not False or exponent_known is not False or abs(exponent - CONTEXT.nint(exponent)) <= wide
        return not whole and base + off < 0
    return False
