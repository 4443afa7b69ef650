"""`adlab bench --c`: one gradient in C, as `f.to_c` writes it and as CasADi does, both compiled by `gcc -O2`.

adlab's C also tells when a number leaves binary64's range on the way; with -DADLAB_NO_RANGE_CHECK it does not look. CasADi's C
never looks, so that is the fair comparison. Jacobians are sparse in both. Files of formulas may be named too: some rows of each.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from adlab.display import Report, Table, count
from adlab.errors import MethodError, MissingExtra, OptionError, UnsupportedExpression
from adlab.function import Function

FLAGS = ("-std=c99", "-O2", "-shared", "-fPIC")
LAP = 0.001
"""Seconds that one timed loop takes at least: far more than a clock's tick, and less than other processes often stay away."""
ROUNDS = 3
LOOPS = 20
"""Loops of each program in a round, interleaved. The best time counts."""
SAMPLE = 40
"""Formulas of a file, about, spread evenly."""
DIGITS = 1e-9
"""How closely both gradients must agree, relative to the largest partial."""
HARNESS = """\
#include <stddef.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

double ours(int (*f)(const double *, double *), const double *x, double *out, long turns)
{
    const double start = now();
    for (long k = 0; k < turns; k++)
        f(x, out);
    return now() - start;
}

double theirs(int (*f)(const double **, double **, long long *, double *, int), const double **arg, double **res, long long *iw,
              double *w, long turns)
{
    const double start = now();
    for (long k = 0; k < turns; k++)
        f(arg, res, iw, w, 0);
    return now() - start;
}
"""


@dataclass(frozen=True)
class CRow:
    """One function: seconds for a gradient in adlab's C, the same without looking for overflow, and in CasADi's C.

    `source` is the file of a formula; nothing for the gallery's functions.
    """

    function: str
    partials: int
    checked: float
    plain: float
    casadi: float
    source: str = ""


@dataclass(frozen=True)
class InC(Report):
    """All functions. `refused` are those that one of the two cannot write, with the reason."""

    in_c: Sequence[CRow]
    refused: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """`in_c`, a row for each function in seconds, and `refused`."""
        return {"in_c": [asdict(row) for row in self.in_c], "refused": self.refused}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> InC:
        """As it was recorded."""
        return cls([CRow(**row) for row in facts["in_c"]], facts["refused"])

    def sections(self) -> list[Table | str]:
        """Nanoseconds and ratios of the gallery, then medians, and those of each file."""
        head = ["function", "partials", "adlab, ns", "without range check, ns", "CasADi, ns", "÷ it", "without check ÷ it"]
        by_source: dict[str, list[CRow]] = {}
        for row in self.in_c:
            by_source.setdefault(row.source, []).append(row)
        own = by_source.pop("", [])
        rows = [[row.function, count(row.partials), *(f"{seconds * 1e9:.3g}" for seconds in (row.checked, row.plain, row.casadi)),
                 f"{row.checked / row.casadi:.2f}", f"{row.plain / row.casadi:.2f}"] for row in own]  # fmt: skip
        said: list[Table | str] = [Table("One gradient, or sparse Jacobian, in C (gcc -O2)", head, rows, frozenset(head[1:]))]
        if own:
            checked, plain = _over_casadi(own)
            said.append(f"Over CasADi: median {median(checked):.2f}, worst {max(checked):.2f}; without the range check "
                        f"median {median(plain):.2f}, worst {max(plain):.2f}.")  # fmt: skip
        if by_source:
            columns = ["file", "formulas", "÷ CasADi, median", "worst", "without range check, median", "worst "]
            files = [[source, count(len(some)), *(f"{number:.2f}" for ratios in _over_casadi(some)
                                                  for number in (median(ratios), max(ratios)))]
                     for source, some in by_source.items()]  # fmt: skip
            said.append(Table("Formulas of files, over CasADi", columns, files, frozenset(columns[1:])))
        if self.refused:
            said.append("Left out: " + "; ".join(f"{name}: {reason}" for name, reason in self.refused.items()))
        return said


def _over_casadi(rows: Sequence[CRow]) -> tuple[list[float], list[float]]:
    """The time over CasADi's, with and without the range check."""
    return [row.checked / row.casadi for row in rows], [row.plain / row.casadi for row in rows]


def in_c(
    functions: Iterable[tuple[Function, Sequence[float]]] | None = None,
    rounds: int = ROUNDS,
    progress: Callable[[str], None] = lambda line: None,
    files: Mapping[str, Sequence[tuple[Function, Sequence[float]]]] | None = None,
) -> InC:
    """Measures functions at points, by default the gallery, then SAMPLE rows of each of the `files`.

    Raises MissingExtra without CasADi, OptionError without gcc.
    """
    if find_spec("casadi") is None:
        raise MissingExtra('CasADi is what adlab is compared with; pip install "adlab[peers]"')
    if shutil.which("gcc") is None:
        raise OptionError("gcc is what compiles both; it is not installed")
    chosen = [(f, point, "") for f, point in (_gallery() if functions is None else functions)]
    for source, every in (files or {}).items():
        chosen += [(f, point, source) for f, point in every[:: max(1, len(every) // SAMPLE)]]
    rows, refused = [], dict[str, str]()
    left = Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        harness = _library(Path(folder), "harness", HARNESS)
        for turn, (f, point, source) in enumerate(chosen):
            try:
                row = _row(f, list(map(float, point)), Path(folder), f"f{turn}", harness, rounds)
                rows.append(replace(row, source=source))
                progress(f"{_called(f)}: {rows[-1].plain / rows[-1].casadi:.2f} of CasADi's time")
            except (UnsupportedExpression, MethodError) as reason:
                if source:
                    left[source] += 1
                else:
                    refused[_called(f)] = str(reason).splitlines()[0]
    refused |= {source: f"formulas that one of the two cannot write, or on which they differ: {number}"
                for source, number in left.items()}  # fmt: skip
    return InC(rows, refused)


def _called(f: Function) -> str:
    return f.title if f.name == "f" else f.name


def _gallery() -> list[tuple[Function, Sequence[float]]]:
    from adlab.gallery import GALLERY

    made = [make() for make in GALLERY.values()]
    return [(f, f.point) for f in made if f.point is not None]


def _row(f: Function, point: list[float], folder: Path, name: str, harness: Any, rounds: int) -> CRow:
    whole = f.m > 1
    code = f.to_c("jacobian" if whole else "gradient", name=f"{name}_adlab", at=point, sparse=whole)
    text, size = _casadi(f, f"{name}_casadi")
    libraries = [_library(folder, f"{name}{ending}", source, *flags) for ending, source, flags in (
        ("checked", str(code), ()), ("plain", str(code), ("-DADLAB_NO_RANGE_CHECK",)), ("casadi", text, ()))]  # fmt: skip
    x, out, other = np.array(point), np.full(max(1, f.m * f.n), np.nan), np.full(max(1, size), np.nan)
    at, into, into_other = x.ctypes.data, out.ctypes.data, other.ctypes.data
    kernel = getattr(libraries[2], f"{name}_casadi")
    sizes = [ctypes.c_longlong() for _ in range(4)]
    getattr(libraries[2], f"{name}_casadi_work")(*map(ctypes.byref, sizes))
    arg, res = (ctypes.c_void_p * (sizes[0].value + 1))(at), (ctypes.c_void_p * (sizes[1].value + 1))(into_other)
    iw, w = (ctypes.c_longlong * (sizes[2].value + 1))(), (ctypes.c_double * (sizes[3].value + 1))()
    loops = [*(_loop(harness.ours, getattr(library, f"{name}_adlab"), ctypes.c_void_p(at), ctypes.c_void_p(into))
               for library in libraries[:2]), _loop(harness.theirs, kernel, arg, res, iw, w)]  # fmt: skip
    best = [float("inf")] * 3
    turns = [_turns(loop) for loop in loops]
    for _ in range(rounds * LOOPS):
        best = [min(known, loop(k) / k) for known, loop, k in zip(best, loops, turns, strict=True)]
    agreed(f, point, np.sort(out[np.isfinite(out) & (out != 0)]), np.sort(other[np.isfinite(other) & (other != 0)]))
    return CRow(_called(f), size, best[0], best[1], best[2])


def agreed(f: Function, point: list[float], ours: Any, theirs: Any) -> None:
    """Raises MethodError where the entries that are not 0 differ. Each writes them in an order of its own."""
    scale = max(np.abs(ours).max(initial=0), np.abs(theirs).max(initial=0))
    if len(ours) != len(theirs) or (np.abs(ours - theirs) > DIGITS * scale).any():
        raise MethodError(f"CasADi's C has another gradient at {point[:4]}")


def _loop(run: Any, *arguments: Any) -> Callable[[int], float]:
    run.restype = ctypes.c_double
    return lambda turns: float(run(*arguments, ctypes.c_long(turns)))


def _turns(loop: Callable[[int], float]) -> int:
    """Turns that take long enough to be timed."""
    turns = 1
    while loop(turns) < LAP:
        turns *= 2
    return turns


def _casadi(f: Function, name: str) -> tuple[str, int]:
    """CasADi's C for its own derivative of the same graph, and how many numbers come out."""
    import casadi

    from adlab.peers.casadi import NUMBERS

    x = casadi.SX.sym("x", f.n)
    outputs = casadi.vertcat(*map(casadi.SX, NUMBERS.outputs(f.graph, casadi.vertsplit(x))))
    slope = casadi.Function(name, [x], [casadi.jacobian(outputs, x)])
    writer = casadi.CodeGenerator(f"{name}.c")
    writer.add(slope)
    return str(writer.dump()), int(slope.nnz_out(0))


def _library(folder: Path, name: str, source: str, *flags: str) -> Any:
    (folder / f"{name}.c").write_text(source, encoding="utf-8")
    library = folder / f"{name}.so"
    done = subprocess.run(["gcc", *FLAGS, "-D_POSIX_C_SOURCE=199309L", *flags, folder / f"{name}.c", "-o", library, "-lm"],
                          capture_output=True, text=True)  # fmt: skip
    if done.returncode:
        raise MethodError(f"gcc does not compile {name}: {done.stderr.splitlines()[0]}")
    return ctypes.CDLL(str(library))
