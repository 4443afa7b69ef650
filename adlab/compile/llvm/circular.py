"""Sine and cosine of the same numbers, in IR: they share the reduction of the argument, and each is right to an ulp.

x = n π/2 + r + s, where |r| is at most π/4 and s is what rounding r has lost. π/2 is subtracted in three parts (Cody & Waite
1980). The polynomials are those of fdlibm (Sun Microsystems 1993). Arguments that are too large for this, or so small that their
powers underflow, go to libmvec.
"""

from __future__ import annotations

from adlab.compile.llvm.text import Block, Externals, Registers

NAME = "sine_and_cosine"
"""The function's, in a module."""
LARGE, TINY = 2.0**20, 2.0**-190
"""Between them the first part of n π/2 is subtracted without rounding, and x⁵ does not underflow."""
HALF_PI = tuple(map(float.fromhex, ["0x1.921fb54442d18p+0", "0x1.1a62633145c07p-54", "-0x1.f1976b7ed8fbcp-110"]))
"""π/2 in three parts."""
TO_INTEGER = 1.5 * 2.0**52
"""Added to a number, it leaves the nearest integer in the last bits."""
SINE = (-1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06,
        -2.50507602534068634195e-08, 1.58969099521155010221e-10)  # fmt: skip
"""The coefficients of x³, x⁵, …: fdlibm's, within 2^-58 of the sine up to π/4."""
COSINE = (4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05, -2.75573143513906633035e-07,
          2.08757232129817482790e-09, -1.13596475577881948265e-11)  # fmt: skip
"""The coefficients of x⁴, x⁶, …: fdlibm's, within 2^-58 of the cosine up to π/4."""


def sine_and_cosine(block: Block, angle: str) -> tuple[str, str]:
    """Both, of a vector that is one register, or several."""
    registers, externals = block.registers, block.externals
    size = registers.lanes
    kind = f"<{size} x double>"
    if NAME not in externals.definitions:
        externals.definitions[NAME] = _function(registers, externals)
    parts = []
    for start in range(0, block.width, size):
        lanes = range(start, start + size)
        inside = angle if size == block.width else block.shuffle(block.type, angle, "poison", lanes)
        parts.append(block.let(f"call {{ {kind}, {kind} }} @{NAME}({kind} {inside})"))
    found = [[block.let(f"extractvalue {{ {kind}, {kind} }} {part}, {k}") for part in parts] for k in (0, 1)]
    sine, cosine = (block.joined(each, size) for each in found)
    return sine, cosine


def _function(registers: Registers, externals: Externals) -> str:
    """The text of the function of one register."""
    fast, slow = (Block(registers.lanes, externals, registers, prefix) for prefix in "fs")
    kind, mask = fast.type, fast.of("i1")
    size = fast.intrinsic("fabs", "%x")
    beyond = fast.negation(fast.compare("olt", size, fast.number(LARGE)))
    near = fast.logic("and", fast.compare("olt", size, fast.number(TINY)), fast.compare("one", size, fast.number(0.0)))
    bits = fast.let(f"bitcast {mask} {fast.logic('or', beyond, near)} to i{registers.lanes}")
    odd = fast.let(f"icmp ne i{registers.lanes} {bits}, 0")
    fast.do(f"br i1 {odd}, label %slow, label %fast")
    fast.lines.append("fast:")
    sine, cosine = _both(fast)
    others = [slow.function(name, "%x") for name in ("sin", "cos")]

    def returned(block: Block, first: str, second: str) -> None:
        pair = block.let(f"insertvalue {{ {kind}, {kind} }} poison, {kind} {first}, 0")
        pair = block.let(f"insertvalue {{ {kind}, {kind} }} {pair}, {kind} {second}, 1")
        block.do(f"ret {{ {kind}, {kind} }} {pair}")

    returned(fast, sine, cosine)
    returned(slow, *others)
    head = f"define internal {{ {kind}, {kind} }} @{NAME}({kind} %x) noinline nounwind willreturn memory(none) {{"
    return "\n".join([head, *fast.lines, "slow:", *slow.lines, "}"])


def _both(block: Block) -> tuple[str, str]:
    """Sine and cosine of %x."""
    def fused(a: str, b: str, c: str) -> str:
        return block.intrinsic("fma", a, b, c)

    def product(a: str, b: str) -> str:
        return block.binary("fmul", a, b)

    def less(a: str, b: str) -> str:
        return block.binary("fsub", a, b)

    def total(a: str, b: str) -> str:
        return block.binary("fadd", a, b)

    def polynomial(coefficients: tuple[float, ...]) -> str:
        found = block.number(coefficients[-1])
        for coefficient in coefficients[-2::-1]:
            found = fused(z, found, block.number(coefficient))
        return found

    number, integers = block.number, block.of("i64")
    moved = fused("%x", number(0.6366197723675814), number(TO_INTEGER))  # x × 2/π
    back = block.negative(less(moved, number(TO_INTEGER)))
    first, second, third = map(number, HALF_PI)
    exact = fused(back, first, "%x")
    middle = product(back, second)
    r = total(exact, middle)
    lost = total(total(less(exact, r), middle), fused(back, second, block.negative(middle)))
    s = fused(back, third, lost)
    z = product(r, r)
    cube, half = product(z, r), product(number(0.5), z)
    inner = fused(block.negative(cube), polynomial(SINE[1:]), product(number(0.5), s))
    sine = less(r, fused(block.negative(cube), number(SINE[0]), less(product(z, inner), s)))
    whole = less(number(1.0), half)
    rest = fused(block.negative(r), s, product(product(z, z), polynomial(COSINE)))
    cosine = total(whole, total(less(less(number(1.0), whole), half), rest))

    def splat(value: int) -> str:
        return f"<{', '.join([f'i64 {value}'] * block.width)}>"

    def signed(value: str, quadrant: str) -> str:
        sign = block.let(f"shl {integers} {block.let(f'and {integers} {quadrant}, {splat(2)}')}, {splat(62)}")
        plain = block.let(f"bitcast {block.type} {value} to {integers}")
        return block.let(f"bitcast {integers} {block.let(f'xor {integers} {plain}, {sign}')} to {block.type}")

    quadrant = block.let(f"bitcast {block.type} {moved} to {integers}")
    one = block.let(f"and {integers} {quadrant}, {splat(1)}")
    turned = block.let(f"icmp ne {integers} {one}, {splat(0)}")
    following = block.let(f"add {integers} {quadrant}, {splat(1)}")
    return (signed(block.choose(turned, cosine, sine), quadrant), signed(block.choose(turned, sine, cosine), following))
