"""Whether a computation has left binary64's range: the processor's flags, and NumPy's word where NumPy clears them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite

import numpy as np

from adlab.arithmetic import flags

Row = tuple[float, ...]


class Alarm:
    """`raised` once something has overflowed or underflowed."""

    def __init__(self) -> None:
        self.raised = False

    def note(self, kind: str, flag: int) -> None:
        """What NumPy calls."""
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


def guarded_call(call: Callable[..., Row], mended: Callable[[Sequence[float], Row], Row]) -> Callable[..., Row]:
    """The same call, with `mended` called on the point and the outputs where these cannot be trusted."""
    clear, raised = flags.clear, flags.raised

    def guarded(*point: float) -> Row:
        clear()
        found = call(*point)
        return mended(point, found) if raised() or not isfinite(sum(found)) else found

    return guarded
