"""Every error that a user can meet.

Each message says what is wrong, where, and what to try, in one sentence; the attributes carry the same
facts for programs. All are `ValueError`s too, so callers who know nothing of adlab can catch them.

>>> import adlab
>>> issubclass(adlab.ParseError, adlab.AdlabError) and issubclass(adlab.AdlabError, ValueError)
True
"""

from __future__ import annotations

from typing import Any


class AdlabError(ValueError):
    """Anything adlab refuses to do, with the reason in a sentence."""


class ParseError(AdlabError):
    """A text that is not a formula: `text`, `column` (1-based) and `reason` say where and why."""

    def __init__(self, text: str, column: int, reason: str) -> None:
        self.text, self.column, self.reason = text, column, reason
        start = max(0, column - 31)
        excerpt = "".join(c if c.isprintable() else " " for c in text[start : column + 29])
        pointer = " " * (column - 1 - start) + "^"
        super().__init__(f"column {column}: {reason}\n  {excerpt}\n  {pointer}")

    def __reduce__(self) -> tuple[type[ParseError], tuple[str, int, str]]:
        return type(self), (self.text, self.column, self.reason)


class VariableError(AdlabError):
    """Variables that do not fit the formula: left out, doubled, or of clashing assumptions."""


class PointError(AdlabError):
    """A point that does not fit the function: wrong length, unknown names, or not finite numbers."""


class UnsupportedExpression(AdlabError):
    """An expression that holds something for which there is no primitive."""


class DomainError(AdlabError):
    """A point at which f, or its derivative, does not exist.

    `operation` is the step in words (``log(v5)``), `operand` the value met there, `condition` what it
    would have to satisfy.
    """

    def __init__(self, message: str, *, operation: str = "", operand: object = None, condition: str = "") -> None:
        self.operation, self.operand, self.condition = operation, operand, condition
        super().__init__(message)


class OverflowedError(AdlabError):
    """A point at which binary64 overflows on the way, so that a result would not be a number."""


class MethodError(AdlabError):
    """A method that is unknown, or that cannot serve this formula, with the reason."""


class MissingExtra(AdlabError):
    """An optional dependency that is not installed; the message names the extra to install."""


class PeerError(AdlabError):
    """Another library that raised, or crashed, on the way; the message has its own words."""


class GaveUp(AdlabError):
    """Work stopped at its bound on size or time; `reached` is what was known by then, if anything."""

    def __init__(self, message: str, *, reached: Any = None) -> None:
        self.reached = reached
        super().__init__(message)


class TracingError(AdlabError):
    """Python code that cannot be traced; the message has the line, the reason, and what to write instead."""


class GraphError(AdlabError):
    """A graph that is not well formed (see `Graph.check`)."""


class StencilError(AdlabError):
    """Offsets or weights that do not make a difference quotient (see `Stencil`)."""


class OptionError(AdlabError):
    """An argument that is none of the possible ones; the message lists those."""


# A condition at the command line that is not the formula's fault, e.g. a file that cannot be written.
class OutputError(AdlabError):
    """A file or picture that cannot be written."""


class ReadingWarning(UserWarning):
    """A text that is read by a rule, where its writer may have meant something else. The message says what to write then."""
