"""Contestants for Hessians, and for Jacobians that are mostly zero. Where a library has the sparse form, it leaves the zeros out.

`first()` returns the whole matrix, row-major. What is timed afterwards computes what the library computes at best.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from adlab.bench.contestant import Call, Contestant, FloatArray
from adlab.bench.from_formulas import Casadi, CasadiC, Ddx, Heyoka, Jax
from adlab.bench.from_sympy import Adlab, AdlabNumpy, Sympy
from adlab.function import Function


class AdlabHessian(Adlab):
    """Machine code; a sparse matrix leaves its zeros out."""

    matrix: ClassVar[str] = "hessian"

    def first(self) -> Any:
        return Function(self.f.outputs, self.f.variables).hessian(self.at).ravel()

    @cached_property
    def _program(self) -> Any:
        return self.f.compile(self.backend, self.matrix, sparse=self.problem.sparse)

    def batch(self, points: FloatArray) -> Call:
        step: Call = self._program.bind(points, np.empty((len(points), self._entries)))
        return step

    @property
    def _entries(self) -> int:
        return len(self._program.rows) if self.problem.sparse else self.f.n**2


class AdlabNumpyHessian(AdlabHessian, AdlabNumpy):
    """adlab without the extra."""

    name, module, backend = "adlab-numpy", "numpy", "numpy"

    def point(self) -> Call:
        return AdlabNumpy.point(self)

    def batch(self, points: FloatArray) -> Call:
        return AdlabNumpy.batch(self, points)


class SympyHessian(Sympy):
    """sympy.hessian, cse over all entries, lambdify."""

    def _lambdified(self, modules: str) -> Any:
        x = list(self.f.variables)
        return self.lib.lambdify([x], list(self.lib.hessian(self.f.outputs[0], x)), modules, cse=True)


class CasadiHessian(Casadi):
    """CasADi's Hessian of an SX graph: coloured, and without its zeros where the problem is sparse."""

    def first(self) -> Any:
        self.gradient = self._function()
        return np.array(self.gradient(self.at).full()).ravel()

    def _function(self) -> Any:
        ca = self.lib
        x = ca.SX.sym("x", self.f.n)
        found, _ = ca.hessian(self.problem.scalars(ca.vertsplit(x), ca)[0], x)
        self.entries = found.nnz() if self.problem.sparse else self.f.n**2
        return ca.Function("g", [x], [found if self.problem.sparse else ca.densify(found)])


class CasadiCHessian(CasadiHessian, CasadiC):
    """The same as C code."""

    name = "casadi+c"

    def first(self) -> Any:
        self.gradient = self._compiled(self._function())
        return np.array(self.gradient(self.at).full()).ravel()


class DdxHessian(Ddx):
    """ddx-ad: coloured, compiled; the call computes value and gradient, too."""

    def first(self) -> Any:
        Ddx.first(self)
        return np.asarray(self.gradient.hessian(self.at)[-1]).ravel()

    def point(self) -> Call:
        call: Call = self.gradient.compile().buffer(np.array(self.at), want=self.lib.Want.HESSIAN)
        return call

    def batch(self, points: FloatArray) -> Call:
        columns = np.ascontiguousarray(points.T)
        call: Call = self.gradient.compile(points=len(points)).buffer(columns, want=self.lib.Want.HESSIAN)
        return call


class HeyokaHessian(Heyoka):
    """heyoka's tensors of order 2, compiled."""

    order = 2


class JaxHessian(Jax):
    """jit(hessian), forward over reverse; a batch by vmap."""

    def derived(self, f: Any) -> Any:
        return self.lib.hessian(f)


class AdlabJacobian(AdlabHessian):
    """Machine code for the entries that are not always 0."""

    matrix = "jacobian"

    def first(self) -> Any:
        return Adlab.first(self)


class AdlabNumpyJacobian(AdlabJacobian, AdlabNumpyHessian):
    """adlab without the extra."""

    name, module, backend = "adlab-numpy", "numpy", "numpy"


class CasadiJacobian(CasadiHessian):
    """CasADi's Jacobian of an SX graph: coloured, and without its zeros."""

    def _function(self) -> Any:
        ca = self.lib
        x = ca.SX.sym("x", self.f.n)
        found = ca.jacobian(ca.vertcat(*self.problem.scalars(ca.vertsplit(x), ca)), x)
        self.entries = found.nnz()
        return ca.Function("g", [x], [found])


class CasadiCJacobian(CasadiJacobian, CasadiCHessian):
    """The same as C code."""

    name = "casadi+c"


SPARSE_JACOBIANS: dict[str, type[Contestant]] = {
    contestant.name: contestant for contestant in (AdlabJacobian, AdlabNumpyJacobian, CasadiJacobian, CasadiCJacobian)
}
"""Who leaves the zeros out; the others compute every entry."""

HESSIANS: dict[str, type[Contestant]] = {
    contestant.name: contestant
    for contestant in (AdlabHessian, AdlabNumpyHessian, SympyHessian, CasadiHessian, CasadiCHessian, DdxHessian, HeyokaHessian,
                       JaxHessian)
}  # fmt: skip
