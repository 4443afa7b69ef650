"""What each method answered: the part of a comparison that a reader wants first where methods disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adlab.display import Report, Table, significant
from adlab.report.accuracy import AccuracyRow, as_rows

if TYPE_CHECKING:
    from adlab.report.compare import Comparison

@dataclass(frozen=True)
class Answers(Report):
    """Each partial by each method beside the truth, and what the verdict says about them. Swell and cost are left out."""

    comparison: Comparison

    def to_dict(self) -> dict[str, Any]:
        """`truth, accuracy, verdict`, as in the comparison's own dictionary."""
        sentences = [sentence.text for sentence in self._sentences()]
        return {
            "truth": self.comparison.truth.to_dict(), "accuracy": as_rows(self.comparison.accuracy), "verdict": sentences,
        }  # fmt: skip

    def sections(self) -> list[Table | str]:
        """The truth, a line for each partial by each method, the verdict."""
        verdict = "\n".join(f"• {sentence.text}" for sentence in self._sentences())
        return [part for part in (self.comparison.truth.line(sure=False), self._table(), verdict) if part]

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """As `Comparison.plot`."""
        return self.comparison.plot(ax, **options)

    def _sentences(self) -> list[Any]:
        return [sentence for sentence in self.comparison.verdict if sentence.about not in ("swell", "cost")]

    def _table(self) -> Table:
        rows = self.comparison.accuracy
        many = self.comparison.function.m > 1
        columns = ["method", "partial", "answer", "digits", "note"]
        cells = [[row.method, _partial(row, many), significant(row.value, 12), _digits(row.digits), _note(row)]
                 for row in rows]  # fmt: skip
        if not any(note for *_, note in cells):
            columns, cells = columns[:-1], [line[:-1] for line in cells]
        return Table("", columns, cells, frozenset({"answer", "digits"}), keys=2)


def _partial(row: AccuracyRow, many: bool) -> str:
    return f"∂f{row.output}/∂{row.variable}" if many else f"∂f/∂{row.variable}"


def _digits(digits: float | None) -> str:
    """The digits to a tenth; hundredths of a digit mean nothing."""
    return "–" if digits is None else f"{digits:.1f}"


def _note(row: AccuracyRow) -> str:
    """The sentence if there is one, else a word where something is wrong."""
    return row.note or ("" if row.status == "ok" else row.status)
