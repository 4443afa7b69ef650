"""Every error that a user can meet.

Each message says in one sentence what is wrong, where, and what to try. The attributes give programs the same facts. All
errors are `ValueError`s too, so code that knows nothing of adlab can catch them.

>>> import adlab
>>> issubclass(adlab.ParseError, adlab.AdlabError) and issubclass(adlab.AdlabError, ValueError)
True
"""

from __future__ import annotations

from typing import Any


class AdlabError(ValueError):
    """Anything adlab refuses to do, with the reason in a sentence."""


class ParseError(AdlabError):
    """A text that is not a formula. `text`, `column` (counted from 1) and `reason` say where and why."""

    def __init__(self, text: str, column: int, reason: str) -> None:
        self.text, self.column, self.reason = text, column, reason
        start = max(0, column - 31)
        excerpt = "".join(c if c.isprintable() else " " for c in text[start : column + 29])
        pointer = " " * (column - 1 - start) + "^"
        super().__init__(f"column {column}: {reason}\n  {excerpt}\n  {pointer}")

    def __reduce__(self) -> tuple[type[ParseError], tuple[str, int, str]]:
        return type(self), (self.text, self.column, self.reason)


class VariableError(AdlabError):
    """Variables that do not fit the formula: some are left out, listed twice, or have clashing assumptions."""


class PointError(AdlabError):
    """A point that does not fit the function: a wrong length, unknown names, or numbers that are not finite."""


class UnsupportedExpression(AdlabError):
    """An expression with a part for which there is no primitive."""


class DomainError(AdlabError):
    """A point at which f, or its derivative, does not exist.

    `operation` is the step in words (``log(v5)``). `operand` is the value that it met. `condition` is what that value would
    have to satisfy.
    """

    def __init__(self, message: str, *, operation: str = "", operand: object = None, condition: str = "") -> None:
        self.operation, self.operand, self.condition = operation, operand, condition
        super().__init__(message)


class OverflowedError(AdlabError):
    """A point at which a number on the way leaves the range of binary64, so that the result would not be a number."""


class MethodError(AdlabError):
    """A method that is unknown, or that cannot serve this formula. The message gives the reason."""


class InaccurateError(MethodError):
    """A point at which a method's answer keeps too few digits. The message gives the reason."""


class MissingExtra(AdlabError):
    """An optional dependency that is not installed. The message names the extra to install."""


class PeerError(AdlabError):
    """Another library raised an error or crashed. The message quotes it."""


class GaveUp(AdlabError):
    """Work that stopped at its limit of size or time. `reached` is what was known by then, if anything."""

    def __init__(self, message: str, *, reached: Any = None) -> None:
        self.reached = reached
        super().__init__(message)


class TracingError(AdlabError):
    """Python code that cannot be traced. The message gives the line, the reason, and what to write instead."""


class GraphError(AdlabError):
    """A graph that is not well formed (see `Graph.check`)."""


class StencilError(AdlabError):
    """Offsets or weights that do not make a difference quotient (see `Stencil`)."""


class OptionError(AdlabError):
    """An argument that is not one of the possible ones. The message lists those."""


# For faults that are not the formula's, such as a file that cannot be written.
class OutputError(AdlabError):
    """A file or picture that cannot be written."""


class ReadingWarning(UserWarning):
    """A text that is read by a rule, where its writer may have meant something else. The message says what to write then."""
