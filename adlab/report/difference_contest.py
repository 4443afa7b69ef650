"""Who differentiates best by sampling? adlab's schemes and other libraries, on functions that tell them apart.

Three things count: how far the answer is off, what it cost, and whether the contestant knew. An answer is *honest* if its error
is at most twice its own error estimate, plus a few roundings. A *false success* comes without a warning, is not honest, and has
lost half of its digits or more. A success is also false where there is no derivative, or where no values can tell it.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from adlab.display import Report, Table
from adlab.errors import AdlabError, OptionError
from adlab.function import Function
from adlab.inputs import FloatArray
from adlab.methods import METHODS
from adlab.peers.catalogue import PEERS, sample
from adlab.precision import working
from adlab.report.contest_cases import Case, cases as all_cases
from adlab.report.difference import NAMES, difference
from adlab.report.truth import truth
from adlab.truth.meanings import exact as exact_number

OURS = ("adaptive-difference", "richardson", "central-difference-8", "central-difference")
"""The first is the default of `difference`."""
THEIRS = ("scipy", "numdifftools", "jacobi")
HALF = 2.0**-26  # relative error: half of the digits
REPEATS, SOON = 5, 0.02  # calls that are timed, the quickest of which counts; seconds that all but the first may take
ROUNDINGS = 4  # units in the last place that no estimate need cover


@dataclass(frozen=True)
class ContestEntry:
    """One contestant on one function.

    `error` is relative to the true derivative; None where there is no derivative or no answer. `estimate` is the contestant's own
    error estimate, also relative to the true derivative. `said` are its flags and warnings.
    """

    kind: str
    formula: str
    at: float
    method: str
    value: float | None
    error: float | None
    estimate: float | None
    evaluations: int | None
    seconds: float | None
    claimed: bool
    honest: bool
    said: str

    @property
    def false_success(self) -> bool:
        """Whether it claims a success and is wrong."""
        return self.claimed and not self.honest and (self.error is None or self.error > HALF)

    @property
    def digits(self) -> float | None:
        """Correct decimal digits, at most 16."""
        return None if self.error is None else min(16.0, -math.log10(self.error)) if self.error > 0 else 16.0


@dataclass(frozen=True)
class Contest(Report):
    """The `entries`, function by function and contestant by contestant."""

    entries: list[ContestEntry]
    every: bool = False

    def to_dict(self) -> dict[str, Any]:
        """`rows`, one for each entry."""
        return {"rows": [{**asdict(e), "digits": e.digits, "false_success": e.false_success} for e in self.entries]}

    @property
    def full(self) -> Contest:
        """The same report with a row for every function and method."""
        return replace(self, every=True)

    def sections(self) -> list[Table | str]:
        """How good each contestant was. With `full`, every row comes first."""
        head = ["function", "at", "method", "relative error", "estimate", "evaluations", "µs", "honest", "said"]
        rows, last = [], ("", 0.0)
        for e in self.entries:
            place = (e.formula, e.at)
            shown = (e.formula, f"{e.at:.12g}") if place != last else ("", "")
            rows.append([*shown, e.method, _size(e.error), _size(e.estimate),
                         "–" if e.evaluations is None else str(e.evaluations),
                         "–" if e.seconds is None else f"{e.seconds * 1e6:,.0f}", _honesty(e), e.said or "–"])  # fmt: skip
            last = place
        standing = [self._standing(name) for name in dict.fromkeys(e.method for e in self.entries)]
        summary = ["method", "median digits", "worst", "median evaluations", "not honest", "false successes"]
        functions = len({(e.formula, e.at) for e in self.entries})
        title = "" if self.every else f"differences side by side, on {functions} functions that are known to be hard"
        standings = Table(title, summary, standing, frozenset(summary[1:]))
        if not self.every:
            return [standings, "A row is not honest where the error is larger than the estimate; --full shows every row."]
        return [Table("differences side by side", head, rows, frozenset(head[3:7])), standings, *self._paces()]

    def _paces(self) -> list[str]:
        """How long each of adlab's schemes takes beside the quickest library whose answer has as many digits."""
        rows: dict[tuple[str, float], dict[str, ContestEntry]] = {}
        for e in self.entries:
            rows.setdefault((e.formula, e.at), {})[e.method] = e
        lines = []
        for name in (method for method in dict.fromkeys(e.method for e in self.entries) if method in NAMES):
            found = sorted(pace for row in rows.values() if (pace := _pace(row, name)) is not None)
            if found:
                lines.append(
                    f"{name} ÷ the quickest library with as many digits: median {found[len(found) // 2]:.2f}, at most 0.5 on "
                    f"{sum(pace <= 0.5 for pace in found)} of {len(found)} functions, at most 1 on {sum(p <= 1 for p in found)}"
                )
        return lines

    def _standing(self, method: str) -> list[str]:
        mine = [e for e in self.entries if e.method == method]
        digits = sorted(e.digits for e in mine if e.digits is not None)
        spent = sorted(e.evaluations for e in mine if e.evaluations is not None)
        middle = f"{digits[len(digits) // 2]:.1f}" if digits else "–"
        return [method, middle, f"{digits[0]:.1f}" if digits else "–", str(spent[len(spent) // 2]) if spent else "–",
                f"{sum(e.claimed and not e.honest for e in mine)} of {len(mine)}",
                f"{sum(e.false_success for e in mine)} of {len(mine)}"]  # fmt: skip


def _pace(row: Mapping[str, ContestEntry], name: str) -> float | None:
    """The time of one scheme ÷ that of the quickest library that has as many digits, to a third of one.

    None where none has, and where adlab has lost more than half of the digits.
    """
    ours = row.get(name)
    if ours is None or ours.seconds is None or ours.digits is None or ours.error is None or ours.error > HALF:
        return None
    others = [e.seconds for e in row.values() if e.method not in NAMES and e.seconds and e.digits is not None
              and e.digits > ours.digits - 1 / 3]  # fmt: skip
    return ours.seconds / min(others) if others else None


def _honesty(entry: ContestEntry) -> str:
    if entry.value is None or not math.isfinite(entry.value):
        return "no answer"
    return (
        "FALSE SUCCESS" if entry.false_success else "warned" if not entry.claimed else "yes" if entry.honest else "no"
    )


def _size(error: float | None) -> str:
    return "–" if error is None else "< 1.1e-16" if error < 2.0**-53 else f"{error:.1g}"


def contest(methods: Iterable[str] | None = None, cases: Mapping[str, Any] | Iterable[Case] | None = None) -> Contest:
    """Each of the `methods` on each of the `cases`. Cases are formulas in one variable mapped to points, or `Case` objects.

    The default cases are those of `contest_cases`.

    The default methods are adlab's own, and SciPy, numdifftools, jacobi and numericalderivative where they are installed. Raises
    OptionError for an unknown method, and what `difference` and `truth` raise for a wrong formula.

    >>> found = contest(["central-difference"], {"exp(x)": 1.0})
    >>> found.entries[0].honest, found.entries[0].digits > 9
    (True, True)
    """
    names = [*OURS, *(name for name in THEIRS if PEERS[name].installed)] if methods is None else list(methods)
    sampling = [peer.name for peer in PEERS.values() if peer.needs == "values"]
    unknown = [name for name in names if name not in NAMES and name not in sampling]
    if unknown:
        raise OptionError(
            f"`{unknown[0]}` does not differentiate by sampling; there are {', '.join([*NAMES, *sampling])}"
        )
    chosen = all_cases() if cases is None else cases
    if isinstance(chosen, Mapping):
        chosen = [Case("your own", text, text, float(x), text) for text, x in chosen.items()]
    return Contest([entry for case in chosen for entry in _entries(case, names)])


def _entries(case: Case, names: list[str]) -> list[ContestEntry]:
    f: Any = Function(case.f) if isinstance(case.f, str) else case.f
    exact = truth(case.truth, case.at).component(0, 0).value if case.has_truth else None
    return [_entry(case, f() if case.made else f, name, exact) for name in names]


def _entry(case: Case, f: Any, name: str, exact: Any) -> ContestEntry:
    start = time.perf_counter()
    try:
        answer = (_ours if name in NAMES else _theirs)(f, name, case.at)
    except AdlabError as reason:
        said = str(reason).splitlines()[0]
        return ContestEntry(case.kind, case.name, case.at, name, None, None, None, None, None, False, True, said)
    seconds = time.perf_counter() - start
    if not case.made:  # a function that was made for one contestant changes as it is called
        seconds = min(seconds, _again(partial(_ours if name in NAMES else _theirs, f, name, case.at), seconds))
    value, estimate, evaluations, claimed, said = answer
    claimed = claimed and math.isfinite(value)
    if exact is None or not math.isfinite(value):
        honest = not claimed
        return ContestEntry(
            case.kind, case.name, case.at, name, value, None, None, evaluations, seconds, claimed, honest, said
        )
    size = abs(float(exact)) or 1.0
    with working(400):
        error = float(abs(exact_number(value) - exact_number(exact)))
    honest = estimate is not None and error <= 2 * estimate + ROUNDINGS * math.ulp(size)
    relative = None if estimate is None else estimate / size
    return ContestEntry(
        case.kind, case.name, case.at, name, value, error / size, relative, evaluations, seconds, claimed, honest, said
    )


def _again(call: Callable[[], Any], first: float) -> float:
    """The shortest of several more calls, as long as they are quick."""
    best, start = first, time.perf_counter()
    for _ in range(REPEATS - 1):
        begun = time.perf_counter()
        if begun - start > SOON:
            break
        call()
        best = min(best, time.perf_counter() - begun)
    return best


Answer = tuple[float, float | None, int | None, bool, str]


def _ours(f: Any, name: str, at: float) -> Answer:
    found = difference(f, at, scheme=name)
    flags = ", ".join(found.flags)
    sides = f": {found.one_sided[0]:.3g} left, {found.one_sided[1]:.3g} right" if flags and found.one_sided else ""
    return found.df, found.error, found.nfev, found.success, flags + sides


def _theirs(f: Any, name: str, at: float) -> Answer:
    """A peer's answer. Only the peer's own words count as a warning."""
    point = np.array([at])
    with warnings.catch_warnings(action="ignore"):
        if isinstance(f, Function):
            found = METHODS[name](f, point)
            jacobian, evaluations, error, notes = found.jacobian, found.evaluations, found.error, found.notes
        else:
            sampled, evaluations = sample(PEERS[name], partial(_one_by_one, f), point)
            jacobian, error, notes = sampled.jacobian, sampled.error, sampled.notes
    estimate = None if error is None else float(np.ravel(error)[0])
    said = "; ".join(notes)
    return float(np.ravel(jacobian)[0]), estimate, evaluations, not said, said


def _one_by_one(f: Callable[[float], float], points: FloatArray) -> FloatArray:
    """A callable of a number at points (..., 1): shape (..., 1), NaN where it raises."""
    return np.array([_tried(f, x) for x in np.ravel(points).tolist()]).reshape(np.shape(points))


def _tried(f: Callable[[float], float], x: float) -> float:
    try:
        return f(x)
    except Exception:  # outside its domain a callable may raise anything
        return math.nan
