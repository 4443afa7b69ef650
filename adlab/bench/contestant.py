"""What a contestant of `adlab bench` is: how it gets a problem, computes a gradient, and is called in its fastest way.

Every class says what it starts from: the SymPy expression, or the formula in its own language, term by term or in arrays. It
has three methods. `first()` goes from the formula to the first gradient. `point()` and `batch(points)` return what is timed in
the steady state, as the library's manual recommends; compiled, if it compiles. Outputs are gradients without values (the
Jacobian where m > 1), row-major.
"""

from __future__ import annotations

import importlib
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from adlab.bench.problems import Problem
from adlab.function import Function

FloatArray = npt.NDArray[np.float64]
Call = Callable[[], Any]


class Contestant(ABC):
    """One way to a gradient. `module` is imported before the clock starts."""

    name: ClassVar[str]
    module: ClassVar[str]
    given: ClassVar[str] = "terms"

    def __init__(self, problem: Problem, f: Function) -> None:
        self.problem, self.f = problem, f
        assert f.point is not None
        self.at: list[float] = list(f.point)
        self.lib: Any = importlib.import_module(self.module)

    @classmethod
    def installed(cls) -> bool:
        return importlib.util.find_spec(cls.module) is not None

    @classmethod
    def start(cls, problem: Problem) -> str:
        """What it starts from on this problem."""
        return "terms" if cls.given == "arrays" and not problem.in_arrays else cls.given

    def forget(self) -> None:  # noqa: B027
        """Makes the library forget this formula, so that it can be given again as if for the first time."""

    @abstractmethod
    def first(self) -> Any:
        """From the formula to the gradient at the point."""

    @abstractmethod
    def point(self) -> Call:
        """A gradient at one point, called again and again."""

    @abstractmethod
    def batch(self, points: FloatArray) -> Call:
        """Gradients at all points, shape (N, n)."""
