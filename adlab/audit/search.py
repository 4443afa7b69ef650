"""The search for a better form: a beam over rewrites, each form measured by whoever asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from adlab.audit.identities import LARGEST
from adlab.audit.rewrites import rewrites
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
KEPT_BACK = 1 / 3
"""The share of the forms and of the time that is kept for series: a series may be all that helps."""


@dataclass(frozen=True)
class Form:
    """One way to write f: its text, what made it, its correct digits of value and gradient by point, its operations.

    `mean` is the mean of the digits of all values and partials. A form whose value alone is asked for has no gradient.
    """

    text: str
    steps: tuple[str, ...]
    value: tuple[float, ...]
    gradient: tuple[float, ...]
    operations: int
    mean: float

    @property
    def worst(self) -> float:
        """The digits that value and gradient keep at the worst point."""
        return min(*self.value, *self.gradient, 16.0)

    @property
    def score(self) -> tuple[float, float, int]:
        """What is compared: digits at the worst point, digits on average, fewer operations."""
        return (round(min(self.worst, ENOUGH), 1), round(min(self.mean, ENOUGH + 1), 1), -self.operations)

    def nowhere_worse(self, other: Form, margin: float = 0.0) -> bool:
        """Whether it keeps what the other one keeps, up to `ENOUGH`, at every point."""
        mine, theirs = self.value + self.gradient, other.value + other.gradient
        return all(a >= min(b, ENOUGH) - margin for a, b in zip(mine, theirs, strict=True))


Measure = Callable[[Any, tuple[str, ...]], Form | None]
"""The form of an expression that certain steps made. None where its text cannot be read."""


class Search:
    """A beam search. Each round applies every identity at every part of the best forms so far."""

    def __init__(self, measure: Measure, near: Mapping[Any, float], seconds: float = SECONDS) -> None:
        self.measure, self.near = measure, dict(near)
        self.end, self.seconds = time.process_time() + seconds, seconds
        self.known: dict[str, Form] = {}
        """Every form that could be measured, by its text."""
        self._made: list[tuple[Form, Any]] = []
        self._seen: set[str] = set()
        self._rewritten: dict[tuple[Any, bool], list[tuple[str, Any]]] = {}

    @property
    def tried(self) -> int:
        """The number of forms that were looked at."""
        return len(self._seen)

    def best(self, starts: Mapping[str, Any], before: Form, series: bool = False) -> Form:
        """The best form that `DEPTH` rewrites of the starts reach. `starts` are equal expressions, by what made them.

        With `series`, the best forms that were found before are starts, too.
        """
        self._most = MOST if series else round(MOST * (1 - KEPT_BACK))
        self._stop = self.end if series else self.end - KEPT_BACK * self.seconds
        beam = list(self._made) if series else []
        for name, start in starts.items():
            form = before if name == "" else self._form(start, (name,))
            if form is not None:
                beam.append((form, start))
        self._seen.add(before.text)
        for round_ in range(DEPTH):
            beam = sorted(beam, key=lambda pair: pair[0].score, reverse=True)[:WIDTH]
            if beam[0][0].worst >= ENOUGH or self._late():
                break
            made = []
            for form, expression in beam:
                for name, new in self._everywhere(expression, series):
                    if len(self._seen) >= self._most or self._late():
                        break
                    stage(f"round {round_ + 1}, {self.tried} forms")
                    measured = self._form(new, (*form.steps, name))
                    if measured is not None:
                        made.append((measured, new))
            if not made:
                break
            beam += made
        return max((form for form, _ in beam), key=lambda form: form.score)

    def _late(self) -> bool:
        return time.process_time() > self._stop

    def _form(self, expression: Any, steps: tuple[str, ...]) -> Form | None:
        """The form of an expression that was not seen before."""
        text = readable(expression)
        if text in self._seen:
            return None
        self._seen.add(text)
        measured = self.measure(expression, steps)
        if measured is None:
            return None
        self.known[text] = measured
        self._made.append((measured, expression))
        return measured

    def _everywhere(self, expression: Any, series: bool) -> Iterator[tuple[str, Any]]:
        """Every identity at every part of an expression, the whole of it first. An identity at a part is worked out once."""
        for part in reversed(postorder([expression])):
            if not (isinstance(part, sympy.Expr) and part.args):
                continue
            key = part, series
            if key not in self._rewritten:
                if self._late():
                    return
                self._rewritten[key] = [
                    (name, new) for name, new in rewrites(part, self.near, series)
                    if not new.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I) and sympy.count_ops(new) <= 3 * LARGEST
                ]  # fmt: skip
            for name, new in self._rewritten[key]:
                yield name, expression.xreplace({part: new})
