"""From text to a SymPy expression, as it is written: a precedence parser with an explicit stack.

This is shunting-yard (Dijkstra 1961) with one change: operators of one precedence are kept until a weaker one comes, and are
then reduced together. So a sum of 100,000 terms becomes one flat `Add` in linear time, and nothing recurses at any depth.
Python's own parser would not do: it reads `2*x^2+1` as `(2*x)^(2+1)`, refuses variables called `lambda` or `if`, and gives up
at 200 parentheses.

| binds | operators | |
|---|---|---|
| weakest | `< <= > >= == !=` | not chained; only in the conditions of `Piecewise` |
| | `+ -` | left to right |
| | `* /` | left to right |
| | `-x` | a minus in front |
| strongest | `** ^` | one operator, right to left: `-x^2` is `-(x^2)`, `2^-x` is `2^(-x)` |

>>> parse("2*x^2 + 1").args
(2*x**2, 1)
>>> parse("0.10*lambda - x/3")
0.10*lambda - x/3
>>> parse("2*sine(x)")
Traceback (most recent call last):
...
adlab.errors.ParseError: column 3: unknown function `sine`; the nearest is `sin`; write `sine*(…)` for a product
  2*sine(x)
    ^
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from types import NoneType
from typing import Any, NamedTuple, NoReturn

import sympy
from sympy import Expr, Integer, S
from sympy.core.basic import Basic
from sympy.functions.elementary.piecewise import ExprCondPair

from adlab.errors import OptionError, ParseError, VariableError
from adlab.text.hints import mistaken_call, mistaken_comma, mistaken_definition, mistaken_name
from adlab.text.tokens import NAME, PLAIN, TOKEN, foreign_reason, name_fault, printable, side_by_side_reason
from adlab.text.unevaluated import (
    MAX_CONSTANT_DIGITS,
    Decimal,
    RefusalError,
    applied,
    negative,
    power,
    product,
    settled,
    total,
    tower,
)
from adlab.text.vocabulary import CONDITION, FUNCTIONS, MAX_ARGUMENTS, NUMBER, PIECE, Signature, nearest

__all__ = ["FUNCTIONS", "Decimal", "nearest", "parse"]

MAX_CHARACTERS = 10_000_000
"""Characters of a formula. So many are read in about twenty seconds; a longer text is a slip."""
MAX_NESTING = 200_000
"""Parentheses that are open at once. The parser has its own stack, and so many are read in a second."""

OPEN, COMPARISON, SUM, PRODUCT, SIGN, POWER = range(6)
_PRECEDENCE = {
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), COMPARISON),
    **dict.fromkeys("+-", SUM),
    **dict.fromkeys("*/", PRODUCT),
    **dict.fromkeys(("**", "^"), POWER),
}
_RELATIONS = {"<": "Lt", "<=": "Le", ">": "Gt", ">=": "Ge", "==": "Eq", "!=": "Ne"}
_CONSTANTS: dict[str, Basic] = {"pi": S.Pi, "π": S.Pi, "E": S.Exp1, "True": S.true, "False": S.false}


def parse(text: str, names: Iterable[str | sympy.Symbol] | None = None) -> sympy.Expr:
    """The formula in `text`, unevaluated, with every operand in the order in which it is written.

    A name that is not called is a real variable, except `pi` (or `π`) and Euler's number `E`. A name in `names` is always a
    variable, and a Symbol in `names` is used as it is. Signs fold into a constant (`-2*x` is one operation). A decimal is its
    nearest binary64 and prints as it was typed (`Decimal`).

    Raises ParseError, with the column and the reason, for a text that is not a formula or exceeds `MAX_CHARACTERS`,
    `MAX_NESTING`, `MAX_ARGUMENTS` or `MAX_CONSTANT_DIGITS`. Raises VariableError for `names` that are not names or occur twice,
    and OptionError for a `text` that is not a text.

    >>> parse("gamma*E^-x")
    gamma*exp(-x)
    >>> parse("E*pi", names=["E"]).args[0].is_Symbol
    True
    """
    if not isinstance(text, str):
        raise OptionError(f"a formula is given as text (str), not as {type(text).__name__}")
    if len(text) > MAX_CHARACTERS:
        raise ParseError(text, MAX_CHARACTERS + 1, f"a formula has at most {MAX_CHARACTERS:,} characters")
    return _Reader(text, _symbols(names)).read()


def _symbols(names: Iterable[str | sympy.Symbol] | None) -> dict[str, sympy.Symbol]:
    """The listed variables by name. A text makes a real symbol."""
    if isinstance(names, (str, sympy.Symbol)) or not isinstance(names, (Iterable, NoneType)):
        raise VariableError(f"variables are given as a list of names or symbols, not as {names!r} alone")
    symbols: dict[str, sympy.Symbol] = {}
    for given in () if names is None else names:
        if isinstance(given, str) and (not NAME.fullmatch(given) or name_fault(given)):
            raise VariableError(f"{given!r} cannot name a variable: use letters, digits and `_`, a letter first")
        if not isinstance(given, (str, sympy.Symbol)):
            raise VariableError(f"a variable is a name or a Symbol, not {type(given).__name__}")
        symbol = sympy.Symbol(given, real=True) if isinstance(given, str) else given
        if symbol.name in symbols:
            same = symbol == symbols[symbol.name]
            detail = "" if same else ", with different assumptions: make them one symbol"
            raise VariableError(f"the variable `{symbol.name}` is listed twice{detail}")
        if not symbol.is_commutative:
            raise VariableError(f"the variable `{symbol.name}` does not commute; variables here are real numbers")
        symbols[symbol.name] = symbol
    return symbols


class _Group(NamedTuple):
    """An open parenthesis, or an open call of a function. `first` is where its values start on the stack."""

    column: int
    opened: int
    first: int
    name: str = ""
    signature: Signature | None = None


class _Reader:
    """One reading of one text. A token goes to `operand` or `operation`, depending on which must come next.

    `operators` holds (precedence, symbol, column), with an entry OPEN below those of each parenthesis. `values` holds the
    operands that were read, and `columns` where each begins.
    """

    def __init__(self, text: str, variables: dict[str, sympy.Symbol]) -> None:
        self.text = text
        self.variables = variables
        self.atoms: dict[str, Basic] = {**_CONSTANTS, **variables}
        self.operators: list[tuple[int, str, int]] = [(OPEN, "", 0)]
        self.values: list[Any] = []
        self.columns: list[int] = []
        self.groups: list[_Group] = []
        self.previous: re.Match[str] | None = None

    def read(self) -> Expr:
        operand_next = True
        for token in TOKEN.finditer(self.text):
            operand_next = self.operand(token) if operand_next else self.operation(token)
            self.previous = token
        end = self.previous.end() + 1 if self.previous else 1
        if operand_next:
            self.fail(end, "the formula ends where an operand is missing" if self.previous else "the formula is empty")
        self.reduce(OPEN)
        if self.groups:
            self.fail(self.groups[-1].opened, "this `(` is never closed")
        self.require(NUMBER, self.values, self.columns, "a formula")
        formula: Expr = self.values[0]
        return formula

    def fail(self, column: int, reason: str) -> NoReturn:
        raise ParseError(self.text, column, reason) from None

    # --- tokens; each method says whether an operand comes next -----------------------------------------------------

    def operand(self, token: re.Match[str]) -> bool:
        kind, column = token.lastgroup or "", token.start() + 1
        symbol = PLAIN.get(token.group(), token.group())
        if kind == "name" or kind == "number":
            self.push(self.atom(symbol, kind, column, token.end()), column)
            return False
        if kind == "call":
            self.call(token["name"], column, token.end())
        elif kind == "foreign":
            self.fail(column, foreign_reason(self.text, column - 1, symbol))
        elif kind == "raised":
            self.fail(column, f"an operand is missing before the exponent `{printable(symbol)}`")
        elif symbol == "(":
            self.open(_Group(column, column, len(self.values)))
        elif symbol == "-":
            self.operators.append((SIGN, "-", column))
        elif symbol == ")":
            return self.close_early(column)
        elif symbol != "+":  # a leading plus changes nothing
            self.fail(column, f"an operand is missing before `{symbol}`")
        return True

    def operation(self, token: re.Match[str]) -> bool:
        column, symbol = token.start() + 1, PLAIN.get(token.group(), token.group())
        if token.lastgroup == "raised":
            return self.raised(symbol, column)
        if token.lastgroup == "foreign":
            self.fail(column, foreign_reason(self.text, column - 1, symbol))
        if symbol in _PRECEDENCE:
            return self.operator(symbol, _PRECEDENCE[symbol], column)
        if symbol == ")":
            return self.close(column)
        if symbol == ",":
            return self.comma(column)
        previous = self.previous.group() if self.previous else ""
        if previous in FUNCTIONS:
            operand = re.compile(r"[\w.]+").match(self.text, column - 1)
            written = re.sub(r"^(\d+)(?=[^\W\d])", r"\1*", operand[0]) if operand else symbol
            self.fail(column, f"a function is called with parentheses: write `{previous}({printable(written)})`")
        self.fail(column, side_by_side_reason(previous, symbol))

    def operator(self, symbol: str, precedence: int, column: int) -> bool:
        self.reduce(precedence)
        if precedence == COMPARISON == self.operators[-1][0]:
            self.fail(column, "comparisons do not chain: write `And(a < b, b < c)`")
        self.operators.append((precedence, symbol, column))
        return True

    def raised(self, exponent: str, column: int) -> bool:
        """A superscript raises the operand in front of it, which is complete: x^y² is x^(y²)."""
        values, columns = self.take(1)
        self.require(NUMBER, values, columns, f"`{printable(exponent)}`")
        word = unicodedata.normalize("NFKC", exponent).replace("−", "-")
        sign, digits = (-1, word[1:]) if word[0] == "-" else (1, word.lstrip("+"))
        number = self.number(digits, column)
        try:
            self.push(power(values[0], number if sign > 0 else negative(number)), columns[0])
        except RefusalError as refusal:
            self.fail(columns[0], refusal.reason)
        return False

    def atom(self, word: str, kind: str, column: int, end: int) -> Basic:
        """The number or variable of this word. Each word is made once."""
        known = self.atoms.get(word)
        if known is None or (word == "e" and word not in self.variables):
            known = self.number(word, column) if kind == "number" else self.variable(word, column, end)
            self.atoms[word] = known
        return known

    def variable(self, name: str, column: int, end: int) -> sympy.Symbol:
        if fault := name_fault(name):
            offset, reason = fault
            self.fail(column + offset, reason)
        if mistake := mistaken_name(name, self.text, end):
            self.fail(column, mistake)
        return sympy.Symbol(name, real=True)

    def number(self, word: str, column: int) -> sympy.Number:
        if len(word) > MAX_CONSTANT_DIGITS:
            self.fail(column, f"a number has at most {MAX_CONSTANT_DIGITS} digits")
        try:
            return Integer(int(word)) if word.isdigit() else Decimal(word)
        except RefusalError as refusal:
            self.fail(column, refusal.reason)

    # --- parentheses ------------------------------------------------------------------------------------------------

    def call(self, name: str, column: int, opened: int) -> None:
        if name in self.variables:
            self.fail(column, f"`{printable(name)}` is a variable here: write `{printable(name)}*(…)` for a product")
        if name not in FUNCTIONS:
            if reason := (mistaken_definition(self.text) if column == 1 else None) or mistaken_call(name):
                self.fail(column, reason)
            close = nearest(name)
            if close and close.casefold() == name.casefold():
                self.fail(column, f"`{printable(name)}` is not a function here: write `{close}(…)`")
            hint = f"; the nearest is `{close}`" if close else ""
            self.fail(column, f"unknown function `{printable(name)}`{hint}; write `{printable(name)}*(…)` for a product")
        self.open(_Group(column, opened, len(self.values), name, FUNCTIONS[name]))

    def open(self, group: _Group) -> None:
        if len(self.groups) >= MAX_NESTING:
            self.fail(group.opened, f"parentheses nest at most {MAX_NESTING:,} deep")
        self.groups.append(group)
        self.operators.append((OPEN, "(", group.opened))

    def comma(self, column: int) -> bool:
        self.reduce(OPEN)
        count = len(self.values) - self.groups[-1].first if self.groups else 0
        if not self.groups or (self.groups[-1].signature is None and not self.in_piecewise()):
            if reason := mistaken_comma(self.text, column - 1):
                self.fail(column, reason)
            self.fail(column, "a comma stands only between the arguments of a function")
        if self.groups[-1].signature is None and count > 1:
            self.fail(column, f"Piecewise takes pieces `(value, condition)`, not {count + 1} values in one")
        if count >= MAX_ARGUMENTS:
            self.fail(column, f"a function takes at most {MAX_ARGUMENTS:,} arguments")
        return True

    def in_piecewise(self) -> bool:
        outer = self.groups[-2].signature if len(self.groups) > 1 else None
        return outer is not None and outer.takes == PIECE

    def close_early(self, column: int) -> bool:
        """A `)` where an operand must come. Right after the parenthesis of a call it means that there are no arguments."""
        if not self.groups:
            self.fail(column, "this `)` closes nothing")
        if self.previous is not None and self.previous.end() == self.groups[-1].opened:
            if self.groups[-1].signature is None:
                self.fail(column, "nothing stands between these parentheses")
            return self.close(column)
        self.fail(column, "an operand is missing before `)`")

    def close(self, column: int) -> bool:
        self.reduce(OPEN)
        if not self.groups:
            self.fail(column, "this `)` closes nothing")
        self.operators.pop()
        group = self.groups.pop()
        values, columns = self.take(len(self.values) - group.first)
        if group.signature is not None:
            self.push(self.applied(group.name, group.signature, group.column, values, columns), group.column)
        elif len(values) == 1:
            self.push(values[0], group.column)
        else:
            self.require(NUMBER, values[:1], columns, "a piece")
            self.require(CONDITION, values[1:], columns[1:], "a piece")
            self.push(applied(ExprCondPair, *values), group.column)
        return False

    def applied(self, name: str, signature: Signature, column: int, values: list[Any], columns: list[int]) -> Any:
        if not signature.least <= len(values) <= signature.most:
            two = "; write `atan2(y, x)` for the angle of a point" if name in ("atan", "arctan") and len(values) == 2 else ""
            self.fail(column, f"`{name}` takes {signature.arity}, not {len(values)}{two}")
        if isinstance(signature.takes, str):
            self.require(signature.takes, values, columns, f"`{name}`")
        else:
            for place, kind in enumerate(signature.takes):
                self.require(kind, values[place : place + 1], columns[place:], f"`{name}`")
        try:
            return signature.build(*map(settled, values))
        except RefusalError as refusal:
            self.fail(columns[refusal.operand], refusal.reason)

    # --- the stacks -------------------------------------------------------------------------------------------------

    def push(self, value: Any, column: int) -> None:
        self.values.append(value)
        self.columns.append(column)

    def take(self, count: int) -> tuple[list[Any], list[int]]:
        """Takes the last `count` values and their columns off the stack."""
        first = len(self.values) - count
        values, columns = self.values[first:], self.columns[first:]
        del self.values[first:], self.columns[first:]
        return values, columns

    def reduce(self, precedence: int) -> None:
        """Applies operators that bind tighter than `precedence`; each run of equally tight ones at once."""
        operators = self.operators
        while (level := operators[-1][0]) > precedence:
            start = len(operators) - 1
            while operators[start - 1][0] == level:
                start -= 1
            symbols = [symbol for _, symbol, _ in operators[start:]]
            first = operators[start][2]
            del operators[start:]
            values, columns = self.take(1 if level == SIGN else len(symbols) + 1)
            self.require(NUMBER, values, columns, f"`{symbols[0]}`")
            self.push(self.combined(level, symbols, values, columns), first if level == SIGN else columns[0])

    def combined(self, level: int, symbols: list[str], values: list[Any], columns: list[int]) -> Any:
        """One run of operators of this precedence, applied."""
        try:
            if level == PRODUCT:
                return product(["*", *symbols], values, -1 if self.minus_before() else 1)
            if level == SUM:
                return total(["+", *symbols], values)
            if level == POWER:
                return tower(values)
        except RefusalError as refusal:
            self.fail(columns[refusal.operand], refusal.reason)
        if level == SIGN:
            return negative(values[0]) if len(symbols) % 2 else values[0]
        return FUNCTIONS[_RELATIONS[symbols[0]]].build(*values)

    def minus_before(self) -> bool:
        """Whether a minus stands before the product just read. It becomes a plus, and the sign becomes part of the product."""
        precedence, symbol, column = self.operators[-1]
        if precedence == SUM and symbol == "-":
            self.operators[-1] = (SUM, "+", column)
            return True
        return False

    def require(self, kind: str, values: Sequence[Any], columns: Sequence[int], where: str) -> None:
        """Fails at the first of the values that is not of this kind."""
        for value, column in zip(values, columns, strict=False):
            if _kind(value) != kind:
                self.fail(column, f"{where} needs {kind} here, not {_kind(value)}")


def _kind(value: Basic) -> str:
    if isinstance(value, Expr):
        return NUMBER
    return PIECE if isinstance(value, ExprCondPair) else CONDITION
