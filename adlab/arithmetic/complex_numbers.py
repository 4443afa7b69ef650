"""Complex numbers: what the complex step evaluates with."""

from __future__ import annotations

from typing import Any

import numpy as np

from adlab.arithmetic.numbers import Numbers
from adlab.primitives.primitive import Parameter, Primitive, to_float


class ComplexNumbers(Numbers):
    """complex128, for the complex step; meant for analytic primitives near the real axis."""

    def constant(self, value: Any) -> complex:
        return complex(to_float(value))

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        function = primitive.complex or primitive.array
        with np.errstate(all="ignore"):
            return function(*operands) if parameter is None else function(*operands, parameter)


COMPLEX = ComplexNumbers()
