"""The derivative itself: as SymPy formulas, as programs by reverse and forward mode, and the size of each."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sympy

from adlab.display import Report, Table, count, displayed, withheld
from adlab.errors import AdlabError, MethodError, OptionError
from adlab.function import Function
from adlab.graph.graph import Builder, Graph
from adlab.inputs import listed, takes_at
from adlab.symbolic import formula
from adlab.symbolic.derivative import operations_after_cse
from adlab.text.latex import formula_in_latex
from adlab.tracing.places import function_at

Format = Literal["text", "latex", "python", "c", "mermaid"]
FORMATS: tuple[Format, ...] = ("text", "latex", "python", "c", "mermaid")
MOST_ORDER = 6
"""The highest order. At that order the formulas of the worked example have 10,000 operations."""
MOST_SHOWN = 20
"""The most formulas, and lines of a program, that are printed. Of more, the first ones are."""


@dataclass(frozen=True)
class Derivative(Report):
    """All derivatives of one `order` of a function, by the variables `by`.

    `entries` are the sequences of variables, one for each derivative of an output. `formulas` are the SymPy expressions, by
    output and entry; None where they are too large, and then `note` says why. `program` and `forward` are the derivative
    programs: Functions of the same variables.
    """

    function: Function
    by: tuple[str, ...]
    order: int
    formulas: tuple[Any, ...] | None
    note: str
    program: Function
    forward: Function

    @property
    def entries(self) -> list[tuple[str, ...]]:
        """The variables of each derivative of an output, in the order of the formulas."""
        return list(itertools.product(self.by, repeat=self.order))

    @property
    def names(self) -> list[str]:
        """The name of each formula: `∂f/∂x`, `∂²f/∂x∂y`; `f′` where there is one variable."""
        outputs = ["f"] if self.function.m == 1 else [f"f{i}" for i in range(self.function.m)]
        if self.function.n == 1:
            return [output + "′" * self.order for output in outputs]
        raised = "" if self.order == 1 else "⁰¹²³⁴⁵⁶⁷⁸⁹"[self.order]
        return [f"∂{raised}{output}/{_below(entry)}" for output in outputs for entry in self.entries]

    @property
    def expr(self) -> Any:
        """The formula, or the tuple of formulas where there are several. Raises MethodError where they are too large."""
        if self.formulas is None:
            raise MethodError(f"{self.note}; .program has the derivative as a program")
        return self.formulas[0] if len(self.formulas) == 1 else self.formulas

    @property
    def sizes(self) -> dict[str, int | None]:
        """The operations of the formulas, as trees and after cse, and of the programs. None where there is no formula."""
        shared = None
        if self.formulas is not None:
            try:
                shared = operations_after_cse(self.formulas)
            except AdlabError:  # SymPy's own cse did not finish
                shared = None
        return {
            "formula": None if self.formulas is None else formula.operations(self.formulas), "formula after cse": shared,
            "reverse program": len(self.program.graph.operations), "forward program": len(self.forward.graph.operations),
        }  # fmt: skip

    def __call__(self, x: Any) -> Any:
        """The derivatives at a point, computed by the program. It is called as a Function is."""
        return self.program(x)

    def to_dict(self) -> dict[str, Any]:
        """`name, by, order, rows` (`derivative`, `formula`), `sizes`, `note`, `program` and `forward` (as texts)."""
        formulas: Sequence[Any] = self.formulas or [None] * len(self.names)
        return {
            "name": self.function.name, "by": list(self.by), "order": self.order,
            "rows": [{"derivative": name, "formula": None if made is None else str(made)}
                     for name, made in zip(self.names, formulas, strict=True)],
            "sizes": self.sizes, "note": self.note, "program": str(self.program.graph),
            "forward": str(self.forward.graph),
        }  # fmt: skip

    def sections(self) -> list[Table | str]:
        """The formulas, the programs of both modes side by side, and the sizes side by side."""
        parts: list[Table | str] = [self._title(), self._formulas_in_text(), self._programs()]
        head = ["as", "operations"]
        words = {"formula": "formula (sympy.diff)", "formula after cse": "formula, common subexpressions shared"}
        rows = [[words.get(name, name), count(size)] for name, size in self.sizes.items()]
        return [*parts, Table("size of all together", head, rows, frozenset(["operations"]))]

    def _programs(self) -> Table:
        """The programs line by line. Where both modes write the same one, it stands there once."""
        reverse, forward = (_first_lines(str(made.graph)) for made in (self.program, self.forward))
        columns = {"by reverse mode": reverse, "by forward mode": forward}
        if reverse == forward:
            columns = {"by reverse mode, and by forward mode": reverse}
        rows = [list(lines) for lines in itertools.zip_longest(*columns.values(), fillvalue="")]
        return Table("as a program", list(columns), rows)

    def _title(self) -> str:
        ordinal = {1: "first", 2: "second", 3: "third"}.get(self.order, f"{self.order}th")
        return f"{self.function.title}\n{ordinal} derivative{'s' if len(self.names) > 1 else ''} by {', '.join(self.by)}"

    def _formulas_in_text(self) -> str:
        if self.formulas is None:
            return f"no formula: {self.note}"
        shown = [f"{name} = {made}" for name, made in zip(self.names, self.formulas, strict=True)]
        more = [f"and {len(shown) - MOST_SHOWN} more"] if len(shown) > MOST_SHOWN else []
        return "\n".join([*shown[:MOST_SHOWN], *more])

    def written(self, language: Format = "text") -> str:
        """The derivative in one of `FORMATS`: the formulas as LaTeX, the program as source. Raises OptionError for any other."""
        if language == "text":
            return str(self)
        if language == "latex":
            return self.to_latex()
        if language == "python":
            return self.program.to_python()
        if language == "mermaid":
            return self.program.graph.to_mermaid()
        if language == "c":
            return str(self.program.to_c())
        raise OptionError(f"no format {language!r}; there are {', '.join(FORMATS)}")

    def to_latex(self) -> str:
        """The formulas, one on a line, aligned at the equals sign. The program where there are no formulas."""
        if self.formulas is None:
            return self.program.to_latex()
        if sum(map(_size, self.formulas)) > 2_000:
            return withheld(sum(map(_size, self.formulas)))
        lines = [rf"{_name_in_latex(self, k)} &= {formula_in_latex(made)}" for k, made in enumerate(self.formulas)]
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return displayed(self.to_latex())

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The graph of the derivative program; returns the Axes."""
        return self.program.graph.plot(ax=ax, **options)


def _size(expression: Any) -> int:
    return formula.operations([expression])


def _below(entry: Sequence[str]) -> str:
    """The denominator: `∂x∂y`, or `∂x²` for one variable taken twice."""
    parts = [(name, len(list(group))) for name, group in itertools.groupby(entry)]
    return "".join(f"∂{name}" + ("" if k == 1 else "⁰¹²³⁴⁵⁶⁷⁸⁹"[k]) for name, k in parts)


def _name_in_latex(found: Derivative, position: int) -> str:
    f, entries = found.function, found.entries
    output = "f" if f.m == 1 else f"f_{{{position // len(entries)}}}"
    if f.n == 1:
        return output + "'" * found.order
    raised = "" if found.order == 1 else f"^{{{found.order}}}"
    below = r" \, ".join(rf"\partial {sympy.latex(sympy.Symbol(name))}" for name in entries[position % len(entries)])
    return rf"\frac{{\partial{raised} {output}}}{{{below}}}"


def _first_lines(text: str) -> list[str]:
    lines = text.splitlines()
    more = [f"… {len(lines) - MOST_SHOWN:,} more lines"] if len(lines) > MOST_SHOWN + 1 else []
    return [*(lines[:MOST_SHOWN] if more else lines), *more]


@takes_at
def derive(f: Any, by: Any = None, order: int = 1, *, x: Any = None) -> Derivative:
    """The derivative of a Function, an expression or a text: as SymPy formulas, and as programs.

    `by` is a variable or several, by default all. `order` says how often to differentiate. A Python function is traced at the
    point `x`, which a formula does not need. Formulas too large to write are None, and `note` says so. Raises VariableError for
    an unknown variable and OptionError for an order that is not possible.

    >>> found = derive("x**2*sin(y)", by="x")
    >>> found.expr, found.sizes["reverse program"]
    (2*x*sin(y), 3)
    """
    f = function_at(f, x)
    if not f.n:
        raise OptionError(f"{f.title} is a constant: it has no variable to differentiate by")
    if isinstance(order, bool) or not isinstance(order, int) or not 1 <= order <= MOST_ORDER:
        raise OptionError(f"order {order!r} is none of 1 to {MOST_ORDER}")
    names = [by] if isinstance(by, (str, sympy.Symbol)) else listed(by)
    chosen = list(f.variables) if by is None else f.chosen([by] if names is None else names)
    wanted = [f.names.index(variable.name) for variable in chosen]
    note, formulas = "", None
    try:
        if not f.readable:
            raise MethodError("the function is a program, and has no formula")
        formulas = tuple(formula.partials(f.outputs, chosen, order))
    except MethodError as reason:
        note = str(reason).partition(";")[0]
    program, forward = (_differentiated(f, mode, wanted, order) for mode in ("reverse", "forward"))
    return Derivative(f, tuple(variable.name for variable in chosen), order, formulas, note, program, forward)


def _differentiated(f: Function, mode: Any, wanted: Sequence[int], order: int) -> Function:
    """The program of all derivatives of that order by the variables at these positions.

    A reverse-mode program is differentiated again by forward mode, which is cheaper from the second order on.
    """
    found = f
    for k in range(order):
        program = found.derivative(mode if k == 0 else "forward")
        rows = range(0, len(program.graph.outputs), f.n)
        outputs = [program.graph.outputs[row + j] for row in rows for j in wanted]
        found = _with_outputs(f, program.graph, outputs, "d" * (k + 1) + f.name)
    return found


def _with_outputs(f: Function, graph: Graph, outputs: Sequence[int], name: str) -> Function:
    """A function that computes these nodes of a graph, and what they need."""
    builder = Builder.on(graph)
    made = Function.from_graph(builder.finish(outputs), name if name.isidentifier() else "df")
    made.variables, made.scalar, made.point, made.within = f.variables, len(outputs) == 1, f.point, f
    return made
