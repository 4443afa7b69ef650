"""The ten questions that learners ask most, as markup. Each asks the reader to do something; the script answers what was done."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from adlab.page.markup import options


class Question(NamedTuple):
    """A question, what to do, the controls to do it with, and the answer in short."""

    key: str
    question: str
    task: str
    controls: str
    answer: str


CHOICES = '<div class="choices controls"></div>'


def questions(functions: list[str], families: list[str]) -> list[Question]:
    """All ten. `functions` and `families` are the titles that the two explorers offer."""
    return [
        Question("order", "Why the topological order?", "Run the reverse sweep of the worked example yourself, node by node. Try a wrong "
                 "order, too.", CHOICES, "A node may pass its adjoint on only when all its uses have passed on theirs: before that, the "
                 "adjoint is not complete. The reverse of the order of the list is always such an order."),
        Question("weights", "What is the vector in backward(v)?", "f = (x·y, sin(x) + y) at x = 2, y = 3 has two outputs. Choose v so that "
                 "the sweep gives the second row of the Jacobian.", _row(_range("v1", -2, 2, 1, 1), _range("v2", -2, 2, 1, 1)),
                 "It holds the adjoints of the outputs: a weight for each. One reverse sweep gives the product of v and the Jacobian, and "
                 "never the whole Jacobian. For one output v is 1, and the result is the gradient."),
        Question("symbolic", "Is automatic differentiation symbolic?", "Move x. Watch what reverse mode holds for x·sin(x).",
                 _row(_range("x", -3, 3, 0.1, 2)), "No. It applies the rules of calculus to numbers, operation by operation, and builds no formula. "
                 "It is not numerical differentiation either: it has no step and no truncation error."),
        Question("errors", "Why do differences stop improving?", "Drag the marker to the step that you expect to be best. Then show the curve.",
                 errors(functions), "A smaller step has a smaller truncation error. But f(x + h) and f(x) agree in more and more digits, and "
                 "their difference keeps only the last, rounded ones: the roundoff error grows like ε·|f|/h."),
        Question("swell", "Why does SymPy explode?", "Estimate first: how many operations has the derivative at depth 8, as one formula? Then "
                 "move the depth.", swell(families), "A formula repeats what it shares. Each use of a subexpression copies it, and the "
                 "derivative copies it again. A program names a value once and reads it often."),
        Question("modes", "Forward or reverse?", "For how many inputs and outputs is which mode cheaper? Answer, then change the numbers.",
                 '<form class="controls">' + _number("n", "inputs n", 100) + _number("m", "outputs m", 1)
                 + f'<label>cheaper <select name="guess">{options([("forward", "forward"), ("reverse", "reverse")])}</select></label>'
                 "<button>Answer</button></form>", "Forward mode takes a sweep for each input, reverse mode one for each output. A loss has one "
                 "output and many inputs: reverse. A curve in space has one input: forward."),
        Question("nan", "Why is there NaN behind where?", "f = where(x > 0, sqrt(x), 0). Move x to 0 and below. Then guard the operand.",
                 _row(_range("x", -2, 2, 0.5, 1), '<label><input type="checkbox" name="guard"> guard: sqrt(where(x > 0, x, 1))</label>'),
                 "Both branches are computed, and the way back multiplies the partial of the branch that is not taken by 0. Where that partial "
                 "is infinite or no number, 0 times it is NaN. The cure is an operand inside that is always safe. adlab leaves such branches out."),
        Question("saved", "What is saved for the way back?", "Tick the values that the local partials of the worked example need, and nothing "
                 "else.", CHOICES + '<button type="button" class="check">Check</button>', "What the partials read: operands, or results, of "
                 "nonlinear operations. Sums need nothing. That memory grows with the number of operations; checkpoints trade it for time."),
        Question("jit", "What does jit do?", "Run the gradient of the worked example in two ways, and compare time and numbers.",
                 '<div class="controls"><button type="button" class="walk">walk the list</button> <button type="button" class="straight">run '
                 "straight-line code</button></div>", "It turns the list of operations into one piece of straight-line code, once. The derivative "
                 "is the same; what falls away is the work of walking the list. It pays when the code runs often."),
        Question("check", "How do I know that my gradient is right?", "Three people wrote a gradient of the worked example. Check each along "
                 "random directions, then decide.", f'<label>gradient <select name="whose">{options(zip("012", "ABC", strict=True))}</select></label>'
                 + CHOICES, "Compare it with a difference along a random direction, with the complex step, or with another method. "
                 "`adlab check` does all of it, and names the usual slips."),
    ]  # fmt: skip


def markup(asked: list[Question]) -> Iterator[str]:
    """The questions as sections. Without scripts, the answers are there."""
    for k, q in enumerate(asked, 1):
        kind = f" {q.key}" if q.key in ("errors", "swell") else ""
        shows = "" if kind else '<p class="shows" aria-live="polite"></p>'
        yield (f'<section class="question{kind}" id="q-{q.key}"><h2>{k}. {escape(q.question)}</h2><p>{escape(q.task)}</p>'
               f'<div class="needsscript" hidden>{q.controls}{shows}</div><details><summary>In short</summary><p>{escape(q.answer)}</p></details>'
               "</section>")  # fmt: skip


def errors(functions: list[str]) -> str:
    """The explorer of errors against the step. The curve stays hidden until the reader has said which step is best."""
    chosen = options((str(i), title) for i, title in enumerate(functions))
    return (
        f'<div class="controls"><label>f <select name="f">{chosen}</select></label><label>by <select name="by"></select></label>'
        '<label>at <input name="at" type="number" step="any" size="8"></label><label>h = 10^ <input type="range" name="h" min="-16" max="0" '
        'step="0.25" value="-15"></label><label><input type="checkbox" name="single"> float32</label><button type="button">Show the error</button>'
        '</div><p class="verdict" aria-live="polite"></p><div class="after" hidden><svg class="curve" role="img" aria-label="Error of the forward and the central '
        'difference against the step; the sentence below has the numbers" viewBox="0 0 640 300"></svg></div><p class="shows" aria-live="polite"></p>'
    )


def swell(families: list[str]) -> str:
    """The explorer of expression swell. Depths above 4 stay hidden until the reader has estimated."""
    chosen = options((str(i), title) for i, title in enumerate(families))
    return (
        '<form class="controls"><label>at depth 8: <input name="guess" inputmode="numeric" size="9" autocomplete="off"> operations</label>'
        '<button>Answer</button><output></output></form>'
        f'<div class="controls"><label>family <select name="family">{chosen}</select></label><label>depth <input type="range" name="depth" '
        'min="1" max="4" value="3"></label></div><svg class="curve" role="img" aria-label="Operations against depth; the sentence below has the '
        'numbers" viewBox="0 0 640 300"></svg><p class="shows" aria-live="polite"></p>'
    )


def _row(*controls: str) -> str:
    return f'<div class="controls">{"".join(controls)}</div>'


def _range(name: str, low: float, high: float, step: float, value: float) -> str:
    return f'<label>{name} <input type="range" name="{name}" min="{low:g}" max="{high:g}" step="{step:g}" value="{value:g}"></label> '


def _number(name: str, text: str, value: int) -> str:
    return f'<label>{text} <input type="number" name="{name}" min="1" value="{value}" size="6"></label>'
