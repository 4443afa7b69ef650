"""The symbolic derivative as SymPy's users get it: `diff`, then perhaps `cse`, then `lambdify`.

The size of the formula as a tree is known before any of these is called (`treesize`). Small formulas are differentiated in
place. Large ones go to a process of their own (`sympy_worker`), as a tape and never as a pickle. The process is killed when its
time is up. So an explosion becomes an answer: `GaveUp`, with the time and the step.

>>> import sympy
>>> x, y = sympy.symbols("x y", real=True)
>>> derivative = SymbolicDerivative([sympy.sin(x * y)], [x, y], cse=True)
>>> derivative.jacobian([2.0, 0.0])
array([[0., 2.]])
>>> print(derivative.source)
def _lambdifygenerated(x0, x1):
    t0 = cos(x0*x1)
    return [t0*x1, x0*t0]
<BLANKLINE>
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import mpmath
import numpy as np
import sympy
from sympy.utilities.lambdify import MATH_TRANSLATIONS, MPMATH_TRANSLATIONS

from adlab.display import count
from adlab.errors import AdlabError, DomainError, GaveUp, MethodError, OptionError, OverflowedError
from adlab.inputs import FloatArray
from adlab.precision import BINARY64, CONTEXT, in_time, patience, share, still_time, working
from adlab.primitives.table import PRIMITIVES
from adlab.process import run_module
from adlab.symbolic.sympy_worker import Job, Results, decoded, work
from adlab.symbolic.treesize import Distinct, unfolded
from adlab.text.functions import NAMED

SECONDS = 10.0  # until a worker is killed
LEAST = 0.1  # seconds: a worker that gets less cannot answer anything
MEMORY = 2 << 30  # bytes of memory that a worker may take
SMALL_DERIVATIVE = 2_000  # foreseen tree nodes of a derivative that is made in place: some tenths of a second
SMALL_DEPTH = 40  # SymPy takes about ten Python calls for each level; Python allows about a thousand

Where = Literal["in place", "worker"]
T = TypeVar("T")


@dataclass(frozen=True)
class Sizes:
    """Of all partials together: operations (`sympy.count_ops`) and nodes as trees, distinct nodes, operations after cse."""

    tree_operations: int
    tree_nodes: int
    distinct_nodes: int
    cse_operations: int | None = None
    """None where cse was not asked for, or gave up."""


class SymbolicDerivative:
    """All partials of `expressions` by `variables`, made once by `sympy.diff`, to be evaluated at any point.

    `cse` asks for common subexpressions of all partials together. `seconds` limits the time of the worker process. Afterwards
    `sizes`, `seconds` (the time taken), `where` and `source` (the text that is evaluated) describe the result.

    Raises GaveUp where SymPy does not finish; its `reached` has the sizes known by then. Raises MethodError where SymPy leaves
    something that is not a number.
    """

    def __init__(
        self, expressions: Sequence[Any], variables: Sequence[sympy.Symbol], cse: bool, seconds: float = SECONDS
    ) -> None:
        self.shape = len(expressions), len(variables)
        self.names = [variable.name for variable in variables]
        started = time.perf_counter()
        found = run(Job(tuple(expressions), tuple(variables), cse), seconds) if variables else _NOTHING
        self.sizes: Sizes = _sizes(found.results)  # type: ignore[assignment]  # complete, as the run has ended
        self.where: Where = found.where
        self.source: str = found.results["source"]
        self._function = _compiled(self.source)
        self._uses_mpmath = any(_math_name(name) is None for name in self._function.__code__.co_names)
        self.seconds = time.perf_counter() - started

    def printed(self, point: Sequence[float]) -> list[Any]:
        """What the printed formula gives at one point, in order, unchecked. It may raise, or be complex.

        mpmath's functions run in adlab's own context, at the precision of a double. Raises GaveUp where they take longer than
        `SECONDS`.
        """
        if not self._uses_mpmath:
            return self._function(*point)
        with working(BINARY64), patience(SECONDS):
            return in_time(self._function, *point)

    def jacobian(self, point: Sequence[float]) -> FloatArray:
        """All partials at one point, shape (m, n).

        Raises DomainError where the printed formula has no real value there, OverflowedError where it overflows, and GaveUp
        where a special function does not finish.
        """
        try:
            values = self.printed(list(map(float, point)))
        except AdlabError:
            raise
        except OverflowError as reason:
            raise OverflowedError(f"the symbolic derivative overflows at this point ({reason})") from None
        except (ZeroDivisionError, ValueError, TypeError, mpmath.libmp.NoConvergence) as reason:
            raise DomainError(f"the symbolic derivative has no real value at this point ({reason})") from None
        return np.array([self._real(i, value) for i, value in enumerate(values)]).reshape(self.shape)

    def _real(self, position: int, value: Any) -> float:
        try:
            number = complex(math.nan if value is None else value)  # None: no condition of a Piecewise holds
        except OverflowError:
            number = complex(math.inf)
        if math.isfinite(number.real) and number.imag == 0:
            return number.real
        which = f"the symbolic derivative by {self.names[position % self.shape[1]]}"
        if math.isinf(number.real) and number.imag == 0:
            raise OverflowedError(f"{which} overflows at this point")
        shown = "not a number" if math.isnan(number.real) else f"complex ({number:.6g})"
        raise DomainError(f"{which} is {shown} at this point", operand=value)


class Cached(Protocol):
    """A function that keeps what depends on its formula."""

    @property
    def outputs(self) -> tuple[Any, ...]: ...
    @property
    def variables(self) -> tuple[sympy.Symbol, ...]: ...
    def cached(self, key: Any, make: Callable[[], T]) -> T: ...


def _in_patience(seconds: float) -> float:
    """So many seconds, or fewer where the patience of a report is running out. Raises GaveUp where none are left."""
    still_time()
    return min(seconds, share())


def derivative_of(f: Cached, cse: bool, seconds: float = SECONDS) -> SymbolicDerivative:
    """The symbolic derivative of f, made once. What was refused is not tried again; what gave up only with more time.

    Raises as `SymbolicDerivative` does. If `sympy.diff` did not finish without cse, it will not finish with it. Where the
    patience of a report is running out, there is less time than `seconds`.
    """
    seconds = _in_patience(seconds)
    made: dict[bool, tuple[SymbolicDerivative | AdlabError, float]] = f.cached("symbolic derivatives", dict)
    for known, had in filter(None, [made.get(cse), made.get(not cse)]):
        if isinstance(known, GaveUp) and seconds <= 2 * had and (known.reached is None or made.get(cse) == (known, had)):
            raise known.with_traceback(None)
    if cse not in made or isinstance(made[cse][0], GaveUp):
        try:
            made[cse] = SymbolicDerivative(f.outputs, f.variables, cse, seconds), seconds
        except AdlabError as reason:
            made[cse] = reason, seconds
    found, _ = made[cse]
    if isinstance(found, AdlabError):
        raise found.with_traceback(None)
    return found


def operations_after_cse(expressions: Sequence[Any], seconds: float = SECONDS) -> int:
    """How many operations the expressions have once `sympy.cse` has shared what occurs twice. Raises GaveUp and MethodError.

    >>> x = sympy.Symbol("x")
    >>> operations_after_cse([(x + 1) ** 2 + sympy.sin(x + 1)])
    4
    """
    operations: int = run(Job(tuple(expressions)), _in_patience(seconds)).results["cse_operations"]
    return operations


def _sizes(results: Results) -> Sizes | None:
    if "tree_nodes" not in results:
        return None
    return Sizes(*(results.get(key) for key in Sizes.__dataclass_fields__))  # type: ignore[arg-type]


# --- running a job ----------------------------------------------------------------------------------------------


class Done(NamedTuple):
    """All results of a job, and where it ran."""

    results: Results
    where: Where


_NOTHING = Done(
    {"tree_operations": 0, "tree_nodes": 0, "distinct_nodes": 0, "cse_operations": 0, "source": "def f(): return []"},
    "in place",
)


def run(job: Job, seconds: float = SECONDS) -> Done:
    """Does a job, in place or in a worker. Raises GaveUp at its limits, MethodError where SymPy refuses."""
    if not isinstance(seconds, (int, float)) or not 0 < seconds < math.inf:
        raise OptionError(f"`seconds` is how long SymPy may take, a positive number, not {seconds!r}")
    seconds = max(seconds, LEAST)
    started = time.perf_counter()
    results: Results = {}
    where: Where = "worker"
    formula = Distinct.of(job.expressions)
    if _is_small(formula):
        where = "in place"
        for found in work(job):
            results.update(found)
    if where == "worker" or results.get("exhausted") == "stack":  # the worker has a larger one
        where, results = "worker", _by_worker(job, seconds)
    if "refused" in results:
        raise MethodError(results["refused"])
    if "exhausted" in results:
        taken, stage = time.perf_counter() - started, results.get("stage", "starting SymPy")
        message = f"gave up after {taken:.3g} s: {stage} {_EXHAUSTED[results['exhausted']]}"
        size = f"as a tree the formula has {count(formula.tree_nodes)} nodes"
        raise GaveUp(f"{message}; {size}", reached=_sizes(results))
    return Done(results, where)


_EXHAUSTED = {
    "time": "had not come to an end",
    "memory": f"needs more than {MEMORY >> 20:,} MB of memory",
    "stack": "recurses deeper than Python can",
    "crash": "crashed",
}


def _is_small(distinct: Distinct) -> bool:
    """Whether SymPy will finish at once: the product rule copies each node of a tree once for each operand of the product."""
    if distinct.tree_nodes > SMALL_DERIVATIVE or distinct.tree_depth > SMALL_DEPTH:
        return False
    sizes: list[int] = []
    for below in distinct.operands:
        sizes.append(1 + sum(sizes[operand] for operand in below))
    copies = [size * len(below) for size, below in zip(sizes, distinct.operands, strict=True)]
    return unfolded(distinct.operands, distinct.roots, copies) <= SMALL_DERIVATIVE


def _by_worker(job: Job, seconds: float) -> Results:
    """What a separate process finds within the limits."""
    ended = run_module("adlab.symbolic.sympy_worker", question=job.to_json().encode(), seconds=seconds, memory=MEMORY)
    results: Results = {}
    for line in ended.output.decode().splitlines(keepends=True):
        if line.endswith("\n"):  # the last line may be cut off
            results |= decoded(line)
    if ended.late or ended.code < 0:
        out_of_time = ended.late or -ended.code == getattr(signal, "SIGXCPU", None)
        results["exhausted"] = "time" if out_of_time else "crash"
    elif ended.code or not results:
        raise MethodError(f"the symbolic worker cannot run: {ended.last_line() or 'it says nothing'}")
    return results


# --- evaluating what was printed --------------------------------------------------------------------------------


def _compiled(source: str) -> Callable[..., list[Any]]:
    """The printed function, as `lambdify` makes it: with `math`, and with mpmath for what `math` lacks."""
    space: dict[str, Any] = {}
    try:
        code = compile(source, "<symbolic derivative>", "exec")  # text that adlab's own worker has printed
    except (SyntaxError, RecursionError, MemoryError) as reason:
        raise MethodError(f"the printed derivative nests too deeply for Python ({reason})") from None
    exec(code, space)
    function: Callable[..., list[Any]] = next(made for name, made in space.items() if name != "__builtins__")
    for name in function.__code__.co_names:
        space[name] = _meaning(name)
    return function


_OWN = {
    "abs": abs,
    "max": max,
    "min": min,
}


_OWN_MPMATH = {
    "uppergamma": CONTEXT.gammainc,
    "lowergamma": lambda s, x: CONTEXT.gammainc(s, 0, x),
    "logaddexp": lambda a, b: CONTEXT.log(CONTEXT.exp(a) + CONTEXT.exp(b)),
}


def _math_name(name: str) -> Any:
    return _OWN.get(name) or getattr(math, MATH_TRANSLATIONS.get(name, name), None)


def _meaning(name: str) -> Any:
    found = _math_name(name)
    if found is None:
        found = _OWN_MPMATH.get(name) or getattr(CONTEXT, MPMATH_TRANSLATIONS.get(name, name), None)
    if found is not None:
        return found
    if name in PRIMITIVES and PRIMITIVES[name].parameter_at is None:  # what mpmath has under another name, or not at all
        return PRIMITIVES[name].scalar
    if name in NAMED:
        letters = sympy.symbols(f"a:{NAMED[name].operands()}", real=True)
        meant: Callable[..., Any] = sympy.lambdify(letters, NAMED[name].meaning(*letters), "math")
        return meant
    raise MethodError(f"SymPy prints `{name}` in the derivative, a function that neither math nor mpmath has")
