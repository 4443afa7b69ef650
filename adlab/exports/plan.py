"""What all exported files share: what is computed, the names of its arguments and parts, and a point to check it at."""

from __future__ import annotations

import itertools
import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from adlab.compile.derivatives import names_of, planned
from adlab.compile.factor import shortened
from adlab.compile.program import compile_graph
from adlab.compile.sparse import CompilePlan
from adlab.errors import AdlabError, OptionError
from adlab.exports.lines import SHARED
from adlab.inputs import coerce_one

C_WORDS = frozenset([
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
    "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
    "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "main",
])  # fmt: skip
C_FUNCTIONS = [
    *SHARED, "pow", "erf", "erfc", "tgamma", "lgamma", "fmin", "fmax", "fma", "fdim", "frexp", "ldexp", "modf", "scalbn",
    "scalbln", "logb", "ilogb", "nearbyint", "rint", "lrint", "llrint", "round", "lround", "llround", "trunc", "remainder",
    "remquo", "nan", "nextafter", "nexttoward",
]  # fmt: skip
C_NAMES = frozenset([
    *(name + kind for name in C_FUNCTIONS for kind in ("", "f", "l")), "j0", "j1", "jn", "y0", "y1", "yn", "gamma", "abs", "drem",
    "significand", "isnan", "isinf", "isfinite", "isnormal", "fpclassify", "signbit", "isgreater", "isgreaterequal", "isless",
    "islessequal", "islessgreater", "isunordered", "finite", "scalb", "exp10", "pow10", "sincos", "printf", "puts", "exit",
])  # fmt: skip
"""What C's headers declare, in all precisions, and what compilers hold to be built in."""
WRITTEN = frozenset([
    "x", "v", "out", "odd", "lost", "before", "status", "worst", "expected", "ulp", "size", "k", "inf", "nan", "math", "np",
    "jax", "torch", "casadi", "float", "abs", "len", "INFINITY", "NAN", "DBL_MAX", "DBL_MIN", "HUGE_VAL", "NULL", "EOF", "FILE",
])  # fmt: skip
"""Names that the written code uses itself, in any language. Those of single numbers are in `NUMBERED`."""
NUMBERED = re.compile(r"[btvx]\d+|(DBL|FLT|LDBL|FP|M|MATH|ADLAB|HUGE)_\w+")
TRIED = (0.5, 1.0, 1.25, 2.0, -0.5, 0.1, 3.0)
"""Numbers for a point to check at, if the function has no point of its own."""


@dataclass(frozen=True)
class Task:
    """The program to write: its plan, its name, its arguments (`x`, perhaps a vector `v`), and its results in words."""

    plan: CompilePlan
    name: str
    about: str
    inputs: Sequence[str]

    @property
    def point(self) -> Sequence[str]:
        """The names of the inputs that make up the point `x`."""
        return self.inputs[: self.plan.widths[0]]

    @property
    def vector(self) -> int:
        """The length of the vector `v` that the derivative is applied to; 0 without one."""
        return sum(self.plan.widths[1:])

    @property
    def width(self) -> int:
        """How many numbers the program returns."""
        return len(self.plan.graph.outputs)

    def argument(self, x: str = "x[{0}]", v: str = "v[{0}]") -> list[str]:
        """The name of each input: those of the point, then those of the vector."""
        return [*map(x.format, range(len(self.point))), *map(v.format, range(self.vector))]

    def parts(self) -> str:
        """The shapes of the results in words: `value, then gradient (2)`."""
        shown = [f"({', '.join(map(str, shape))})" if shape else "a number" for shape in self.plan.shapes]
        return ", then ".join(shown)

    def values_at(self, x: Sequence[float]) -> list[float]:
        """The program's results, by adlab's own compiled program in plain Python."""
        program = compile_graph(
            self.plan.graph, self.plan.shapes, "python", behind=self.plan.behind, widths=self.plan.widths
        )
        return list(program.call(*x))


def task(
    f: Any,
    derivative: str | None,
    name: str | None,
    wrt: Sequence[Any] | None,
    constants: Mapping[Any, float] | None,
    sparse: bool = False,
) -> Task:
    """The task of writing `f.compile(derivative=…, wrt=…, constants=…)` down. Raises as `planned` does."""
    if name is not None and identifier(name, "") != name:
        said = "use letters, digits and _, and no name of the language or of its library"
        raise OptionError(f"name={name!r} cannot name a function; {said}")
    plan = planned(f, derivative, wrt, constants, sparse)
    plan = replace(plan, graph=shortened(plan.graph))
    about = f.title if derivative is None else f"{derivative} of {f.title}"
    if wrt is not None:
        about += f", by {', '.join(names_of(wrt))}"
    if constants:
        about += f", with {', '.join(f'{key} = {value!r}' for key, value in constants.items())}"
    return Task(plan, name or identifier(f.name, "f"), about, list(plan.graph.inputs))


def identifier(name: str, otherwise: str) -> str:
    """A name that Python and C accept and that hides nothing in a written file, made from a given one."""
    word = re.sub(r"[^0-9A-Za-z_]+", "_", name.split(" (")[0]).strip("_")
    fits = word.isidentifier() and word.isascii() and not keyword.iskeyword(word) and not NUMBERED.fullmatch(word)
    fits = fits and word not in C_WORDS | C_NAMES | WRITTEN
    return word if fits else otherwise


def check_point(work: Task, f: Any, at: Any) -> list[float]:
    """A point at which all numbers are finite: `at`, the function's own, or one that is found.

    The vector of a jvp, vjp or hvp is all ones. The result is empty where no point was found. Raises PointError for a wrong `at`.
    """
    point, vector = len(work.point), [1.0] * work.vector
    if at is not None:
        return [*coerce_one(at, work.point).tolist(), *vector]
    own = [list(f.point)] if f.point is not None and len(f.point) == point else []
    tried = [[value + 0.125 * (i % 5) for i in range(point)] for value in TRIED]
    for candidate in itertools.chain(own, tried):
        try:
            found = work.values_at([*candidate, *vector])
        except AdlabError:
            continue
        if np.isfinite(found).all():
            return [*candidate, *vector]
    return []
