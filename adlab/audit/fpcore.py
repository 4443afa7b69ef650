"""FPCore, the language of floating-point benchmarks (fpbench.org/spec/fpcore-2.0.html): cores without loops and arrays.

Numbers mean what the format says: a decimal is that decimal, rounded to binary64; `PI` and the like are exact.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

import sympy
from sympy import S

from adlab.audit.corpus import Entry
from adlab.audit.operands import numbers, truths, whole
from adlab.errors import AdlabError, ParseError, UnsupportedExpression
from adlab.text.parser import Decimal
from adlab.text.unevaluated import RefusalError, applied, negative, product, total
from adlab.text.vocabulary import FUNCTIONS

_TOKEN = re.compile(r"""\s+|;[^\n]*|(?P<open>[(\[])|(?P<close>[)\]])|(?P<text>"(?:[^"\\]|\\.)*")|(?P<atom>[^\s()\[\];"]+)""")
_DEEPEST = 10_000
"""Brackets inside brackets."""

_CONSTANTS: dict[str, Any] = {
    "PI": S.Pi, "E": S.Exp1, "INFINITY": S.Infinity, "TRUE": S.true, "FALSE": S.false,
    "PI_2": S.Pi / 2, "PI_4": S.Pi / 4, "M_1_PI": 1 / S.Pi, "1_PI": 1 / S.Pi, "2_PI": 2 / S.Pi,
    "SQRT2": sympy.sqrt(2), "SQRT1_2": 1 / sympy.sqrt(2), "LN2": sympy.log(2), "LN10": sympy.log(10),
    "LOG2E": 1 / sympy.log(2), "LOG10E": 1 / sympy.log(10), "2_SQRTPI": 2 / sympy.sqrt(S.Pi),
}  # fmt: skip

_NAMES = {"fabs": "Abs", "fmin": "Min", "fmax": "Max", "lgamma": "loggamma", "tgamma": "gamma", "ceil": "ceiling"}
"""Functions that have another name in FPCore. Names that are not listed are those of a formula in text, if it has them."""
_RELATIONS = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "==": sympy.Eq, "!=": sympy.Ne}
_KNOWN = {
    "sqrt", "cbrt", "hypot", "exp", "exp2", "expm1", "log", "log10", "log2", "log1p", "pow", "sin", "cos", "tan", "asin", "acos",
    "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "floor", "fabs", "fmin", "fmax", "lgamma",
    "tgamma", "ceil",
}  # fmt: skip


def read_fpcore(text: str, path: str) -> list[Entry]:
    """Every core of a file. A core that has no formula, such as one with a loop, becomes an entry that says why.

    So does a place where the brackets do not match. Raises ParseError for a quoted text that never ends, and for brackets in too
    many others.

    >>> [core] = read_fpcore('(FPCore (x) :name "half" :pre (< 1 x 3) (let ((y (+ x 1))) (/ y 2)))', "a file")
    >>> core.name, core.formula, core.ranges
    ('half', (x + 1)/2, {'x': (1.0, 3.0)})
    """
    forms, faults = _forms(text)
    cores = [form for form in forms if isinstance(form, list) and form[:1] == ["FPCore"]]
    unread = [Entry(f"line {line}", None, source=f"{path}:{line}", reason=reason) for line, reason in faults]
    return [_entry(core, f"{path}:{k}", k) for k, core in enumerate(cores, 1)] + unread


def _forms(text: str) -> tuple[list[Any], list[tuple[int, str]]]:
    """The bracketed forms of a text as lists of lists and words, and where brackets do not match. A quoted text keeps its quotes.

    No core stands in another one. Where one begins inside another, the other one was not closed, and is left out.
    """
    levels: list[list[Any]] = [[]]
    faults: list[tuple[int, str]] = []
    begun = 0
    place = 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise ParseError(text[place : place + 40], 1, "this quoted text never ends")
        place = token.end()
        if token["open"]:
            levels.append([])
            if len(levels) > _DEEPEST:
                raise ParseError(text[place - 40 : place], 40, f"more than {_DEEPEST} brackets inside brackets")
        elif token["close"]:
            if len(levels) == 1:
                faults.append((_line(text, place), "a bracket is closed that was never opened"))
                continue
            form = levels.pop()
            levels[-1].append(form)
        elif word := token["text"] or token["atom"]:
            if word == "FPCore" and not levels[-1] and len(levels) > 1:
                faults += [(_line(text, begun), _UNCLOSED)] if len(levels) > 2 else []
                levels, begun = [levels[0], []], place
            levels[-1].append(word)
    if len(levels) > 1:
        faults.append((_line(text, begun), _UNCLOSED))
    return levels[0], faults


_UNCLOSED = "a bracket of the core that begins here is never closed"


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _entry(core: list[Any], source: str, number: int) -> Entry:
    parts = core[1:]
    name = parts.pop(0) if parts and isinstance(parts[0], str) and not parts[0].startswith(":") else ""
    arguments = parts.pop(0) if parts and isinstance(parts[0], list) else []
    facts: dict[str, Any] = {}
    while len(parts) > 1 and isinstance(parts[0], str) and parts[0].startswith(":"):
        facts[parts[0]], parts = parts[1], parts[2:]
    title = _unquoted(facts.get(":name", "")) or name or f"core {number}"
    try:
        names = [_argument(argument) for argument in arguments]
        symbols = {word: sympy.Symbol(_spelled(word), real=True) for word in names}
        if len(parts) != 1:
            raise UnsupportedExpression(f"this core has {len(parts)} bodies, and one is expected")
        formula = _read(parts[0], symbols)
        ranges = {_spelled(word): found for word, found in _ranges(facts.get(":pre")).items() if word in symbols}
        return Entry(title, formula, tuple(_spelled(word) for word in names), ranges=ranges, source=source)
    except (AdlabError, RefusalError) as reason:
        return Entry(title, None, source=source, reason=str(reason).splitlines()[0])


def _argument(argument: Any) -> str:
    """The name of an argument; `(! :precision binary32 x)` is x with a note, `(A 3 3)` is an array."""
    if isinstance(argument, str):
        return argument
    if argument[:1] == ["!"] and isinstance(argument[-1], str):
        return str(argument[-1])
    raise UnsupportedExpression(f"`{_written(argument)}` is an array, and a formula has numbers only")


def _spelled(word: str) -> str:
    """A name as text may spell it; FPCore allows `x*` and `a-b`."""
    return re.sub(r"\W", "_", word) if re.match(r"[^\W\d]", word) else "v_" + re.sub(r"\W", "_", word)


def _unquoted(word: Any) -> str:
    return word[1:-1].replace('\\"', '"') if isinstance(word, str) and word.startswith('"') else ""


def _written(form: Any, limit: int = 40) -> str:
    text = form if isinstance(form, str) else f"({' '.join(_written(part) for part in form)})"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _read(form: Any, names: Mapping[str, Any]) -> Any:
    """The SymPy expression of a form. It uses an explicit stack, since files hold forms that are thousands deep.

    A task is (form, names), which must be read, or (number of operands, function), which is applied to the last values read.
    """
    tasks: list[tuple[Any, Any]] = [(form, names)]
    values: list[Any] = []
    while tasks:
        task, scope = tasks.pop()
        if callable(scope):
            operands = values[len(values) - task :] if task else []
            del values[len(values) - task :]
            values.append(scope(operands))
        elif isinstance(task, str):
            values.append(_atom(task, scope))
        else:
            _open(task, scope, tasks)
    return values[0]


def _open(form: list[Any], scope: Mapping[str, Any], tasks: list[tuple[Any, Any]]) -> None:
    head = form[0] if form and isinstance(form[0], str) else ""
    if head in ("let", "let*"):
        if len(form) != 3 or not all(isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in form[1]):
            raise UnsupportedExpression(f"`{_written(form)}` is no `let` with its pairs and its body")
        inner = dict(scope)
        for word, value in form[1]:  # `let` reads every value in the outer scope, `let*` in the one made so far
            inner[word] = _read(value, inner if head == "let*" else scope)
        tasks.append((form[2], inner))
    elif head == "!":
        tasks.append((form[-1], scope))
    elif head in ("while", "while*", "for", "for*", "tensor", "tensor*", "array", "ref", "dim", "size"):
        raise UnsupportedExpression(f"`{head}` is a loop or an array; write it as a Python function and trace it")
    else:
        apply = _operation(head, form)
        tasks.append((len(form) - 1, apply))
        tasks.extend((part, scope) for part in reversed(form[1:]))


def _operation(head: str, form: list[Any]) -> Any:
    count = len(form) - 1
    if head in "+-*/" and head:
        if count == 0 or (head == "/" and count != 2):
            raise UnsupportedExpression(f"`{_written(form)}` has {count} operands")
        return lambda operands: _arithmetic(head, operands)
    if head in _RELATIONS and count > 1:
        return lambda operands: _chain(head, operands)
    if head in ("and", "or", "not"):
        return lambda operands: _joined(head, operands)
    if head == "if" and count == 3:
        return _chosen
    if head == "fma" and count == 3:
        return lambda operands: total("++", [product("**", operands[:2]), operands[2]])
    if head == "fdim" and count == 2:
        return lambda operands: applied(sympy.Max, total("+-", operands), S.Zero)
    if head == "copysign" and count == 2:
        return lambda operands: _signed(*operands)
    name = _NAMES.get(head, head)
    if head in _KNOWN and name in FUNCTIONS and FUNCTIONS[name].least <= count <= FUNCTIONS[name].most:
        return lambda operands: _function(name, operands)
    if not form:
        raise UnsupportedExpression("`()` has no operation in it")
    raise UnsupportedExpression(f"`{_written(form)}`: adlab does not know `{head or _written(form[:1])}` of {count} operands")


def _function(name: str, operands: Sequence[Any]) -> Any:
    numbers(name, operands)
    return FUNCTIONS[name].build(*operands)


def _joined(head: str, operands: Sequence[Any]) -> Any:
    truths(head, operands)
    if head == "not" and len(operands) != 1:
        raise UnsupportedExpression(f"`not` is given {len(operands)} operands, and takes 1")
    return applied({"and": sympy.And, "or": sympy.Or, "not": sympy.Not}[head], *operands)


def _chosen(operands: Sequence[Any]) -> Any:
    truths("if", operands[:1])
    numbers("if", operands[1:])
    return FUNCTIONS["where"].build(*operands)


def _signed(size: Any, sign: Any) -> Any:
    """`copysign`: |size| with the sign of the other. A formula over the reals has one 0, and its sign counts as positive."""
    size = applied(sympy.Abs, size)
    return FUNCTIONS["where"].build(applied(sympy.Lt, sign, S.Zero), negative(size), size)


def _arithmetic(head: str, operands: Sequence[Any]) -> Any:
    numbers(head, operands)
    if len(operands) == 1:
        return negative(operands[0]) if head == "-" else operands[0]
    if head in "+-":
        return total("+" + head * (len(operands) - 1), operands)
    return product("*" + head * (len(operands) - 1), operands)


def _chain(head: str, operands: Sequence[Any]) -> Any:
    """`(< a b c)` means that the relation holds for each pair of neighbours."""
    numbers(head, operands)
    pairs = [applied(_RELATIONS[head], a, b) for a, b in itertools.pairwise(operands)]
    return reduce(lambda a, b: applied(sympy.And, a, b), pairs)


def _atom(word: str, names: Mapping[str, Any]) -> Any:
    if word in names:
        return names[word]
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    sign = -1 if word.startswith("-") else 1
    digits = word[1:] if word[0] in "+-" else word
    try:
        if re.fullmatch(r"\d+", digits):
            return sign * whole(digits)
        if re.fullmatch(r"\d+/\d+", digits):
            above, below = digits.split("/")
            value = Fraction(sign * int(whole(above)), int(whole(below)))
            return sympy.Rational(value.numerator, value.denominator)
        if re.fullmatch(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", digits):
            return Decimal(("-" if sign < 0 else "") + digits)
    except ZeroDivisionError:
        raise UnsupportedExpression(f"`{word}` divides by 0") from None
    raise UnsupportedExpression(f"`{word}` is neither an argument of this core nor a number")


def _ranges(condition: Any) -> dict[str, tuple[float, float]]:
    """The ranges, where a precondition puts a variable between two numbers: `(and (< 1 x 2) (<= 0 y) (<= y 5))`."""
    found: dict[str, list[float]] = {}
    for form in condition[1:] if isinstance(condition, list) and condition[:1] == ["and"] else [condition]:
        if not isinstance(form, list) or form[:1] not in (["<"], ["<="], [">"], [">="]):
            continue
        ordered = form[1:] if form[0] in "<=" else form[:0:-1]
        for low, high in itertools.pairwise(ordered):
            if (bound := _number(low)) is not None and isinstance(high, str):
                found.setdefault(high, [-float("inf"), float("inf")])[0] = bound
            elif (bound := _number(high)) is not None and isinstance(low, str):
                found.setdefault(low, [-float("inf"), float("inf")])[1] = bound
    return {name: (low, high) for name, (low, high) in found.items() if -1e308 < low < high < 1e308}


def _number(form: Any) -> float | None:
    try:
        value = _read(form, {})
        return float(value) if value.is_number else None
    except (AdlabError, RefusalError, TypeError, AttributeError):
        return None
