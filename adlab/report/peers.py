"""The peers: which are installed, what each can do, and what each answers where there is no derivative.

`side_by_side` (from `adlab.report.side_by_side`) shows what PyTorch records and what JAX writes, beside adlab's lists.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from adlab.display import Report, Table, significant
from adlab.function import Function
from adlab.methods import METHODS, chosen
from adlab.peers.catalogue import PEERS, library
from adlab.report.accuracy import attempt
from adlab.report.side_by_side import SHOWN, side_by_side as side_by_side
from adlab.report.truth import truth

# --- the listing --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PeerRow:
    """One way to differentiate. `version` is empty where the library is missing; `extra` is what to install then."""

    name: str
    system: str
    version: str
    about: str
    extra: str


@dataclass(frozen=True)
class Listing(Report):
    """Every peer, installed or not."""

    rows: list[PeerRow]

    def to_dict(self) -> dict[str, Any]:
        """`rows` with the fields of `PeerRow`."""
        return {"rows": [asdict(row) for row in self.rows]}

    def sections(self) -> list[Table | str]:
        """The table, and what to install where some are missing."""
        rows = [[row.name, row.system, row.version or "missing", row.about] for row in self.rows]
        wanted = ",".join(dict.fromkeys(row.extra for row in self.rows if not row.version))
        notes = [f"the missing ones: pip install 'adlab[{wanted}]'"] if wanted else []
        return [Table("peers", ["method", "library", "version", "how it differentiates"], rows, notes=notes)]


def peer_listing() -> Listing:
    """The peers with their versions. Nothing is imported to find them.

    >>> [row.system for row in peer_listing().rows][:1]
    ['PyTorch']
    """
    return Listing([
        PeerRow(peer.name, peer.system, peer.version, peer.about, peer.extra)
        for peer in PEERS.values()
    ])  # fmt: skip


# --- conventions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ConventionCase:
    """A formula and a point where its derivative is a matter of convention, or is easily lost."""

    what: str
    formula: str
    point: dict[str, float]

    @property
    def place(self) -> str:
        """The point, as the text of a cell."""
        return ", ".join(f"{name}={value:g}" for name, value in self.point.items())


CASES = (
    ConventionCase("kink of abs", "Abs(x)", {"x": 0.0}),
    ConventionCase("relu at 0", "Max(x, 0)", {"x": 0.0}),
    ConventionCase("tie of max", "Max(x, y)", {"x": 1.0, "y": 1.0}),
    ConventionCase("tie of min", "Min(x, y)", {"x": 1.0, "y": 1.0}),
    ConventionCase("jump of sign", "sign(x)", {"x": 0.0}),
    ConventionCase("jump of Heaviside", "Heaviside(x)", {"x": 0.0}),
    ConventionCase("jump of floor", "floor(x)", {"x": 1.0}),
    ConventionCase("jump of Mod", "Mod(x, y)", {"x": 4.0, "y": 2.0}),
    ConventionCase("cut of atan2", "atan2(x, y)", {"x": 0.0, "y": -1.0}),
    ConventionCase("atan2 at the origin", "atan2(x, y)", {"x": 0.0, "y": 0.0}),
    ConventionCase("edge of sqrt", "sqrt(x)", {"x": 0.0}),
    ConventionCase("edge of asin", "asin(x)", {"x": 1.0}),
    ConventionCase("root of a square", "sqrt(x**2)", {"x": 0.0}),
    ConventionCase("norm at the origin", "sqrt(x**2 + y**2)", {"x": 0.0, "y": 0.0}),
    ConventionCase("where-NaN trap", "Piecewise((sqrt(x), x > 0), (0, True))", {"x": -1.0}),
    ConventionCase("where-NaN trap, sin(x)/x", "Piecewise((sin(x)/x, Ne(x, 0)), (1, True))", {"x": 0.0}),
    ConventionCase("x**y at 0**2", "x**y", {"x": 0.0, "y": 2.0}),
    ConventionCase("x**y at 0**1", "x**y", {"x": 0.0, "y": 1.0}),
    ConventionCase("x**y at 0**0", "x**y", {"x": 0.0, "y": 0.0}),
    ConventionCase("0**x", "0**x", {"x": 2.0}),
    ConventionCase("0·∞ in x log x", "x*log(x)", {"x": 0.0}),
    ConventionCase("0·∞ in a bump", "exp(-1/x**2)", {"x": 1e-200}),
    ConventionCase("0·∞ in a logistic", "1/(1 + exp(-x))", {"x": -1000.0}),
    ConventionCase("∞/∞ in a logistic", "exp(x)/(1 + exp(x))", {"x": 1000.0}),
    ConventionCase("∞/∞ in a softplus", "log(1 + exp(x))", {"x": 1000.0}),
    ConventionCase("saturated tanh", "tanh(x)", {"x": 20.0}),
)


@dataclass(frozen=True)
class Convention:
    """What each method answers in one case: the partials, or a word why not. `truth` is one-sided at a kink."""

    case: ConventionCase
    truth: str
    answers: dict[str, list[float] | str]


@dataclass(frozen=True)
class Conventions(Report):
    """A row for each case, a column for each method. All answers are measured."""

    methods: list[str]
    rows: list[Convention]

    def answer(self, what: str, method: str) -> list[float] | str:
        """What the method answers in the case of that name."""
        return next(row.answers[method] for row in self.rows if row.case.what == what)

    def to_dict(self) -> dict[str, Any]:
        """`rows`: {what, formula, point, truth, answers {method: partials or a word}}."""
        return {"methods": self.methods, "rows": [{**asdict(r.case), "truth": r.truth, "answers": r.answers} for r in self.rows]}

    def sections(self) -> list[Table | str]:
        """The cases, the answers of methods that differentiate the formula, and the answers of methods that sample it."""
        samplers = [name for name in self.methods if METHODS[name].needs == "values"]
        others = [name for name in self.methods if name not in samplers]
        cases = [[row.case.what, row.case.formula, row.case.place] for row in self.rows]
        return [
            Table("conventions: the cases", ["case", "f", "at"], cases),
            *([self._answers("answers of methods that differentiate the formula", others)] if others else []),
            *([self._answers("answers of methods that sample it", samplers)] if samplers else []),
            "left | right: the one-sided derivatives, where they differ, – for none; a word: there is no number, and why",
        ]

    def _answers(self, title: str, methods: Sequence[str]) -> Table:
        rows = [[row.case.what, row.truth, *(answer_text(row.answers[name]) for name in methods)] for row in self.rows]
        return Table(title, ["case", "truth", *methods], rows)


def answer_text(answer: list[float] | str) -> str:
    """Partials as the text of a cell.

    >>> answer_text([0.5, float("nan")]), answer_text("refused")
    ('0.5, nan', 'refused')
    """
    return answer if isinstance(answer, str) else ", ".join(significant(value + 0.0, 4) for value in answer)


def shown_where_installed() -> list[str]:
    """The frameworks whose programs `side_by_side` can show here. Raises MissingExtra if there is none."""
    found = [name for name in SHOWN if PEERS[name].installed]
    if not found:
        library(next(iter(SHOWN)))  # raises MissingExtra, which says what to install
    return found


def default_methods() -> list[str]:
    """adlab's reverse mode and every installed peer, each library in its plainest way."""
    plain = ("torch", "jax", "casadi", "autograd", "symengine", "scipy", "scipy-fprime", "numdifftools", "jacobi")
    return ["reverse", *(name for name in plain if PEERS[name].installed)]


def conventions(methods: Iterable[str] | None = None, cases: Iterable[ConventionCase] | None = None) -> Conventions:
    """What each method answers at kinks, ties, edges, and where 0 meets ∞. Every answer is measured. By default all cases.

    >>> conventions(["reverse"]).answer("kink of abs", "reverse")
    [0.0]
    """
    names = list(chosen(default_methods() if methods is None else methods))
    return Conventions(names, [_measured(case, names) for case in (CASES if cases is None else cases)])


def _measured(case: ConventionCase, methods: Sequence[str]) -> Convention:
    f = Function(case.formula, list(case.point))
    point = np.array(list(case.point.values()))
    answers: dict[str, list[float] | str] = {}
    for name in methods:
        tried = attempt(f, METHODS[name], point)
        answers[name] = tried.status if tried.result is None else tried.result.jacobian[0].tolist()
    return Convention(case, _truth(f, point), answers)


def _truth(f: Function, point: Any) -> str:
    """The derivative, or left | right."""
    cells = []
    for partial in truth(f, point, 15).components:
        if partial.value is not None:
            cells.append(significant(float(partial.value), 4))
        else:
            cells.append(f"{_side(partial.left)} | {_side(partial.right)}")
    return ", ".join(cells)


def _side(value: Any) -> str:
    return "–" if value is None or not math.isfinite(float(value)) else significant(float(value), 4)
