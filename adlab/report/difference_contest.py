"""Who differentiates best by sampling? Our schemes and the libraries for it, side by side on functions that tell them apart.

Three things count: how far the answer is off, what it cost, and whether the contestant knew. An answer is *honest* if it
is off by no more than twice its own error estimate, but for a few roundings. A *false success* comes without a warning, is
not honest, and has lost half of its digits or more; or it stands where there is no derivative.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from adlab.display import Report, Table
from adlab.errors import AdlabError, OptionError
from adlab.function import Function
from adlab.inputs import FloatArray, coerce_one
from adlab.methods import METHODS
from adlab.peers.catalogue import PEERS
from adlab.precision import working
from adlab.report.difference import NAMES, difference
from adlab.report.truth import truth
from adlab.truth.meanings import exact as exact_number

CASES: tuple[tuple[str, str], ...] = (
    ("exp(x)/sqrt(sin(x)**3 + cos(x)**3)", "1.5"),
    ("sin(1/x)", "0.45"),
    ("x**(3/2)", "0.1"),
    ("(exp(x) - 1)**2 + (1/sqrt(1 + x**2) - 1)**2", "1"),
    ("exp(100*x)", "0.01"),
    ("x**4 + 3*x**2 - 10*x", "0.99999"),
    ("exp(x)/(cos(x)**3 + sin(x)**3)", "0.7853981633974483"),
    ("log(x)", "1e-3"),
    ("(1 - cos(x))/x**2", "1e-3"),
    ("(1 - cos(x))/x**2", "1e-4"),
    ("tanh(1000*x)", "1e-3"),
    ("sin(x)", "1e10"),
    ("Abs(x)", "1e-3"),
    ("Abs(x)", "0"),
)
OURS = ("adaptive-difference", "richardson", "central-difference-8", "central-difference")
"""The first is the default of `difference`."""
THEIRS = ("scipy", "numdifftools", "jacobi")
HALF = 2.0**-26  # of the digits
ROUNDINGS = 4  # units in the last place that nobody's estimate need cover


@dataclass(frozen=True)
class Entry:
    """One contestant on one function. `error` is relative, None where there is no derivative or no answer; `estimate`
    is the contestant's own, as it says it, and relative to the true derivative too; `said` are its flags and warnings."""

    formula: str
    at: str
    method: str
    value: float | None
    error: float | None
    estimate: float | None
    evaluations: int | None
    claimed: bool
    honest: bool
    said: str

    @property
    def false_success(self) -> bool:
        """Whether it claims a success that is none."""
        return self.claimed and not self.honest and (self.error is None or self.error > HALF)

    @property
    def digits(self) -> float | None:
        """Correct decimal digits, at most 16."""
        return None if self.error is None else min(16.0, -math.log10(self.error)) if self.error > 0 else 16.0


@dataclass(frozen=True)
class Contest(Report):
    """The `entries`, function by function and contestant by contestant."""

    entries: list[Entry]

    def to_dict(self) -> dict[str, Any]:
        """`rows`, one for each entry."""
        return {"rows": [{**asdict(e), "digits": e.digits, "false_success": e.false_success} for e in self.entries]}

    def sections(self) -> list[Table | str]:
        """A table of all, then who was how good."""
        head = ["function", "at", "method", "relative error", "estimate", "evaluations", "honest", "said"]
        rows, last = [], ("", "")
        for e in self.entries:
            place = (e.formula, e.at)
            rows.append([*(place if place != last else ("", "")), e.method, _size(e.error), _size(e.estimate),
                         "–" if e.evaluations is None else str(e.evaluations),
                         _honesty(e), e.said or "–"])  # fmt: skip
            last = place
        standing = [self._standing(name) for name in dict.fromkeys(e.method for e in self.entries)]
        summary = ["method", "median digits", "worst", "median evaluations", "not honest", "false successes"]
        return [Table("differences side by side", head, rows, frozenset(head[3:6])),
                Table("", summary, standing, frozenset(summary[1:]))]  # fmt: skip

    def _standing(self, method: str) -> list[str]:
        mine = [e for e in self.entries if e.method == method]
        digits = sorted(e.digits for e in mine if e.digits is not None)
        spent = sorted(e.evaluations for e in mine if e.evaluations is not None)
        middle = f"{digits[len(digits) // 2]:.1f}" if digits else "–"
        return [method, middle, f"{digits[0]:.1f}" if digits else "–", str(spent[len(spent) // 2]) if spent else "–",
                f"{sum(e.claimed and not e.honest for e in mine)} of {len(mine)}",
                f"{sum(e.false_success for e in mine)} of {len(mine)}"]  # fmt: skip


def _honesty(entry: Entry) -> str:
    if entry.value is None or not math.isfinite(entry.value):
        return "no answer"
    return "FALSE SUCCESS" if entry.false_success else "warned" if not entry.claimed else "yes" if entry.honest else "no"


def _size(error: float | None) -> str:
    return "–" if error is None else "< 1.1e-16" if error < 2.0**-53 else f"{error:.1g}"


def contest(methods: Iterable[str] | None = None, cases: Mapping[str, Any] | None = None) -> Contest:
    """Each of the `methods` (by default ours, and SciPy, numdifftools and jacobi where installed) on each of the cases, a
    mapping from formulas in one variable to points (by default `CASES`).

    Raises OptionError for an unknown method, and what `difference` and `truth` raise for a wrong formula.

    >>> found = contest(["central-difference"], {"exp(x)": 1.0})
    >>> found.entries[0].honest, found.entries[0].digits > 9
    (True, True)
    """
    names = [*OURS, *(name for name in THEIRS if PEERS[name].installed)] if methods is None else list(methods)
    sampling = [peer.name for peer in PEERS.values() if peer.needs == "values"]
    unknown = [name for name in names if name not in NAMES and name not in sampling]
    if unknown:
        raise OptionError(f"`{unknown[0]}` does not differentiate by sampling; there are {', '.join([*NAMES, *sampling])}")
    pairs = CASES if cases is None else [(text, str(x)) for text, x in cases.items()]
    return Contest([entry for text, at in pairs for entry in _entries(text, at, names)])


def _entries(text: str, at: str, names: list[str]) -> list[Entry]:
    f = Function(text)
    point = coerce_one(float(at), f.names)
    exact = truth(f, point).component(0, 0).value
    return [_entry(f, text, at, name, point, exact) for name in names]


def _entry(f: Function, text: str, at: str, name: str, point: FloatArray, exact: Any) -> Entry:
    try:
        value, estimate, evaluations, claimed, said = (_ours if name in NAMES else _theirs)(f, name, point)
    except AdlabError as reason:
        return Entry(text, at, name, None, None, None, None, False, True, str(reason).splitlines()[0])
    if exact is None or not math.isfinite(value):
        return Entry(text, at, name, value, None, None, evaluations, claimed and math.isfinite(value), False, said)
    size = abs(float(exact)) or 1.0
    with working(400):
        error = float(abs(exact_number(value) - exact_number(exact)))
    honest = estimate is not None and error <= 2 * estimate + ROUNDINGS * math.ulp(size)
    return Entry(text, at, name, value, error / size, None if estimate is None else estimate / size, evaluations, claimed,
                 honest, said)  # fmt: skip


Answer = tuple[float, float | None, int | None, bool, str]


def _ours(f: Function, name: str, point: FloatArray) -> Answer:
    found = difference(f, point, scheme=name)
    flags = ", ".join(found.flags)
    sides = f": {found.one_sided[0]:.3g} left, {found.one_sided[1]:.3g} right" if flags and found.one_sided else ""
    return found.df, found.error, found.nfev, found.success, flags + sides


def _theirs(f: Function, name: str, point: FloatArray) -> Answer:
    with warnings.catch_warnings(action="ignore"):  # of what comes with the answer, only its own words count
        found = METHODS[name](f, point)
    estimate = None if found.error is None else float(found.error[0, 0])
    said = "; ".join(found.notes)
    return float(found.jacobian[0, 0]), estimate, found.evaluations, not said, said
