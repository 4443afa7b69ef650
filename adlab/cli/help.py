"""The parser and its help: what each command takes, in the words that a user types, with examples."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

from adlab.cli.arguments import SEVERAL
from adlab.errors import OptionError


class Command(NamedTuple):
    """A command: what it does in words, the function that does it, its options (all take `--quiet`), and examples.

    `formula` and `words` are what it takes without an option's name: a formula, or words of its own.
    """

    about: str
    run: Callable[[argparse.Namespace], None]
    takes: str = ""
    examples: tuple[str, ...] = ()
    words: tuple[str, str] = ("", "")
    """The destination of further words, and what they are called: ("paths", "FILE")."""
    more: Callable[[argparse.ArgumentParser], None] | None = None
    """Adds options that no other command has."""

    @property
    def options(self) -> list[str]:
        own = self.takes.split()
        forms = ["csv", "latex", "html", "width"] if "markdown" in own else []
        return [f"--{name}" for name in [*own, *forms, "quiet"]]


class Parser(argparse.ArgumentParser):
    """An argument error is one sentence, as every other error is."""

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message}; see {self.prog} --help")


def parser(
    description: str,
    commands: Mapping[str, Command],
    options: Mapping[str, Mapping[str, Any]],
    wanted: str = "",
    helped: bool = False,
) -> Parser:
    """The parser of the command line. Where one command is `wanted`, only that one gets its options: to make all of them
    takes longer than many a command. `helped` says that its help will be printed, which then lists the methods too."""
    made = Parser(prog="adlab", usage="adlab [COMMAND] [options]", description=description,
                  formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    made.add_argument("--version", action="store_true", help="print the version")
    below = made.add_subparsers(dest="command", prog="adlab", help=argparse.SUPPRESS, parser_class=Parser)  # described above
    for name, command in commands.items():
        if wanted in commands and name != wanted:
            below.add_parser(name)
            continue
        sub = below.add_parser(
            name, description=_described(command), usage=_usage(name, command),
            epilog=_epilog(name, command, helped and name == wanted), formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        if "formula" in command.takes.split():
            action = "append" if name in SEVERAL else "store"
            sub.add_argument("--formula", action=action, help=argparse.SUPPRESS)  # it stands by itself, see `rearranged`
        for option in command.options:
            if option != "--formula":
                sub.add_argument(option, **options.get(f"{name} {option}", options.get(option, {})))
        if command.more is not None:
            command.more(sub)
        if command.words[0]:
            sub.add_argument(command.words[0], nargs="*", metavar=command.words[1])
    return made


def _usage(name: str, command: Command) -> str:
    takes = command.takes.split()
    formula = ['"EXPR" …' if name in SEVERAL else '"EXPR"'] if "formula" in takes else []
    parts = ["adlab", name, *(["MODULE:FUNCTION"] if "gradient" in takes else []), *formula]
    if command.words[0]:
        parts.append(f"[{command.words[1]} …]")
    return " ".join([*parts, *(["[--at NAME=VALUE …]"] if "at" in takes else []), "[options]"])


def _described(command: Command) -> str:
    """What the command does, and what stands on its line without a name."""
    words = []
    if "gradient" in command.takes.split():
        words.append("  MODULE:FUNCTION  your gradient: a function of a point; or FILE.py:FUNCTION")
    if "formula" in command.takes.split():
        words.append('  "EXPR"           the formula, in quotes; or @NAME[:NUMBER] of the gallery')
    return "\n".join([_filled(command.about), "", *words]).rstrip()


def _epilog(name: str, command: Command, with_methods: bool) -> str:
    parts = []
    if "methods" in command.takes.split() and with_methods:
        from adlab.methods import METHODS

        own = [m.name for m in METHODS.values() if m.family != "peer"]
        peers = [m.name for m in METHODS.values() if m.family == "peer"]
        parts += [_listed("methods:", own), _listed("of other libraries:", peers) + "\n`adlab methods` says what each does"]
    if command.examples:
        parts.append("examples:\n" + "\n".join(f"  adlab {name} {example}".rstrip() for example in command.examples))
    return "\n\n".join(parts)


def _listed(title: str, names: list[str]) -> str:
    return title + "\n" + _filled(", ".join(names), "  ")


def _filled(text: str, indent: str = "") -> str:
    """The text in lines of at most 80 columns."""
    if len(indent) + len(text) <= WIDTH:  # and `textwrap` is not imported
        return indent + text
    import textwrap

    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


WIDTH = 80
"""Characters of a line of help: what every terminal shows."""
