"""The named functions that walkthroughs, figures and tests use, each with a point and a sentence about it.

Formulas are as they are written: nothing is evaluated or reordered, and a part that is used twice is one object. `logistic_map`
and `speelpenning` also come with `form="evaluated"`, which is what SymPy makes of the same formula.

>>> from adlab.gallery import logistic_map, named
>>> print(logistic_map(3).graph)
v1 = 1 - x
v2 = 4*x
v3 = v2*v1
v4 = 1 - v3
v5 = 4*v3
v6 = v5*v4
>>> print(named("speelpenning:3").graph)
v1 = x1*x2
v2 = v1*x3
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable
from typing import NamedTuple

from adlab.errors import OptionError
from adlab.function import Function
from adlab.gallery.formulas import (
    baydin,
    chain,
    helmholtz,
    logistic_map,
    rosenbrock,
    speelpenning,
    squire_trapp,
    switched,
    worked_example,
)
from adlab.gallery.models import attention, bundle_adjustment, network, residual_network, robot_arm
from adlab.gallery.straight import straight

__all__ = [
    "GALLERY", "GalleryRow", "attention", "baydin", "bundle_adjustment", "chain", "helmholtz", "listing",
    "logistic_map", "named", "network", "residual_network", "robot_arm", "rosenbrock", "speelpenning", "squire_trapp",
    "straight", "switched", "worked_example",
]  # fmt: skip

GALLERY: dict[str, Callable[..., Function]] = {
    make.__name__.replace("_", "-"): make
    for make in (
        worked_example, baydin, squire_trapp, switched, logistic_map, speelpenning, rosenbrock, helmholtz, chain,
        residual_network, network, attention, bundle_adjustment, robot_arm,
    )
}  # fmt: skip


class GalleryRow(NamedTuple):
    """A line of the list: the name for `named`, the variables, outputs and operations, and a sentence."""

    name: str
    n: int
    m: int
    operations: int
    about: str


def listing() -> list[GalleryRow]:
    """Every function of the gallery, at its default sizes.

    >>> listing()[0][:4], listing()[4].name
    (('worked-example', 2, 1, 6), 'logistic-map:4')
    """
    functions = {_call(name): make() for name, make in GALLERY.items()}
    return [GalleryRow(name, f.n, f.m, len(f.graph.operations), f.about) for name, f in functions.items()]


def named(text: str) -> Function:
    """The function of this name, its sizes after colons: "worked-example", "logistic-map:6", "attention:8:4".

    The beginning of a name is enough where only one name begins so. Raises OptionError, with the nearest name, for an unknown
    name, and for sizes that do not fit.

    >>> named("logistic-map:6").name
    'logistic map (n = 6, written)'
    >>> named("logistics")
    Traceback (most recent call last):
    ...
    adlab.errors.OptionError: the gallery has no `logistics`; the nearest is `logistic-map`
    """
    name, *given = text.split(":")
    begun = [full for full in GALLERY if name and full.startswith(name)]
    name = begun[0] if len(begun) == 1 else name
    if name not in GALLERY:
        near = difflib.get_close_matches(name, GALLERY, n=1, cutoff=0.5)
        hint = f"the nearest is `{near[0]}`" if near else f"it has {', '.join(GALLERY)}"
        raise OptionError(f"the gallery has no `{name}`; {hint}")
    sizes = _sizes(name)
    if len(given) > len(sizes):
        raise OptionError(f"`{name}` takes {_spoken(sizes)}, as in `{_call(name)}`, not {len(given)}: `{text}`")
    for size, value in zip(sizes, given, strict=False):
        if not re.fullmatch("[0-9]{1,9}", value):
            raise OptionError(f"{size} is a whole number of at most 9 digits, as in `{_call(name)}`, not `{value}`")
    return GALLERY[name](*map(int, given))


def _sizes(name: str) -> dict[str, int]:
    """The sizes that a function takes, with their defaults."""
    parameters = inspect.signature(GALLERY[name]).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters if isinstance(parameter.default, int)}


def _spoken(sizes: dict[str, int]) -> str:
    return f"{len(sizes)} size{'s'[: len(sizes) != 1]} ({', '.join(sizes)})" if sizes else "no size"


def _call(name: str) -> str:
    return ":".join([name, *map(str, _sizes(name).values())])
