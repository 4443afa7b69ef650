"""A Hessian-vector product by its four nestings of forward and reverse mode: operations and time of each."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from adlab.autodiff.programs import NESTINGS, fresh, hvp_program
from adlab.compile.program import compile_graph
from adlab.display import Report, Table, significant
from adlab.errors import MethodError
from adlab.function import Function, as_function, point_of
from adlab.inputs import coerce_one

ROUNDS, CALLS = 7, 20
"""The nestings take turns so many times, each with so many calls in a row. The median of the turns counts."""


@dataclass(frozen=True)
class Nested:
    """One nesting: operations of its program, seconds of a call, and the largest error beside `f.hvp`, relative to its largest
    entry."""

    name: str
    operations: int
    ratio: float
    seconds: float
    apart: float


@dataclass(frozen=True)
class Nestings(Report):
    """The four nestings of one function. `ratio` is operations over those of f."""

    title: str
    found: tuple[Nested, ...]

    def sections(self) -> list[Table | str]:
        """One table."""
        rows = [[each.name, f"{each.operations:,}", significant(each.ratio, 3), f"{1e6 * each.seconds:.3g} µs"]
                for each in self.found]  # fmt: skip
        head = ["nesting", "operations", "of f's", "time"]
        return [Table(f"Hessian times a vector: {self.title}", head, rows, frozenset(head[1:]))]

    def to_dict(self) -> dict[str, Any]:
        """The facts as numbers."""
        return {"title": self.title, "rows": [vars(each) for each in self.found]}


def nestings(f: Any, x: Any = None, v: Any = None) -> Nestings:
    """Operations and time of the Hessian times `v` (by default all ones), by each nesting, in compiled programs of plain Python.

    Raises MethodError for several outputs, and what `f.hvp` raises at x.

    >>> found = nestings("x**2*sin(y)", [1.0, 2.0]).found
    >>> [each.name for each in found if each.apart < 1e-15][:2]
    ['forward over reverse', 'reverse over forward']
    """
    g: Function = as_function(f, x)
    if g.m != 1:
        raise MethodError(f"a Hessian needs one output, and this function has m = {g.m}")
    point = point_of(g, x)
    direction = np.ones(g.n) if v is None else coerce_one(v, g.names, "direction")
    true = np.asarray(g.hvp(point, direction))
    names = fresh(g.names, [f"{name}_dot" for name in g.names])
    graphs = {nesting: hvp_program(g.graph, names, nesting) for nesting in NESTINGS}
    given = [*point.tolist(), *direction.tolist()]
    calls: dict[str, Callable[..., tuple[float, ...]]] = {
        name: compile_graph(graph, [(g.n,)], "python").call for name, graph in graphs.items()
    }
    apart = {name: float(np.abs(np.array(call(*given)) - true).max() / (np.abs(true).max() or 1)) for name, call in calls.items()}
    seconds = _medians(calls, given)
    own = len(g.graph.operations) or 1
    counts: dict[str, int] = {name: len(graph.operations) for name, graph in graphs.items()}
    found = (Nested(name, counts[name], counts[name] / own, seconds[name], apart[name]) for name in calls)
    return Nestings(g.title, tuple(found))


def _medians(calls: dict[str, Callable[..., tuple[float, ...]]], given: list[float]) -> dict[str, float]:
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            started = time.perf_counter()
            for _ in range(CALLS):
                call(*given)
            samples[name].append((time.perf_counter() - started) / CALLS)
    return {name: statistics.median(times) for name, times in samples.items()}
