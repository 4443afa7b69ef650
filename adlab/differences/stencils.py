"""Difference stencils: exact weights, and the order of accuracy that they reach.

A derivative is a limit, which a computer cannot take. It can take a weighted sum of a few values of f near x:

    f⁽ᵈ⁾(x) ≈ (1/hᵈ) Σₖ wₖ f(x + oₖ h)

Taylor's theorem says how good that is. Put f(x + o h) = Σⱼ f⁽ʲ⁾(x) (o h)ʲ / j! into the sum. The coefficient of f⁽ʲ⁾(x) is
Mⱼ hʲ⁻ᵈ / j!, with the *moments* Mⱼ = Σₖ wₖ oₖʲ. So the weights must make M_d = d! and the other low moments zero. The first later
moment that is not zero gives the error. If its number is d + p, the quotient is

    f⁽ᵈ⁾(x) + c f⁽ᵈ⁺ᵖ⁾(x) hᵖ + …,        c = M_{d+p} / (d+p)!,

of *order* p. That is the **truncation error**, which shrinks with h. The other error grows as h shrinks: each value of f is
rounded, by as much as u|f|, and the quotient divides these errors by hᵈ. Σₖ |wₖ| says how much they can add up to. That is the
**roundoff error** (see `step_models`). Every number here is a computed fraction; none is typed in by hand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from adlab.errors import OptionError, StencilError


@dataclass(frozen=True)
class Stencil:
    """Nodes and weights of a difference quotient for the first or second derivative.

    Made by `Stencil.of(offsets)`. The weights on n given nodes are unique, since their n moment conditions are a Vandermonde
    system. So `__post_init__` refuses any other weights with `StencilError`. The order is computed.

    >>> central = Stencil.of([-1, 1])
    >>> [str(w) for w in central.weights], central.order, str(central.truncation), str(central.amplification)
    (['-1/2', '1/2'], 2, '1/6', '1')
    >>> Stencil((Fraction(-1), Fraction(1)), (Fraction(-1), Fraction(1)))
    Traceback (most recent call last):
        ...
    adlab.errors.StencilError: weights (-1, 1) on offsets (-1, 1): moment 1 is 2 and must be 1; try Stencil.of(offsets)
    """

    offsets: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]
    derivative: int = 1

    @classmethod
    def of(cls, offsets: Iterable[int | Fraction], derivative: int = 1) -> Stencil:
        """The stencil of highest order on these nodes. Nodes whose weight is 0 are left out.

        Weights by Fornberg's recurrence (Math. Comp. 51 (1988) 699), exact, from `sympy.calculus.finite_diff`.
        """
        nodes = tuple(_exact(offset) for offset in offsets)
        _check_nodes(nodes, derivative)
        weights = _fornberg(nodes, derivative)
        kept = [(node, weight) for node, weight in zip(nodes, weights, strict=True) if weight]
        return cls(tuple(node for node, _ in kept), tuple(weight for _, weight in kept), derivative)

    def __post_init__(self) -> None:
        _check_nodes(self.offsets, self.derivative)
        if len(self.weights) != len(self.offsets):
            raise StencilError(f"{len(self.offsets)} offsets need as many weights, got {len(self.weights)}")
        for j in range(len(self.offsets)):
            due = math.factorial(j) if j == self.derivative else 0
            if self.moment(j) != due:
                raise StencilError(
                    f"weights {_listed(self.weights)} on offsets {_listed(self.offsets)}: "
                    f"moment {j} is {self.moment(j)} and must be {due}; try Stencil.of(offsets)"
                )

    def moment(self, j: int) -> Fraction:
        """Mⱼ = Σₖ wₖ oₖʲ, exactly."""
        return sum((w * o**j for w, o in zip(self.weights, self.offsets, strict=True)), Fraction(0))

    @cached_property
    def order(self) -> int:
        """p: the quotient's error falls as hᵖ. The first moment after number d that is not zero is number d + p."""
        p = 1
        while self.moment(self.derivative + p) == 0:
            p += 1
        return p

    @cached_property
    def truncation(self) -> Fraction:
        """c, with its sign: the quotient is f⁽ᵈ⁾ + c f⁽ᵈ⁺ᵖ⁾ hᵖ + …"""
        return self.moment(self.derivative + self.order) / math.factorial(self.derivative + self.order)

    @cached_property
    def amplification(self) -> Fraction:
        """Σₖ |wₖ|: if each value is wrong by ε, the quotient may be wrong by Σ|w| ε / hᵈ."""
        return sum((abs(weight) for weight in self.weights), Fraction(0))

    @cached_property
    def two_sided(self) -> bool:
        """Whether there are nodes on both sides of x."""
        return min(self.offsets) < 0 < max(self.offsets)

    @cached_property
    def wider(self) -> Stencil:
        """The same nodes and one more on each side that has any. It is of higher order, so it judges this stencil's error."""
        lowest, highest = min(self.offsets), max(self.offsets)
        beyond = ([lowest - 1] if lowest < 0 else []) + ([highest + 1] if highest > 0 else [])
        return Stencil.of(sorted({*self.offsets, *beyond}), self.derivative)

    def one_sided(self, side: int) -> Stencil:
        """The stencil of the same order with all nodes at x or on one side of it: +1 is right, −1 left."""
        return Stencil.of([side * k for k in range(self.order + self.derivative)], self.derivative)

    @cached_property
    def name(self) -> str:
        """The stencil's name, made from its nodes: `SCHEMES` names its rows so.

        >>> Stencil.of([0, 1]).name, Stencil.of([-2, -1, 1, 2]).name, Stencil.of([-1, 0, 2]).name
        ('forward-difference', 'central-difference-4', 'difference on -1, 0, 2')
        """
        p, nodes = self.order, set(self.offsets)
        for family, lowest in (("forward-difference", 1), ("backward-difference", 1), ("central-difference", 2)):
            name = family if p == lowest else f"{family}-{p}"
            if name in SCHEMES and nodes == set(scheme(name, self.derivative).offsets):
                return name
        kind = "difference" if self.derivative == 1 else "second difference"
        return f"{kind} on {', '.join(map(str, self.offsets))}"

    @cached_property
    def float_offsets(self) -> npt.NDArray[np.float64]:
        """The offsets, shape (K,), each the nearest binary64."""
        return np.array([float(offset) for offset in self.offsets])

    @cached_property
    def float_weights(self) -> npt.NDArray[np.float64]:
        """The weights, shape (K,), each the nearest binary64."""
        return np.array([float(weight) for weight in self.weights])


# Every named scheme by its nodes for the first derivative. Everything else is computed from them.
SCHEMES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "forward-difference":    (0, 1),
        "forward-difference-2":  (0, 1, 2),
        "forward-difference-3":  (0, 1, 2, 3),
        "forward-difference-4":  (0, 1, 2, 3, 4),
        "backward-difference":   (-1, 0),
        "backward-difference-2": (-2, -1, 0),
        "backward-difference-3": (-3, -2, -1, 0),
        "backward-difference-4": (-4, -3, -2, -1, 0),
        "central-difference":    (-1, 1),
        "central-difference-4":  (-2, -1, 1, 2),
        "central-difference-6":  (-3, -2, -1, 1, 2, 3),
        "central-difference-8":  (-4, -3, -2, -1, 1, 2, 3, 4),
    }
)  # fmt: skip


@cache
def scheme(name: str, derivative: int = 1) -> Stencil:
    """The stencil of that name in `SCHEMES`. Raises `OptionError` for any other name.

    For the second derivative a scheme of the same order has one node more: x itself in a central scheme, the next node outwards
    in a one-sided one.

    >>> for name in ("forward-difference", "central-difference-4"):
    ...     print(name, scheme(name).order, scheme(name).amplification, scheme(name).truncation)
    forward-difference 1 2 1/2
    central-difference-4 4 3/2 -1/30
    >>> [str(weight) for weight in scheme("central-difference", 2).weights]
    ['1', '-2', '1']
    """
    if name not in SCHEMES:
        raise OptionError(f"no difference scheme is called {name!r}; there are {', '.join(SCHEMES)}")
    nodes = SCHEMES[name]
    if derivative == 2:
        further = max(nodes) + 1 if max(nodes) > 0 else min(nodes) - 1
        nodes = (*nodes, further if 0 in nodes else 0)
    return Stencil.of(sorted(nodes), derivative)


def _exact(offset: int | Fraction) -> Fraction:
    if isinstance(offset, bool) or not isinstance(offset, (int, Fraction)):
        raise StencilError(f"an offset must be an integer or a Fraction, got {offset!r}")
    return Fraction(offset)


def _check_nodes(offsets: tuple[Fraction, ...], derivative: int) -> None:
    if derivative not in (1, 2):
        raise StencilError(f"a stencil is for derivative 1 or 2, got {derivative!r}")
    if len(set(offsets)) != len(offsets):
        raise StencilError(f"offsets {_listed(offsets)} name a node twice; leave one out")
    if len(offsets) <= derivative:
        raise StencilError(f"derivative {derivative} needs at least {derivative + 1} nodes, got {len(offsets)}")


def _fornberg(nodes: tuple[Fraction, ...], derivative: int) -> list[Fraction]:
    from sympy import Rational  # slow to import, and needed only when a stencil is made
    from sympy.calculus.finite_diff import finite_diff_weights

    exact = [Rational(node.numerator, node.denominator) for node in nodes]
    return [Fraction(int(w.p), int(w.q)) for w in finite_diff_weights(derivative, exact, 0)[derivative][-1]]


def _listed(numbers: tuple[Fraction, ...]) -> str:
    return f"({', '.join(map(str, numbers))})"
