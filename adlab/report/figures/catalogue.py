"""Every figure by name, and the directory of figures that `adlab figures` draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from adlab.errors import OptionError, OutputError
from adlab.plots.canvas import STYLE, write
from adlab.progress import stage
from adlab.report.figures import (
    cost,
    depth,
    error_against_step as steps,
    fits,
    graphs,
    memory,
    plane,
    precision,
    solvers,
    swell,
    taylor,
)

FIGURES: list[Callable[..., Any]] = [
    steps.error_against_step_size, steps.central_differences, steps.one_sided_differences,
    steps.richardson_extrapolation, steps.complex_step, steps.truncation_and_roundoff, steps.measured_branches,
    plane.correct_digits_over_the_plane,
    swell.swell_of_the_logistic_map, swell.swell_of_the_chain, swell.swell_of_speelpennings_product,
    cost.gradient_cost, cost.forward_or_reverse, solvers.curse_of_unrolling, memory.memory_of_reverse_mode,
    depth.adjoints_through_layers,
    precision.work_and_precision,
    precision.digits_over_the_feynman_corpus, fits.digits_of_nist_fits, taylor.taylor_coefficients,
    graphs.worked_example_graph, graphs.worked_example_forward, graphs.worked_example_reverse, graphs.worked_example_program,
]  # fmt: skip
"""In the order of the README there. A function's docstring is the caption, its name is the name of the file."""


def figure_of(drawn: Any) -> Any:
    """The figure that holds what a function of `FIGURES` returns: axes, or an array of axes."""
    return np.ravel(drawn)[0].figure


def draw_all(directory: Path, only: str = "") -> Iterable[Path | str]:
    """Draws every figure into a directory, as PNG (200 dpi) and SVG, and writes the captions into README.md.

    Yields each path, or a sentence for a figure that had to be left out.
    """
    import matplotlib

    names = [draw.__name__ for draw in FIGURES]
    if only and only not in names:
        raise OptionError(f"no figure `{only}`; there are {', '.join(names)}")
    with matplotlib.rc_context(STYLE):
        for draw in FIGURES:
            if only and draw.__name__ != only:
                continue
            stage(f"drawing {draw.__name__}")
            try:
                figure = figure_of(draw())
            except precision.NoCorpus as reason:
                yield f"left out {draw.__name__}: {reason}"
                continue
            for ending in (".png", ".svg"):
                path = directory / (draw.__name__ + ending)
                write(figure, path)
                yield path
    if not only:
        yield _captions(directory)


def _captions(directory: Path) -> Path:
    path = directory / "README.md"
    parts = [
        "# Figures",
        "`adlab figures` draws these. Each file is named after the function in `adlab/report/figures/` that draws it. There is "
        f"an SVG beside every PNG. Drawn with {_versions()}. No figure shows a measured time, so all come out the same on "
        "every run. (`bench` and `linearity` show recorded times. `adlab bench --show figures/bench.json --plot "
        "figures/bench.png` draws them.)",
    ]
    for draw in FIGURES:
        caption = " ".join((draw.__doc__ or "").split())
        there = (directory / f"{draw.__name__}.png").exists()
        picture = f"![{draw.__name__}]({draw.__name__}.png)" if there else "(Left out: its formulas were not found.)"
        parts.append(f"## {draw.__name__}\n\n{picture}\n\n{caption}")
    try:
        path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _versions() -> str:
    """The versions of the libraries on which counts, last digits and fonts depend."""
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name.lower())}" for name in ("SymPy", "NumPy", "Matplotlib"))
