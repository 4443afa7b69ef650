"""The words of a formula: numbers, names, operators, and what to write instead of anything else.

One regular expression cuts a text into tokens, lazily, so that a long formula needs no list of tokens. A name followed by a
parenthesis is a `call` token, which includes the parenthesis. A superscript such as ² is a `raised` token. Anything that no
rule knows is a `foreign` token, for which `foreign_reason` finds a sentence.

>>> [(token.lastgroup, token.group().strip()) for token in TOKEN.finditer("2.5*sin (x_1) ^ -3")]
... # doctest: +NORMALIZE_WHITESPACE
[('number', '2.5'), ('operator', '*'), ('call', 'sin ('), ('name', 'x_1'), ('operator', ')'), ('operator', '^'),
 ('operator', '-'), ('number', '3')]
"""

from __future__ import annotations

import re
import unicodedata

TOKEN = re.compile(
    r"""
      (?P<number>   (?: [0-9]+ (?:\.[0-9]*)? | \.[0-9]+ ) (?: [eE][+-]?[0-9]+ )? )
    | (?P<raised>   [⁺⁻]?[⁰¹²³⁴-⁹]+ )
    | (?P<name>     [^\W\d](?: (?![⁰¹²³⁴-⁹]) \w )* )  (?P<call> \s*\( )?
    | (?P<operator> \*\* | <= | >= | == | != | /(?!/) | [-+*^<>(),≤≥≠−‐‑‒–—×·⋅∗÷∕] )
    | (?P<foreign>  // | && | \|\| | \S )
    """,
    re.VERBOSE,
)
PLAIN = {
    **dict.fromkeys("−‐‑‒–—", "-"), **dict.fromkeys("×·⋅∗", "*"), **dict.fromkeys("÷∕", "/"), "≤": "<=", "≥": ">=", "≠": "!=",
}  # fmt: skip
"""Operators of print, and the operators as which they are read."""
NAME = re.compile(r"[^\W\d]\w*")
_NUMERIC = "0123456789."  # what a number begins with

# What other notations write, and how to write it here.
_INSTEAD = {
    "=": "a formula has no `=`: write its right-hand side alone, or `==` for a comparison",
    "//": "write `floor(a/b)`, or `a/b` for a quotient",
    "%": "write `Mod(a, b)` for a remainder",
    "!": "write `factorial(x)` for x!",
    "&": "write `And(a, b)`",
    "&&": "write `And(a, b)`",
    "|": "write `Abs(x)` for |x|, or `Or(a, b)`",
    "||": "write `Or(a, b)`",
    "~": "write `Not(a)`",
    "[": "write `x0` for x[0], and round parentheses around a group",
    "]": "write `x0` for x[0], and round parentheses around a group",
    "{": "write round parentheses around a group",
    "}": "write round parentheses around a group",
    "'": "a formula has no quotes and a name no prime: write a name such as `x_prime`",
    '"': "a formula has no quotes: write names and numbers bare",
    **dict.fromkeys("“”‘’`´″′", "a formula has no quotes and a name no prime: write names and numbers bare"),
    ";": "a text is one formula: give several as a list of texts",
    "#": "a formula has no comments",
    "∂": "write the formula alone: differentiating it is what adlab does with it",
    "∫": "adlab differentiates; SymPy can integrate: give adlab what it finds",
    "∑": "write the terms out, or build the sum with SymPy",
    "\\": "write a plain formula, not LaTeX",
    "√": "write `sqrt(x)`",
    "∛": "write `cbrt(x)`",
    "∞": "every number in a formula is finite",
    "°": "angles are in radians: write `30*pi/180` for 30°",
    "$": "write the formula alone, without `$`",
}

# Words of Python that would otherwise read as names side by side.
_WORDS = {
    "and": "write `And(a, b)`",
    "or": "write `Or(a, b)`",
    "not": "write `Not(a)`",
    "if": "write `Piecewise((a, condition), (b, True))`",
    "else": "write `Piecewise((a, condition), (b, True))`",
    "lambda": "write the formula alone, without `lambda`",
    "def": "write the formula alone; `adlab.from_python` takes a Python function",
    "return": "write the formula alone, without `return`",
    "mod": "write `Mod(a, b)` for a remainder",
}


def printable(token: str, limit: int = 40) -> str:
    """A token for a message; a long one is cut off.

    >>> printable("x" * 50, limit=5)
    'xxxx…'
    """
    return token if len(token) <= limit else token[: limit - 1] + "…"


def foreign_reason(text: str, start: int, token: str) -> str:
    """Why the foreign `token` at `text[start:]` cannot be in a formula, and what to write.

    >>> foreign_reason("a % b", 2, "%")
    '`%` is not an operator or a name; write `Mod(a, b)` for a remainder'
    """
    dotted = re.compile(r"\.([^\W\d]\w*)").match(text, start)
    if dotted:
        return f"a name has no dot: write `{printable(dotted[1])}` alone"
    if token == "." and (elementwise := re.compile(r"\.(\*\*|[*/^])").match(text, start)):
        return f"write `{elementwise[1]}` for `{elementwise[0]}`: a formula is about numbers, one at a time"
    if token == "{" and text[:start].endswith("_"):
        return "write a subscript without braces: `x_2` for `x_{2}`"
    if token == "[" and text[:start].rstrip()[-1:].isalpha() and re.compile(r"\[[^\d\]]").match(text, start):
        return "a function is called with round parentheses: write `sin(x)` for Sin[x]"
    if token == "[" and not text[:start].strip():
        return 'a text is one output: give several as a list of texts, such as ["x", "x**2"]'
    character = token if token.isprintable() else f"U+{ord(token):04X}"
    problem = f"`{character}` is not an operator or a name"
    return f"{problem}; {_INSTEAD[token]}" if token in _INSTEAD else problem


def side_by_side_reason(previous: str, token: str) -> str:
    """What to write where `token` follows `previous` without an operator between them.

    >>> side_by_side_reason("2", "x")
    'an operator is missing between `2` and `x`: write `2*x` for a product'
    """
    problem = f"an operator is missing between `{printable(previous)}` and `{printable(token)}`"
    if previous[0] in _NUMERIC and token[0] in _NUMERIC:
        return f"{problem}: a number has one point and no spaces"
    if previous == "0" and re.fullmatch(r"[xXbBoO]\w*", token):
        return f"{problem}: a number is written in decimal digits"
    if previous[0] in _NUMERIC and token[0] == "_":
        return f"{problem}: write the digits without `_`"
    for word in (token, previous):
        if word in _WORDS:
            return f"{problem}: {_WORDS[word]}"
    return f"{problem}: write `{printable(previous)}*{printable(token)}` for a product"


def name_fault(name: str) -> tuple[int, str] | None:
    """Where and why `name` is not a name; None if it is. A name has letters, digits, `_` and subscripts.

    A superscript is not part of a name: x² means a power and not a variable of that name.

    >>> name_fault("x_1"), name_fault("θ₁")
    (None, None)
    >>> name_fault("xy²")
    (2, 'write `^2` for `²`')
    """
    if name.isascii():
        return None
    for offset, character in enumerate(name):
        form = unicodedata.decomposition(character)
        if form.startswith("<fraction>"):
            return offset, f"write `({unicodedata.normalize('NFKC', character).replace('⁄', '/')})` for `{character}`"
        if form.startswith("<super>"):
            return offset, f"write `^{unicodedata.normalize('NFKC', character)}` for `{character}`"
        if not (character.isalpha() or character.isdecimal() or character == "_" or form.startswith("<sub>")):
            return offset, f"`{character}` is neither a letter nor a digit"
    return None
