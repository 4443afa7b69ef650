// Mistakes that a reader builds in: what each of them does, where the first wrong number arises, and how far it runs.
import { bar, dot, shown } from "./words.js";

export const FAULTS = ["overwrite", "factor", "order", "tanh", "step"];
export const TINY = 1e-16;  // the step that is far too small

// (v(x + h) − v(x))/h of every node, for the step that is too small. What does not move has the quotient 0.
export function quotients({ numbers, point, values, direction }) {
  const moved = numbers.evaluate(point.map((x, i) => (i === direction ? x + TINY : x)));
  return values.map((v, i) => (moved[i] - v) / TINY);
}

const names = (list) => `${list.slice(0, 12).join(", ")}${list.length > 12 ? `, … (${list.length} nodes)` : ""}`;

export function damage(walk) {
  const { kind } = walk.broken;
  if (!kind) return "";
  if (kind === "step") return tinyStep(walk);
  if (walk.mode === "forward") return "This mistake is one of the reverse sweep: choose reverse mode.";
  const { nodes } = walk, wrong = nodes.map((_, i) => i).filter((i) => i in walk.sound.sums && walk.off(i)), first = wrong.at(-1);
  const about = kind === "tanh" ? tanh(walk) : "";
  if (first === undefined) return `${about}Here the mistake changes nothing. ${kind === "tanh" ? "Move the inputs." : "Try another formula: that is why a wrong rule can hide."}`;
  const sums = walk.swept.reverse.sums, inputs = walk.data.variables.filter((_, i) => walk.off(i)), f = walk.words.f(walk);
  const reach = inputs.length ? `From there it reaches ${inputs.slice(0, 12).map((name) => `∂${f}/∂${name}`).join(", ")}.` : "It reaches no input.";
  return `${about}The first wrong adjoint is ${bar(nodes[first])}: ${first in sums ? shown(sums[first]) : "nothing"} where ${shown(walk.sound.sums[first])} is right. ${reach} Wrong in all: ${names(wrong.toReversed().map((i) => nodes[i].name))}.`;
}

// 1 − tanh² subtracts two numbers that agree more and more: at 22 nothing is left of the slope.
function tanh({ nodes, values }) {
  const at = nodes.filter((node) => node.op === "tanh").map((node) => values[node.operands[0]]);
  const rule = (a) => `1 − tanh² = ${shown(1 - Math.tanh(a) ** 2)} where 1/cosh² = ${shown(1 / Math.cosh(a) ** 2)} is right`;
  const known = `At 22: tanh(22) = 1 after rounding, so ${rule(22)}.`;
  return at.length ? `${known} Here, at ${at.slice(0, 4).map((a) => `${shown(a)}: ${rule(a)}`).join("; at ")}. ` : `${known} This formula has no tanh. `;
}

function tinyStep(walk) {
  const { nodes, point, direction, numbers } = walk, x = point[direction], name = walk.data.variables[direction], sums = walk.swept.forward.sums;
  const wrong = nodes.map((_, i) => i).filter((i) => i in sums && walk.off(i)), first = wrong[0], f = walk.words.f(walk);
  const rounds = x + TINY === x ? `${name} + h rounds to ${name} = ${shown(x)}` : `${name} + h is ${shown(x + TINY)}`;
  if (first === undefined) return `With h = 1e−16, ${rounds}. The quotients are still right: h is not small beside ${name}. Take a larger ${name}.`;
  const last = numbers.output, end = `(${f}(${name} + h) − ${f}(${name}))/h = ${shown(walk.quotients[last])} where ∂${f}/∂${name} = ${shown(sums[last] ?? 0)} is right`;
  return `With h = 1e−16, ${rounds}. The first wrong difference quotient is that of ${nodes[first].name}: ${shown(walk.quotients[first])} where its tangent ${dot(nodes[first])} is ${shown(sums[first])}. It runs through ${names(wrong.map((i) => nodes[i].name))}: ${end}.`;
}
