"""The results of a contest: cells, and the tables and the picture made of them.

A ratio is always adlab's time over that of the best contestant who solved the same problem within the limit. Contestants start
from different things: some read the SymPy expression, some get the formula term by term in their own language, and some get it
already rewritten with arrays. So the first gradient is compared twice: with all of them, and with those who got it term by
term.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from adlab.bench.goals import goals
from adlab.display import Report, Table

OURS = ("adlab", "adlab-numpy")
FIGURES = {
    "cold": ("The very first gradient in a new process", "ms", 1e3),
    "first": ("From the formula to the first gradient", "ms", 1e3),
    "ready": ("From the formula to the compiled program's first answer, in a new process", "ms", 1e3),
    "point": ("One point", "µs", 1e6),
    "batch": ("A batch of 10,000 points, each", "ns", 1e9),
}
COMPILERS = ("numba", "casadi+c", "ddx", "heyoka", "jax")
"""Peers that compile. The others are ready at once, and slower from then on."""
GIVEN = {
    "SymPy": "From a SymPy expression",
    "terms": "from the formula term by term in its own language",
    "arrays": "from arrays, where someone would put the problem into them by hand",
}


@dataclass
class Cell:
    """One contestant on one problem: seconds by figure, with a lap for each round. `status` says what went wrong.

    `given` is what it starts from, a key of `GIVEN`.
    """

    problem: str
    peer: str
    given: str
    status: str = "ok"
    laps: dict[str, list[float]] = field(default_factory=dict)
    medians: dict[str, list[float]] = field(default_factory=dict)
    gradient: list[float] | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def best(self, figure: str) -> float | None:
        """The shortest lap. None where there is none, or where the result was not the gradient."""
        return min(self.laps[figure], default=None) if figure in self.laps and self.status != "wrong" else None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, in seconds."""
        found: dict[str, Any] = {"problem": self.problem, "peer": self.peer, "given": self.given}
        for figure in FIGURES:
            found[figure] = self.best(figure)
            typical = sorted(self.medians.get(figure, []))
            found[f"{figure}_median"] = typical[len(typical) // 2] if typical else None
        return found | self.extra | {"status": self.status}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Cell:
        """A cell as it was recorded."""
        laps = {figure: [row[figure]] for figure in FIGURES if figure in row and row[figure] is not None}
        medians = {figure: [row[f"{figure}_median"]] for figure in laps if row[f"{figure}_median"] is not None}
        extra: dict[str, Any] = {name: row[name] for name in ("nothing", "operations", "call", "kernel", "kept") if name in row}
        return cls(row["problem"], row["peer"], row["given"], row["status"], laps, medians, None, extra)


@dataclass(frozen=True)
class Bench(Report):
    """All cells, when they were measured, and on which machine."""

    cells: Sequence[Cell]
    about: dict[str, Any]

    def cell(self, problem: str, peer: str) -> Cell | None:
        """One contestant on one problem, if it took part."""
        return next((cell for cell in self.cells if (cell.problem, cell.peer) == (problem, peer)), None)

    def time(self, problem: str, peer: str, figure: str) -> float | None:
        """Its best time in seconds."""
        cell = self.cell(problem, peer)
        return cell.best(figure) if cell else None

    def best_peer(self, problem: str, figure: str, given: Iterable[str] = tuple(GIVEN)) -> Cell | None:
        """The quickest peer of those that start from one of `given`."""
        others = [c for c in self.cells if c.problem == problem and c.peer not in OURS and c.given in given]
        return min((c for c in others if c.best(figure)), key=lambda c: c.best(figure) or 0.0, default=None)

    def ratio(self, problem: str, ours: str, figure: str, given: Iterable[str] = tuple(GIVEN)) -> float | None:
        """adlab's time over that of the best peer, on one problem. None where either is missing."""
        mine, peer = self.time(problem, ours, figure), self.best_peer(problem, figure, given)
        theirs = peer.best(figure) if peer else None
        return mine / theirs if mine is not None and theirs else None

    def to_dict(self) -> dict[str, Any]:
        """`about`, `rows` (one for each cell, in seconds) and `ratios` to the best peer."""
        ratios = [
            {"problem": problem, "peer": peer} | {figure: self.ratio(problem, peer, figure) for figure in FIGURES}
            for problem in self.problems for peer in OURS if self.cell(problem, peer)
        ]  # fmt: skip
        return {"about": self.about, "rows": [cell.to_dict() for cell in self.cells], "ratios": ratios}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Bench:
        """A run as it was recorded."""
        return cls([Cell.from_dict(row) for row in facts["rows"]], facts["about"])

    def sections(self) -> list[Table | str]:
        """The digest, then every contestant's figures."""
        everybody: list[Table | str] = [self._everybody(figure) for figure in FIGURES]
        return [*self.digest().sections(), *everybody]

    def digest(self) -> Digest:
        """Only adlab's rows, against the best peer of each."""
        return Digest(self)

    def plot(self, ax: Any = None) -> Any:
        """On new axes: all figures, one below the other. On given axes: the times at one point. Returns the last Axes."""
        from adlab.plots.bench import draw_bench, panel

        return draw_bench(self) if ax is None else panel(ax, self, "point")

    @property
    def ours(self) -> tuple[str, ...]:
        """The contestants that are adlab's own."""
        return OURS

    @property
    def problems(self) -> list[str]:
        """The problems, in the order of the run."""
        return list(dict.fromkeys(cell.problem for cell in self.cells))

    @property
    def peers(self) -> list[str]:
        """All contestants, in the order of the run."""
        return list(dict.fromkeys(cell.peer for cell in self.cells))

    def starting(self, given: str) -> list[str]:
        """The contestants that start from it. Those that start from arrays do so wherever they can."""
        arrays = {cell.peer for cell in self.cells if cell.given == "arrays"}
        found = dict.fromkeys(cell.peer for cell in self.cells if cell.given == given)
        return [peer for peer in found if given == "arrays" or peer not in arrays]

    def _everybody(self, figure: str) -> Table:
        title, unit, scale = FIGURES[figure]
        rows = [[problem, *(_shown(self.cell(problem, peer), figure, scale) for peer in self.peers)]
                for problem in self.problems]  # fmt: skip
        return Table(f"Everybody: {title[0].lower()}{title[1:]}, {unit}", ["problem", *self.peers], rows,
                     frozenset(self.peers))  # fmt: skip


@dataclass(frozen=True)
class Digest(Report):
    """adlab against the best peer, and the price of a gradient in units of the function."""

    run: Bench

    def to_dict(self) -> dict[str, Any]:
        """As the run's own `to_dict`."""
        return self.run.to_dict()

    def sections(self) -> list[Table | str]:
        """The goals, a table for each figure, the price of a gradient, and the conditions."""
        about = self.run.about
        versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
        conditions = (
            f"Measured {about['date']} on {about['processor']}, one processor, {about['rounds']} rounds, the best of "
            f"them, at most {about['seconds']:g} s a cell. {versions}."
        )
        return [*goals(self.run), self._first(), self._cold(), *self._ready(), self._point(), self._batch(), self._price(),
                conditions]  # fmt: skip

    def _cold(self) -> Table:
        """The first time a process does it, with cold caches: against all peers, and against those who got it term by term."""
        run, given = self.run, ("SymPy", "terms")
        head = ["problem", "adlab", "best peer", "its", "adlab ÷ it", "best given terms", "its ", "adlab ÷ it ",
                "adlab-numpy", "sympy"]  # fmt: skip
        rows = [[problem, _time(run.time(problem, "adlab", "cold"), 1e3), *self._against("adlab", problem, "cold"),
                 *self._against("adlab", problem, "cold", given), _time(run.time(problem, "adlab-numpy", "cold"), 1e3),
                 _shown(run.cell(problem, "sympy"), "cold", 1e3)]
                for problem in run.problems]  # fmt: skip
        return Table(f"{FIGURES['cold'][0]}, ms", head, rows, frozenset(head[1:]),
                     [self._summary("adlab", "cold"), self._summary("adlab", "cold", given)])  # fmt: skip

    def _ready(self) -> list[Table | str]:
        """What compiling costs, and what is left of it where the program is on disk. Empty for a run that did not measure it."""
        run = self.run
        if not any("ready" in cell.laps for cell in run.cells):
            return []
        peers = [peer for peer in ("adlab", "adlab-numpy", *COMPILERS) if peer in run.peers]
        ours = {problem: cell.extra.get("kept") if (cell := run.cell(problem, "adlab")) else None for problem in run.problems}
        again = ["adlab, from disk"] if any(ours.values()) else []
        rows = [[problem, *(_time(ours[problem], 1e3) for _ in again),
                 *(_shown(run.cell(problem, peer), "ready", 1e3) for peer in peers)] for problem in run.problems]  # fmt: skip
        columns = [*again, *peers]
        return [Table(f"{FIGURES['ready'][0]}, ms", ["problem", *columns], rows, frozenset(columns))]

    def _first(self) -> Table:
        """The first gradient: against all peers, against those who got the formula term by term, from nothing, and SymPy's."""
        run, given = self.run, ("SymPy", "terms")
        head = ["problem", "adlab", "best peer", "its", "adlab ÷ it", "best given terms", "its ", "adlab ÷ it ",
                "from nothing", "adlab-numpy", "sympy", "sympy ÷ adlab-numpy"]  # fmt: skip
        rows = []
        for problem in run.problems:
            cell = run.cell(problem, "adlab")
            mine, theirs = run.time(problem, "adlab-numpy", "first"), run.time(problem, "sympy", "first")
            rows.append([
                problem, _time(run.time(problem, "adlab", "first"), 1e3), *self._against("adlab", problem, "first"),
                *self._against("adlab", problem, "first", given), _time(cell.extra.get("nothing") if cell else None, 1e3),
                _time(mine, 1e3), _shown(run.cell(problem, "sympy"), "first", 1e3),
                "–" if mine is None or theirs is None else f"{theirs / mine:,.0f}",
            ])  # fmt: skip
        starts = "; ".join(f"{text}: {', '.join(run.starting(key))}" for key, text in GIVEN.items() if run.starting(key))
        notes = [f"{starts}.", self._summary("adlab", "first"), self._summary("adlab", "first", given)]
        return Table(f"{FIGURES['first'][0]}, ms", head, rows, frozenset(head) - {"problem"}, notes)

    def _point(self) -> Table:
        run = self.run
        head = ["problem", "adlab", "best peer", "its", "adlab ÷ it", "adlab, floats in", "adlab-numpy", "÷ it"]
        rows = []
        for problem in run.problems:
            cell = run.cell(problem, "adlab")
            rows.append([
                problem, _time(run.time(problem, "adlab", "point"), 1e6), *self._against("adlab", problem, "point"),
                _time(cell.extra.get("call") if cell else None, 1e6),
                _time(run.time(problem, "adlab-numpy", "point"), 1e6), _ratio(run.ratio(problem, "adlab-numpy", "point")),
            ])  # fmt: skip
        notes = ["adlab by bound buffers; floats in: a call with a float for each variable, which returns a tuple of floats.",
                 self._summary("adlab", "point")]  # fmt: skip
        return Table("One point, µs", head, rows, frozenset(head) - {"problem"}, notes)

    def _batch(self) -> Table:
        run = self.run
        head = ["problem", "adlab", "best peer", "its", "adlab ÷ it", "adlab-numpy", "torch", "adlab-numpy ÷ torch"]
        rows = []
        for problem in run.problems:
            ours, torch = run.time(problem, "adlab-numpy", "batch"), run.time(problem, "torch", "batch")
            rows.append([problem, _time(run.time(problem, "adlab", "batch"), 1e9),
                         *self._against("adlab", problem, "batch"), _time(ours, 1e9),
                         _shown(run.cell(problem, "torch"), "batch", 1e9),
                         _ratio(ours / torch if ours and torch else None)])  # fmt: skip
        return Table("A batch of 10,000 points, ns each", head, rows, frozenset(head) - {"problem"},
                     [self._summary("adlab", "batch")])  # fmt: skip

    def _against(self, ours: str, problem: str, figure: str, given: Iterable[str] = tuple(GIVEN)) -> list[str]:
        peer = self.run.best_peer(problem, figure, given)
        scale = FIGURES[figure][2]
        return [peer.peer if peer else "–", _time(peer.best(figure) if peer else None, scale),
                _ratio(self.run.ratio(problem, ours, figure, given))]  # fmt: skip

    def _summary(self, ours: str, figure: str, given: Iterable[str] = tuple(GIVEN)) -> str:
        """How the ratios are distributed."""
        found = {p: r for p in self.run.problems if (r := self.run.ratio(p, ours, figure, given)) is not None}
        if not found:
            return "No peer to compare with."
        worst = max(found, key=lambda problem: found[problem])
        whom = "the best peer" if len(tuple(given)) == len(GIVEN) else "the best peer given terms"
        return (f"{ours} ÷ {whom}: median {median(found.values()):.2f}, at most 0.5 on "
                f"{sum(r <= 0.5 for r in found.values())} of {len(found)} rows, at most 1 on "
                f"{sum(r <= 1 for r in found.values())}; worst {found[worst]:.2f} ({worst}).")  # fmt: skip

    def _price(self) -> Table:
        rows = []
        for problem in self.run.problems:
            cell = self.run.cell(problem, "adlab") or self.run.cell(problem, "adlab-numpy")
            if cell is None or "operations" not in cell.extra:
                continue
            alone, both = cell.extra["operations"]
            times = cell.extra.get("kernel")
            rows.append([problem, f"{alone:,}", f"{both:,}", f"{both / alone:.2f}",
                         f"{times[1] / times[0]:.2f}" if times else "–"])  # fmt: skip
        head = ["problem", "f", "f and derivative", "ratio", "kernel time"]
        return Table("Operations, and what f and its derivative together cost in units of f", head, rows,
                     frozenset(head[1:]))  # fmt: skip


def _time(seconds: float | None, scale: float) -> str:
    return "–" if seconds is None else f"{seconds * scale:.3g}"


def _ratio(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.2f}"


def _shown(cell: Cell | None, figure: str, scale: float) -> str:
    if cell is None:
        return "–"
    best = cell.best(figure)
    if best is None:
        return "–" if cell.status == "ok" else cell.status  # a run from before this figure was measured
    return _time(best, scale)
