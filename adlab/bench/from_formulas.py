"""Contestants that get the formula in their own language, term by term or in arrays."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from adlab.bench.contestant import Call, Contestant, FloatArray
from adlab.bench.problems import Problem
from adlab.function import Function


class Symengine(Contestant):
    """symengine's own diff and Lambdify, by LLVM where it was built in."""

    name, module = "symengine", "symengine"

    def first(self) -> Any:
        se = self.lib
        x = [se.Symbol(f"x{i}") for i in range(self.f.n)]
        outputs = self.problem.scalars(x, se)
        partials = [se.diff(output, v) for output in outputs for v in x]
        backend = "llvm" if getattr(se, "have_llvm", False) else "lambda"
        self.gradient = se.Lambdify(x, partials, backend=backend, cse=True)
        return self.gradient(np.array(self.at))

    def point(self) -> Call:
        x, out = np.array(self.at), np.empty(self.f.m * self.f.n)
        return lambda: self.gradient(x, out=out)

    def batch(self, points: FloatArray) -> Call:
        return lambda: self.gradient(points)


class Casadi(Contestant):
    """SX graphs, reverse mode, CasADi's virtual machine through its buffer interface."""

    name, module = "casadi", "casadi"

    def _function(self) -> Any:
        ca = self.lib
        x = ca.SX.sym("x", self.f.n)
        outputs = ca.vertcat(*self.problem.scalars(ca.vertsplit(x), ca))
        self.entries = self.f.m * self.f.n
        return ca.Function("g", [x], [ca.densify(ca.jacobian(outputs, x)).T])

    def first(self) -> Any:
        self.gradient = self._function()
        return np.array(self.gradient(self.at)).ravel(order="F")

    def point(self) -> Call:
        return self._bound(self.gradient, np.array([self.at]))

    def batch(self, points: FloatArray) -> Call:
        return self._bound(self.gradient.map(len(points)), points)

    def _bound(self, function: Any, points: FloatArray) -> Call:
        self.buffer, run = function.buffer()
        self.kept: tuple[Any, Any] = points, np.empty((len(points), self.entries))
        self.buffer.set_arg(0, self.kept[0].data)
        self.buffer.set_res(0, self.kept[1].data)
        run_once: Call = run
        return run_once


class CasadiC(Casadi):
    """CasADi's C code, compiled by `cc -O3 -march=native`."""

    name = "casadi+c"

    @classmethod
    def installed(cls) -> bool:
        return super().installed() and shutil.which("cc") is not None

    def first(self) -> Any:
        self.gradient = self._compiled(self._function())
        return np.array(self.gradient(self.at)).ravel(order="F")

    def _compiled(self, function: Any) -> Any:
        self.folder = tempfile.TemporaryDirectory()
        source = Path(self.folder.name, "g.c")
        generator = self.lib.CodeGenerator("g.c")
        generator.add(function)
        generator.generate(f"{self.folder.name}/")
        library = source.with_suffix(".so")
        subprocess.run(["cc", "-O3", "-march=native", "-shared", "-fPIC", source, "-o", library, "-lm"], check=True)
        return self.lib.external("g", str(library))


class Ddx(Contestant):
    """ddx-ad: a graph, reverse mode, LLVM; calls on bound buffers. Its batches have shape (n, N)."""

    name, module = "ddx", "ddx"

    def first(self) -> Any:
        ddx = self.lib

        def model() -> Any:
            outputs = self.problem.scalars([ddx.var(f"x{i}") for i in range(self.f.n)], ddx)
            return tuple(outputs) if self.f.m > 1 else outputs[0]

        self.gradient = ddx.equation(model)
        return np.asarray(self.gradient.gradient(self.at)).ravel()

    def point(self) -> Call:
        call: Call = self.gradient.compile().buffer(np.array(self.at), want=self.lib.Want.GRADIENT)
        return call

    def batch(self, points: FloatArray) -> Call:
        columns = np.ascontiguousarray(points.T)
        call: Call = self.gradient.compile(points=len(points)).buffer(columns, want=self.lib.Want.GRADIENT)
        return call


class Heyoka(Contestant):
    """heyoka's derivative tensors, compiled by LLVM. Its batches have shape (n, N)."""

    name, module = "heyoka", "heyoka"
    order: ClassVar[int] = 1

    def forget(self) -> None:
        self.lib.llvm_state.clear_memcache()

    def first(self) -> Any:
        hy = self.lib
        hy.llvm_state.set_diskcache_enabled(False)  # otherwise it remembers the problem from another process
        x = hy.make_vars(*(f"x{i}" for i in range(self.f.n)))
        x = x if isinstance(x, list | tuple) else [x]
        tensors = hy.diff_tensors(self.problem.scalars(list(x), hy), list(x), diff_order=self.order)
        self.gradient = hy.cfunc(self._partials(tensors), list(x))
        return self.gradient(np.array(self.at))

    def _partials(self, tensors: Any) -> list[Any]:
        if self.order == 2:
            return [entry for row in tensors.hessian(0) for entry in row]
        return list(tensors.gradient) if self.f.m == 1 else [entry for row in tensors.jacobian for entry in row]

    @property
    def _entries(self) -> int:
        return int(self.f.m * self.f.n**self.order)

    def point(self) -> Call:
        x, out = np.array(self.at), np.empty(self._entries)
        return lambda: self.gradient(x, outputs=out)

    def batch(self, points: FloatArray) -> Call:
        columns, out = np.ascontiguousarray(points.T), np.empty((self._entries, len(points)))
        return lambda: self.gradient(columns, outputs=out)


class Torch(Contestant):
    """Eager torch on float64 arrays, one thread; several outputs by one backward pass each."""

    name, module, given = "torch", "torch", "arrays"

    def _gradient(self, x: Any) -> Any:
        torch = self.lib
        y = self.problem.arrays(x, self.ns)
        if self.f.m == 1:
            return torch.autograd.grad(y.sum(), x)[0]
        rows = [torch.autograd.grad(y[..., k].sum(), x, retain_graph=True)[0] for k in range(self.f.m)]
        return torch.stack(rows, -2)

    def _tensor(self, points: Any) -> Any:
        return self.lib.tensor(points, dtype=self.lib.float64, requires_grad=True)

    def first(self) -> Any:
        torch = self.lib
        self.ns = SimpleNamespace(
            log=torch.log, sin=torch.sin, cos=torch.cos, sqrt=torch.sqrt, tanh=torch.tanh,
            array=torch.from_numpy, stack=lambda parts: torch.stack(parts, -1), product=lambda x: x.prod(-1),
        )  # fmt: skip
        return self._gradient(self._tensor(self.at)).numpy().ravel()

    def point(self) -> Call:
        x = self._tensor(self.at)
        return lambda: self._gradient(x)

    def batch(self, points: FloatArray) -> Call:
        x = self._tensor(points)
        return lambda: self._gradient(x)


class TorchScalar(Torch):
    """torch, given the formula term by term as SymPy holds it, not rewritten with arrays."""

    name, given = "torch-scalar", "terms"

    def __init__(self, problem: Problem, f: Function) -> None:
        super().__init__(replace(problem, by_hand=None), f)


class Jax(Contestant):
    """jit(grad), or jit(jacrev) for several outputs; a batch by vmap."""

    name, module, given = "jax", "jax", "arrays"

    def first(self) -> Any:
        jax = self.lib
        jax.config.update("jax_enable_x64", True)
        jnp = jax.numpy
        ns = SimpleNamespace(log=jnp.log, sin=jnp.sin, cos=jnp.cos, sqrt=jnp.sqrt, tanh=jnp.tanh, array=jnp.asarray,
                             stack=lambda parts: jnp.stack(parts, -1), product=lambda x: x.prod(-1))  # fmt: skip
        self.derivative = self.derived(lambda x: self.problem.arrays(x, ns))
        self.gradient = jax.jit(self.derivative)
        return np.asarray(self.gradient(jnp.asarray(self.at))).ravel()

    def derived(self, f: Any) -> Any:
        """The derivative that is asked for."""
        return (self.lib.grad if self.f.m == 1 else self.lib.jacrev)(f)

    def point(self) -> Call:
        x = self.lib.numpy.asarray(self.at)
        return lambda: self.gradient(x).block_until_ready()

    def batch(self, points: FloatArray) -> Call:
        many, x = self.lib.jit(self.lib.vmap(self.derivative)), self.lib.numpy.asarray(points)
        return lambda: many(x).block_until_ready()


class Autograd(Contestant):
    """autograd's NumPy; a batch is one pass over arrays."""

    name, module, given = "autograd", "autograd", "arrays"

    def first(self) -> Any:
        anp = importlib.import_module("autograd.numpy")
        ns = SimpleNamespace(log=anp.log, sin=anp.sin, cos=anp.cos, sqrt=anp.sqrt, tanh=anp.tanh, array=anp.array,
                             stack=lambda parts: anp.stack(parts, -1), product=lambda x: anp.prod(x, -1))  # fmt: skip
        arrays, lib = self.problem.arrays, self.lib
        if self.f.m == 1:
            self.gradient = lib.elementwise_grad(lambda x: arrays(x, ns))
        else:
            rows = [lib.elementwise_grad(lambda x, k=k: arrays(x, ns)[..., k]) for k in range(self.f.m)]
            self.gradient = lambda x: np.stack([row(x) for row in rows], -2)
        return self.gradient(np.array(self.at)).ravel()

    def point(self) -> Call:
        x = np.array(self.at)
        return lambda: self.gradient(x)

    def batch(self, points: FloatArray) -> Call:
        return lambda: self.gradient(points)
