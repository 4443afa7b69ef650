"""The search for a better form: a beam over rewrites, each form measured by whoever asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from adlab.audit.identities import LARGEST
from adlab.audit.rewrites import rewrites, series as power_series
from adlab.progress import stage
from adlab.text.printing import readable
from adlab.text.traversal import postorder

ENOUGH = 14.0
"""Correct digits with which the search is content."""
WIDTH, DEPTH = 8, 4
"""The number of forms that each round of the search starts from, and the number of rounds."""
MOST = 500
"""Forms that are measured in one search."""
SECONDS = 15.0
"""Processor time of one search. What was found until then is the answer."""
PASSES = ((0.08, False), (0.16, True), (0.7, False), (1.0, True))
"""Passes of a search: the share of time and forms at which each ends, and whether it may write series.

A series needs a branch, so identities come first. Where these do not help soon, a series often does, and it is found at once.
"""


@dataclass(frozen=True)
class Form:
    """One way to write f: its text, what made it, and its operations.

    `kept` has the correct digits by point: of the value, then of each partial. A form whose value alone is asked for has no
    partials. `sweep` is the number of operands to which a reverse sweep passes an adjoint: what the gradient costs besides.
    """

    text: str
    steps: tuple[str, ...]
    kept: tuple[tuple[float, ...], ...]
    operations: int
    sweep: int = 0

    @property
    def value(self) -> tuple[float, ...]:
        """The digits of the value, by point."""
        return tuple(row[0] for row in self.kept)

    @property
    def gradient(self) -> tuple[float, ...]:
        """The digits of the worst partial, by point."""
        return tuple(min(row[1:], default=16.0) for row in self.kept)

    @property
    def worst(self) -> float:
        """The digits that value and gradient keep at the worst point."""
        return min(map(min, self.kept))

    @property
    def mean(self) -> float:
        """The digits that value and partials keep on average."""
        return sum(sum(row) / len(row) for row in self.kept) / len(self.kept)

    @property
    def score(self) -> tuple[float, float, int]:
        """What is compared: digits at the worst point, digits on average, fewer operations."""
        return (round(min(self.worst, ENOUGH), 1), round(min(self.mean, ENOUGH + 1), 1), -self.operations)

    def losses(self, other: Form) -> list[float]:
        """What it loses to the other form, by point: the digits, up to `ENOUGH`, that the value or a partial keeps there only."""
        return [max(max(min(b, ENOUGH) - a for a, b in zip(mine, theirs, strict=True)), 0.0)
                for mine, theirs in zip(self.kept, other.kept, strict=True)]  # fmt: skip

    def nowhere_worse(self, other: Form, margin: float = 0.0) -> bool:
        """Whether value and partials keep what they keep in the other form, up to `ENOUGH`, at every point."""
        return max(self.losses(other)) <= margin


KEPT = 60
"""Forms that are measured again after points were added."""
Made = tuple[Form, Any]
"""A form and its expression."""
Measure = Callable[[Any, tuple[str, ...]], Form | None]
"""The form of an expression that certain steps made. None where its text cannot be read."""


class Search:
    """A beam search. Each round applies every identity at every part of the best forms so far."""

    def __init__(self, measure: Measure, near: Mapping[Any, float], seconds: float = SECONDS) -> None:
        self.measure, self.near = measure, dict(near)
        self.begun, self.seconds = time.process_time(), seconds
        self.known: dict[str, Form] = {}
        """Every form that could be measured, by its text."""
        self._made: dict[str, Any] = {}
        self._unreadable: set[str] = set()
        self._rewritten: dict[tuple[Any, Any], list[tuple[str, Any]]] = {}

    @property
    def tried(self) -> int:
        """The number of forms that were looked at."""
        return len(self.known) + len(self._unreadable)

    def passes(self, starts: Mapping[str, Any], before: Form) -> Iterator[Form]:
        """The best form that rewrites of the starts reach, after each pass. `starts` are equal expressions, by what made them."""
        self.known[before.text], self._made[before.text] = before, starts[""]
        for part, series in PASSES:
            self._stop, self._most = self.begun + part * self.seconds, MOST * part
            self._pass(before.text, starts, series)
            yield max(self.known.values(), key=lambda form: form.score)

    def measure_again(self) -> None:
        """Measures the best forms once more, after the points changed. The others are forgotten, but not looked at again."""
        ranked = sorted(self.known.values(), key=lambda form: form.score, reverse=True)
        for form in ranked[:KEPT]:
            measured = self.measure(self._made[form.text], form.steps)
            if measured is not None:  # as before
                self.known[form.text] = measured
        for form in ranked[KEPT:]:
            self._unreadable.add(form.text)
            del self.known[form.text]

    def _pass(self, itself: str, starts: Mapping[str, Any], series: bool) -> None:
        """`DEPTH` rounds, until the end of the pass: from the starts, and for series from every form that is known.

        What an earlier pass did costs hardly any time again. But its best forms, at which it broke off, do not crowd out others.
        """
        seen: set[str] = set()
        found = {text: (form, self._made[text]) for text, form in self.known.items() if series or text == itself}
        for name, start in starts.items():
            self._note(start, (name,) if name else (), seen, found)
        own = {itself, *map(readable, starts.values())}
        for round_ in range(DEPTH + series):
            beam = sorted(found.values(), key=lambda pair: pair[0].score, reverse=True)[:WIDTH]
            if series and not round_:  # the formula's own series is shorter than those of what was made of it
                beam = [pair for pair in found.values() if pair[0].text in own] or beam
            if not beam or beam[0][0].worst >= ENOUGH or self._late():
                break
            before = len(found)
            for form, expression in beam:
                for name, new in self._everywhere(expression, series):
                    if self.tried >= self._most or self._late():
                        break
                    self._note(new, (*form.steps, name), seen, found)
            if len(found) == before and not (series and not round_):
                break

    def _late(self) -> bool:
        return time.process_time() > self._stop

    def _note(self, expression: Any, steps: tuple[str, ...], seen: set[str], found: dict[str, Made]) -> None:
        """Measures the form of an expression, once in a search, and puts it among what this pass found."""
        text = readable(expression)
        if text in seen or text in self._unreadable:
            return
        seen.add(text)
        if text not in self.known:
            best = max((form.worst for form, _ in found.values()), default=0.0)
            stage(f"{self.tried} forms, the best keeps {best:.0f} digits")
            measured = self.measure(expression, steps)
            if measured is None:
                self._unreadable.add(text)
                return
            self.known[text], self._made[text] = measured, expression
        found.setdefault(text, (self.known[text], expression))

    def _everywhere(self, expression: Any, series: bool) -> Iterator[tuple[str, Any]]:
        """Every identity at every part of an expression, the whole of it first. An identity at a part is worked out once."""
        for part in reversed(postorder([expression])):
            if not (isinstance(part, sympy.Expr) and part.args):
                continue
            for rule in (rewrites, power_series) if series else (rewrites,):
                if (rule, part) not in self._rewritten:
                    if self._late():
                        return
                    self._rewritten[rule, part] = [
                        (name, new) for name, new in rule(part, self.near)
                        if not new.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I) and sympy.count_ops(new) <= 3 * LARGEST
                    ]  # fmt: skip
                for name, new in self._rewritten[rule, part]:
                    yield name, expression.xreplace({part: new})
