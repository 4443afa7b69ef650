"""Command lines as people type them, rearranged so that argparse can read them.

A formula may start with a minus sign, and it may stand after `--at x=1 y=2`. argparse would take the first for an option and
the second for a value.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Container, Mapping

from adlab.errors import OptionError

Takes = Mapping[str, Mapping[str, bool]]
"""For each command, the options that it takes, and whether a value follows."""

ASSIGNMENT = re.compile(r"^\s*[{(]?\s*[^\W\d]\w*\s*(?:=(?!=)|:\s*[-+.\d])")
"""x=1, and x:1 or {x: 1} before a number: MODULE:FUNCTION is a formula."""
NUMBER = re.compile(
    r"^(?>\d++\.?\d*+(?:[eE][-+]?\d++)?|\.\d++(?:[eE][-+]?\d++)?|pi|π|sqrt|[-+*/()\[\],;\s])++(?<=[\d.iπ)\]])$"
)
"""A value by itself: 3, -1.5e-3, pi/3, sqrt(2), or several with commas."""
SEVERAL = ("sheet",)
"""Commands that take several formulas."""
MEANT = {
    **dict.fromkeys(("diff", "derivative", "differentiate", "d", "gradient", "grad", "jacobian", "symbolic"),
                    'derive "EXPR" for the formula, or compare "EXPR" --at NAME=VALUE … for numbers'),
    **dict.fromkeys(("hessian", "second"), 'derive "EXPR" --order 2, or compare "EXPR" --order 2 --at NAME=VALUE …'),
    **dict.fromkeys(("plot", "draw", "picture"), 'COMMAND … --plot FILE: steps, graph, trace, compare and others draw'),
    **dict.fromkeys(("value", "eval", "evaluate"), 'truth "EXPR" --at NAME=VALUE …, which gives the value and the gradient'),
    **dict.fromkeys(("forward", "reverse", "backprop"), 'trace "EXPR" --at NAME=VALUE …; --forward NAME: forward mode'),
    **dict.fromkeys(("test", "verify", "judge"), 'check MODULE:FUNCTION "EXPR" --at NAME=VALUE …'),
    **dict.fromkeys(("exercise", "exercises", "sheets", "homework"), 'sheet "EXPR" --out DIR'),
    **dict.fromkeys(("optimize", "optimise", "minimise", "min"), 'minimize "EXPR" --at NAME=VALUE …'),
    **dict.fromkeys(("install", "run", "start"), "alone for a first look, or adlab --help"),
}  # fmt: skip
"""What other commands are called here that people try."""
OPTION = re.compile(r"^--[a-z]{2,}[^(*/+^]*$")


def rearranged(argv: list[str], takes: Takes, methods: Callable[[], Container[str]] = tuple) -> list[str]:
    """The same arguments, with the formula as `--formula=…` and each assignment after an `--at=` of its own.

    After `--methods`, all following words that are in `methods()` belong to it. Raises OptionError for an unknown command, for
    an option that the command does not take, and for a second formula.

    >>> rearranged(["compare", "--at", "x=1", "y=2", "-x*y"], {"compare": {"--formula": True, "--at": True}})
    ['compare', '--at=x=1', '--at=y=2', '--formula=-x*y']
    """
    argv = _meant(argv, takes)
    if not argv or argv[0] in ("-h", "--help", "--version"):
        return argv
    command = argv[0]
    if command not in takes:
        raise OptionError(_no_option("", command, takes) if OPTION.match(command) else _no_command(command, takes))
    if "--formula" not in takes[command]:
        return argv
    options, formulas, rest = [], list[str](), argv[1:]
    while rest:
        token = rest.pop(0)
        name, equals, value = token.partition("=")
        if token == "--at":
            options += _assignments(rest)
        elif name in takes[command]:
            if not takes[command][name]:
                options.append(token)
            else:
                options.append(f"{name}={value if equals else _value(command, name, rest, methods)}")
        elif token in ("-h", "--help"):
            options.append(token)
        elif OPTION.match(name):
            raise OptionError(_no_option(command, name, takes))
        elif token != "--":
            formulas.append(token)
    if command == "check" and len(formulas) == 2:
        options.append(f"--gradient={formulas.pop(0)}")
    if len(formulas) > 1 and command not in SEVERAL:
        _point_or_option(command, formulas, takes)
        raise OptionError(f"two formulas, {formulas[0]!r} and {formulas[1]!r}; put one in quotes, and point values after --at")
    return [command, *options, *(f"--formula={text}" for text in formulas)]


def _meant(argv: list[str], takes: Takes) -> list[str]:
    """What people type for `--help` and `--version`; a formula alone is compared.

    >>> _meant(["help", "trace"], {"trace": {}}), _meant(["x**2", "--at", "1"], {}), _meant(["-V"], {})
    (['trace', '--help'], ['compare', 'x**2', '--at', '1'], ['--version'])
    """
    if not argv or argv[0] in takes:
        return argv
    if argv[0] in ("help", "-help", "-?", "--h"):
        return [*(name for name in argv[1:2] if name in takes), "--help"]
    if argv[0] in ("version", "-v", "-V"):
        return ["--version"]
    is_formula = argv[0][:1] == "@" or re.search(r"[^\w\s-]", argv[0].lstrip("-"))
    return ["compare", *argv] if is_formula and not OPTION.match(argv[0]) else argv


def _point_or_option(command: str, words: list[str], takes: Takes) -> None:
    """Raises OptionError where one of the words that stand alone is hardly a formula: a point, or an option misspelt."""
    for word in words:
        name = "--" + word.lstrip("-")
        if word.startswith("-") and any(option.startswith(name) for option in takes[command] if name != "--"):
            near = min(option for option in takes[command] if option.startswith(name))
            raise OptionError(f"no option {word}; did you mean {near}?")
        if re.match(r"\s*[^\W\d]\w*\s*=(?!=)", word) or word == "at":
            raise OptionError(f"{word!r} is no formula: a point stands after --at, as in --at x=1 y=2")


def _assignments(rest: list[str]) -> list[str]:
    """What follows `--at`: assignments, or numbers. The first word is taken in any case, so that a message can name it."""
    taken: list[str] = []
    while len(rest) > 2 and rest[1] in ("=", ":"):  # x = 1, in three words
        taken.append(f"--at={rest.pop(0)}={rest.pop(1)}")
        del rest[0]
    while rest and (ASSIGNMENT.match(rest[0]) or NUMBER.match(rest[0])):
        taken.append(f"--at={rest.pop(0)}")
    if not taken:
        found = f"; {rest[0]!r} is neither" if rest else ""
        raise OptionError(f"--at needs NAME=VALUE, for example --at x1=1 x2=pi/3, or numbers in the variables' order{found}")
    return taken


def _value(command: str, name: str, rest: list[str], methods: Callable[[], Container[str]]) -> str:
    if not rest or OPTION.match(rest[0]):
        found = f", and {rest[0]} is none" if rest else ""
        raise OptionError(f"{name} needs a value{found}; see adlab {command} --help")
    value = rest.pop(0)
    while name == "--methods" and rest and rest[0] in methods():
        value += "," + rest.pop(0)
    return value


def _no_command(given: str, takes: Takes) -> str:
    near = difflib.get_close_matches(given, takes, n=1, cutoff=0.7)
    if given in MEANT:
        return f"no command {given!r}; write adlab {MEANT[given]}"
    hint = f"did you mean {near[0]}?" if near else f'for a formula: adlab compare "{given}" --at NAME=VALUE …'
    return f"no command {given!r}; {hint} There are {', '.join(takes)}."


def _no_option(command: str, given: str, takes: Takes) -> str:
    own = [name for name in takes.get(command, ()) if name != "--formula"]
    if any(given in options for options in takes.values()):
        return f"`adlab {command}` takes no {given}; it takes {', '.join(own)}"
    near = difflib.get_close_matches(given, [*own, "--help", "--version"], n=1)
    more = " ".join(["see adlab", *([command] if command else []), "--help"])
    return f"no option {given}; " + (f"did you mean {near[0]}?" if near else more)
