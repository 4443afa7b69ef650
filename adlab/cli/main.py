"""The command line. Nothing heavy is imported before it is needed: `adlab --help` answers at once."""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import os
import signal
import sys
import threading
from collections.abc import Container, Iterator, Sequence
from typing import Any

from adlab.cli import checking, commands, use
from adlab.cli.arguments import rearranged
from adlab.cli.help import Command, parser
from adlab.errors import AdlabError
from adlab.progress import Watcher

DESCRIPTION = """\
One formula, differentiated every way there is, judged and explained.

See how a derivative arises
  adlab derive "x*sin(y)"                  as a formula and as a program
  adlab trace "x*sin(y)" --at x=1 y=2      both sweeps, line by line
  adlab graph "log(x)/y"                   the computational graph
  adlab page "x*sin(y)" --at x=1 y=2       an interactive page, in one file
  adlab glossary adjoint                   what a word means

Compare the methods
  adlab                                    the worked example: a first screen
  adlab compare "x*sin(y)" --at x=1 y=2    every method, and a verdict
  adlab steps "exp(x)" --at 1              error against step size
  adlab difference "exp(x)" --at 1         one derivative by differences
  adlab swell @logistic-map:6              how large each derivative grows
  adlab cost @rosenbrock:100               operations, memory, time
  adlab table "x*sin(y)" "exp(x)"          methods × formulas
  adlab methods                            every method in a line

Know what to trust
  adlab truth "exp(sin(x))" --at 1         the gradient that judges all others
  adlab derivatives "exp(sin(x))" --at 1   f, f', f'' and so on
  adlab rounding "log(1+x)" --at 1e-9      how far rounding alone may reach
  adlab enclose "x*exp(-x)" --at x=0..1    guaranteed intervals over a box
  adlab check my:grad "x*y" --at x=1 y=2   judges a gradient of your own
  adlab improve "1-cos(x)" --at 1e-6       another form, which keeps its digits
  adlab rules tanh                         whose derivatives keep their digits

Teach
  adlab sheet "x*sin(y)" --out DIR         exercise sheets, a key, blanks
  adlab grade FILE                         the answers graded
  adlab gallery                            the named functions, used as @NAME
  adlab figures DIR                        draws every figure

Use in code
  adlab export "x*sin(y)" --c              code that runs without adlab
  adlab fit "a*x+b" --data FILE --at 1 1   a model fitted to a table
  adlab minimize "(x-1)**2" --at 3         a minimum near a point
  adlab read FILE                          the formulas of a file
  adlab sweep FILE                         all of them through every method
  adlab peers                              PyTorch, JAX and others beside adlab
  adlab bench                              how fast adlab is
  adlab completion bash                    completes commands in your shell

`adlab COMMAND --help` has what a command takes, and examples.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command. Returns 0, or 2 after one sentence on standard error."""
    try:
        _print_anywhere()
        given = list(sys.argv[1:] if argv is None else argv)
        if not given or given[0] in TAKES["compare"]:
            given = ["compare", "@worked-example", *given]
        words = rearranged(given, TAKES, _method_names)
        made = parser(DESCRIPTION, COMMANDS, OPTIONS, words[0], bool({"-h", "--help"} & set(words[1:])))
        options = made.parse_args(words)
        if options.version:
            from adlab import __version__

            print(f"adlab {__version__}")
            return 0
        with _collected_less_often(), _ended_by_sigterm(), _warnings_said(), Watcher(options.quiet):
            COMMANDS[options.command].run(options)
            sys.stdout.flush()
        return 0
    except AdlabError as error:
        print(f"adlab: {str(error).splitlines()[0]}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # for example standard output on a full disk
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"adlab: cannot write the answer: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("adlab: interrupted", file=sys.stderr)
        return 130
    finally:
        if argv is None:  # the process ends here
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # so Ctrl-C has nothing left to stop
            gc.freeze()  # Python would look through all of SymPy for garbage first, for half a second


@contextlib.contextmanager
def _collected_less_often() -> Iterator[None]:
    """Python looks for garbage cycles less often: while SymPy is imported it would look a hundred times, and find none."""
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Makes SIGTERM end a command as Ctrl-C does: workers are killed, and no file stays half written."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextlib.contextmanager
def _warnings_said() -> Iterator[None]:
    """What a text was read as is said in a sentence on standard error, like everything else, and once."""
    import warnings

    from adlab.errors import ReadingWarning

    told = warnings.showwarning
    said = set[str]()

    def tell(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if not issubclass(category, ReadingWarning):
            told(message, category, *place, **more)
        elif str(message) not in said:
            said.add(str(message))
            print(f"adlab: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", ReadingWarning)
        warnings.showwarning = tell
        yield


def _print_anywhere() -> None:
    """A terminal that lacks a character such as ∂ or → shows a question mark for it. A closed output swallows everything."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _method_names() -> Container[str]:
    from adlab.methods import METHODS

    return {*METHODS, "all"}


OPTIONS: dict[str, dict[str, Any]] = {
    "--at": {"action": "append", "default": [], "metavar": "NAME=VALUE",
             "help": "the point: x=1 y=pi/3, or values alone in the order of the variables"},
    "--variables": {"default": "", "metavar": "A,B", "help": "their names and order"},
    "--methods": {"default": "", "metavar": "A,B", "help": "methods, or `all`"},
    "--gradient": {"metavar": "GRADIENT", "help": "MODULE:FUNCTION, or partials as a text"},
    "--rtol": {"metavar": "R", "help": "the relative error that is allowed: a number, float32, difference …"},
    "--atol": {"metavar": "A", "help": "the absolute error that is allowed"},
    "--variable": {"metavar": "NAME", "help": "the variable that is stepped"},
    "--scheme": {"metavar": "NAME", "help": "the difference scheme, by default adaptive-difference"},
    "--step": {"default": "auto", "metavar": "STEP", "help": "a number, or auto, relative, model, oracle"},
    "trace --step": {"action": "store_true", "help": "walk both sweeps in the terminal, key by key"},
    "--forward": {"metavar": "NAME", "help": "forward mode along this variable, instead of reverse mode"},
    "--digits": {"type": int, "metavar": "N", "help": "significant digits, 5 by default"},
    "sheet --digits": {"type": int, "metavar": "N", "help": "significant digits that an answer needs, 3 by default"},
    "grade --digits": {"type": int, "metavar": "N", "help": "significant digits that an answer needs, by default the sheet's"},
    "--show": {"default": "digits", "choices": ["digits", "operations", "time"], "dest": "shows", "help": "what the table holds"},
    "--students": {"type": int, "default": 30, "metavar": "N", "help": "how many sheets, 30 by default"},
    "--seed": {"type": int, "default": 7, "metavar": "N", "help": "chooses the variants: the same seed, the same sheets"},
    "--vary": {"default": "point", "choices": ["point", "formula"], "help": "what differs from sheet to sheet"},
    "sheet --out": {"default": "", "metavar": "DIR", "help": "write sheets, keys and blanks for answers there"},
    "--order": {"type": int, "metavar": "N", "help": "which derivative, or up to which"},
    "rules --patience": {"type": float, "default": 60.0, "metavar": "S",
                         "help": "processor time for the truths of one derivative; by default 60 seconds"},
    "rules --order": {"default": None, "metavar": "N", "help": "which derivative: 1, 2, or 1,2 for both"},
    "--pieces": {"type": int, "default": 1, "metavar": "N", "help": "cut the box into so many: tighter intervals, more time"},
    "--format": {"default": "text", "choices": ["text", "dot", "mermaid", "python", "latex"], "help": "the language"},
    "derive --format": {"default": "text", "choices": ["text", "latex", "python", "c", "mermaid"], "dest": "language",
                        "help": "the language: LaTeX of the formulas, or source of the program"},
    "--by": {"default": "", "metavar": "A,B", "help": "the variables to differentiate by, by default all"},
    "--derivative": {"default": "", "choices": ["reverse", "forward"], "help": "its derivative program"},
    "export --derivative": {"default": "", "choices": ["gradient", "value_and_gradient", "jacobian", "value_and_jacobian",
                            "hessian", "hvp", "jvp", "vjp"], "metavar": "KIND",
                            "help": "a derivative of it, and not its value: %(choices)s"},
    "export --out": {"default": "", "metavar": "FILE", "help": "write it there; C goes into two files"},
    **{f"--{name}": {"action": "store_true", "help": f"in {language}"} for name, language in
       [("c", "C99"), ("fortran", "Fortran 2008"), ("numpy", "Python with NumPy"), ("python", "Python alone"),
        ("jax", "JAX"), ("torch", "PyTorch")]},
    "--data": {"default": "", "metavar": "FILE", "help": "a CSV file; its first line names the columns"},
    "--certified": {"default": "", "metavar": "FILE",
                    "help": "no fit of your own: every problem of a file whose answers are known, by every method"},
    "--conventions": {"action": "store_true", "help": "what each answers at kinks, edges and 0·∞"},
    "--only": {"default": "", "metavar": "NAME", "help": "just this figure"},
    "--json": {"action": "store_true", "help": "print the report as JSON"},
    "--markdown": {"action": "store_true", "help": "print the report as Markdown"},
    "--csv": {"action": "store_true", "help": "print the rows of the main table as CSV"},
    "--latex": {"action": "store_true", "help": "print the tables as LaTeX (booktabs)"},
    "--html": {"action": "store_true", "help": "print the report as one self-contained HTML page"},
    "--plot": {"default": "", "metavar": "FILE", "help": "draw it into a .png, .svg or .pdf file"},
    "--full": {"action": "store_true", "help": "every table: each partial by each method, swell, cost"},
    "--width": {"type": int, "metavar": "N", "help": "columns of the text; by default the terminal's, 0 for no limit"},
    "--out": {"default": "page.html", "metavar": "FILE", "help": "the file to write, by default page.html"},
    "--patience": {"type": float, "default": 5.0, "metavar": "S", "help": "seconds that all of it may take, by default 5"},
    "table --patience": {"type": float, "default": 5.0, "metavar": "S", "help": "seconds for each formula, by default 5"},
    "sweep --patience": {"type": float, "default": 20.0, "metavar": "S",
                         "help": "seconds for the truth, and for each method, of one formula at one point; by default 20"},
    "improve --patience": {"type": float, "default": 15.0, "metavar": "S",
                           "help": "processor time of the search in seconds, by default 15"},
    "--range": {"default": "", "metavar": "NAME=A..B", "help": "where the forms are measured, too: x=1e-9..1,y=0..2"},
    "--quiet": {"action": "store_true", "help": "no progress on standard error"},
}  # fmt: skip


def _bench_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--peers", nargs="*", default=[], metavar="PEER", help="by default whoever is installed")
    made.add_argument("--rounds", type=int, default=3, metavar="N", help="interleaved rounds")
    made.add_argument("--seconds", type=float, default=60.0, metavar="S", help="the limit of a cell in a round")
    made.add_argument("--json", default=None, metavar="FILE", help="write every figure into a file")
    made.add_argument("--show", default="", metavar="FILE", help="no race: what `--json` has recorded")
    made.add_argument("--brief", action="store_true", help="only adlab and the best peer of each row")
    made.add_argument("--linearity", action="store_true", help="no race: the time per node, 10^3 to 10^6 nodes")
    made.add_argument("--scaling", action="store_true", help="no race: a large batch on one processor and on all")
    made.add_argument("--data", action="store_true", help="no race: a loss over a million rows, beside JAX and PyTorch")
    made.add_argument("--sparse", action="store_true", help="no race: sparse matrices, their sweeps, beside asdex, SciPy, CasADi")
    made.add_argument("--c", action="store_true", help="no race: a gradient in C, beside CasADi's C; for files of formulas, too")
    made.add_argument("--startup", action="store_true", help="no race: commands and imports, from a new process")
    made.add_argument("--vouching", action="store_true", help="no race: programs with and without a look at the range")
    made.add_argument("--plot", default="", metavar="FILE", help="draw it into a .png, .svg or .pdf file")


def _rules_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--systems", default="", metavar="A,B", help="adlab, symbolic, torch, jax …; by default all installed")
    made.add_argument("--dtype", default="float64", metavar="KIND", help="float64, float32 or bfloat16, or several: A,B")
    made.add_argument("--series", type=int, metavar="N", help="Taylor coefficients of order N, beside JAX's jet")
    made.add_argument("--out", metavar="FILE", help="every result as soon as it is known; what it has is not computed again")
    made.add_argument("--plots", metavar="DIR", help="a figure for each function, derivative and kind of floats")
    made.add_argument("--issues", action="store_true", help="a text for each project's issue tracker, instead of the tables")


def _sweep_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--points", type=int, metavar="N", help="points drawn for each formula; by default the file's own point")
    made.add_argument("--at-reference", action="store_true", help="the file's own points, which is the default")
    made.add_argument("--out", metavar="FILE", help="every row, into a .jsonl, .csv or .parquet file")
    made.add_argument("--workers", type=int, metavar="N", help="processes, by default one for each processor")
    made.add_argument("--dask", metavar="ADDRESS", help="the scheduler of a Dask cluster that does the work, e.g. tcp://host:8786")
    made.add_argument("--resume", action="store_true", help="go on where an interrupted sweep of the same kind ended")


def _completion(options: argparse.Namespace) -> None:
    """A completion script, made from the same table as this command line."""
    from adlab.cli.completion import script
    from adlab.methods import METHODS

    choices = {option.split()[-1]: list(facts["choices"]) for option, facts in OPTIONS.items() if "choices" in facts}
    takes = {name: [option for option in command.options if option != "--formula"] for name, command in COMMANDS.items()}
    about = {name: command.about for name, command in COMMANDS.items()}
    print(script(" ".join(options.words), takes, choices | {"--methods": [*METHODS, "all"]}, about), end="")


def _has_value(command: str, option: str) -> bool:
    """Whether a value follows an option."""
    return option in ("--formula", "--at") or "action" not in OPTIONS.get(f"{command} {option}", OPTIONS.get(option, {}))


COMMANDS: dict[str, Command] = {
    "compare": Command("every method on one formula: the derivative, accuracy, cost, a verdict", commands.compare,
                       "formula at variables methods order full patience json markdown plot",
                       ('"x*sin(y)" --at x=1 y=pi/3', '"x**3 - 2*x" --at 1.5 --methods reverse,symbolic --full')),
    "derive": Command("the derivative as a formula and as a program, with their sizes", commands.derive,
                      "formula at variables by order format json markdown",
                      ('"x*sin(y)"', '"exp(-x**2)" --order 2 --format latex')),
    "trace": Command("the forward and the reverse sweep, line by line, in letters and in numbers", commands.trace,
                     "formula at variables forward digits step json markdown plot",
                     ('"x*sin(y)" --at x=1 y=2', '"x*sin(y)" --at x=1 y=2 --forward x')),
    "steps": Command("error against step size for every difference scheme", commands.steps,
                     "formula at variables methods variable patience json markdown plot",
                     ('"exp(x)" --at 1 --plot error.png', '"x*sin(y)" --at x=1 y=2 --variable y --methods central-difference')),
    "difference": Command("derivatives by a difference scheme; without a formula, a contest of schemes", commands.difference,
                          "formula at variables variable scheme step order methods full patience json markdown",
                          ('"exp(x)" --at 1', '"exp(x)" --at 1 --scheme central-difference --step 1e-4')),
    "truth": Command("the gradient that judges all others, to 30 digits", commands.truth,
                     "formula at variables order patience json markdown plot", ('"exp(sin(x))" --at 1', '"Abs(x)" --at 0')),
    "derivatives": Command("f, f', f'' and so on, to 30 digits", commands.derivatives,
                           "formula at variables variable order json markdown plot",
                           ('"exp(sin(x))" --at 1 --order 6', '"x*sin(y)" --at x=1 y=2 --variable y')),
    "rounding": Command("how far forward and reverse mode may be wrong by rounding alone", commands.rounding,
                        "formula at variables json markdown plot", ('"log(1 + x)" --at 1e-10', '@worked-example')),
    "enclose": Command("guaranteed intervals of value and partials over a box, --at x=0..1 y=2", commands.enclose,
                       "formula at variables pieces json markdown plot",
                       ('"x*exp(-x)" --at x=0..0.5', '"x*exp(-x)" --at x=0..0.5 --pieces 16')),
    "swell": Command("how large each derivative grows: tree, graph, after cse, program", commands.swell,
                     "formula at variables patience json markdown plot",
                     ("@logistic-map:6", '"sin(sin(sin(x)))" --plot swell.png')),
    "cost": Command("operations, evaluations of f, memory and time of each method", commands.cost,
                    "formula at variables methods patience json markdown plot", ("@rosenbrock:100", '"x*sin(y)" --at x=1 y=2')),
    "check": Command("a gradient function of your own, judged and its slips named", checking.check,
                     "formula at variables gradient rtol atol json markdown plot",
                     ('mymodel:gradient "x*sin(y)" --at x=1 y=2', 'mymodel:gradient "x*sin(y)" --at x=1 y=2 --at x=3 y=0')),
    "graph": Command("the computational graph", commands.graph, "formula at variables derivative format json plot",
                     ('"log(x)/y" --format mermaid', '"log(x)/y" --derivative reverse --plot graph.svg')),
    "export": Command("code that runs without adlab: the value, or a derivative", use.export,
                      "formula at variables c fortran numpy python jax torch derivative out",
                      ('"x*sin(y)" --c --derivative gradient --out slope.c', '"log(x)/y" --numpy --derivative hessian')),
    "fit": Command("a model fitted to data: parameters, their uncertainty, how well they are determined", use.fit,
                   "formula at variables data certified methods json markdown plot",
                   ('"a*exp(-b*x)" --data decay.csv --at a=1 b=0.5', '"a + b*x" --data line.csv --at 0 1 --plot fit.png')),
    "minimize": Command("a local minimum near --at, by exact derivatives", use.minimize,
                        "formula at variables json markdown",
                        ('"(1 - x)**2 + 100*(y - x**2)**2" --at x=-1.2 y=1', "@rosenbrock:10")),
    "methods": Command("every method in a line", commands.methods, "json markdown", ("", "--markdown")),
    "glossary": Command("what a word means: adjoint, ulp, stencil …", commands.glossary, "json markdown", ("adjoint", ""),
                        ("words", "WORD")),
    "peers": Command("PyTorch, JAX and the rest: what is installed, and with a formula their programs beside ours",
                     commands.peers, "formula at variables methods conventions json markdown",
                     ("", '"x*sin(y)" --at x=1 y=2 --methods torch')),
    "bench": Command("how fast the derivative programs are, against whoever is installed", commands.bench,
                     examples=("", "--brief"), words=("problems", "PROBLEM"), more=_bench_options),
    "page": Command("an interactive page of one formula at one point, in one file; of @gallery a course", commands.page,
                    "formula at variables out", ('"x*sin(y)" --at x=1 y=2', "@gallery --out course")),
    "table": Command("methods × formulas: digits, operations or time", commands.table, "methods show patience json markdown plot",
                     ('"x*sin(y)" "exp(x) at x=2" --show operations', '"x**3" "tanh(x)" --methods reverse,central-difference'),
                     ("words", "FORMULA or FILE")),
    "read": Command("the formulas of a file: FPCore, SBML, CoolProp, CSV, lines of JSON, SymPy's srepr", commands.read,
                    "json markdown", ("formulas.csv", "benchmarks.fpcore"), ("words", "FILE")),
    "improve": Command("another form of a formula that keeps its digits, found by search and measured by the truth",
                       commands.improve, "formula at variables range patience json markdown",
                       ('"sqrt(x + 1) - sqrt(x)" --at x=1e12', '"(1 - cos(x))/x**2" --at x=0.005 --range x=1e-6..1')),
    "rules": Command("the derivative of each operation, in every system, over its whole range: the worst error, who loses digits",
                     commands.rules, "order patience json markdown plot", ("tanh softplus", "gelu --systems torch,jax --order 2"),
                     ("words", "NAME"), _rules_options),
    "sweep": Command("a whole file of formulas through every method: one row a partial, and a summary", commands.sweep,
                     "methods patience json markdown plot",
                     ("formulas.csv", "formulas.fpcore --methods reverse,forward --out rows.csv"),
                     ("words", "FILE"), _sweep_options),
    "sheet": Command("exercise sheets for a class, a key, and blanks for the answers", commands.sheet,
                     "formula variables students seed vary digits out json markdown",
                     ('"x*sin(y)" --students 30 --seed 7 --out sheets', '"x*sin(y)" "log(x)/y" --students 3 --vary formula')),
    "grade": Command("answers in CSV or JSON files graded: right, right for an earlier slip, the first slip", commands.grade,
                     "digits json markdown plot", ("answers.csv", "*.csv --digits 2"), ("words", "FILE")),
    "gallery": Command("the named functions, used as @NAME", commands.gallery, "json markdown", ("", "--markdown")),
    "figures": Command("draws every figure into a directory", commands.figures, "only", ("", "pictures --only gradient_cost"),
                       ("directory", "DIR")),
    "completion": Command("a script that completes commands in your shell: bash, zsh or fish", _completion, "",
                          ("bash", "fish"), ("words", "SHELL")),
}  # fmt: skip

TAKES = {name: {option: _has_value(name, option) for option in command.options} for name, command in COMMANDS.items()}
