"""What each derivative costs: operations counted, evaluations of f, values kept alive, and time measured."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from adlab.autodiff.programs import Mode
from adlab.compile.program import WALKS
from adlab.display import Report, Table, count, significant
from adlab.errors import AdlabError
from adlab.function import Function, as_function, point_of
from adlab.graph.graph import Graph
from adlab.graph.liveness import peak
from adlab.inputs import FloatArray
from adlab.methods import LARGEST_FORWARD_PROGRAM, SWEEPS, Method, chosen
from adlab.report.accuracy import STATUS, Attempt
from adlab.symbolic.derivative import derivative_of

SECONDS = 0.25
"""How long all timings together take, about."""
LONG = 0.2


@dataclass(frozen=True)
class CostRow:
    """One method at one point. `operations` counts primitives, each as one; `weighted` by the table's weights.

    `ratio` and `weighted_ratio` are to one evaluation of f; `bound` is what theory allows for `ratio`. `evaluations`
    of f are counted where f is sampled. `tape` is the peak number of values alive. `seconds` is the median time.
    """

    method: str
    operations: int | None = None
    weighted: float | None = None
    ratio: float | None = None
    weighted_ratio: float | None = None
    bound: str = ""
    evaluations: int | None = None
    tape: int | None = None
    seconds: float | None = None
    time_ratio: float | None = None
    status: str = "ok"
    note: str = ""


@dataclass(frozen=True)
class Cost(Report):
    """`rows`, the function itself first, then each method; `counts` by primitive for what is a program."""

    name: str
    n: int
    m: int
    rows: list[CostRow]
    counts: dict[str, dict[str, int]]

    def row(self, method: str) -> CostRow:
        """The row of a method (`"f"` for the function itself)."""
        return next(row for row in self.rows if row.method == method)

    def to_dict(self) -> dict[str, Any]:
        """`rows` with the fields of `CostRow`, and `counts` {program: {primitive: count}}."""
        return {"rows": [asdict(row) for row in self.rows], "counts": self.counts}

    def sections(self) -> list[Table | str]:
        """The table, then how often each primitive occurs."""
        head = ["method", "operations", "ratio", "weighted", "theory", "evaluations", "tape", "time", "time ratio", "status"]
        rows = [
            [
                row.method, count(row.operations), significant(row.ratio, 3), significant(row.weighted_ratio, 3),
                row.bound or "–", count(row.evaluations), count(row.tape), duration(row.seconds),
                significant(row.time_ratio, 3), row.status + (f": {row.note}" if row.note else ""),
            ]
            for row in self.rows
        ]  # fmt: skip
        notes = [
            "operations: primitives in the program, value and all partials; ratio: to one evaluation of f; weighted:",
            "the same with the table's weights (an addition 1, a division 4, a sine 12); tape: most values alive at once;",
            "time: median of interleaved repeats of the method's own call, Python overhead included. Differences count the",
            "evaluations for their error estimates too; theory is what the bare formula takes.",
        ]
        right = frozenset(head[1:4] + head[5:9])
        lines = [f"{name}: " + ", ".join(f"{k} {v}" for k, v in found.items()) for name, found in self.counts.items()]
        return [Table("cost", head, rows, right, notes), "operations by primitive\n" + "\n".join(lines)]

    def plot(self, ax: Any = None) -> Any:
        """A bar for each method: operations as a multiple of one evaluation of f. Returns the Axes."""
        from adlab.plots.canvas import axes

        ax = axes(ax)
        rows = [row for row in self.rows if row.ratio is not None]
        ax.barh([row.method for row in rows][::-1], [row.ratio for row in rows][::-1], color="#0072B2")
        ax.set_xscale("log")
        ax.set_xlabel("operations, as a multiple of one evaluation of f")
        return ax


def duration(seconds: float | None) -> str:
    """Seconds as a person reads them.

    >>> duration(2.5e-6), duration(0.25)
    ('2.5 µs', '250 ms')
    """
    if seconds is None:
        return "–"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def cost(
    f: Any,
    x: Any = None,
    methods: Iterable[str] | None = None,
    timed: bool = True,
    attempts: Mapping[str, Attempt] | None = None,
) -> Cost:
    """Counts, and where `timed` measures, what each method costs at the point `x`; `attempts` are calls that were made
    already, by method: those that took long are not made again.

    >>> found = cost("x*sin(x)", 2.0, methods=["reverse"], timed=False)
    >>> [(row.method, row.operations) for row in found.rows]
    [('f', 2), ('reverse', 5)]
    """
    f = as_function(f)
    point = point_of(f, x)
    names = chosen(methods)
    made = attempts or {}
    counted = {name: _counted(f, method, point, made.get(name)) for name, method in names.items()}
    right = [names[name] for name, row in counted.items() if row.status == "ok"]
    times = _measured(f, point, right, {name: tried.seconds for name, tried in made.items()}) if timed else {}
    base = CostRow("f", len(f.graph.operations), f.graph.weight(), 1.0, 1.0, "1", 1, peak(f.graph), times.get("f"), 1.0)
    rows = [base, *(_with_time(row, times) for row in counted.values())]
    counts = {"f": f.graph.counts()}
    for mode in ("reverse", "forward"):
        if mode in counted and counted[mode].operations is not None and _writable(f, mode):
            counts[f"{mode} program"] = f.program(mode).counts()
    return Cost(f.name, f.n, f.m, rows, counts)


def _with_time(row: CostRow, times: dict[str, float]) -> CostRow:
    seconds = times.get(row.method)
    if seconds is None:
        return row
    return CostRow(**{**asdict(row), "seconds": seconds, "time_ratio": seconds / times["f"]})


# --- counting ---------------------------------------------------------------------------------------------------


def _counted(f: Function, method: Method, point: FloatArray, tried: Attempt | None) -> CostRow:
    if tried is not None and tried.result is None:
        return CostRow(method.name, status=tried.status, note=tried.note)
    try:
        result = method(f, point) if tried is None or tried.result is None else tried.result
    except AdlabError as reason:
        return CostRow(method.name, status=STATUS.get(type(reason), "refused"), note=first_sentence(reason))
    if method.family == "automatic":
        return _program_row(f, method.name)
    if method.family == "symbolic":
        return _symbolic_row(f, method.name)
    evaluations = result.evaluations
    if evaluations is None:
        return CostRow(method.name)
    own = len(f.graph.operations)
    complex_note = "each operation on complex numbers" if method.family == "complex step" else ""
    return CostRow(method.name, evaluations * own, evaluations * f.graph.weight(), float(evaluations),
                   float(evaluations), _sampling_bound(method.name, f.n), evaluations, None, note=complex_note)  # fmt: skip


def _writable(f: Function, mode: str) -> bool:
    return mode == "reverse" or f.n * len(f.graph) <= LARGEST_FORWARD_PROGRAM


def _program_row(f: Function, mode: Any) -> CostRow:
    if not _writable(f, mode):
        return CostRow(mode, bound=_bound(mode, f.n, f.m), note=f"not written down: {f.n} sweeps over {len(f.graph):,} nodes")
    return _ratios(f, mode, f.program(mode), _bound(mode, f.n, f.m))


def _ratios(f: Function, name: str, program: Graph, bound: str) -> CostRow:
    operations, weighted = len(program.operations), program.weight()
    own, own_weight = max(1, len(f.graph.operations)), max(1.0, f.graph.weight())
    return CostRow(name, operations, weighted, operations / own, weighted / own_weight, bound, None, peak(program))


def _bound(mode: Mode, n: int, m: int) -> str:
    """Griewank & Walther: an adjoint sweep costs 3 to 4 evaluations of f, a tangent sweep 2 to 2.5."""
    sweeps = m if mode == "reverse" else n
    if mode == "reverse":
        return "≤ 4" if sweeps == 1 else f"≤ 1 + 3×{sweeps}"
    return "≤ 2.5" if sweeps == 1 else f"≤ 1 + 1.5×{sweeps}"


def _sampling_bound(name: str, n: int) -> str:
    points = {"forward-difference": 1 + n, "backward-difference": 1 + n, "central-difference": 2 * n, "complex-step": n}
    order = name.rsplit("-", 1)[-1]
    if order in ("4", "6", "8"):
        return str(int(order) * n)
    return str(points[name]) if name in points else ""


def _symbolic_row(f: Function, name: str) -> CostRow:
    """Counted as SymPy counts, on the expression that is really evaluated: plain, or after cse."""
    sizes = derivative_of(f, name == "symbolic-cse").sizes
    operations = sizes.cse_operations if name == "symbolic-cse" else sizes.tree_operations
    own = max(1, len(f.graph.operations))
    return CostRow(name, operations, None, None if operations is None else operations / own, note="count_ops; partials only")


def first_sentence(reason: Exception) -> str:
    """The reason without the lines that only decorate it."""
    return str(reason).splitlines()[0]


# --- measuring --------------------------------------------------------------------------------------------------


def _measured(f: Function, point: FloatArray, methods: list[Method], known: Mapping[str, float]) -> dict[str, float]:
    """Median seconds of f and of each method, interleaved so that all meet the same noise; a call that is `known` to be
    so long that noise is nothing to it, and so are the first calls, is taken at that."""
    long = {method.name: known[method.name] for method in methods if known.get(method.name, 0.0) > LONG}
    calls: dict[str, Callable[[], Any]] = {"f": lambda: f.values(point)}
    for method in methods:
        if method.name not in long or method.needs != "values":  # what has a formula to prepare is slow at first only
            calls[method.name] = partial(method, f, point)
    repeats = {name: _repeats(call) for name, call in calls.items()}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + SECONDS
    while len(samples["f"]) < 5 or time.perf_counter() < end:
        for name, call in calls.items():
            started = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            samples[name].append((time.perf_counter() - started) / repeats[name])
        if time.perf_counter() > end + 20 * SECONDS:
            break
    return long | {name: statistics.median(found) for name, found in samples.items()}


def _repeats(call: Callable[[], Any]) -> int:
    """Warm up, past the calls after which a program is compiled, and see how many calls make half a millisecond."""
    for _ in range(SWEEPS + WALKS + 2):
        started = time.perf_counter()
        call()
        once = time.perf_counter() - started
        if once > 0.05:
            return 1
    return max(1, min(200, int(5e-4 / max(once, 1e-7))))
