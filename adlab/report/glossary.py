"""The words that a learner lacks, with their meanings: for `adlab glossary` and for the documentation."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from adlab.display import Report, Table
from adlab.errors import OptionError

WORDS: dict[str, str] = {
    "primal": "The value of a node, v. An evaluation of f computes the primals one after the other.",
    "tangent": "The derivative of a node along a direction, v̇ = dv/dt where the inputs move as x + t·ẋ. Forward mode "
               "computes it beside the primal.",
    "adjoint": "The derivative of the output by a node, v̄ = ∂y/∂v: how much y changes when this node alone is changed a "
               "little. Reverse mode computes it from the output back. Also called the cotangent.",
    "JVP": "Jacobian-vector product, J·ẋ: the derivative along one direction. One forward sweep computes it, whatever "
           "the number of inputs.",
    "VJP": "Vector-Jacobian product, ȳᵀ·J: the derivative of a weighted sum of the outputs by every input. One reverse sweep "
           "computes it, whatever the number of inputs; for one output it is the gradient.",
    "Wengert list": "A formula as a list of simple steps, v1 = x1 + x2, v2 = v1², …, each using only what stands above it. "
                    "Also called a tape, a trace, or single static assignment.",
    "computational graph": "The Wengert list drawn: a node for each step, an arrow from each operand to what uses it. A part "
                           "that is used twice is one node with two arrows.",
    "primitive": "An operation whose derivative is known from a table: +, ×, sin, log. Every formula is made of primitives.",
    "local partial": "The derivative of one step by one of its operands: cos v3 for v4 = sin v3. The chain rule multiplies "
                     "local partials along a path and adds up the paths.",
    "seed": "What a sweep starts with: ẋ, the direction, for forward mode; ȳ = 1 for reverse mode.",
    "sweep": "One pass through the list. Forward mode goes with the values; reverse mode goes back from the output.",
    "forward mode": "Automatic differentiation along with the values: tangents from the inputs to the output. One sweep for "
                    "each input.",
    "reverse mode": "Automatic differentiation from the output back: adjoints of every node, so the whole gradient in one "
                    "sweep. Backpropagation is reverse mode.",
    "expression swell": "The growth of a symbolic derivative: the product rule copies each factor, so that the formula may "
                        "double with each level though few of its parts are new.",
    "cse": "Common subexpression elimination: parts of a formula that occur several times are computed once and given a name.",
    "stencil": "The points at which a difference formula takes f, and their weights: (f(x + h) − f(x − h))/2h has two.",
    "truncation error": "What a difference formula would be wrong by without rounding, because h is not 0. It shrinks with h, "
                        "as hᵖ for a formula of order p.",
    "roundoff error": "What the rounding of values of f makes of a difference: about u·|f|/h. It grows as h shrinks, so there "
                      "is a best h.",
    "complex step": "Im f(x + ih)/h: a derivative with no subtraction, so no roundoff to trade for. f must be analytic.",
    "binary64": "Numbers as processors have them, of 53 binary digits: about 16 decimal ones, up to 1.8·10³⁰⁸.",
    "ulp": "Unit in the last place: the gap between a binary64 number and the next one. An error of half an ulp is the least "
           "that rounding can leave.",
    "condition number": "How many times larger the relative error of a result is than that of its input. At 10⁶, rounding "
                        "the input alone costs 6 digits, by whatever method.",
    "cancellation": "The loss of digits where two nearly equal numbers are subtracted: what they have in common goes, and their "
                    "errors stay.",
    "kink": "A point where f has no derivative though it has a value, as |x| at 0: the slopes from left and right differ.",
    "Jacobian": "The matrix of all first partials, a row for each output, a column for each input. For one output it is the "
                "gradient.",
    "Hessian": "The matrix of all second partials of one output. It is symmetric.",
}  # fmt: skip
"""Each word, and what it means in a sentence or two."""


@dataclass(frozen=True)
class Glossary(Report):
    """Words and their meanings."""

    words: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """`rows`: `word, meaning`."""
        return {"rows": [{"word": word, "meaning": meaning} for word, meaning in self.words.items()]}

    def sections(self) -> list[Table | str]:
        """One word as a sentence, several words as a table."""
        if len(self.words) == 1:
            return [f"{word}: {meaning}" for word, meaning in self.words.items()]
        return [Table("", ["word", "meaning"], [[word, meaning] for word, meaning in self.words.items()])]


def glossary(word: str | None = None) -> Glossary:
    """Every word, or one of them; its beginning is enough. Raises OptionError, with the nearest word, for any other.

    >>> print(glossary("seed"))
    seed: What a sweep starts with: ẋ, the direction, for forward mode; ȳ = 1 for reverse mode.
    """
    if word is None:
        return Glossary(dict(WORDS))
    asked = " ".join(word.lower().split())
    found = [known for known in WORDS if known.lower() == asked] or [known for known in WORDS if known.lower().startswith(asked)]
    if not found or not asked:
        near = difflib.get_close_matches(asked, [known.lower() for known in WORDS], n=1, cutoff=0.5)
        hint = f"did you mean `{near[0]}`?" if near else f"it has {', '.join(WORDS)}"
        raise OptionError(f"the glossary has no `{word}`; {hint}")
    return Glossary({known: WORDS[known] for known in found})
