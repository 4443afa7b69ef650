"""Commands that put a derivative to use: code to take along, fits, minima."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from adlab.cli.given import function_of, methods_of, point_of, points_of
from adlab.cli.output import show
from adlab.errors import OptionError


def export(options: argparse.Namespace) -> None:
    """A function, or its derivative, as code in a file of its own, or printed."""
    from adlab.exports import to_numpy as arrays
    from adlab.graph.saved import put

    chosen = [name for name in ("c", "fortran", "numpy", "python", "jax", "torch") if getattr(options, name)]
    if len(chosen) != 1:
        raise OptionError("name one language: --c, --fortran, --numpy, --python, --jax or --torch")
    f, kind = function_of(options), options.derivative or None
    if options.c:
        stem = Path(options.out).stem if options.out.endswith(".c") else ""
        code = f.to_c(kind, name=stem if stem.isidentifier() else None, at=point_of(options, f, needed=False))
        if options.out:
            print("wrote " + " and ".join(str(file) for file in code.write(options.out)))
        else:
            print(code)
        return
    writers: dict[str, Callable[..., str]] = {
        "fortran": f.to_fortran, "numpy": f.to_numpy, "python": f.to_python,
        "jax": lambda kind, **name: arrays.to_jax(f, kind, **name),
        "torch": lambda kind, **name: arrays.to_torch(f, kind, **name),
    }  # fmt: skip
    text = writers[chosen[0]](kind, **({"name": kind} if kind else {}))  # gradient(x) says what it is
    if options.out:
        put(options.out, text)
        name = re.findall(r"^(?:def|subroutine) (\w+)", text, re.MULTILINE)[-1]
        print(f"wrote {options.out}: its function is {name}")
    else:
        print(text, end="")


def fit(options: argparse.Namespace) -> None:
    """A model fitted to the columns of a file, from the start that `--at` gives; or a file of fits whose answers are known."""
    from adlab.use.fit import fit
    from adlab.use.table import read_columns

    if options.certified:
        from adlab.use.certified import certified_fits

        if options.formula or options.data or options.at:
            raise OptionError("--certified FILE has models, data and starts of its own; leave the formula, --data and --at out")
        show(options, certified_fits(options.certified, methods_of(options)))
        return
    if options.methods:
        raise OptionError("--methods goes with --certified FILE; a fit of its own is by reverse mode")
    f = function_of(options)
    if not options.data:
        raise OptionError("--data FILE is missing: a CSV file whose first line names the columns")
    data = read_columns(options.data)
    starts = points_of(options)
    if len(starts) != 1:
        raise OptionError("--at gives the start: a value for each parameter, by name")
    show(options, fit(f, data, starts[0]))


def minimize(options: argparse.Namespace) -> None:
    """A local minimum near the point that `--at` gives."""
    from adlab.use.minimize import minimize

    f = function_of(options)
    show(options, minimize(f, point_of(options, f)))
