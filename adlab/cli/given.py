"""Reads what a command is given: its formula, its point, its methods, from the words of the command line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from adlab.cli.code import CODE, traced
from adlab.errors import AdlabError, DomainError, OptionError, PointError
from adlab.progress import stage

if TYPE_CHECKING:
    from adlab.function import Function

LONGEST = 40  # characters of a title that a line of progress repeats
ASSIGNMENT = re.compile(r"^\s*([^\W\d]\w*)\s*(?:=(?!=)|:(?=\s*[-+.\d]))")


def function_of(options: argparse.Namespace) -> Function:
    """The function that a command is about. Raises OptionError without a formula, and what reading one raises."""
    stage("reading the formula")
    found = _read(options)
    stage(f"{options.command} of {found.title}" if len(found.title) <= LONGEST else options.command)
    return found


def _read(options: argparse.Namespace) -> Function:
    from adlab.function import Function

    text = options.formula
    if text is None:
        raise OptionError(f'no formula; try adlab {options.command} "x*sin(y)" --at x=1 y=2, or @worked-example')
    if text.startswith("@"):
        from adlab.gallery import named

        return named(text[1:])
    if CODE.fullmatch(text):
        return traced(text, points_of(options))
    from adlab.inputs import named_at

    variables = [name for name in options.variables.replace(",", " ").split() if name] or None
    return Function(text, variables or named_at(text, dict(assignments(options))), name="f")


def methods_of(options: argparse.Namespace) -> list[str] | None:
    """The names after `--methods`; None where there are none."""
    return [name for name in options.methods.replace(",", " ").split() if name] or None


# --- the point ------------------------------------------------------------------------------------------------------


def assignments(options: argparse.Namespace) -> list[tuple[str, str]]:
    """(name, value) of everything after `--at`. A value by itself has an empty name.

    >>> assignments(argparse.Namespace(at=["x=1,y=max(2, 3)", "4"]))
    [('x', '1'), ('y', 'max(2, 3)'), ('', '4')]
    """
    found = []
    for item in getattr(options, "at", ()):
        for part in _parts(item):
            name = ASSIGNMENT.match(part)
            found.append((name[1], part[name.end() :].strip()) if name else ("", part))
    return found


def _parts(item: str) -> Iterator[str]:
    """An item cut at the commas outside brackets, and at blanks before the next `NAME=`."""
    depth, start, text = 0, 0, re.sub(r"[\s,;]+(?=[^\W\d]\w*\s*[=:](?!=))", ",", item.strip())
    if text[:1] in "([{" and text[-1:] in ")]}":  # (1, 2), {x: 1, y: 2}
        text = text[1:-1] + ","
    text = re.sub(r"(?<=[\d.])\s+(?=[-+]?[\d.])", ",", text)  # two numbers with a blank between them
    for i, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter in ",;" and not depth:
            yield text[start:i].strip()
            start = i + 1
    if text[start:].strip():
        yield text[start:].strip()


def point_of(options: argparse.Namespace, f: Function, needed: bool = True) -> Any:
    """The point from `--at`, else the gallery's own, else None."""
    points = points_of(options, f)
    if needed and not points and f.point is None and f.n:
        raise PointError(f"no point given; write {_example(f)}")
    if len(points) > 1:
        raise PointError(f"--at gives {next(iter(points[1]))} twice, and one point is wanted here")
    return points[0] if points else f.point


def points_of(options: argparse.Namespace, f: Function | None = None) -> list[Any]:
    """Several points from `--at`. A name that is given again begins the next point. Values alone follow the variables' order.

    Python code has no variable names yet, so all its values form one point.
    """
    given = assignments(options)
    if f is None and given and not any(name for name, _ in given):
        return [[number(f"number {k}", text) for k, (_, text) in enumerate(given, 1)]]
    points: list[dict[str, float]] = []
    for name, text in given if f is None else _named(given, f):
        if not points or name in points[-1]:
            points.append({})
        points[-1][name] = number(name, text)
    return points


def _named(given: list[tuple[str, str]], f: Function) -> list[tuple[str, str]]:
    """Every value with its name. Raises PointError where it is not clear which variable is meant."""
    if not any(name for name, _ in given):
        if f.n and len(given) % f.n == 0:
            return [(f.names[k % f.n], text) for k, (_, text) in enumerate(given)]
        if given:
            raise PointError(f"--at has {len(given)} number{'s'[: len(given) != 1]} for {f.n} variables; write {_example(f)}")
    for name, text in given:
        if not name:
            raise PointError(f"--at: {text} has no name; write {_example(f)}, and a decimal point as in 3.5")
        other = [mine for mine in f.names if mine.lower() == name.lower()]
        if name not in f.names and other:
            raise PointError(f"--at {name}={text}: the formula's variable is {other[0]}; write --at {other[0]}={text}")
    return given


def _example(f: Function) -> str:
    return "--at " + " ".join(f"{name}={k}" for k, name in enumerate(f.names[:4], 1))


def number(name: str, text: str) -> float:
    """The number that a text stands for, such as `pi/3`. `name` is the variable that it is for. Raises PointError."""
    from adlab.function import Function

    try:
        constant = Function(text)
        if constant.n:
            raise PointError(f"it is not a number: it holds {', '.join(constant.names)}")
        return float(constant([]))
    except DomainError:
        where = f"{name} {text}" if name.startswith("--") else f"--at {name}={text}"
        raise PointError(f"{where}: it is no real number") from None
    except AdlabError as error:
        where = f"{name} {text}" if name.startswith("--") else f"--at {name}={text}"
        raise PointError(f"{where}: {getattr(error, 'reason', error)}") from error
