"""A batch on several threads. Each computes a block of rows; NumPy and machine code work without Python's lock meanwhile.

The rows do not depend on each other. So any number of threads gives the same numbers, bit by bit.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from adlab.errors import OptionError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

FloatArray = npt.NDArray[np.float64]
Threads = int | Literal["auto"]
WORTH = 2**19
"""Operations that a thread gets at least. They take some 0.2 ms; handing a block to a thread takes 0.03 ms."""
WHOLE = 64
"""Rows: blocks are multiples of it, so that machine code cuts them into the same vectors as the whole batch."""
MOST = 256
"""Threads at most: more than the processors of any machine that shares one memory, so a larger number is a slip."""


def counted(threads: Threads) -> int:
    """The number of threads: for "auto" the processors that this process may use. Raises OptionError for no such number.

    >>> counted(2)
    2
    """
    if threads == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or not 1 <= threads <= MOST:
        raise OptionError(f'threads={threads!r} is neither "auto" nor a whole number from 1 to {MOST}')
    return int(threads)


def in_blocks(
    compute: Callable[[FloatArray, FloatArray | None], FloatArray], rows: FloatArray, outputs: int, operations: int, threads: int
) -> FloatArray:
    """`compute(rows, out)`, (N, inputs) → (N, outputs), in as many blocks as there are threads and the work is worth.

    `out` is where the results are to be written; None leaves the choice of the place to `compute`.
    """
    blocks = min(threads, len(rows) * operations // WORTH, len(rows) // WHOLE)
    if blocks < 2:
        return compute(rows, None)
    found = np.empty((len(rows), outputs))
    edges = [round(len(rows) * k / blocks / WHOLE) * WHOLE for k in range(blocks)] + [len(rows)]

    def block(start: int, stop: int) -> None:
        compute(rows[start:stop], found[start:stop])

    others = [_pool(threads).submit(block, *ends) for ends in pairwise(edges[1:])]
    try:
        block(*edges[:2])  # this thread works too
    finally:
        for other in others:
            other.result()
    return found


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # few commands need it, and it brings `logging`

    return ThreadPoolExecutor(threads, thread_name_prefix="adlab")
