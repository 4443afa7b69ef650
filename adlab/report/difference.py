"""One derivative by differences, with all that is known of it: the error, the step, the price, and what happened on the way.

f may be a formula or any Python callable. The names are those of `scipy.differentiate`, so that one can replace the other. More
is told than there: at a kink the answer is the slopes of both sides, not 0.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.complex_numbers import COMPLEX
from adlab.arithmetic.domain import explain
from adlab.arithmetic.numbers import evaluate
from adlab.differences import differences
from adlab.differences.callback import AGAIN, Callback, held_to_its_word
from adlab.differences.complex_step import checked_by_values, complex_difference, refusal
from adlab.differences.estimates import GAVE_UP, Estimate
from adlab.differences.quotients import Bound, checked_point, value_at
from adlab.differences.scrutiny import BRANCH_CUT, KINK
from adlab.differences.stencils import SCHEMES, scheme
from adlab.differences.step_choice import MODES
from adlab.display import Report, Table, significant
from adlab.errors import DomainError, MethodError, OptionError, OverflowedError, PointError
from adlab.function import Function
from adlab.inputs import FloatArray, takes_at
from adlab.precision import PATIENCE, patience as limited
from adlab.report.probe import Probe
from adlab.tracing.places import at_point

NAMES = (*differences.NAMES, "complex-step")
FACTS = (
    "success", "status", "df", "error", "nit", "nfev", "nfev_scheme", "nfev_estimate",
    "x", "step", "scheme", "flags", "one_sided", "reason", "order",
)  # fmt: skip
FLAGS = {
    "left_domain": "f has no value at a node; nodes on one side only are used",
    "nonfinite": "f is infinite at a node; nodes on one side only are used",
    "flat": "all values of f around x are equal; the error is what their rounding can hide",
    "noisy": "values of f are much less exact than their last digit, and the error says so",
}


@dataclass(frozen=True)
class Difference(Report):
    """The answer of `difference`: an `Estimate` for each variable.

    A property belongs to the one variable, or lists the values of all. `df` and `error` are floats or arrays (m,) for one
    variable, arrays (n,) or (m, n) for several.
    """

    title: str
    order: int
    variables: tuple[str, ...]
    estimates: tuple[Estimate, ...]

    def _each(self, name: str) -> Any:
        found = [getattr(estimate, name) for estimate in self.estimates]
        return found[0] if len(found) == 1 else found

    def _stacked(self, name: str) -> Any:
        found = self._each(name)
        return np.stack(found, axis=-1) if isinstance(found, list) else found

    @property
    def df(self) -> Any:
        """The derivative."""
        return self._stacked("df")

    @property
    def error(self) -> Any:
        """The estimated absolute error."""
        return self._stacked("error")

    @property
    def unknown(self) -> bool:
        """Whether a derivative is NaN: no value could be found for it. `reason` says why."""
        return any(bool(np.isnan(estimate.df).any()) for estimate in self.estimates)

    @property
    def given_up(self) -> int:
        """For how many variables nothing was found before the time was over."""
        return sum(GAVE_UP in estimate.flags for estimate in self.estimates)

    @property
    def success(self) -> bool:
        """Whether every derivative can be trusted as far as its error says."""
        return all(estimate.success for estimate in self.estimates)

    @property
    def status(self) -> Any:
        """0, or the number of what went wrong. As in SciPy: −1 where the error grew, −3 where f is not finite."""
        return self._each("status")

    @property
    def nit(self) -> Any:
        """How many steps were tried."""
        return self._each("nit")

    @property
    def nfev(self) -> int:
        """How many times f was evaluated in all."""
        return sum(estimate.nfev for estimate in self.estimates)

    @property
    def nfev_scheme(self) -> int:
        """How many of these values the derivatives are made of."""
        return sum(estimate.nfev_scheme for estimate in self.estimates)

    @property
    def nfev_estimate(self) -> int:
        """How many values went into error estimates, second looks, and steps that were given up."""
        return self.nfev - self.nfev_scheme

    @property
    def x(self) -> Any:
        """The coordinate."""
        return self._each("x")

    @property
    def step(self) -> Any:
        """The step of the answer, after rounding."""
        return self._each("step")

    @property
    def scheme(self) -> Any:
        """The scheme that gave the answer in the end. At the edge of the domain it is a one-sided scheme."""
        return self._each("scheme")

    @property
    def flags(self) -> Any:
        """What happened on the way: `left_domain`, `nonfinite`, `kink_in_stencil`, `branch_cut`, `unsettled`, `narrow`, `flat`,
        `noisy`, `stateful`, `step_not_resolved`, `underflow`, `not_analytic`, `unconfirmed`, `gave_up`.
        """
        return self._each("flags")

    @property
    def one_sided(self) -> Any:
        """The derivatives (left, right) where a two-sided scheme sees that they differ; else None."""
        return self._each("one_sided")

    @property
    def reason(self) -> str:
        """Why there is no success, in a sentence."""
        return next((estimate.reason for estimate in self.estimates if estimate.reason), "")

    def to_dict(self) -> dict[str, Any]:
        """The properties by name, and the `variables`. Arrays become lists."""
        return {"variables": list(self.variables), **{name: _listed(getattr(self, name)) for name in FACTS}}

    def sections(self) -> list[Table | str]:
        """A row for each derivative, then a sentence for each thing that happened."""
        head = ["derivative", "value", "error", "step", "scheme", "evaluations", "flags"]
        rows = [
            [
                name,
                value,
                significant(error, 2),
                significant(e.step, 3),
                e.scheme,
                str(e.nfev),
                ", ".join(e.flags) or "–",
            ]
            for v, e in zip(self.variables, self.estimates, strict=True)
            for name, value, error in zip(self._names(v, np.size(e.df)), _values(e), np.ravel(e.error), strict=True)
        ]
        met = [f"{v}: {said}" for v, e in zip(self.variables, self.estimates, strict=True) for said in _sentences(e)]
        lost = [f"gave up on {self.given_up} of {len(self.estimates)} variables, since the time was over; choose one, or be more "
                "patient"] if self.given_up else []  # fmt: skip
        return [Table(self.title, head, rows, frozenset(head[1:4] + head[5:6])), *met, *lost]

    def _names(self, variable: str, m: int) -> list[str]:
        power = "²" if self.order == 2 else ""
        return [f"∂{power}f{'' if m == 1 else i}/∂{variable}{power}" for i in range(m)]


def _values(estimate: Estimate) -> list[str]:
    """The derivative of each output; both one-sided derivatives where they differ."""
    if estimate.one_sided and not estimate.success and {KINK, BRANCH_CUT}.intersection(estimate.flags):
        left, right = (np.ravel(side) + 0.0 for side in estimate.one_sided)  # avoids −0
        return [f"{a:.6g} left, {b:.6g} right" for a, b in zip(left, right, strict=True)]
    return [f"{df + 0.0:.16g}" for df in np.ravel(estimate.df)]


def _sentences(estimate: Estimate) -> list[str]:
    said = [FLAGS[flag] for flag in estimate.flags if flag in FLAGS and estimate.success]
    return [*said, *filter(None, [estimate.reason if GAVE_UP not in estimate.flags else ""])]


def _listed(found: Any) -> Any:
    if isinstance(found, (list, tuple)):
        return [_listed(item) for item in found]
    return found.tolist() if isinstance(found, np.ndarray) else found


@takes_at
def difference(
    f: Any,
    x: Any = None,
    variable: str | int | sympy.Symbol | None = None,
    scheme: str = "adaptive-difference",
    step: float | str = "auto",
    order: int = 1,
    patience: float = PATIENCE,
) -> Difference:
    """The derivative of f at the point x by finite differences, or by the complex step.

    `f` is a Function, an expression, a text, or a callable. A callable takes a number where x is one, else an array (n,), and
    returns a number or an array (m,). `variable` is a name, or an index for a callable; without it, all variables are used.
    `order` is 1 or 2. `scheme` is a name in `NAMES`. `step` is a number, or one of

    * "auto": steps are tried until the error is what the scheme can be expected to reach;
    * "relative": u^(1/(p+d)) times |x|, for scheme order p, derivative order d and unit roundoff u;
    * "model": the best step for the noise of f and the derivative in the truncation error. For a formula both come from
      high-precision values, and the noise is |f₆₄ − f|. For a callable both are estimated from neighbouring values;
    * "oracle": the best step, found with the true derivative, which only a formula has.

    Work ends after about `patience` seconds. Variables that are not done by then have NaN, and the flag `gave_up`.

    A success says that nothing contradicted it among the values that were taken. No finite number of values can know what f does
    between them: a peak that is narrow enough stays unseen. A scheme on one side of x gives the derivative of that side.

    Raises OptionError for a wrong option, PointError for a wrong point, MethodError where f cannot serve.

    >>> found = difference("exp(x)", 1.0, scheme="central-difference", step="oracle")
    >>> found.success, 5e-6 < found.step < 2e-5, abs(found.df - 2.718281828459045) < 1e-10
    (True, True, True)
    >>> kink = difference(abs, 0.0)
    >>> kink.success, kink.flags, kink.one_sided
    (False, ('kink_in_stencil',), (-1.0, 1.0))
    """
    _checked(scheme, step, order)
    with limited(patience):
        return _found(f, x, variable, scheme, step, order)


def _found(f: Any, x: Any, variable: Any, scheme: str, step: float | str, order: int) -> Difference:
    if callable(f) and not isinstance(f, (Function, sympy.Basic)):
        return _of_callable(f, x, variable, scheme, step, order)
    f, point = at_point(f, x)
    _has_value(f, point)
    chosen = range(f.n) if variable is None else [_index(f.names, variable)]
    if scheme == "complex-step":
        estimates = [_complex_step(f, point, j, step) for j in chosen]
    else:
        probe = Probe(f, point) if step in ("model", "oracle") else None
        bound = partial(_bound, f)
        if probe is None and order == 1 and step != "relative":
            steps = [step] * len(chosen)
            estimates = differences.partials(f.values, point, chosen, scheme, steps, f.values(point), bound, f.several, True, 1)
        else:
            estimates = [_at(f, point, j, scheme, step, order, probe, bound) for j in chosen]
    return Difference(f.title, order, tuple(f.names[j] for j in chosen), tuple(_scalar(e, f.scalar) for e in estimates))


def _checked(scheme: str, step: float | str, order: int) -> None:
    if scheme not in NAMES:
        near = difflib.get_close_matches(str(scheme), NAMES, n=1)
        hint = f"did you mean `{near[0]}`? " if near else ""
        raise OptionError(f"no difference scheme is called {scheme!r}; {hint}there are {', '.join(NAMES)}")
    if isinstance(step, str) and step not in MODES:
        raise OptionError(f"no way to choose a step is called {step!r}; there are {', '.join(MODES)}, or give a number")
    if scheme not in SCHEMES and isinstance(step, str) and step != "auto":
        raise OptionError(f'`{scheme}` finds its own step: give a number, or "auto", not {step!r}')
    if scheme == "complex-step" and order != 1:
        raise OptionError("the complex step gives first derivatives; take another scheme for the second")


def _index(names: list[str], variable: Any) -> int:
    name = getattr(variable, "name", variable)
    if name in names:
        return names.index(name)
    if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < len(names):
        return name
    raise OptionError(f"no variable `{name}`; there are {', '.join(names)}")


def _at(
    f: Function, point: FloatArray, j: int, name: str, step: float | str, order: int, probe: Probe | None, bound: Bound
) -> Estimate:
    """By a scheme; with the noise and the true derivative from high-precision values, where the step asks for them."""
    noise = higher = None
    if probe is not None and order in (1, 2):
        made = scheme(name, order)
        noise = np.array([probe.noise(i, j) for i in range(f.m)])
        if step == "oracle":
            found = [probe.derivative(i, j, made.order + order) for i in range(f.m)]
            if None in found:
                raise MethodError(
                    f"there is no derivative of order {made.order + order} by {f.names[j]} for an oracle to know"
                )
            higher = np.array(found, dtype=np.float64)
    return differences.difference(
        f.values, point, j, name, step, order=order, noise=noise, derivative=higher, bound=bound
    )


def _has_value(f: Function, point: FloatArray) -> None:
    """Raises DomainError, naming the operation, where f has no value at the point, and OverflowedError where it is infinite."""
    values = np.atleast_1d(f(point))
    if np.isinf(values).any():
        raise OverflowedError(
            f"f is {values[np.isinf(values)][0]} at this point; there is nothing to take differences of"
        )


def _bound(f: Function, point: FloatArray) -> FloatArray:
    """A bound on the error of each output at the point, shape (m,): the running error bound of the graph."""
    walked = evaluate(f.graph, [Bounded(x) for x in point.tolist()], BOUNDED)
    return np.array([walked[output].error for output in f.graph.outputs])


def _complex_step(f: Function, point: FloatArray, j: int, step: float | str) -> Estimate:
    """The complex step of a formula. What is not analytic is refused; otherwise it raises as `Function.gradient` does."""
    if reason := refusal(f.graph):
        raise MethodError(reason)
    if isinstance(edge := explain(f.graph, point.tolist(), derivative=True), DomainError):
        raise edge

    def value(moved: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
        values = evaluate(f.graph, moved.tolist(), COMPLEX)
        return np.array([values[output] for output in f.graph.outputs], dtype=np.complex128)

    found = complex_difference(value, point, j, None if isinstance(step, str) else step)
    return checked_by_values(found, f.values, point, j, partial(_bound, f))


def _scalar(estimate: Estimate, scalar: bool) -> Estimate:
    """The one output of a scalar function as a number."""
    if not scalar:
        return estimate
    sides = estimate.one_sided and (_first(estimate.one_sided[0]), _first(estimate.one_sided[1]))
    return replace(estimate, df=_first(estimate.df), error=_first(estimate.error), one_sided=sides)


def _first(numbers: npt.ArrayLike) -> float:
    return float(np.ravel(numbers)[0])


# --- callables ----------------------------------------------------------------------------------------------------


def _of_callable(
    f: Callable[[Any], Any], x: Any, variable: Any, scheme: str, step: float | str, order: int
) -> Difference:
    if x is None:
        raise PointError("no point given; a number, or a sequence of them")
    if step == "oracle":
        raise MethodError('the oracle must know the true derivative: give a formula, or take step="model"')
    point = checked_point(x)
    if not point.size:
        raise PointError("the point is empty: there is no variable to differentiate by")
    names = ["x"] if point.size == 1 else [f"x{i}" for i in range(point.size)]
    chosen = range(point.size) if variable is None else [_index(names, variable)]
    value = Callback(f, np.ndim(x) == 0)
    if scheme == "complex-step":
        size = None if isinstance(step, str) else step
        estimates = [checked_by_values(complex_difference(value.analytic, point, j, size), value.real, point, j) for j in chosen]
    else:
        centre = value_at(value, point.copy())
        if order == 1 and step not in MODES[1:]:
            sample = partial(value.many, shape=centre.shape)
            estimates = differences.partials(value, point, chosen, scheme, [step] * len(chosen), centre, None, sample, True)
        else:
            estimates = [differences.difference(value, point, j, scheme, step, centre, order) for j in chosen]
        estimates = held_to_its_word(estimates, value.answers_otherwise(point, centre))
        estimates[0] = replace(estimates[0], nfev=estimates[0].nfev + 1 + AGAIN + value.extra)
    if value.complaint:
        estimates = [
            replace(e, reason=f"{e.reason} ({value.complaint})") if np.isnan(e.df).any() else e for e in estimates
        ]
    title = getattr(f, "__name__", type(f).__name__)
    return Difference(title, order, tuple(names[j] for j in chosen), tuple(estimates))
