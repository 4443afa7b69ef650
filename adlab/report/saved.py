"""Functions and compiled programs in files: JSON with a version number, checked when it is read, never pickle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sympy

from adlab.autodiff.declared import SIGNS
from adlab.errors import GraphError, OutputError
from adlab.function import Function
from adlab.graph.saved import DECLARING, VERSION, from_data


def load(path: str | Path) -> Any:
    """What `f.save(path)` or `program.save(path)` has written: a Function, or a program that is compiled again on this machine.

    The function comes back as its graph, so its numbers are the same. `truth` judges it by the graph. Raises OutputError where
    the file cannot be read, and GraphError where it holds something else.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as wrong:
        raise OutputError(f"{path} cannot be read: {wrong.strerror or wrong}") from wrong
    except (ValueError, RecursionError) as wrong:
        raise GraphError(f"{path} is not JSON: {wrong}") from wrong
    if not isinstance(data, dict) or "adlab" not in data:
        raise GraphError(f"{path} was not written by adlab's save")
    if data["adlab"] not in (VERSION, DECLARING):
        raise GraphError(
            f"{path} has version {data['adlab']!r}, and this adlab reads versions {VERSION} and {DECLARING}; update adlab"
        )
    try:
        f = _function(data["function"])
        return f if data.get("compile") is None else f.compile(**data["compile"])
    except (KeyError, TypeError, AttributeError) as wrong:
        raise GraphError(f"{path} is incomplete, or has what no save writes: {wrong!r}") from wrong


def _function(data: Any) -> Function:
    f = Function.from_graph(from_data(data["graph"]), str(data["name"]))
    f.scalar = bool(data["scalar"]) and len(f.graph.outputs) == 1
    f.shape = () if f.scalar else (len(f.graph.outputs),)
    if "declared" in data:
        f.variables = _with_signs(f.variables, data["declared"])
    if data["within"] is not None:
        f.within = _function(data["within"])
    return f


def _with_signs(variables: Sequence[sympy.Symbol], declared: Any) -> tuple[sympy.Symbol, ...]:
    """The variables with their declared signs, as in {"p": "positive"}: the function has values only where these hold."""
    if not isinstance(declared, dict) or not set(declared) <= {v.name for v in variables}:
        raise GraphError("the signs that the file declares are not those of its variables")
    if not all(isinstance(sign, str) and sign in SIGNS for sign in declared.values()):
        raise GraphError(f"a declared sign in the file is none of {', '.join(SIGNS)}")
    return tuple(
        sympy.Symbol(v.name, real=True, **{declared[v.name]: True}) if v.name in declared else v for v in variables
    )
