"""Finds out whether a computation has left binary64's range: by the processor's flags, and by NumPy's own reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.arithmetic import flags

Row = tuple[float, ...]
FloatArray = npt.NDArray[np.float64]
FEW = 32
"""Up to so many numbers, a Python loop adds faster than a call of NumPy."""


class Alarm:
    """`raised` is true once something has overflowed or underflowed."""

    def __init__(self) -> None:
        self.raised = False

    def note(self, kind: str, flag: int) -> None:
        """NumPy calls this."""
        self.raised = True


@contextmanager
def watched() -> Iterator[Alarm]:
    """An alarm that tells, after the block, whether a number has overflowed or underflowed inside it.

    >>> with watched() as alarm:
    ...     _ = np.exp(np.array([-800.0])) * 1e-300
    >>> alarm.raised
    True
    """
    alarm = Alarm()
    flags.clear()
    with np.errstate(over="call", under="call", call=alarm.note):
        yield alarm
    alarm.raised = alarm.raised or bool(flags.raised())


def all_finite(found: FloatArray) -> bool:
    """Whether no entry is infinite or NaN. For few numbers Python's sum is faster than NumPy."""
    if found.size <= FEW:
        return isfinite(sum(found.ravel().tolist())) or bool(np.isfinite(found).all())
    return bool(np.isfinite(found).all())


def vouched_bind(kernel: Any, x: FloatArray, out: FloatArray, mend: Callable[[bool], object]) -> Callable[[], None]:
    """`kernel.bind(x, out)`, with `mend` called where the results cannot be trusted, and told whether the alarm was raised.

    Machine code watches itself.
    """
    if hasattr(kernel, "vouched_bind"):
        own: Callable[[], None] = kernel.vouched_bind(x, out, mend)
        return own
    if len(x) == 1:
        return _bound_call(kernel.call, x, out, mend)
    step: Callable[[], None] = kernel.bind(x, out)

    def watching() -> None:
        with watched() as alarm:
            step()
        if alarm.raised or not all_finite(out):
            mend(alarm.raised)

    return watching


def _bound_call(call: Callable[..., Row], x: FloatArray, out: FloatArray, mend: Callable[[bool], object]) -> Callable[[], None]:
    """As `vouched_bind` at a single point, which is computed by floats: NumPy has nothing to report then."""
    raised, alone = flags.raised, _alone(call)

    def step() -> None:
        point = x[0].tolist()
        found = call(*point)
        doubtful = False
        if raised() or not isfinite(sum(found)):
            found, doubtful = alone(*point)
        out[0] = found
        if doubtful:
            mend(True)

    return step


def _alone(call: Callable[..., Row]) -> Callable[..., tuple[Row, bool]]:
    """`call` once more, with the flags cleared before it, and whether its results cannot be trusted.

    Clearing takes longer than reading. So a first call does not clear, and a flag that is raised may be of earlier work.
    """
    clear, raised = flags.clear, flags.raised

    def once_more(*point: float) -> tuple[Row, bool]:
        clear()
        found = call(*point)
        return found, bool(raised()) or not isfinite(sum(found))

    return once_more


def vouched_call(kernel: Any, mended: Callable[[Row, Row], Row]) -> Callable[..., Row]:
    """`kernel.call`, with `mended` called on the point and the outputs where these cannot be trusted."""
    if hasattr(kernel, "vouched_call"):
        own: Callable[..., Row] = kernel.vouched_call(mended)
        return own
    call: Callable[..., Row] = kernel.call
    raised, alone = flags.raised, _alone(call)

    def guarded(*point: float) -> Row:
        found = call(*point)
        if not raised() and isfinite(sum(found)):
            return found
        found, doubtful = alone(*point)
        return mended(point, found) if doubtful else found

    return guarded
