"""Reads a Python function that the command line names: `module:function`, in the current directory, or `file.py:function`."""

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

CODE = re.compile(r"\s*(?:[^\W\d][\w.]*|[^:]*\.py):[^\W\d]\w*\s*")
"""How a Python function is named: `module:function`, or `file.py:function`."""


def imported(place: str) -> Callable[..., Any]:
    """The function that MODULE:FUNCTION names: from the current directory if it has such a module, else from what is installed.

    FILE.py:FUNCTION is read from the folder of the file. Only that module is searched for in the folder first. What it imports
    comes from the folder only if no installed module has that name, and only during the import. So no file there can take the
    place of a library. Raises OptionError, with the reason, if there is no such function.
    """
    folder, module, name = _place(place)
    try:
        with _searched_last(folder):
            _load_from(folder, module.partition(".")[0])
            loaded = importlib.import_module(module)
    except AdlabError:
        raise
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything
        raise OptionError(f"{place} cannot be imported: {type(error).__name__}: {error}") from error
    if not hasattr(loaded, name):
        own = [n for n, f in vars(loaded).items() if inspect.isfunction(f) and f.__module__ == loaded.__name__ and n[:1] != "_"]
        raise OptionError(f"{module} has no function `{name}`" + (f"; it has {', '.join(own)}" if own else ""))
    found = getattr(loaded, name)
    if not callable(found):
        raise OptionError(f"{place} is no function, but {type(found).__name__}")
    return found  # type: ignore[no-any-return]


def _place(place: str) -> tuple[str, str, str]:
    """The folder, the module and the name of a function. Raises OptionError for a file that is not there."""
    module, _, name = place.strip().rpartition(":")
    if not module.endswith(".py"):
        return os.getcwd(), module, name
    path = os.path.abspath(os.path.expanduser(module))
    if not os.path.isfile(path):
        raise OptionError(f"there is no file {module}")
    return os.path.dirname(path), os.path.basename(path)[:-3], name


@contextlib.contextmanager
def _searched_last(folder: str) -> Iterator[None]:
    """Puts a folder at the end of the places where modules are searched for."""
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _load_from(folder: str, module: str) -> None:
    """The module of this folder, if there is one of that name. Raises OptionError where a library has the name."""
    spec = importlib.machinery.PathFinder.find_spec(module, [folder])
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
    with _searched_last(_place(place)[0]):
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
