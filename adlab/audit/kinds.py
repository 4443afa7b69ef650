"""Kinds of floats in which rules are tested: binary64, and shorter ones that some systems have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from adlab.errors import OptionError
from adlab.inputs import FloatArray


@dataclass(frozen=True)
class FloatKind:
    """A kind of floats. Only true derivatives between `small` and `large` are asked for: beyond, it has few digits, or none."""

    name: str
    bits: int
    small: float
    large: float
    lacking: Mapping[str, str] = field(default_factory=dict)
    """The systems that do not compute in this kind, each with the reason."""

    @property
    def digits(self) -> float:
        """The digits that it has: 16 in binary64, as everywhere in adlab."""
        return 16.0 if self.bits == 53 else self.bits * math.log10(2)

    @property
    def half(self) -> float:
        """A derivative with fewer correct digits has lost more than half of them."""
        return round(self.bits * math.log10(2) / 2, 1)

    @property
    def ulp(self) -> float:
        """One unit in the last place, in those of binary64."""
        return 2.0 ** (53 - self.bits)

    def rounded(self, points: FloatArray) -> FloatArray:
        """The points as this kind has them, each once; without those that it has only as 0 or infinity."""
        if self.name == "float64":
            return points
        short = np.float32(points[(np.abs(points) > self.small) & (np.abs(points) < self.large)])
        if self.name == "bfloat16":  # the upper half of a float32, rounded to even
            bits = short.view(np.uint32)
            short = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).view(np.float32)
        return np.unique(short.astype(float))


_BINARY64 = "it computes in binary64 alone"
_NUMPY = "NumPy has no bfloat16"
KINDS = {kind.name: kind for kind in (
    FloatKind("float64", 53, 1e-290, 1e290),
    FloatKind("float32", 24, 1e-30, 1e30, {"casadi": _BINARY64}),
    FloatKind("bfloat16", 8, 1e-30, 1e30, {"casadi": _BINARY64, "symbolic": _NUMPY, "autograd": _NUMPY,
                                           "symengine": "its compiled programs have no bfloat16"}),
)}  # fmt: skip


def kind_of(name: str) -> FloatKind:
    """The kind of this name. Raises OptionError for another."""
    if name not in KINDS:
        raise OptionError(f"dtype={name!r}: rules are audited in {', '.join(KINDS)}")
    return KINDS[name]
