"""Minima with exact derivatives: a trust region with Hessian-vector products; bounds and constraints are possible.

SciPy searches (the extra `fit`). Without constraints it is the trust-region Newton method with conjugate gradients
(Steihaug 1983), which needs a Hessian-vector product and never a Hessian. With bounds or constraints it is `trust-constr`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adlab.display import Report, Table
from adlab.errors import DomainError, MethodError, MissingExtra, OptionError, OverflowedError
from adlab.function import Function, as_function
from adlab.inputs import FloatArray, coerce_one
from adlab.text.traversal import listing
from adlab.use.fit import limits
from adlab.use.ipopt import by_ipopt
from adlab.use.total import Total

LARGEST_HESSIAN = 500
"""The most variables for which the Hessian at the end is examined: its eigenvalues tell a minimum from a saddle."""
MOST_POLISHED, NEARLY = 20, 1e-3
"""Newton steps that polish the end, and the relative step from which they start. A longer step at the end: not converged."""
SEARCHES, SMALL = 5, 1e-8
"""How often a search goes on from where it stopped too soon, and how far it must bring the gradient down."""
BENT = 0.1
"""The relative change of the curvature over a Newton step from which the second derivatives do not settle the kind of point."""

NONE: FloatArray = np.empty(0)


@dataclass(frozen=True)
class Minimum(Report):
    """What a search has found: the point, the value, the gradient there, and what kind of point it is."""

    title: str
    names: tuple[str, ...]
    point: FloatArray
    value: float
    gradient: FloatArray
    eigenvalues: FloatArray
    """Eigenvalues of the Hessian, the smallest first; empty where they were not computed."""
    kind: str
    """"minimum", "saddle", "flat", or "constrained"."""
    converged: bool
    message: str
    values: int
    gradients: int
    products: int
    """Evaluations of f, of its gradient, of its Hessian times a vector."""

    @property
    def solution(self) -> dict[str, float]:
        """The point by name."""
        return dict(zip(self.names, self.point.tolist(), strict=True))

    def sections(self) -> list[Table | str]:
        """The point, and what is known of it."""
        rows = [[name, f"{x:.16g}", f"{slope + 0.0:.1e}"] for name, x, slope in
                zip(self.names[:12], self.point, self.gradient, strict=False)]  # fmt: skip
        more = (f"… {len(self.names) - 12} more variables",) if len(self.names) > 12 else ()
        table = Table(
            f"minimum of {self.title}", ["variable", "value", "partial"], rows, frozenset(["value", "partial"]), more
        )
        return [table, " ".join(self._sentences())]

    def _sentences(self) -> list[str]:
        kinds = {
            "minimum": f"A minimum: the smallest eigenvalue of the Hessian is {self._lowest():.3g}.",
            "saddle": f"A saddle, not a minimum: the Hessian has the eigenvalue {self._lowest():.3g}. Try another start.",
            "flat": "Flat in some direction: the Hessian's smallest eigenvalue is 0 there, as far as can be told.",
            "constrained": "A minimum within the constraints, as far as first derivatives tell.",
            "": "Whether it is a minimum or a saddle was not examined: there are too many variables.",
        }
        found = [f"The value is {self.value:.16g}."]
        if not self.converged:
            found.append(f"The search has not converged: {self.message}.")
        else:
            found.append(kinds[self.kind])
        found.append(f"{self.values} values, {self.gradients} gradients, {self.products} Hessian-vector products.")
        return found

    def _lowest(self) -> float:
        return float(self.eigenvalues[0]) if len(self.eigenvalues) else math.nan

    def to_dict(self) -> dict[str, Any]:
        """The facts as numbers."""
        rows = [{"variable": name, "value": x, "partial": slope} for name, x, slope in
                zip(self.names, self.point.tolist(), self.gradient.tolist(), strict=True)]  # fmt: skip
        return {"title": self.title, "rows": rows, "value": self.value, "kind": self.kind, "converged": self.converged,
                "message": self.message, "eigenvalues": self.eigenvalues.tolist(), "values": self.values,
                "gradients": self.gradients, "products": self.products}  # fmt: skip


class _Counted:
    """f and its derivatives, with counts. Infinite where f has no value, so that a search steps back."""

    def __init__(self, f: Function | Total) -> None:
        self.f, self.values, self.gradients, self.products = f, 0, 0, 0
        self._value = f.compile() if isinstance(f, Function) else f
        self._gradient = f.compile(derivative="gradient") if isinstance(f, Function) else f.gradient
        self._product = f.compile(derivative="hvp") if isinstance(f, Function) else f.hvp

    def value(self, x: FloatArray) -> float:
        self.values += 1
        try:
            found = float(self._value(x))
        except (DomainError, OverflowedError):
            return math.inf
        return found if found == found else math.inf

    def gradient(self, x: FloatArray) -> FloatArray:
        self.gradients += 1
        found = np.asarray(self._gradient(x))
        return found if np.isfinite(found).all() else np.asarray(self.f.gradient(x))

    def product(self, x: FloatArray, v: FloatArray) -> FloatArray:
        self.products += 1
        if not np.isfinite(v).all():
            raise MethodError(f"the search broke down near {x.tolist()}: its steps are too short to be squared; "
                              "f has a kink there, or needs a larger scale")  # fmt: skip
        found = np.asarray(self._product(x, v))
        return found if np.isfinite(found).all() else np.asarray(self.f.hvp(x, v))


def minimize(
    f: Any, start: Any, bounds: Any = None, constraints: Sequence[tuple[Any, Any, Any]] = (), steps: int = 1000,
    method: str = "scipy",
) -> Minimum:  # fmt: skip
    """A local minimum of f near `start`. f is a function of one output, or a loss over data, `adlab.total(…)`.

    `bounds` maps names to (low, high), with None for no limit. `constraints` are triples: a formula in f's variables, and the
    smallest and largest value that it may have. `steps` is the most steps that are taken. `method="ipopt"` searches with IPOPT,
    through cyipopt, by exact first and second derivatives.

    Raises MissingExtra without SciPy, DomainError where f has no value at the start, OverflowedError where a derivative leaves
    binary64, MethodError where the search breaks down.

    >>> found = minimize("(1 - x)**2 + 100*(y - x**2)**2", {"x": -1.2, "y": 1.0})
    >>> found.point.round(9), found.kind
    (array([1., 1.]), 'minimum')
    """
    try:
        import scipy.optimize as optimize
    except ImportError:
        raise MissingExtra('adlab.minimize needs SciPy; pip install "adlab[fit]"') from None
    g: Function | Total = f if isinstance(f, Total) else as_function(f)
    if isinstance(g, Function) and g.m != 1:
        raise MethodError(f"a minimum needs one output, and this function has m = {g.m}")
    if isinstance(g, Function) and not g.scalar:
        g = Function.from_graph(g.graph, g.name)
    names = g.parameters if isinstance(g, Total) else g.names
    if not names:
        raise MethodError("there is nothing to search: the function has no variables")
    x, counted = coerce_one(start, names, "start"), _Counted(g)
    g(x)  # raises where f has no value
    if method not in ("scipy", "ipopt"):
        raise OptionError(f"method={method!r} is neither 'scipy' nor 'ipopt'")
    within = [_constraint(optimize, one, names) for one in constraints]
    box = optimize.Bounds(*limits(bounds, names))
    if method == "ipopt":
        found = by_ipopt(counted.value, counted.gradient, lambda y: np.asarray(g.hessian(y)), x, box, within, steps)
        at, eigenvalues, kind = np.asarray(found.x), NONE, "constrained"
        if bounds is None and not constraints:
            eigenvalues = np.asarray(np.linalg.eigvalsh(g.hessian(at)), float)
            kind = _kind(eigenvalues)
    elif bounds is None and not constraints:
        found, at, eigenvalues, kind = _search(optimize, counted, x, steps)
    else:
        found = optimize.minimize(
            counted.value, x, jac=counted.gradient, hessp=counted.product, method="trust-constr",
            bounds=box, constraints=within,
            options={"gtol": 0, "xtol": 1e-9, "barrier_tol": 1e-13, "maxiter": steps},
        )  # fmt: skip
        at, eigenvalues, kind = np.asarray(found.x), NONE, "constrained"
    title = repr(g) if isinstance(g, Total) else g.title
    return Minimum(
        title, tuple(names), at, float(g(at)), np.asarray(g.gradient(at)), eigenvalues, kind, bool(found.status in (0, 1, 2))
        and bool(found.success), str(found.message).rstrip("."), counted.values, counted.gradients, counted.products,
    )  # fmt: skip


def _search(optimize: Any, counted: _Counted, start: FloatArray, steps: int) -> tuple[Any, FloatArray, FloatArray, str]:
    """SciPy's searches, each from where the last stopped too soon, then the point, the Hessian's eigenvalues and the kind."""
    at, slope, examined = start, 1 + _norm(counted.gradient(start)), len(start) <= LARGEST_HESSIAN
    for _ in range(SEARCHES):
        with np.errstate(all="ignore"):  # SciPy divides by squares of steps; `product` refuses what comes of that
            found = optimize.minimize(
                counted.value, at, jac=counted.gradient, hessp=counted.product, method="trust-ncg",
                options={"gtol": SMALL * slope, "maxiter": steps},
            )  # fmt: skip
        at = np.asarray(found.x)
        if not found.success or not examined:
            break
        at = _polished(counted, at)
        if _settled(counted, at, start):
            break
        slope = _norm(counted.gradient(at))
    else:
        found.success, found.message = False, "a Newton step still moves the point"
    eigenvalues = np.asarray(np.linalg.eigvalsh(counted.f.hessian(at)), float) if examined else NONE
    kind = _kind(eigenvalues)
    return found, at, eigenvalues, "flat" if kind == "minimum" and _bent(counted, at) else kind


def _norm(v: FloatArray) -> float:
    """The length of v, also where squares would leave binary64."""
    return math.hypot(*v.tolist())


def _newton(counted: _Counted, x: FloatArray) -> FloatArray:
    """The Newton step from x, without the directions in which the Hessian is 0 to rounding."""
    return np.asarray(np.linalg.lstsq(counted.f.hessian(x), -counted.gradient(x), rcond=None)[0])


def _polished(counted: _Counted, x: FloatArray) -> FloatArray:
    """The end of the search after Newton steps, as long as they shrink: the search itself stops where values no longer tell."""
    before = NEARLY
    for _ in range(MOST_POLISHED):
        step = _newton(counted, x)
        size = float(np.max(np.abs(step) / np.maximum(np.abs(x), 1.0)))
        if not size <= before / 2 or math.isinf(counted.value(x + step)):
            return x
        x, before = x + step, size
    return x


def _settled(counted: _Counted, x: FloatArray, start: FloatArray) -> bool:
    """Whether a Newton step is short beside x or beside the way from the start, as at a minimum and not on a slope."""
    scale = np.maximum(np.abs(x), np.abs(x - start))
    scale = np.maximum(scale, SMALL * scale.max())  # a variable that is 0 from the start still has rounding errors
    return bool(np.all(np.abs(_newton(counted, x)) <= NEARLY * scale))


def _bent(counted: _Counted, x: FloatArray) -> bool:
    """Whether the curvature changes much along a Newton step, as at the inflection of x**3 and at the minimum of x**4."""
    step = _newton(counted, x)
    length = float(np.abs(step).max())
    if not length or math.isinf(counted.value(x + step)):
        return False
    along = step / length
    here, there = (float(along @ counted.product(y, along)) for y in (x, x + step))
    return abs(there - here) > BENT * abs(here)


def _kind(eigenvalues: FloatArray) -> str:
    """The kind that the eigenvalues tell. One below the rounding of the largest counts as 0."""
    if not len(eigenvalues):
        return ""
    rounding = len(eigenvalues) * 2.0**-52 * float(np.abs(eigenvalues).max())
    return "minimum" if eigenvalues[0] > rounding else "saddle" if eigenvalues[0] < -rounding else "flat"


def _constraint(optimize: Any, one: tuple[Any, Any, Any], names: Sequence[str]) -> Any:
    """A constraint in SciPy's form, with its exact sparse Jacobian and Hessian."""
    try:
        formula, low, high = one
    except (TypeError, ValueError):
        raise OptionError(f"a constraint is a triple (formula, least, largest), and this is {one!r}") from None
    c = formula if isinstance(formula, Function) else Function(formula, list(names))
    if c.names != list(names):
        raise OptionError(f"a constraint has the variables {listing(c.names)}, and f has {listing(list(names))}, in this order")
    try:
        least, largest = (-math.inf if low is None else float(low)), (math.inf if high is None else float(high))
    except (TypeError, ValueError):
        raise OptionError(f"a constraint's least and largest value are numbers or None; found {low!r}, {high!r}") from None
    if not least <= largest:
        raise OptionError(f"the constraint on {c.title} lies between {least} and {largest}; the first must not be larger")
    second: Callable[..., Any] = c.compile(derivative="hessian")
    return optimize.NonlinearConstraint(
        lambda x: np.atleast_1d(c(x)), least, largest,
        jac=lambda x: c.jacobian(x, sparse=True), hess=lambda x, v: np.tensordot(v, np.reshape(second(x), (c.m, c.n, c.n)), 1),
    )  # fmt: skip
