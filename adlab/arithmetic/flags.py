"""The processor's flags for overflow and underflow: cleared before a computation and read after it.

Setting a flag costs no time. So a program runs at full speed, and afterwards one can tell whether a number left the range of
binary64 on the way (IEEE 754-2019, section 7). NumPy clears the flags for its own use, so NumPy computations are judged by
their values instead. On an unknown platform `raised` always answers True; then the slower look at the values decides.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Callable
from functools import partial

# FE_ALL_EXCEPT, FE_OVERFLOW | FE_UNDERFLOW in <fenv.h> of glibc, by processor.
MASKS = {"x86_64": (0x3D, 0x18), "AMD64": (0x3D, 0x18), "aarch64": (0x1F, 0x0C)}


def _found() -> tuple[Callable[[], object], Callable[[], int]]:
    """Functions that clear the flags, and that say whether a number overflowed or underflowed since: 0 if none did."""
    masks = MASKS.get(platform.machine())
    if masks is None or not sys.platform.startswith("linux"):
        return (lambda: None), (lambda: True)
    everything, range_ = masks
    try:
        library = ctypes.PyDLL("libm.so.6")  # does not give up Python's lock, for a nanosecond's work
        clear_all, test = library.feclearexcept, library.fetestexcept
    except (OSError, AttributeError):
        return (lambda: None), (lambda: True)
    if not _works(partial(clear_all, everything), partial(test, range_)):
        return (lambda: None), (lambda: True)
    return partial(clear_all, everything), partial(test, range_)


def _works(clear: Callable[[], object], raised: Callable[[], int]) -> bool:
    """Whether the flags are right: measured on three products."""
    small, large = float("1e-200"), float("1e200")
    found = []
    for a, b in ((small, small), (large, large), (small, large)):
        clear()
        a * b
        found.append(bool(raised()))
    clear()
    return found == [True, True, False]


clear, raised = _found()
clear()
known: bool = not raised()
"""Whether the flags of this platform can be read. If not, `raised` is always true."""
