"""Whether Python code calls a function itself, or compiled code does on its behalf.

Compiled code has no frame of its own: when `rng.normal(size=3)` calls `np.empty`, the innermost frame is the user's. It then
writes floats into the array's memory, so an array of objects in its place would crash the process. So the instruction that is
running is looked at: it calls `np.empty` only if what it calls has that name.
"""

from __future__ import annotations

import dis
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any

NAMES = frozenset(
    ["LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW"]
)
ATTRIBUTES = frozenset(["LOAD_ATTR", "LOAD_METHOD"])
REMEMBERED = 4096
"""Calls in the user's code whose name is kept: each is found once, by a walk over the instructions of its function."""


def calls(frame: FrameType, name: str, function: Any) -> bool:
    """Whether this frame calls `something.name(…)`, or a name of its own that stands for `function`."""
    found, attribute = _called(frame.f_code, frame.f_lasti)
    if attribute or not found:
        return found == name
    return frame.f_locals.get(found, frame.f_globals.get(found)) is function


@lru_cache(REMEMBERED)
def _called(code: CodeType, instruction: int) -> tuple[str, bool]:
    """What the instruction calls, and whether that is an attribute: the longest of the names that are read where the call begins.

    Empty where Python keeps no positions.
    """
    places = list(code.co_positions())
    line, _, column, _ = places[instruction // 2]
    best, found = (-1, -1), ("", False)
    for each in dis.get_instructions(code):
        if each.offset >= instruction or each.opname not in NAMES | ATTRIBUTES:
            continue
        begins, ends, first, last = places[each.offset // 2]
        if column is None or first is None or last is None or (begins, first) != (line, column) or ends is None:
            continue
        if best < (ends, last):
            best, found = (ends, last), (str(each.argval), each.opname in ATTRIBUTES)
    return found


__all__ = ["calls"]
