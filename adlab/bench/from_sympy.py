"""Contestants that start from the SymPy expression: adlab, and what SymPy's users do."""

from __future__ import annotations

import importlib
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from adlab.bench.contestant import Call, Contestant, FloatArray
from adlab.function import Function


class Adlab(Contestant):
    """Machine code where llvmlite is installed; single points by bound buffers."""

    name, module, given = "adlab", "llvmlite", "SymPy"
    backend: ClassVar[str] = "llvm"

    def first(self) -> Any:
        fresh = Function(self.f.outputs, self.f.variables)
        return fresh.jacobian(self.at).ravel()

    @cached_property
    def _program(self) -> Any:
        return self.f.compile(self.backend, "jacobian")

    def point(self) -> Call:
        return self.batch(np.array([self.at]))

    def batch(self, points: FloatArray) -> Call:
        step: Call = self._program.bind(points, np.empty((len(points), self.f.m * self.f.n)))
        return step


class AdlabNumpy(Adlab):
    """adlab without the extra: straight-line Python for a point, NumPy for a batch."""

    name, module, backend = "adlab-numpy", "numpy", "numpy"

    def point(self) -> Call:
        call, at = self._program.call, self.at
        return lambda: call(*at)

    def batch(self, points: FloatArray) -> Call:
        program = self._program
        return lambda: program(points)


class Sympy(Contestant):
    """sympy.diff, cse over all partials, lambdify: what SymPy users do."""

    name, module, given = "sympy", "sympy", "SymPy"

    def forget(self) -> None:
        importlib.import_module("sympy.core.cache").clear_cache()

    def _lambdified(self, modules: str) -> Any:
        x = list(self.f.variables)
        partials = [self.lib.diff(output, v) for output in self.f.outputs for v in x]
        return self.lib.lambdify([x], partials, modules, cse=True)

    def first(self) -> Any:
        self.gradient = self._lambdified("math")
        return self.gradient(self.at)

    def point(self) -> Call:
        return lambda: self.gradient(self.at)

    def batch(self, points: FloatArray) -> Call:
        gradient, columns = self._lambdified("numpy"), list(points.T.copy())
        return lambda: gradient(columns)


class ForwardJacobian(Sympy):
    """SymPy's `_forward_jacobian`: cse first, then forward mode over its steps, then lambdify."""

    name = "sympy-forward"

    def _lambdified(self, modules: str) -> Any:
        x = self.lib.Matrix(self.f.variables)
        forward = importlib.import_module("sympy.simplify._cse_diff")._forward_jacobian
        partials = list(forward(self.lib.Matrix(self.f.outputs), x))
        return self.lib.lambdify([list(x)], partials, modules, cse=True)


class Numba(Sympy):
    """SymPy's derivative compiled by numba; a batch is a compiled loop."""

    name, module = "numba", "numba"

    def first(self) -> Any:
        import sympy

        jit, self.lib = self.lib.njit, sympy
        x = list(self.f.variables)
        partials = [sympy.diff(output, v) for output in self.f.outputs for v in x]
        inner = jit(sympy.lambdify([x], partials, "math", cse=True))
        count = len(partials)

        def over(points: Any, out: Any) -> None:
            for i in range(len(points)):
                row = inner(points[i])
                for k in range(count):
                    out[i, k] = row[k]

        self.over = jit(over)
        x1, out = np.array([self.at]), np.empty((1, count))
        self.over(x1, out)
        return out.ravel()

    def point(self) -> Call:
        return self.batch(np.array([self.at]))

    def batch(self, points: FloatArray) -> Call:
        out = np.empty((len(points), self.f.m * self.f.n))
        return lambda: self.over(points, out)
