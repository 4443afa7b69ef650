"""Command lines as people type them, put into the order that argparse can read.

A formula may start with a minus sign, and may stand after `--at x=1 y=2`: argparse would take the one for an option
and the other for a value.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Container

from adlab.errors import OptionError

ASSIGNMENT = re.compile(r"^\s*[^\W\d]\w*\s*=(?!=)")
WITH_VALUE = ("--gradient", "--variables", "--methods", "--plot", "--variable", "--format", "--derivative", "--only")
FLAGS = ("--conventions", "--json", "--markdown", "--quiet", "--help", "-h", "--version")
PLAIN = ("gallery", "figures")
METHOD_NAME = re.compile(r"^[a-z]+(-[a-z0-9]+)+$")


def rearranged(argv: list[str], commands: Container[str]) -> list[str]:
    """The same arguments with the formula as `--formula=…` and each assignment behind an `--at=` of its own.

    >>> rearranged(["compare", "--at", "x=1", "y=2", "-x*y"], ["compare"])
    ['compare', '--at=x=1', '--at=y=2', '--formula=-x*y']
    """
    if not argv or argv[0] not in commands or argv[0] in PLAIN:
        return argv
    options: list[str] = []
    formulas: list[str] = []
    rest = argv[1:]
    while rest:
        token = rest.pop(0)
        name, equals, value = token.partition("=")
        if token == "--at":
            taken = _assignments(rest)
            if not taken:
                raise OptionError("--at needs NAME=VALUE, for example --at x1=1 x2=pi/3")
            options += taken
        elif name == "--at" and equals:
            options.append(token)
        elif name in WITH_VALUE:
            options.append(f"{name}={value if equals else _value(name, rest)}")
        elif token in FLAGS:
            options.append(token)
        elif re.match(r"^--[a-z]{2,}", token) and not re.search(r"[(*/+^]", token):
            near = difflib.get_close_matches(name, [*WITH_VALUE, *FLAGS, "--at", "--formula"], n=1)
            if name == "--formula":
                options.append(token if equals else f"{token}={rest.pop(0) if rest else ''}")
            else:
                raise OptionError(f"no option {name}" + (f"; did you mean {near[0]}?" if near else "; see adlab --help"))
        else:
            formulas.append(token)
    if argv[0] == "check" and len(formulas) == 2:
        options.append(f"--gradient={formulas.pop(0)}")
    if len(formulas) > 1:
        raise OptionError(f"two formulas, {formulas[0]!r} and {formulas[1]!r}; put one in quotes, and point values after --at")
    return [argv[0], *options, *(f"--formula={text}" for text in formulas)]


def _assignments(rest: list[str]) -> list[str]:
    taken = []
    while rest and ASSIGNMENT.match(rest[0]):
        taken.append(f"--at={rest.pop(0)}")
    return taken


def _value(name: str, rest: list[str]) -> str:
    """The value of an option; for methods, all the words that follow and look like one."""
    if not rest:
        raise OptionError(f"{name} needs a value; see adlab --help")
    value = rest.pop(0)
    while name == "--methods" and rest and (METHOD_NAME.match(rest[0]) or rest[0] in ("reverse", "forward", "symbolic")):
        value += "," + rest.pop(0)
    return value
