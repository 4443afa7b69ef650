"""High-precision numbers: safe from other users of mpmath, safe between threads, and limited in time.

mpmath keeps its working precision in a context that all threads share. So adlab has a context of its own, and one lock for
whoever works with it. Neither the user's `mpmath.mp` nor another thread can change a result of adlab's, and adlab changes none
of theirs. python-flint's precision is global too; the same lock guards it. After a fork the child process gets a new lock,
since a thread that held the old one does not exist there.

One call of mpmath can take hours (`digamma` far to the left). Inside `patience(seconds)`, a call made by `in_time` is ended
when the time is up. It is ended where Python enters a function, never in the middle of an assignment. So what mpmath keeps
for later calls stays whole.

>>> with patience(0.2):
...     in_time(lambda: any(len("x") > 1 for _ in iter(lambda: 0, 1)))
Traceback (most recent call last):
adlab.errors.GaveUp: gave up after 0.2 s: a special function takes too long at this point
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from inspect import CO_GENERATOR
from typing import Any, TypeVar

import mpmath

from adlab.errors import GaveUp, OptionError

CONTEXT: Any = mpmath.MPContext()
PATIENCE = 5.0
"""Seconds that a report may take by default."""
BINARY64 = 53
"""Bits of a double's mantissa."""
UNIT_ROUNDOFF = 2.0**-BINARY64
"""The unit roundoff u: a rounded result is within a factor 1 ± u of the exact one."""

T = TypeVar("T")


class TimeIsUp(BaseException):
    """`in_time` raises it, and the enclosing `patience` block turns it into GaveUp. No `except Exception` catches it."""


class _Mine(threading.local):
    """What belongs to one thread: when its patience ends, and how many `working` blocks it is in."""

    deadline = math.inf
    depth = 0


_mine = _Mine()
_lock = threading.RLock()


@contextmanager
def exclusive() -> Iterator[None]:
    """During this block no other thread works with high precision."""
    with _lock:
        _mine.depth += 1
        try:
            yield
        finally:
            _mine.depth -= 1


@contextmanager
def working(bits: int) -> Iterator[None]:
    """Arithmetic on the numbers of `CONTEXT` runs at `bits` of precision inside this block."""
    with exclusive():
        before = CONTEXT.prec
        if before == bits:  # setting it costs more than an addition
            yield
            return
        CONTEXT.prec = bits
        try:
            yield
        finally:
            CONTEXT.prec = before


def seconds_of(given: Any) -> float:
    """The patience that a caller gives. Raises OptionError where that is no number of seconds."""
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not given >= 0:
        raise OptionError(f"`patience` is a number of seconds, such as {PATIENCE:g}, not {given!r}")
    return given


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Calls by `in_time` end within so many seconds from now, or earlier where an enclosing block says so.

    Raises GaveUp where such a call is ended and nothing inside the block handles that. Raises OptionError for a number of seconds
    that is not one.
    """
    before = _mine.deadline
    _mine.deadline = min(before, clock() + seconds_of(seconds))
    try:
        yield
    except TimeIsUp:
        raise GaveUp(f"gave up after {seconds:.3g} s: a special function takes too long at this point") from None
    finally:
        _mine.deadline = before


def clock() -> float:
    """The clock, in seconds, that every limit of time in adlab goes by."""
    return time.monotonic()


def seconds_left() -> float:
    """The seconds that this thread's patience has left: infinite outside any `patience` block, never below 0."""
    return max(0.0, _mine.deadline - clock())


def still_time() -> None:
    """Raises GaveUp where this thread's patience is over: for work in many small pieces, between them."""
    if clock() > _mine.deadline:
        raise GaveUp("gave up: the time was over before it was done; be more patient")


def in_patience(pieces: Iterable[T]) -> Iterator[T]:
    """The pieces one by one. Raises GaveUp where this thread's patience is over before the last."""
    for piece in pieces:
        still_time()
        yield piece


def share() -> float:
    """The time that one of several pieces of work may take: half of what is left. So something is left for the next piece."""
    return seconds_left() / 2


def if_time(otherwise: T, function: Callable[..., T], *arguments: Any) -> T:
    """`function(*arguments)`, given its share of the time that is left; `otherwise` where the time is too short."""
    return at_most(math.inf, lambda: otherwise, function, *arguments)


def at_most(seconds: float, otherwise: Callable[[], T], function: Callable[..., T], *arguments: Any) -> T:
    """As `if_time`, in `seconds` at most. Nothing is begun when no time is left."""
    limit = min(seconds, share())
    try:
        with patience(limit):
            if not limit:
                raise TimeIsUp
            return function(*arguments)
    except GaveUp:
        return otherwise()


def in_time(function: Callable[..., T], *arguments: Any) -> T:
    """`function(*arguments)`. Raises TimeIsUp where that takes longer than this thread's patience.

    Only Python code can be ended. Nothing is ended while a debugger or a coverage tool watches the calls.
    """
    deadline = _mine.deadline
    if deadline == math.inf or sys.gettrace() is not None:
        return function(*arguments)

    def watch(frame: Any, event: str, argument: Any) -> None:
        """Ends the call. What Python closes or deletes meanwhile is left alone: there it would print the error, and go on."""
        code = frame.f_code
        if clock() > deadline and not code.co_flags & CO_GENERATOR and code.co_name != "__del__":
            raise TimeIsUp

    sys.settrace(watch)
    try:
        return function(*arguments)
    finally:
        sys.settrace(None)


def _in_child() -> None:
    """After a fork only one thread lives on. What the other threads had begun is undone here."""
    global _lock
    if not _mine.depth:
        _lock = threading.RLock()
        CONTEXT.prec = BINARY64


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
