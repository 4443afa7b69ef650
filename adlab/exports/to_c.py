"""A function, or its derivative, as C99: one header, one source, no allocation, and a `main` that checks it.

The C is the strict form of adlab's own machine code: the same operations in the same order, with the C library. Outside the
domain it gives NaN. Where a number leaves binary64's range on the way it refuses. adlab itself would go on with wider numbers;
C has none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adlab.exports.lines import SHARED, SIGNS, Language, literal, written
from adlab.exports.plan import Task, check_point, task
from adlab.graph.saved import put


def _number(value: float) -> str:
    if math.isnan(value):
        return "NAN"
    if math.isinf(value):
        return "INFINITY" if value > 0 else "(-INFINITY)"
    return literal(value)


C99 = Language(
    name="C99",
    truths=("0", "1"),
    number=_number,
    functions={name: name for name in [*SHARED, "pow", "erf", "erfc", "tgamma", "lgamma"]},
    relations=SIGNS | {"one": "islessgreater({0}, {1})", "uno": "isunordered({0}, {1})"},
    logic={"and": "{0} & {1}", "or": "{0} | {1}", "xor": "{0} ^ {1}"},
    negation="!{0}",
    choice="{0} ? {1} : {2}",
    assign=("const double {0} = {1};", "const int {0} = {1};"),
    remark=" /* {0} */",
)

HEADER = """\
/* {about}
 *
 * Written by adlab. Compile with -std=c99 and link with -lm; -ffast-math would break it. -DADLAB_CHECK adds a main that
 * compares with adlab at one point; -DADLAB_NO_RANGE_CHECK leaves out what tells status 2, and what else clears the
 * processor's notes of overflow, underflow and division by zero (fenv.h).
 *
 * x holds {inputs}.{vector}
 * out gets {parts}{width}, row-major. It must not overlap the inputs.
 *
 * Returns
 *   0: all is well;
 *   1: some number does not exist at this point (outside the domain, or no derivative on a kink), and is NaN;
 *   2: a number left the range of double on the way (more than 1.8e308, or less than 2.2e-308), and all of out is NaN.
 */
#ifndef {guard}
#define {guard}

#define {upper}_INPUTS {inputs_count}
#define {upper}_OUTPUTS {outputs_count}

int {signature};
{pattern}
#endif
"""

PREFACE = """\
#include <fenv.h>
#include <float.h>
#include <math.h>

#ifdef __FAST_MATH__
#error "this file needs IEEE arithmetic; leave -ffast-math out"
#endif
"""

ODD = """\
#ifndef ADLAB_ALWAYS
#ifdef __GNUC__
#define ADLAB_ALWAYS inline __attribute__((always_inline))
#define ADLAB_SELDOM __attribute__((noinline, cold))
#else
#define ADLAB_ALWAYS inline
#define ADLAB_SELDOM
#endif
#endif

#if !defined ADLAB_NO_RANGE_CHECK && !defined ADLAB_ODD
#define ADLAB_ODD
#if defined __SSE2_MATH__
#include <xmmintrin.h>
#endif

/* Whether v is infinite or too small for all its digits. */
static int odd(double v)
{
    const double size = fabs(v);
    return size > DBL_MAX || (size > 0 && size < DBL_MIN);
}

/* Whether an input is infinite, which the processor does not note. */
static int infinite(const double *x, int n)
{
    int found = 0;
    for (int k = 0; k < n; k++)
        found |= fabs(x[k]) > DBL_MAX;
    return found;
}

/* Whether a number may have left the range since this was asked last: the processor notes that. */
static int noted(void)
{
#if defined __SSE2_MATH__
    __asm__ volatile("" : : : "memory"); /* what was stored before this is computed before this */
    if (!(_mm_getcsr() & 0x1c)) /* division by zero, overflow, underflow: as below, without a call */
        return 0;
    _mm_setcsr(_mm_getcsr() & ~0x1cu);
#elif defined FE_OVERFLOW && defined FE_UNDERFLOW && defined FE_DIVBYZERO
    if (!fetestexcept(FE_OVERFLOW | FE_UNDERFLOW | FE_DIVBYZERO))
        return 0;
    feclearexcept(FE_OVERFLOW | FE_UNDERFLOW | FE_DIVBYZERO);
#endif
    return 1;
}
#endif
"""

CHECK = """\
#ifdef ADLAB_CHECK
#include <stdio.h>

/* Compares with what adlab gave at one point: the largest error, in units of the last place of each number. */
int main(void)
{{
    static const double x[] = {{{x}}};
{vector}    static const double expected[] = {{{expected}}};
    double out[{upper}_OUTPUTS], worst = 0;
    if ({call})
        return 1;
    for (int k = 0; k < {upper}_OUTPUTS; k++) {{
        const double ulp = nextafter(fabs(expected[k]), INFINITY) - fabs(expected[k]);
        worst = fmax(worst, fabs(out[k] - expected[k]) / ulp);
    }}
    printf("{name}: %d numbers, largest error %.1f ulp\\n", {upper}_OUTPUTS, worst);
    return !(worst <= 4);
}}
#endif
"""


@dataclass(frozen=True)
class CSource:
    """A header and a source, which `write` puts into two files of the function's name. `str()` is both in one."""

    name: str
    header: str
    source: str

    def __str__(self) -> str:
        return self.header + "\n" + self.source.replace(f'#include "{self.name}.h"\n', "", 1)

    def write(self, path: str | Path) -> tuple[Path, Path]:
        """Writes NAME.h beside the source. `path` is a directory, or a file that ends in .c. Raises OutputError."""
        given = Path(path)
        source = given if given.suffix == ".c" else given / f"{self.name}.c"
        header = source.with_name(f"{self.name}.h")
        for file, text in ((header, self.header), (source, self.source)):
            put(file, text)
        return header, source


def to_c(
    f: Any,
    derivative: str | None = None,
    name: str | None = None,
    wrt: Sequence[Any] | None = None,
    constants: Mapping[Any, float] | None = None,
    at: Any = None,
    sparse: bool = False,
) -> CSource:
    """The function, or a derivative with a name that `f.compile` knows, as C. Its `main` checks it at the point `at`.

    With `sparse` only the entries that may differ from 0 come out, and NAME_rows, NAME_columns say where they stand.

    Raises UnsupportedExpression for functions that C's library lacks, and what `f.compile` raises.
    """
    work = task(f, derivative, name, wrt, constants, sparse)
    header = _header(work)
    body = _pattern(work) + _function(work)
    parts = [f'#include "{work.name}.h"\n{PREFACE}', *[ODD] * ("odd(" in body), body]
    if point := check_point(work, f, at):
        parts.append(_main(work, point))
    return CSource(work.name, header, "\n".join(parts))


def _signature(work: Task) -> str:
    vector = f", const double v[{work.vector}]" if work.vector else ""
    return f"{work.name}(const double x[{len(work.point) or 1}]{vector}, double out[{work.width or 1}])"


def _header(work: Task) -> str:
    text = HEADER.format(
        about=_remark(work.about), inputs=_remark(", ".join(work.point) or "nothing"), parts=work.parts(),
        guard=f"ADLAB_{work.name.upper()}_H",
        vector="\n * v holds the vector that the derivative is applied to." if work.vector else "",
        width="" if len(work.plan.shapes) == 1 and not work.plan.shapes[0] else f", {work.width} numbers",
        upper=work.name.upper(), inputs_count=len(work.point), outputs_count=work.width, signature=_signature(work),
        pattern=_declared(work),
    )  # fmt: skip
    return text


def _declared(work: Task) -> str:
    """Where the entries of a sparse matrix stand, as the header says it."""
    places = work.plan.places
    if places is None:
        return ""
    (m, n), count = places.shape, max(len(places), 1)
    name, first = work.name, work.width - len(places)
    return (
        f"\n/* out[{first} + k] stands in row {name}_rows[k], column {name}_columns[k] of {m} x {n}; all others are 0. */\n"
        f"#define {name.upper()}_ENTRIES {len(places)}\n"
        f"extern const int {name}_rows[{count}], {name}_columns[{count}];\n"
    )


def _pattern(work: Task) -> str:
    places = work.plan.places
    if places is None:
        return ""
    lists = {"rows": places.rows.tolist() or [0], "columns": places.columns.tolist() or [0]}
    return (
        "".join(f"const int {work.name}_{key}[{len(v)}] = {{{', '.join(map(str, v))}}};\n" for key, v in lists.items())
        + "\n"
    )


def _remark(text: str) -> str:
    """What may stand in a comment."""
    return text.replace("*/", "* /").replace("/*", "/ *").replace("\n", " ").replace("\\", "/")


def _function(work: Task) -> str:
    found = written(work.plan.graph, C99, work.argument())
    body = [*found.lines, *(f"out[{k}] = {output};" for k, output in enumerate(found.outputs))]
    if found.checks:
        head = _watched(work, body, found.checks)
    else:
        head = [f"int {_signature(work)}", "{", *[f"    {line}" for line in body]]
    pairs = work.width - work.width % 2
    look = [f"    for (int k = 0; k < {pairs}; k += 2)", "        unknown |= isunordered(out[k], out[k + 1]);"] * (pairs > 0)
    look += [f"    unknown |= isnan(out[{pairs}]) != 0;"] * (work.width % 2)
    return "\n".join([*head, "    int unknown = 0;", *look, "    return unknown;", "}", ""])


def _watched(work: Task, body: Sequence[str], checks: Sequence[str]) -> list[str]:
    """The numbers in a function of their own, and the head of the function that calls it, and calls it again to look at them all.

    A compiler makes two of it. The one that does not look keeps no number longer than it needs.
    """
    arguments = "x, v, out" if work.vector else "x, out"
    doubts = f"noted() || infinite(x, {len(work.point)})" + (f" || infinite(v, {work.vector})" if work.vector else "")
    numbers, again = f"{work.name}_numbers", f"{work.name}_looked_at"
    parameters = _signature(work)[len(work.name) + 1 : -1]
    return [
        "/* The numbers; if `look`, whether one of them, or one on the way, has left the range. */",
        f"static ADLAB_ALWAYS int {numbers}({parameters}, const int look)", "{",
        *[f"    {line}" for line in body], "    int lost = 0;", "#ifndef ADLAB_NO_RANGE_CHECK", "    if (look) {",
        *[f"        lost |= {check};" for check in checks], "    }", "#else",
        "    (void)look;", "#endif", "    return lost;", "}", "", "#ifndef ADLAB_NO_RANGE_CHECK",
        f"static ADLAB_SELDOM int {again}({parameters})", "{", f"    return {numbers}({arguments}, 1);", "}", "#endif", "",
        f"int {_signature(work)}", "{", f"    {numbers}({arguments}, 0);", "#ifndef ADLAB_NO_RANGE_CHECK",
        f"    if (({doubts}) && {again}({arguments})) {{", *_loop(work, " " * 8, "out[k] = NAN;"), "        return 2;", "    }",
        "#endif",
    ]  # fmt: skip


def _loop(work: Task, indent: str, *body: str) -> list[str]:
    """A loop over the outputs."""
    head = f"for (int k = 0; k < {work.name.upper()}_OUTPUTS; k++)"
    return [indent + head, *[f"{indent}    {line}" for line in body]]


def _main(work: Task, point: Sequence[float]) -> str:
    first = len(work.point)
    return CHECK.format(
        x=", ".join(map(literal, point[:first])) or "0",
        vector=f"    static const double v[] = {{{', '.join(map(literal, point[first:]))}}};\n" if work.vector else "",
        expected=", ".join(map(literal, work.values_at(point))), upper=work.name.upper(), name=work.name,
        call=f"{work.name}(x, v, out)" if work.vector else f"{work.name}(x, out)",
    )  # fmt: skip
