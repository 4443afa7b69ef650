"""Operations on high-precision numbers that also say how wrong their result may be.

Precision alone is no guide: ``x*(1 + (exp(1e-80) - 1)*1e80)`` gives x at 60 and at 75 digits, and is 2x. So every value carries
an estimate of its absolute error. For a sum or product it is the usual bound. For any other operation it is measured from
values alone: how far does the result move when an operand moves by its own error? Cancellation, ill-conditioned functions,
branch cuts and jumps all show as a large error. A comparison is either certain (error 0) or undecided at this precision
(infinite error).

Errors are mpmath's raw numbers (libmp tuples), short and rounded up. Everything runs inside `meanings.working`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from mpmath import libmp

from adlab.precision import TimeIsUp
from adlab.truth.meanings import CONTEXT, NotRealError, magnitude

ZERO, INFINITE = libmp.fzero, libmp.finf
ERROR_BITS = 12  # bits of an error's mantissa
LARGEST = 2**1100  # of any value's exponent, up and down: room for exp of any double, and for its inverse

Numbers = Sequence[Any]
Errors = Sequence[Any]


class NoBranchError(ValueError):
    """A `Piecewise` of which no condition holds."""


class Operation(NamedTuple):
    """`apply(*operands)` is the value, `error(operands, their errors, value)` the estimate of its error.

    Operands have a magnitude from -`tiniest` to `largest`, in bits. An operation that does not use all of its operands says by
    `uses(operands)` which ones it uses. It is given failed operands too.
    """

    apply: Callable[..., Any]
    error: Callable[[Numbers, Errors, Any], Any]
    largest: int = LARGEST
    tiniest: int = LARGEST
    uses: Callable[[Numbers], Iterable[int]] | None = None


def attempt(
    apply: Callable[..., Any], operands: Numbers, largest: int = LARGEST, tiniest: int = LARGEST
) -> tuple[Any, str]:
    """The value and "", or None and the kind of failure."""
    if largest < LARGEST and any(not -tiniest <= magnitude(operand) <= largest for operand in operands):
        return None, "overflow"
    try:
        value = apply(*operands)
    except NotRealError:
        return None, "complex"
    except NoBranchError:
        return None, "branch"
    except (ZeroDivisionError, ValueError):  # mpmath's poles
        return None, "pole"
    except (OverflowError, MemoryError):
        return None, "overflow"
    except (libmp.NoConvergence, NotImplementedError, RecursionError):
        return None, "stuck"
    except TimeIsUp:
        return None, "late"
    return _checked(value) if hasattr(value, "_mpf_") or hasattr(value, "_mpc_") else (value, "")


def _checked(value: Any) -> tuple[Any, str]:
    """A number that is finite and of a workable size. It is made real if its imaginary part is exactly 0."""
    if hasattr(value, "_mpc_") and not value.imag:
        value = value.real
    for _, mantissa, exponent, bits in value._mpc_ if hasattr(value, "_mpc_") else (value._mpf_,):
        if not mantissa and exponent:
            return None, "pole"
        if abs(exponent + bits) > LARGEST:
            return None, "overflow"
    return value, ""


def plus(a: Any, b: Any) -> Any:
    """The sum of two errors."""
    return libmp.mpf_add(a, b, ERROR_BITS, "u")


def scaled(error: Any, value: Any) -> Any:
    """error × |value|. An exact 0 leaves nothing of any error."""
    if error == ZERO or not value:
        return ZERO
    size = libmp.mpc_abs(value._mpc_, 53) if hasattr(value, "_mpc_") else value._mpf_
    return (0, *libmp.mpf_mul(error, size, ERROR_BITS, "u")[1:])


def rounding(value: Any) -> Any:
    """Four units in the last place of the working precision."""
    return (0, 1, magnitude(value) + 2 - CONTEXT.prec, 1) if value else ZERO


def sum_error(operands: Numbers, errors: Errors, value: Any) -> Any:
    """The errors of both terms, plus rounding unless the sum is exact."""
    if errors[0] == errors[1] == ZERO:
        return ZERO if _exact(libmp.mpf_add, operands, value) else rounding(value)
    return plus(plus(errors[0], errors[1]), rounding(value))


def product_error(operands: Numbers, errors: Errors, value: Any) -> Any:
    """|a|·Δb + |b|·Δa + Δa·Δb, plus rounding unless the product is exact."""
    (a, b), (error_a, error_b) = operands, errors
    if error_a == ZERO:
        if error_b == ZERO:
            return ZERO if _exact(libmp.mpf_mul, operands, value) else rounding(value)
        return plus(scaled(error_b, a), rounding(value))
    total = plus(scaled(error_a, b), rounding(value))
    if error_b == ZERO:
        return total
    both = libmp.mpf_mul(error_a, error_b, ERROR_BITS, "u")
    return plus(plus(total, scaled(error_b, a)), both)


def _exact(function: Callable[[Any, Any], Any], operands: Numbers, value: Any) -> bool:
    """Whether `value` is the exact sum or product of real operands whose sizes are not too different to tell."""
    a, b = operands
    if hasattr(a, "_mpc_") or hasattr(b, "_mpc_"):
        return False
    near = not (a and b) or abs(magnitude(a) - magnitude(b)) < 8 * CONTEXT.prec
    return near and bool(function(a._mpf_, b._mpf_) == value._mpf_)


def power_error(exponent: int) -> Callable[[Numbers, Errors, Any], Any]:
    """The measured error of base**exponent; 0 where a small power of an exact number is exact."""
    measured = measured_error(lambda base: base**exponent)

    def error(operands: Numbers, errors: Errors, value: Any) -> Any:
        (base,) = operands
        if errors[0] == ZERO and exponent > 0 and hasattr(base, "_mpf_"):
            sign, mantissa, shift, bits = base._mpf_
            if exponent * bits < 8 * CONTEXT.prec:
                power = libmp.from_man_exp((-mantissa if sign else mantissa) ** exponent, shift * exponent)
                return ZERO if power == value._mpf_ else rounding(value)
        return measured(operands, errors, value)

    return error


def measured_error(
    apply: Callable[..., Any], exact: bool = False, jumps: bool = False
) -> Callable[[Numbers, Errors, Any], Any]:
    """How far the value moves when each operand moves by its own error, plus rounding.

    `exact` operations do not round real operands. The operands of one that `jumps` are moved both ways.
    """

    def error(operands: Numbers, errors: Errors, value: Any) -> Any:
        total = ZERO if _unrounded(exact, operands, value) else rounding(value)
        for index, own in enumerate(errors):
            if own == INFINITE:
                return INFINITE
            if own != ZERO:
                total = plus(total, _swing(apply, operands, index, CONTEXT.make_mpf(own), value, jumps)._mpf_)
        return total

    return error


def _unrounded(exact: bool, operands: Numbers, value: Any) -> bool:
    """Whether the value is exact for exact operands: selections, and values at 0 such as exp(0) = 1."""
    if exact:  # unless the operand, a long constant, is itself rounded
        return all(hasattr(operand, "_mpf_") and operand._mpf_[3] <= CONTEXT.prec for operand in operands)
    return not any(operands) and bool(CONTEXT.isint(value))


def _swing(apply: Callable[..., Any], operands: Numbers, index: int, shift: Any, value: Any, jumps: bool) -> Any:
    """How far the value moves when operand `index` moves by up to `shift`. More places are tried where that is far."""
    operand = operands[index]

    def largest(shifts: Iterable[Any]) -> Any:
        places = ([*operands[:index], operand + by, *operands[index + 1 :]] for by in shifts)
        moves = (attempt(apply, place) for place in places)
        return max(CONTEXT.inf if failed else abs(moved - value) for moved, failed in moves)

    if hasattr(operand, "_mpc_"):  # the error may carry it across a branch cut
        return largest([shift, -shift, shift * 1j, shift * -1j])
    if abs(operand) <= shift:  # the operand may be 0, and may have either sign
        return largest([shift, -shift, -operand])
    swing = largest([shift, -shift] if jumps else [shift])
    return swing if swing <= abs(value) / 64 else max(swing, largest([-shift, shift / 3, -shift * 0.7]))


def comparison_error(operands: Numbers, errors: Errors, value: Any) -> Any:
    """0 where the difference exceeds the errors, so that the comparison is decided."""
    if errors[0] == errors[1] == ZERO:
        return ZERO
    decided = abs(operands[0] - operands[1]) > CONTEXT.make_mpf(plus(errors[0], errors[1]))
    return ZERO if decided else INFINITE


def logic_error(decisive: bool) -> Callable[[Numbers, Errors, Any], Any]:
    """0 if one operand is certain and decides (False for And), or if all are certain."""

    def error(operands: Numbers, errors: Errors, value: Any) -> Any:
        certain = [operand for operand, own in zip(operands, errors, strict=True) if own == ZERO]
        return ZERO if len(certain) == len(operands) or any(operand is decisive for operand in certain) else INFINITE

    return error


def branch_error(operands: Numbers, errors: Errors, value: Any) -> Any:
    """For `Piecewise`: the error of the branch that is taken, if all conditions up to it are certain."""
    *conditions, taken = taken_branch(operands)
    return errors[taken] if all(errors[condition] == ZERO for condition in conditions) else INFINITE


def taken_branch(operands: Numbers) -> list[int]:
    """Positions in value, condition, value, condition …: first the conditions that are asked, then the value that is taken.

    The first condition that is true decides. A condition that failed is taken itself: its failure spoils the result.
    """
    asked: list[int] = []
    for index in range(1, len(operands), 2):
        asked.append(index)
        if operands[index] is True:
            return [*asked, index - 1]
        if operands[index] is not False:
            return [*asked, index]
    raise NoBranchError
