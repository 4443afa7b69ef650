"""Straight-line code in a language that people read: C99, plain Python, or NumPy over batches.

`Lines` has the same methods as a block of LLVM's instructions (`compile.llvm.text.Block`). So the code that writes a graph
there, each operation with its domain and its truth values as bits, writes it here as well. Only the spelling differs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adlab.compile.llvm.body import TRUTHS, Body
from adlab.compile.llvm.forms import Forms
from adlab.compile.llvm.text import Registers
from adlab.errors import UnsupportedExpression
from adlab.graph.compound import refuse_bodies
from adlab.graph.constants import constants
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Primitive

RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "olt": lambda a, b: a < b, "ole": lambda a, b: a <= b, "ogt": lambda a, b: a > b, "oge": lambda a, b: a >= b,
    "oeq": lambda a, b: a == b, "one": lambda a, b: a < b or a > b, "une": lambda a, b: a != b,
    "uno": lambda a, b: a != a or b != b,
}  # fmt: skip
SIGNS = {"olt": "{0} < {1}", "ole": "{0} <= {1}", "ogt": "{0} > {1}", "oge": "{0} >= {1}", "oeq": "{0} == {1}",
         "une": "{0} != {1}"}  # fmt: skip
SHARED = ["fabs", "sqrt", "floor", "ceil", "copysign", "exp", "exp2", "expm1", "log", "log1p", "log2", "sin", "cos", "tan",
          "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "cbrt", "hypot", "atan2",
          "fmod"]  # fmt: skip
"""Functions that C, Python's `math` and NumPy all have."""
OPERATORS = {"fadd": "+", "fsub": "-", "fmul": "*"}
WORD = re.compile(r"[tb]\d+")
"""Prefixes of the names of lines: t for numbers, b for truth values."""


@dataclass(frozen=True)
class Language:
    """How a language spells things. `{0}`, `{1}` … stand for the operands."""

    name: str
    truths: tuple[str, str]
    number: Callable[[float], str]
    functions: Mapping[str, str]
    """What functions of the C library are called in this language. One that is missing is refused."""
    relations: Mapping[str, str]
    logic: Mapping[str, str]
    negation: str
    choice: str
    division: str = "{0} / {1}"
    assign: tuple[str, str] = ("{0} = {1}", "{0} = {1}")
    """How a number, and a truth value, is given a name."""
    remark: str = "  # {0}"
    lift: str = "{0}"
    """A constant as an operand of a function."""


@dataclass
class CodeLine:
    """One assignment."""

    name: str
    text: str
    remark: str = ""


@dataclass
class Lines:
    """Lines under construction. A line that was written before is not written again."""

    language: Language
    width: int = 1
    type: str = "double"
    registers: Registers = field(default_factory=Registers)
    lines: list[CodeLine] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    """The functions that are called."""
    _names: dict[str, str] = field(default_factory=dict)
    _known: dict[str, float] = field(default_factory=dict)

    def let(self, text: str, truth: bool = False) -> str:
        """The name of this number, or truth value."""
        if text not in self._names:
            self._names[text] = f"{'b' if truth else 't'}{len(self._names)}"
            self.lines.append(CodeLine(self._names[text], text))
        return self._names[text]

    def number(self, value: float) -> str:
        """A constant."""
        text = self.language.number(value)
        self._known[text] = value
        return text

    def binary(self, operation: str, a: str, b: str) -> str:
        if operation == "fdiv":
            self.used.add("div")
            return self.let(self.language.division.format(a, b))
        return self.let(f"{a} {OPERATORS[operation]} {b}")

    def negative(self, a: str) -> str:
        return self.let(f"-{a}")

    def compare(self, relation: str, a: str, b: str) -> str:
        """`relation` is named as in LLVM. Between constants it is decided here."""
        if a in self._known and b in self._known:
            return self._truth(RELATIONS[relation](self._known[a], self._known[b]))
        signs = self.language.relations
        return self.let(signs["une" if relation == "uno" and a == b else relation].format(a, b), truth=True)

    def logic(self, operation: str, p: str, q: str) -> str:
        false, true = self.language.truths
        if {p, q} & {false, true}:
            fixed, other = (p, q) if p in (false, true) else (q, p)
            if operation == "xor":
                return other if fixed == false else self.negation(other)
            return other if (fixed == true) == (operation == "and") else fixed
        return self.let(self.language.logic[operation].format(p, q), truth=True)

    def negation(self, p: str) -> str:
        if p in self.language.truths:
            return self._truth(p == self.language.truths[0])
        return self.let(self.language.negation.format(p), truth=True)

    def choose(self, condition: str, a: str, b: str) -> str:
        if condition in self.language.truths:
            return a if condition == self.language.truths[1] else b
        return a if a == b else self.let(self.language.choice.format(condition, a, b))

    def intrinsic(self, name: str, *operands: str) -> str:
        return self.function(name, *operands)

    def function(self, name: str, *operands: str, lanewise: bool = False) -> str:
        """A function of the C library. Raises UnsupportedExpression where the language lacks it."""
        if name not in self.language.functions:
            raise UnsupportedExpression(f"{self.language.name} has no {name}; compile() serves it, within adlab")
        self.used.add(name)
        lifted = [self.language.lift.format(operand) if operand in self._known else operand for operand in operands]
        return self.let(f"{self.language.functions[name]}({', '.join(lifted)})")

    def _truth(self, value: bool) -> str:
        return self.language.truths[value]


class Portable(Forms):
    """Operations as lines, the same as in the strict form of machine code.

    An operation that would call adlab is refused by name.
    """

    def __init__(self, lines: Lines) -> None:
        super().__init__(lines, strict=True)  # type: ignore[arg-type]  # lines answer to what a block answers to

    def apply(self, primitive: Primitive, parameter: Any, operands: list[str]) -> str:
        if primitive.name == "pow" and not parameter:  # C's pow(1, NaN) is 1
            unknown = self.block.compare("uno", *operands)
            return self.block.choose(unknown, self.block.number(math.nan), self.call("pow", *operands))
        if primitive.c and primitive.c not in self.block.language.functions:  # type: ignore[attr-defined]
            return self._callback(primitive, parameter, operands)
        return super().apply(primitive, parameter, operands)

    def _callback(self, primitive: Primitive, parameter: Any, operands: list[str]) -> str:
        language = self.block.language  # type: ignore[attr-defined]
        raise UnsupportedExpression(
            f"`{primitive.name}` has no form in {language.name}, whose library lacks it; compile() serves it, within adlab"
        )


@dataclass(frozen=True)
class WrittenGraph:
    """A graph in a language: the lines, the name of each output, and the lines that check whether binary64 was enough.

    `checks` are truth values. If any is true, a number left binary64's range on the way. `check_lines` compute them.
    """

    lines: Sequence[str]
    outputs: Sequence[str]
    checks: Sequence[str]
    used: frozenset[str]


def written(graph: Graph, language: Language, names: Sequence[str], remarks: bool = True) -> WrittenGraph:
    """The graph's outputs from inputs of these names, under IEEE rules: NaN outside the domain.

    Raises UnsupportedExpression for operations that the language lacks, or that have bodies.
    """
    refuse_bodies(graph, language.name)
    lines = Lines(language)
    body = Body(graph, Portable(lines), names.__getitem__)
    for i in graph.operations:
        before = len(lines.lines)
        body.write(i)
        if len(lines.lines) > before and remarks:
            lines.lines[-1].remark = f"{graph.names[i]} = {graph.written(i)}"
    outputs = [body.number(output) for output in graph.outputs]
    checks = _checks(graph, body)
    kept = _needed(lines.lines, [*outputs, *checks])
    shown = [
        language.assign[line.name[0] == "b"].format(line.name, line.text)
        + (language.remark.format(line.remark) if line.remark and len(line.remark) <= 60 else "")
        for line in kept
    ]
    return WrittenGraph(shown, outputs, checks, frozenset(lines.used))


def _checks(graph: Graph, body: Body) -> list[str]:
    """Truth values in words. `odd(v)` is true for an infinite or subnormal v. A 0 whose operands are not 0 is an underflow.

    `arithmetic.rows.special_rows` looks at all values in the same way.
    """
    known, found = constants(graph), []
    for i in graph.operations:
        primitive, operands, _ = graph.nodes[i]
        name = body.values.get(i, "")
        if i in known or primitive.name in TRUTHS or primitive.name == "select" or not WORD.fullmatch(name):
            continue
        found.append(f"odd({name})")
        if not primitive.vanishes:
            met = [f"({body.number(o)} != 0)" for o in dict.fromkeys(operands) if o not in known]
            found.append(" & ".join([f"({name} == 0)", *met]))
    return found


def _needed(lines: Sequence[CodeLine], wanted: Sequence[str]) -> list[CodeLine]:
    """The lines that the wanted texts read, directly or indirectly."""
    alive = {word for text in wanted for word in WORD.findall(text)}
    kept = []
    for line in reversed(lines):
        if line.name in alive:
            alive.update(WORD.findall(line.text))
            kept.append(line)
    return kept[::-1]


def literal(value: float) -> str:
    """A finite number as Python and C read it, with every bit.

    >>> literal(0.1), literal(-2.0)
    ('0.1', '(-2.0)')
    """
    return repr(value) if value >= 0 and math.copysign(1, value) > 0 else f"({value!r})"
