"""What there is to choose from, a line about each: the methods of differentiation, the functions of the gallery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adlab import gallery
from adlab.display import Report, Table
from adlab.methods import METHODS, Method
from adlab.peers.catalogue import PEERS


@dataclass(frozen=True)
class MethodList(Report):
    """The methods, in the order of every table."""

    methods: tuple[Method, ...]

    def to_dict(self) -> dict[str, Any]:
        """`rows`: `method, family, needs, installed, about`."""
        return {"rows": [{"method": m.name, "family": m.family, "needs": m.needs, "installed": _installed(m), "about": m.about}
                         for m in self.methods]}  # fmt: skip

    def sections(self) -> list[Table | str]:
        """adlab's own methods, then those of other libraries."""
        tables = {"adlab's own methods": [m for m in self.methods if m.family != "peer"]}
        for title, there in (("other libraries, installed", True), ("other libraries, not installed", False)):
            tables[title] = [m for m in self.methods if m.family == "peer" and _installed(m) == there]
        use = "f.gradient(x, method=NAME) and adlab compare --methods NAME,NAME take these names; `all` is every installed one."
        return [*(Table(title, ["method", "what it does"], [[m.name, m.about] for m in methods])
                  for title, methods in tables.items() if methods), use]  # fmt: skip


def _installed(method: Method) -> bool:
    return method.family != "peer" or PEERS[method.name].installed


def method_listing() -> MethodList:
    """The list of methods as a report. `adlab.methods()` has the same list as a dictionary."""
    return MethodList(tuple(METHODS.values()))


@dataclass(frozen=True)
class GalleryList(Report):
    """The named functions, each with its numbers of variables, outputs and operations."""

    functions: tuple[gallery.GalleryRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """`rows`: `name, n, m, operations, about`."""
        return {"rows": [row._asdict() for row in self.functions]}

    def sections(self) -> list[Table | str]:
        """A line for each function."""
        head = ["name", "n", "m", "operations", "about"]
        rows = [[f"@{row.name}", str(row.n), str(row.m), str(row.operations), row.about] for row in self.functions]
        use = "n variables, m outputs. The numbers after a colon are sizes, which may be chosen: @rosenbrock:20."
        return [Table("", head, rows, frozenset(head[1:4])), use]


def gallery_listing() -> GalleryList:
    """The functions of the gallery as a report."""
    return GalleryList(tuple(gallery.listing()))
