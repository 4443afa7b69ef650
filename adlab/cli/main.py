"""The command line. Nothing heavy is imported before it is needed: `adlab --help` answers at once."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Container, Sequence
from typing import Any, NamedTuple, NoReturn

from adlab.cli import commands
from adlab.cli.arguments import rearranged
from adlab.errors import AdlabError, OptionError
from adlab.progress import Watcher

DESCRIPTION = """\
One formula, differentiated every way there is, judged and explained.

  adlab                                          the worked example at (1, 2), everything
  adlab compare "x*sin(y)" --at x=1 y=pi/3       accuracy, swell, cost and a verdict
  adlab trace   "x*sin(y)" --at x=1 y=2          both sweeps, node by node
  adlab steps   "exp(x)" --at x=1 --plot e.png   error against step size
  adlab difference "exp(x)" --at x=1             one derivative by differences, with its error
  adlab truth   "exp(sin(x))" --at x=1           the gradient that judges all others; also: derivatives, rounding
  adlab enclose "x*exp(-x)" --at x=0..0.5        guaranteed intervals over a box
  adlab swell   @logistic-map:6                  how large each derivative grows
  adlab cost    @rosenbrock:100                  operations, evaluations, memory, time
  adlab check   my:grad "x*sin(y)" --at x=1 y=2  judges a gradient function of your own
  adlab graph   "log(x)/y"                       the computational graph, as a list or a picture
  adlab peers                                    PyTorch, JAX and the rest: what is installed
  adlab bench   [PROBLEM …]                      how fast, against whoever is installed
  adlab gallery                                  the named functions, used as @NAME
  adlab figures [DIR]                            draws every figure anew
"""


class _Parser(argparse.ArgumentParser):
    """Argument errors in one sentence, like all others."""

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message}; see adlab --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="adlab", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name, command in COMMANDS.items():
        made = commands.add_parser(name, help=command.about, description=command.about)
        for option in command.options:
            made.add_argument(option, **OPTIONS[option])
        if name == "figures":
            made.add_argument("directory", nargs="?", default="figures", metavar="DIR")
        if name == "bench":
            made.add_argument("problems", nargs="*", metavar="PROBLEM", help="by default all")
            made.add_argument("--peers", nargs="*", default=[], metavar="PEER", help="by default whoever is installed")
            made.add_argument("--rounds", type=int, default=3, metavar="N", help="interleaved rounds")
            made.add_argument("--seconds", type=float, default=60.0, metavar="S", help="the limit of a cell in a round")
            made.add_argument("--json", default=None, metavar="FILE", help="write every figure into a file")
            made.add_argument("--show", default="", metavar="FILE", help="no race: what `--json` has recorded")
            made.add_argument("--brief", action="store_true", help="only adlab and the best peer of each row")
            made.add_argument("--linearity", action="store_true", help="no race: the time per node, 10^3 to 10^6 nodes")
            made.add_argument("--startup", action="store_true", help="no race: commands and imports, from a new process")
            made.add_argument("--plot", default="", metavar="FILE", help="draw it into a .png, .svg or .pdf file")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; 0, or 2 with one sentence on standard error."""
    try:
        _print_anywhere()
        given = list(sys.argv[1:] if argv is None else argv)
        if not given or given[0] in TAKES["compare"]:
            given = ["compare", "@worked-example", *given]
        options = _parser().parse_args(rearranged(given, TAKES, _method_names))
        if options.version:
            from adlab import __version__

            print(f"adlab {__version__}")
            return 0
        with Watcher(options.quiet):
            COMMANDS[options.command].run(options)
        sys.stdout.flush()
        return 0
    except AdlabError as error:
        print(f"adlab: {str(error).splitlines()[0]}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("adlab: interrupted", file=sys.stderr)
        return 130


def _print_anywhere() -> None:
    """A terminal that lacks a sign such as ∂ or → shows a question mark for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _method_names() -> Container[str]:
    from adlab.methods import METHODS

    return {*METHODS, "all"}


OPTIONS: dict[str, dict[str, Any]] = {
    "--formula": {"metavar": "EXPR", "help": "the formula, or @NAME[:NUMBER] of the gallery"},
    "--at": {"action": "append", "default": [], "metavar": "NAME=VALUE", "help": "the point; values such as pi/3 too"},
    "--variables": {"default": "", "metavar": "A,B", "help": "their names and order"},
    "--methods": {"default": "", "metavar": "A,B", "help": "methods, or `all`"},
    "--gradient": {"required": True, "metavar": "GRADIENT", "help": "MODULE:FUNCTION, or partials as a text"},
    "--rtol": {"metavar": "R", "help": "the relative error that is allowed: a number, float32, difference …"},
    "--atol": {"metavar": "A", "help": "the absolute error that is allowed"},
    "--variable": {"metavar": "NAME", "help": "the variable that is stepped"},
    "--scheme": {"metavar": "NAME", "help": "the difference scheme, by default adaptive-difference"},
    "--step": {"default": "auto", "metavar": "STEP", "help": "a number, or auto, relative, model, oracle"},
    "--order": {"type": int, "metavar": "N", "help": "which derivative, or up to which"},
    "--pieces": {"type": int, "default": 1, "metavar": "N", "help": "cut the box into so many: tighter, and dearer"},
    "--format": {"default": "text", "choices": ["text", "dot", "mermaid", "python", "latex"], "help": "the language"},
    "--derivative": {"default": "", "choices": ["reverse", "forward"], "help": "its derivative program"},
    "--conventions": {"action": "store_true", "help": "what each answers at kinks, edges and 0·∞"},
    "--only": {"default": "", "metavar": "NAME", "help": "just this figure"},
    "--json": {"action": "store_true", "help": "print the report as JSON"},
    "--markdown": {"action": "store_true", "help": "print the report as Markdown"},
    "--plot": {"default": "", "metavar": "FILE", "help": "draw it into a .png, .svg or .pdf file"},
    "--full": {"action": "store_true", "help": "every table: each partial by each method, swell, cost"},
    "--width": {"type": int, "metavar": "N", "help": "columns of the text; by default the terminal's, 0 for no limit"},
    "--out": {"default": "page.html", "metavar": "FILE", "help": "the file to write, by default page.html"},
    "--quiet": {"action": "store_true", "help": "no progress on standard error"},
}


class Command(NamedTuple):
    """What it does in words, the function that does it, and the options it takes (all take `--quiet`)."""

    about: str
    run: Callable[[argparse.Namespace], None]
    takes: str = ""

    @property
    def options(self) -> list[str]:
        wide = ["width"] if "markdown" in self.takes else []
        return [f"--{name}" for name in [*self.takes.split(), *wide, "quiet"]]


COMMANDS: dict[str, Command] = {
    "compare": Command("every method on one formula: accuracy, swell, cost, verdict", commands.compare,
                       "formula at variables methods full json markdown plot"),
    "trace": Command("the forward and the reverse sweep, node by node", commands.trace,
                     "formula at variables json markdown plot"),
    "steps": Command("error against step size for every difference scheme", commands.steps,
                     "formula at variables methods variable json markdown plot"),
    "difference": Command("derivatives by a difference scheme; without a formula, who differences best", commands.difference,
                          "formula at variables variable scheme step order methods json markdown"),
    "truth": Command("the gradient that judges all others, to 30 digits", commands.truth,
                     "formula at variables json markdown"),
    "derivatives": Command("f, f', f'' and so on, to 30 digits", commands.derivatives,
                           "formula at variables variable order json markdown"),
    "rounding": Command("how far forward and reverse mode may be wrong by rounding alone", commands.rounding,
                        "formula at variables json markdown"),
    "enclose": Command("guaranteed intervals of value and partials over a box, --at x=0..1 y=2", commands.enclose,
                       "formula at variables pieces json markdown"),
    "swell": Command("how large each derivative grows: tree, graph, after cse, program", commands.swell,
                     "formula at variables json markdown plot"),
    "cost": Command("operations, evaluations of f, memory and time of each method", commands.cost,
                    "formula at variables methods json markdown plot"),
    "check": Command("a gradient function of your own, judged and its slips named", commands.check,
                     "formula at variables gradient rtol atol json markdown"),
    "graph": Command("the computational graph", commands.graph, "formula at variables derivative format json plot"),
    "peers": Command("PyTorch, JAX and the rest: what is installed, and with a formula their programs beside ours",
                     commands.peers, "formula at variables methods conventions json markdown"),
    "bench": Command("how fast the derivative programs are, against whoever is installed", commands.bench),
    "page": Command("an interactive page of one formula at one point, in one file", commands.page, "formula at variables out"),
    "gallery": Command("the named functions, used as @NAME", commands.gallery),
    "figures": Command("draws every figure into a directory", commands.figures, "only"),
}  # fmt: skip

TAKES = {name: {option: "action" not in OPTIONS[option] or option == "--at" for option in command.options}
         for name, command in COMMANDS.items()}  # fmt: skip
