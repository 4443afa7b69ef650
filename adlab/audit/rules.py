"""`adlab.rules`: each operation's derivative, in each system, over the whole range of its domain, judged by the truth."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from adlab.audit.calls import call, script
from adlab.audit.kept import Kept
from adlab.audit.kinds import KINDS, FloatKind, kind_of
from adlab.audit.points import grid
from adlab.audit.subjects import RuleSubject, rule_of_adlab, subject_names, subjects
from adlab.audit.systems import SYSTEMS, derivatives, forget_compiled, installed, release
from adlab.audit.tracker import issue_text
from adlab.display import Report, Table, significant
from adlab.errors import AdlabError, MethodError, OptionError
from adlab.precision import seconds_of
from adlab.progress import stage
from adlab.report.accuracy import distance
from adlab.report.truth import truth
from adlab.text.traversal import brief
from adlab.truth.meanings import CONTEXT, decimal

PATIENCE = 5.0
"""Seconds for the truth at one point."""
SECONDS = 60.0
"""Processor time for the truths of one derivative. Those of functions by their order can take a second each."""
STRIDE = 53
"""The points are asked in steps of this many, so that the ones that are reached in time cover the range. A prime: each is met."""
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MANY = 50
"""Functions whose compiled programs are kept at once: some 400 MB. The next ones share much with them."""
NAMED = 6
"""Derivatives that a line of the table of missing rules names. A report on more of them counts them, too."""
WITHIN = 8.0
"""Ulps of the true derivative: the goal for adlab's own rules."""


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
    left_out: int = 0
    """Points whose truth was not sought because time was up."""

    @property
    def half(self) -> float:
        """Half of the digits that this kind of floats has."""
        return kind_of(self.dtype).half

    @property
    def worst(self) -> int:
        """The index of the point with the largest error. A point without a finite number is worse than any other."""
        return int(np.argmax([math.inf if math.isnan(u) else u for u in self.ulps]))

    @property
    def ordinary(self) -> int:
        """A point that shows the fault best.

        Between 1e-5 and 1e5 in size, where half of the digits are lost there: without any correct digit and as near to 1 as
        can be, else the worst. Where none is, the worst of all.
        """
        near = [k for k, x in enumerate(self.points) if 1e-5 < abs(x) < 1e5 and not self.digits[k] >= self.half]
        if wrong := [k for k in near if not self.digits[k] >= 1]:
            return min(wrong, key=lambda k: abs(math.log(abs(self.points[k]))))
        return max(near, key=lambda k: self.ulps[k], default=self.worst)

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
        return {"function": self.name, "formula": self.formula, "call": self.call, "order": self.order, "system": self.system,
                "dtype": self.dtype, "points": len(self.points), "left_out": self.left_out,
                "worst_ulps": None if math.isnan(self.ulps[k]) else self.ulps[k], "at": self.points[k], "got": self.values[k],
                "true": self.true[k], "lost_half": self.lost, "no_number": self.unanswered, "wrong_sign": self.wrong_sign,
                "curve": [[x, None if math.isnan(d) else d] for x, d in zip(self.points, self.digits, strict=True)]}  # fmt: skip

    def line(self) -> list[str]:
        """What is lost, and the worst point, as cells."""
        k = self.worst
        kind = "" if self.dtype == "float64" else f" in {self.dtype}"
        return [self.name + "′" * self.order, self.system + kind, f"{100 * self.lost:.0f} %", str(self.unanswered),
                str(self.wrong_sign), f"{self.points[k]:.6g}", f"{self.values[k]:.6g}",
                decimal(CONTEXT.mpf(self.true[k]), 6)]  # fmt: skip

    @property
    def call(self) -> str:
        """The system's own function, as it is called. Empty where it has none: then its own parts were composed to one."""
        return call(subjects([self.name])[0], self.system)

    def issue(self) -> str:
        """A text for the issue tracker of that project, about the worst ordinary point.

        Empty where nothing is lost, or where the project has no such function.
        """
        if not self.lost or (self.system == "symbolic" and math.isnan(self.values[self.ordinary])):
            return ""  # how SymPy's formula refuses depends on the functions it is printed for
        shown = script(subjects([self.name])[0], self.system, self.order, self.points[self.ordinary], self.dtype)
        return issue_text(self, release(self.system), rule_of_adlab(self.name, self.order), shown) if shown else ""


@dataclass(frozen=True)
class MissingRule:
    """A derivative that a system does not have, and why."""

    name: str
    order: int
    system: str
    dtype: str
    reason: str


@dataclass(frozen=True)
class Rules(Report):
    """Every rule that was tested, in every system. `found` has them one by one, `missing` what a system does not have."""

    found: tuple[Rule, ...]
    systems: tuple[str, ...]
    missing: tuple[MissingRule, ...] = ()

    def by_function(self) -> Iterator[Rules]:
        """One report for each function, order and kind of floats, such as `plot` draws."""
        for name, order, dtype in dict.fromkeys((rule.name, rule.order, rule.dtype) for rule in self.found):
            mine = tuple(rule for rule in self.found if (rule.name, rule.order, rule.dtype) == (name, order, dtype))
            yield Rules(mine, self.systems)

    @property
    def stem(self) -> str:
        """The first function, order and kind of floats as the name of a file."""
        return re.sub(r"\W+", "-", f"{self.found[0].name} {self.found[0].order} {self.found[0].dtype}")

    def to_dict(self) -> dict[str, Any]:
        """`systems, rows, missing`: a row for each function, order, kind of floats and system."""
        return {"systems": [release(system) for system in self.systems], "rows": [rule.to_dict() for rule in self.found],
                "missing": [vars(rule) for rule in self.missing]}  # fmt: skip

    def records(self) -> list[dict[str, Any]]:
        """The rows without their curves, for CSV."""
        return [{key: value for key, value in rule.to_dict().items() if key != "curve"} for rule in self.found]

    def sections(self) -> list[Table | str]:
        """The worst error of each function in each system; then the systems that lose half of the digits, and where."""
        cells = {(rule.name, rule.order, rule.dtype, rule.system): rule for rule in self.found}
        lines = list(dict.fromkeys((rule.name, rule.order, rule.dtype) for rule in self.found))
        short = any(dtype != "float64" for _, _, dtype in lines)
        table = [[name, "′" * order, *([dtype] if short else ()),
                  *(_worst(cells.get((name, order, dtype, system))) for system in self.systems)]
                 for name, order, dtype in lines]  # fmt: skip
        head = ["function", "of", *(["in"] if short else ()), *self.systems]
        parts: list[Table | str] = [", ".join(release(system) for system in self.systems),
                                    Table("the worst error in ulps", head, table, frozenset(self.systems))]  # fmt: skip
        if len(lines) > NAMED:
            parts.append(self._by_system())
        losers = [rule for rule in self.found if rule.lost]
        if losers:
            rows = [rule.line() for rule in sorted(losers, key=lambda rule: (rule.system != "adlab", rule.system, -rule.lost))]
            numbers = ["of the range", "no number", "wrong sign", "worst at"]
            head = ["derivative", "system", *numbers, "got", "true"]
            parts.append(Table("more than half of the digits lost", head, rows, frozenset(numbers)))
        if self.missing:
            parts.append(Table("no such rule", ["system", "in", "derivatives", "why"], self._reasons()))
        if left := {rule.name + "′" * rule.order: rule.left_out for rule in self.found if rule.left_out}:
            parts.append("points left out, since their truths take long: " + ", ".join(f"{k} {n}" for k, n in left.items()))
        parts.append("An error is in ulps of the true derivative. –: the system has no such rule; ∞: it gave no number; "
                     "°: it has no such function, and differentiated one composed of its others.")  # fmt: skip
        return parts

    def _by_system(self) -> Table:
        """How many derivatives each system has, and how well it keeps their digits."""
        rows = []
        for system, dtype, order in dict.fromkeys((rule.system, rule.dtype, rule.order) for rule in self.found):
            mine = [rule for rule in self.found if (rule.system, rule.dtype, rule.order) == (system, dtype, order)]
            lacking = sum((rule.system, rule.dtype, rule.order) == (system, dtype, order) for rule in self.missing)
            losing = [rule for rule in mine if rule.lost]
            own = sum(system == "adlab" or bool(rule.call) for rule in losing)
            rows.append([system, dtype, "′" * order, str(len(mine)), str(lacking),
                         str(sum(rule.ulps[rule.worst] <= WITHIN for rule in mine)), str(len(losing)), str(own),
                         str(sum(rule.wrong_sign > 0 for rule in mine))])  # fmt: skip
        numbers = ["derivatives", "no such rule", f"all within {WITHIN:g} ulps", "half lost somewhere", "of its own",
                   "wrong sign somewhere"]  # fmt: skip
        return Table("how many derivatives", ["system", "in", "of", *numbers], rows, frozenset(numbers))

    def _reasons(self) -> list[list[str]]:
        """A row for each reason: the system, the kinds of floats, the derivatives."""
        grouped: dict[tuple[str, str], list[MissingRule]] = {}
        for rule in self.missing:
            grouped.setdefault((rule.system, rule.reason), []).append(rule)
        rows = []
        for (system, reason), rules_ in grouped.items():
            named = list(dict.fromkeys(rule.name + "′" * rule.order for rule in rules_))
            more = f" and {len(named) - NAMED} others" if len(named) > NAMED else ""
            kinds = ", ".join(dict.fromkeys(rule.dtype for rule in rules_))
            rows.append([system, kinds, "; ".join(named[:NAMED]) + more, reason])
        return rows

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Correct digits of the first function against its argument, a line for each system. `options` go to `Axes.plot`.

        The points are equally far from each other, so that a loss beside an edge, at 22 or at 1e-300 is seen as well. Lines that
        coincide are seen, because each is drawn thinner than the one below it, with adlab's on top.
        """
        from adlab.plots.canvas import axes, entitle

        ax = axes(ax)
        first = self.found[0]
        drawn, full = next(self.by_function()).found, kind_of(first.dtype).digits
        ax.axhline(first.half, color="0.5", linestyle=":", linewidth=1, label="half of the digits")
        for k, rule in enumerate(reversed(drawn)):
            digits = [-0.5 if math.isnan(d) else min(d, full) for d in rule.digits]
            place = len(drawn) - 1 - k
            width = 1 + 0.8 * place
            colour = f"C{SYSTEMS.index(rule.system)}"  # the same in every figure, whoever else is in it
            line = {"label": rule.system, "marker": ".", "linewidth": width, "markersize": 3 + width, "color": colour}
            ax.plot(digits, **line | options)
        ticks = _ticks(first.points)
        ax.set_xticks(list(ticks), list(ticks.values()))
        ax.set(xlabel="x, its points equally far apart", ylabel="correct digits (below 0: no number)",
               ylim=(-1, full + 0.5))  # fmt: skip
        kind = "" if first.dtype == "float64" else f" in {first.dtype}"
        named = f"{first.name}{'′' * first.order}"
        formula = "" if first.formula == f"{first.name}(x)" else f" of {first.formula}"
        entitle(ax, f"{named}{formula}: correct digits{kind}", f"{named}: correct digits{kind}", at_most=2)
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), reverse=True)
        return ax


def _ticks(points: Sequence[float]) -> dict[int, str]:
    """Powers of ten among the points, by place, with their labels: those of most interest first, and none too near another.

    >>> _ticks([-1000.0, -1.0, 1.0, 2.0])
    {1: '−1', 2: '1', 0: '−10³'}
    """
    found: dict[int, str] = {}
    for power in (0, 1, -2, 3, 300, -300, 2, -5, 15, -16, 100, -100):
        for sign in (-1.0, 1.0):
            want = sign * 10.0**power
            place = min(range(len(points)), key=lambda i: abs(points[i] - want))
            near = abs(points[place] / want - 1) < 0.1
            if near and all(abs(place - other) >= len(points) / 7 for other in found):
                found[place] = "−" * (sign < 0) + ("1" if power == 0 else f"10{str(power).translate(RAISED)}")
    return found


def _worst(rule: Rule | None) -> str:
    if rule is None:
        return "–"
    composed = "" if rule.system == "adlab" or rule.call else "°"
    worst = rule.ulps[rule.worst]
    return composed + ("∞" if rule.unanswered else significant(worst, 3) if worst >= 1 else "< 1")


def rules(
    names: Sequence[str] | str = (),
    peers: Sequence[str] | str = (),
    order: int | Sequence[int] = 1,
    dtype: str | Sequence[str] = "float64",
    out: str | Path | None = None,
    patience: float = SECONDS,
) -> Rules:
    """The derivative of each operation, in adlab, SymPy and every installed library, over the whole range of its domain.

    `names` are operations of the table, or functions such as `softplus` and `gelu`. By default all are tested, which takes
    minutes. `peers` are systems among adlab, symbolic, torch, jax, casadi, autograd and symengine; by default all that are
    installed. `order` is 1, 2 or (1, 2). Each rule is tested at some 180 points of both signs, from 1e-300 to 1e300 in size, and
    judged by `adlab.truth`. `dtype` is "float64", "float32" or "bfloat16", or several of them. In short floats adlab's rules are
    those of its export for PyTorch, and the points are those that this kind has. `missing` of the result says which system
    lacks what. `out` names a file in which each result is written as soon as it is known: a second call computes only what
    is not in it. `patience` bounds the processor time for the truths of one derivative; points that are not reached are left out,
    and counted. Raises OptionError for an unknown name, and MissingExtra for a library that is not installed.

    >>> found = rules("tanh", "adlab")
    >>> found.found[0].lost, max(found.found[0].ulps) < 8
    (0.0, True)
    """
    orders = [order] if isinstance(order, int) else list(dict.fromkeys(order))
    if not orders or not set(orders) <= {1, 2}:
        raise OptionError(f"order={order!r}: first and second derivatives are audited")
    if not 0 < seconds_of(patience) < math.inf:
        raise OptionError(f"patience={patience!r}: a number of seconds")
    kinds = [kind_of(name) for name in _words(dtype, KINDS) or [""]]
    systems = tuple(installed(_words(peers, SYSTEMS)))
    asked = [(kind, n, subject) for kind in kinds for n in orders for subject in subjects(_words(names, subject_names()))]
    found: list[Rule] = []
    missing: list[MissingRule] = []
    with Kept(out, [release(system) for system in systems]) as kept:
        for k, (kind, n, subject) in enumerate(asked, 1):
            stage(f"{subject.name}{'′' * n} in {kind.name}, {k} of {len(asked)}")
            rows, lacking = kept.known((subject.name, n, kind.name), partial(_judged, subject, systems, n, kind, patience))
            found += [Rule(**row) for row in rows]
            missing += [MissingRule(**row) for row in lacking]
            if k % MANY == 0:
                forget_compiled()
    if not found:
        raise OptionError("none of these functions has a derivative at any point of the grid" if not missing else
                          f"no system has any of these rules: {missing[0].reason}")  # fmt: skip
    return Rules(tuple(found), systems, tuple(missing))


def _words(names: Sequence[str] | str, known: Collection[str]) -> list[str]:
    """Names given as a list, as one name (a name may hold a comma: `div, operand 2`), or as several in one text; each once."""
    if not isinstance(names, str):
        return list(dict.fromkeys(names))
    return [names] if names in known else list(dict.fromkeys(names.replace(",", " ").split()))


def _truths(subject: RuleSubject, order: int, kind: FloatKind, seconds: float) -> tuple[dict[float, Any], int]:
    """The true derivative at each point where it is known and in the normal range of these floats, and how many points were left
    out because the processor time was up."""
    points = kind.rounded(grid(subject.name)).tolist()
    values: dict[float, Any] = {}
    end = time.process_time() + seconds
    for k in range(len(points)):
        if time.process_time() > end:
            return dict(sorted(values.items())), len(points) - k
        x = points[k * STRIDE % len(points)]
        try:
            subject.function(x)
            judged = truth(subject.function, x, 25, PATIENCE, order=order)  # type: ignore[call-overload]  # 1 or 2
            value = judged.gradient[0] if order == 1 else judged.hessian[0][0]
        except AdlabError:
            continue
        if value is not None and kind.small < abs(value) < kind.large:
            values[x] = value
    return dict(sorted(values.items())), 0


def _judged(
    subject: RuleSubject, systems: Sequence[str], order: int, kind: FloatKind, seconds: float
) -> tuple[list[Any], list[Any]]:
    """The fields of a `Rule` for each system that has one, and of a `MissingRule` for each other."""
    true, left_out = _truths(subject, order, kind, seconds)
    found, missing = [], []
    named = {"name": subject.name, "order": order, "dtype": kind.name}
    for system in systems if true or left_out else ():
        try:
            if not true:
                raise MethodError(f"no truth was found in {seconds:g} s; more patience may find some")
            values = derivatives(subject, system, np.array(list(true)), order, kind).tolist()
        except AdlabError as reason:
            missing.append({**named, "system": system, "reason": str(reason).splitlines()[0]})
            continue
        measured = [_error(value, want) for value, want in zip(values, true.values(), strict=True)]
        found.append({**named, "system": system, "points": tuple(true), "values": tuple(values),
                      "true": tuple(decimal(want, 20) for want in true.values()),
                      "ulps": tuple(ulps / kind.ulp for ulps, _ in measured),
                      "digits": tuple(digits for _, digits in measured),
                      "formula": brief(subject.function.outputs[0], 100), "left_out": left_out})  # fmt: skip
    return found, missing


def _error(value: float, want: Any) -> tuple[float, float]:
    """(ulps, digits) of a value; NaN for both where it is not a finite number."""
    if not math.isfinite(value):
        return math.nan, math.nan
    off = distance(value, want)
    return off.ulps, off.digits
