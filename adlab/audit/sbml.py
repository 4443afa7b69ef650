"""SBML, the format of biochemical models: kinetic laws, rules and initial assignments, through libSBML (extra `sbml`)."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

import sympy
from sympy import Integer, S

from adlab.audit.corpus import Entry
from adlab.audit.operands import numbers, truths
from adlab.errors import AdlabError, MissingExtra, OptionError, UnsupportedExpression
from adlab.text.parser import Decimal
from adlab.text.traversal import symbols_of
from adlab.text.unevaluated import RefusalError, applied, negative, power, product, total
from adlab.text.vocabulary import FUNCTIONS

_NAMES = {"abs": "Abs", "ceil": "ceiling", "ceiling": "ceiling", "ln": "log", "max": "Max", "min": "Min",
          "arccos": "acos", "arcsin": "asin", "arctan": "atan", "arccosh": "acosh", "arcsinh": "asinh",
          "arctanh": "atanh"}  # fmt: skip
"""MathML's names for functions, where they differ from those of a formula in text."""
_PLAIN = {"exp", "sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh", "sech", "csch", "coth", "floor", "factorial"}
_RELATIONS = {"lt": sympy.Lt, "leq": sympy.Le, "gt": sympy.Gt, "geq": sympy.Ge, "eq": sympy.Eq, "neq": sympy.Ne}
_CONSTANTS = {"pi": S.Pi, "exponentiale": S.Exp1, "true": S.true, "false": S.false}
_UNNAMED = 1.0
"""The value of a variable that has none in the model."""


def read_sbml(text: str, source: str) -> list[Entry]:
    """Every formula of a model, with the model's own values as its point.

    Raises MissingExtra without libSBML, OptionError where the text is not an SBML model.
    """
    try:
        import libsbml
    except ImportError:
        raise MissingExtra("reading SBML needs python-libsbml: pip install 'adlab[sbml]'") from None
    document = libsbml.readSBMLFromString(text)
    model = document.getModel()
    if model is None:
        raise OptionError(f"{source} is not an SBML model: {_first(document)}")
    if any(document.getError(k).getErrorId() in _NO_NUMBER for k in range(document.getNumErrors())):
        raise OptionError(f"{source}: {_first(document)}")
    functions = {each.getId(): each for each in model.getListOfFunctionDefinitions()}
    values = dict(_values(model))
    return [_entry(name, kind, math, functions, values | local, source) for name, kind, math, local in _formulas(model)]


_NO_NUMBER = (99220, 99221)  # FailedMathMLReadOfDouble, FailedMathMLReadOfInteger
"""Errors after which libSBML gives 0, or the largest number that it knows."""


def _first(document: Any) -> str:
    """The first sentence of libSBML's first error."""
    said = " ".join(str(document.getError(0).getMessage()).split())
    return f"line {document.getError(0).getLine()}: {said.partition('. ')[0].rstrip('.')[:200]}"


def _values(model: Any) -> Iterator[tuple[str, float]]:
    for each in model.getListOfCompartments():
        yield each.getId(), each.getSize() if each.isSetSize() else _UNNAMED
    for each in model.getListOfParameters():
        yield each.getId(), each.getValue() if each.isSetValue() else _UNNAMED
    for each in model.getListOfSpecies():
        known = each.isSetInitialConcentration(), each.isSetInitialAmount()
        yield each.getId(), each.getInitialConcentration() if known[0] else each.getInitialAmount() if known[1] else _UNNAMED
    yield "time", 0.0


def _formulas(model: Any) -> Iterator[tuple[str, str, Any, dict[str, float]]]:
    """(name, kind, MathML, values of its own parameters) of each formula of the model."""
    for reaction in model.getListOfReactions():
        law = reaction.getKineticLaw()
        if law is not None and law.getMath() is not None:
            own = [*law.getListOfParameters(), *law.getListOfLocalParameters()]
            yield reaction.getId(), "kinetic law", law.getMath(), {each.getId(): each.getValue() for each in own}
    for rule in model.getListOfRules():
        if rule.getMath() is not None:
            yield rule.getVariable(), "rate rule" if rule.isRate() else "assignment rule", rule.getMath(), {}
    for start in model.getListOfInitialAssignments():
        if start.getMath() is not None:
            yield start.getSymbol(), "initial assignment", start.getMath(), {}


def _entry(name: str, kind: str, math: Any, functions: Mapping[str, Any], values: Mapping[str, float], source: str) -> Entry:
    try:
        formula = _read(math, functions, {}, 0)
    except (AdlabError, RefusalError) as reason:
        return Entry(f"{name}, {kind}", None, source=source, reason=str(reason).splitlines()[0])
    names = tuple(sorted(symbol.name for symbol in symbols_of([formula])))
    point = {word: float(values.get(word, _UNNAMED)) for word in names}
    ranges = {word: tuple(sorted((value / 2, value * 2))) for word, value in point.items() if value}
    return Entry(f"{name}, {kind}", formula, names, point, ranges, source)  # type: ignore[arg-type]  # pairs


DEEPEST = 400
"""Limit for operations inside operations, and for function definitions that call others. Written models have a dozen."""


def _read(node: Any, functions: Mapping[str, Any], scope: Mapping[str, Any], depth: int) -> Any:
    """The SymPy expression of a node of libSBML's tree. `scope` has the operands of the function definition around it."""
    if depth > DEEPEST:
        raise UnsupportedExpression(f"more than {DEEPEST} operations inside operations, or a function that calls itself")
    operands = [_read(node.getChild(i), functions, scope, depth + 1) for i in range(node.getNumChildren())]
    if node.isNumber():
        return _number(node)
    name = node.getName()
    if node.isUserFunction() or name in functions:
        return _called(name, operands, functions, depth)
    if node.isName() and not operands:
        if not str(name).strip():
            raise UnsupportedExpression("a variable of this formula has no name")
        return scope.get(name, _CONSTANTS.get(name) if node.isConstant() else None) or sympy.Symbol(name, real=True)
    return _applied(_spelling(node), operands)


_LARGEST = 2**31 - 1
"""libSBML gives this number for a larger one, too."""


def _number(node: Any) -> Any:
    if node.isInteger():
        if abs(node.getInteger()) >= _LARGEST:
            raise UnsupportedExpression(f"a whole number is larger than {_LARGEST - 1}, the largest that libSBML reads")
        return Integer(node.getInteger())
    if node.isRational():
        if not node.getDenominator():
            raise UnsupportedExpression("a fraction divides by 0")
        return sympy.Rational(node.getNumerator(), node.getDenominator())
    value = node.getReal()
    if not abs(value) < sys.float_info.max:
        raise UnsupportedExpression(f"the constant {value} is not a number that binary64 has")
    return Integer(int(value)) if value.is_integer() and abs(value) < 2**53 else Decimal(repr(value))


def _called(name: str, operands: list[Any], functions: Mapping[str, Any], depth: int) -> Any:
    """A function definition with its operands put in."""
    if name not in functions:
        raise UnsupportedExpression(f"`{name}` is called, and the model does not define it")
    definition = functions[name]
    names = [definition.getArgument(i).getName() for i in range(definition.getNumArguments())]
    if len(names) != len(operands):
        raise UnsupportedExpression(f"`{name}` takes {len(names)} operands, not {len(operands)}")
    return _read(definition.getBody(), functions, dict(zip(names, operands, strict=True)), depth + 1)


_SIGNS = {"+": "plus", "-": "minus", "*": "times", "/": "divide", "^": "power"}


def _spelling(node: Any) -> str:
    """The MathML name of an operation."""
    if node.isOperator():
        return _SIGNS.get(node.getCharacter(), node.getOperatorName() or "")
    return str(node.getName() or node.getOperatorName() or "")


def _applied(name: str, operands: list[Any]) -> Any:
    match name, len(operands):
        case "plus", _:
            return total("+" * len(operands), operands) if operands else S.Zero
        case "times", _:
            return product("*" * len(operands), operands) if operands else S.One
        case "minus", 1:
            return negative(operands[0])
        case "minus", 2:
            return total("+-", operands)
        case "divide", 2:
            return product("*/", operands)
        case ("power" | "pow"), 2:
            return power(*operands)
        case "root", 2:  # the degree stands first
            return FUNCTIONS["root"].build(operands[1], operands[0])
        case ("root" | "sqrt"), 1:
            return FUNCTIONS["sqrt"].build(operands[0])
        case "log", 2:  # the base stands first
            return FUNCTIONS["log"].build(operands[1], operands[0])
        case "log", 1:
            return FUNCTIONS["log10"].build(operands[0])
        case "piecewise", n if n:
            return _piecewise(operands)
        case ("and" | "or"), n if n > 1:
            truths(name, operands)
            return reduce(lambda a, b: applied({"and": sympy.And, "or": sympy.Or}[name], a, b), operands)
        case "not", 1:
            truths(name, operands)
            return applied(sympy.Not, operands[0])
        case relation, n if relation in _RELATIONS and n > 1:
            numbers(name, operands)
            pairs = [applied(_RELATIONS[relation], a, b) for a, b in itertools.pairwise(operands)]
            return reduce(lambda a, b: applied(sympy.And, a, b), pairs)
    known = _NAMES.get(name, name)
    if (name in _NAMES or name in _PLAIN) and FUNCTIONS[known].least <= len(operands) <= FUNCTIONS[known].most:
        numbers(name, operands)
        return FUNCTIONS[known].build(*operands)
    if not name:
        raise UnsupportedExpression("an operation of this formula has no name that adlab knows in SBML")
    raise UnsupportedExpression(f"`{name}` of {len(operands)} operands is not a function that adlab knows in SBML")


def _piecewise(operands: list[Any]) -> Any:
    """value, condition, value, condition, …, and perhaps a value for the other cases."""
    from sympy.functions.elementary.piecewise import ExprCondPair

    numbers("piecewise", operands[::2])
    truths("piecewise", operands[1::2] or [S.true])
    pairs = [applied(ExprCondPair, value, condition) for value, condition in zip(operands[::2], operands[1::2], strict=False)]
    if len(operands) % 2:
        pairs.append(applied(ExprCondPair, operands[-1], S.true))
    return applied(sympy.Piecewise, *pairs)
