"""The command line. Nothing heavy is imported before it is needed: `adlab --help` answers at once."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

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
  adlab swell   @logistic-map:6                  how large each derivative grows
  adlab cost    @rosenbrock:100                  operations, evaluations, memory, time
  adlab check   my:grad "x*sin(y)" --at x=1 y=2  judges a gradient function of your own
  adlab graph   "log(x)/y"                       the computational graph, as a list or a picture
  adlab peers                                    PyTorch, JAX and the rest: what is installed
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
    for name, (about, _) in COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("--quiet", action="store_true", help="no progress on standard error")
        if name in ("gallery", "figures"):
            if name == "figures":
                command.add_argument("directory", nargs="?", default="figures", metavar="DIR")
                command.add_argument("--only", default="", metavar="NAME", help="just this figure")
            continue
        command.add_argument("--formula", required=name != "peers", metavar="EXPR", help="the formula, or @NAME[:NUMBER] of the gallery")
        command.add_argument("--at", action="append", default=[], metavar="NAME=VALUE", help="the point; values such as pi/3 too")
        command.add_argument("--variables", default="", metavar="A,B", help="their names and order")
        command.add_argument("--methods", default="", metavar="A,B", help="methods, or `all`")
        command.add_argument("--json", action="store_true", help="print the report as JSON")
        command.add_argument("--markdown", action="store_true", help="print the report as Markdown")
        command.add_argument("--plot", default="", metavar="FILE", help="draw it into a .png, .svg or .pdf file")
        if name == "peers":
            command.add_argument("--conventions", action="store_true", help="what each answers at kinks, edges and 0·∞")
        if name == "check":
            command.add_argument("--gradient", required=True, metavar="MODULE:FUNCTION", help="your function of a point")
        if name == "steps":
            command.add_argument("--variable", default=None, metavar="NAME", help="the variable that is stepped")
        if name == "graph":
            command.add_argument("--format", default="text", choices=["text", "dot", "mermaid", "python", "latex"])
            command.add_argument("--derivative", default="", choices=["", "reverse", "forward"], help="its derivative program")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; 0, or 2 with one sentence on standard error."""
    try:
        given = list(sys.argv[1:] if argv is None else argv)
        options = _parser().parse_args(rearranged(given, COMMANDS))
        if options.version:
            from adlab import __version__

            print(f"adlab {__version__}")
            return 0
        if options.command is None:
            options = _parser().parse_args(["compare", "--formula", "@worked-example"])
        with Watcher(options.quiet):
            COMMANDS[options.command][1](options)
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


# --- what the commands share --------------------------------------------------------------------------------------


def _function(options: argparse.Namespace) -> Function:
    from adlab.function import Function

    stage("reading the formula")
    text = options.formula
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
    if not options.at:
        return f.point
    return {name.strip(): _number(name, text) for name, _, text in (item.partition("=") for item in options.at)}


def _number(name: str, text: str) -> float:
    from adlab.errors import PointError
    from adlab.function import Function

    constant = Function(text)
    if constant.n:
        raise PointError(f"{name}={text} is not a number: it holds {', '.join(constant.names)}")
    return float(constant([]))


def _methods(options: argparse.Namespace) -> list[str] | None:
    return [name for name in options.methods.replace(",", " ").split() if name] or None


def _show(options: argparse.Namespace, report: Any) -> None:
    if options.plot:
        save(options.plot, report.plot)
    if options.json:
        print(json.dumps(report.to_dict(), default=str, indent=1))
    else:
        print(report.to_markdown() if options.markdown else report)


def save(path: str, draw: Callable[[Any], Any]) -> None:
    """Draws on new axes and writes the file, by its ending."""
    from adlab.report.figures import new_axes, write

    file = Path(path)
    if file.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise OutputError(f"--plot {path}: name a file that ends in .png, .svg or .pdf")
    stage("drawing")
    ax = draw(new_axes())
    write(ax.figure, file)


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
    points = _points(options) or ([f.point] if f.point else [])
    _show(options, check(f, _imported(options.gradient), points))


def _points(options: argparse.Namespace) -> list[dict[str, float]]:
    """Several points from `--at`: a name given again begins the next one."""
    points: list[dict[str, float]] = []
    for item in options.at:
        name, _, text = item.partition("=")
        if not points or name.strip() in points[-1]:
            points.append({})
        points[-1][name.strip()] = _number(name, text)
    return points


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
        save(options.plot, lambda ax: f.graph.plot(ax=ax, trace=traced))
    if options.json:
        graph = f.graph
        rows = [{"node": graph.names[i], "expression": graph.written(i)} for i in graph.operations]
        print(json.dumps({"inputs": graph.inputs, "operations": rows, "counts": graph.counts(),
                          "outputs": [graph.names[o] for o in graph.outputs]}, indent=1))  # fmt: skip
    else:
        forms: dict[str, Callable[[], str]] = {
            "text": lambda: str(f.graph), "dot": f.graph.to_dot, "mermaid": f.graph.to_mermaid,
            "python": f.to_python, "latex": f.to_latex,
        }  # fmt: skip
        print(forms[options.format]())


def _peers(options: argparse.Namespace) -> None:
    from adlab.report import peers

    if options.plot:
        raise OptionError("`adlab peers` has no picture to draw; leave out --plot")
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


COMMANDS: dict[str, tuple[str, Callable[[argparse.Namespace], None]]] = {
    "compare": ("every method on one formula: accuracy, swell, cost, verdict", _compare),
    "trace": ("the forward and the reverse sweep, node by node", _trace),
    "steps": ("error against step size for every difference scheme", _steps),
    "swell": ("how large each derivative grows: tree, graph, after cse, program", _swell),
    "cost": ("operations, evaluations of f, memory and time of each method", _cost),
    "check": ("a gradient function of your own, judged and its slips named", _check),
    "graph": ("the computational graph", _graph),
    "peers": ("PyTorch, JAX and the rest: what is installed, and with a formula their programs beside ours", _peers),
    "gallery": ("the named functions, used as @NAME", _gallery),
    "figures": ("draws every figure into a directory", _figures),
}
