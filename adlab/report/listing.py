"""Every method of differentiation, with a line about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
        own = [[m.name, m.family, m.about] for m in self.methods if m.family != "peer"]
        others = [[m.name, "yes" if _installed(m) else "no", m.about] for m in self.methods if m.family == "peer"]
        use = "f.gradient(x, method=NAME) and adlab compare --methods NAME,NAME take these names; `all` is every installed one."
        return [
            Table("adlab's own methods", ["method", "family", "what it does"], own),
            Table("other libraries", ["method", "installed", "what it is"], others), use,
        ]  # fmt: skip


def _installed(method: Method) -> bool:
    return method.family != "peer" or PEERS[method.name].installed


def method_listing() -> MethodList:
    """The list of methods as a report. `adlab.methods()` has the same list as a dictionary."""
    return MethodList(tuple(METHODS.values()))
