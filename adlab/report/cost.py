"""What each derivative costs: counted operations, evaluations of f, values kept alive, and measured time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from adlab import precision
from adlab.autodiff.unrolling import Tally, tally
from adlab.display import Report, Table, count, explained, significant
from adlab.errors import AdlabError
from adlab.function import Function
from adlab.graph.graph import Graph
from adlab.graph.liveness import peak
from adlab.inputs import FloatArray, takes_at
from adlab.methods import Method, chosen
from adlab.precision import PATIENCE
from adlab.report.accuracy import STATUS, Attempt
from adlab.report.bare import automatic, evaluations, formula, writable
from adlab.report.stopwatch import measured
from adlab.symbolic.derivative import derivative_of
from adlab.tracing.places import at_point

LEGEND = [
    "operations: primitives in the program of the value and all partials. ratio: operations over those of f. weighted: the",
    "same with the table's weights (an addition 1, a division 4, a sine 12). theory: what the ratio is, or can be at most.",
    "tape: most values alive at once. time: of the formula or program alone, on plain numbers, as f is timed; the median of",
    "interleaved repeats. beside it: what adlab's call takes more, to choose steps, estimate the error, check the result.",
]


@dataclass(frozen=True)
class CostRow:
    """One method at one point. `operations` counts primitives, each as one. `weighted` counts them by the table's weights.

    `ratio` and `weighted_ratio` are relative to one evaluation of f. `bound` is what theory allows for `ratio`. `evaluations`
    are the values of f that a sampling formula takes. `tape` is the largest number of values alive at once. `seconds` is the
    median time. `extra_evaluations` and `extra_seconds` count what adlab does besides the formula: choose a step, estimate the
    error, check the result.
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
    extra_evaluations: int | None = None
    extra_seconds: float | None = None
    status: str = "ok"
    note: str = ""


@dataclass(frozen=True)
class Cost(Report):
    """`rows`: first the function itself, then each method. `counts` by primitive, for each program."""

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
        head = ["method", "operations", "ratio", "weighted", "theory", "evaluations", "tape", "time", "time ratio",
                "beside it", "status"]  # fmt: skip
        rows = [
            [
                row.method, count(row.operations), significant(row.ratio, 3), significant(row.weighted_ratio, 3),
                row.bound or "–", count(row.evaluations), count(row.tape), duration(row.seconds),
                significant(row.time_ratio, 3), _beside(row), explained(row.status, row.note),
            ]
            for row in self.rows
        ]  # fmt: skip
        right = frozenset(head[1:4] + head[5:10])
        lines = [f"{name}: " + ", ".join(f"{k} {v}" for k, v in found.items()) for name, found in self.counts.items()]
        return [Table("cost", head, rows, right, LEGEND), "operations by primitive\n" + "\n".join(lines)]

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """A bar for each method: its operations in evaluations of f. `options` go to `Axes.barh`. Returns the Axes."""
        from adlab.plots.pieces import price_bars

        priced = [(row.method, row.ratio) for row in self.rows if row.ratio]
        names, ratios = [name for name, _ in priced], [ratio for _, ratio in priced]
        return price_bars(names, ratios, ax, f"cost of the derivatives of {self.name}", options)


def _beside(row: CostRow) -> str:
    """What adlab does besides the formula: "4 f, 1.2 ms"."""
    parts = [] if row.extra_evaluations is None else [f"{count(row.extra_evaluations)} f"]
    return ", ".join([*parts, *([duration(row.extra_seconds)] if row.extra_seconds is not None else [])]) or "–"


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


@takes_at
def cost(
    f: Any,
    x: Any = None,
    methods: Iterable[str] | None = None,
    timed: bool = True,
    attempts: Mapping[str, Attempt] | None = None,
    patience: float = PATIENCE,
) -> Cost:
    """Counts what each method costs at the point `x`; measures it too if `timed`.

    `attempts` are calls that were already made, by method; slow ones are not repeated. Work that would exceed `patience`
    seconds gives up, and its row says so.

    >>> found = cost("x*sin(x)", 2.0, methods=["reverse"], timed=False)
    >>> [(row.method, row.operations) for row in found.rows]
    [('f', 2), ('reverse', 5)]
    """
    f, point = at_point(f, x)
    names = chosen(methods, f.graph)
    made = attempts or {}
    with precision.patience(patience):
        own = _tally(f.graph, point)
        counted = {name: _counted(f, own, method, point, made.get(name)) for name, method in names.items()}
        right = [names[name] for name, row in counted.items() if row.status == "ok"]
        nothing: tuple[dict[str, float], dict[str, float]] = {}, {}
        times, bare = precision.if_time(nothing, _times, f, point, right, made) if timed else nothing
    base = CostRow("f", own.operations, own.weight, 1.0, 1.0, "1", 1, own.peak, times.get("f"), 1.0)
    rows = [base, *(_with_time(row, times, bare) for row in counted.values())]
    counts = {"f": f.graph.counts()}
    for mode in ("reverse", "forward"):
        if mode in counted and counted[mode].operations is not None and writable(f, mode):
            counts[f"{mode} program"] = f.program(mode).counts()
    return Cost(f.title, f.n, f.m, rows, counts)


def _times(
    f: Function, point: FloatArray, right: list[Method], made: Mapping[str, Attempt]
) -> tuple[dict[str, float], dict[str, float]]:
    """The times of calls, by method; and the times of the bare formulas, where a call does more than evaluate one."""
    results = {name: tried.result for name, tried in made.items() if tried.result is not None}
    formulas = {m.name: call for m in right if (call := formula(f, m, point, results.get(m.name) or m(f, point)))}
    return measured(f, point, right, {name: tried.seconds for name, tried in made.items()}, formulas)


def _with_time(row: CostRow, times: dict[str, float], bare: dict[str, float]) -> CostRow:
    whole = times.get(row.method)
    if whole is None:
        return row
    seconds = bare.get(row.method, whole)
    beside = max(0.0, whole - seconds) if row.method in bare else None
    return replace(row, seconds=seconds, time_ratio=seconds / times["f"], extra_seconds=beside)


# --- counting ---------------------------------------------------------------------------------------------------


def _tally(graph: Graph, point: FloatArray) -> Tally:
    """What a run of the graph takes at the point. A loop that is too long to be followed counts as one operation."""
    try:
        return tally(graph, point.tolist())
    except AdlabError:
        return Tally(len(graph.operations), graph.weight(), peak(graph))


def _counted(f: Function, own: Tally, method: Method, point: FloatArray, tried: Attempt | None) -> CostRow:
    if tried is not None and tried.result is None:
        return CostRow(method.name, status=tried.status, note=tried.note)
    try:
        result = method(f, point) if tried is None or tried.result is None else tried.result
    except AdlabError as reason:
        return CostRow(method.name, status=STATUS.get(type(reason), "refused"), note=first_sentence(reason))
    if method.family == "automatic":
        return _program_row(f, own, method.name, point)
    if method.family == "symbolic":
        return _symbolic_row(f, method.name)
    if result.evaluations is None:
        return CostRow(method.name)
    taken = evaluations(method, f.n)
    beside = None if taken is None else max(0, result.evaluations - taken)
    many = result.evaluations if taken is None else taken
    complex_note = "each operation on complex numbers" if method.family == "complex step" else ""
    return CostRow(method.name, many * own.operations, many * own.weight, float(many), float(many),
                   "" if taken is None else str(taken), many, extra_evaluations=beside, note=complex_note)  # fmt: skip


def _program_row(f: Function, own: Tally, name: str, point: FloatArray) -> CostRow:
    if not writable(f, name):
        return CostRow(name, bound=_bound(name, f.n, f.m), note=f"not written down: {f.n} sweeps over {len(f.graph):,} nodes")
    program = automatic(f, name, point)
    taken = _tally(program, point)
    note = "loops and solvers count as one operation" if program.compound and taken.operations == len(program.operations) else ""
    return CostRow(name, taken.operations, taken.weight, taken.operations / max(1, own.operations),
                   taken.weight / max(1.0, own.weight), _bound(name, f.n, f.m), None, taken.peak, note=note)  # fmt: skip


def _bound(name: str, n: int, m: int) -> str:
    """Griewank & Walther: an adjoint sweep costs 3 to 4 evaluations of f, a tangent sweep 2 to 2.5."""
    sweeps = n if name == "forward" else m
    if name != "forward":
        return "≤ 4" if sweeps == 1 else f"≤ 1 + 3×{sweeps}"
    return "≤ 2.5" if sweeps == 1 else f"≤ 1 + 1.5×{sweeps}"


def _symbolic_row(f: Function, name: str) -> CostRow:
    """The operations that SymPy counts in the expression that is really evaluated: the plain one, or the one after cse."""
    sizes = derivative_of(f, name == "symbolic-cse").sizes
    operations = sizes.cse_operations if name == "symbolic-cse" else sizes.tree_operations
    own = max(1, len(f.graph.operations))
    return CostRow(name, operations, None, None if operations is None else operations / own, note="count_ops; partials only")


def first_sentence(reason: Exception) -> str:
    """The reason, without lines that only decorate it."""
    return str(reason).splitlines()[0]
