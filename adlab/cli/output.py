"""How a command answers: a report in the form that is asked for, a picture in a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adlab.errors import OptionError, OutputError
from adlab.progress import finished, stage


def show(options: argparse.Namespace, report: Any) -> None:
    """Prints a report in the form that is asked for. As text it fits the terminal, or `--width`."""
    from adlab.display.terminal import columns, has_colour

    forms = [name for name in ("json", "markdown", "csv", "latex", "html") if getattr(options, name)]
    if len(forms) > 1:
        raise OptionError(f"--{forms[0]} and --{forms[1]}: a report is printed in one form; choose one")
    if "plot" in options and options.plot:
        save(options.plot, report.plot)
    finished()
    if options.json:
        print(report.to_json())
    elif options.markdown:
        print(report.to_markdown())
    elif options.csv:
        print(report.to_csv(), end="")
    elif options.html:
        print(report.to_html(), end="")
    elif options.latex:
        print(report.to_latex())
    else:
        width = columns() if options.width is None else options.width or None
        print(report.text(width, has_colour()))


def save(path: str, draw: Callable[[], Any]) -> None:
    """Draws, writes the file in the format of its ending, and says so. Raises OutputError for another ending or if it fails."""
    import matplotlib

    from adlab.plots.canvas import STYLE, write

    file = Path(path)
    if file.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise OutputError(f"--plot {path}: name a file that ends in .png, .svg or .pdf")
    if not file.parent.is_dir():
        raise OutputError(f"--plot {path}: there is no directory {file.parent}; make it first")
    stage("drawing")
    with matplotlib.rc_context(STYLE):
        write(draw().figure, file)
    finished()
    print(f"adlab: wrote {path}", file=sys.stderr)


def folder(path: str) -> None:
    """Raises OutputError where there is no such directory for pictures. It is asked before the work, and not after it."""
    if path and not Path(path).is_dir():
        raise OutputError(f"--plots {path}: there is no such directory; make it first")
