"""What the comparison of recorded output must let pass, and what it must not."""

from __future__ import annotations

import pytest
from recorded import differences

TABLE = """accuracy
method              variable               value  relative error  ulps  digits  status
──────────────────  ────────  ──────────────────  ──────────────  ────  ──────  ──────
reverse             x1        0.5215007789468606       < 1.1e-16   < 1      16  ok
central-difference  x1        0.5215007789665833         3.8e-11   178    10.4  ok"""
TIMES = """method    operations     time  ratio  status
────────  ──────────  ───────  ─────  ──────
reverse           14  1.23 µs   2.31  ok"""

SAME = [
    (TABLE, TABLE),
    (TABLE, TABLE.replace("0.5215007789665833", "0.5215007789465833")),  # within the error of the row
    (TABLE, TABLE.replace("3.8e-11   178    10.4", "1.1e-11  52.1      11")),
    (TABLE, TABLE.replace("606       < 1.1e-16   < 1      16", "608         2.3e-16  1.84    15.6")),
    (TIMES, TIMES.replace("1.23 µs   2.31", " 950 ns   1.99")),
    ("array([0.52150078, 0.56349637])", "array([0.52150079, 0.56349637])"),
    ("an error of 1.2e-13, 632 ulps", "an error of 3.1e-13, 1.2e+03 ulps"),
    ("at 11270.0, 1.815e-12", "at 11270.0, -1.074e-12"),  # noise beside a large component
    ("2.2934734504528866", "2.293473450452887"),
    ("took 12.3 ms", "took 9 ms"),
    ("13 evaluations and 14 Jacobians by reverse", "14 evaluations and 15 Jacobians by reverse"),
]
CHANGED = [
    (TABLE, TABLE.replace("  ok", "  lost")),
    (TABLE, TABLE.replace("0.5215007789468606", "0.5215017789468606")),
    (TABLE, TABLE.replace("0.5215007789468606       < 1.1e-16", "0.5215007789469606       < 1.1e-16")),
    (TABLE, TABLE.replace("3.8e-11", "3.8e-09")),
    (TABLE, TABLE.replace("    16", "    12")),
    (TABLE, TABLE.replace("x1", "x2")),
    (TABLE, TABLE.rpartition("\n")[0]),
    (TIMES, TIMES.replace("14", "15")),
    ("array([0.52150078, 0.56349637])", "array([0.52150178, 0.56349637])"),
    ("2.2934734504528866", "2.2934734504628866"),
    ("0.521500778946860685214197813117", "0.521500778946860685214197813118"),
    ("17 nodes", "18 nodes"),
    ("x1*x2", "x1*x3"),
    ("central-difference-4", "central-difference-6"),
    ("an error of 1.2e-13", "an error of 1.2e-11"),
    ("-0.5", "0.5"),
    ("True", "False"),
    ("one line", "one line\nand another"),
]


@pytest.mark.parametrize(("recorded", "now"), SAME)
def test_what_another_processor_may_print_is_the_same(recorded: str, now: str) -> None:
    assert differences(recorded, now) == []


@pytest.mark.parametrize(("recorded", "now"), CHANGED)
def test_what_has_another_meaning_is_seen(recorded: str, now: str) -> None:
    assert differences(recorded, now)
