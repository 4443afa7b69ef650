"""A corpus: formulas from a file, each with its variables and points. A formula that cannot be read says why."""

from __future__ import annotations

import hashlib
import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, overload

from adlab.display import Report, Table
from adlab.errors import AdlabError, UnsupportedExpression
from adlab.function import Function
from adlab.text.printing import readable
from adlab.text.traversal import brief

WIDE = 1000.0
"""A range whose ends have a larger ratio is sampled by its logarithm."""
UNSAID = (0.5, 2.0)
"""The range of a variable if the file gives none: most functions are real and smooth there."""


@dataclass(frozen=True)
class Entry:
    """One formula of a file.

    `formula` is a text or a SymPy expression; None where it could not be read, and then `reason` says why. `variables` names
    its variables in order; None stands for all that occur. `point` and `ranges` are what the file says of them. `source` says
    where the formula stands.
    """

    name: str
    formula: Any
    variables: tuple[str, ...] | None = None
    point: Mapping[str, float] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    source: str = ""
    reason: str = ""

    @property
    def function(self) -> Function:
        """The formula as a Function. Raises UnsupportedExpression where it could not be read, and what `Function` raises."""
        if self.formula is None:
            raise UnsupportedExpression(self.reason)
        f = Function(self.formula, self.variables, name=self.name)
        if self.point and set(f.names) <= set(self.point):
            f.point = tuple(self.point[name] for name in f.names)
        return f

    def points(self, count: int, f: Function | None = None) -> list[tuple[float, ...]]:
        """`count` points drawn from the ranges. The same name gives the same points on every machine.

        >>> Entry("cube", "x**3", ranges={"x": (1.0, 3.0)}).points(1) == Entry("cube", "x**3", ranges={"x": (1.0, 3.0)}).points(1)
        True
        """
        return list(islice(self.draws((f or self.function).names), count))

    def draws(self, names: Sequence[str]) -> Iterator[tuple[float, ...]]:
        """These points one by one, without an end, for a function of these variables."""
        seed = int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:8], "big")
        chance = random.Random(seed)
        while True:
            yield tuple(drawn(chance, *self.ranges.get(name, UNSAID)) for name in names)


def drawn(chance: random.Random, low: float, high: float) -> float:
    """A number in the range with at most 20 binary digits, so that it can be written down exactly in a short decimal."""
    if low > 0 and high / low > WIDE:
        value = math.exp(chance.uniform(math.log(low), math.log(high)))
    else:
        value = chance.uniform(low, high)
    if value == 0 or not math.isfinite(value):
        return value
    short = math.ldexp(round(math.frexp(value)[0] * 2**20), math.frexp(value)[1] - 20)
    return min(max(short, low), high)


@dataclass(frozen=True)
class Corpus(Report, Sequence[Entry]):
    """The formulas of a file, in its order: a sequence of `Entry`."""

    path: str
    kind: str
    entries: tuple[Entry, ...]

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        return self.entries[index]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def faults(self) -> list[tuple[Entry, str]]:
        """The formulas that adlab cannot take, each with the reason."""
        return [(entry, reason) for entry in self.entries if (reason := _reason(entry))]

    def to_dict(self) -> dict[str, Any]:
        """`path, kind, rows`: name, formula, variables, point, reason of each."""
        return {"path": self.path, "kind": self.kind, "rows": [
            {"name": entry.name, "formula": None if entry.formula is None else _text(entry.formula),
             "variables": list(entry.variables or ()), "point": dict(entry.point), "source": entry.source,
             "reason": _reason(entry)}
            for entry in self.entries
        ]}  # fmt: skip

    def sections(self) -> list[Table | str]:
        """How many formulas were read, and the first of them; then the ones that could not be read, by reason."""
        faults = self.faults()
        head = f"{self.path}: {len(self)} formulas as {self.kind}, {len(self) - len(faults)} read"
        shown = [entry for entry in self.entries if entry.formula is not None][:SHOWN]
        cells = [[entry.name, _short(_text(entry.formula)), ", ".join(f"{k}={v:.6g}" for k, v in list(entry.point.items())[:4])]
                 for entry in shown]  # fmt: skip
        title = "the first" if len(self) > len(shown) else ""
        parts: list[Table | str] = [head, Table(title, ["name", "formula", "point"], cells)]
        if faults:
            counted = Counter(reason for _, reason in faults).most_common(SHOWN)
            example = {reason: entry.name for entry, reason in reversed(faults)}
            rows = [[str(n), _short(reason, 90), example[reason]] for reason, n in counted]
            parts.append(Table("not read", ["formulas", "why", "for example"], rows, frozenset({"formulas"})))
        return parts


SHOWN = 10
"""Lines of a table that represents a whole file."""


def _text(formula: Any) -> str:
    """A formula as text. SymPy cannot print one that is very deep."""
    try:
        return formula if isinstance(formula, str) else readable(formula)
    except RecursionError:
        return brief(formula)


def _short(text: str, limit: int = 70) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _reason(entry: Entry) -> str:
    try:
        entry.function  # noqa: B018 - it is the reading that counts
    except AdlabError as reason:
        return str(reason).splitlines()[0]
    return ""
