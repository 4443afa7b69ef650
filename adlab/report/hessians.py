"""Hessians side by side: the accuracy, size and cost of every method's second derivatives at one point."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from adlab.display import Report, Table, count, explained, significant
from adlab.errors import AdlabError
from adlab.function import Function
from adlab.inputs import FloatArray
from adlab.precision import if_time, patience, share
from adlab.progress import stage
from adlab.report.accuracy import FEW, STATUS, AccuracyRow, accuracy_table, row_measured
from adlab.report.cost import duration
from adlab.report.hessian_methods import METHODS, HessianMethod, chosen, nested, symbolic_hessian
from adlab.report.hessian_screen import screen
from adlab.report.hessian_truth import HessianTruth, hessian_truth
from adlab.report.verdict import FULL, Sentence, listed
from adlab.symbolic.treesize import Distinct, tree_operations_of_graph
from adlab.text.traversal import listing

ASYMMETRIC = 1e-9  # relative to the larger of both entries; no rounding of a well-conditioned Hessian explains more
LONG = 0.5  # seconds: a call that took longer is not repeated for its time
ENOUGH_SECONDS = 0.02  # seconds of repeated calls; the quickest call is the time


@dataclass(frozen=True)
class HessianRow:
    """One method: the digits of its worst second partial, its asymmetry (relative), the operations of its program (None where
    there is none), the same as a multiple of f's, and the seconds of a call.
    """

    method: str
    digits: float | None = None
    worst: str = ""
    asymmetry: float | None = None
    operations: int | None = None
    ratio: float | None = None
    evaluations: str = ""
    seconds: float | None = None
    status: str = "ok"
    note: str = ""


@dataclass(frozen=True)
class HessianComparison(Report):
    """One function at one point.

    It has the `truth`, a row for each method, the second partials of each method in `accuracy`, the sizes of f, gradient and
    Hessian in `swell`, and the `verdict` in sentences.
    """

    function: Function
    point: FloatArray
    truth: HessianTruth
    rows: list[HessianRow]
    accuracy: list[AccuracyRow]
    swell: Table
    verdict: list[Sentence]

    def row(self, method: str) -> HessianRow:
        """The row of a method."""
        return next(row for row in self.rows if row.method == method)

    def to_dict(self) -> dict[str, Any]:
        """`name, point, truth, rows, accuracy, swell, verdict`."""
        return {
            "name": self.function.name, "point": dict(zip(self.function.names, self.point.tolist(), strict=True)),
            "truth": self.truth.to_dict(), "rows": [asdict(row) for row in self.rows],
            "accuracy": [asdict(row) for row in self.accuracy],
            "swell": [dict(zip(self.swell.head, row, strict=True)) for row in self.swell.rows],
            "verdict": [{"text": s.text, "because": list(s.because)} for s in self.verdict],
        }  # fmt: skip

    @property
    def tree(self) -> str:
        """Operations of SymPy's Hessian as a tree, "gave up" where there is none."""
        return str(self.swell.rows[-1][1])

    @property
    def program(self) -> str:
        """Operations of the Hessian's program."""
        return str(self.swell.rows[-1][3])

    def sections(self) -> list[Table | str]:
        """A screen: what was asked, a line for each method, the verdict. `full` has the tables."""
        return self.sections_at(None)

    def sections_at(self, width: int | None) -> list[Table | str]:
        """As `sections`, for a terminal of this width."""
        return screen(self, width)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """A bar for each method: the correct digits of its worst second partial. `options` go to `Axes.barh`."""
        from adlab.plots.pieces import digits_by_method

        f = self.function
        place = listing([f"{name} = {x:.6g}" for name, x in zip(f.names, self.point.tolist(), strict=True)], FEW)
        return digits_by_method(self.accuracy, ax, f"Hessian of {f.title} at {place}", options)

    @property
    def full(self) -> FullHessians:
        """The same comparison with every table but `table`."""
        return FullHessians(self)

    def table(self) -> Table:
        """Every second partial by every method."""
        return accuracy_table(self.accuracy)


@dataclass(frozen=True)
class FullHessians(Report):
    """A comparison of Hessians with the truth, every fact of each method, and swell."""

    brief: HessianComparison

    def to_dict(self) -> dict[str, Any]:
        """What the comparison has."""
        return self.brief.to_dict()

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """As the comparison's."""
        return self.brief.plot(ax, **options)

    def sections(self) -> list[Table | str]:
        """The truth, a line for each method, swell, the verdict."""
        head = ["method", "digits", "worst", "asymmetry", "operations", "ratio", "evaluations", "time", "status"]
        cells = [
            [r.method, significant(r.digits, 3), r.worst or "–", "–" if r.asymmetry is None else f"{r.asymmetry:.1g}",
             count(r.operations), significant(r.ratio, 3), r.evaluations or "–", duration(r.seconds),
             explained(r.status, r.note)]
            for r in self.brief.rows
        ]  # fmt: skip
        f = self.brief.function
        place = ", ".join(f"{name} = {value!r}" for name, value in zip(f.names, self.brief.point.tolist(), strict=True))
        words = "verdict\n" + "\n".join(f"• {sentence.text}" for sentence in self.brief.verdict)
        title = f"second derivatives of {f.title} at {place}\n{self.brief.truth.line()}"
        right = frozenset(["digits", "asymmetry", "operations", "ratio", "evaluations", "time"])
        return [title, self.brief.truth.sections()[1], Table("methods", head, cells, right), self.brief.swell, words]


def compare_hessians(
    f: Function, point: FloatArray, methods: Iterable[str] | None = None, timed: bool = True
) -> HessianComparison:
    """Every method's Hessian at one point, judged. Raises MethodError for several outputs and for unknown methods."""
    stage("working out the truth")
    with patience(share()):
        judged = hessian_truth(f, point.tolist())
    rows, accuracy = [], []
    for name, method in chosen(methods).items():
        stage(f"second derivatives: {name}")
        row, partials = _tried(f, method, point, judged, timed)
        rows.append(row)
        accuracy += partials
    return HessianComparison(f, point, judged, rows, accuracy, _swell(f), _verdict(judged, rows))


def _tried(
    f: Function, method: HessianMethod, point: FloatArray, judged: HessianTruth, timed: bool
) -> tuple[HessianRow, list[AccuracyRow]]:
    operations, ratio = _operations(f, method)
    evaluations = method.evaluations(f.n) if method.evaluations else ""
    row = HessianRow(method.name, operations=operations, ratio=ratio, evaluations=evaluations)
    started = time.perf_counter()
    try:
        with patience(share()):
            found = method.hessian(f, point)
        taken = time.perf_counter() - started
        seconds = if_time(taken, _timed, lambda: method.hessian(f, point), taken) if timed else None
    except AdlabError as reason:
        return replace(row, status=STATUS.get(type(reason), "refused"), note=str(reason).splitlines()[0]), []
    names = f.names
    partials = [
        row_measured(AccuracyRow(method.name, f"∂{names[i]}∂{names[j]}", float(found[i, j])), judged.component(i, j))
        for i in range(f.n)
        for j in range(f.n)
    ]
    known = [partial for partial in partials if partial.digits is not None and partial.relative_error != math.inf]
    worst = min(known, key=lambda partial: partial.digits or 0.0, default=None)
    finite = bool(np.isfinite(found).all())
    status = "ok" if finite else "not finite"
    beside = max((partial.error or 0.0 for partial in partials if partial.relative_error == math.inf), default=0.0)
    note = f"up to {beside:.1e} where the truth is 0" if beside else ""
    return replace(
        row, digits=None if worst is None else worst.digits, worst="" if worst is None else worst.variable,
        asymmetry=asymmetry(found) if finite else None, seconds=seconds, status=status,
        note=note,
    ), partials  # fmt: skip


def asymmetry(hessian: FloatArray) -> float:
    """The largest |Hᵢⱼ − Hⱼᵢ|, relative to the larger of both; 0 for a symmetric matrix.

    >>> asymmetry(np.array([[1.0, 2.0], [2.5, 3.0]]))
    0.2
    """
    with np.errstate(all="ignore"):
        apart = np.abs(hessian - hessian.T)
        size = np.maximum(np.abs(hessian), np.abs(hessian.T))
        relative = np.where(apart == 0, 0.0, apart / size)
    return float(np.max(np.nan_to_num(relative, nan=math.inf), initial=0.0))


def _timed(call: Any, first: float) -> float:
    """The quickest of several calls. The first one took `first` seconds; no other is made if that was long."""
    best, end = first, time.perf_counter() + ENOUGH_SECONDS
    while first < LONG and time.perf_counter() < end:
        started = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - started)
    return best


def _operations(f: Function, method: HessianMethod) -> tuple[int | None, float | None]:
    own = max(1, len(f.graph.operations))
    try:
        if method.program is not None:
            operations = len(method.program(f).operations)
        elif method.family == "symbolic":
            sizes = symbolic_hessian(f, method.name == "symbolic-cse").sizes
            operations = sizes.tree_operations if method.name == "symbolic" else sizes.cse_operations or 0
        else:
            return None, None
    except (AdlabError, ValueError):
        return None, None
    return operations, operations / own


def _swell(f: Function) -> Table:
    """The sizes of f, its gradient and its Hessian, as trees and as programs."""
    head = ["what", "as a tree", "after cse", "as a program"]
    rows = [["f", _tree(f), "–", count(len(f.graph.operations))]]
    gradient = f.program("reverse")
    rows.append(["gradient", count(tree_operations_of_graph(gradient)), "–", count(len(gradient.operations))])
    try:
        with patience(share()):
            sizes = symbolic_hessian(f, True).sizes
        tree, shared = count(sizes.tree_operations), count(sizes.cse_operations)
    except (AdlabError, ValueError):
        tree = shared = "gave up"
    try:
        program = count(len(nested("forward", "reverse")(f).operations))
    except AdlabError:
        program = "not written"
    rows.append(["Hessian", tree, shared, program])
    legend = ["operations; the gradient's tree is its program written out, value included; the Hessian's tree is SymPy's"]
    return Table("swell", head, rows, frozenset(head[1:]), legend)


def _tree(f: Function) -> str:
    return count(Distinct.of(f.outputs).tree_operations) if f.readable else "–"


def _verdict(judged: HessianTruth, rows: list[HessianRow]) -> list[Sentence]:
    said = []
    if judged.status == "unavailable":
        said.append(Sentence(f"There is no Hessian to judge by: {judged.reason}.", ("truth",), "truth"))
    good = [row.method for row in rows if row.digits is not None and row.digits >= FULL and row.status == "ok"]
    if good:
        said.append(Sentence(f"Trust {listed(good)}: every second partial keeps at least {FULL:g} of 16 digits.",
                             tuple(f"accuracy: {name}" for name in good)))  # fmt: skip
    lossy: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        exact = METHODS[row.method].family in ("automatic", "symbolic", "complex step")
        if exact and row.digits is not None and row.digits < FULL:
            lossy.setdefault((f"{row.digits:.1f}", row.worst), []).append(row.method)
    for (digits, worst), names in lossy.items():
        text = f"{listed(names)} {'keeps' if len(names) == 1 else 'keep'} {digits} of 16 digits in {worst}"
        said.append(Sentence(f"{text}.", tuple(f"accuracy: {name}" for name in names)))
    for row in rows:
        family, because = METHODS[row.method].family, (f"accuracy: {row.method}",)
        if row.asymmetry is not None and row.asymmetry > ASYMMETRIC and family != "difference":
            text = f"{row.method} is not symmetric, by {row.asymmetry:.1g} of an entry: a Hessian is, so one of the two is wrong"
            said.append(Sentence(f"{text}.", because))
    return [*said, *_of_differences(rows), *_of_cost(rows)]


def _of_differences(rows: list[HessianRow]) -> list[Sentence]:
    sampled = [row for row in rows if METHODS[row.method].family == "difference" and row.digits is not None]
    if not sampled:
        return []
    best, worst = max(sampled, key=lambda row: row.digits or 0), min(sampled, key=lambda row: row.digits or 0)
    if (best.digits or 0) < 1:
        return [Sentence("No difference keeps a digit.", tuple(f"accuracy: {row.method}" for row in sampled))]
    text = f"Among differences, {best.method} keeps the most digits, {best.digits:.1f} of 16"
    if worst is not best:
        text += f", and {worst.method} the fewest, {worst.digits:.1f}"
        text += ": the roundoff of f is divided by h²" if worst.method == "differences of values" else ""
    return [Sentence(f"{text}.", (f"accuracy: {best.method}", f"accuracy: {worst.method}"))]


def _of_cost(rows: list[HessianRow]) -> list[Sentence]:
    counted = [row for row in rows if row.operations and METHODS[row.method].family == "automatic"]
    if not counted:
        return []
    cheap = min(counted, key=lambda row: row.operations or 0)
    text = f"Cost: {cheap.method} is the shortest program, {cheap.ratio:.1f} evaluations of f"
    return [Sentence(f"{text}.", (f"cost: {cheap.method}",), "cost")]
