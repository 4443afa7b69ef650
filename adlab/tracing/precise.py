"""The same Python code run on high-precision numbers: no graph and no rule of the table takes part.

The meaning of each operation is that of `adlab.truth`, which evaluates SymPy's functions by mpmath.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sympy

from adlab.errors import AdlabError
from adlab.primitives.primitive import Parameter, Primitive, exact_sympy
from adlab.tracing.array import plain
from adlab.tracing.names import traced_names
from adlab.tracing.program import Program, run
from adlab.tracing.recorder import Recorder
from adlab.tracing.scalar import Scalar
from adlab.truth.meanings import CONTEXT, exact, exported, working
from adlab.truth.values import Plan, plan


@cache
def meaning(primitive: Primitive, parameter: Parameter, count: int) -> Plan:
    """One operation on `count` operands, as the truth evaluates it."""
    operands = sympy.symbols(f"a0:{count}", real=True)
    given = operands if parameter is None else (*operands, exact_sympy(parameter))
    with sympy.evaluate(False):
        form = primitive.form(*given)
    if isinstance(form, sympy.logic.boolalg.Boolean):
        form = sympy.Piecewise((1, form), (0, True))
    return plan([form], operands)


class Precise(Recorder):
    """Numbers of mpmath with a fixed count of bits. Nothing is recorded: every position is 0."""

    def __init__(self, bits: int) -> None:
        super().__init__(["x"])
        self.bits = bits

    def value(self, primitive: Primitive, values: Sequence[Any], parameter: Parameter) -> Any:  # type: ignore[override]
        """What the operation gives; NaN where it has no value."""
        if any(CONTEXT.isnan(value) for value in values):
            return CONTEXT.nan
        if primitive.name == "select":
            return values[1] if values[0] != 0 else values[2]
        try:
            (found,) = meaning(primitive, parameter, len(values)).values(values, self.bits)
        except AdlabError:
            return CONTEXT.nan
        return exact(found)

    def number(self, constant: Any) -> Any:  # type: ignore[override]
        """The binary64 number or the integer that it is."""
        return exact(int(constant)) if isinstance(constant, int) else exact(float(constant))

    def constant(self, value: Any) -> int:
        return 0

    def node(self, primitive: Primitive, operands: tuple[int, ...], parameter: Parameter = None) -> int:
        return 0

    def decide(self, position: int, held: bool) -> bool:
        return held


def values(program: Program, point: Sequence[Any], bits: int = 200) -> list[Any]:
    """The outputs of the function itself, run on numbers of `bits` bits; NaN where there is none.

    >>> from adlab.tracing.program import Program
    >>> program = Program.of(lambda x: x * x - 2, 1.5)
    >>> [str(value) for value in values(program, [1.5])]
    ['0.25']
    """
    recorder = Precise(bits)
    numbers = [Scalar(recorder, exact(x), 0) for x in point]
    with working(bits), traced_names(getattr(program.function, "__globals__", None)):
        found = plain(run(program.function, lambda: program.arguments.call(program.function, numbers)))
    return [exported(item.value) if isinstance(item, Scalar) else exported(exact(item)) for item in found.ravel().tolist()]
