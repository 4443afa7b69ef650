"""What the race is run for: a goal for each figure, and by how much each row meets or misses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from adlab.display import Table

if TYPE_CHECKING:
    from adlab.bench.results import Bench


@dataclass(frozen=True)
class Goal:
    """adlab's time ÷ that of the best peer, at most `ratio` on every row; or on most rows."""

    figure: str
    name: str
    ratio: float
    given: Sequence[str] = ("SymPy", "terms", "arrays")
    """What the peers start from that count."""
    on_most: bool = False

    def ratios(self, run: Bench) -> dict[str, float]:
        """adlab's ratio on each row that has one."""
        found = {problem: run.ratio(problem, "adlab", self.figure, self.given) for problem in run.problems}
        return {problem: ratio for problem, ratio in found.items() if ratio is not None}

    def is_met(self, run: Bench) -> bool:
        """Whether enough rows meet it. False for a race without a peer."""
        ratios = self.ratios(run).values()
        met = sum(ratio <= self.ratio for ratio in ratios)
        return 2 * met > len(ratios) if self.on_most else 0 < met == len(ratios)


GOALS = (
    Goal("first", "first gradient, peers given terms", 0.5, ("SymPy", "terms")),
    Goal("point", "one point", 1.0),
    Goal("point", "one point, on most rows", 0.7, on_most=True),
    Goal("batch", "a batch", 1.0),
)


def goals(run: Bench) -> list[Table | str]:
    """A line for each goal, and every row beside it. Empty where no peer took part."""
    if not any(goal.ratios(run) for goal in GOALS):
        return []
    head = ["goal", "at most", "met", "rows that meet it", "median", "worst", "by", "misses by"]
    lines = [_line(run, goal) for goal in GOALS]
    everywhere = [goal for goal in GOALS if not goal.on_most]
    columns = [f"{goal.name}: {goal.ratio:g}" for goal in everywhere]
    rows = [[problem, *(_cell(goal, goal.ratios(run).get(problem)) for goal in everywhere)] for problem in run.problems]
    numbers = frozenset(head) - {"goal", "met", "by"}
    return [Table("Goals: adlab's time ÷ that of the best peer", head, lines, numbers, sentences(run)),
            Table("Goals, row by row", ["problem", *columns], rows, frozenset(columns))]  # fmt: skip


def sentences(run: Bench) -> list[str]:
    """What the run says of each figure, in a sentence."""
    said = []
    for figure, about in (("first", "From a SymPy expression to its first gradient"), ("point", "At one point"),
                          ("batch", "In a batch")):  # fmt: skip
        goal = next(goal for goal in GOALS if goal.figure == figure)
        if ratios := goal.ratios(run).values():
            peer = "best peer that is given terms" if len(goal.given) < 3 else "best peer"
            said.append(f"{about} adlab takes {min(ratios):.2f} to {max(ratios):.2f} of the time of the {peer}, and is ahead "
                        f"of it on {sum(ratio < 1 for ratio in ratios)} of {len(ratios)} rows.")  # fmt: skip
    return said


def _line(run: Bench, goal: Goal) -> list[str]:
    ratios = goal.ratios(run)
    if not ratios:
        return [goal.name, f"{goal.ratio:g}", *["–"] * 6]
    worst, typical = max(ratios, key=lambda problem: ratios[problem]), median(ratios.values())
    met, missed = goal.is_met(run), (typical if goal.on_most else ratios[worst]) / goal.ratio - 1
    return [goal.name, f"{goal.ratio:g}", "yes" if met else "no",
            f"{sum(ratio <= goal.ratio for ratio in ratios.values())} of {len(ratios)}", f"{typical:.2f}",
            f"{ratios[worst]:.2f}", worst, "–" if met else f"{missed:.0%}"]  # fmt: skip


def _cell(goal: Goal, ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.2f} {'met' if ratio <= goal.ratio else 'missed'}"
