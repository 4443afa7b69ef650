// Words: the events that a reader steps through, and what each of them says, first in letters and then in numbers.

export const shown = (x) => {
  if (x === undefined || x === null) return "";
  if (Number.isNaN(x)) return "no value";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  const size = Math.abs(x);
  const text = x === 0 ? "0" : size >= 1e5 || size < 1e-3 ? x.toExponential(4) : String(Number(x.toPrecision(5)));
  return text.replaceAll("-", "−");
};

const letter = (name, accent) => name.replace(/^([^\W\d]|[^\x00-\x7f])/u, `$1${accent}`);
export const bar = (node) => letter(node.name, "\u0304");
export const dot = (node) => letter(node.name, "\u0307");

// An event is a primal that is computed, a seed, one beat of one contribution, or the end.
export function reverseEvents(numbers, swept, primals = true) {
  const list = primals ? [{ kind: "start" }, ...numbers.operations.map((node) => ({ kind: "primal", node }))] : [];
  list.push({ kind: "seed", node: numbers.output, mode: "reverse" });
  swept.found.forEach((c, index) => beats(list, c, index, c.from));
  return [...list, { kind: "end", mode: "reverse" }];
}

export function forwardEvents(numbers, swept, direction) {
  const list = [{ kind: "start" }, { kind: "seed", node: direction, mode: "forward" }];
  let index = 0;
  for (const i of numbers.operations) {
    list.push({ kind: "primal", node: i });
    for (; index < swept.found.length && swept.found[index].to === i; index += 1) beats(list, swept.found[index], index, i);
  }
  return [...list, { kind: "end", mode: "forward" }];
}

function beats(list, c, index, node) {
  for (let beat = 0; beat < 4; beat += 1) list.push({ kind: "beat", beat, index, c, node, mode: c.mode });
}

// The names and sentences of one page. `values` and sums come from the walk.
export class Words {
  constructor(data) { this.data = data; this.nodes = data.nodes; }

  // The output that the walk is about: f, or of several f0, f1, …
  f(walk) { return this.data.outputs.length > 1 ? `f${walk.output}` : "f"; }

  mark(i, mode) { return (mode === "reverse" ? bar : dot)(this.nodes[i]); }

  // The operation at the end of an edge, and what it reads.
  ends(c) { return c.mode === "reverse" ? [c.from, c.to] : [c.to, c.from]; }

  fraction(c) { const [user, read] = this.ends(c); return `∂${this.nodes[user].name}/∂${this.nodes[read].name}`; }

  rule(c) { return this.nodes[this.ends(c)[0]].partials[c.place] ?? this.fraction(c); }

  said(event, walk) {
    const { data, nodes } = this;
    if (event.kind === "start") return ["Nothing is computed yet. Press Next, or the right arrow key.", ""];
    if (event.kind === "primal") {
      const node = nodes[event.node], from = node.operands.slice(0, 8).map((k) => `${nodes[k].name} = ${shown(walk.values[k])}`).join(", ");
      return [`Forward: ${node.name} = ${node.text}`, `${node.name} = ${shown(walk.values[event.node])}   (${from})`];
    }
    if (event.kind === "seed") {
      const name = nodes[event.node].name;
      return [event.mode === "reverse" ? `The reverse sweep starts. ${bar(nodes[event.node])} = ∂${name}/∂${name} is the adjoint of the output.`
        : `The direction is ${name}: its tangent is ∂${name}/∂${name}.`, `${this.mark(event.node, event.mode)} = 1`];
    }
    if (event.kind === "end") {
      const sums = walk.swept[event.mode].sums;
      const now = walk.level || walk.broken.kind || !data.formula ? "" : " Now it is your turn: set your part to Fill one.";
      if (event.mode === "reverse") return [`Done: every contribution has arrived.${now}`, data.variables.slice(0, 20).map((name, i) => `∂${this.f(walk)}/∂${name} = ${shown(sums[i] ?? 0)}`).join(",  ")];
      return ["Done: the tangent of the output is the derivative in this direction.", `∂${this.f(walk)}/∂${data.variables[walk.direction]} = ${shown(sums[walk.numbers.output] ?? 0)}`];
    }
    return this.beat(event);
  }

  beat({ c, beat }) {
    if (c.partial === null) return this.body(c, beat);
    const from = this.mark(c.from, c.mode), to = this.mark(c.to, c.mode), fraction = this.fraction(c);
    if (beat === 0) return [`1 of 4. The ${c.mode === "reverse" ? "adjoint" : "tangent"} of ${this.nodes[c.from].name} is ready.`, `${from} = ${shown(c.bar)}`];
    if (beat === 1) return [`2 of 4. The local partial is ${fraction} = ${this.rule(c)}.`, `${fraction} = ${shown(c.partial)}`];
    if (beat === 2) return [`3 of 4. The product travels along the edge: ${from} · ${fraction}.`, `${shown(c.bar)} · ${shown(c.partial)} = ${shown(c.value)}`];
    return [`4 of 4. It is added: ${to} += ${from} · ${fraction}.`, `old sum ${c.before === null ? "0" : shown(c.before)} + contribution ${shown(c.value)} = new sum ${shown(c.after)}`];
  }

  // A loop, branch or solver with several results has no single partial: its own derivative program takes all their adjoints.
  body(c, beat) {
    const from = this.nodes[c.from].name, to = this.mark(c.to, c.mode);
    if (beat < 2) return [`${beat + 1} of 4. The adjoints of all results of ${from} are ready. Its own reverse program takes them.`, ""];
    if (beat === 2) return [`3 of 4. The program gives the contribution of ${from} to ${this.nodes[c.to].name}.`, shown(c.value)];
    return [`4 of 4. It is added to ${to}.`, `old sum ${c.before === null ? "0" : shown(c.before)} + contribution ${shown(c.value)} = new sum ${shown(c.after)}`];
  }
}
