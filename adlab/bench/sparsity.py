"""`adlab bench --sparse`: how few sweeps find a sparse Jacobian or Hessian, beside other colourings, and what they take.

All colour the same pattern, so only the colouring differs. The time of adlab's sparse sweeps is held against that of its dense
ones, and its compiled sparse program against CasADi's sparse Jacobian or Hessian.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from adlab.display import Report, Table
from adlab.function import Function
from adlab.gallery import rosenbrock
from adlab.tracing.traced import from_python

ROUNDS = 3
"""Timed rounds, interleaved; the best time counts."""
LAP = 0.02
"""Seconds that one timed lap takes at least."""
DIFFUSION, GRID, CAMERAS, POINTS = 0.02, 16, 10, 40
"""Of the Brusselator, and of the bundle adjustment: 9 numbers a camera, 3 a point, 2 residuals for each pair."""
OTHERS = {"asdex": "asdex", "group_columns": "scipy", "casadi": "casadi"}
"""Whose colours are counted, and the package that has them."""


@dataclass(frozen=True)
class SparseRow:
    """One matrix: its entries; the sweeps of each colouring; seconds at one point. None where nobody measured."""

    problem: str
    kind: str
    shape: tuple[int, int]
    entries: int
    sweeps: dict[str, int | None]
    times: dict[str, float | None]


@dataclass(frozen=True)
class SparseMatrices(Report):
    """All matrices, and the contestants that are not installed."""

    matrices: Sequence[SparseRow]
    missing: Sequence[str]

    def to_dict(self) -> dict[str, Any]:
        """`matrices`, a row each, and `missing`."""
        return {"matrices": [asdict(row) for row in self.matrices], "missing": list(self.missing)}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> SparseMatrices:
        """As it was recorded."""
        rows = [SparseRow(**{**row, "shape": tuple(row["shape"])}) for row in facts["matrices"]]
        return cls(rows, facts["missing"])

    def sections(self) -> list[Table | str]:
        """The sweeps, then the times."""
        colours = ["adlab", "least", *OTHERS]
        sweeps = [[f"{row.problem}, {row.kind}", f"{row.shape[0]} × {row.shape[1]}", f"{row.entries:,}",
                   *("–" if row.sweeps.get(name) is None else str(row.sweeps[name]) for name in colours)]
                  for row in self.matrices]  # fmt: skip
        head = ["matrix", "shape", "entries", "adlab", "no fewer than", *OTHERS]
        times = [[f"{row.problem}, {row.kind}",
                  *(_milliseconds(row.times.get(name)) for name in ("dense", "sparse", "compiled", "casadi")),
                  _ratio(row.times.get("sparse"), row.times.get("dense")),
                  _ratio(row.times.get("compiled"), row.times.get("casadi"))] for row in self.matrices]  # fmt: skip
        marks = ["matrix", "dense sweeps, ms", "sparse sweeps, ms", "compiled, ms", "CasADi, ms", "sparse ÷ dense",
                 "compiled ÷ CasADi"]  # fmt: skip
        said: list[Table | str] = [
            Table("Sweeps that find the matrix", head, sweeps, frozenset(head[1:])),
            Table("At one point", marks, times, frozenset(marks[1:])),
        ]
        return [*said, *[f"Not installed: {', '.join(self.missing)}."] * bool(self.missing)]


def _milliseconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1e3:.3g}"


def _ratio(ours: float | None, theirs: float | None) -> str:
    return "–" if ours is None or theirs is None else f"{ours / theirs:.2g}"


def sparsity(rounds: int = ROUNDS, progress: Callable[[str], None] = lambda line: None) -> SparseMatrices:
    """Counts and measures every matrix, with whoever is installed."""
    missing = sorted({package for package in OTHERS.values() if not find_spec(package)})
    rows = []
    for name, (kind, make) in PROBLEMS.items():
        rows.append(_row(name, kind, make(), rounds))
        progress(f"{name}: {rows[-1].sweeps['adlab']} sweeps")
    return SparseMatrices(rows, missing)


def _row(name: str, kind: str, f: Function, rounds: int) -> SparseRow:
    x = np.array(f.point)
    second = kind == "Hessian"
    coloring = f.hessian_coloring if second else f.coloring
    shape = (f.n if second else f.m, f.n)
    sweeps: dict[str, int | None] = {"adlab": coloring.sweeps, "least": coloring.least}
    rows = np.repeat(np.arange(shape[0]), [len(row) for row in coloring.pattern])
    columns = np.concatenate([np.array(row, dtype=int) for row in coloring.pattern])
    sweeps |= {other: COUNTERS[other](rows, columns, shape, second) for other, package in OTHERS.items() if find_spec(package)}
    own = f.hessian if second else f.jacobian
    program = f.compile(derivative=kind.lower(), sparse=True)
    options = {"sparse": True} if second else {"sparse": True, "method": "auto"}
    calls = {"dense": lambda: own(x), "sparse": lambda: own(x, **options), "compiled": _bound(program, x)}
    if find_spec("casadi"):
        calls["casadi"] = _casadi(f, x, second)
    return SparseRow(name, kind, shape, coloring.entries, sweeps, _timed(calls, rounds))


def _timed(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float | None]:
    """The best time of each call, in turn."""
    turns, best = {}, dict[str, float | None]()
    for name, call in calls.items():
        call()
        start = time.perf_counter()
        call()
        turns[name] = max(1, int(LAP / (time.perf_counter() - start)))
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(turns[name]):
                call()
            lap = (time.perf_counter() - start) / turns[name]
            best[name] = min(lap, best.get(name) or lap)
    return best


def _bound(program: Any, x: Any) -> Callable[[], Any]:
    """One call of a sparse program from a buffer to a buffer."""
    step: Callable[[], Any] = program.program.bind(x, np.empty(len(program.program.graph.outputs)))
    return step


# --- other colourings, and CasADi's matrices ------------------------------------------------------------------------


def _group_columns(rows: Any, columns: Any, shape: tuple[int, int], second: bool) -> int:
    from scipy.optimize._numdiff import group_columns
    from scipy.sparse import csc_array

    pattern = csc_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    return int(group_columns(pattern).max()) + 1


def _asdex(rows: Any, columns: Any, shape: tuple[int, int], second: bool) -> int:
    import warnings

    import asdex

    pattern = asdex.SparsityPattern(rows.astype(np.int32), columns.astype(np.int32), shape)
    find = asdex.hessian_coloring_from_sparsity if second else asdex.jacobian_coloring_from_sparsity
    with warnings.catch_warnings():  # it warns where it needs as many sweeps as a dense matrix
        warnings.simplefilter("ignore")
        return int(find(pattern).num_colors)


def _casadi_colors(rows: Any, columns: Any, shape: tuple[int, int], second: bool) -> int:
    import casadi

    pattern = casadi.Sparsity.triplet(*shape, rows.tolist(), columns.tolist())
    if second:
        return int(pattern.star_coloring().size2())
    return min(int(pattern.uni_coloring().size2()), int(pattern.T.uni_coloring().size2()))


COUNTERS: dict[str, Callable[..., int]] = {"asdex": _asdex, "group_columns": _group_columns, "casadi": _casadi_colors}


def _casadi(f: Function, x: Any, second: bool) -> Callable[[], Any]:
    import casadi

    from adlab.peers.casadi import NUMBERS

    at = casadi.SX.sym("x", f.n)
    outputs = casadi.vertcat(*map(casadi.SX, NUMBERS.outputs(f.graph, casadi.vertsplit(at))))
    matrix = casadi.hessian(outputs, at)[0] if second else casadi.jacobian(outputs, at)
    slope = casadi.Function("slope", [at], [matrix])
    bound: Any = slope.buffer()
    buffer, run = bound
    kept = x, np.empty(slope.nnz_out(0))
    buffer.set_arg(0, kept[0].data)
    buffer.set_res(0, kept[1].data)

    def call(kept: Any = (buffer, kept)) -> None:  # the buffers live as long as the call
        run()

    return call


# --- the problems ---------------------------------------------------------------------------------------------------


def _traced(of: Callable[[Any], Any], x: Any) -> Function:
    f = from_python(lambda x: found if not isinstance(found := of(x), list) else np.stack(found), x)
    f.point = tuple(x.tolist())
    return f


def _spread(n: int) -> Any:
    """Values between 0.5 and 1.5, no two neighbours alike."""
    return 1 + 0.5 * np.sin(1.0 + np.arange(n))


def _arrowhead(n: int) -> Function:
    return _traced(lambda x: x[0] ** 4 + sum((x[i] - x[0]) ** 4 for i in range(1, n)), _spread(n))


def _band(n: int) -> Function:
    """Broyden's tridiagonal function."""

    def of(x: Any) -> list[Any]:
        return [x[i] * (3 - 2 * x[i]) - x[max(i - 1, 0)] - 2 * x[min(i + 1, n - 1)] + 1 for i in range(n)]

    return _traced(of, _spread(n))


def _arrow(n: int) -> Function:
    return _traced(lambda x: [sum(x[i] ** 2 for i in range(n)), *(x[0] * np.sin(x[i]) for i in range(1, n))], _spread(n))


def _brusselator() -> Function:
    """Two substances on a grid with periodic sides, one after the other."""
    n, scale = GRID, DIFFUSION * GRID**2

    def rates(x: Any) -> list[Any]:
        def near(first: int, i: int, j: int) -> Any:
            around = ((i + 1) % n, j), ((i - 1) % n, j), (i, (j + 1) % n), (i, (j - 1) % n)
            return scale * (sum(x[first + n * a + b] for a, b in around) - 4 * x[first + n * i + j])

        places = [(i, j) for i in range(n) for j in range(n)]
        u = [1 + x[n * i + j] ** 2 * x[n * n + n * i + j] - 4.4 * x[n * i + j] + near(0, i, j) for i, j in places]
        v = [3.4 * x[n * i + j] - x[n * i + j] ** 2 * x[n * n + n * i + j] + near(n * n, i, j) for i, j in places]
        return u + v

    return _traced(rates, _spread(2 * n * n))


def _bundle() -> Function:
    """Every camera sees every point: rotation, translation, focal length and two distortions against a position."""

    def residuals(x: Any) -> list[Any]:
        found = []
        for camera in (x[9 * k : 9 * k + 9] for k in range(CAMERAS)):
            r, t, (f, k1, k2) = camera[:3], camera[3:6], camera[6:]
            angle = np.sqrt(r[0] ** 2 + r[1] ** 2 + r[2] ** 2)
            cos, sin, w = np.cos(angle), np.sin(angle), [r[0] / angle, r[1] / angle, r[2] / angle]
            for point in (x[9 * CAMERAS + 3 * k : 9 * CAMERAS + 3 * k + 3] for k in range(POINTS)):
                along = w[0] * point[0] + w[1] * point[1] + w[2] * point[2]
                p = [point[i] * cos + (w[i - 2] * point[i - 1] - w[i - 1] * point[i - 2]) * sin + w[i] * along * (1 - cos) + t[i]
                     for i in range(3)]  # fmt: skip
                u, v = -p[0] / p[2], -p[1] / p[2]
                size = u**2 + v**2
                scale = f * (1 + size * (k1 + size * k2))
                found += [scale * u, scale * v]
        return found

    x = _spread(9 * CAMERAS + 3 * POINTS)
    return _traced(residuals, x)


PROBLEMS: dict[str, tuple[str, Callable[[], Function]]] = {
    "Rosenbrock": ("Hessian", lambda: rosenbrock(1000)),
    "arrowhead": ("Hessian", lambda: _arrowhead(500)),
    "band": ("Jacobian", lambda: _band(1000)),
    "Brusselator": ("Jacobian", _brusselator),
    "arrow": ("Jacobian", lambda: _arrow(500)),
    "bundle adjustment": ("Jacobian", _bundle),
}
"""What is differentiated."""
