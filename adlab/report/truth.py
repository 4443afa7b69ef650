"""The truth that judges every method: value and gradient to 30 digits, or what is wrong where there is none.

`judge` finds it from the expression itself. This file is the report of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

from adlab import precision
from adlab.display import Report, Table
from adlab.errors import OptionError
from adlab.inputs import takes_at
from adlab.precision import PATIENCE
from adlab.report.hessian_truth import HessianTruth, hessian_truth
from adlab.report.sources import source_of as source_of
from adlab.text.traversal import listing
from adlab.tracing.places import as_traced, at_point
from adlab.truth.judge import Component, OutputTruth, Status, certifying, gradient_truth as gradient_truth, weakest
from adlab.truth.meanings import decimal, mp_text

UNCERTIFIED = "estimated, not proved: pip install 'adlab[certify]' proves the radius wherever that can be done"


@dataclass(frozen=True)
class Truth(Report):
    """Value and gradient of a function at a point, good to `digits` digits where `status` is not "unavailable".

    Each property is one number or row for m = 1, and has a row for each output otherwise. None stands where there is no number.
    """

    variables: tuple[str, ...]
    point: tuple[float, ...]
    digits: int
    source: str
    outputs: tuple[OutputTruth, ...]
    title: str = ""
    """The function, for the title of a picture."""

    def component(self, output: int, variable: int) -> Component:
        """One partial."""
        return self.outputs[output].partials[variable]

    def _shaped(self, rows: list[Any]) -> Any:
        return rows[0] if len(rows) == 1 else rows

    @property
    def value(self) -> Any:
        """f(x), as an mpf."""
        return self._shaped([output.value for output in self.outputs])

    @property
    def gradient(self) -> Any:
        """The partials, an mpf each."""
        return self._shaped([[partial.value for partial in output.partials] for output in self.outputs])

    @property
    def radius(self) -> Any:
        """A bound on the error of each partial: proved where the status is "certified", else estimated."""
        return self._shaped([[partial.radius for partial in output.partials] for output in self.outputs])

    @property
    def one_sided(self) -> Any:
        """(left, right) for each partial that is unavailable. Either is None where there is no real value."""
        return self._shaped([
            [(p.left, p.right) if p.status == "unavailable" else None for p in output.partials]
            for output in self.outputs
        ])  # fmt: skip

    @property
    def components(self) -> list[Component]:
        """All partials, by output and variable."""
        return [partial for output in self.outputs for partial in output.partials]

    @property
    def status(self) -> Status:
        """The weakest status of any partial."""
        return weakest(self.components)

    @property
    def reason(self) -> str:
        """Why the first unavailable partial is unavailable; empty if all are available."""
        missing = next((partial for partial in self.components if partial.status == "unavailable"), None)
        if missing is None:
            return ""
        whole = all(partial.note == missing.note for partial in self.components)
        return missing.note if whole else f"in {missing.variable}, {missing.note}"

    def line(self, sure: bool = True) -> str:
        """The gradient, or why there is none, on one line; with `sure`, also how it is known and how far."""
        if self.status == "unavailable":
            return f"truth  unavailable: {self.reason}"
        written = [mp_text(partial.value, min(self.digits, 20)) for partial in self.components[:4]]
        more = ", …" if len(self.components) > 4 else ""
        known = f"  {self.status}, {self.digits} digits, {self._proved()}{self.source}" if sure else ""
        return f"truth  ({', '.join(written)}{more}){known}"

    def _proved(self) -> str:
        """The largest radius, if all are proved."""
        radii = [partial.radius for partial in self.components]
        return f"radius {mp_text(max(radii), 2)}, " if radii and self.status == "certified" else ""

    def sections(self) -> list[Table | str]:
        """The values, then a row for each partial."""
        place = ", ".join(f"{name} = {x!r}" for name, x in zip(self.variables, self.point, strict=True))
        values = "\n".join(f"value  {_cell(output.value, self.digits)}" for output in self.outputs)
        rows = [
            [*([str(p.output)] if len(self.outputs) > 1 else []), p.variable, _cell(p.value, self.digits),
             _cell(p.radius, 2), p.status, _cell(p.left, 10), _cell(p.right, 10), p.note]
            for p in self.components
        ]  # fmt: skip
        head = ["variable", "derivative", "radius", "status", "left", "right", "note"]
        head = ["output", *head] if len(self.outputs) > 1 else head
        used = [i for i in range(len(head)) if any(row[i] not in ("–", "") for row in rows)]
        table = Table("truth", [head[i] for i in used], [[row[i] for i in used] for row in rows])
        hint = [] if certifying() or self.status == "certified" else [UNCERTIFIED]
        return [f"truth at {place}, {self.digits} digits, {self.source}\n{values}", table, *hint]

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Each partial as a point on a line; where it does not exist, the span between the one-sided derivatives. `options` go
        to `Axes.plot`. Returns the Axes."""
        from adlab.plots.known import Span, spans

        rows = [Span(f"∂f{p.output if len(self.outputs) > 1 else ''}/∂{p.variable}", *_ends(p)) for p in self.components]
        title = f"{self.title} at {_place(self.variables, self.point)}: partials, {self.status}"
        return spans(rows, ax, title, "derivative", options)

    def to_dict(self) -> dict[str, Any]:
        """`status, digits, source, variables, point, value, gradient, radius, one_sided, reason, rows`.

        Numbers are decimal texts, which hold all digits.
        """
        return {
            "status": self.status, "digits": self.digits, "source": self.source,
            "variables": list(self.variables), "point": list(self.point),
            "value": self._written(self.value), "gradient": self._written(self.gradient),
            "radius": self._written(self.radius), "one_sided": self._written(self.one_sided), "reason": self.reason,
            "rows": [
                {"output": p.output, "variable": p.variable, "status": p.status, "note": p.note,
                 **{name: self._written(getattr(p, name)) for name in ("value", "radius", "left", "right")}}
                for p in self.components
            ],
        }  # fmt: skip

    def _written(self, item: Any) -> Any:
        if isinstance(item, (list, tuple)):
            return [self._written(part) for part in item]
        return None if item is None else decimal(item, self.digits)


def _ends(partial: Component) -> tuple[float | None, float | None, str]:
    """Where a partial lies, for a picture, and what is written there."""
    if partial.value is not None:
        return float(partial.value), float(partial.value), mp_text(partial.value, 6)
    if partial.left is None or partial.right is None:
        return None, None, partial.status
    low, high = sorted((float(partial.left), float(partial.right)))
    return low, high, "one-sided"


def _place(names: Sequence[str], point: Sequence[float]) -> str:
    return listing([f"{name} = {x:.6g}" for name, x in zip(names, point, strict=True)], 6)


def _cell(number: Any, digits: int = 10) -> str:
    return "–" if number is None else mp_text(number, digits)


@overload
def truth(f: Any, x: Any = None, digits: int = 30, patience: float = PATIENCE, order: Literal[1] = 1) -> Truth: ...
@overload
def truth(f: Any, x: Any = None, digits: int = 30, patience: float = PATIENCE, *, order: Literal[2]) -> HessianTruth: ...
@takes_at
def truth(
    f: Any, x: Any = None, digits: int = 30, patience: float = PATIENCE, order: int = 1
) -> Truth | HessianTruth:
    """The gradient of a Function, an expression or a text at x to `digits` digits, to judge everything else by.

    With `order=2` it is the Hessian of a function with one output: see `HessianTruth`.

    With python-flint (`pip install 'adlab[certify]'`) each partial is certified, with a proved radius, wherever that can be
    done. Points are taken as exact binary64. What takes longer than `patience` seconds is unavailable, and says so. Where there
    is no derivative, the status says so and the notes say why. Raises PointError and OptionError for a bad point or number of
    digits.

    >>> found = truth("abs(x)", 0.0)
    >>> found.status, found.one_sided
    ('unavailable', [(mpf('-1.0'), mpf('1.0'))])
    >>> truth("x**2*y", [1.0, 3.0], order=2).hessian
    [[mpf('6.0'), mpf('2.0')], [mpf('2.0'), mpf('0.0')]]
    """
    f, place = at_point(f, x)
    point = place.tolist()
    if order not in (1, 2):
        raise OptionError(f"`order` is {order!r}; it must be 1, for the gradient, or 2, for the Hessian")
    with precision.patience(patience):
        if order == 2:
            return hessian_truth(f, point, digits)
        traced = as_traced(f)
        outputs = gradient_truth(f.outputs, f.variables, point, digits) if traced is None else traced.judged(point, digits)
    source = source_of([partial for found in outputs for partial in found.partials], f.independent)
    return Truth(tuple(f.names), tuple(point), digits, source, tuple(outputs), f.title)
