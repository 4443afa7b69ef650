"""What each command of the command line does: reads its formula and its point, asks for a report, and prints it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adlab.errors import AdlabError, OptionError, OutputError
from adlab.progress import stage

if TYPE_CHECKING:
    from adlab.function import Function

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
    from adlab.text.parser import parse
    from adlab.text.traversal import natural_key, symbols_of

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
    """Prints a report in the form asked for; as text it fits the terminal, or `--width`."""
    from adlab.display.terminal import columns, has_colour

    if "plot" in options and options.plot:
        save(options.plot, report.plot)
    if options.json:
        print(report.to_json())
    elif options.markdown:
        print(report.to_markdown())
    else:
        width = columns() if options.width is None else options.width or None
        print(report.text(width, has_colour()))


def save(path: str, draw: Callable[[], Any]) -> None:
    """Draws, and writes the file by its ending."""
    import matplotlib

    from adlab.plots.canvas import STYLE, write

    file = Path(path)
    if file.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise OutputError(f"--plot {path}: name a file that ends in .png, .svg or .pdf")
    stage("drawing")
    with matplotlib.rc_context(STYLE):
        write(draw().figure, file)


# --- the commands -------------------------------------------------------------------------------------------------


def compare(options: argparse.Namespace) -> None:
    """Accuracy, swell, cost and the verdict."""
    from adlab.report.compare import compare

    f = _function(options)
    found = compare(f, _point(options, f), _methods(options))
    _show(options, found.full if options.full else found)


def trace(options: argparse.Namespace) -> None:
    """Both sweeps."""
    from adlab.function import point_of

    f = _function(options)
    _show(options, f.trace(point_of(f, _point(options, f))))


def steps(options: argparse.Namespace) -> None:
    """Error against step size."""
    from adlab.report.steps import steps

    f = _function(options)
    _show(options, steps(f, _point(options, f), options.variable, _methods(options)))


def difference(options: argparse.Namespace) -> None:
    """One derivative by differences; without a formula, the contest of those who difference."""
    from adlab.report.difference import difference
    from adlab.report.difference_contest import contest

    if options.formula is None:
        if options.scheme or options.order is not None or options.at or options.variable:
            raise OptionError("without a formula `difference` is a contest on its own functions, and takes --methods only")
        stage("differentiating")
        _show(options, contest(_methods(options)))
        return
    f = _function(options)
    if options.methods:
        raise OptionError("--methods are for the contest, without a formula; name one scheme by --scheme")
    step: Any = options.step if options.step.isalpha() else _number("--step", options.step)
    order = 1 if options.order is None else options.order
    scheme = options.scheme or "adaptive-difference"
    _show(options, difference(f, _point(options, f), options.variable, scheme, step, order))


def truth(options: argparse.Namespace) -> None:
    """The gradient that judges all others."""
    from adlab.report.truth import truth

    f = _function(options)
    _show(options, truth(f, _point(options, f)))


def derivatives(options: argparse.Namespace) -> None:
    """f, f′, f″ and so on."""
    from adlab.report.derivatives import derivatives

    f = _function(options)
    _show(options, derivatives(f, _point(options, f), options.variable, 4 if options.order is None else options.order))


def rounding(options: argparse.Namespace) -> None:
    """How far the sweeps may be wrong by rounding alone."""
    from adlab.report.rounding import rounding

    f = _function(options)
    _show(options, rounding(f, _point(options, f)))


def enclose(options: argparse.Namespace) -> None:
    """Guaranteed intervals over a box, given as NAME=LOW..HIGH."""
    from adlab.report.enclose import enclose

    box = {}
    for item in options.at:
        name, _, text = (part.strip() for part in item.partition("="))
        low, _, high = (part.strip() for part in text.partition(".."))
        box[name] = (_number(name, low), _number(name, high or low))
    options.at = []  # its texts are no numbers
    _show(options, enclose(_function(options), box, options.pieces))


def swell(options: argparse.Namespace) -> None:
    """How large each derivative grows."""
    from adlab.report.swell import swell

    _show(options, swell(_function(options)))


def cost(options: argparse.Namespace) -> None:
    """Operations and time."""
    from adlab.report.cost import cost

    f = _function(options)
    _show(options, cost(f, _point(options, f), _methods(options)))


def check(options: argparse.Namespace) -> None:
    """A user's own gradient, judged; one that is wrong ends with exit code 1, for scripts to see."""
    from adlab.report.check import check

    if _names_code(options.formula or "") and not _names_code(options.gradient) and options.gradient.lstrip()[:1] != "[":
        raise OptionError(f'the gradient comes first, then the formula: adlab check {options.formula} "{options.gradient}"')
    gradient = _imported(options.gradient) if _names_code(options.gradient) else options.gradient
    rtol = _tolerance("--rtol", options.rtol)
    atol = _tolerance("--atol", options.atol)
    points: list[Any] = list(_points(options))
    if _names_code(options.formula or ""):
        found = check(_imported(options.formula), gradient, points, rtol, atol)
    else:
        f = _function(options)
        found = check(f, gradient, points or ([f.point] if f.point else []), rtol, atol)
    _show(options, found)
    if not found.passed:
        raise SystemExit(1)


def _names_code(text: str) -> bool:
    """Whether it reads as MODULE:FUNCTION."""
    module, colon, name = text.strip().partition(":")
    return bool(colon) and name.isidentifier() and all(part.isidentifier() for part in module.split("."))


def _tolerance(option: str, text: str | None) -> Any:
    """A number where it reads as one, else the name of a kind."""
    if text is None or (option == "--rtol" and text[:1].isalpha()):
        return text
    return _number(option, text)


def _imported(place: str) -> Callable[..., Any]:
    """The function that MODULE:FUNCTION names, looked for from the current directory."""
    import importlib

    module, _, name = place.strip().partition(":")
    sys.path.insert(0, "")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except Exception as error:  # whatever a stranger's module may raise
        raise OptionError(f"{place} cannot be imported: {type(error).__name__}: {error}") from error
    return found


def graph(options: argparse.Namespace) -> None:
    """The graph, in a language or as a picture."""
    f = _function(options)
    if options.derivative:
        f = f.derivative(options.derivative, value=True)
    if options.plot:
        from adlab.function import point_of

        traced = f.trace(point_of(f, _point(options, f))) if (options.at or f.point) and f.m == 1 else None
        save(options.plot, lambda: f.graph.plot(trace=traced))
    if options.json:
        from adlab.display.report import as_json

        graph = f.graph
        rows = [{"node": graph.names[i], "expression": graph.written(i)} for i in graph.operations]
        print(as_json({"inputs": graph.inputs, "operations": rows, "counts": graph.counts(),
                     "outputs": [graph.names[o] for o in graph.outputs]}))  # fmt: skip
    else:
        forms: dict[str, Callable[[], str]] = {
            "text": lambda: str(f.graph), "dot": f.graph.to_dot, "mermaid": f.graph.to_mermaid,
            "python": f.to_python, "latex": f.to_latex,
        }  # fmt: skip
        print(forms[options.format]())


def page(options: argparse.Namespace) -> None:
    """The interactive page, written to a file."""
    from adlab.page.build import page as build

    f = _function(options)
    made = build(f, _point(options, f))
    print(f"wrote {made.save(options.out)}: open it in a browser")


def peers(options: argparse.Namespace) -> None:
    """What is installed; with a formula, its programs beside ours."""
    from adlab.report import peers

    if options.conventions and options.formula is not None:
        raise OptionError("--conventions has formulas and points of its own; leave out the formula")
    if options.at and options.formula is None:
        raise OptionError("--at is the point of a formula, and there is none")
    if options.formula is None:
        _show(options, peers.conventions(_methods(options)) if options.conventions else peers.listing())
        return
    f = _function(options)
    for framework in _methods(options) or peers.shown_where_installed():
        _show(options, peers.side_by_side(f, _point(options, f), framework))


def gallery(options: argparse.Namespace) -> None:
    """The named functions."""
    from adlab.display import Table
    from adlab.gallery import listing

    head = ["name", "n", "m", "operations", "about"]
    rows = [[f"@{row.name}", str(row.n), str(row.m), str(row.operations), row.about] for row in listing()]
    print(Table("", head, rows, frozenset(head[1:4])).text())


def figures(options: argparse.Namespace) -> None:
    """Every figure, into a directory."""
    from adlab.report.figures.catalogue import draw_all

    for path in draw_all(Path(options.directory), options.only):
        print(path)


def bench(options: argparse.Namespace) -> None:
    """How fast; see `adlab.bench`."""
    from adlab.bench.commands import asked

    found = asked(options)
    if options.plot:
        save(options.plot, found.plot)
    print(found.digest() if options.brief else found)
