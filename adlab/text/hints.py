"""What people write who are used to another notation, and what to write here instead.

Each function examines one place of a text. It returns a sentence, or None where nothing is wrong.

>>> mistaken_name("sinx", "2*sinx", 6)
'`sinx` is read as one name: write `sin(x)`, or list `sinx` among the variables'
>>> mistaken_call("log_2")
'write `log(x, 2)` for a logarithm to base 2'
"""

from __future__ import annotations

import re
import unicodedata

from adlab.text.tokens import printable
from adlab.text.vocabulary import FUNCTIONS

_ELEMENTARY = ("sin", "cos", "tan", "exp", "log", "ln", "sqrt", "abs", "sinh", "cosh", "tanh")
_NEVER_VARIABLES = frozenset([*_ELEMENTARY, "asin", "acos", "atan", "arcsin", "arccos", "arctan"])
_RUN_TOGETHER = re.compile(r"(sin|cos|tan|exp|log|ln|sqrt|sinh|cosh|tanh)(\d*(?:[xyzθφ]\d*|_[xyz]))")
_POWER_OF_FUNCTION = re.compile(r"\s*(?:\^|\*\*)\s*(?:(-?)\s*(\w+)|\(\s*(-?)\s*(\w+)\s*\))(?:\s*\(|(\s+[^\W\d]))")
_SUPERSCRIPT = re.compile(r"([⁺⁻]?[⁰¹²³⁴-⁹]+)\s*\(")
_EXPONENT = re.compile(r"\s*(?:\^|\*\*)\s*(?!\s|[0-9.]+(?![\w.(]|\*\*))")
_INVERSES = {name: f"a{name}" for name in ("sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh", "coth")}
_DEFINITION = re.compile(r"\s*[^\W\d]\w*\s*\([\w\s,]*\)\s*:?=(?!=)\s*")
_THOUSANDS = re.compile(r"(?<![\w.])(\d{1,3}(?:,\d{3})+)(?![\w.,])")
_LEIBNIZ = re.compile(r"\s*d\w*\s*/\s*d\w+\b(?!\s*[-+*/^)])")
_DECIMAL_COMMA = re.compile(r"(?<![\w.])(\d+),(\d+)(?![\w.])")
_LOGARITHM = re.compile(r"log_?\{?(\w+?)\}?")

_OTHER_JOBS = {
    **dict.fromkeys(
        ("diff", "derivative", "Derivative", "grad", "gradient", "D"),
        "write the formula alone: adlab differentiates it",
    ),
    **dict.fromkeys(
        ("integrate", "Integral", "limit", "Limit", "solve", "series", "Sum", "sum", "Product", "prod"),
        "a text has operators and functions only; build this with SymPy, evaluate it there, and give adlab the result",
    ),
    **dict.fromkeys(("if", "If", "IF", "iif", "ifelse", "cond"), "write `where(condition, a, b)`"),
    **dict.fromkeys(
        ("mean", "average", "var", "std", "dot", "matmul", "cumsum", "argmax"),
        "a formula is about numbers, one at a time: write it out, or give adlab.from_python the code",
    ),
    **dict.fromkeys(("sqr", "square", "sq"), "write `x^2`"),
    **dict.fromkeys(("round", "rint"), "write `floor(x + 1/2)`"),
    **dict.fromkeys(("int", "trunc", "fix"), "write `floor(x)` for a whole number below x; an integral is built with SymPy"),
    **dict.fromkeys(("step", "unitstep", "u", "H"), "write `Heaviside(x)` for a unit step"),
    **dict.fromkeys(("cdf", "normcdf", "Φ", "Phi", "ncdf"), "write `erfc(-x/sqrt(2))/2` for the normal distribution function"),
    **dict.fromkeys(("cosec", "csec"), "write `csc(x)`"),
    "norm": "write `sqrt(x^2 + y^2)`, or `hypot(x, y)`",
    "rad": "angles are in radians already",
    "deg": "angles are in radians: write `x*180/pi`",
}


def mistaken_name(name: str, text: str, end: int) -> str | None:
    """Why a bare name, which is not a listed variable, is probably not meant as one. `end` is where it ends in the text.

    >>> mistaken_name("sin", "sin^2(x)", 3)
    'a function is called with parentheses: write `sin(x)^2` for its power'
    >>> mistaken_name("cos", "cos^3 x", 3)
    'a function is called with parentheses: write `cos(x)^3` for its power'
    >>> mistaken_name("gamma", "gamma^2*x", 5), mistaken_name("e", "1 - e^2", 5)
    (None, None)
    >>> mistaken_name("e", "e^-x", 1)
    '`e` is read as a variable: write `exp(…)` or `E^…` for the exponential function, or list `e` among the variables'
    """
    power = _power_of_function(name, text, end) if name in FUNCTIONS else None
    if power:
        inverse = _INVERSES.get(name)
        also = f", or `{inverse}(x)` for the inverse function" if power == "-1" and inverse else ""
        power = f"({power})" if power.startswith("-") else power
        return f"a function is called with parentheses: write `{name}(x)^{power}` for its power{also}"
    if name in _NEVER_VARIABLES and not re.compile(r"\s+\w").match(text, end):
        return f"a function is called with parentheses: write `{name}(…)`, or list `{name}` among the variables"
    if name in ("PI", "Pi"):
        return f"write `pi` for 3.14159…, or list `{name}` among the variables"
    if name.lower() in ("inf", "infinity", "nan"):
        return f"every number in a formula is finite; list `{name}` among the variables to make it one"
    if name.startswith("d") and _LEIBNIZ.match(text) and text[:end].strip() == name:
        return "write the formula alone: differentiating it is what adlab does with it"
    if name == "e" and _EXPONENT.match(text, end):
        return (
            "`e` is read as a variable: write `exp(…)` or `E^…` for the exponential function, "
            "or list `e` among the variables"
        )
    if found := _RUN_TOGETHER.fullmatch(name):
        operand = re.sub(r"^(\d+)(?=.)", r"\1*", found[2].lstrip("_"))
        return f"`{name}` is read as one name: write `{found[1]}({operand})`, or list `{name}` among the variables"
    return None


def _power_of_function(name: str, text: str, end: int) -> str | None:
    """The n of sin^n(x), sin^(n)(x), sin^n x or sinⁿ(x), where `sin` ends at `end`."""
    if found := _SUPERSCRIPT.match(text, end):
        return unicodedata.normalize("NFKC", found[1]).replace("−", "-")
    found = _POWER_OF_FUNCTION.match(text, end)
    if found is None or (found[5] and name not in _NEVER_VARIABLES):
        return None
    sign, exponent = (found[1], found[2]) if found[2] else (found[3], found[4])
    return None if exponent in FUNCTIONS else sign + exponent


def mistaken_call(name: str) -> str | None:
    """What to write for a function of another notation; None if nothing is wrong.

    >>> mistaken_call("diff")
    '`diff` is not a function here: write the formula alone: adlab differentiates it'
    """
    if name in _OTHER_JOBS:
        return f"`{name}` is not a function here: {_OTHER_JOBS[name]}"
    if (found := _LOGARITHM.fullmatch(name)) and len(found[1]) <= 3:
        return f"write `log(x, {found[1]})` for a logarithm to base {found[1]}"
    for prefix, instead in (("arc", "a"), ("ar", "a")):
        if name.startswith(prefix) and (inverse := instead + name[len(prefix) :]) in FUNCTIONS:
            return f"write `{inverse}(…)` for `{name}`"
    return None


def mistaken_definition(text: str) -> str | None:
    """The sentence for `f(x) = …`, which defines a function instead of being its formula.

    >>> mistaken_definition("f(x) = x^2")
    'a formula has no `=`: write its right-hand side alone, `x^2`'
    """
    found = _DEFINITION.match(text)
    if found is None:
        return None
    return f"a formula has no `=`: write its right-hand side alone, `{printable(text[found.end() :].strip())}`"


def mistaken_comma(text: str, start: int) -> str | None:
    """The sentence for a comma where a decimal point should be.

    >>> mistaken_comma("3,5*x", 1)
    'a number has a decimal point: write `3.5` for `3,5`'
    """
    for found in _THOUSANDS.finditer(text, max(0, start - 400), start + 400):
        if found.start() <= start < found.end():
            digits = found[0].replace(",", "")
            return f"write `{digits}` for `{found[0]}`: digits stand without separators, and the decimal mark is a point"
    for found in _DECIMAL_COMMA.finditer(text, max(0, start - 400), start + 400):
        if found.end(1) == start:
            return f"a number has a decimal point: write `{found[1]}.{found[2]}` for `{found[0]}`"
    return None
