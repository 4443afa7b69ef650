"""A function, or its derivative, as a Fortran 2008 subroutine: the operations, and the refusals, of the C that adlab writes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from adlab.exports.lines import SHARED, SIGNS, Language, written
from adlab.exports.plan import Task, task

OWN = {"fabs": "abs", "copysign": "sign", "tgamma": "gamma"}
"""Functions that Fortran has under another name."""
OF_C = ("exp2", "expm1", "log1p", "log2", "cbrt", "fmod", "pow", "floor", "ceil")
"""Functions that Fortran lacks, or has only for numbers of a limited size. They come from C's library, which is linked anyway."""
TWO = {"fmod", "pow"}
WIDTH = 100
"""Columns of a comment. A line of Fortran has 132."""


def _number(value: float) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "(-inf)"
    digits = repr(abs(value)).replace("e", "d")
    text = digits if "d" in digits else digits + "d0"
    return f"(-{text})" if math.copysign(1, value) < 0 else text


FORTRAN = Language(
    name="Fortran",
    truths=(".false.", ".true."),
    number=_number,
    functions={name: OWN.get(name, f"c_{name}" if name in OF_C else name) for name in [*SHARED, "pow", "erf", "erfc", "tgamma"]},
    relations={key: sign.replace("!=", "/=") for key, sign in SIGNS.items()}
    | {"one": "{0} < {1} .or. {0} > {1}", "uno": "{0} /= {0} .or. {1} /= {1}"},
    logic={"and": "{0} .and. {1}", "or": "{0} .or. {1}", "xor": "{0} .neqv. {1}"},
    negation=".not. {0}",
    choice="merge({1}, {2}, {0})",
    remark="  ! {0}",
)
SOURCE = """\
! {about}
!
! Written by adlab. x holds {inputs}.{vector}
! out gets {parts}: {width} numbers, row-major. Leave -ffast-math out.
! status: 0, all is well; 1, some number does not exist at this point, and is NaN; 2, a number left the range of double
! precision on the way, and all of out is NaN.
subroutine {name}(x, {arguments}out, status) bind(C, name="{name}")
    use, intrinsic :: iso_c_binding, only: c_double, c_int
    use, intrinsic :: ieee_arithmetic
    implicit none
    real(c_double), intent(in) :: {given}
    real(c_double), intent(out) :: out(*)
    integer(c_int), intent(out) :: status
{interfaces}{declared}
    nan = ieee_value(1d0, ieee_quiet_nan)
    inf = ieee_value(1d0, ieee_positive_inf)
{body}
contains
    pure logical function odd(v)
        real(c_double), intent(in) :: v
        odd = abs(v) > huge(v) .or. (abs(v) > 0d0 .and. abs(v) < tiny(v))
    end function
end subroutine
"""


def to_fortran(
    f: Any,
    derivative: str | None = None,
    name: str | None = None,
    wrt: Sequence[Any] | None = None,
    constants: Mapping[Any, float] | None = None,
) -> str:
    """The function, or a derivative with a name that `f.compile` knows, as a subroutine that C can call as well.

    Raises UnsupportedExpression for functions that neither Fortran nor C's library has, and what `f.compile` raises.

    >>> import adlab
    >>> "    t0 = sin(x(1))  ! v1 = sin(x)" in to_fortran(adlab.Function("sin(x)/x")).splitlines()
    True
    """
    work = task(f, derivative, name, wrt, constants)
    names = [*(f"x({i + 1})" for i in range(len(work.point))), *(f"v({i + 1})" for i in range(work.vector))]
    found = written(work.plan.graph, FORTRAN, names)
    return SOURCE.format(
        about=" ".join(work.about.split())[:WIDTH], inputs=", ".join(work.point)[:WIDTH] or "nothing", parts=work.parts(),
        vector=" v holds the vector that the derivative is applied to." if work.vector else "", width=work.width,
        name=work.name, arguments="v, " * bool(work.vector), given="x(*), v(*)" if work.vector else "x(*)",
        interfaces=_interfaces(found.used), declared=_declared(found.lines), body=_body(work, found),
    )  # fmt: skip


def _interfaces(used: frozenset[str]) -> str:
    """Declarations of the functions of C's library that are called."""
    found = []
    for function in (each for each in OF_C if each in used):
        arguments = "a, b" if function in TWO else "a"
        found += [
            f'        pure function c_{function}({arguments}) bind(C, name="{function}")',
            "            import c_double",
            f"            real(c_double), value, intent(in) :: {arguments}",
            f"            real(c_double) :: c_{function}",
            "        end function",
        ]
    return "\n".join(["    interface", *found, "    end interface", ""]) if found else ""


def _declared(lines: Sequence[str]) -> str:
    """The types of the names: numbers begin with t, truth values with b."""
    names = [line.split(" = ")[0] for line in lines]
    numbers = ["nan", "inf", *(name for name in names if name[0] == "t")]
    found = [f"    real(c_double) :: {name}" for name in numbers]
    return "\n".join([*found, *(f"    logical :: {name}" for name in names if name[0] == "b"), "    logical :: lost"])


def _body(work: Task, found: Any) -> str:
    lines = [*found.lines, *(f"out({k + 1}) = {output}" for k, output in enumerate(found.outputs))]
    lines += ["status = 0", "lost = .false."]
    lines += [f"if ({_condition(check)}) lost = .true." for check in found.checks]
    lines += ["if (lost) then", f"    out(1:{work.width}) = nan", "    status = 2", "    return", "end if"]
    lines.append(f"if (any(ieee_is_nan(out(1:{work.width})))) status = 1")
    return "\n".join(f"    {line}" for line in lines)


def _condition(check: str) -> str:
    """A check, which is written in the operators of C and Python."""
    return re.sub(r"(?<![\w.(])0(?![\w.])", "0d0", check.replace(" & ", " .and. ").replace("!=", "/="))
