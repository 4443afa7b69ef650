"""What each command does: it reads its formula and its point, asks for a report, and prints it."""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from adlab.cli.given import assignments, function_of, methods_of, number, point_of
from adlab.cli.output import folder, save, show
from adlab.errors import AdlabError, MethodError, OptionError, PointError
from adlab.progress import stage

# --- the commands -------------------------------------------------------------------------------------------------


def compare(options: argparse.Namespace) -> None:
    """Accuracy, swell, cost and the verdict."""
    from adlab.report.compare import compare

    f = function_of(options)
    if order_of(options) == 2:
        names = options.methods.strip() or None  # "forward over reverse" contains spaces
        hessians = compare(f, point_of(options, f), names, order=2, patience=options.patience)
        show(options, hessians.full if options.full else hessians)
        return
    found = compare(f, point_of(options, f), methods_of(options), patience=options.patience)
    show(options, found.full if options.full else found)


def trace(options: argparse.Namespace) -> None:
    """Both sweeps, as a lesson. `--step` goes through it key by key."""
    from adlab.cli.walk import step_through
    from adlab.function import point_of as coerced

    f = function_of(options)
    if options.digits is not None and not 1 <= options.digits <= 17:
        raise OptionError(f"--digits {options.digits}: binary64 has 1 to 17 significant digits")
    direction = None
    if options.forward is not None:
        [along] = f.chosen([options.forward])
        direction = [float(variable == along) for variable in f.variables]
    found = f.trace(coerced(f, point_of(options, f)), direction)
    found = replace(found, digits=options.digits or found.digits)
    if options.step:
        step_through(found)
    else:
        show(options, found)


def derive(options: argparse.Namespace) -> None:
    """The derivative as formulas and as programs; with `--format`, in one language for use elsewhere."""
    from adlab.report.derive import derive
    from adlab.tracing.places import as_traced

    by = [name for name in options.by.replace(",", " ").split() if name] or None
    f = function_of(options)
    if options.at and as_traced(f) is None:
        raise OptionError("derive has --at for Python functions only, which are traced there; a formula needs no point")
    found = derive(f, by, 1 if options.order is None else options.order)
    if options.language == "text":
        show(options, found)
    else:
        print(found.written(options.language))


def methods(options: argparse.Namespace) -> None:
    """Every method, with a line about it."""
    from adlab.report.listing import method_listing

    show(options, method_listing())


def steps(options: argparse.Namespace) -> None:
    """Error against step size."""
    from adlab.report.steps import steps

    f = function_of(options)
    show(options, steps(f, point_of(options, f), options.variable, methods_of(options), options.patience))


def difference(options: argparse.Namespace) -> None:
    """One derivative by differences. Without a formula: the contest of everyone who differentiates by sampling."""
    from adlab.report.difference import difference
    from adlab.report.difference_contest import contest

    if options.formula is None:
        if options.scheme or options.order is not None or options.at or options.variable:
            raise OptionError("without a formula `difference` is a contest on its own functions, and takes --methods only")
        stage("differentiating")
        race = contest(methods_of(options))
        show(options, race.full if options.full else race)
        return
    f = function_of(options)
    if options.methods:
        raise OptionError("--methods are for the contest, without a formula; name one scheme by --scheme")
    step: Any = options.step if options.step.isalpha() else number("--step", options.step)
    order = 1 if options.order is None else options.order
    scheme = options.scheme or "adaptive-difference"
    found = difference(f, point_of(options, f), options.variable, scheme, step, order, options.patience)
    if found.unknown and found.given_up in (0, len(found.estimates)):
        raise MethodError(found.reason)
    show(options, found)


def truth(options: argparse.Namespace) -> None:
    """The gradient that judges all others."""
    from adlab.report.truth import truth

    f = function_of(options)
    at, seconds = point_of(options, f), options.patience
    show(options, truth(f, at, order=2, patience=seconds) if order_of(options) == 2 else truth(f, at, patience=seconds))


def order_of(options: argparse.Namespace) -> int:
    """`--order`, which is 1 by default."""
    if options.order not in (None, 1, 2):
        raise OptionError(f"--order {options.order}: 1 is for gradients, 2 for Hessians")
    return options.order or 1


def derivatives(options: argparse.Namespace) -> None:
    """f, f′, f″ and so on."""
    from adlab.report.derivatives import derivatives

    f = function_of(options)
    show(options, derivatives(f, point_of(options, f), options.variable, 4 if options.order is None else options.order))


def rounding(options: argparse.Namespace) -> None:
    """How wrong the sweeps may be by rounding alone."""
    from adlab.report.rounding import rounding

    f = function_of(options)
    show(options, rounding(f, point_of(options, f)))


def enclose(options: argparse.Namespace) -> None:
    """Guaranteed intervals over a box, which is given as NAME=LOW..HIGH."""
    from adlab.report.enclose import enclose

    box, given = {}, assignments(options)
    if given and not any(name for name, _ in given):
        names = function_of(argparse.Namespace(**{**vars(options), "at": []})).names
        if len(names) != len(given):
            raise PointError(f"--at has {len(given)} sides for {len(names)} variables; write --at {names[0]}=0..1 …")
        given = list(zip(names, (text for _, text in given), strict=True))
    for name, text in given:
        low, _, high = (part.strip() for part in text.partition(".."))
        box[name] = (number(name, low), number(name, high or low))
    options.at = [f"{name}={(low + high) / 2!r}" for name, (low, high) in box.items()]  # where code is traced
    f = function_of(options)
    show(options, enclose(f, box, options.pieces))


def swell(options: argparse.Namespace) -> None:
    """How large each derivative grows."""
    from adlab.report.swell import swell

    f = function_of(options)
    if options.at:
        point_of(options, f)  # swell needs none, but a wrong one is said
    show(options, swell(f, patience=options.patience))


def cost(options: argparse.Namespace) -> None:
    """Operations and time."""
    from adlab.report.cost import cost

    f = function_of(options)
    show(options, cost(f, point_of(options, f), methods_of(options), patience=options.patience))


def graph(options: argparse.Namespace) -> None:
    """The graph, in a language or as a picture."""
    f = function_of(options)
    if options.at:
        point_of(options, f)
    if options.derivative:
        f = f.derivative(options.derivative, value=True)
    if options.plot:
        from adlab.function import point_of as coerced

        traced = f.trace(coerced(f, point_of(options, f))) if (options.at or f.point) and f.m == 1 else None
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
    """The interactive page, written to a file; of the whole gallery a course, in a folder."""
    from adlab.page.build import page as build

    if options.formula == "@gallery":
        from adlab.page.course import course

        files = course(out="course" if options.out == "page.html" else options.out)
        print(f"wrote {len(files)} files: open {files[0]} in a browser")
        return
    f = function_of(options)
    made = build(f, point_of(options, f))
    print(f"wrote {made.save(options.out)}: open it in a browser")


def peers(options: argparse.Namespace) -> None:
    """What is installed. With a formula: its programs beside adlab's."""
    from adlab.report import peers

    if options.conventions and options.formula is not None:
        raise OptionError("--conventions has formulas and points of its own; leave out the formula")
    if options.at and options.formula is None:
        raise OptionError("--at is the point of a formula, and there is none")
    if options.formula is None:
        show(options, peers.conventions(methods_of(options)) if options.conventions else peers.peer_listing())
        return
    f = function_of(options)
    frameworks = methods_of(options) or peers.shown_where_installed()
    found = [peers.side_by_side(f, point_of(options, f), framework) for framework in frameworks]
    if options.json and len(found) != 1:  # one document
        print("[" + ",\n".join(report.to_json() for report in found) + "]")
        return
    for report in found:
        show(options, report)


def glossary(options: argparse.Namespace) -> None:
    """What a word means."""
    from adlab.report.glossary import glossary

    show(options, glossary(" ".join(options.words) or None))


def table(options: argparse.Namespace) -> None:
    """Methods × functions, for formulas on the command line and in files."""
    from adlab.report.grid import read_line, read_list, table

    stage("reading the formulas")
    for word in options.words:
        if re.fullmatch(r"[\w./~-]+\.(?:txt|csv|jsonl?|md|dat)", word) and not Path(word).is_file():
            raise OptionError(f"there is no file {word}")
    items = [pair for word in options.words for pair in (read_list(word) if Path(word).is_file() else [read_line(word)])]
    if not items:
        raise OptionError('no formula; try adlab table "x*sin(y)" "exp(x) at x=2", or a file with one a line')
    show(options, table(items, methods_of(options), options.shows, patience=options.patience))


def read(options: argparse.Namespace) -> None:
    """The formulas of a file."""
    from adlab.audit.reading import read

    found = read(_one_file(options))
    show(options, found)
    if len(faults := found.faults()) == len(found):
        entry, reason = faults[0]
        raise OptionError(f"none of its formulas can be read; {entry.name}: {reason}")


def improve(options: argparse.Namespace) -> None:
    """A form that keeps its digits."""
    from adlab.audit.improve import improve

    f = function_of(options)
    over = dict(map(_range, options.range.split(","))) if options.range else None
    show(options, improve(f, point_of(options, f), over, options.patience))


def _range(text: str) -> tuple[str, tuple[float, float]]:
    name, _, ends = text.partition("=")
    low, dots, high = ends.partition("..")
    if not (name and dots and low and high):
        raise OptionError(f"--range {text}: write it as x=1e-9..1")
    return name.strip(), (number("--range", low), number("--range", high))


def rules(options: argparse.Namespace) -> None:
    """The audit of rules."""
    from adlab.audit.rules import rules
    from adlab.audit.series import series_rules

    if options.series is not None:
        if options.issues or options.plots or options.out or options.order is not None or options.dtype != "float64":
            raise OptionError("--series N goes with none of --order, --dtype, --out, --plots, --issues; leave them out")
        return show(options, series_rules(options.words, options.systems.replace(",", " ").split(), options.series))
    if options.issues and (options.json or options.plot):
        raise OptionError("--issues writes texts instead of tables and figures; leave out --json and --plot")
    folder(options.plots)
    orders = [int(word) if word.isdecimal() else 0 for word in (options.order or "1").split(",")]
    found = rules(options.words, options.systems, orders, options.dtype, options.out, options.patience)
    for one in found.by_function() if options.plots else ():
        save(str(Path(options.plots, f"{one.stem}.png")), one.plot)
    if options.issues:
        print("\n\n".join(text for rule in found.found if (text := rule.issue())) or "no rule loses half of its digits")
    else:
        show(options, found)


def sweep(options: argparse.Namespace) -> None:
    """A file of formulas through every method."""
    from adlab.audit.sweep import sweep

    path, methods = _one_file(options), methods_of(options)
    asked: dict[str, Any] = {} if methods is None else {"methods": methods}
    if options.at_reference and options.points is not None:
        raise OptionError("--at-reference means the file's own points; leave out --points")
    if options.dask is not None and options.workers is not None:
        raise OptionError("--dask has the workers of its cluster; leave out --workers")
    show(options, sweep(path, points=options.points, out=options.out, workers=options.workers, resume=options.resume,
                        patience=options.patience, dask=options.dask, **asked))  # fmt: skip


def _one_file(options: argparse.Namespace) -> str:
    if len(options.words) != 1:
        raise OptionError(f"one FILE is expected, not {len(options.words)}")
    return str(options.words[0])


def sheet(options: argparse.Namespace) -> None:
    """Exercise sheets, written into a directory."""
    from adlab.report.sheet import sheet

    given = []
    for text in options.formula or [None]:
        f = function_of(argparse.Namespace(**{**vars(options), "formula": text}))
        given.append(text if f.name == "f" else f)
    digits = 3 if options.digits is None else options.digits
    made = sheet(given, options.students, options.seed, None, options.vary, digits)
    if options.out:
        for path in made.write(options.out):
            print(path)
    else:
        show(options, made)


def grade(options: argparse.Namespace) -> None:
    """The answers of a class."""
    from adlab.report.marking import grade

    show(options, grade(options.words, options.digits))


def gallery(options: argparse.Namespace) -> None:
    """The named functions."""
    from adlab.report.listing import gallery_listing

    show(options, gallery_listing())


def figures(options: argparse.Namespace) -> None:
    """Every figure, into a directory."""
    from adlab.report.figures.catalogue import draw_all

    if len(options.directory) > 1:
        raise OptionError(f"figures go into one directory, not {' '.join(options.directory)}")
    for path in draw_all(Path(*options.directory or ["figures"]), options.only):
        print(path)


def bench(options: argparse.Namespace) -> None:
    """How fast the derivatives are; see `adlab.bench`."""
    from adlab.bench.commands import asked

    found = asked(options, _formulas_with_points(options.problems) if options.c else None)
    if options.plot:
        save(options.plot, found.plot)
    print(found.digest() if options.brief else found)


def _formulas_with_points(paths: Sequence[str]) -> dict[str, list[tuple[Any, Sequence[float]]]]:
    """The functions of each file that can be read and has a point for them."""
    from adlab.audit.reading import read

    found: dict[str, list[tuple[Any, Sequence[float]]]] = {}
    for path in paths:
        functions = []
        for entry in read(path):
            with contextlib.suppress(AdlabError):
                functions.append(entry.function)
        found[Path(path).name] = [(f, f.point) for f in functions if f.point is not None]
    return found
