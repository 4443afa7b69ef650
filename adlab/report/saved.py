"""Functions and compiled programs in files: JSON with a version number, checked when it is read, never pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from adlab.errors import GraphError, OutputError
from adlab.function import Function
from adlab.graph.saved import VERSION, from_data


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
    if data["adlab"] != VERSION:
        raise GraphError(f"{path} has version {data['adlab']!r}, and this adlab reads version {VERSION}; update adlab")
    try:
        f = _function(data["function"])
        return f if data.get("compile") is None else f.compile(**data["compile"])
    except (KeyError, TypeError, AttributeError) as wrong:
        raise GraphError(f"{path} is incomplete, or has what no save writes: {wrong!r}") from wrong


def _function(data: Any) -> Function:
    f = Function.from_graph(from_data(data["graph"]), str(data["name"]))
    f.scalar = bool(data["scalar"]) and len(f.graph.outputs) == 1
    f.shape = () if f.scalar else (len(f.graph.outputs),)
    if data["within"] is not None:
        f.within = _function(data["within"])
    return f
