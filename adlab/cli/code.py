"""Reads a Python function that the command line names: `module:function`, imported from the current directory only."""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import importlib.util
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from adlab.errors import AdlabError, OptionError, PointError

if TYPE_CHECKING:
    from adlab.function import Function

CODE = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")
"""How a Python function is named: `module:function`."""


def imported(place: str) -> Callable[..., Any]:
    """The function that MODULE:FUNCTION names: from the current directory if it has such a module, else from what is installed.

    Only that module is searched for in the directory first. What it imports comes from the directory only if no installed
    module has that name, and only during the import. So no file there can take the place of a library.
    """
    module, _, name = place.strip().partition(":")
    try:
        with _here_last():
            _load_from_here(module.partition(".")[0])
            found = getattr(importlib.import_module(module), name)
    except AdlabError:
        raise
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything
        raise OptionError(f"{place} cannot be imported: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise OptionError(f"{place} is no function, but {type(found).__name__}")
    return found  # type: ignore[no-any-return]


@contextlib.contextmanager
def _here_last() -> Iterator[None]:
    """Puts the current directory at the end of the places where modules are searched for."""
    here = os.getcwd()
    sys.path.append(here)
    try:
        yield
    finally:
        sys.path.remove(here)


def _load_from_here(module: str) -> None:
    """The module of the current directory, if there is one of that name. Raises OptionError where a library has the name."""
    spec = importlib.machinery.PathFinder.find_spec(module, [os.getcwd()])
    if spec is None or spec.loader is None:
        return
    known = sys.modules.get(module)
    if known is not None:
        if getattr(known, "__file__", None) != spec.origin:
            raise OptionError(f"`{module}` is also the name of a library that adlab uses; give {spec.origin} another name")
        return
    made = importlib.util.module_from_spec(spec)
    sys.modules[module] = made
    try:
        spec.loader.exec_module(made)
    except BaseException:
        del sys.modules[module]
        raise


def traced(place: str, points: list[Any]) -> Function:
    """The Python function MODULE:FUNCTION, traced at the one point of `--at`."""
    from adlab.tracing.traced import from_python

    function = imported(place)
    if len(points) != 1:
        raise PointError(f"{place} needs one point; try --at 1,2,3")
    with _here_last():
        return from_python(function, _example_of(function, points[0]))


def _example_of(function: Callable[..., Any], point: Any) -> Any:
    """The point in the form that the function takes: names as keywords, several parameters as numbers, one as number or array."""
    try:
        parameters = [p for p in inspect.signature(function).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    except (TypeError, ValueError):  # compiled code does not tell
        return point if isinstance(point, dict) else point[0] if len(point) == 1 else tuple(point)
    if isinstance(point, dict):
        return _by_name(point, [p.name for p in parameters])
    needed = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    any_number = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if len(needed) == 1 and not any_number:
        return point[0] if len(point) == 1 and _takes_a_number(function, point[0]) else point
    if len(needed) <= len(point) <= len(parameters) or any_number:
        return tuple(point)
    raise PointError(f"{function.__name__} takes {len(needed)} numbers, and --at has {len(point)}")


def _by_name(point: dict[str, float], names: list[str]) -> Any:
    """Values by the parameters' names, or the entries of one array by adlab's names: x0, x1, …"""
    entries = [f"{names[0]}{k}" for k in range(len(point))] if names else []
    return [point[name] for name in entries] if set(entries) == set(point) else point


def _takes_a_number(function: Callable[..., Any], number: float) -> bool:
    """Whether the function, run on floats, takes its one argument as a number. Otherwise it takes an array."""
    try:
        function(number)
    except (TypeError, IndexError, AttributeError):
        return False
    except Exception:  # it has no value there; the trace will say so
        return True
    return True
