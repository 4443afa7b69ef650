// Numbers: what each operation computes, and both sweeps over a graph. No rule of differentiation stands here. The rules come in
// the data as small graphs, and `partials` walks them. Nothing in this file knows of a document: node can test it.

const truth = (holds) => (holds ? 1 : 0);
const same = (x) => x;

// x² as a sum of two floats (Dekker). exp(x²) multiplies the rounding error of x² by x², so the low part matters.
function square(a) {
  const split = 134217729 * a, head = split - (split - a), tail = a - head, high = a * a;
  return [high, Number.isFinite(split) ? ((head * head - high) + 2 * head * tail) + tail * tail : 0];
}
const gauss = (a) => { const [high, low] = square(a); const x = Math.exp(-high); return x === 0 ? 0 : x - x * low; };
const growth = (a) => { const [high, low] = square(a); const x = Math.exp(high); return Number.isFinite(x) ? x + x * low : x; };
const sigmoid = (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a)));

// eᵃ/(eᵃ + eᵇ) from the exact difference of a and b: the rounding error of the difference is added in the end (Knuth's two-sum).
function share(a, b) {
  const difference = a - b, back = difference - a, rest = (a - (difference - back)) + (-b - back), value = sigmoid(difference);
  return Number.isFinite(rest) ? value + value * sigmoid(-difference) * rest : value;
}

// log(eᵃ + eᵇ). Near 0 two terms cancel, and the sum is taken with 200 binary places.
function logaddexp(a, b) {
  const larger = Math.max(a, b), value = larger + Math.log1p(Math.exp(-Math.abs(a - b)));
  if (!(Math.abs(value) < -0.5 * larger)) return value;
  const one = 1n << 200n;
  const exp = (x) => {
    const scaled = BigInt(Math.trunc(x * 2 ** 150)) << 50n;
    let term = one, sum = one;
    for (let n = 1n; term !== 0n; n += 1n) { term = (term * scaled) / (one * n); sum += term; }
    return sum;
  };
  return Math.log1p(Number(exp(a) + exp(b) - one) / 2 ** 200);
}
const remainder = (a, b) => { const r = a % b; return r !== 0 && (r < 0) !== (b < 0) ? r + b : r; };

export const VALUES = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => (b === 0 ? NaN : a / b), neg: (a) => -a,
  powi: (a, n) => a ** n, powr: (a, n) => (a < 0 ? NaN : a ** n),
  pow: (a, b, n) => (a < 0 && b !== Math.floor(b) ? NaN : a ** (b + (n || 0))),
  sqrt: Math.sqrt, cbrt: (a) => (a < 0 ? NaN : Math.cbrt(a)), hypot: Math.hypot, exp: Math.exp,
  log: (a) => (a > 0 ? Math.log(a) : NaN), xlogy: (a, b) => (a === 0 && b === 0 ? 0 : b > 0 ? a * Math.log(b) : NaN),
  gauss, growth, log1p: Math.log1p, expm1: Math.expm1, log2: Math.log2, exp2: (a) => 2 ** a, sigmoid,
  softplus: (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))),
  logaddexp, share, sharing: (a, b) => share(a, b) * share(b, a), expover: (a) => (a === 0 ? NaN : Math.exp(a / 2) / a * Math.exp(a / 2)),
  heading: (a, b) => a / Math.hypot(a, b), cosquare: (a) => (1 - a) * (1 + a),
  sin: Math.sin, cos: Math.cos, tan: Math.tan, sec: (a) => 1 / Math.cos(a), csc: (a) => 1 / Math.sin(a), cot: (a) => 1 / Math.tan(a),
  asin: Math.asin, acos: Math.acos, atan: Math.atan, atan2: Math.atan2, acot: (a) => Math.atan(1 / a),
  sinh: Math.sinh, cosh: Math.cosh, tanh: Math.tanh, sech: (a) => 1 / Math.cosh(a), csch: (a) => 1 / Math.sinh(a),
  coth: (a) => 1 / Math.tanh(a), asinh: Math.asinh, acosh: Math.acosh, atanh: Math.atanh,
  abs: Math.abs, sign: Math.sign, heaviside: (a, n) => (a > 0 ? 1 : a < 0 ? 0 : a === 0 ? n : NaN),
  floor: Math.floor, ceiling: Math.ceil, mod: remainder, min: Math.min, max: Math.max,
  lt: (a, b) => truth(a < b), le: (a, b) => truth(a <= b), gt: (a, b) => truth(a > b), ge: (a, b) => truth(a >= b),
  eq: (a, b) => truth(a === b), ne: (a, b) => truth(a !== b), and: (a, b) => truth(a && b), or: (a, b) => truth(a || b),
  not: (a) => 1 - a, select: (c, a, b) => (c === 0 ? b : a),
};

export function apply(op, operands, parameter, round = same) {
  return round(parameter === null ? VALUES[op](...operands) : VALUES[op](...operands, parameter));
}

// The graph of the page with its arithmetic. `round` is the identity for float64 and Math.fround for float32. `broken` is the
// mistake that a reader chose: {kind, node}.
export class Numbers {
  constructor(data) {
    this.data = data;
    this.count = data.variables.length;
    this.choose(0);
    this.operations = data.nodes.map((_, i) => i).filter((i) => data.nodes[i].operands.length);
  }

  choose(output) { this.chosen = output; this.output = this.data.outputs[output]; }

  // Every value of the graph at a point. Where the page cannot compute, the recorded values.
  evaluate(point, round = same) {
    const values = [];
    this.data.nodes.forEach((node, i) => {
      if (i < this.count) values.push(round(point[i]));
      else if (!node.operands.length) values.push(round(node.value));
      else if (!this.data.live) values.push(node.value);
      else values.push(apply(node.op, node.operands.map((k) => values[k]), node.parameter, round));
    });
    return values;
  }

  // The local partials of one operation. Its rule is a small graph whose inputs are the operands and the result. An operation that
  // hands on one of its operands has none, null, by the others: what is not used gets nothing, not even 0 times no number.
  partials(i, values, round = same, broken = {}) {
    const node = this.data.nodes[i];
    if (!this.data.live) return node.slopes;
    if (broken.kind === "tanh" && node.op === "tanh") return [round(1 - values[i] * values[i])];
    const rule = this.data.rules[this.data.keys[i]], inside = [...node.operands.map((k) => values[k]), values[i]];
    for (const [op, operands, parameter] of rule.nodes) {
      inside.push(operands.length ? apply(op, operands.map((k) => inside[k]), parameter, round) : parameter);
    }
    return rule.outputs.map((k) => (rule.routes && inside[k] === 0 ? null : inside[k]));
  }

  // The reverse sweep as a list of contributions, in the order in which they arrive. `broken.order` is an order of the operations
  // that a reader chose; what has no adjoint when its turn comes passes nothing on.
  reverse(values, round = same, broken = {}) {
    if (this.data.recorded) return this.replay();
    const adjoint = { [this.output]: 1 }, found = [];
    const order = broken.order ?? (broken.kind === "order" ? this.operations : [...this.operations].reverse());
    for (const i of order) {
      if (!(i in adjoint) || !this.data.nodes[i].active) continue;
      const local = this.partials(i, values, round, broken);
      this.data.nodes[i].operands.forEach((k, place) => {
        if (!this.data.nodes[k].active || local[place] === null) return;
        const partial = broken.kind === "factor" && i === broken.node ? 1 : local[place];
        const value = round(adjoint[i] * partial), before = k in adjoint ? adjoint[k] : null;
        const forgets = broken.kind === "overwrite" && before !== null;
        const after = before === null || forgets ? value : round(before + value);
        adjoint[k] = after;
        found.push({ mode: "reverse", from: i, to: k, place, bar: adjoint[i], partial, value, before: forgets ? null : before, after });
      });
    }
    return { sums: adjoint, found };
  }

  // A graph with loops or solvers: the contributions that Python recorded. Their own derivatives are programs, not one partial.
  replay() {
    const sums = { [this.output]: 1 };
    const recorded = this.data.recorded[this.chosen];
    for (const c of recorded) sums[c.to] = c.after;
    return { sums, found: recorded.map((c) => ({ mode: "reverse", ...c })) };
  }

  // The forward sweep: the tangent of every node for one direction.
  forward(values, direction) {
    const tangent = { [direction]: 1 }, found = [];
    for (const i of this.operations) {
      if (!this.data.nodes[i].operands.some((k) => k in tangent)) continue;
      const local = this.partials(i, values);
      this.data.nodes[i].operands.forEach((k, place) => {
        if (!(k in tangent) || local[place] === null) return;
        const value = local[place] * tangent[k], before = i in tangent ? tangent[i] : null;
        tangent[i] = before === null ? value : before + value;
        found.push({ mode: "forward", from: k, to: i, place, bar: tangent[k], partial: local[place], value, before, after: tangent[i] });
      });
    }
    return { sums: tangent, found };
  }

  gradient(point, round = same) {
    const { sums } = this.reverse(this.evaluate(point, round), round);
    return this.data.variables.map((_, i) => sums[i] ?? 0);
  }

  value(point, round = same) { return this.evaluate(point, round)[this.output]; }

  // A difference quotient. The divisor is the step that was really made, after rounding.
  slope(point, i, h, scheme, round = same) {
    const at = (step) => { const moved = [...point]; moved[i] = round(moved[i] + step); return [this.value(moved, round), moved[i]]; };
    const [above, x] = at(h), [below, y] = scheme === "forward" ? at(0) : at(-h);
    return round(above - below) / (x - y);
  }
}
