"""Error against step size: a figure for each family of schemes, and figures that show truncation and roundoff separately."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from adlab.differences.stencils import SCHEMES, Stencil
from adlab.function import Function
from adlab.gallery import squire_trapp, worked_example
from adlab.methods import METHODS
from adlab.plots.canvas import COLOURS, SMALL, axes, entitle, legend_on_top, panels
from adlab.plots.curves import envelope
from adlab.plots.pieces import draw_steps
from adlab.precision import working
from adlab.report.steps import Curve, Steps, steps
from adlab.report.truth import truth
from adlab.truth.meanings import exact as exact_number

HALVINGS = 3  # rows of Richardson's tableau that are drawn, without the first


def error_against_step_size(ax: Any = None) -> Any:
    """Absolute error of ∂f/∂x1 for the worked example log((x1+x2)² + sin(x1 x2)) at (1, 2) in binary64, against the step h. One
    scheme of each family is shown. Points are measured, twelve in each decade. Lines are the model A/h + C·hᵖ: A comes from the
    rounding of f, C from its true derivative of order p + 1. A star is the model's best step. The complex step has no roundoff
    to trade. The dashed line is the error of the methods named at it, or half an ulp where that is larger."""
    ax = draw_steps(_worked("forward-difference", "central-difference", "central-difference-8"), axes(ax), "x1")
    sizes = np.logspace(-16, 0, 65)
    f = worked_example()
    colour = COLOURS[3]
    ax.plot(sizes, _floored(f, _complex_errors(f, sizes)), "D", color=colour, ms=3, label="complex-step", zorder=4)
    legend_on_top(ax)
    return ax


def central_differences(ax: Any = None) -> Any:
    """Central differences of order 2, 4, 6 and 8: absolute error of ∂f/∂x1 for the worked example at (1, 2) in binary64,
    against the step h. Points, lines and stars are as above."""
    return draw_steps(_worked(*_family("central-difference")), axes(ax), "x1")


def one_sided_differences(ax: Any = None) -> Any:
    """Forward differences of order 1 to 4, on the nodes x, x + h … x + ph: absolute error of ∂f/∂x1 for the worked example at
    (1, 2) in binary64, against the step h. Points, lines and stars are as above."""
    return draw_steps(_worked(*_family("forward-difference")), axes(ax), "x1")


def richardson_extrapolation(ax: Any = None) -> Any:
    """The columns of Richardson's tableau: the central difference, and its extrapolations from the steps h and 2h, then also 4h
    and 8h. Each column is a stencil itself. Shown is the absolute error of ∂f/∂x1 for the worked example at (1, 2) in binary64,
    against h, the smallest of the steps. The cross is where the method `richardson` stopped by its own estimate."""
    f = worked_example()
    ax = draw_steps(_worked(*map(extrapolated, range(HALVINGS + 1))), axes(ax), "x1")
    points = [line for line in ax.lines if not line.get_label().startswith("_")]
    names = ["central difference at h", "from h, 2h", "from h, 2h, 4h", "from h, 2h, 4h, 8h"]
    found = METHODS["richardson"](f, np.array(f.point))
    assert found.steps is not None  # richardson always reports its steps
    error = _floored(f, np.array([found.jacobian[0, 0]]))
    (cross,) = ax.plot(found.steps[:1], error, "X", color="black", ms=8, mec="white", zorder=6)
    legend_on_top(ax, ([*points, cross], [*names, "richardson, as it stops"]))
    return ax


def complex_step(ax: Any = None) -> Any:
    """The complex step Im f(x + ih)/h beside the central difference: absolute error of ∂f/∂x1 for the worked example at (1, 2)
    in binary64. The step h goes from 1 down to the smallest numbers of binary64. The dashed line is half an ulp of the
    derivative. Points below it are drawn on it."""
    f = worked_example()
    ax = axes(ax)
    (curve,) = _worked("central-difference").curves
    ax.plot(curve.steps, curve.total, "s", color=COLOURS[1], ms=3, label="central-difference")
    sizes = np.logspace(-323, 0, 324)
    ax.plot(sizes, _floored(f, _complex_errors(f, sizes)), "D", color=COLOURS[3], ms=3, label="complex-step")
    ax.axhline(_half_ulp(f), color="black", lw=1, ls="--", zorder=1)
    ax.set(xscale="log", yscale="log", xlabel="step size h", ylabel="absolute error of ∂f/∂x1")
    ax.set_xticks([10.0**k for k in (-300, -200, -100, 0)])
    ax.text(1e-303, 1e-6, "below 1e−308\nih has fewer digits", fontsize=SMALL)
    ax.text(1e-150, _half_ulp(f) / 2, "half an ulp", ha="center", va="top", fontsize=SMALL)
    ax.set_ylim(bottom=_half_ulp(f) / 100)
    entitle(ax, "worked example at x1 = 1, x2 = 2: ∂/∂x1; the complex step needs no best step")
    ax.legend(loc="upper center")
    return ax


def truncation_and_roundoff(ax: Any = None) -> Any:
    """The two errors of the central difference of the worked example in x1 at (1, 2), measured separately at the same binary64
    nodes. Truncation comes from high-precision values of the expression; roundoff is the rest. Slopes are fitted to the
    measured branches, for roundoff to its running maximum. The theory is A/h + C·h²."""
    ax = axes(ax)
    (curve,) = _worked("central-difference").curves
    _branches(ax, curve, with_slopes=True)
    ax.set(xlabel="step size h", ylabel="absolute error of ∂f/∂x1")
    ax.set_ylim(bottom=1e-19)
    entitle(ax, "worked example at x1 = 1, x2 = 2: ∂/∂x1 by the central difference, and what its error is made of")
    legend_on_top(ax)
    return ax


def measured_branches(given: Any = None) -> Any:
    """The same two branches for five functions: absolute error of the central difference against the step h, in binary64. In
    each panel p is the slope fitted to the measured truncation, and r the slope fitted to the running maximum of the measured
    roundoff. Theory says 2 and −1. The grey line is the theory A/h + C·h². The black line is truncation plus the running
    maximum of roundoff."""
    spots = panels(given, 3, 2, height=6.6)
    for ax, (title, f, x) in zip(spots, _five(), strict=False):
        (curve,) = steps(f, x, variable=f.names[0], schemes=["central-difference"], patience=600).curves
        _branches(ax, curve)
        bottom = float(np.nanmin(curve.truncation[curve.truncation > 0]))
        top = float(np.nanmax(curve.total))
        ax.set(title=title, ylim=(max(bottom, top * 1e-18) / 10, top * 1e5))
        ax.text(0.5, 0.97, f"p = {_slope(curve.truncation_slope)},  r = {_slope(curve.roundoff_slope)}", transform=ax.transAxes,
                ha="center", va="top", fontsize=SMALL)  # fmt: skip
        ax.set_xlabel("step size h")
    for ax in spots[::2]:
        ax.set_ylabel("absolute error")
    spots[5].set_axis_off()
    spots[5].legend(*spots[0].get_legend_handles_labels(), loc="center", fontsize=10, title="central difference")
    return given if given is not None else spots


# --- what is drawn --------------------------------------------------------------------------------------------------


@cache
def _worked(*schemes: str | Stencil) -> Steps:
    """The steps of the worked example in x1: several figures show them."""
    return steps(worked_example(), variable="x1", schemes=schemes, patience=600)


def _family(name: str) -> list[str]:
    return [scheme for scheme in SCHEMES if scheme == name or scheme.removeprefix(f"{name}-").isdecimal()]


def extrapolated(halvings: int) -> Stencil:
    """Richardson's extrapolation of the central difference from h, 2h, …, 2ᵏh: the stencil of highest order on its nodes.

    >>> [str(weight) for weight in extrapolated(1).weights], extrapolated(3).order
    (['1/12', '-2/3', '2/3', '-1/12'], 8)
    """
    return Stencil.of(sorted(side * 2**k for k in range(halvings + 1) for side in (-1, 1)))


def _five() -> list[tuple[str, Function, Any]]:
    return [
        ("exp(x) at 1", Function("exp(x)"), 1.0),
        ("sin(x) at 1", Function("sin(x)"), 1.0),
        ("log(x) at 0.001", Function("log(x)"), 1e-3),
        ("Squire & Trapp at 1.5", squire_trapp(), None),
        ("worked example in x1 at (1, 2)", worked_example(), None),
    ]


def _branches(ax: Any, curve: Curve, with_slopes: bool = False) -> None:
    slopes = [f": slope {_slope(slope)}" if with_slopes else ""
              for slope in (curve.truncation_slope, curve.roundoff_slope)]  # fmt: skip
    for name, errors, slope, colour, mark in (
        ("truncation", curve.truncation, slopes[0], COLOURS[0], "o"),
        ("roundoff", curve.roundoff, slopes[1], COLOURS[1], "s"),
    ):
        ax.plot(curve.steps, np.where(errors > 0, errors, np.nan), mark, color=colour, ms=3, label=f"{name}, measured{slope}")
    total = curve.truncation + envelope(curve.roundoff)
    ax.plot(curve.steps, total, "-", color="black", lw=0.9, label="both together")
    if curve.model is not None:
        theory = curve.model.predicted_error(curve.steps)
        ax.plot(curve.steps, theory, "-", color="0.6", lw=2.2, label="theory A/h + C·h²", zorder=1)
    ax.set(xscale="log", yscale="log")


def _slope(slope: float | None) -> str:
    return "–" if slope is None else f"{slope:.2f}".replace("-", "−")


def _complex_errors(f: Function, sizes: Any) -> Any:
    """∂f/∂x1 by the complex step, of each size; NaN where there is none."""
    point = np.array(f.point)
    return np.array([METHODS["complex-step"](f, point, step=float(h)).jacobian[0, 0] for h in sizes])


def _half_ulp(f: Function) -> float:
    return float(np.spacing(abs(float(truth(f).component(0, 0).value)))) / 2


def _floored(f: Function, found: Any) -> Any:
    """Errors of derivatives, but at least half an ulp: binary64 cannot tell smaller errors apart."""
    exact = truth(f).component(0, 0).value
    with working(200):
        errors = [float(abs(exact_number(float(value)) - exact_number(exact))) for value in found]
    return np.maximum(errors, _half_ulp(f))
