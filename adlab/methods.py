"""The registry of methods: every way to differentiate, adlab's own or a peer's. Each is a row in every table."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np
import sympy

from adlab.arithmetic import flags
from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.domain import explain
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.digits import FEWEST, apart, without_digits
from adlab.autodiff.evaluator import Evaluator
from adlab.autodiff.jacobian import Mode
from adlab.autodiff.unrolling import unrolled
from adlab.errors import AdlabError, DomainError, InaccurateError, MethodError, OptionError, OverflowedError
from adlab.graph.graph import Graph
from adlab.graph.lowering import lower
from adlab.inputs import Errors, FloatArray
from adlab.peers.catalogue import PEERS, SECONDS, Peer, prepare, sample
from adlab.text.traversal import brief

if TYPE_CHECKING:
    from adlab.compile.batches import Batches

T = TypeVar("T")
UNROLLED = "unrolled"
"""The method that goes through the turns of loops and the steps of solvers, where `reverse` takes their own rules."""
Family = Literal["automatic", "symbolic", "difference", "complex step", "peer"]


class Differentiable(Protocol):
    """What a method may ask of a function."""

    @property
    def graph(self) -> Graph: ...
    @property
    def variables(self) -> tuple[sympy.Symbol, ...]: ...
    @property
    def outputs(self) -> tuple[sympy.Expr, ...]: ...
    @property
    def n(self) -> int: ...
    @property
    def m(self) -> int: ...
    def values(self, point: FloatArray) -> FloatArray: ...
    def several(self, points: FloatArray) -> FloatArray: ...
    def plainly(self, points: Sequence[Sequence[float]]) -> Sequence[Sequence[float]] | None: ...
    def cached(self, key: Any, make: Callable[[], T]) -> T: ...
    @property
    def evaluator(self) -> Evaluator: ...
    @property
    def batches(self) -> Batches: ...


@dataclass(frozen=True)
class Result:
    """A Jacobian, shape (m, n), and what it took: evaluations of f, steps, the method's own error estimate, and remarks."""

    jacobian: FloatArray
    evaluations: int | None = None
    steps: tuple[float, ...] | None = None
    error: FloatArray | None = None
    notes: tuple[str, ...] = ()


Loss = Callable[[Differentiable, FloatArray, int, int], str]
"""Says how the partial of an output by a variable lost its digits at a point."""


@dataclass(frozen=True)
class Method:
    """One way to differentiate: what it needs, whether it has a step, which formulas it refuses, and how it computes."""

    name: str
    family: Family
    needs: Literal["graph", "expression", "values"]
    about: str
    differentiate: Callable[..., Result]
    has_step: bool = False
    options: tuple[str, ...] = ()
    refuse: Callable[[Differentiable], str] = field(default=lambda f: "")
    """Says why it cannot serve a formula; an empty text where it can."""
    batch: Callable[[Any, FloatArray], FloatArray] | None = None
    """All partials at many points at once, (..., m, n), for methods that are faster at that than point by point."""
    plainly: Callable[[Any, FloatArray], FloatArray | None] | None = None
    """The partials at one point by the shortest way; None where more has to be looked at."""
    loss: Loss | None = None
    """For methods that may lose their digits without noticing. Their partials are compared with the graph's."""

    def __call__(self, f: Differentiable, point: FloatArray, **options: Any) -> Result:
        """The Jacobian at one point as the method finds it, right or wrong. Raises as `check` does."""
        self.check(f, options)
        return self.differentiate(f, point, **options)

    def jacobian(self, f: Differentiable, points: FloatArray, errors: Errors = "nan", **options: Any) -> FloatArray:
        """All partials, shape (m, n) at one point, (..., m, n) at a batch of points.

        At one point it raises the reason where the value or a partial is missing, or has too few right digits. In a batch such
        entries are NaN, unless `errors` is "raise".
        """
        self.check(f, options)
        automatic, single = self.family == "automatic", points.ndim == 1
        if single:
            if self.plainly is not None and not options and (plain := self.plainly(f, points)) is not None:
                return plain
            if not automatic:  # the programs of the automatic methods hold the value, and are NaN where there is none
                f.evaluator.checked(f.values(points), points)
            found = self(f, points, **options).jacobian
            if self.loss is not None and "step" not in options:  # whoever gives a step wants to see what it does
                self._require_digits(f, points, found, self.loss)
        elif self.batch is not None and not options:
            found = self.batch(f, points)
            if not automatic:
                found = np.where(np.isnan(f.batches.values(points))[..., None], np.nan, found)
        else:
            found = self._one_by_one(f, points, errors, options)
        f.evaluator.checked(found, points, errors, derivative=True)
        if single:
            return f.evaluator.finite(found, points)
        return np.where(np.isinf(found), np.nan, found)

    def _require_digits(self, f: Differentiable, point: FloatArray, found: FloatArray, loss: Loss) -> None:
        """Raises InaccurateError, with the reason, for the first partial of which fewer than three digits are right."""
        wrong = without_digits(f.evaluator, point, found)
        if not wrong:
            return
        i, j, right, tied = wrong[0]
        which = f"by {f.variables[j].name}" + (f" of output {i}" if f.m > 1 else "")
        raise InaccurateError(
            f"`{self.name}` gives {found[i, j]:.6g} for the partial {which}, which is {right:.6g}: "
            f"{tied or loss(f, point, i, j)}; {_instead(f, point, i, j, right)}"
        )

    def _one_by_one(self, f: Differentiable, points: FloatArray, errors: Errors, options: dict[str, Any]) -> FloatArray:
        found = np.full((*points.shape[:-1], f.m, f.n), np.nan)
        for place in np.ndindex(points.shape[:-1]):
            try:
                found[place] = self.jacobian(f, points[place], **options)
            except (DomainError, OverflowedError, InaccurateError):
                if errors == "raise":
                    raise
        return found

    def check(self, f: Differentiable, options: Mapping[str, Any]) -> None:
        """Raises OptionError for an unknown option, and MethodError where the method cannot serve the formula."""
        unknown = [name for name in options if name not in self.options]
        if unknown:
            takes = f"takes {', '.join(self.options)}" if self.options else "takes no options"
            raise OptionError(f"`{self.name}` has no option `{unknown[0]}`; it {takes}")
        reason = self.refuse(f)
        if reason:
            raise MethodError(reason)


# --- automatic --------------------------------------------------------------------------------------------------


def _automatic(mode: Mode, about: str) -> Method:
    def differentiate(f: Differentiable, point: FloatArray) -> Result:
        return Result(f.evaluator.jacobian(point, mode))

    def batch(f: Differentiable, points: FloatArray) -> FloatArray:
        return f.batches.jacobian(points, mode)

    return Method(mode, "automatic", "graph", about, differentiate, batch=batch)


def _unrolled(f: Differentiable, point: FloatArray) -> Result:
    """Reverse mode over the graph with its loops and solvers written out."""
    if not f.graph.compound:
        return Result(f.evaluator.jacobian(point))
    return Result(Evaluator(unrolled(f.graph, point.tolist())).jacobian(point))


# --- classical --------------------------------------------------------------------------------------------------


UNSHARED = "a shared subexpression has no value here, and its branch is not taken: evaluated without sharing"


def _symbolic(cse: bool) -> Callable[..., Result]:
    def differentiate(f: Differentiable, point: FloatArray, seconds: float | None = None) -> Result:
        from adlab.symbolic.derivative import SECONDS, derivative_of

        notes: tuple[str, ...] = ()
        derivative = derivative_of(f, cse, SECONDS if seconds is None else seconds)
        try:
            found = derivative.jacobian(point.tolist())
        except DomainError:  # cse computes 1/x outside its branch of a Piecewise, where x may be 0
            if not cse:
                raise
            derivative, notes = derivative_of(f, False, SECONDS if seconds is None else seconds), (UNSHARED,)
            found = derivative.jacobian(point.tolist())
        if not found.all() and _symbolic_underflow(derivative, point):
            raise OverflowedError("binary64 underflows on the way of the symbolic derivative, and a 0 may be all that is left")
        return Result(found, notes=notes)

    return differentiate


def _symbolic_underflow(derivative: Any, point: FloatArray) -> bool:
    """Whether a number leaves binary64's range while the printed derivative is computed."""
    given = point.tolist()
    flags.clear()
    derivative.printed(given)
    return flags.known and bool(flags.raised())


def _difference(scheme: str) -> Callable[..., Result]:
    def differentiate(f: Differentiable, point: FloatArray, step: float | None = None) -> Result:
        from adlab.differences import differences

        jacobian, estimates = differences.gradient(f.values, point, scheme, step, sample=f.several)
        return _estimated(f, jacobian, estimates)

    return differentiate


def _difference_at_once(scheme: str) -> Callable[..., FloatArray | None]:
    def plainly(f: Differentiable, point: FloatArray) -> FloatArray | None:
        from adlab.differences import differences
        return differences.at_once(f.plainly, point.tolist(), scheme, f.m)

    return plainly


def _difference_at_many(scheme: str) -> Callable[..., FloatArray]:
    def batch(f: Differentiable, points: FloatArray) -> FloatArray:
        from adlab.differences import differences
        return differences.jacobians(f.values, f.several, points, scheme, f.m)

    return batch


def _estimated(f: Differentiable, jacobian: Any, estimates: Any) -> Result:
    flags = tuple(dict.fromkeys(flag for estimate in estimates for flag in estimate.flags))
    return Result(
        np.asarray(jacobian, dtype=float).reshape(f.m, f.n),
        sum(estimate.nfev for estimate in estimates),
        tuple(float(estimate.step) for estimate in estimates),
        np.array([estimate.error for estimate in estimates], dtype=float).reshape(f.n, f.m).T if estimates else None,
        flags,
    )


def _complex_step(f: Differentiable, point: FloatArray, step: float | str = "auto") -> Result:
    from adlab.differences.complex_step import complex_step, default_step

    if step != "auto" and not (isinstance(step, Real) and 0 < step < np.inf):
        raise OptionError(f"a complex step is a positive number, not {step!r}")
    chosen = None if step == "auto" else float(step)
    jacobian = complex_step(f.graph, point.tolist(), chosen)
    if np.isnan(jacobian).any():
        reason = explain(f.graph, point.tolist())
        raise reason or OverflowedError("binary64 overflows on the way of the complex step; scale the variables")
    return Result(jacobian, f.n, tuple(chosen or default_step(x) for x in point.tolist()))


def _complex_refusal(f: Differentiable) -> str:
    from adlab.differences.complex_step import refusal

    return refusal(f.graph)


def _differences() -> list[Method]:
    table = [
        ("forward-difference", "(f(x+h) − f(x))/h: error grows as h, roundoff as 1/h"),
        ("backward-difference", "(f(x) − f(x−h))/h"),
        ("central-difference", "(f(x+h) − f(x−h))/2h: error grows as h²"),
        ("central-difference-4", "four values: error grows as h⁴"),
        ("central-difference-6", "six values: error grows as h⁶"),
        ("central-difference-8", "eight values: error grows as h⁸"),
        ("adaptive-difference", "a polynomial fitted to differences at many steps"),
        ("richardson", "central differences at h, h/2, h/4 … extrapolated to h = 0"),
    ]
    return [
        Method(name, "difference", "values", about, _difference(name), has_step=True, options=("step",),
               batch=_difference_at_many(name), plainly=_difference_at_once(name))
        for name, about in table
    ]


LEFT = "rounding, or an underflow, leaves too few digits of its formula"


def _cancelled(f: Differentiable, point: FloatArray, i: int, j: int) -> str:
    """Names the operation of a derivative's formula that loses its digits."""
    from adlab.symbolic.formula import partials

    try:
        (partial,) = partials([f.outputs[i]], [f.variables[j]])
        graph = lower([partial], f.variables)
    except AdlabError:  # too large to be read
        return LEFT
    values = evaluate(graph, [Bounded(x) for x in point.tolist()], BOUNDED)
    for k in graph.operations:
        size, error = abs(values[k].value), values[k].error
        if graph.nodes[k].operands and error >= max(FEWEST * size, np.finfo(float).tiny):
            name, met = f"{graph.names[k]} = {graph.written(k)}", f"{values[k].value:.6g} ± {error:.2g}"
            return f"rounding leaves {'no' if error >= size else 'few'} digits at {name} of its formula {brief(partial)} ({met})"
    return LEFT


def _instead(f: Differentiable, point: FloatArray, i: int, j: int, right: float) -> str:
    """What to take in place of a partial that has lost its digits."""
    if apart(f.evaluator.jacobian(point)[i, j], right):
        return "`reverse` loses them too, in f itself; rewrite f, or take `adlab.truth`"
    return "take `reverse`"


def _drowned(f: Differentiable, point: FloatArray, i: int, j: int) -> str:
    return "rounding drowns the imaginary part of f(x + ih)"


# --- peers ------------------------------------------------------------------------------------------------------


def _peer(peer: Peer) -> Method:
    def prepared(f: Differentiable, seconds: float) -> Any:
        return f.cached(("peer", peer.name, seconds), lambda: prepare(peer, f.graph, seconds))

    def differentiate(f: Differentiable, point: FloatArray, seconds: float = SECONDS) -> Result:
        if peer.needs == "graph":
            return Result(prepared(f, seconds)(point))
        found, evaluations = sample(peer, lambda points: _sampled(f, points), point, seconds)
        return Result(found.jacobian, evaluations, error=found.error, notes=found.notes)

    def batch(f: Differentiable, points: FloatArray) -> FloatArray:
        found: FloatArray = prepared(f, SECONDS)(points)
        return found

    return Method(peer.name, "peer", peer.needs, f"{peer.system}: {peer.about}", differentiate, options=("seconds",),
                  batch=batch if peer.needs == "graph" else None)  # fmt: skip


def _sampled(f: Differentiable, points: FloatArray) -> FloatArray:
    return f.values(points) if points.ndim == 1 else f.batches.values(points)


METHODS: dict[str, Method] = {
    method.name: method
    for method in [
        _automatic("reverse", "adjoints from the output back: one sweep for each output"),
        _automatic("forward", "tangents along with the values: one sweep for each input"),
        Method(UNROLLED, "automatic", "graph", "reverse mode through every turn of a loop or a solver", _unrolled),
        Method("symbolic", "symbolic", "expression", "sympy.diff, then lambdify", _symbolic(False), options=("seconds",),
               loss=_cancelled),
        Method("symbolic-cse", "symbolic", "expression", "sympy.diff, then cse over all partials, then lambdify",
               _symbolic(True), options=("seconds",), loss=_cancelled),
        *_differences(),
        Method("complex-step", "complex step", "graph", "Im f(x + ih)/h: no subtraction, no roundoff to trade",
               _complex_step, has_step=True, options=("step",), refuse=_complex_refusal,
               loss=_drowned),
        *map(_peer, PEERS.values()),
    ]
}  # fmt: skip


def methods() -> dict[str, Method]:
    """Every method by name, in the order of the tables.

    >>> import adlab
    >>> list(adlab.methods())[:4]
    ['reverse', 'forward', 'unrolled', 'symbolic']
    """
    return dict(METHODS)


def lookup(name: str) -> Method:
    """The method of that name. Raises MethodError, with the nearest name, if there is none."""
    if isinstance(name, str) and name in METHODS:
        return METHODS[name]
    near = difflib.get_close_matches(str(name), METHODS, n=1)
    hint = f"did you mean `{near[0]}`? " if near else ""
    raise MethodError(f"no method `{name}`; {hint}there are {', '.join(METHODS)}")


def chosen(names: Any, graph: Graph | None = None) -> Mapping[str, Method]:
    """The methods for a report. None means all of adlab's own, "all" every installed peer too; otherwise a list of names.

    `unrolled` is reverse mode again where a graph has no loop and no solver. So it is left out there, unless it is asked for.
    """
    idle = {UNROLLED} if graph is None or not graph.compound else set()
    if names is None:
        return {name: method for name, method in METHODS.items() if method.family != "peer" and name not in idle}
    if isinstance(names, str):
        names = names.replace(",", " ").split()
    if not isinstance(names, Iterable):
        raise MethodError(f"methods are asked for by name, as in ['reverse', 'symbolic']; {names!r} is none")
    names = list(names)
    if names == ["all"]:
        left_out = idle | {peer.name for peer in PEERS.values() if peer.on_request or not peer.installed}
        return {name: method for name, method in METHODS.items() if name not in left_out}
    return {name: lookup(name) for name in names}
