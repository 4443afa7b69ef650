"""The truth about second derivatives: the Hessian to 30 digits, certified where it can be. See `adlab.truth.second`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adlab.display import Report, Table
from adlab.errors import MethodError
from adlab.function import Function
from adlab.report.sources import source_of
from adlab.text.traversal import listing
from adlab.truth.judge import Component, Status, weakest
from adlab.truth.meanings import decimal, mp_text
from adlab.truth.second import second_derivatives


@dataclass(frozen=True)
class HessianTruth(Report):
    """All second partials of a function at a point. `rows[i][j]` is ∂²f/∂xᵢ∂xⱼ. In `hessian` None stands where there is none."""

    variables: tuple[str, ...]
    point: tuple[float, ...]
    digits: int
    source: str
    rows: tuple[tuple[Component, ...], ...]
    title: str = ""

    def component(self, i: int, j: int) -> Component:
        """One second partial."""
        return self.rows[i][j]

    @property
    def hessian(self) -> list[list[Any]]:
        """The second partials: an mpf each."""
        return [[component.value for component in row] for row in self.rows]

    @property
    def radius(self) -> list[list[Any]]:
        """A bound on the error of each: proved where the status is "certified", else estimated."""
        return [[component.radius for component in row] for row in self.rows]

    @property
    def status(self) -> Status:
        """The weakest status of any second partial."""
        return weakest(component for row in self.rows for component in row)

    @property
    def reason(self) -> str:
        """Why the first unavailable second partial is unavailable; empty if all are available."""
        for i, row in enumerate(self.rows):
            for j, component in enumerate(row):
                if component.status == "unavailable":
                    return f"∂²f/∂{self.variables[i]}∂{self.variables[j]}: {component.note}"
        return ""

    def line(self) -> str:
        """The status in one line."""
        if self.status == "unavailable":
            return f"truth  unavailable for {self.reason}"
        return f"truth  {self.status}, {self.digits} digits, {self.source}"

    def sections(self) -> list[Table | str]:
        """A row for each second partial; mixed ones once."""
        place = ", ".join(f"{name} = {x!r}" for name, x in zip(self.variables, self.point, strict=True))
        cells = [
            [f"∂²f/∂{self.variables[i]}∂{self.variables[j]}", _cell(c.value, self.digits), _cell(c.radius, 2), c.status, c.note]
            for i, row in enumerate(self.rows) for j, c in enumerate(row) if j >= i
        ]  # fmt: skip
        head = ["partial", "value", "radius", "status", "note"]
        kept = len(head) if any(row[-1] for row in cells) else len(head) - 1
        table = Table("second derivatives", head[:kept], [row[:kept] for row in cells])
        return [f"truth at {place}, {self.digits} digits, {self.source}", table]

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The Hessian as coloured squares with its numbers in them; `options` go to `Axes.imshow`. Returns the Axes."""
        from adlab.plots.pieces import squares

        place = listing([f"{name} = {x:.6g}" for name, x in zip(self.variables, self.point, strict=True)], 6)
        numbers = [[None if value is None else float(value) for value in row] for row in self.hessian]
        title = f"Hessian of {self.title} at {place}"
        return squares(numbers, self.variables, self.variables, title, False, ax, options)

    def to_dict(self) -> dict[str, Any]:
        """`status, digits, source, variables, point, hessian, radius, reason`. Numbers are decimal texts."""
        return {
            "status": self.status, "digits": self.digits, "source": self.source, "variables": list(self.variables),
            "point": list(self.point), "hessian": _written(self.hessian, self.digits),
            "radius": _written(self.radius, self.digits), "reason": self.reason,
        }  # fmt: skip


def _cell(number: Any, digits: int) -> str:
    return "–" if number is None else mp_text(number, digits)


def _written(rows: Sequence[Sequence[Any]], digits: int) -> list[list[str | None]]:
    return [[None if number is None else decimal(number, digits) for number in row] for row in rows]


def hessian_truth(f: Function, point: Sequence[float], digits: int = 30) -> HessianTruth:
    """The second partials of a function with one output. Raises MethodError for several outputs."""
    if f.m != 1:
        raise MethodError(f"a Hessian needs one output, and this function has m = {f.m}")
    found = second_derivatives(f.plan(), point, digits)
    source = source_of([component for row in found for component in row], f.independent)
    return HessianTruth(tuple(f.names), tuple(point), digits, source, tuple(map(tuple, found)), f.title)
