"""A graph at one point: its values and its derivatives, each checked before it is returned.

`Evaluator` owns what is made once for a graph: derivative programs and compiled functions. It computes in binary64, then asks
whether that was enough. Has a number left binary64's range on the way (`flags`)? Is the result finite? Is the point on a
kink? Where binary64 was not enough, `careful` computes the point again. What has no answer there is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from adlab.arithmetic import flags
from adlab.arithmetic.domain import explain, in_range, kinked, steady
from adlab.arithmetic.extended import EXTENDED, number
from adlab.arithmetic.floats import FLOATS, Floats
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.running import Runner
from adlab.arithmetic.settled import outputs
from adlab.autodiff import programs
from adlab.autodiff.agreeing import agreeing
from adlab.autodiff.careful import exact_rows, exact_second, product, walked
from adlab.autodiff.declared import contradicted
from adlab.autodiff.jacobian import Mode, adjoints, jacobian, tangents
from adlab.autodiff.lopsided import evened
from adlab.autodiff.plain import plain_jacobian, plain_product
from adlab.autodiff.reasons import naming_the_others
from adlab.autodiff.ties import disputed
from adlab.autodiff.watching import Watching, watched
from adlab.errors import AdlabError, DomainError, MethodError, OverflowedError
from adlab.graph.graph import Graph
from adlab.inputs import Errors, FloatArray
from adlab.precision import in_patience

T = TypeVar("T")
SWEEPS = 8
"""Writing a reverse-mode program takes as long as about this many reverse sweeps. So the first points are only swept."""
LARGEST_FORWARD_PROGRAM = 1_000_000
"""A forward-mode program grows as operations × inputs. Beyond this product it is not written; numbers are swept instead."""

BY_COMPLEX = "f is real here only by way of complex numbers, and rounding decides its {}"


class Evaluator:
    """Values and derivatives of one graph at a point, shape (n,): NaN where there are none.

    `within` is for derivative programs: the function that the graph differentiates. Outside its domain there is no value.
    `declared` gives the signs that variables were declared with, as in {"p": "positive"}. SymPy has simplified the formula by
    them, so there is no value where they fail.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> at = Evaluator(lower([x * y, sympy.log(x)], [x, y]))
    >>> at.jacobian(np.array([2.0, 3.0]))
    array([[3. , 2. ],
           [0.5, 0. ]])
    """

    def __init__(self, graph: Graph, within: Evaluator | None = None, declared: Mapping[str, str] | None = None) -> None:
        self.graph = graph
        self.n, self.m = len(graph.inputs), len(graph.outputs)
        self.within = within
        self.declared = {name: sign for name, sign in declared.items() if name in graph.inputs} if declared else {}
        self._made: dict[Any, Any] = {}
        self._swept = 0

    def _once(self, key: Any, make: Callable[[], T]) -> T:
        if key not in self._made:
            self._made[key] = make()
        found: T = self._made[key]
        return found

    def program(self, mode: Mode = "reverse") -> Graph:
        """The derivative program, with the values first. A NaN among them says that the point is outside the domain."""
        return self._once(mode, lambda: programs.derivative(self.graph, mode, value=True))

    @property
    def written(self) -> bool:
        """Whether the reverse-mode program has been written."""
        return "reverse" in self._made

    @property
    def unwritable(self) -> bool:
        """Whether the forward-mode program would be too large to write."""
        return self.n * len(self.graph) > LARGEST_FORWARD_PROGRAM

    def _runner(self, graph: Graph) -> Runner:
        return self._once(("runner", id(graph)), lambda: Runner(graph))

    def _trusted(self, graph: Graph, point: FloatArray, found: FloatArray, raised: bool) -> bool:
        """Whether binary64 was enough for `found`. Where the flags cannot be read, all values of `graph` are inspected."""
        if np.isinf(found).any() or not self._once("steady", lambda: steady(self.graph)):
            return False
        return not raised or (not flags.known and in_range(graph, point.tolist()))

    @property
    def plain(self) -> int:
        """How many outputs, the first ones, are values of a function. The others are derivatives, which are never infinite."""
        if self.within is None:
            return self.m
        return self.within.plain if self.keeps_values else 0

    @property
    def keeps_values(self) -> bool:
        """Whether the graph, a derivative program, has the values of the function that it differentiates as its first outputs."""
        return self.within is not None and self.m > self.within.m * self.n

    # --- values and first derivatives ---------------------------------------------------------------------------

    def inside(self, point: FloatArray) -> bool:
        """Whether the variables have their declared signs, and the function that the graph differentiates has its values."""
        if contradicted(self.declared, self.graph.inputs, point) is not None:
            return False
        return self.within is None or (self.within.inside(point) and not np.isnan(self.within.unlimited(point)).any())

    def values(self, point: FloatArray) -> FloatArray:
        """The outputs, shape (m,). A value beyond binary64 is infinite, a derivative beyond it is NaN: `gradient` raises."""
        found = self.unlimited(point)
        if self.within is not None:
            found[self.plain :][np.isinf(found[self.plain :])] = np.nan
        return found

    def unlimited(self, point: FloatArray) -> FloatArray:
        """As `values`, but derivatives beyond binary64 are infinite, too: they exist."""
        if self.declared and not self.inside(point):
            return np.full(self.m, np.nan)
        runner, given = self._runner(self.graph), point.tolist()
        row, raised = watched(lambda: runner.real(given))
        found = np.array(row)
        if self.within is not None:
            exists = not np.isnan(found).any() and not np.isnan(self.within.unlimited(point)).any()
            if exists and self._trusted(self.graph, point, found, raised) and not kinked(self.within.graph, given):
                return found
            return self.within.row(point, values=self.keeps_values)
        if np.isnan(found).any() or not self._trusted(self.graph, point, found, raised):
            careful = np.array(outputs(self.graph, given))
            known = np.isfinite(found) & np.isnan(careful) & in_range(self.graph, given)  # some flags tell of nothing
            found = np.where(known | (np.isnan(found) & np.isinf(careful)), found, careful)
        rescued = np.array(runner.rescued(tuple(found.tolist()), given))
        return np.where(np.isnan(row), rescued, found)  # complex numbers in binary64 know no more than real ones that are refused

    def several(self, points: FloatArray) -> FloatArray:
        """The outputs at a few points, (N, n) to (N, m), as `values` has them; one look at the flags serves all."""
        if self.within is None:
            runner, given = self._runner(self.graph), points.tolist()
            rows, raised = watched(lambda: [runner.real(point) for point in in_patience(given)])
            found = np.array(rows).reshape(len(given), self.m)
            if not raised and np.isfinite(found).all():
                return found
        return np.array([self.values(point) for point in in_patience(points)]).reshape(len(points), self.m)

    def row(self, point: FloatArray, values: bool, partials: bool = True) -> FloatArray:
        """The values, the partials row-major, or both in this order, in one array; NaN where there is none."""
        parts = [self.unlimited(point)] if values else []
        return np.concatenate([*parts, self.jacobian(point).ravel()] if partials else parts)

    def jacobian(self, point: FloatArray, mode: Mode = "reverse") -> FloatArray:
        """All partials, shape (m, n). The first points are swept on floats; later points use the compiled program.

        Both agree to a few roundings: the program folds constants that a sweep multiplies.
        """
        if mode == "reverse" and (plain := self.plainly(point)) is not None:
            return plain
        given = point.tolist()
        found, raised = self._quickly(point, mode)
        trusted = self._trusted(self._reread(mode), point, found, raised) and not np.isnan(found).any()
        if trusted and not disputed(self.graph, given):
            return self._existing_rows(found, point)
        values, rows = walked(self.graph, given)
        found = np.array(rows).reshape(self.m, self.n)
        if raised and np.isnan(values).any():
            found = np.where(np.isnan(found), self._in_range_after_all(point), found)
        if np.isnan(values).any():  # f may be real by way of complex numbers, which its programs can compute
            by_complex = agreeing(lambda x: self._partials_of(self._runner(self.program(mode))(x)), point)
            found = np.where((np.isnan(values) & self._unreal(given))[:, None], by_complex, found)
        if np.isnan(found).any() and self.within is not None and self.within.m == 1 and self.m - self.n in (0, 1):
            second = self.within.second(point, np.eye(self.n))  # the graph is a gradient, after the value where there is one more
            found[self.m - self.n :] = np.where(np.isnan(second), found[self.m - self.n :], second)
        return self._existing_rows(found, point)

    def plainly(self, point: FloatArray) -> FloatArray | None:
        """The swept Jacobian by the compiled core. None without it, and where anything here needs a closer look."""
        sweeps = self._swept < SWEEPS and self.within is None and (not self.declared or self.inside(point))
        found = plain_jacobian(self.graph, point) if sweeps else None
        self._swept += found is not None
        return found

    def _quickly(self, point: FloatArray, mode: Mode) -> tuple[FloatArray, bool]:
        """The Jacobian in binary64, and whether a number left its range on the way."""
        given = point.tolist()
        if mode == "reverse" and self._swept < SWEEPS:
            self._swept += 1
            rows, raised = watched(lambda: jacobian(self.graph, self._walk(point), FLOATS))
            return np.array(rows).reshape(self.m, self.n), raised
        if mode == "forward" and self.unwritable:
            watching = Watching()
            return self._product(point, np.eye(self.n), watching), watching.alarmed
        program = self.program(mode)
        row, raised = watched(lambda: self._runner(program).real(given))
        return self._partials_of(row), raised or not self._once(("steady", mode), lambda: steady(program))

    def _in_range_after_all(self, point: FloatArray) -> FloatArray:
        """The Jacobian in binary64 where a look at all values finds none that is out of range, whatever a flag says; else NaN."""
        given, program = point.tolist(), self.program()
        if disputed(self.graph, given) or not in_range(program, given):
            return np.full((self.m, self.n), np.nan)
        return self._partials_of(self._runner(program).real(given))

    def _unreal(self, given: Sequence[float]) -> Any:
        """Which outputs have no value over the reals in binary64."""
        return np.isnan(self._runner(self.graph).real(given))

    def _partials_of(self, row: Sequence[float]) -> FloatArray:
        """The partials among the outputs of a derivative program with the values first; NaN where there is no value."""
        both = np.array(row)
        return np.where(np.isnan(both[: self.m])[:, None], np.nan, both[self.m :].reshape(self.m, self.n))

    def _reread(self, mode: Mode) -> Graph:
        """The graph whose values are inspected where the flags cannot be read."""
        return self.graph if flags.known or (mode == "forward" and self.unwritable) else self.program(mode)

    def _existing_rows(self, found: FloatArray, point: FloatArray) -> FloatArray:
        if self.within is None and not self.declared:
            return found
        return np.where(np.isnan(self.unlimited(point))[:, None], np.nan, found)

    def jvp(self, point: FloatArray, direction: FloatArray) -> FloatArray:
        """The Jacobian times a vector, shape (m,): one forward sweep."""
        seeds = dict(enumerate(direction.tolist()))
        moved, raised = watched(lambda: tangents(self.graph, self._walk(point), seeds, FLOATS))
        found = np.array(moved)
        if self._good(found, point, raised):
            return found
        return self._carefully(point, lambda rows: product(rows, direction.tolist()))

    def vjp(self, point: FloatArray, weights: FloatArray) -> FloatArray:
        """A vector times the Jacobian, shape (n,): one reverse sweep."""
        bars, raised = watched(lambda: adjoints(self.graph, self._walk(point), weights.tolist(), FLOATS))
        found = np.array(bars)
        if self._good(found, point, raised):
            return found
        return self._carefully(point, lambda rows: product(list(map(list, zip(*rows, strict=True))), weights.tolist()))

    def products(self, point: FloatArray, directions: FloatArray, weights: FloatArray) -> tuple[Any, Any] | None:
        """The Jacobian times each row of `directions`, and each row of `weights` times the Jacobian, by sweeps in binary64.

        None where binary64 is not enough at this point.
        """
        if not self._plain(point):
            return None
        values, first = watched(lambda: self._walk(point))
        seeds, bars = [dict(enumerate(row)) for row in directions.tolist()], weights.tolist()
        moved, second = watched(lambda: [tangents(self.graph, values, seed, FLOATS) for seed in seeds])
        swept, third = watched(lambda: [adjoints(self.graph, values, bar, FLOATS) for bar in bars])
        found = np.array([entry for row in (*moved, *swept) for entry in row])
        good = self._trusted(self._reread("reverse"), point, found, first or second or third) and not np.isnan(found).any()
        return (np.array(moved), np.array(swept)) if good else None

    def _good(self, found: FloatArray, point: FloatArray, raised: bool) -> bool:
        good = self._trusted(self._reread("reverse"), point, found, raised) and not np.isnan(found).any()
        return good and self._plain(point)

    def _plain(self, point: FloatArray) -> bool:
        """Whether nothing but the range of binary64 can spoil a sweep at this point."""
        return self.within is None and not self.declared and not disputed(self.graph, point.tolist())

    def _carefully(self, point: FloatArray, multiplied: Callable[[list[list[Any]]], list[float]]) -> FloatArray:
        values, rows = exact_rows(self.graph, point.tolist())
        if not all(EXTENDED.exists(value) for value in values) or self.within is not None or self.declared:
            rows = [[number(entry) for entry in row] for row in self.jacobian(point).tolist()]
        return np.array(multiplied(rows))

    def _walk(self, point: FloatArray) -> list[Any]:
        return list(evaluate(self.graph, point.tolist(), FLOATS))

    def _product(self, point: FloatArray, directions: FloatArray, arithmetic: Floats = FLOATS) -> FloatArray:
        """The Jacobian times each column, in one forward sweep whose tangents are rows. No program is written."""
        with np.errstate(all="ignore"):
            seeds: dict[int, Any] = dict(enumerate(directions))
            found = tangents(self.graph, self._walk(point), seeds, arithmetic, still=np.zeros(directions.shape[1]))
        return np.array(found).reshape(self.m, directions.shape[1])

    # --- second derivatives -------------------------------------------------------------------------------------

    def second(self, point: FloatArray, directions: FloatArray) -> FloatArray:
        """The Hessian of the one output times each column of `directions`: a forward sweep over the gradient program."""
        if self.declared and not self.inside(point):
            return np.full((self.n, directions.shape[1]), np.nan)
        program = self.program()  # the value first, then the gradient
        if (plain := plain_product(program, point, directions)) is not None:
            return evened(plain[1:], directions, self.graph, program, point, self.jacobian)
        gradient = self._once("gradient", lambda: Evaluator(program))
        watching = Watching()
        flags.clear()
        found = gradient._product(point, directions, watching)
        trusted = np.isfinite(found).all() and not watching.alarmed and not kinked(program, point.tolist())
        trusted = trusted and self._once(("steady", "reverse"), lambda: steady(program))
        if trusted and (flags.known or in_range(self._twice, point.tolist())):
            return evened(found[1:], directions, self.graph, program, point, self.jacobian)
        values, _ = exact_rows(self.graph, point.tolist())
        if EXTENDED.exists(values[0]):
            matrix = exact_second(self.graph, program, point.tolist(), self.jacobian(point)[0].tolist())
        else:  # f may be real by way of complex numbers, which its programs can compute
            rows = agreeing(lambda x: np.array(self._runner(self._twice)(x))[self.n :].reshape(self.n, self.n), point)
            if not np.isfinite(self.values(point)).all() or not self._unreal(point.tolist()).all():
                rows = np.full((self.n, self.n), np.nan)
            matrix = [[number(entry) for entry in row] for row in rows.tolist()]
        return np.array([product(matrix, column) for column in directions.T.tolist()]).T

    @property
    def _twice(self) -> Graph:
        return self._once("twice", lambda: programs.derivative(self.program(), "forward"))

    # --- refusals -----------------------------------------------------------------------------------------------

    def finite(self, partials: FloatArray, point: FloatArray) -> FloatArray:
        """The partials at a point. Raises OverflowedError, which names the first partial that is beyond binary64."""
        if np.isinf(partials).any():
            raise self.beyond(point, *np.argwhere(np.isinf(partials))[0].tolist())
        return partials

    def beyond(self, point: FloatArray, row: int, column: int) -> OverflowedError:
        """The error for a partial that is beyond binary64. It names the operation that overflows, if one does."""
        reason = explain(self.graph, point.tolist())
        if isinstance(reason, OverflowedError):
            return reason
        of = f" of output {row}" if self.m > 1 else ""
        partial = f"the partial by {self.graph.inputs[column]}{of}"
        return OverflowedError(f"{partial} is beyond binary64 at this point (more than 1.8e308); scale the variables")

    def finite_row(self, found: FloatArray) -> FloatArray:
        """A product of the Jacobian and a vector. Raises OverflowedError where an entry is beyond binary64."""
        if np.isinf(found).any():
            raise OverflowedError(f"entry {np.argmax(np.isinf(found))} of the product is beyond binary64 (more than 1.8e308)")
        return found

    def second_or_reason(self, point: FloatArray, directions: FloatArray) -> FloatArray:
        """As `second`. Raises MethodError for several outputs, and the reason where a second derivative is missing."""
        if self.m != 1:
            raise MethodError(f"a Hessian needs one output, and this function has m = {self.m}")
        found = self.second(point, directions)
        if np.isfinite(found).all():
            return found
        if np.isnan(found).any():
            self.checked(self.values(point), point)
            given, gradient = point.tolist(), self.program()
            if self._unreal(given).any():
                raise DomainError(BY_COMPLEX.format("second derivative"))
            graphs = [(self.graph, "f"), (gradient, "the gradient")][int(not np.isnan(self.jacobian(point)).any()) :]
            reasons = (explain(graph, given, True, name) for graph, name in graphs)
            raise next(filter(None, reasons), DomainError("f has no second derivative at this point"))
        raise OverflowedError("a second derivative is beyond binary64 at this point (more than 1.8e308); scale the variables")

    def checked(
        self, found: FloatArray, points: FloatArray, errors: Errors = "raise", derivative: bool = False
    ) -> FloatArray:
        """What was found at one point, or at a batch of points. A NaN at one point is never returned: its reason is raised.

        In a batch a NaN stays, unless `errors` is "raise".
        """
        missing = np.isnan(found)
        if missing.any() and (points.ndim == 1 or errors == "raise"):
            rest = tuple(range(points.ndim - 1, found.ndim))
            place = tuple(np.argwhere(missing.any(axis=rest))[0])
            reason = self.reason(points[place], derivative)
            if found.ndim == points.ndim + 1:
                reason = naming_the_others(reason, found[place], self.graph.inputs)
            raise reason
        return found

    def reason(self, point: FloatArray, derivative: bool = False) -> AdlabError:
        """Why there is no value, or no derivative, at a point."""
        if (wrong := contradicted(self.declared, self.graph.inputs, point)) is not None:
            return wrong
        if self.within is not None:
            found = self.unlimited(point)
            beyond = np.isinf(found) & (np.arange(self.m) >= self.plain)
            if beyond.any():
                place = int(np.argmax(beyond)) - self.within.m * self.keeps_values
                return self.within.beyond(point, *divmod(place, self.n)) if place >= 0 else self.within.reason(point)
            if np.isnan(self.within.unlimited(point)).any():
                return self.within.reason(point)
        reason = explain(self.graph, point.tolist(), derivative)
        if reason is None and derivative:
            reason = explain(self.program("reverse"), point.tolist(), name="the derivative")
        return reason or self._unfollowed(point)

    def _unfollowed(self, point: FloatArray) -> AdlabError:
        """Why there is no answer where no condition fails, and nothing is infinite."""
        given, exists = point.tolist(), not np.isnan(self.unlimited(point)).any()
        if exists and self._unreal(given).any():
            return DomainError(BY_COMPLEX.format("derivative"))
        inside = in_range(self.graph, given) and in_range(self.program(), given)
        if inside and exists:
            return DomainError("f has a value at this point, but not in its neighbourhood; try another method or step")
        left = "" if inside else "binary64 leaves its range on the way at this point, and "
        return OverflowedError(f"{left}an operation is not known there to enough digits; scale the variables")
