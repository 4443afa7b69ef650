"""From a SymPy expression to a graph: without recursion, each shared object once, constants exact.

SymPy writes a - b as Add(a, Mul(-1, b)) and a/b as Mul(a, Pow(b, -1)). Lowering turns them back into subtraction and division.
SymPy has sorted its sums and products; lowering folds them in a fixed order. The operand computed first comes first, the
numeric coefficient last. So nested expressions that SymPy has flattened still share their prefixes. Sums and products of a
text keep their own order (`adlab.graph.written`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import sympy
from sympy import Add, Mul, Pow, S
from sympy.core.basic import Basic
from sympy.core.numbers import Exp1, NumberSymbol
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from adlab import native
from adlab.errors import UnsupportedExpression, VariableError
from adlab.graph import exact, quick, written
from adlab.graph.collector import paused
from adlab.graph.composed import COMPOSED, real_part
from adlab.graph.graph import Builder, Graph
from adlab.graph.refusals import no_primitive, outermost
from adlab.primitives.primitive import Number, Primitive, number_text
from adlab.primitives.table import HEADS, PRIMITIVES
from adlab.text.traversal import brief, listing, postorder
from adlab.text.unevaluated import is_written

ADD, SUB, MUL, DIV, NEG, EXP, POW, POWI, POWR, SQRT, CBRT = (
    PRIMITIVES[name] for name in ("add", "sub", "mul", "div", "neg", "exp", "pow", "powi", "powr", "sqrt", "cbrt")
)
LARGEST_INTEGER_POWER = 2**53  # beyond it, binary64 cannot tell odd numbers from even ones


def lower(expressions: Sequence[Basic], variables: Sequence[sympy.Symbol], order: list[Basic] | None = None) -> Graph:
    """The graph of these expressions, with inputs in the order of `variables`. `order` is their `postorder`, if known.

    Raises UnsupportedExpression where there is no primitive, and VariableError for a symbol that is not a variable.
    """
    order = postorder(expressions) if order is None else order
    try:
        if native.core is not None:
            return quick.lowered(expressions, variables, order, Lowering)
        return _lowered(expressions, variables, order)
    except UnsupportedExpression:
        culprit = outermost(expressions, lambda node: type(node) in _HANDLERS or type(node) in HEADS)
        if culprit is None:
            raise
        raise UnsupportedExpression(no_primitive(culprit)) from None


@paused()
def _lowered(expressions: Sequence[Basic], variables: Sequence[sympy.Symbol], order: list[Basic]) -> Graph:
    lowering = Lowering(variables)
    lowering.find_subtracted(order)
    for node in order:
        lowering.lowered(node)
    return lowering.builder.finish([lowering.position(expression) for expression in expressions])


class Lowering:
    """What each SymPy object became: an exact number, or a position in the graph.

    `negative` holds the positions of objects that are kept without their minus sign. `rounded` holds numbers that are computed in
    steps, each of which rounds; they have a position too.
    """

    def __init__(self, variables: Sequence[sympy.Symbol], builder: Builder | None = None) -> None:
        self.builder = builder or Builder([variable.name for variable in variables])
        self.inputs = {variable: i for i, variable in enumerate(variables)}
        self.numbers: dict[int, Number] = {}
        self.positions: dict[int, int] = {}
        self.negative: dict[int, int] = {}
        self.rounded: set[int] = set()
        self.subtracted: set[int] = set()

    def find_subtracted(self, order: Sequence[Basic]) -> None:
        """Finds the terms of sums that carry a minus sign. Their magnitude is lowered, and the sum subtracts it."""
        for node in order:
            if type(node) is Add:
                self.subtracted.update(id(term) for term in node.args if type(term) is Mul)
                first = node.args[0]
                if type(first) is Mul and first.args[0] is not S.NegativeOne and is_written(node):
                    self.subtracted.discard(id(first))  # a leading -2*x is one product; -x + y becomes y - x

    # --- reading what is known ----------------------------------------------------------------------------------

    def position(self, node: Basic) -> int:
        """The position at which the value of this SymPy object is computed."""
        key = id(node)
        position = self.positions.get(key)
        if position is None:
            if key in self.numbers:
                position = self.builder.constant(self.numbers[key])
            else:
                position = self.builder.cons(NEG, (self.negative[key],))
            self.positions[key] = position
        return position

    def number(self, node: Basic) -> Number | None:
        return self.numbers.get(id(node))

    def becomes(self, node: Basic, value: int | Number) -> None:
        """Makes this object stand for that number or position."""
        self.numbers[id(node)] = value

    # --- one object ---------------------------------------------------------------------------------------------

    def lowered(self, node: Basic) -> None:
        """Lowers one object of the order, by the handler of its class if it has one."""
        known = _HANDLERS.get(type(node))
        if known is None:
            self.visit(node)
        else:
            known(self, node)

    def visit(self, node: Basic) -> None:
        """Lowers an object whose class has no handler."""
        if isinstance(node, sympy.Symbol):
            self._symbol(node)
        elif isinstance(node, sympy.Number):
            self._number(node)
        elif isinstance(node, NumberSymbol):
            self.positions[id(node)] = self.builder.constant(node)
        else:
            self._function(node)

    def _symbol(self, node: sympy.Symbol) -> None:
        if node not in self.inputs:
            names = [symbol.name for symbol in self.inputs]
            raise VariableError(f"the formula holds `{node.name}`, which is not among the variables ({listing(names)})")
        self.positions[id(node)] = self.inputs[node]

    def _number(self, node: sympy.Number) -> None:
        if isinstance(node, sympy.Rational) and node.is_finite:
            self.becomes(node, int(node.p) if node.q == 1 else Fraction(int(node.p), int(node.q)))
        elif isinstance(node, sympy.Float):
            self.becomes(node, exact.decimal(node))
        else:
            raise UnsupportedExpression(f"the formula holds {node}, which is not a finite real number")

    def _function(self, node: Basic) -> None:
        primitive = HEADS.get(type(node))
        if primitive is None:
            raise UnsupportedExpression(no_primitive(node))
        operands, parameter = list(node.args), None
        if primitive.parameter_at is not None:
            primitive, operands, parameter = self._with_order(node, primitive, primitive.parameter_at)
        positions = [self.position(operand) for operand in operands]
        if type(node) is sympy.zeta and len(node.args) == 1:
            positions.append(self.builder.constant(1))  # Riemann's zeta function is Hurwitz's at 1
        self.positions[id(node)] = self._folded(primitive.name, positions, parameter)

    def unary(self, node: Basic) -> None:
        """Lowers a function of one operand, as most functions are."""
        if len(node.args) != 1:
            return self._function(node)
        (operand,) = node.args
        position = self.positions.get(id(operand)) or self.position(operand)
        self.positions[id(node)] = self.builder.cons(HEADS[type(node)], (position,))

    def _with_order(self, node: Basic, primitive: Primitive, place: int) -> tuple[Primitive, list[Basic], Number]:
        """The primitive for a constant order and its operands; or the primitive that takes the order as an operand."""
        operands = list(node.args)
        argument = operands.pop(place)
        order = self.number(argument)
        if order is None and primitive.moving:
            return PRIMITIVES[primitive.moving], [argument, *operands], 0
        if order is None:
            raise UnsupportedExpression(
                f"the order of `{primitive.name}` in {brief(node)} must be a constant number, not {brief(argument)}"
            )
        if primitive.value_condition(order) is sympy.false:
            raise UnsupportedExpression(f"{brief(node)} has no value here: `{primitive.name}` has no such order")
        return primitive, operands, order

    def _folded(self, name: str, positions: list[int], parameter: Any) -> int:
        if PRIMITIVES[name].variadic:
            return self.builder.call(name, *positions, parameter=len(positions))
        arity = PRIMITIVES[name].arity
        if len(positions) == arity:
            return self.builder.call(name, *positions, parameter=parameter)
        if arity != 2 or not positions:
            raise UnsupportedExpression(f"`{name}` takes {arity} operand{'s'[: arity != 1]}, not {len(positions)}")
        positions.sort()  # Min, Max, And and Or keep no order of their own
        result = positions[0]
        for position in positions[1:]:
            result = self.builder.call(name, result, position)
        return result

    # --- sums ---------------------------------------------------------------------------------------------------

    def add(self, node: Basic) -> None:
        if is_written(node):
            return written.add(self, node)
        numbers, negative, positions = self.numbers, self.negative, self.positions
        constant: Number = 0
        plus: list[int] = []
        minus: list[int] = []
        for term in node.args:
            key = id(term)
            if key in numbers and (total := exact.total(constant, numbers[key])) is not None:
                constant = total
            elif key in negative:
                minus.append(negative[key])
            else:
                plus.append(positions.get(key) or self.position(term))
        if not plus and not minus:
            numbers[id(node)] = constant
        else:
            plus.sort()
            minus.sort()
            positions[id(node)] = self._sum(plus, minus, constant)

    def _sum(self, plus: list[int], minus: list[int], constant: Number) -> int:
        cons = self.builder.cons
        if plus:
            first, *plus = plus
        elif constant > 0:
            first, constant = self.builder.constant(constant), 0
        else:
            first, minus = cons(NEG, (minus[0],)), minus[1:]
        if minus:
            terms = [(position, ADD) for position in plus] + [(position, SUB) for position in minus]
            for position, operation in sorted(terms, key=lambda term: term[0]):
                first = cons(operation, (first, position))
        else:
            for position in plus:
                first = cons(ADD, (first, position))
        if constant:
            first = cons(ADD if constant > 0 else SUB, (first, self.builder.constant(abs(constant))))
        return first

    # --- products and quotients ---------------------------------------------------------------------------------

    def mul(self, node: Basic) -> None:
        if is_written(node):
            return written.mul(self, node)
        numbers, positions = self.numbers, self.positions
        coefficient: Number = 1
        top: list[int] = []
        bottom: list[int] = []
        for factor in node.args:
            key = id(factor)
            if key in numbers and (product := exact.product(coefficient, numbers[key])) is not None:
                coefficient = product
            elif type(factor) is Pow and (below := self._denominator(factor)) is not None:
                bottom.append(below)
            else:
                top.append(positions.get(key) or self.position(factor))
        key = id(node)
        if not top and not bottom:
            numbers[key] = coefficient
        elif coefficient < 0 and key in self.subtracted:
            self.negative[key] = self.product(top, bottom, -coefficient)
        else:
            positions[key] = self.product(top, bottom, coefficient)

    def _denominator(self, factor: Basic) -> int | None:
        """The position of d, where this power is 1/d."""
        base, power = factor.args
        exponent = self.numbers.get(id(power))
        return None if exponent is None or exponent >= 0 else self._power(base, -exponent)

    def divisor(self, factor: Basic) -> tuple[Number | None, int | None]:
        """The d of a factor 1/d: an exact number, or its position."""
        base, power = factor.args
        number = self.numbers.get(id(base))
        exponent = self.numbers[id(power)]
        if number is not None and id(base) not in self.rounded and (folded := exact.power(number, -exponent)) is not None:
            return folded, None
        return None, self._power(base, -exponent)

    def product(self, top: list[int], bottom: list[int], coefficient: Number) -> int:
        cons, constant = self.builder.cons, self.builder.constant
        quotient = self._chain(top)
        below = self._chain(bottom) if bottom else None
        if below is not None and quotient is not None:
            quotient = cons(DIV, (quotient, below))
        elif below is not None:
            whole = exact.is_binary(coefficient)
            above = constant(coefficient if whole else Fraction(coefficient).numerator)
            quotient = cons(DIV, (above, below))
            coefficient = 1 if whole else Fraction(1, Fraction(coefficient).denominator)
        assert quotient is not None
        if coefficient == 1:
            return quotient
        if coefficient == -1:
            return cons(NEG, (quotient,))
        return self._scaled(quotient, coefficient)

    def _scaled(self, position: int, coefficient: Number) -> int:
        """coefficient × node, with as few roundings as possible: x/3 instead of x*0.333…"""
        cons, constant = self.builder.cons, self.builder.constant
        if isinstance(coefficient, Fraction):
            p, q = coefficient.numerator, coefficient.denominator
            if p == 1 and exact.is_binary(q):
                return cons(DIV, (position, constant(q)))
            if not exact.is_binary(coefficient) and exact.is_binary(p) and exact.is_binary(q):
                scaled = cons(NEG, (position,)) if p == -1 else cons(MUL, (position, constant(p)))
                return cons(DIV, (scaled, constant(q)))
        return cons(MUL, (position, constant(coefficient)))

    def _chain(self, factors: list[int]) -> int | None:
        if not factors:
            return None
        factors.sort()
        result, *others = factors
        cons = self.builder.cons
        for factor in others:
            result = cons(MUL, (result, factor))
        return result

    # --- powers -------------------------------------------------------------------------------------------------

    def pow(self, node: Basic) -> None:
        base, exponent = node.args
        key, numbers = id(node), self.numbers
        power = numbers.get(id(exponent))
        number = numbers.get(id(base))
        number = None if id(base) in self.rounded else number
        if power is not None and number is not None and (folded := exact.power(number, power)) is not None:
            numbers[key] = folded
            if power < 0 and not written.is_held(number):  # Python rounds the base first: 1/(0.5/49) is not 98
                self.rounded.add(key)
                self.positions[key] = self.builder.cons(DIV, (self.builder.constant(1), self._power(base, -power)))
        elif isinstance(base, Exp1):
            self.positions[key] = self.builder.cons(EXP, (self.position(exponent),))
        elif power is None:
            self.positions[key] = self.builder.cons(POW, (self.position(base), self.position(exponent)), 0)
        elif power < 0:
            one = self.builder.constant(1)
            self.positions[key] = self.builder.cons(DIV, (one, self._power(base, -power)))
        elif power == 0:
            numbers[key] = 1
        else:
            self.positions[key] = self._power(base, power)

    def _power(self, base: Basic, power: Number) -> int:
        """base**power for a constant power > 0."""
        return self.raised(self.positions.get(id(base)) or self.position(base), power)

    def raised(self, position: int, power: Number) -> int:
        """A node to a constant power > 0."""
        operands = (position,)
        if type(power) is int and 1 < power <= LARGEST_INTEGER_POWER:
            return self.builder.cons(POWI, operands, power)
        if power == 1:
            return operands[0]
        if power == int(power):
            if power > LARGEST_INTEGER_POWER:
                raise UnsupportedExpression(f"the power {number_text(power)} is beyond 2**53, the largest supported")
            return self.builder.cons(POWI, operands, int(power))
        if power == Fraction(1, 2):
            return self.builder.cons(SQRT, operands)
        if power == Fraction(1, 3):
            return self.builder.cons(CBRT, operands)
        return self.builder.cons(POWR, operands, power)

    # --- branches, truth values, and what composes --------------------------------------------------------------

    def piecewise(self, node: Basic) -> None:
        """The first condition that holds decides. Where none holds there is no value."""
        pairs = [pair.args for pair in node.args]
        ends = isinstance(pairs[-1][1], BooleanTrue)
        result = self.position(pairs.pop()[0]) if ends else self.builder.constant(float("nan"))
        for value, condition in reversed(pairs):
            result = self.builder.call("select", self.position(condition), self.position(value), result)
        self.positions[id(node)] = result

    def nothing(self, node: Basic) -> None:
        """A pair or tuple has no value of its own. The operation that holds it reads its parts."""

    def real(self, node: Basic) -> None:
        """A real or imaginary part, or a conjugate, of a real number."""
        self.positions[id(node)] = real_part(self, node)

    def compose(self, node: Basic) -> None:
        """Lowers functions that are composed of the table's own."""
        self.positions[id(node)] = COMPOSED[type(node)](self, node)


_HANDLERS: dict[Any, Callable[[Lowering, Any], None]] = {
    Add: Lowering.add,
    Mul: Lowering.mul,
    Pow: Lowering.pow,
    sympy.Piecewise: Lowering.piecewise,
    ExprCondPair: Lowering.nothing,
    sympy.Tuple: Lowering.nothing,
    **dict.fromkeys((sympy.re, sympy.im, sympy.conjugate), Lowering.real),
    BooleanTrue: lambda lowering, node: lowering.becomes(node, 1),
    BooleanFalse: lambda lowering, node: lowering.becomes(node, 0),
    **dict.fromkeys(COMPOSED, Lowering.compose),
    **{head: Lowering.unary for head, p in HEADS.items() if isinstance(head, type) and p.arity == 1 and p.parameter_at is None},
}
