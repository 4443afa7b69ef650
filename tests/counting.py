"""What a computation costs, as a count that every machine gives alike: how many functions it calls."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def calls(work: Callable[[], Any]) -> int:
    """How many functions `work` calls, those written in C among them.

    >>> calls(lambda: [len("ab") for _ in range(100)]) - calls(lambda: [len("ab") for _ in range(10)])
    90
    """
    counted = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted
