"""Primitives as LLVM IR, written by the table's own NumPy functions.

NumPy lets an operand say what a ufunc means for it (`__array_ufunc__`). So calling `primitive.array` on `IrValue` operands runs
the formula in the table and records its instructions. Nothing about a primitive is written twice. This file has only what each
ufunc is in IR. Truth values stay single bits until a number is needed.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from adlab.compile.llvm.text import Block, Registers
from adlab.primitives.primitive import Parameter, Primitive, to_float
from adlab.primitives.table import PRIMITIVES

RELATIONS = {np.less: "olt", np.less_equal: "ole", np.greater: "ogt", np.greater_equal: "oge", np.equal: "oeq",
             np.not_equal: "une"}  # fmt: skip
ARITHMETIC: dict[Any, str] = {np.add: "fadd", np.subtract: "fsub", np.multiply: "fmul", np.divide: "fdiv"}
INTRINSICS = {np.absolute: "fabs", np.fabs: "fabs", np.sqrt: "sqrt", np.floor: "floor", np.ceil: "ceil",
              np.copysign: "copysign"}  # fmt: skip
FUNCTIONS = {
    getattr(np, name): name.replace("arc", "a")
    for name in ["exp", "exp2", "expm1", "log", "log1p", "log2", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh",
                 "tanh", "arcsinh", "arccosh", "arctanh", "cbrt", "hypot", "arctan2"]
} | {np.power: "pow"}  # fmt: skip
LONGEST_CHAIN = 8  # powers up to here are multiplied out: at most 3.5 ulps, and ten times as fast as pow


def vector_functions(registers: Registers) -> frozenset[str]:
    """The primitives that are one call of a function on vectors."""
    names = {ufunc: name for ufunc, name in FUNCTIONS.items() if name in registers.functions}
    if "exp" in registers.functions:
        names[np.cosh] = "exp"
    return frozenset(name for name, primitive in PRIMITIVES.items() if primitive.array in names)


class UntraceableError(Exception):
    """An array function does something that has no form here. The primitive is then called back in Python."""


class IrValue(NDArrayOperatorsMixin):
    """A value in a block. NumPy's functions act on it; `truth` marks a bit."""

    def __init__(self, forms: Forms, value: str, truth: bool = False) -> None:
        self.forms, self.value, self.truth = forms, value, truth

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> IrValue:
        if method != "__call__" or options:
            raise UntraceableError(ufunc.__name__)
        return self.forms.ufunc(ufunc, *operands)

    def __array_function__(self, function: Any, types: Any, operands: Any, options: Any) -> IrValue:
        if options or function not in (np.where, np.clip):
            raise UntraceableError(function.__name__)
        return self.forms.where(*operands) if function is np.where else self.forms.clip(*operands)

    def __getitem__(self, index: Any) -> IrValue:
        return self

    def __float__(self) -> float:
        raise UntraceableError("a float is wanted")

    def __bool__(self) -> bool:
        raise UntraceableError("a branch on a value")


class Forms:
    """Writes operations into a block. `strict` calls scalar functions only and multiplies out no power above 3."""

    def __init__(self, block: Block, strict: bool) -> None:
        self.block, self.strict = block, strict
        self.flag = " contract" if not strict and block.registers.fused else ""
        """Marks products and sums that may become a × b + c in one instruction, which rounds once."""

    def apply(self, primitive: Primitive, parameter: Any, operands: list[str]) -> str:
        """The value of one operation, without regard to its domain."""
        if primitive.name == "powi" and parameter <= (3 if self.strict else LONGEST_CHAIN):
            return self._chain(operands[0], int(parameter))
        direct = ARITHMETIC.get(primitive.array)
        if direct is not None:
            return self.block.binary(direct + self.flag if direct == "fmul" else direct, *operands)
        if primitive.c:
            return self.call(primitive.c, *operands)
        traced = [IrValue(self, operand) for operand in operands]
        try:
            found = primitive.array(*traced) if parameter is None else primitive.array(*traced, parameter)
            return self.numeric(found)
        except UntraceableError:
            return self._callback(primitive, parameter, operands)

    def fused(self, primitive: Primitive, operands: list[str]) -> str:
        """A sum that may take in a product before it is rounded."""
        return self.block.binary(ARITHMETIC[primitive.array] + self.flag, *operands)

    def call(self, name: str, *operands: str) -> str:
        """A function of the C library."""
        lanewise = self.strict or name not in self.block.registers.functions
        return self.block.function(name, *operands, lanewise=lanewise)

    def divided(self, a: str, divisor: float) -> str:
        """a / constant, as a × (high + low), where high + low is the reciprocal to twice the digits.

        The rounding is that of a division, except for quotients within 2**-52 ulp of a tie (Brisebarre, Muller & Raina 2004).
        It takes a third of the time. Both parts have one sign, so that an infinite `a` stays infinite.
        """
        block = self.block
        if divisor == 0:
            return block.number(math.nan)
        if self.strict or not block.registers.fused or not 2.0**-500 < abs(divisor) < 2.0**500:
            return block.binary("fdiv", a, block.number(divisor))
        exact = 1 / Fraction(divisor)
        high = float(exact)
        if abs(Fraction(high)) > abs(exact):
            high = math.nextafter(high, 0.0)
        low = float(exact - Fraction(high))
        if low == 0:
            return block.binary("fmul", a, block.number(high))
        rest = block.binary("fmul", a, block.number(low))
        return block.intrinsic("fma", a, block.number(high), rest)

    @property
    def shares(self) -> bool:
        """Whether `divided_by_shared` takes less time than divisions."""
        return not self.strict and self.block.registers.fused

    @property
    def pairs(self) -> bool:
        """Whether a sine and a cosine of the same numbers are computed together."""
        registers = self.block.registers
        return not self.strict and registers.fused and self.block.width > 1 and {"sin", "cos"} <= registers.functions

    def divided_by_shared(self, a: str, divisor: str) -> str:
        """a / divisor as in `divided`, where the reciprocal to twice the digits is computed once for all that are divided by it.

        A division takes as long as ten multiplications. NaN where the divisor is 0. Where the reciprocal is beyond binary64 the
        result is NaN, or the processor's flag of underflow is raised.
        """
        block = self.block
        high = block.binary("fdiv", block.number(1.0), divisor)
        missing = block.intrinsic("fma", block.negative(high), divisor, block.number(1.0))
        low = block.binary("fmul", missing, high)
        return block.intrinsic("fma", a, high, block.binary("fmul", a, low))

    def _chain(self, base: str, exponent: int) -> str:
        """A power by repeated squaring."""
        result, square = "", base
        while exponent:
            if exponent & 1:
                result = self.block.binary(f"fmul{self.flag}", result, square) if result else square
            exponent >>= 1
            if exponent:
                square = self.block.binary(f"fmul{self.flag}", square, square)
        return result

    def _callback(self, primitive: Primitive, parameter: Parameter, operands: list[str]) -> str:
        """The table's scalar function, called back in Python."""
        address = _callback_address(primitive, parameter)
        name = f"adlab_{primitive.name}_{address:x}"
        self.block.externals.addresses[name] = address
        return self.block.function(name, *operands, lanewise=True)

    # --- what NumPy asks for ------------------------------------------------------------------------------------

    def ufunc(self, ufunc: Any, *given: Any) -> IrValue:
        block = self.block
        if ufunc in (np.bitwise_or, np.bitwise_and, np.logical_or, np.logical_and):
            bits = [self.bit(operand) for operand in given]
            return IrValue(self, block.logic("or" if "or" in ufunc.__name__ else "and", *bits), truth=True)
        if ufunc in (np.invert, np.logical_not):
            return IrValue(self, block.negation(self.bit(given[0])), truth=True)
        operands = [self.numeric(operand) for operand in given]
        if ufunc in RELATIONS:
            return IrValue(self, block.compare(RELATIONS[ufunc], *operands), truth=True)
        if ufunc is np.isnan:
            return IrValue(self, block.compare("uno", operands[0], operands[0]), truth=True)
        if ufunc is np.isinf:
            return IrValue(self, block.compare("oeq", block.intrinsic("fabs", operands[0]), block.number(math.inf)), truth=True)
        if ufunc is np.isfinite:
            size = block.intrinsic("fabs", operands[0])
            return IrValue(self, block.compare("olt", size, block.number(math.inf)), truth=True)
        if ufunc in ARITHMETIC:
            return IrValue(self, block.binary(ARITHMETIC[ufunc], *operands))
        if ufunc in INTRINSICS:
            return IrValue(self, block.intrinsic(INTRINSICS[ufunc], *operands))
        if ufunc in FUNCTIONS:
            return IrValue(self, self.call(FUNCTIONS[ufunc], *operands))
        if ufunc not in _WRITTEN_OUT:
            raise UntraceableError(ufunc.__name__)
        return IrValue(self, _WRITTEN_OUT[ufunc](self, *operands))

    def where(self, condition: Any, a: Any, b: Any) -> IrValue:
        bit, first, second = self.bit(condition), self.numeric(a), self.numeric(b)
        return IrValue(self, self.block.choose(bit, first, second))

    def clip(self, a: Any, low: Any, high: Any) -> IrValue:
        value, least, most = self.numeric(a), self.numeric(low), self.numeric(high)
        value = self.block.choose(self.block.compare("olt", value, least), least, value)
        return IrValue(self, self.block.choose(self.block.compare("ogt", value, most), most, value))

    def numeric(self, operand: Any) -> str:
        """An operand as a number: bits become 1.0 and 0.0."""
        if not isinstance(operand, IrValue):
            return self.block.number(to_float(operand))
        if operand.truth:
            return self.block.choose(operand.value, self.block.number(1.0), self.block.number(0.0))
        return operand.value

    def bit(self, operand: Any) -> str:
        """An operand as a truth value: whether it differs from 0."""
        if isinstance(operand, IrValue) and operand.truth:
            return operand.value
        return self.block.compare("une", self.numeric(operand), self.block.number(0.0))

    # --- ufuncs that take several instructions ------------------------------------------------------------------

    def negative(self, a: str) -> str:
        return self.block.negative(a)

    def square(self, a: str) -> str:
        return self.block.binary("fmul", a, a)

    def extremum(self, relation: str, a: str, b: str) -> str:
        """NaN if either operand is NaN."""
        block = self.block
        first = block.logic("or", block.compare(relation, a, b), block.compare("uno", a, a))
        return block.choose(first, a, b)

    def sign(self, a: str) -> str:
        return self.heaviside_like(a, -1.0, self.block.number(0.0))

    def heaviside(self, a: str, at_zero: str) -> str:
        return self.heaviside_like(a, 0.0, at_zero)

    def heaviside_like(self, a: str, below: float, at_zero: str) -> str:
        """1 above zero, `below` below it, NaN at NaN."""
        block, zero = self.block, self.block.number(0.0)
        value = block.choose(block.compare("oeq", a, zero), at_zero, a)
        value = block.choose(block.compare("olt", a, zero), block.number(below), value)
        return block.choose(block.compare("ogt", a, zero), block.number(1.0), value)

    def cosh(self, a: str) -> str:
        """(e^|a| + e^-|a|)/2 from one exponential, e^(|a| - log 2), which overflows exactly where cosh does.

        The rounding error of |a| - log 2 is corrected to first order, so that few ulps are lost.
        """
        if self.strict:
            return self.call("cosh", a)
        block = self.block
        size = block.intrinsic("fabs", a)
        shifted = block.binary("fsub", size, block.number(_LOG2))
        back = block.binary("fsub", block.binary("fsub", size, shifted), block.number(_LOG2))
        lost = block.binary("fsub", back, block.number(_LOG2_REST))
        half = self.call("exp", shifted)
        finite = block.compare("olt", half, block.number(math.inf))
        half = block.choose(finite, block.binary("fadd", half, block.binary("fmul", half, lost)), half)
        return block.binary("fadd", half, block.binary("fdiv", block.number(0.25), half))

    def remainder(self, a: str, b: str) -> str:
        """The remainder with the sign of b, as in Python and NumPy."""
        block, zero = self.block, self.block.number(0.0)
        rest = self.call("fmod", a, b)
        other_side = block.logic("xor", block.compare("olt", rest, zero), block.compare("olt", b, zero))
        wrong = block.logic("and", block.compare("une", rest, zero), other_side)
        return block.choose(wrong, block.binary("fadd", rest, b), rest)


_WRITTEN_OUT: dict[Any, Callable[..., str]] = {
    np.negative: Forms.negative,
    np.square: Forms.square,
    np.minimum: lambda forms, a, b: forms.extremum("olt", a, b),
    np.maximum: lambda forms, a, b: forms.extremum("ogt", a, b),
    np.sign: Forms.sign,
    np.heaviside: Forms.heaviside,
    np.remainder: Forms.remainder,
    np.cosh: Forms.cosh,
}
_LOG2, _LOG2_REST = 0.6931471805599453, 2.3190468138462996e-17  # log 2 to twice the digits
_callbacks: list[Any] = []


@cache
def _callback_address(primitive: Primitive, parameter: Parameter) -> int:
    def scalar(*operands: float) -> float:
        return primitive.careful(*operands) if parameter is None else primitive.careful(*operands, parameter)

    made = ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_double] * primitive.count(parameter))(scalar)
    _callbacks.append(made)
    found = ctypes.cast(made, ctypes.c_void_p).value
    assert found is not None
    return found
