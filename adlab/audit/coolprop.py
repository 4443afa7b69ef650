"""CoolProp's fluid files: the residual Helmholtz energy αʳ of δ = ρ/ρᵣ and τ = Tᵣ/T, as a formula.

The terms are those of CoolProp's documentation (coolprop.org, "Helmholtz energy equations of state"): a sum of pieces
n δᵈ τᵗ exp(…), and the association term of Piazza and Span.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adlab.audit.corpus import Entry
from adlab.errors import AdlabError, UnsupportedExpression

_States = ("critical", "triple_liquid", "triple_vapor")


def read_coolprop(data: Any, source: str) -> list[Entry]:
    """One entry for each equation of state and each state that the file gives, with that state as its point.

    >>> term = {"type": "ResidualHelmholtzPower", "n": [0.5], "d": [1], "t": [0.25], "l": [2]}
    >>> state = {"T": 300.0, "rhomolar": 10.0}
    >>> eos = {"alphar": [term], "STATES": {"reducing": {"T": 600.0, "rhomolar": 5.0}}}
    >>> [entry] = read_coolprop({"INFO": {"NAME": "A"}, "EOS": [eos], "STATES": {"critical": state}}, "a file")
    >>> entry.name, entry.formula, entry.point
    ('A/critical', '0.5*delta*tau**0.25*exp(-delta**2)', {'delta': 2.0, 'tau': 2.0})
    """
    found = []
    for fluid in data if isinstance(data, list) else [data]:
        name = str(fluid.get("INFO", fluid).get("NAME", "fluid"))
        for k, equation in enumerate(fluid["EOS"]):
            title = name if len(fluid["EOS"]) == 1 else f"{name}, equation {k + 1}"
            try:
                formula, reason = "+".join(_terms(equation["alphar"])).replace("+-", "-"), ""
            except KeyError as fault:
                formula, reason = None, f"this equation, or a term of it, has no field `{fault.args[0]}`"
            except AdlabError as fault:
                formula, reason = None, str(fault)
            except (AttributeError, TypeError, ValueError, ArithmeticError):
                formula, reason = None, "a term of this equation has a field with the wrong kind of value"
            for state, point in _points(fluid, equation):
                found.append(Entry(f"{title}/{state}", formula, ("delta", "tau"), point, source=source, reason=reason,
                                   ranges={"delta": (0.01, 3.0), "tau": (0.6, 2.5)}))  # fmt: skip
    return found


def _points(fluid: Mapping[str, Any], equation: Mapping[str, Any]) -> list[tuple[str, dict[str, float]]]:
    reducing = equation["STATES"]["reducing"]
    return [
        (name, {"delta": float(state["rhomolar"]) / float(reducing["rhomolar"]), "tau": float(reducing["T"]) / float(state["T"])})
        for name in _States
        if (state := fluid.get("STATES", {}).get(name)) and "rhomolar" in state and "T" in state
    ]


def _terms(contributions: Sequence[Mapping[str, Any]]) -> list[str]:
    found: list[str] = []
    for contribution in contributions:
        kind = str(contribution["type"]).removeprefix("ResidualHelmholtz")
        if kind == "Associating":
            found.append(_association(contribution))
            continue
        if kind not in _EXPONENTS:
            raise UnsupportedExpression(f"adlab does not know terms of the type `{contribution['type']}`")
        names = [word for word, value in contribution.items() if isinstance(value, list)]
        if len({len(contribution[word]) for word in names}) > 1:
            raise UnsupportedExpression(f"the lists of a term have different lengths: {', '.join(names)}")
        for values in zip(*(contribution[word] for word in names), strict=True):
            found.append(_term(kind, dict(zip(names, values, strict=True))))
    return found


def _term(kind: str, of: Mapping[str, Any]) -> str:
    """n δᵈ τᵗ exp(exponent). A power of 0 and an empty exponent are left out."""
    if kind == "NonAnalytic":
        return _nonanalytic(of)
    powers = [(letter, of[power]) for letter, power in (("delta", "d"), ("tau", "t")) if of[power]]
    factors = [_number(of["n"]), *(letter if power == 1 else f"{letter}**{_power(power)}" for letter, power in powers)]
    exponent = _EXPONENTS[kind](of)
    return "*".join([*factors, *([f"exp({exponent})"] if exponent else [])])


def _number(value: Any) -> str:
    return repr(int(value)) if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15) else repr(float(value))


def _power(value: Any) -> str:
    text = _number(value)
    return f"({text})" if text.startswith("-") else text


def _gone(letter: str, power: Any) -> str:
    """-letter**power, or nothing for a power of 0: in these files that means that the factor is not there."""
    return "" if not power else f"-{letter}" if power == 1 else f"-{letter}**{_power(power)}"


def _bell(of: Mapping[str, Any], letter: str, width: str, centre: str, square: bool = True) -> str:
    return f"-({_number(of[width])})*({letter}-({_number(of[centre])})){'**2' if square else ''}"


_EXPONENTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "Power": lambda of: _gone("delta", of["l"]),
    "Exponential": lambda of: f"-({_number(of['g'])})*delta**{_power(of['l'])}" if of["l"] else "",
    "Lemmon2005": lambda of: _gone("delta", of["l"]) + _gone("tau", of["m"]),
    "Gaussian": lambda of: _bell(of, "delta", "eta", "epsilon") + _bell(of, "tau", "beta", "gamma"),
    "GERG2008": lambda of: _bell(of, "delta", "eta", "epsilon") + _bell(of, "delta", "beta", "gamma", square=False),
    "GaoB": lambda of: f"({_number(of['eta'])})*(delta-({_number(of['epsilon'])}))**2"
                       f"+1/(({_number(of['b'])})+({_number(of['beta'])})*(tau-({_number(of['gamma'])}))**2)",
    "DoubleExponential": lambda of: f"-({_number(of['gd'])})*delta**{_power(of['ld'])}"
                                    f"-({_number(of['gt'])})*tau**{_power(of['lt'])}",
    "NonAnalytic": lambda of: "",
}  # fmt: skip
"""The exponent of each kind of term."""


def _nonanalytic(of: Mapping[str, Any]) -> str:
    """Span and Wagner's term near the critical point: n Δᵇ δ ψ."""
    n, a, b, beta, big_a, big_b, big_c, big_d = (_number(of[word]) for word in ("n", "a", "b", "beta", "A", "B", "C", "D"))
    theta = f"(1-tau+({big_a})*((delta-1)**2)**(1/(2*({beta}))))"
    distance = f"({theta}**2+({big_b})*((delta-1)**2)**({a}))"
    return f"{n}*{distance}**({b})*delta*exp(-({big_c})*(delta-1)**2-({big_d})*(tau-1)**2)"


def _association(of: Mapping[str, Any]) -> str:
    """m a (log X − X/2 + 1/2) with X = 2/(√(1 + 4 Δ δ) + 1) and Δ = g (exp(ε τ) − 1) κ."""
    packing = f"({_number(of['vbarn'])}*delta)"
    contact = f"((2-{packing})/(2*(1-{packing})**3))"
    strength = f"({contact}*(exp({_number(of['epsilonbar'])}*tau)-1)*{_number(of['kappabar'])}*delta)"
    unbonded = f"(2/(sqrt(1+4*{strength})+1))"
    return f"{_number(of['m'])}*{_number(of['a'])}*(log{unbonded}-{unbonded}/2+1/2)"
