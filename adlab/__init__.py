"""adlab differentiates a formula every way there is, and says which answer to trust.

You give a formula as text or as a SymPy expression. adlab gives its derivative as a formula, as a program and as numbers. It
uses reverse and forward mode on a computational graph, symbolic differentiation, finite differences, the complex step, and
other libraries. It judges every number against the truth, to 30 digits.

>>> import adlab
>>> f = adlab.Function("x*sin(y)")
>>> f.diff("y"), f.gradient([2.0, 0.0])
(x*cos(y), array([0., 2.]))
>>> report = adlab.compare(f, [2.0, 1.0])      # print(report): every method, and a verdict
>>> adlab.derive(f).sizes["reverse program"]   # the derivative as formulas and as programs
3

Start with compare, derive and truth. Then steps, swell, cost, rounding, enclose, check and exercise look closer.
adlab.methods() lists the methods, adlab.gallery the named functions, adlab.glossary() the words. adlab/README.md explains
how the code is laid out.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adlab import gallery as gallery
    from adlab.arithmetic.catalogue import walk as walk
    from adlab.arithmetic.registration import primitive as primitive
    from adlab.audit.improve import improve as improve
    from adlab.audit.reading import read as read
    from adlab.audit.rules import rules as rules
    from adlab.audit.sweep import sweep as sweep
    from adlab.errors import (
        AdlabError as AdlabError,
        DomainError as DomainError,
        GaveUp as GaveUp,
        GraphError as GraphError,
        InaccurateError as InaccurateError,
        MethodError as MethodError,
        MissingExtra as MissingExtra,
        OptionError as OptionError,
        OverflowedError as OverflowedError,
        ParseError as ParseError,
        PointError as PointError,
        ReadingWarning as ReadingWarning,
        TracingError as TracingError,
        UnsupportedExpression as UnsupportedExpression,
        VariableError as VariableError,
    )
    from adlab.function import Function as Function
    from adlab.methods import methods as methods
    from adlab.page.verb import page as page
    from adlab.primitives.reader import parse as parse
    from adlab.report.check import check as check
    from adlab.report.compare import compare as compare
    from adlab.report.conditioning import conditioning as conditioning
    from adlab.report.cost import cost as cost
    from adlab.report.derivatives import derivatives as derivatives
    from adlab.report.derive import derive as derive
    from adlab.report.difference import difference as difference
    from adlab.report.difference_contest import contest as contest
    from adlab.report.direct import gradient as gradient, hessian as hessian, jacobian as jacobian
    from adlab.report.enclose import enclose as enclose
    from adlab.report.exercise import exercise as exercise
    from adlab.report.glossary import glossary as glossary
    from adlab.report.grid import table as table
    from adlab.report.marking import grade as grade
    from adlab.report.overview import overview as overview
    from adlab.report.peers import conventions as conventions
    from adlab.report.planted import planted as planted
    from adlab.report.rounding import rounding as rounding
    from adlab.report.saved import load as load
    from adlab.report.sheet import sheet as sheet
    from adlab.report.side_by_side import side_by_side as side_by_side
    from adlab.report.steps import steps as steps
    from adlab.report.swell import swell as swell
    from adlab.report.truth import truth as truth
    from adlab.report.value import value as value
    from adlab.tracing.control import (
        cond as cond,
        scan as scan,
        where as where,
        while_loop as while_loop,
    )
    from adlab.tracing.external import external as external
    from adlab.tracing.solvers import (
        fixed_point as fixed_point,
        integral as integral,
        linear_solve as linear_solve,
        minimum as minimum,
        ode as ode,
        root as root,
    )
    from adlab.tracing.traced import from_python as from_python
    from adlab.use.checkpoints import checkpointed as checkpointed
    from adlab.use.fields import (
        curl as curl,
        divergence as divergence,
        laplacian as laplacian,
        second_along as second_along,
    )
    from adlab.use.fit import fit as fit
    from adlab.use.minimize import minimize as minimize
    from adlab.use.prove import prove as prove
    from adlab.use.total import total as total

__version__ = "0.1.0"

# Nothing is imported before it is used. So `adlab --help` answers at once; importing SymPy alone takes a third of a second.
_HOME = {
    **dict.fromkeys(
        ["AdlabError", "DomainError", "GaveUp", "GraphError", "InaccurateError", "MethodError", "MissingExtra",
         "OptionError", "OverflowedError", "ParseError", "PointError", "ReadingWarning", "TracingError",
         "UnsupportedExpression", "VariableError"],
        "adlab.errors",
    ),
    "Function": "adlab.page.attach",
    "check": "adlab.report.check",
    "compare": "adlab.report.compare",
    "conditioning": "adlab.report.conditioning",
    "contest": "adlab.report.difference_contest",
    "conventions": "adlab.report.peers",
    "cost": "adlab.report.cost",
    "derivatives": "adlab.report.derivatives",
    "derive": "adlab.report.derive",
    "difference": "adlab.report.difference",
    "enclose": "adlab.report.enclose",
    "exercise": "adlab.report.exercise",
    "glossary": "adlab.report.glossary",
    "grade": "adlab.report.marking",
    **dict.fromkeys(["cond", "scan", "where", "while_loop"], "adlab.tracing.control"),
    **dict.fromkeys(["fixed_point", "integral", "linear_solve", "minimum", "ode", "root"], "adlab.tracing.solvers"),
    "external": "adlab.tracing.external",
    "from_python": "adlab.tracing.traced",
    "gradient": "adlab.report.direct",
    "hessian": "adlab.report.direct",
    "improve": "adlab.audit.improve",
    "jacobian": "adlab.report.direct",
    "load": "adlab.report.saved",
    "methods": "adlab.methods",
    "overview": "adlab.report.overview",
    "page": "adlab.page.verb",
    "parse": "adlab.primitives.reader",
    "planted": "adlab.report.planted",
    "primitive": "adlab.arithmetic.registration",
    "read": "adlab.audit.reading",
    "rounding": "adlab.report.rounding",
    "rules": "adlab.audit.rules",
    "sheet": "adlab.report.sheet",
    "side_by_side": "adlab.report.side_by_side",
    "steps": "adlab.report.steps",
    "sweep": "adlab.audit.sweep",
    "swell": "adlab.report.swell",
    "table": "adlab.report.grid",
    "checkpointed": "adlab.use.checkpoints",
    **dict.fromkeys(["curl", "divergence", "laplacian", "second_along"], "adlab.use.fields"),
    "fit": "adlab.use.fit",
    "minimize": "adlab.use.minimize",
    "prove": "adlab.use.prove",
    "total": "adlab.use.total",
    "truth": "adlab.report.truth",
    "walk": "adlab.arithmetic.catalogue",
    "value": "adlab.report.value",
}  # fmt: skip

__all__ = ["__version__", "gallery", *_HOME]


def __getattr__(name: str) -> Any:
    if name == "gallery":
        found: Any = importlib.import_module("adlab.gallery")
        _attach()
        return found
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        _attach()
        globals()[name] = value  # the next access finds it at once
        return value
    raise AttributeError(f"module 'adlab' has no attribute {name!r}")


def _attach() -> None:
    """Whoever has a `Function` by now has its method `page`, whatever name of the package it came by."""
    if "adlab.function" in sys.modules:
        importlib.import_module("adlab.page.attach")


class _Package(ModuleType):
    """`adlab.truth` and `adlab.methods` are functions. Importing the module of the same name would put it in their place."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
