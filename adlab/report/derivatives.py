"""f, f', f'' … at a point, with what is known of each one's error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adlab.display import Report, Table
from adlab.errors import OptionError
from adlab.inputs import takes_at
from adlab.report.truth import UNCERTIFIED, source_of
from adlab.text.traversal import listing
from adlab.tracing.places import at_point
from adlab.truth.higher import higher_derivatives
from adlab.truth.judge import Component, Status, certifying, weakest
from adlab.truth.meanings import decimal, mp_text

MOST_ORDERS = 30
"""The highest order. More than that is a slip: the work grows fast with the order."""


@dataclass(frozen=True)
class Derivatives(Report):
    """An output and its derivatives by one variable at a point. `components` starts with order 0, the value."""

    variables: tuple[str, ...]
    point: tuple[float, ...]
    variable: str
    digits: int
    source: str
    components: tuple[Component, ...]
    title: str = ""

    @property
    def values(self) -> list[Any]:
        """f, f', f'' …: an mpf each, None where there is none."""
        return [component.value for component in self.components]

    @property
    def radius(self) -> list[Any]:
        """A bound on the error of each: proved where the status is "certified", else estimated."""
        return [component.radius for component in self.components]

    @property
    def status(self) -> Status:
        """The weakest status of any order."""
        return weakest(self.components)

    def sections(self) -> list[Table | str]:
        """A row for each order."""
        place = ", ".join(f"{name} = {x!r}" for name, x in zip(self.variables, self.point, strict=True))
        rows = [
            [str(order), *("–" if number is None else mp_text(number, digits)
                           for number, digits in ((c.value, self.digits), (c.radius, 2))), c.status, c.note]
            for order, c in enumerate(self.components)
        ]  # fmt: skip
        head = ["order", "derivative", "radius", "status", "note"]
        kept = len(head) if any(row[-1] for row in rows) else len(head) - 1
        table = Table(f"derivatives by {self.variable}", head[:kept], [row[:kept] for row in rows])
        hint = [] if certifying() or self.status == "certified" else [UNCERTIFIED]
        return [f"derivatives at {place}, {self.digits} digits, {self.source}", table, *hint]

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The size of each derivative by its order, and divided by k!; `options` go to `Axes.plot`. Returns the Axes."""
        from adlab.plots.known import by_order

        place = listing([f"{name} = {x:.6g}" for name, x in zip(self.variables, self.point, strict=True)], 6)
        numbers = [None if value is None else float(value) for value in self.values]
        return by_order(numbers, ax, f"{self.title} at {place}", self.variable, options)

    def to_dict(self) -> dict[str, Any]:
        """`status, digits, source, variables, point, variable, rows` (order, value, radius, status, note).

        Numbers are decimal texts, which hold all digits.
        """
        return {
            "status": self.status, "digits": self.digits, "source": self.source, "variables": list(self.variables),
            "point": list(self.point), "variable": self.variable,
            "rows": [
                {"order": order, "status": c.status, "note": c.note,
                 **{name: None if number is None else decimal(number, self.digits)
                    for name, number in (("value", c.value), ("radius", c.radius))}}
                for order, c in enumerate(self.components)
            ],
        }  # fmt: skip


@takes_at
def derivatives(
    f: Any, x: Any = None, variable: str | None = None, order: int = 4, digits: int = 30, output: int = 0
) -> Derivatives:
    """f, f', … up to `order`, by one variable at x, each to `digits` digits.

    `variable` may be left out where there is only one. `output` counts from 0. Points are taken as exact binary64. Where a
    derivative does not exist, its status says so and its note says why. Raises PointError for a bad point and OptionError for a
    bad variable, order, output or number of digits.

    >>> [int(value) for value in derivatives("x**3", 2.0).values]
    [8, 12, 12, 6, 0]
    """
    f, place = at_point(f, x)
    point = place.tolist()
    by = f.names[0] if variable is None and f.n == 1 else variable
    if by is None or by not in f.names:
        wanted = f"no variable `{by}`" if by is not None else "say by which `variable`"
        raise OptionError(f"{wanted}; there are {', '.join(f.names)}")
    for name, number, most in (("order", order, MOST_ORDERS), ("output", output, f.m - 1)):
        if not 0 <= number <= most:
            raise OptionError(f"`{name}` is {number}; it must be from 0 to {most}")
    made = f.plan([output])
    found = higher_derivatives(made, point, f.names.index(by), order, digits)
    source = source_of(found, f.independent)
    return Derivatives(tuple(f.names), tuple(point), by, digits, source, tuple(found), f.title)
