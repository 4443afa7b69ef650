"""Processes that adlab starts: one Python, on one processor, with limits."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def alone(*arguments: str, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
    """Python, in a process that never leaves one processor: one thread for everybody, adlab as it is imported here."""
    root = str(Path(__file__).resolve().parents[1])
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    one = dict.fromkeys(["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"], "1")
    with on_one_processor():
        return subprocess.run([sys.executable, *arguments], env={**os.environ, **one, "PYTHONPATH": paths},
                              capture_output=True, text=True, timeout=seconds, check=False)  # fmt: skip


@contextlib.contextmanager
def on_one_processor() -> Iterator[None]:
    """The last that this process may run on. Processes started here stay there, from the first on, so that their caches
    are warm; nothing need be run in them between fork and exec, which threads forbid."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
