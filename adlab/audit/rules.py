"""`adlab.rules`: each operation's derivative, in each system, over the whole range of its domain, judged by the truth."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adlab.audit.kinds import FloatKind, kind_of
from adlab.audit.systems import (
    SHORT,
    SYSTEMS,
    RuleSubject,
    derivatives,
    installed,
    release,
    rule_of_adlab,
    subject_names,
    subjects,
)
from adlab.audit.tracker import issue_text
from adlab.display import Report, Table, significant
from adlab.errors import AdlabError, OptionError
from adlab.inputs import FloatArray
from adlab.progress import stage
from adlab.report.accuracy import distance
from adlab.report.truth import truth
from adlab.text.traversal import brief
from adlab.truth.meanings import CONTEXT, decimal

PATIENCE = 5.0
"""Seconds for the truth at one point."""


def grid() -> FloatArray:
    """The points at which each rule is tested: both signs, magnitudes from 1e-300 to 1e300, neighbours of special points."""
    far = [10.0**k for k in (-300, -200, -100, -50, -30, -16, -12, -9, -7, -5, -4, -3)]
    near = np.logspace(-2, 3, 36).tolist()
    wide = [10.0**k for k in (4, 5, 6, 8, 10, 15, 30, 100, 150, 200, 300)]
    special = [edge + side * gap for edge in (1.0, 2.0, math.pi / 2, math.pi, 1.4616321449683622) for side in (-1, 1)
               for gap in (2.0**-50, 1e-9, 1e-5)]  # fmt: skip
    positive = sorted({*far, *near, *wide, *special, 0.75, 22.0, 26.0, 50.0})
    return np.array([*(-x for x in reversed(positive)), *positive])


@dataclass(frozen=True)
class Rule:
    """One derivative in one system over the range.

    `ulps` and `digits` are given by point; NaN where there was no finite number.
    """

    name: str
    order: int
    system: str
    points: tuple[float, ...]
    values: tuple[float, ...]
    true: tuple[str, ...]
    ulps: tuple[float, ...]
    digits: tuple[float, ...]
    dtype: str = "float64"
    formula: str = ""

    @property
    def half(self) -> float:
        """Half of the digits that this kind of floats has."""
        return kind_of(self.dtype).half

    @property
    def worst(self) -> int:
        """The index of the point with the largest error. A point without a finite number is worse than any other."""
        return int(np.argmax([math.inf if math.isnan(u) else u for u in self.ulps]))

    @property
    def lost(self) -> float:
        """The share of the points at which it loses more than half of its digits, or gives no number."""
        return sum(not digits >= self.half for digits in self.digits) / len(self.digits)

    @property
    def unanswered(self) -> int:
        """The points at which it gave no finite number."""
        return sum(math.isnan(digits) for digits in self.digits)

    @property
    def wrong_sign(self) -> int:
        """The points at which the sign is wrong."""
        pairs = zip(self.values, self.true, strict=True)
        return sum(math.isfinite(value) and value != 0 and (value < 0) != true.startswith("-") for value, true in pairs)

    def to_dict(self) -> dict[str, Any]:
        """Everything that is known of it, in one row. The points are in `curve`."""
        k = self.worst
        return {"function": self.name, "formula": self.formula, "order": self.order, "system": self.system,
                "dtype": self.dtype, "points": len(self.points),
                "worst_ulps": None if math.isnan(self.ulps[k]) else self.ulps[k], "at": self.points[k], "got": self.values[k],
                "true": self.true[k], "lost_half": self.lost, "no_number": self.unanswered, "wrong_sign": self.wrong_sign,
                "curve": [[x, None if math.isnan(d) else d] for x, d in zip(self.points, self.digits, strict=True)]}  # fmt: skip

    def line(self) -> list[str]:
        """What is lost, and the worst point, as cells."""
        k = self.worst
        return [self.name + "′" * self.order, self.system, f"{100 * self.lost:.0f} %", str(self.unanswered), str(self.wrong_sign),
                f"{self.points[k]:.6g}", f"{self.values[k]:.6g}", decimal(CONTEXT.mpf(self.true[k]), 6)]  # fmt: skip

    def issue(self) -> str:
        """A text for the issue tracker of that project, about the worst point. Empty where nothing is lost."""
        if self.system == "adlab" or not self.lost:
            return ""
        return issue_text(self, release(self.system), rule_of_adlab(self.name, self.order))


@dataclass(frozen=True)
class Rules(Report):
    """Every rule that was tested, in every system. `found` has them one by one."""

    found: tuple[Rule, ...]
    systems: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """`systems, rows`: a row for each function, order and system."""
        return {"systems": [release(system) for system in self.systems], "rows": [rule.to_dict() for rule in self.found]}

    def records(self) -> list[dict[str, Any]]:
        """The rows without their curves, for CSV."""
        return [{key: value for key, value in rule.to_dict().items() if key != "curve"} for rule in self.found]

    def sections(self) -> list[Table | str]:
        """The worst error of each function in each system; then the systems that lose half of the digits, and where."""
        cells = {(rule.name, rule.order, rule.system): rule for rule in self.found}
        lines = list(dict.fromkeys((rule.name, rule.order) for rule in self.found))
        table = [
            [name, "′" * order, *(_worst(cells.get((name, order, system))) for system in self.systems)] for name, order in lines
        ]
        head = ["function", "of", *self.systems]
        parts: list[Table | str] = [", ".join(release(system) for system in self.systems),
                                    Table("the worst error in ulps", head, table, frozenset(self.systems))]  # fmt: skip
        losers = [rule for rule in self.found if rule.lost]
        if losers:
            rows = [rule.line() for rule in sorted(losers, key=lambda rule: (rule.system != "adlab", rule.system, -rule.lost))]
            numbers = ["of the range", "no number", "wrong sign", "worst at"]
            head = ["derivative", "system", *numbers, "got", "true"]
            parts.append(Table("more than half of the digits lost", head, rows, frozenset(numbers)))
        parts.append("An error is in ulps of the true derivative. –: the system has no such rule; ∞: it gave no number.")
        return parts

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Correct digits of the first function against its argument, a line for each system. `options` go to `Axes.plot`.

        Lines that coincide are seen, because each is drawn thinner than the one below it, with adlab's on top.
        """
        from matplotlib.ticker import FixedLocator

        from adlab.plots.canvas import axes, entitle

        ax = axes(ax)
        first = self.found[0]
        drawn = [rule for rule in self.found if (rule.name, rule.order) == (first.name, first.order)]
        for k, rule in enumerate(reversed(drawn)):
            digits = [-0.5 if math.isnan(d) else d for d in rule.digits]
            place = len(drawn) - 1 - k
            width = 1 + 0.8 * place
            line = {"label": rule.system, "marker": ".", "linewidth": width, "markersize": 3 + width, "color": f"C{place}"}
            ax.plot(rule.points, digits, **line | options)
        ax.set_xscale("symlog", linthresh=1e-2)
        ax.xaxis.set_major_locator(FixedLocator(_ticks(first.points)))
        ax.set(xlabel="x", ylabel="correct digits (below 0: no number)", ylim=(-1, 16.5))
        entitle(ax, f"{first.name}{'′' * first.order}: correct digits")
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), reverse=True)
        return ax


def _ticks(points: Sequence[float]) -> list[float]:
    """0 and at most three powers of ten on each side, equally far from each other, as far as the points go."""
    sides = {sign: max((sign * x for x in points), default=0.0) for sign in (-1, 1)}
    ends = {sign: math.ceil(math.log10(far)) for sign, far in sides.items() if far > 0}
    step = max(1, math.ceil((max(ends.values(), default=0) + 2) / 3))
    return sorted([0.0, *(sign * 10.0**k for sign, end in ends.items() for k in range(end, -2, -step) if k + 2 >= step)])


def _worst(rule: Rule | None) -> str:
    if rule is None:
        return "–"
    return "∞" if rule.unanswered else significant(max(rule.ulps[rule.worst], 0.0), 3) if rule.ulps[rule.worst] >= 1 else "< 1"


def rules(names: Sequence[str] | str = (), peers: Sequence[str] | str = (), order: int = 1, dtype: str = "float64") -> Rules:
    """The derivative of each operation, in adlab, SymPy and every installed library, over the whole range of its domain.

    `names` are operations of the table, or functions such as `softplus` and `gelu`. By default all are tested, which takes
    minutes. `peers` are systems among adlab, symbolic, torch, jax, casadi, autograd and symengine; by default all that are
    installed. `order` is 1 or 2. Each rule is tested at some 190 points of both signs, from 1e-300 to 1e300 in size, and
    judged by `adlab.truth`. `dtype` is "float64", or "float32" or "bfloat16", which PyTorch and JAX have; adlab's rules are
    then those of its export for PyTorch, at points that this kind has. Raises OptionError for an unknown name and MissingExtra
    for a library that is not installed.

    >>> found = rules("tanh", "adlab")
    >>> found.found[0].lost, max(found.found[0].ulps) < 8
    (0.0, True)
    """
    if order not in (1, 2):
        raise OptionError(f"order={order!r}: first and second derivatives are audited")
    kind = kind_of(dtype)
    systems = [name for name in installed(_words(peers, SYSTEMS)) if dtype == "float64" or name in SHORT]
    found: list[Rule] = []
    asked = subjects(_words(names, subject_names()))
    for k, subject in enumerate(asked, 1):
        stage(f"{subject.name}, {k} of {len(asked)}")
        points, true = _truths(subject, order, kind)
        if len(points):
            found += [rule for system in systems if (rule := _judged(subject, system, points, true, order, kind)) is not None]
    if not found:
        raise OptionError("none of these functions has a derivative at any point of the grid")
    return Rules(tuple(found), tuple(systems))


def _words(names: Sequence[str] | str, known: Collection[str]) -> list[str]:
    """Names given as a list, as one name (a name may hold a comma: `div, operand 2`), or as several in one text."""
    if not isinstance(names, str):
        return list(names)
    return [names] if names in known else names.replace(",", " ").split()


def _truths(subject: RuleSubject, order: int, kind: FloatKind) -> tuple[FloatArray, list[Any]]:
    """The points at which the true derivative is known and in the normal range of these floats, and its values."""
    points, values = [], []
    for x in kind.rounded(grid()).tolist():
        try:
            subject.function(x)
            judged = truth(subject.function, x, 25, PATIENCE, order=order)  # type: ignore[call-overload]  # 1 or 2
            value = judged.gradient[0] if order == 1 else judged.hessian[0][0]
        except AdlabError:
            continue
        if value is not None and kind.small < abs(value) < kind.large:
            points.append(x)
            values.append(value)
    return np.array(points), values


def _judged(
    subject: RuleSubject, system: str, points: FloatArray, true: Sequence[Any], order: int, kind: FloatKind
) -> Rule | None:
    values = derivatives(subject, system, points, order, kind)
    if values is None:
        return None
    measured = [_error(value, want) for value, want in zip(values.tolist(), true, strict=True)]
    return Rule(
        subject.name, order, system, tuple(points.tolist()), tuple(values.tolist()), tuple(decimal(want, 20) for want in true),
        tuple(ulps / kind.ulp for ulps, _ in measured), tuple(digits for _, digits in measured), kind.name,
        brief(subject.function.outputs[0], 100),
    )  # fmt: skip


def _error(value: float, want: Any) -> tuple[float, float]:
    """(ulps, digits) of a value; NaN for both where it is not a finite number."""
    if not math.isfinite(value):
        return math.nan, math.nan
    off = distance(value, want)
    return off.ulps, off.digits
