"""SymPy's `srepr`, read without evaluating anything: only SymPy's own classes are made, by name, from a fixed list."""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import sympy
from sympy import Add, Integer, Mul, Pow, Rational, S
from sympy.functions.elementary.piecewise import ExprCondPair

from adlab.audit.operands import numbers, truths, whole
from adlab.errors import ParseError, UnsupportedExpression
from adlab.text.parser import Decimal
from adlab.text.unevaluated import RefusalError, applied, flat
from adlab.text.vocabulary import FUNCTIONS

_TOKEN = re.compile(r"""\s+|(?P<call>[A-Za-z_]\w*)\(|(?P<key>[A-Za-z_]\w*)=|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)"""
                    r"""|(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
                    r"""|(?P<number>-?\d+)|(?P<close>\))|(?P<comma>,)""")  # fmt: skip
_ATOMS: dict[str, Any] = {"pi": S.Pi, "E": S.Exp1, "true": S.true, "false": S.false, "nan": S.NaN, "oo": S.Infinity,
                          "EulerGamma": S.EulerGamma, "GoldenRatio": S.GoldenRatio, "Catalan": S.Catalan}  # fmt: skip
_RELATIONS = {"StrictLessThan": sympy.Lt, "LessThan": sympy.Le, "StrictGreaterThan": sympy.Gt, "GreaterThan": sympy.Ge,
              "Equality": sympy.Eq, "Unequality": sympy.Ne, "And": sympy.And, "Or": sympy.Or, "Not": sympy.Not}  # fmt: skip
_SUMS: dict[str, tuple[Any, int]] = {"Add": (Add, 1), "Mul": (Mul, 1), "Pow": (Pow, 2)}
"""Classes that keep their operands as written, with the fewest that each takes."""
_HEADS = {
    **{word: getattr(sympy, word) for word in FUNCTIONS if isinstance(getattr(sympy, word, None), type)},
    **{word: getattr(sympy, word) for word in ("airyai", "airybi", "airyaiprime", "airybiprime", "exp", "Piecewise")},
    **_RELATIONS,
    "ExprCondPair": ExprCondPair,
}
"""Classes that a call may name. Nothing else is ever looked up."""


def read_srepr(text: str) -> Any:
    """The expression that `sympy.srepr` has written, with its operands in the same order.

    Raises ParseError, with the column, for any other text, and UnsupportedExpression for a class that adlab does not take.

    >>> read_srepr("Add(Pow(Symbol('x'), Integer(2)), Integer(1))")
    x**2 + 1
    >>> read_srepr("__import__('os')")
    Traceback (most recent call last):
    ...
    adlab.errors.UnsupportedExpression: `__import__` is not a class of SymPy that a formula may have
    """
    open_calls: list[tuple[str, list[Any], dict[str, Any]]] = [("", [], {})]
    key, place = "", 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise ParseError(text, place + 1, "SymPy's srepr has nothing like this")
        place = token.end()
        head, operands, options = open_calls[-1]
        if token["call"]:
            open_calls.append((token["call"], [], {}))
            open_calls[-2][2][""] = key  # if there is one, the option that this call is the value of
            key = ""
        elif token["key"]:
            key = token["key"]
        elif token["close"]:
            if len(open_calls) == 1:
                raise ParseError(text, place, "this `)` closes nothing")
            open_calls.pop()
            options.pop("", "")
            value = _made(head, operands, options, text, place)
            outer = open_calls[-1]
            word = outer[2].pop("", "")
            outer[2].update({word: value}) if word else outer[1].append(value)
        elif not token["comma"] and token.group().strip():
            value = _plain(token)
            options.update({key: value}) if key else operands.append(value)
            key = ""
    if len(open_calls) > 1 or len(open_calls[0][1]) != 1 or isinstance(open_calls[0][1][0], (str, int)):
        raise ParseError(text, len(text) + 1, "one whole expression is expected")
    return open_calls[0][1][0]


def _plain(token: re.Match[str]) -> Any:
    if token["text"]:
        try:
            return str(ast.literal_eval(token["text"]))
        except (SyntaxError, ValueError):
            raise UnsupportedExpression(f"{token['text']} is no text that Python reads") from None
    if token["number"]:
        return int(whole(token["number"]))
    name = token["name"]
    if name in ("True", "False"):
        return name == "True"
    if name in _ATOMS:
        return _ATOMS[name]
    raise UnsupportedExpression(f"`{name}` is not a constant that a formula may have")


def _check(head: str, operands: list[Any]) -> None:
    """Raises UnsupportedExpression for a truth value where a number belongs, and the other way round."""
    if head == "Piecewise":
        if not operands or not all(isinstance(operand, ExprCondPair) for operand in operands):
            raise UnsupportedExpression("it takes pairs of a value and a condition")
    elif head == "ExprCondPair":
        numbers(head, operands[:1])
        truths(head, operands[1:])
    elif head in ("And", "Or", "Not"):
        truths(head, operands)
    else:
        numbers(head, operands)


def _made(head: str, operands: list[Any], options: dict[str, Any], text: str, column: int) -> Any:
    try:
        match head:
            case "Symbol" | "Dummy":
                if not (len(operands) == 1 and isinstance(operands[0], str) and operands[0].strip()):
                    raise ValueError("a variable has a name")
                assumptions = {word: value for word, value in options.items() if isinstance(value, bool)}
                return sympy.Symbol(str(operands[0]), **assumptions)
            case "Integer":
                return Integer(int(operands[0]))
            case "Rational":
                if not int(operands[1]):
                    raise ValueError("it divides by 0")
                return Rational(int(operands[0]), int(operands[1]))
            case "Float" if math.isfinite(float(operands[0])):
                return Decimal(repr(float(operands[0])))
            case "Half":
                return S.Half
        if (head in _SUMS or head in _HEADS) and not all(isinstance(operand, sympy.Basic) for operand in operands):
            raise ValueError("they are no expressions")
        if head in _SUMS and len(operands) >= _SUMS[head][1]:
            return flat(_SUMS[head][0], tuple(operands))
        if head in _HEADS and (head not in FUNCTIONS or FUNCTIONS[head].least <= len(operands) <= FUNCTIONS[head].most):
            _check(head, operands)
            return applied(_HEADS[head], *operands)
    except IndexError:
        raise ParseError(text, column, f"`{head}` needs an operand that is missing") from None
    except (RefusalError, ValueError, TypeError, KeyError, UnsupportedExpression) as reason:
        raise ParseError(text, column, f"`{head}` does not take these operands: {reason}") from None
    raise UnsupportedExpression(f"`{head}` is not a class of SymPy that a formula may have")
