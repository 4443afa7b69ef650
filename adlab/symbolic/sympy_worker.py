"""What only SymPy's own traversals can do: differentiate, find common subexpressions, print.

They recurse, and they unfold what is shared. So on some formulas they would never finish. Small formulas are handled in place.
For others the same `work` runs in a process that can be killed at any time (`adlab.process`). It reads a job as one line of
JSON, and writes each result as soon as it has one.
"""

from __future__ import annotations

import json
import linecache
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sympy
from sympy.core.function import AppliedUndef
from sympy.printing.pycode import PythonCodePrinter

from adlab.errors import AdlabError, MethodError
from adlab.symbolic.tape import Tape, record, replay
from adlab.symbolic.treesize import Distinct
from adlab.text.traversal import brief

STACK_BYTES = 256 << 20  # SymPy recurses a few times for each level of an expression,
RECURSION_LIMIT = 20_000  # and this process may go deeper than Python does by default

UNDONE = (sympy.Derivative, sympy.Subs, sympy.Integral, sympy.DiracDelta, AppliedUndef)
"""SymPy objects that have no numeric value."""
Results = dict[str, Any]


class Job(NamedTuple):
    """The partials of `expressions` by `variables`, printed; after cse if `cse`. Without variables: only the cse."""

    expressions: Sequence[Any]
    variables: Sequence[Any] = ()
    cse: bool = True

    def to_json(self) -> str:
        """The job as one line of text."""
        tape = record([*self.expressions, *self.variables])
        return json.dumps([tape, len(self.expressions), self.cse])

    @classmethod
    def from_json(cls, text: str) -> Job:
        """The job in that line."""
        tape, count, cse = json.loads(text)
        nodes = replay(Tape(*tape))
        return cls(nodes[:count], nodes[count:], cse)


def work(job: Job) -> Iterator[Results]:
    """The results of a job, one after the other. `stage` announces a step; the others are its results.

    Where it must, it ends with `refused` (SymPy has no usable answer) or `exhausted` (it ran out of memory or stack).

    >>> x = sympy.Symbol("x")
    >>> for result in work(Job([x**2 + 1], [x])):
    ...     print(result)
    {'stage': 'sympy.diff'}
    {'tree_operations': 1, 'tree_nodes': 3, 'distinct_nodes': 3}
    {'stage': 'sympy.cse'}
    {'cse_operations': 1}
    {'stage': 'sympy.lambdify'}
    {'source': 'def _lambdifygenerated(x0):\\n    return [2*x0]\\n'}
    """
    try:
        yield from _partials(job) if job.variables else _reduced(job.expressions)
    except AdlabError as reason:
        yield {"refused": str(reason)}
    except MemoryError:
        yield {"exhausted": "memory"}
    except RecursionError:
        yield {"exhausted": "stack"}
    except Exception as fault:  # whatever SymPy raises is its answer to the formula, not a fault of the program
        yield {"refused": f"SymPy fails on this formula, with {type(fault).__name__}: {fault}"}


def _partials(job: Job) -> Iterator[Results]:
    yield {"stage": "sympy.diff"}
    variables: Sequence[Any] = job.variables
    partials = [sympy.diff(output, variable) for output in job.expressions for variable in variables]
    distinct = Distinct.of(partials)
    if any(isinstance(node, UNDONE) for node in distinct.nodes):
        variables, partials = _over_the_reals(job)
        distinct = Distinct.of(partials)
    _require_evaluated(distinct)
    yield {
        "tree_operations": distinct.tree_operations,
        "tree_nodes": distinct.tree_nodes,
        "distinct_nodes": len(distinct.nodes),
    }
    replacements: list[Any] = []
    if job.cse:
        yield {"stage": "sympy.cse"}
        replacements, partials = sympy.cse(readable(partials, distinct))
        yield {"cse_operations": _operations(replacements, partials)}
    yield {"stage": "sympy.lambdify"}
    yield {"source": _source(variables, replacements, partials)}


def _over_the_reals(job: Job) -> tuple[list[Any], list[Any]]:
    """The partials by real variables. For a plain symbol SymPy would leave the derivative of |x| undone, as for complex numbers.

    Where a sign or a step jumps, the derivative is a distribution. Beside the jump it is 0, and at the jump there is none.
    """
    real = {v: sympy.Symbol(v.name, real=True) for v in job.variables}
    partials = [sympy.diff(output.xreplace(real), variable) for output in job.expressions for variable in real.values()]
    return list(real.values()), [partial.replace(sympy.DiracDelta, _beside_a_jump) for partial in partials]


def _beside_a_jump(at: Any, *order: Any) -> Any:
    return sympy.Piecewise((sympy.nan, sympy.Eq(at, 0)), (0, True))


def readable(partials: list[Any], distinct: Distinct) -> list[Any]:
    """The partials as `sympy.cse` can read them. cse mistakes an unevaluated x*x for x, and x + x likewise."""
    if not any(_repeats(node) for node in distinct.nodes):
        return partials
    return [partial.replace(_repeats, lambda node: node.func(*node.args)) for partial in partials]


def _repeats(node: Any) -> bool:
    """Whether this is a sum or product with an operand that occurs twice."""
    return isinstance(node, (sympy.Add, sympy.Mul)) and len(set(node.args)) < len(node.args)


def _reduced(expressions: Sequence[Any]) -> Iterator[Results]:
    yield {"stage": "sympy.cse"}
    yield {"cse_operations": _operations(*sympy.cse(readable(list(expressions), Distinct.of(expressions))))}


def _operations(replacements: Sequence[Any], reduced: Sequence[Any]) -> int:
    return Distinct.of([*(part for _, part in replacements), *reduced]).tree_operations


def _require_evaluated(distinct: Distinct) -> None:
    """Raises MethodError for what `sympy.diff` leaves undone or hides in a distribution: it has no number."""
    for node in distinct.nodes:
        if isinstance(node, UNDONE):
            raise MethodError(f"sympy.diff leaves {brief(node)} in the derivative, which has no number to it")


# --- printing ---------------------------------------------------------------------------------------------------


class _Printer(PythonCodePrinter):  # type: ignore[misc]  # SymPy has no types
    """SymPy's printer, with adlab's own names for variables (`lambda` and `if` are fine) and every digit of a float."""

    def __init__(self, names: dict[Any, str]) -> None:
        super().__init__({"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True})
        self.names = names

    def _print_Symbol(self, expr: Any) -> str:  # noqa: N802 - SymPy's printers find their methods by class name
        return self.names[expr]

    _print_Dummy = _print_Symbol  # noqa: N815
    _print_fresnels = _print_fresnelc = _print_uppergamma = _print_lowergamma = PythonCodePrinter._print_Function

    def _print_factorial(self, expr: Any) -> str:
        return str(self._print(sympy.gamma(expr.args[0] + 1)))

    def _print_Float(self, expr: Any) -> str:  # noqa: N802
        return repr(float(expr))

    def _print_Heaviside(self, expr: Any) -> str:  # noqa: N802
        """SymPy's printer builds `arg < 0`. With some hash seeds that fails, because SymPy takes a real sum for complex."""
        at, middle = (self._print(part) for part in expr.args)
        return f"(0 if ({at}) < 0 else {middle} if ({at}) == 0 else 1)"


def _source(variables: Sequence[Any], replacements: Sequence[Any], partials: Sequence[Any]) -> str:
    """The text that `lambdify(variables, partials, modules="math")` compiles: variables x0, x1, …, subexpressions t0, t1, …"""
    names = {variable: f"x{i}" for i, variable in enumerate(variables)}
    printer = _Printer(names | {symbol: f"t{i}" for i, (symbol, _) in enumerate(replacements)})
    function = sympy.lambdify(
        list(names.values()), partials, modules="math", printer=printer, cse=lambda _: (replacements, partials),
        use_imps=False, docstring_limit=0,
    )  # fmt: skip
    return "".join(linecache.getlines(function.__code__.co_filename))


# --- the process ------------------------------------------------------------------------------------------------


def encoded(results: Results) -> str:
    """One line of JSON. Integers are hexadecimal, since the size of a tree may have any number of digits."""
    return json.dumps({key: hex(value) if isinstance(value, int) else value for key, value in results.items()})


def decoded(line: str) -> Results:
    """The results in that line.

    >>> decoded(encoded({"tree_nodes": 10**6, "stage": "sympy.cse"}))
    {'tree_nodes': 1000000, 'stage': 'sympy.cse'}
    """
    found = json.loads(line)
    return {key: int(value, 16) if value.startswith("0x") else value for key, value in found.items()}


def _answer() -> None:
    for results in work(Job.from_json(sys.stdin.read())):
        print(encoded(results), flush=True)


def main() -> None:
    """Reads a job, writes its results."""
    sys.setrecursionlimit(RECURSION_LIMIT)
    threading.stack_size(STACK_BYTES)
    thread = threading.Thread(target=_answer)
    thread.start()
    thread.join()
