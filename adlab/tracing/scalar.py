"""One traced number: a float that remembers the node that computes it.

Every operator does two things: it computes the value, and it records the node. Operations that would silently turn the number
into a constant (`float(x)`, `int(x)`, an index) are refused, with the line and what to write instead.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from numbers import Real
from typing import Any, NoReturn

import numpy as np

from adlab.graph.lowering import LARGEST_INTEGER_POWER
from adlab.primitives.primitive import Primitive
from adlab.primitives.table import PRIMITIVES
from adlab.tracing.recorder import NE, Recorder, refuse

ADD, SUB, MUL, DIV, NEG, ABS, MOD, FLOOR, POW, POWI, POWR, SQRT = (
    PRIMITIVES[name]
    for name in ("add", "sub", "mul", "div", "neg", "abs", "mod", "floor", "pow", "powi", "powr", "sqrt")
)
CONSTANTS = (int, float, Fraction, np.number, np.bool_)

DOORS: dict[str, Callable[..., Any]] = {}
"""Receives NumPy's calls. `array` fills it."""


class Scalar:
    """A traced number: `value` is a float, `position` its node in the recorder's graph."""

    __slots__ = ("position", "recorder", "value")
    __array_priority__ = 1000

    def __init__(self, recorder: Recorder, value: float, position: int) -> None:
        self.recorder, self.value, self.position = recorder, value, position

    # --- operators ----------------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Any:
        return binary(ADD, self, other)

    def __radd__(self, other: Any) -> Any:
        return binary(ADD, other, self)

    def __sub__(self, other: Any) -> Any:
        return binary(SUB, self, other)

    def __rsub__(self, other: Any) -> Any:
        return binary(SUB, other, self)

    def __mul__(self, other: Any) -> Any:
        return binary(MUL, self, other)

    def __rmul__(self, other: Any) -> Any:
        return binary(MUL, other, self)

    def __truediv__(self, other: Any) -> Any:
        return binary(DIV, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return binary(DIV, other, self)

    def __mod__(self, other: Any) -> Any:
        return binary(MOD, self, other)

    def __rmod__(self, other: Any) -> Any:
        return binary(MOD, other, self)

    def __floordiv__(self, other: Any) -> Any:
        quotient = binary(DIV, self, other)
        return quotient if quotient is NotImplemented else unary(FLOOR, quotient)

    def __rfloordiv__(self, other: Any) -> Any:
        quotient = binary(DIV, other, self)
        return quotient if quotient is NotImplemented else unary(FLOOR, quotient)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __pow__(self, other: Any) -> Any:
        return power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return power(other, self)

    def __neg__(self) -> Scalar:
        return unary(NEG, self)

    def __pos__(self) -> Scalar:
        return self

    def __abs__(self) -> Scalar:
        return unary(ABS, self)

    # --- comparisons, and what branches --------------------------------------------------------------------------

    def __lt__(self, other: Any) -> Any:
        return binary(PRIMITIVES["lt"], self, other)

    def __le__(self, other: Any) -> Any:
        return binary(PRIMITIVES["le"], self, other)

    def __gt__(self, other: Any) -> Any:
        return binary(PRIMITIVES["gt"], self, other)

    def __ge__(self, other: Any) -> Any:
        return binary(PRIMITIVES["ge"], self, other)

    def __eq__(self, other: Any) -> Any:
        return binary(PRIMITIVES["eq"], self, other)

    def __ne__(self, other: Any) -> Any:
        return binary(NE, self, other)

    def __and__(self, other: Any) -> Any:
        return binary(PRIMITIVES["and"], truth(self), truth(other))

    def __or__(self, other: Any) -> Any:
        return binary(PRIMITIVES["or"], truth(self), truth(other))

    def __invert__(self) -> Scalar:
        return unary(PRIMITIVES["not"], truth(self))

    __rand__, __ror__ = __and__, __or__

    def __bool__(self) -> bool:
        condition = truth(self)
        return self.recorder.decide(condition.position, condition.value != 0)

    def __hash__(self) -> NoReturn:
        raise refuse("a traced number cannot be a key of a dict or a member of a set", "use the index of the number as the key")

    # --- what would make a constant of it ------------------------------------------------------------------------

    def __float__(self) -> NoReturn:
        raise refuse(
            "float() would make a constant of a traced number",
            "leave float() out; for another library's function use numpy's (np.sin); an array that holds traced numbers is made "
            "by np.zeros(…) or np.array([…]) with numpy imported as a module",
        )

    def __int__(self) -> NoReturn:
        raise refuse("int() would make a constant of a traced number", "use np.floor, which has derivative 0")

    def __index__(self) -> NoReturn:
        raise refuse("an index or a count that depends on an input has no derivative", "pass it as a constant")

    def __complex__(self) -> NoReturn:
        raise refuse("complex() of a traced number", "adlab differentiates real functions")

    def __round__(self, digits: int = 0) -> Scalar:
        if digits:
            raise refuse("round() to digits has no useful derivative", "leave it out")
        raise refuse("round() has no useful derivative", "use np.floor(x + 0.5)")

    def __trunc__(self) -> Scalar:
        return unary(PRIMITIVES["sign"], self) * unary(FLOOR, unary(ABS, self))  # type: ignore[no-any-return]

    def __floor__(self) -> Scalar:
        return unary(FLOOR, self)

    def __ceil__(self) -> Scalar:
        return unary(PRIMITIVES["ceiling"], self)

    # --- as a NumPy scalar ---------------------------------------------------------------------------------------

    shape: tuple[int, ...] = ()
    ndim, size = 0, 1

    @property
    def real(self) -> Scalar:
        return self

    @property
    def imag(self) -> float:
        return 0.0

    @property
    def T(self) -> Scalar:  # noqa: N802 (NumPy's name)
        return self

    def conjugate(self) -> Scalar:
        """The number itself, which is real."""
        return self

    conj = item = copy = __copy__ = conjugate

    def __deepcopy__(self, memory: Any) -> Scalar:
        return self

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return DOORS["ufunc"](ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        return DOORS["function"](function, arguments, options)

    def __repr__(self) -> str:
        return f"traced({self.value!r})"

    def __format__(self, form: str) -> str:
        return "~" + format(self.value, form)  # no text that float() would read, and make a constant of it


def scalar(recorder: Recorder, number: Any) -> Scalar | None:
    """A number as a traced one; None for anything that is not a real number."""
    kind = type(number)
    if kind is Scalar:
        return number if number.recorder is recorder else recorder.adopt(number)  # type: ignore[no-any-return]
    if kind is float or kind is int or isinstance(number, (*CONSTANTS, Real)):
        return Scalar(recorder, recorder.number(number), recorder.constant(number))
    if isinstance(number, (complex, np.complexfloating)):
        raise refuse("a complex number meets a traced one", "carry the real and the imaginary part apart: adlab's are real")
    return None


def _depth(recorder: Recorder) -> int:
    return recorder.depth


def recorder_of(*numbers: Any) -> Recorder:
    """The innermost recorder of the traced numbers among these: the recorder of the body that is being traced."""
    found = [number.recorder for number in numbers if isinstance(number, Scalar)]
    return found[0] if len(found) == 1 else max(found, key=_depth)


def apply(primitive: Primitive, numbers: tuple[Any, ...], parameter: Any = None) -> Any:
    """One operation on traced numbers and constants: its value, and its node. NotImplemented where one is not a number."""
    recorder = recorder_of(*numbers)
    values, positions = [], []
    for number in numbers:
        given = scalar(recorder, number)
        if given is None:
            return NotImplemented
        values.append(given.value)
        positions.append(given.position)
    value = recorder.value(primitive, values, parameter)
    return Scalar(recorder, value, recorder.node(primitive, tuple(positions), parameter))


def binary(primitive: Primitive, a: Any, b: Any) -> Any:
    """`a` operation `b`; NotImplemented where the other is an array or not a number, so that Python asks it.

    Two numbers of one trace, and a number with a float or an int, come first: a trace is made of these.
    """
    if type(a) is Scalar:
        recorder, x, i = a.recorder, a.value, a.position
        if type(b) is Scalar and b.recorder is recorder:
            y, j = b.value, b.position
        elif type(b) is float or type(b) is int:
            y, j = recorder.number(b), recorder.float_or_int(b)
        else:
            return apply(primitive, (a, b))
    elif type(a) is float or type(a) is int:
        recorder = b.recorder
        x, i, y, j = recorder.number(a), recorder.float_or_int(a), b.value, b.position
    else:
        return apply(primitive, (a, b))
    if not recorder.plain:
        return Scalar(recorder, recorder.value(primitive, (x, y), None), recorder.node(primitive, (i, j)))
    direct = DIRECT.get(primitive)
    value = primitive.careful(x, y) if direct is None else direct(x, y)
    return Scalar(recorder, value, recorder.node(primitive, (i, j)))


def unary(primitive: Primitive, a: Scalar, parameter: Any = None) -> Scalar:
    """An operation on one traced number."""
    recorder = a.recorder
    return Scalar(recorder, recorder.value(primitive, (a.value,), parameter), recorder.node(primitive, (a.position,), parameter))


DIRECT: dict[Primitive, Callable[[float, float], float]] = {ADD: operator.add, SUB: operator.sub, MUL: operator.mul}
"""What Python's own operators do on floats as IEEE says, without an exception."""


def truth(number: Any) -> Any:
    """The number as a condition: itself if it is one, else whether it differs from 0."""
    if not isinstance(number, Scalar):
        return bool(number)
    return number if number.recorder.is_condition(number.position) else binary(NE, number, 0)


def power(base: Any, exponent: Any) -> Any:
    """base**exponent: a constant whole exponent by multiplication, 1/2 as a square root, any other as Python's `**`."""
    if isinstance(exponent, Scalar):
        return apply(POW, (base, exponent), 0)  # the table's power has a constant shift of its exponent, here 0
    if not isinstance(exponent, (*CONSTANTS, Real)):
        return NotImplemented
    number = float(exponent)
    if number < 0:
        return 1 / power(base, -number)
    if number in (0.0, 1.0):
        return base if number else 1.0
    if number.is_integer() and number <= LARGEST_INTEGER_POWER:
        return unary(POWI, base, int(number))
    return unary(SQRT, base) if number == 0.5 else unary(POWR, base, number)


def function(primitive: Primitive) -> Callable[[Scalar], Scalar]:
    """The method that NumPy's loops over objects call for a function: `np.sin` of an object array calls `x.sin()`."""

    def method(self: Scalar) -> Scalar:
        return unary(primitive, self)

    method.__doc__ = "."
    return method


UNARY = {
    name: PRIMITIVES[ours]
    for name, ours in [
        ("sin", "sin"), ("cos", "cos"), ("tan", "tan"), ("arcsin", "asin"), ("arccos", "acos"), ("arctan", "atan"),
        ("sinh", "sinh"), ("cosh", "cosh"), ("tanh", "tanh"), ("arcsinh", "asinh"), ("arccosh", "acosh"),
        ("arctanh", "atanh"), ("exp", "exp"), ("log", "log"), ("sqrt", "sqrt"), ("cbrt", "cbrt"), ("fabs", "abs"),
        ("sign", "sign"), ("floor", "floor"), ("ceil", "ceiling"), ("absolute", "abs"), ("negative", "neg"),
        ("expm1", "expm1"), ("log1p", "log1p"), ("log2", "log2"), ("exp2", "exp2"),
    ]
    if ours in PRIMITIVES
}  # fmt: skip
"""NumPy's functions of one number by their names, and the primitives that compute them."""

for _name, _primitive in UNARY.items():
    setattr(Scalar, _name, function(_primitive))
