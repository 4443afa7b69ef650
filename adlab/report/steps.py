"""Error against step size: the picture in which truncation falls and roundoff rises, each measured by itself.

At each step the stencil is applied twice: to the floats that f returns, and to values of the expression in high precision. Then
truncation = D_exact − f′ and roundoff = D_float − D_exact. Their sum is the whole error, and nothing is assumed. The exact values
are taken at the rounded nodes x + oh themselves, so the rounding of a node counts as roundoff. Steps are spaced evenly in log h.
Powers of two would often divide without rounding, and flatter the small steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from adlab import precision
from adlab.arithmetic.domain import explain
from adlab.differences.stencils import SCHEMES, Stencil, scheme
from adlab.differences.step_models import ErrorModel
from adlab.display import Report, Table, significant
from adlab.errors import AdlabError, GaveUp, MethodError, OptionError, OverflowedError
from adlab.function import Function
from adlab.inputs import FloatArray, takes_at
from adlab.methods import METHODS
from adlab.plots.curves import PER_DECADE, envelope
from adlab.precision import CONTEXT, PATIENCE, UNIT_ROUNDOFF, seconds_left, working
from adlab.report.probe import BITS, Probe
from adlab.report.truth import Truth, truth
from adlab.text.traversal import listing
from adlab.tracing.places import at_point
from adlab.truth.meanings import exact as exact_number

GUARD = 40  # bits of the exact values that are not relied on
MOST_BITS, ALIKE = 6000, 1e-3  # of an exact quotient; a change that is this small beside its error is none
EXACTLY = 2.0**-80  # relative: a quotient with so small an error has none that matters
DIGITS = 45  # of the truth: the truncation error of order 8 falls to 1e-36 where its slope is fitted
SMALLEST, LARGEST = -16, 0  # powers of ten, relative to the scale of x
DEFAULT = ("forward-difference", "central-difference", "central-difference-4", "central-difference-6", "central-difference-8")
STEPS = (LARGEST - SMALLEST) * PER_DECADE + 1
FEWEST = 20
"""The fewest steps of a curve. With fewer, neither its slopes nor its best step can be found."""
LINES = ("complex-step", "forward", "reverse")
"""Methods that have no step to choose. Each is a level line in the picture."""


@dataclass(frozen=True)
class Split:
    """One difference quotient at one step, with its two errors measured separately."""

    scheme: str
    step: float
    truncation: float
    roundoff: float

    def in_words(self) -> str:
        """Which of the two errors limits the scheme, with both sizes."""
        small, large = sorted([self.truncation, self.roundoff])
        truncation = f"{self.truncation:.1e}" if self.truncation else "below what can be measured"
        both = f"at its step {self.step:.1e} truncation is {truncation} and roundoff {self.roundoff:.1e}"
        if large <= 30 * small:
            return both + ", of like size: no other step would do much better"
        cure = ("smaller step" if self.truncation > self.roundoff else "larger step") + " or a higher order would help"
        return f"{both}: {'truncation' if self.truncation > self.roundoff else 'roundoff'} holds it back, and a {cure}"


@dataclass(frozen=True)
class Curve:
    """One scheme for one partial, at all steps. Errors are absolute: arrays as long as the steps, NaN where there are none."""

    scheme: str
    order: int
    output: int
    variable: str
    steps: FloatArray
    total: FloatArray
    truncation: FloatArray
    roundoff: FloatArray
    model: ErrorModel | None

    @property
    def best(self) -> tuple[float, float]:
        """The step with the smallest error, and that error.

        The error is the truncation error, which is smooth, plus the envelope of the roundoff error, which has no lucky zeros.
        """
        wrapped = self.truncation + envelope(self.roundoff)
        i = int(np.nanargmin(wrapped))
        return float(self.steps[i]), float(wrapped[i])

    @property
    def truncation_slope(self) -> float | None:
        """The log-log slope of the measured truncation error where h is small enough for its leading term: about p."""
        return _slope(self.steps, self.truncation, low=self.best[0] / 1000, high=self.best[0] / 10)

    @property
    def roundoff_slope(self) -> float | None:
        """The log-log slope of the envelope of the measured roundoff error: about −1."""
        return _slope(self.steps, envelope(self.roundoff), low=0.0, high=self.best[0])


@dataclass(frozen=True)
class Steps(Report):
    """Curves by scheme and partial. `levels` are the errors of methods without a step, by (method, output, variable)."""

    function: Function
    point: FloatArray
    truth: Truth
    curves: list[Curve]
    levels: dict[tuple[str, int, str], float]
    gave_up: tuple[str, ...] = ()
    """The curves for which there was no time, in words."""

    @property
    def slopes(self) -> dict[str, dict[str, float | None]]:
        """Fitted slopes by scheme, for the first partial asked for: `truncation` near +p, `roundoff` near −1."""
        return {
            curve.scheme: {"truncation": curve.truncation_slope, "roundoff": curve.roundoff_slope, "order": curve.order}
            for curve in reversed(self.curves)
        }

    @property
    def best(self) -> dict[str, dict[str, float | None]]:
        """For each scheme the best step and its error, beside what the model predicts."""
        return {curve.scheme: _best(curve) for curve in reversed(self.curves)}

    def to_dict(self) -> dict[str, Any]:
        """`curves` with their arrays as lists, `slopes`, `best`, and `levels`."""
        return {
            "curves": [
                {
                    "scheme": c.scheme, "order": c.order, "output": c.output, "variable": c.variable,
                    "steps": c.steps.tolist(), "error": c.total.tolist(), "truncation": c.truncation.tolist(),
                    "roundoff": c.roundoff.tolist(), "truncation_slope": c.truncation_slope,
                    "roundoff_slope": c.roundoff_slope, "best": _best(c),
                }
                for c in self.curves
            ],
            "slopes": self.slopes,
            "best": self.best,
            "gave_up": list(self.gave_up),
            "levels": [{"method": m, "output": o, "variable": v, "error": e} for (m, o, v), e in self.levels.items()],
        }  # fmt: skip

    def sections(self) -> list[Table | str]:
        """A row for each curve, then the methods that have no step."""
        head = ["scheme", "partial", "slope of truncation", "order", "slope of roundoff", "best step", "predicted",
                "error there", "predicted error"]  # fmt: skip
        rows = []
        for c in self.curves:
            found = _best(c)
            rows.append([c.scheme, self._partial(c.output, c.variable), significant(c.truncation_slope, 3), str(c.order),
                         significant(c.roundoff_slope, 3), significant(found["step"], 2), significant(found["predicted_step"], 2),
                         significant(found["error"], 2), significant(found["predicted_error"], 2)])  # fmt: skip
        rows += [[label, "gave up", *["–"] * 7] for label in self.gave_up]
        levels = [[m, self._partial(o, v), "below 1 ulp" if e == 0 else f"{e:.2g}"] for (m, o, v), e in self.levels.items()]
        where = ", ".join(f"{n} = {v!r}" for n, v in zip(self.function.names, self.point.tolist(), strict=True))
        return [
            Table(f"error against step size: {self.function.title} at {where}", head, rows, frozenset(head[2:])),
            Table("without a step", ["method", "partial", "error"], levels, frozenset(["error"])),
        ]

    def _partial(self, output: int, variable: str) -> str:
        return f"∂f/∂{variable}" if self.function.m == 1 else f"∂f{output}/∂{variable}"

    def where(self) -> str:
        """The formula and the point, for a title."""
        place = ", ".join(f"{n} = {v:.6g}" for n, v in zip(self.function.names, self.point.tolist(), strict=True))
        return f"{self.function.title} at {place}"

    def plot(self, ax: Any = None, variable: str | None = None, output: int = 0, **options: Any) -> Any:
        """The V-shaped curve of each scheme for one partial, with the model's lines and the level lines. Returns the Axes.

        The partial is by the first variable, or by `variable`. `options` go to `Axes.plot` for the measured errors.
        """
        from adlab.plots.pieces import draw_steps

        return draw_steps(self, ax, variable or self.curves[0].variable, output, options)


@takes_at
def steps(
    f: Any,
    x: Any = None,
    variable: str | None = None,
    schemes: Iterable[str | Stencil] | None = None,
    patience: float = PATIENCE,
) -> Steps:
    """Error against step size at the point `x`, for each scheme and each partial (or one `variable`).

    `schemes` are names, or stencils for the first derivative. Curves that are not finished within `patience` seconds are left
    out, and `gave_up` names them. Raises GaveUp where none is finished, MethodError where there is no truth to measure errors
    against, and OptionError for an unknown scheme or variable.

    >>> found = steps("exp(x)", 1.0, schemes=["central-difference"])
    >>> round(found.slopes["central-difference"]["truncation"], 2)
    2.0
    """
    with precision.patience(patience):
        return _steps(*at_point(f, x), variable, schemes)


def _steps(f: Function, point: FloatArray, variable: str | None, schemes: Iterable[str | Stencil] | None) -> Steps:
    stencils = {s.name: s for s in map(_stencil, DEFAULT if schemes is None else schemes)}
    names = f.names if variable is None else [_known(f, variable)]
    judged = truth(f, point, DIGITS, precision.share())
    if not np.isfinite(f.values(point)).all():
        raise explain(f.graph, point.tolist()) or OverflowedError("f overflows binary64 at this point; scale the variables")
    probe = Probe(f, point)
    curves: list[Curve] = []
    levels: dict[tuple[str, int, str], float] = {}
    late: list[str] = []
    left = f.m * len(names) * len(stencils)
    for i in range(f.m):
        for name in names:
            j = f.names.index(name)
            exact = judged.component(i, j).value
            if exact is None:
                raise MethodError(f"no truth for ∂/∂{name} to measure errors against: {judged.component(i, j).note}")
            for label, stencil in stencils.items():
                left -= 1
                try:
                    curves.append(_curve(probe, label, stencil, i, j, exact, seconds_left() / (left + 1)))
                except GaveUp as curve:
                    late.append(str(curve))
                else:
                    done = len(curves[-1].steps)
                    late += [f"{label} of ∂/∂{name}, {STEPS - done} of {STEPS} steps"] * (done < STEPS)
            if not late:
                levels.update(_levels(f, point, i, j, exact))
    if not curves:
        raise GaveUp(f"no curve was done in time: {listing(late)}; ask for fewer schemes, or be more patient")
    return Steps(f, point, judged, curves, levels, tuple(late))


def _stencil(name: str | Stencil) -> Stencil:
    if isinstance(name, Stencil) and name.derivative == 1:
        return name
    if not isinstance(name, str) or name not in SCHEMES:
        raise OptionError(f"`{name}` is not a difference scheme with a step to choose; there are {', '.join(SCHEMES)}")
    return scheme(name)


def _known(f: Function, variable: str) -> str:
    if variable not in f.names:
        raise OptionError(f"no variable `{variable}`; there are {', '.join(f.names)}")
    return variable


def _curve(probe: Probe, name: str, stencil: Stencil, i: int, j: int, exact: Any, seconds: float) -> Curve:
    """The errors at all steps, or at fewer where time is short. Raises GaveUp where there is no time for `FEWEST` steps."""
    scale = abs(float(probe.point[j])) or 1.0
    sizes = np.logspace(SMALLEST, LARGEST, STEPS) * scale
    rows: dict[int, tuple[float, float, float]] = {}
    until = precision.clock() + seconds
    for k in _coarse_first(len(sizes)):
        if precision.clock() > until:
            break
        rows[k] = _errors(probe, stencil, i, j, float(sizes[k]), exact)
    if len(rows) < FEWEST:
        raise GaveUp(f"{name} of ∂/∂{probe.f.names[j]}")
    done = sorted(rows)
    sizes = sizes[done]
    total, truncation, roundoff = np.array([rows[k] for k in done]).T
    if np.isnan(total).all():
        why = "it is beyond the range of binary64, or f has no values around the point"
        raise MethodError(f"no step of {name} gives a finite number for ∂/∂{probe.f.names[j]}: {why}")
    return Curve(name, stencil.order, i, probe.f.names[j], sizes, total, truncation, roundoff, _model(probe, stencil, i, j))


def _coarse_first(count: int) -> list[int]:
    """All positions, every eighth first. So a curve that is not finished in time still spans all steps."""
    return sorted(range(count), key=lambda k: next(-step for step in (8, 4, 2, 1) if not k % step))


def _errors(probe: Probe, stencil: Stencil, i: int, j: int, h: float, exact: Any) -> tuple[float, float, float]:
    """The total, truncation and roundoff errors, all absolute."""
    if not h:  # the point is so near 0 that this fraction of it underflows
        return math.nan, math.nan, math.nan
    exact = exact_number(exact)
    with working(probe.bits):
        rounded, sharp = probe.quotients(stencil, i, j, h)
        if sharp is None or not math.isfinite(rounded):
            return math.nan, math.nan, math.nan
        value = float(probe.rounded(j, float(probe.point[j]))[i])
        unknown = abs(exact) * CONTEXT.mpf(10) ** -DIGITS + abs(value) / exact_number(h) * CONTEXT.ldexp(1, GUARD - probe.bits)
        truncation = abs(sharp - exact)  # for a polynomial it may be 0, apart from the last bits of both
        return float(abs(rounded - exact)), float(truncation if truncation > unknown else 0), float(abs(rounded - sharp))


def _model(probe: Probe, stencil: Stencil, i: int, j: int) -> ErrorModel | None:
    """The model with the true derivative of order p + d and the measured noise. None where there is no such derivative.

    A noise of 0 means that f was exact at the nodes looked at. It is then taken to be u|f|, as it will be at other nodes.
    """
    higher = probe.derivative(i, j, stencil.order + stencil.derivative)
    if higher is None:
        return None
    noise = probe.noise(i, j) or UNIT_ROUNDOFF * abs(float(probe.rounded(j, float(probe.point[j]))[i]))
    return ErrorModel(stencil, noise, higher) if math.isfinite(noise) and math.isfinite(higher) else None


def _levels(f: Function, point: FloatArray, i: int, j: int, exact: Any) -> dict[tuple[str, int, str], float]:
    found = {}
    for name in LINES:
        try:
            value = METHODS[name](f, point).jacobian[i, j]
        except AdlabError:
            continue
        if math.isfinite(value):
            with working(BITS):
                found[name, i, f.names[j]] = float(abs(exact_number(float(value)) - exact_number(exact)))
    return found


def split(
    f: Function, point: FloatArray, j: int, name: str, step: float, judged: Truth, output: int = 0, found: float | None = None
) -> Split | None:
    """The two errors of one named scheme at one step, measured separately. None where there is nothing to measure by.

    `found` is what the scheme itself found, where that is known: it may have weighed its values in another order.
    """
    exact = judged.component(output, j).value
    if exact is None or name not in SCHEMES or not step > 0:
        return None
    try:
        probe, sharp = _settled(f, point, scheme(name), output, j, step, exact)
        _, truncation, roundoff = _errors(probe, scheme(name), output, j, step, exact)
    except AdlabError:
        return None
    if found is not None and sharp is not None and math.isfinite(found):
        with working(probe.bits):
            roundoff = float(abs(exact_number(found) - sharp))
    return Split(name, step, truncation, roundoff) if math.isfinite(truncation + roundoff) else None


def _settled(f: Function, point: FloatArray, stencil: Stencil, i: int, j: int, h: float, exact: Any) -> tuple[Probe, Any]:
    """A probe of so many bits that its exact difference quotient is one, and that quotient.

    Where values of f next to each other are to be told apart, or f itself cancels, more bits are needed. What is known of the
    errors of the values tells; where it does not, twice as many bits change a quotient that has not had enough of them.
    """
    probe, before = Probe(f, point), None
    while True:
        with working(2 * probe.bits):
            _, sharp = probe.quotients(stencil, i, j, h)
            off = None if sharp is None else abs(exact_number(exact) - sharp)
            unmoved = off is not None and before is not None and abs(sharp - before) <= ALIKE * off
            sure = off is not None and stencil.derivative == 1 and probe.unsure(stencil, i, j, h) <= ALIKE * off
            settled = off is None or unmoved or sure or off <= EXACTLY * abs(exact_number(exact))
        if settled or 2 * probe.bits > MOST_BITS:
            return probe, sharp
        probe, before = Probe(f, point, 2 * probe.bits), sharp


# --- fitting ----------------------------------------------------------------------------------------------------


def _slope(sizes: FloatArray, errors: FloatArray, low: float, high: float) -> float | None:
    """The least-squares slope on log-log axes between two steps. None with fewer than two thirds of a decade."""
    used = (sizes >= low) & (sizes <= high) & (errors > 0) & (sizes > 0)
    if used.sum() < 2 * PER_DECADE // 3:
        return None
    return float(np.polyfit(np.log10(sizes[used]), np.log10(errors[used]), 1)[0])


def _best(curve: Curve) -> dict[str, float | None]:
    step, error = curve.best
    predicted = curve.model if curve.model is not None and curve.model.truncation > 0 else None
    return {
        "step": step,
        "error": error,
        "predicted_step": None if predicted is None else predicted.optimal_step,
        "predicted_error": None if predicted is None else predicted.optimal_error,
    }


