"""Finds out whether a computation has left binary64's range: by the processor's flags, and by NumPy's own reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite

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
    alarm.raised = alarm.raised or flags.raised()


def all_finite(found: FloatArray) -> bool:
    """Whether no entry is infinite or NaN. For few numbers Python's sum is faster than NumPy."""
    if found.size <= FEW:
        return isfinite(sum(found.ravel().tolist())) or bool(np.isfinite(found).all())
    return bool(np.isfinite(found).all())


def guarded_step(
    step: Callable[[], None], by_numpy: bool, results: FloatArray, mend: Callable[[bool], object]
) -> Callable[[], None]:
    """The same step. It calls `mend` where the results cannot be trusted, and says whether the alarm was raised."""
    clear, raised = flags.clear, flags.raised

    def guarded() -> None:
        clear()
        step()
        alarmed = raised()  # read before NumPy runs, since NumPy clears the flags
        if alarmed or not all_finite(results):
            mend(alarmed)

    def watching() -> None:
        with watched() as alarm:
            step()
        if alarm.raised or not all_finite(results):
            mend(alarm.raised)

    return watching if by_numpy else guarded


def guarded_call(call: Callable[..., Row], mended: Callable[[Sequence[float], Row], Row]) -> Callable[..., Row]:
    """The same call. It calls `mended` on the point and the outputs where these cannot be trusted."""
    clear, raised = flags.clear, flags.raised

    def guarded(*point: float) -> Row:
        clear()
        found = call(*point)
        return mended(point, found) if raised() or not isfinite(sum(found)) else found

    return guarded
