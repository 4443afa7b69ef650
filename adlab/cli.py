"""The command line. Nothing heavy is imported before it is needed: `adlab --help` answers at once."""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import sys
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from adlab.arguments import rearranged
from adlab.errors import AdlabError, OptionError, OutputError
from adlab.progress import Watcher, stage

if TYPE_CHECKING:
    from adlab.function import Function

DESCRIPTION = """\
One formula, differentiated every way there is, judged and explained.

  adlab                                          the worked example at (1, 2), everything
  adlab compare "x*sin(y)" --at x=1 y=pi/3       accuracy, swell, cost and a verdict
  adlab trace   "x*sin(y)" --at x=1 y=2          both sweeps, node by node
  adlab steps   "exp(x)" --at x=1 --plot e.png   error against step size
  adlab difference "exp(x)" --at x=1             one derivative by differences, with its error
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
    from adlab.registry import METHODS

    return {*METHODS, "all"}


# --- what the commands share --------------------------------------------------------------------------------------


def _function(options: argparse.Namespace) -> Function:
    from adlab.function import Function

    stage("reading the formula")
    text = options.formula
    if text is None:
        raise OptionError(f'no formula; try adlab {options.command} "x*sin(y)" --at x=1 y=2, or @worked-example')
    if text.startswith("@"):
        from adlab.gallery import named

        return named(text[1:])
    variables = [name for name in options.variables.replace(",", " ").split() if name] or None
    if variables is None and options.at:
        variables = _order(text, list(dict.fromkeys(item.partition("=")[0].strip() for item in options.at)))
    return Function(text, variables, name="f")


def _order(text: str, given: list[str]) -> list[str] | None:
    """Names given a value are variables, even `pi`; the order stays the natural one."""
    from adlab.expressions import natural_key, symbols_of
    from adlab.parsing import parse

    found = [symbol.name for symbol in symbols_of([parse(text, names=given)])]
    return sorted(found, key=natural_key) if any(name in ("pi", "E") for name in given) else None


def _point(options: argparse.Namespace, f: Function) -> Any:
    """The point from `--at`, else the gallery's own, else None."""
    from adlab.errors import PointError

    points = _points(options)
    if len(points) > 1:
        raise PointError(f"--at gives {next(iter(points[1]))} twice, and one point is wanted here")
    return points[0] if points else f.point


def _points(options: argparse.Namespace) -> list[dict[str, float]]:
    """Several points from `--at`: a name given again begins the next one."""
    points: list[dict[str, float]] = []
    for item in options.at:
        name, _, text = item.partition("=")
        if not points or name.strip() in points[-1]:
            points.append({})
        points[-1][name.strip()] = _number(name.strip(), text.strip())
    return points


def _number(name: str, text: str) -> float:
    from adlab.errors import PointError
    from adlab.function import Function

    try:
        constant = Function(text)
        if constant.n:
            raise PointError(f"it is not a number: it holds {', '.join(constant.names)}")
        return float(constant([]))
    except AdlabError as error:
        where = f"{name} {text}" if name.startswith("--") else f"--at {name}={text}"
        raise PointError(f"{where}: {getattr(error, 'reason', error)}") from error


def _methods(options: argparse.Namespace) -> list[str] | None:
    return [name for name in options.methods.replace(",", " ").split() if name] or None


def _show(options: argparse.Namespace, report: Any) -> None:
    if "plot" in options and options.plot:
        save(options.plot, report.plot)
    if options.json:
        print(_json(report.to_dict()))
    else:
        print(report.to_markdown() if options.markdown else report)


def _json(facts: Any) -> str:
    """JSON has no infinity and no NaN: they become texts, as does what is no plain number."""
    return json.dumps(_finite(facts), default=str, indent=1, allow_nan=False)


def _finite(facts: Any) -> Any:
    if isinstance(facts, dict):
        return {key: _finite(value) for key, value in facts.items()}
    if isinstance(facts, (list, tuple)):
        return [_finite(value) for value in facts]
    return str(facts) if isinstance(facts, float) and not math.isfinite(facts) else facts


def save(path: str, draw: Callable[[], Any]) -> None:
    """Draws, and writes the file by its ending."""
    import matplotlib

    from adlab.report.figures import STYLE, write

    file = Path(path)
    if file.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise OutputError(f"--plot {path}: name a file that ends in .png, .svg or .pdf")
    stage("drawing")
    with matplotlib.rc_context(STYLE):
        write(draw().figure, file)


# --- the commands -------------------------------------------------------------------------------------------------


def _compare(options: argparse.Namespace) -> None:
    from adlab.report.compare import compare

    f = _function(options)
    _show(options, compare(f, _point(options, f), _methods(options)))


def _trace(options: argparse.Namespace) -> None:
    from adlab.function import point_of

    f = _function(options)
    _show(options, f.trace(point_of(f, _point(options, f))))


def _steps(options: argparse.Namespace) -> None:
    from adlab.report.steps import steps

    f = _function(options)
    _show(options, steps(f, _point(options, f), options.variable, _methods(options)))


def _difference(options: argparse.Namespace) -> None:
    from adlab.report.contest import contest
    from adlab.report.difference import difference

    if options.formula is None:
        stage("differentiating")
        _show(options, contest(_methods(options)))
        return
    f = _function(options)
    step: Any = options.step if options.step.isalpha() else _number("--step", options.step)
    _show(options, difference(f, _point(options, f), options.variable, options.scheme, step, options.order))


def _swell(options: argparse.Namespace) -> None:
    from adlab.report.swell import swell

    _show(options, swell(_function(options)))


def _cost(options: argparse.Namespace) -> None:
    from adlab.report.cost import cost

    f = _function(options)
    _show(options, cost(f, _point(options, f), _methods(options)))


def _check(options: argparse.Namespace) -> None:
    from adlab.report.check import check

    f = _function(options)
    points: list[Any] = list(_points(options)) or ([f.point] if f.point else [])
    _show(options, check(f, _imported(options.gradient), points))


def _imported(place: str) -> Callable[..., Any]:
    """The function that MODULE:FUNCTION names, looked for from the current directory."""
    import importlib

    module, colon, name = place.partition(":")
    if not colon:
        raise OptionError(f"{place}: name your gradient as MODULE:FUNCTION, for example mymodel:gradient")
    sys.path.insert(0, "")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise OptionError(f"{place}: {error}") from error
    return found


def _graph(options: argparse.Namespace) -> None:
    f = _function(options)
    if options.derivative:
        f = f.derivative(options.derivative, value=True)
    if options.plot:
        from adlab.function import point_of

        traced = f.trace(point_of(f, _point(options, f))) if (options.at or f.point) and f.m == 1 else None
        save(options.plot, lambda: f.graph.plot(trace=traced))
    if options.json:
        graph = f.graph
        rows = [{"node": graph.names[i], "expression": graph.written(i)} for i in graph.operations]
        print(_json({"inputs": graph.inputs, "operations": rows, "counts": graph.counts(),
                     "outputs": [graph.names[o] for o in graph.outputs]}))  # fmt: skip
    else:
        forms: dict[str, Callable[[], str]] = {
            "text": lambda: str(f.graph), "dot": f.graph.to_dot, "mermaid": f.graph.to_mermaid,
            "python": f.to_python, "latex": f.to_latex,
        }  # fmt: skip
        print(forms[options.format]())


def _peers(options: argparse.Namespace) -> None:
    from adlab.report import peers

    if options.formula is None:
        _show(options, peers.conventions(_methods(options)) if options.conventions else peers.listing())
        return
    f = _function(options)
    for framework in _methods(options) or peers.shown_where_installed():
        _show(options, peers.side_by_side(f, _point(options, f), framework))


def _gallery(options: argparse.Namespace) -> None:
    from adlab.gallery import listing
    from adlab.tables import Table

    head = ["name", "n", "m", "operations", "about"]
    rows = [[f"@{row.name}", str(row.n), str(row.m), str(row.operations), row.about] for row in listing()]
    print(Table("", head, rows, frozenset(head[1:4])).text())


def _figures(options: argparse.Namespace) -> None:
    from adlab.report.figures import draw_all

    for path in draw_all(Path(options.directory), options.only):
        print(path)


def _bench(options: argparse.Namespace) -> None:
    from adlab.report.bench.commands import asked

    found = asked(options)
    if options.plot:
        save(options.plot, found.plot)
    print(found.digest() if options.brief else found)


OPTIONS: dict[str, dict[str, Any]] = {
    "--formula": {"metavar": "EXPR", "help": "the formula, or @NAME[:NUMBER] of the gallery"},
    "--at": {"action": "append", "default": [], "metavar": "NAME=VALUE", "help": "the point; values such as pi/3 too"},
    "--variables": {"default": "", "metavar": "A,B", "help": "their names and order"},
    "--methods": {"default": "", "metavar": "A,B", "help": "methods, or `all`"},
    "--gradient": {"required": True, "metavar": "MODULE:FUNCTION", "help": "your function of a point"},
    "--variable": {"metavar": "NAME", "help": "the variable that is stepped"},
    "--scheme": {"default": "adaptive-difference", "metavar": "NAME", "help": "the difference scheme"},
    "--step": {"default": "auto", "metavar": "STEP", "help": "a number, or auto, relative, model, oracle"},
    "--order": {"type": int, "default": 1, "metavar": "1|2", "help": "first or second derivatives"},
    "--format": {"default": "text", "choices": ["text", "dot", "mermaid", "python", "latex"], "help": "the language"},
    "--derivative": {"default": "", "choices": ["reverse", "forward"], "help": "its derivative program"},
    "--conventions": {"action": "store_true", "help": "what each answers at kinks, edges and 0·∞"},
    "--only": {"default": "", "metavar": "NAME", "help": "just this figure"},
    "--json": {"action": "store_true", "help": "print the report as JSON"},
    "--markdown": {"action": "store_true", "help": "print the report as Markdown"},
    "--plot": {"default": "", "metavar": "FILE", "help": "draw it into a .png, .svg or .pdf file"},
    "--quiet": {"action": "store_true", "help": "no progress on standard error"},
}


class Command(NamedTuple):
    """What it does in words, the function that does it, and the options it takes (all take `--quiet`)."""

    about: str
    run: Callable[[argparse.Namespace], None]
    takes: str = ""

    @property
    def options(self) -> list[str]:
        return [f"--{name}" for name in [*self.takes.split(), "quiet"]]


COMMANDS: dict[str, Command] = {
    "compare": Command("every method on one formula: accuracy, swell, cost, verdict", _compare,
                       "formula at variables methods json markdown plot"),
    "trace": Command("the forward and the reverse sweep, node by node", _trace, "formula at variables json markdown plot"),
    "steps": Command("error against step size for every difference scheme", _steps,
                     "formula at variables methods variable json markdown plot"),
    "difference": Command("derivatives by a difference scheme; without a formula, who differences best", _difference,
                          "formula at variables variable scheme step order methods json markdown"),
    "swell": Command("how large each derivative grows: tree, graph, after cse, program", _swell,
                     "formula at variables json markdown plot"),
    "cost": Command("operations, evaluations of f, memory and time of each method", _cost,
                    "formula at variables methods json markdown plot"),
    "check": Command("a gradient function of your own, judged and its slips named", _check,
                     "formula at variables gradient json markdown"),
    "graph": Command("the computational graph", _graph, "formula at variables derivative format json plot"),
    "peers": Command("PyTorch, JAX and the rest: what is installed, and with a formula their programs beside ours", _peers,
                     "formula at variables methods conventions json markdown"),
    "bench": Command("how fast the derivative programs are, against whoever is installed", _bench),
    "gallery": Command("the named functions, used as @NAME", _gallery),
    "figures": Command("draws every figure into a directory", _figures, "only"),
}  # fmt: skip

TAKES = {name: {option: "action" not in OPTIONS[option] or option == "--at" for option in command.options}
         for name, command in COMMANDS.items()}  # fmt: skip
