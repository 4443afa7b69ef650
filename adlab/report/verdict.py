"""The verdict in plain words: which methods to trust here, which not, and why.

Each rule reads the facts and says one sentence, or nothing. A sentence names the rows and nodes that it depends on. So other
numbers give other sentences.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from adlab.display import count
from adlab.methods import UNROLLED
from adlab.precision import UNIT_ROUNDOFF
from adlab.report.accuracy import AccuracyRow
from adlab.report.blame import POOR
from adlab.report.causes import Loss
from adlab.report.conditioning import Conditioning
from adlab.report.cost import Cost
from adlab.report.kinks import ONE_BRANCH
from adlab.report.steps import Split
from adlab.report.swell import Swell
from adlab.report.truth import Truth

FULL = 14.5  # a partial with at least this many digits counts as fully right: 16 minus a few roundings
PREDICTED = 30
"""A condition number explains an error that is up to this many times what it predicts."""


NO_DIGIT = 0.05  # digits: fewer count as none
REWRITABLE = frozenset(["cancellation", "absorption", "magnification", "overflow", "underflow"])
"""Losses that may not be in another form of f."""


@dataclass(frozen=True)
class Sentence:
    """One sentence, and the rows and nodes that it depends on.

    `about` is "methods", or "truth", "swell" or "cost": then a table says the same.
    """

    text: str
    because: tuple[str, ...]
    about: Literal["methods", "truth", "swell", "cost"] = "methods"
    rewritable: bool = False
    """Whether another form of f may not have the fault that it names."""


@dataclass(frozen=True)
class Facts:
    """Everything that the rules may read.

    - `families` names each method's family.
    - `cancellations` are the operations at which f itself loses digits.
    - `losses` has, for each automatic or symbolic method, the operations that cost its worst partial its digits.
    - `kinks` are the nodes on a kink, with the convention that is followed there.
    - `splits` has the measured truncation and roundoff errors of a difference scheme's worst partial.
    - `beyond` is what leaves the range of binary64 on the way.
    - `singular` is an operation that has no derivative here although f has one.
    - `absorbed` are the partials (output, variable) whose variable changes f by less than a rounding.
    """

    n: int
    m: int
    truth: Truth
    accuracy: Sequence[AccuracyRow]
    families: dict[str, str]
    conditioning: Conditioning | None
    cancellations: Sequence[Loss]
    losses: Mapping[str, Sequence[Loss]]
    kinks: Sequence[tuple[str, str]]
    splits: dict[str, Split]
    swell: Swell
    cost: Cost
    beyond: tuple[str, str] = ("", "")
    singular: str = ""
    absorbed: frozenset[tuple[int, int]] = frozenset()

    def worst(self, method: str) -> AccuracyRow | None:
        """The row of a method with the fewest correct digits, if it has any row with digits."""
        judged = [row for row in self.accuracy if row.method == method and row.digits is not None]
        return min(judged, key=lambda row: row.digits or 0.0) if judged else None

    def methods(self, *families: str) -> list[str]:
        """The methods of these families, in the order of the tables."""
        return [name for name, family in self.families.items() if not families or family in families]


def verdict(facts: Facts) -> list[Sentence]:
    """The sentences of the verdict, the most important first. Each rule may add some."""
    said = (rule(facts) for rule in RULES)
    return [sentence for sentences in said for sentence in sentences]


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


# --- the rules ----------------------------------------------------------------------------------------------------


def no_truth(facts: Facts) -> list[Sentence]:
    if facts.truth.status != "unavailable":
        return []
    return [Sentence(f"There is no derivative to judge by: {facts.truth.reason}.", ("truth",), "truth")]


def at_a_kink(facts: Facts) -> list[Sentence]:
    """An operation's kink need not be a kink of f: a Piecewise may fill in at one point what its other branch lacks."""
    chooses = any(word in convention for _, convention in facts.kinks for word in ("comparison", "condition"))
    followed = "the branch taken at" if chooses else "a convention for"
    left = f"f still has a derivative here; a method that follows {followed} this one point may miss it"
    if facts.truth.status == "unavailable":
        left = "what the methods return there is a convention and not a derivative"
    return [
        Sentence(f"The point is on a kink or jump at {node}: {convention}; {left}.", (f"node {node}",))
        for node, convention in facts.kinks
    ]


def returned(facts: Facts) -> list[Sentence]:
    """The convention that each method has followed, or the branch that it took for the whole of f."""
    said: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for variable, convention in dict.fromkeys((row.variable, row.convention) for row in facts.accuracy if row.convention):
        methods = [row.method for row in facts.accuracy if (row.variable, row.convention) == (variable, convention)]
        said.setdefault((convention, tuple(dict.fromkeys(methods))), []).append(f"∂/∂{variable}")
    return [
        Sentence(
            f"{listed(names)} return{'s'[: len(names) == 1]} as {listed(partials)} {convention}{_blamed(convention, names)}.",
            tuple(f"accuracy: {name}" for name in names),
        )
        for (convention, names), partials in said.items()
    ]


def _blamed(convention: str, names: Sequence[str]) -> str:
    """Names SymPy's own rule for Piecewise where that rule is wrong."""
    by_sympy = convention == ONE_BRANCH and any(name in ("symbolic", "symbolic-cse") for name in names)
    return "; this is sympy.diff's own answer, and wrong" if by_sympy else ""


def by_complex(facts: Facts) -> list[Sentence]:
    """Notes on a real value that is reached by way of complex numbers."""
    notes = dict.fromkeys(output.note for output in facts.truth.outputs if output.value is not None and output.note)
    return [Sentence(f"{note}: what computes with real numbers only has no value there.", ("truth",)) for note in notes]


def trusted(facts: Facts) -> list[Sentence]:
    worst = {name: facts.worst(name) for name in facts.methods()}
    good = [name for name, row in worst.items() if row is not None and (row.digits or 0) >= FULL]
    if not good:
        return nearly(facts)
    ulps = max(worst[name].ulps or 0.0 for name in good)  # type: ignore[union-attr]
    each = "every partial" if facts.n * facts.m > 1 else "the derivative"
    if facts.truth.status == "unavailable":
        each = "every partial that exists"
    text = f"Trust {listed(good)}: {each} is right to within {max(1.0, ulps):.2g} ulp{'s'[: ulps > 1]} at this point"
    text += ", which is all that binary64 can promise" if ulps <= 1 else ""
    return [Sentence(text + ".", tuple(f"accuracy: {name}" for name in good))]


def nearly(facts: Facts) -> list[Sentence]:
    """For points where no method is fully right, but automatic differentiation needs no explanation either."""
    best = max(filter(None, map(facts.worst, facts.methods("automatic"))), key=lambda row: row.digits or 0.0, default=None)
    if best is None or (best.digits or 0.0) < POOR:
        return []
    text = f"{best.method} keeps {best.digits:.1f} of 16 digits in its worst partial, ∂/∂{best.variable}: a few roundings add up."
    return [Sentence(text, (f"accuracy: {best.method}, {best.variable}",))]


def out_of_range(facts: Facts) -> list[Sentence]:
    """The methods that lose the derivative to an overflow or underflow on the way."""
    kind, said = facts.beyond
    lost = {row.method for row in facts.accuracy if row.status == kind and row.value is not None}
    by = [name for name in facts.methods() if name in lost]
    if not said or not by:
        return []
    text = f"binary64 {kind}s on the way, {said}, so {listed(by)} cannot be right"
    because = tuple(f"accuracy: {name}" for name in by)
    return [Sentence(f"{text}: scale the variables, or take logarithms.", because, rewritable=True)]


def ill_conditioned(facts: Facts) -> list[Sentence]:
    """Automatic differentiation rounds too. Where it has lost digits, the formula or the point is the reason."""
    found = []
    for name in facts.methods("automatic"):
        row = facts.worst(name)
        if row is None or (row.digits or 0) >= POOR or row.convention or row.status == facts.beyond[0]:
            continue
        found.append(Sentence(f"{name} keeps {row.digits:.1f} of 16 digits in ∂/∂{row.variable}: {_excuse(facts, row)}.",
                              (f"accuracy: {name}, {row.variable}", *_nodes(facts, name)),
                              rewritable=_rewritable(facts, row)))  # fmt: skip
    return found


def _excuse(facts: Facts, row: AccuracyRow) -> str:
    implicit = facts.worst("reverse") if row.method == UNROLLED else None
    if implicit is not None and (implicit.digits or 0.0) > (row.digits or 0.0) + 1:
        return "it differentiates the steps of a loop or solver, whose derivative has not settled when the value has"
    kappa = _condition(facts, row)
    reasons = []
    if kappa is not None and _explained(kappa, row):
        reasons.append(f"the point is ill-conditioned, rounding the inputs alone may cost {kappa * UNIT_ROUNDOFF:.1e} "
                       f"(condition number {kappa:.1e})")  # fmt: skip
    losses = facts.losses.get(row.method, ())
    reasons += [loss.in_words(row.method) for loss in losses]
    for node, _ in () if reasons else facts.kinks[:1]:
        reasons.append(f"it follows the branch taken at {node}, but beside this point f is something else")
    return ", and ".join(reasons) or "no single operation accounts for it; the roundings of the whole program add up"


def _rewritable(facts: Facts, row: AccuracyRow) -> bool:
    """Whether an operation has lost the digits. An ill-conditioned point is the reason of a magnification, but of no other loss:
    the inputs are exact."""
    kinds = {loss.kind for loss in facts.losses.get(row.method, ())} & REWRITABLE
    return bool(kinds - {"magnification"}) or bool(kinds and not _explained(_condition(facts, row), row))


def _explained(kappa: float | None, row: AccuracyRow) -> bool:
    """Whether rounding the inputs alone may cost as much. The condition number is infinite where the derivative is 0."""
    known = kappa is not None and math.isfinite(kappa) and kappa > 0
    return known and row.relative_error is not None and row.relative_error <= PREDICTED * (kappa or 0.0) * UNIT_ROUNDOFF


def _nodes(facts: Facts, method: str) -> tuple[str, ...]:
    return tuple(f"node {loss.name}" for loss in facts.losses.get(method, ())[:1])


def _condition(facts: Facts, row: AccuracyRow) -> float | None:
    if facts.conditioning is None or facts.conditioning.partials is None:
        return None
    names = [r.variable for r in facts.accuracy if r.method == row.method and r.output == row.output]
    return float(facts.conditioning.partials[row.output or 0, names.index(row.variable)])


def cancellation(facts: Facts) -> list[Sentence]:
    """About f itself, which finite differences sample. It is said also where automatic differentiation escapes the loss."""
    named = {loss.node for losses in facts.losses.values() for loss in losses[:1]}
    if not facts.cancellations or facts.cancellations[0].node in named:
        return []
    loss = facts.cancellations[0]
    if loss.kind in ("overflow", "underflow") and facts.beyond[1]:
        return []  # `out_of_range` has said it
    said = loss.in_words()
    if loss.kind == "cancellation":
        said = f"{loss.digits:.0f} of 16 digits cancel at {loss.name} = {loss.written}"
    return [Sentence(f"{said}: f itself is that much less accurate here, and differences of its values inherit it.",
                     (f"node {loss.name}",), rewritable=loss.kind in REWRITABLE - {"magnification"})]  # fmt: skip


def outdone(facts: Facts) -> list[Sentence]:
    """About other exact methods that lose what automatic differentiation keeps.

    Its digits show that the point is not to blame.
    """
    judged = [row for name in facts.methods("automatic") if (row := facts.worst(name)) is not None]
    best = max(judged, key=lambda row: row.digits or 0.0, default=None)
    found = []
    for name in facts.methods("symbolic", "complex step"):
        mine = [row for row in facts.accuracy if row.method == name and (row.relative_error or 0.0) < math.inf]
        row = min((row for row in mine if row.digits is not None), key=lambda row: row.digits or 0.0, default=None)
        if best is None or row is None or row.convention or (row.digits or 0.0) >= min(POOR, (best.digits or 0.0) - 1):
            continue  # where the truth is 0, even an error of 1e-40 has no digits
        text = (f"{name} keeps {row.digits:.1f} of 16 digits in ∂/∂{row.variable} where {best.method} keeps {best.digits:.1f}: "
                f"the loss is the method's own, not the point's{_at(facts.losses.get(name, ()))}.")  # fmt: skip
        found.append(Sentence(text, (f"accuracy: {name}", f"accuracy: {best.method}")))
    return found


def _at(losses: Sequence[Loss]) -> str:
    """The operations of the printed derivative that lose the digits."""
    return f"; in its formula {', and '.join(loss.in_words() for loss in losses)}" if losses else ""


def sampled(facts: Facts) -> list[Sentence]:
    """About finite differences: the best and the worst of them, and which of the two errors limits each."""
    judged = [row for name in facts.methods("difference") if (row := facts.worst(name)) is not None]
    if not judged:
        return []
    best = max(judged, key=lambda row: row.digits or 0.0)
    worst = min(judged, key=lambda row: row.digits or 0.0)
    because = (f"accuracy: {best.method}", f"accuracy: {worst.method}")
    if (worst.digits or 0.0) >= FULL:
        return []  # they are among the trusted
    if (best.digits or 0.0) < NO_DIGIT:
        return _undifferenced(facts, because)
    text = f"Among finite differences {best.method} keeps the most digits, {best.digits:.1f} of 16"
    if worst is not best:
        text += f", and {worst.method} the fewest, {worst.digits:.1f}"
        if worst.method in facts.splits and "kink_in_stencil" not in worst.flags:  # the theory of steps ends at a kink
            text += f": {facts.splits[worst.method].in_words()}"
    return [Sentence(text + ".", because)]


def _undifferenced(facts: Facts, because: tuple[str, ...]) -> list[Sentence]:
    """The partials in which no difference has a digit left, and the best digits of the others."""
    kept: dict[tuple[int, str], float] = {}
    rows = [row for row in facts.accuracy if facts.families.get(row.method) == "difference" and row.digits is not None]
    for row in rows:
        key = row.output or 0, row.variable
        kept[key] = max(kept.get(key, 0.0), row.digits or 0.0)
    lost = [key for key, digits in kept.items() if digits < NO_DIGIT]
    if any(row.relative_error != math.inf for row in rows if (row.output or 0, row.variable) in lost):
        where = f" of {listed([f'∂/∂{name}' for _, name in lost])}" if len(lost) < len(kept) else ""
        text = f"No finite difference keeps a digit{where}"
        names = [row.variable for row in facts.accuracy if row.method == rows[0].method and row.output == rows[0].output]
        if lost and all((i, names.index(name)) in facts.absorbed for i, name in lost):
            text += ": a step in it changes f by less than f's own rounding"
        if where:
            text += f"; of the others the best keeps {min(digits for key, digits in kept.items() if key not in lost):.1f} of 16"
        return [Sentence(text + ".", because)]
    if not lost:  # each scheme has lost another partial
        return []
    size = max(abs(row.value) for row in rows if row.value is not None and (row.output or 0, row.variable) in lost)
    return [Sentence(f"Where the derivative is 0, finite differences find up to {size:.1e}.", because)]


def flagged(facts: Facts) -> list[Sentence]:
    """What a scheme noticed on the way: the domain's edge, a kink inside the stencil, a step too small to exist."""
    words = {
        "left_domain": "stepped outside the domain and turned one-sided: the point is near its edge",
        "kink_in_stencil": "found a kink between {their} nodes",
        "step_not_resolved": "had a step too small to change x",
        "unsettled": "did not settle: a second look at a smaller step contradicts the first",
        "nonfinite": "met a value that is not finite",
    }
    found = []
    for flag, meaning in words.items():
        by = list(dict.fromkeys(row.method for row in facts.accuracy if flag in row.flags and _is_met(flag, row)))
        if by:
            text = f"{listed(by)} {meaning.format(their='its' if len(by) == 1 else 'their')}."
            found.append(Sentence(text, tuple(f"accuracy: {name}" for name in by)))
    return found


def _is_met(flag: str, row: AccuracyRow) -> bool:
    """Where f has no value at the point itself, no scheme has turned one-sided."""
    return flag != "left_domain" or (row.value is not None and math.isfinite(row.value))


def refused(facts: Facts) -> list[Sentence]:
    found, stuck = [], []
    for name in facts.methods():
        row = next((r for r in facts.accuracy if r.method == name), None)
        if row is None or row.value is not None or not row.note:
            continue
        if facts.singular and facts.families[name] in ("automatic", "complex step"):
            stuck.append(name)
        else:
            found.append(Sentence(f"{name}: {row.note.rstrip('.')}.", (f"accuracy: {name}",)))
    if stuck:
        text = (f"{listed(stuck)} cannot pass {facts.singular}: that operation has no finite derivative here, and 0·∞ is "
                "no number. f itself has a derivative here, as the truth says; write it without that operation.")  # fmt: skip
        found.insert(0, Sentence(text, tuple(f"accuracy: {name}" for name in stuck), rewritable=True))
    return found


def swollen(facts: Facts) -> list[Sentence]:
    rows = {row.what: row for row in facts.swell.rows}
    program, symbolic = rows.get("reverse program"), rows.get("symbolic derivative")
    if program is None:
        return []
    text = "Swell: the symbolic derivative gave up"
    if symbolic is not None and symbolic.status == "refused":
        text = "Swell: there is no symbolic derivative to count"
    if symbolic is not None and symbolic.tree_operations is not None:
        size = symbolic.tree_operations
        text = f"Swell: as a tree the symbolic derivative has {count(size)} operation{'s'[: size != 1]}"
    if symbolic is not None and symbolic.cse_operations is not None:
        shared = symbolic.cse_operations != symbolic.tree_operations
        text += f", {count(symbolic.cse_operations)} once common subexpressions are shared" if shared else ", none to share"
    text += f"; the reverse program needs {count(program.graph_operations)}, value included"
    return [Sentence(text + ".", ("swell: symbolic derivative", "swell: reverse program"), "swell")]


def priced(facts: Facts) -> list[Sentence]:
    rows = {row.method: row for row in facts.cost.rows}
    reverse, forward = rows.get("reverse"), rows.get("forward")
    if reverse is None or reverse.ratio is None:
        return []
    text = f"Cost: reverse mode gives f and all {facts.n * facts.m} partials for {reverse.ratio:.1f} evaluations of f"
    if facts.n * facts.m == 1:
        text = f"Cost: reverse mode gives f and its derivative for {reverse.ratio:.1f} evaluations of f"
    if forward is not None and forward.ratio is not None:
        text += f", forward mode for {forward.ratio:.1f}"
        cheaper = "reverse" if reverse.ratio <= forward.ratio else "forward"
        if facts.n != facts.m and abs(reverse.ratio - forward.ratio) > 0.05 * reverse.ratio:
            inputs, outputs = f"n = {facts.n} input{'s'[: facts.n != 1]}", f"m = {facts.m} output{'s'[: facts.m != 1]}"
            text += f"; with {inputs} against {outputs}, {cheaper} mode is the cheaper"
    return [Sentence(text + ".", ("cost: reverse", "cost: forward"), "cost")]


RULES: list[Callable[[Facts], list[Sentence]]] = [
    no_truth, at_a_kink, returned, by_complex, trusted, out_of_range, ill_conditioned, cancellation, outdone, sampled,
    flagged, refused, swollen, priced,
]  # fmt: skip
