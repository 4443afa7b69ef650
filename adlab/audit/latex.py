"""LaTeX of simple formulas, read by a parser of its own into adlab's text. Nothing is evaluated, and no macro is expanded."""

from __future__ import annotations

import re

from adlab.errors import UnsupportedExpression

_TOKEN = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<word>\\[A-Za-z]+\*?|\\[^A-Za-z\s])|(?P<sign>\S))")
_SPACE = re.compile(r"(?<!\\)\\[,;:! ]|\\(?:q?quad|displaystyle|limits|big|Big|bigg|Bigg)(?![A-Za-z])|~|&(?==)")
_COMMENT = re.compile(r"(?<!\\)%.*")
_ENDS = re.compile(r"^(\$\$?|\\\[|\\\()|[.,;]?\s*(\$\$?|\\\]|\\\)|\\\\)?[.,;]?$")
_FRAME = re.compile(r"|\\(begin|end)\{(equation|align|gather|displaymath|document)\*?\}|\\documentclass.*|\\usepackage.*"
                    r"|\\\[|\\\]|\$\$")  # fmt: skip
_POWER_OF_TEN = re.compile(r"(?<![A-Za-z\\\d.])(\d+(?:\.\d*)?)[eE]([+-]?\d+)")
_DIFFERENTIAL = re.compile(r"d(\*\*\w+)?\*[A-Za-z]")  # d y, or d² y
_GREEK_NAMES = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau upsilon phi "
    "varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar"
)
_GREEK = frozenset(_GREEK_NAMES.split())
_SAME = "sin cos tan sec csc cot sinh cosh tanh coth exp max min log erf erfc sech asin acos atan asinh acosh atanh sign sinc"
_FUNCTIONS = {
    **{name: name for name in _SAME.split()},
    "ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh",
    "arccot": "acot", "csch": "csch",
    "arcsec": "asec", "arccsc": "acsc", "atan2": "atan2", "sgn": "sign", "Gamma": "gamma", "sqrt": "sqrt",
}  # fmt: skip
_INVERSES = {"sin": "asin", "cos": "acos", "tan": "atan", "sinh": "asinh", "cosh": "acosh", "tanh": "atanh"}
_EULER = "exp(1)"  # the letter E is a variable in LaTeX, and a constant in adlab's text
_TIMES, _OVER = frozenset(["*", r"\cdot", r"\times", r"\ast"]), frozenset(["/", r"\div"])
_CLOSING = {"(": ")", "[": "]", "{": "}", r"\{": r"\}", "|": "|", r"\lvert": r"\rvert", r"\lfloor": r"\rfloor",
            r"\lceil": r"\rceil", r"\vert": r"\vert"}  # fmt: skip
_AROUND = {"|": "Abs", r"\lvert": "Abs", r"\vert": "Abs", r"\lfloor": "floor", r"\lceil": "ceiling"}
_NAMING = frozenset([r"\operatorname", r"\mathrm", r"\text", r"\mathit", r"\mathbf", r"\mathsf", r"\mathop"])
_RELATIONS = {"<": "<", ">": ">", r"\lt": "<", r"\gt": ">", r"\le": "<=", r"\leq": "<=", r"\ge": ">=", r"\geq": ">=",
              r"\leqslant": "<=", r"\geqslant": ">=", "=": "=="}  # fmt: skip


def read_latex(source: str) -> str:
    r"""A formula in LaTeX as a formula in adlab's text, with its operations in the same order.

    Of an equation the right-hand side is read. A letter is a variable, `e` is Euler's number, letters that touch are
    multiplied. `\sin 2x y` is the sine of the whole product up to the next sign, bracket or function. Raises
    UnsupportedExpression for what it does not know, such as an integral, and for brackets that do not match.

    >>> read_latex(r"y = \frac{\sin^2 x}{1 + e^{-x_1}}")
    '((sin(x)**2)/(1 + exp(-x_1)))'
    """
    if found := _POWER_OF_TEN.search(source):
        raise UnsupportedExpression(f"`{found.group()}` may be a power of ten or Euler's number: write {found.group(1)} \\cdot "
                                    f"10^{{{found.group(2)}}}, or {found.group(1)} e")  # fmt: skip
    plain = " ".join(_COMMENT.sub("", source).split())
    try:
        return _Reader(_SPACE.sub(" ", _ENDS.sub("", plain))).whole()
    except RecursionError:
        raise UnsupportedExpression("the LaTeX has too many parts in each other") from None


def formula_lines(text: str) -> list[str]:
    """The text with empty lines for those of a document that hold no formula, such as `\\begin{equation}`.

    >>> formula_lines("\\\\begin{align}\\n  y &= x^2 \\\\\\\\\\n\\\\end{align}")
    ['', '  y &= x^2 \\\\\\\\', '']
    """
    return ["" if _FRAME.fullmatch(_COMMENT.sub("", line).strip()) else line for line in text.splitlines()]


class _Reader:
    """A recursive descent over tokens. Each method reads one kind of part and returns its text."""

    def __init__(self, text: str) -> None:
        self.tokens = [found.group().strip() for found in _TOKEN.finditer(text)]
        self.tokens = [token for token in self.tokens if token not in (r"\left", r"\right", "")]
        head = self.tokens[: self.tokens.index(r"\begin")] if r"\begin" in self.tokens else self.tokens
        if "=" in head:
            self.tokens = self.tokens[len(head) - head[::-1].index("=") :]
        self.place, self.depth = 0, 0

    @property
    def next(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.next
        if not token or (expected and token != expected):
            wanted = f"`{expected}`" if expected else "more"
            ends, other = f"the LaTeX ends where {wanted} should follow", f"the LaTeX has `{token}` where {wanted} should stand"
            raise UnsupportedExpression(other if token else ends)
        self.place += 1
        return token

    def whole(self) -> str:
        found = self.sum()
        if self.next:
            raise UnsupportedExpression(f"`{self.next}` is not LaTeX that adlab reads; it reads simple formulas")
        return found

    def sum(self) -> str:
        self.depth += 1
        if self.depth > 100:
            raise UnsupportedExpression("the LaTeX has more than 100 brackets in each other")
        sign = self.take() if self.next in ("+", "-") else ""
        found = ("-" if sign == "-" else "") + self.product()
        while self.next in ("+", "-"):
            found += f" {self.take()} {self.product()}"
        self.depth -= 1
        return found

    def product(self) -> str:
        found = self.signed()
        while True:
            if self.next in _TIMES | _OVER:
                found += ("*" if self.take() in _TIMES else "/") + self.signed()
            elif self.starts():
                if found[-1].isdigit() and self.tokens[self.place - 1][-1].isdigit() and self.next[0] in ".0123456789":
                    raise UnsupportedExpression(f"two numbers stand side by side, `{self.tokens[self.place - 1]}` and "
                                                f"`{self.next}`: write a sign between them, or one number")  # fmt: skip
                found += "*" + self.power()
            else:
                return found

    def signed(self) -> str:
        """A factor, perhaps with a sign of its own, as in x · -y."""
        return f"({self.take()}{self.power()})" if self.next in ("+", "-") else self.power()

    def starts(self) -> bool:
        """Whether a factor can begin here."""
        token = self.next
        known = token in _CLOSING or token in _NAMING or token in (r"\frac", r"\dfrac", r"\tfrac", r"\pi", r"\begin")
        plain = bool(token) and (token[0].isalnum() or token[0] == ".") and token not in self.stops
        return (plain or known or token[1:] in _GREEK or token[1:] in _FUNCTIONS) and token not in self.stops

    stops: tuple[str, ...] = ()
    """Signs that end the part that is being read: the second bar of |x|."""

    def power(self) -> str:
        base = self.atom()
        while self.next in ("^", "!"):
            if self.take() == "!":
                if self.next == "!":
                    raise UnsupportedExpression("`!!` is a double factorial, which adlab does not read from LaTeX")
                base = f"factorial({base})"
            else:
                if len(self.next) > 1 and self.next.isdigit():
                    raise UnsupportedExpression(f"LaTeX raises only the first digit of `{self.next}`: write ^{{{self.next}}}")
                exponent = self.group()
                if self.next == "^":
                    raise UnsupportedExpression("two exponents stand on each other: write x^{a^b} or (x^a)^b")
                base = f"exp({exponent})" if base == _EULER else f"{base}**{_bracketed(exponent)}"
        return base

    def group(self) -> str:
        """What stands in braces, or one token."""
        if self.next == "{":
            return self.bracketed()
        token = self.next
        return self.take() if token.isdigit() and len(token) == 1 else self.digit() if token.isdigit() else self.atom()

    def digit(self) -> str:
        """The first digit of a number: \\frac12 is a half."""
        number = self.next
        self.tokens[self.place] = number[1:]
        return number[0]

    def bracketed(self) -> str:
        """The content of a pair of brackets."""
        opening = self.take()
        outer, self.stops = self.stops, (_CLOSING[opening],)
        found = self.sum()
        while self.next == ",":
            found += f"{self.take()} {self.sum()}"
        self.stops = outer
        self.take(_CLOSING[opening])
        return found

    def atom(self) -> str:
        token = self.next
        if token in _CLOSING:
            found = self.bracketed()
            return f"{_AROUND[token]}({found})" if token in _AROUND else f"({found})"
        if token in _NAMING:
            return self.named(self.word())
        self.take()
        name = token[1:]
        if token[0].isdigit() or token[0] == ".":
            return token
        if name in ("frac", "dfrac", "tfrac"):
            return self.fraction()
        if name == "pi":
            return "pi"
        if name == "begin":
            return self.cases()
        if name in _FUNCTIONS or name in _GREEK:
            return self.named(name)
        if token.isalpha():
            return _EULER if token == "e" and self.next != "_" else self.named(token)
        raise UnsupportedExpression(f"`{token}` is not LaTeX that adlab reads; it reads simple formulas")

    def fraction(self) -> str:
        above = self.group()
        if above == "d" or r"\partial" in above:
            raise UnsupportedExpression("a derivative is no formula that adlab reads from LaTeX; it reads simple formulas")
        below = self.group()
        if _DIFFERENTIAL.match(above) and _DIFFERENTIAL.match(below):
            raise UnsupportedExpression("a derivative is no formula that adlab reads from LaTeX; it reads simple formulas")
        return f"(({above})/({below}))"

    def word(self) -> str:
        r"""The name in \operatorname{name}."""
        self.take()
        return self.letters().replace("_", "")

    def named(self, name: str) -> str:
        """A function with its argument, or a variable with its subscript."""
        known = name in _FUNCTIONS and (name != "Gamma" or self.next == "(")
        return self.function(name) if known else name + self.subscript()

    def subscript(self) -> str:
        if self.next != "_":
            return ""
        self.take()
        written = self.group() if self.next != "{" else self.letters()
        if not re.fullmatch(r"\w+", written):
            raise UnsupportedExpression(f"the subscript `{written}` is not a name")
        return "_" + written

    def letters(self) -> str:
        """Everything in a pair of braces, as one word."""
        self.take("{")
        found, depth = "", 1
        while depth:
            token = self.take()
            depth += (token == "{") - (token == "}")
            found += "" if token in _NAMING | {"{", "}"} else token.lstrip("\\").replace(",", "_")
        return found

    def function(self, name: str) -> str:
        if name == "sqrt":
            return self.root()
        if name == "atan" and self.next == "_":  # SymPy's \operatorname{atan}_{2}
            name += self.subscript()[1:]
        base = self.group() if name == "log" and self.next == "_" and self.take() else ""
        power = self.group() if self.next == "^" and self.take() else ""
        if power == "-1" and name in _INVERSES:
            name, power = _INVERSES[name], ""
        found = f"{_FUNCTIONS[name]}({self.argument()})"
        found = f"({found}/log({base}))" if base else found
        return f"{found}**{_bracketed(power)}" if power else found

    def root(self) -> str:
        index = self.bracketed() if self.next == "[" else ""
        inside = self.group()
        return f"(({inside})**(1/({index})))" if index else f"sqrt({inside})"

    def argument(self) -> str:
        if self.next in ("(", "[", "{"):
            found = self.bracketed()
            return found[1:-1] if _one_pair(found) else found
        parts = [self.power()]
        while self.starts() and self.next not in _CLOSING and self.next[1:] not in _FUNCTIONS and self.next not in _NAMING:
            parts.append(self.power())
        return "*".join(parts)

    def cases(self) -> str:
        r"""\begin{cases} a & x < 0 \\ b & \text{otherwise} \end{cases}"""
        if (kind := self.letters()) != "cases":
            raise UnsupportedExpression(f"`{kind}` is not an environment that adlab reads in a formula")
        found = []
        while self.next != r"\end":
            value = self.sum()
            self.take("&")
            found.append(f"({value}, {self.condition()})")
            if self.next == r"\\":
                self.take()
        self.take()
        self.letters()
        return f"Piecewise({', '.join(found)})"

    def condition(self) -> str:
        if self.next in _NAMING:
            word = self.word()
            if word in ("otherwise", "else"):
                return "True"
            if word not in ("if", "for", "when"):
                raise UnsupportedExpression(f"`{word}` is not a condition")
        left = self.sum()
        relation = _RELATIONS.get(self.take())
        if relation is None:
            raise UnsupportedExpression("a case needs a condition with one relation, or `otherwise`")
        return f"{left} {relation} {self.sum()}"


def _bracketed(text: str) -> str:
    return text if text.isalnum() or _one_pair(text) else f"({text})"


def _one_pair(text: str) -> bool:
    """Whether one pair of brackets encloses all of it."""
    depth = 0
    for k, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return sign == ")" and text[0] == "(" and k == len(text) - 1
    return False


