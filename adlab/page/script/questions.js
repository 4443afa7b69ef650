// The ten questions that learners ask most. Each is answered by something that the reader does.
import { Numbers } from "./numbers.js";
import { shown } from "./words.js";
import { mountExplorers } from "./explorers.js";

const say = (part, text) => { part.querySelector(".shows").textContent = text; };
const field = (part, name) => part.querySelector(`[name="${name}"]`);
const vector = (list) => `(${list.map(shown).join(", ")})`;
const button = (text, act) => { const made = Object.assign(document.createElement("button"), { type: "button", textContent: text }); made.addEventListener("click", act); return made; };

// 1. The reader lets the nodes pass on their adjoints, in any order.
function order(part, { worked }) {
  const numbers = new Numbers(worked), values = numbers.evaluate(worked.point), due = numbers.gradient(worked.point), place = part.querySelector(".choices");
  let chosen = [];
  const start = () => {
    chosen = [];
    place.replaceChildren(...numbers.operations.map((i) => button(worked.nodes[i].name, (e) => { e.target.disabled = true; chosen.push(i); told(); })), button("start again", start));
    say(part, "Click the nodes in the order in which they pass their adjoints on.");
  };
  const told = () => {
    const { sums } = numbers.reverse(values, undefined, { order: chosen }), names = chosen.map((i) => worked.nodes[i].name).join(", ");
    if (chosen.length < numbers.operations.length) return say(part, `${names} …`);
    const got = worked.variables.map((_, i) => sums[i] ?? 0), right = got.every((x, i) => Math.abs(x - due[i]) <= 1e-12 * Math.abs(due[i]));
    return say(part, `${names}: the gradient is ${vector(got)}. ${right ? "Right: every node waited until all that use it had passed on." : `Right is ${vector(due)}. Some node passed on its adjoint before all contributions to it had arrived, and what came later was lost.`}`);
  };
  start();
}

// 2. backward(v): the reader chooses v, for two outputs.
function weights(part, { pair }) {
  const rows = pair.map((facts) => new Numbers(facts).gradient(facts.point));
  const update = () => {
    const v = ["v1", "v2"].map((name) => Number(field(part, name).value)), got = rows[0].map((x, i) => v[0] * x + v[1] * rows[1][i]);
    const one = v[0] === 0 && v[1] === 1 ? " Done: that is the second row of J. One sweep gives one row." : "";
    say(part, `J has the rows ${vector(rows[0])} and ${vector(rows[1])}. backward(v) with v = ${vector(v)} gives v₁·row 1 + v₂·row 2 = ${vector(got)}.${one}`);
  };
  for (const name of ["v1", "v2"]) field(part, name).addEventListener("input", update);
  update();
}

// 3. Numbers beside a formula.
function symbolic(part, { product }) {
  const numbers = new Numbers(product);
  const update = () => {
    const x = Number(field(part, "x").value), values = numbers.evaluate([x]), { sums } = numbers.reverse(values);
    const held = product.nodes.map((node, i) => `${node.name} = ${shown(values[i])}, adjoint ${shown(sums[i])}`).join("; ");
    say(part, `Reverse mode holds numbers at this x: ${held}. The formula sin(x) + x·cos(x), evaluated here, gives ${shown(Math.sin(x) + x * Math.cos(x))}; reverse mode gave ${shown(sums[0])}. It never wrote that formula.`);
  };
  field(part, "x").addEventListener("input", update);
  update();
}

// 6. The reader counts sweeps.
function modes(part) {
  part.querySelector("form").addEventListener("submit", (e) => {
    e.preventDefault();
    const n = Math.max(1, Number(field(part, "n").value) || 1), m = Math.max(1, Number(field(part, "m").value) || 1), guess = field(part, "guess").value;
    const due = n < m ? "forward" : n > m ? "reverse" : "either";
    const right = due === "either" || guess === due ? "Right." : "Not here.";
    say(part, `${right} Forward mode needs a sweep for each of the ${n} inputs, reverse mode one for each of the ${m} outputs. ${due === "either" ? "The counts are equal; forward mode keeps no list, so it has less to store." : `So ${due} mode is cheaper, by a factor of about ${shown(Math.max(n, m) / Math.min(n, m))}.`} Change n and m, and answer again.`);
  });
}

// 7. where(x > 0, sqrt(x), 0), with and without a guard inside.
function nan(part) {
  const update = () => {
    const x = Number(field(part, "x").value), guard = field(part, "guard").checked, inside = guard && !(x > 0) ? 1 : x;
    const root = Math.sqrt(inside), taken = x > 0 ? 1 : 0, local = 0.5 / root, adjoint = taken * local * (guard && !taken ? 0 : 1);
    const value = taken ? root : 0;
    say(part, `f = ${shown(value)}. The branch sqrt is ${taken ? "taken, so 1" : "not taken, so 0"} arrives there. The local partial is 1/(2·sqrt(${shown(inside)})) = ${shown(local)}. The product is ${taken} · ${shown(local)} = ${shown(adjoint)}.${Number.isNaN(adjoint) ? " The value is fine, and the gradient is lost: 0 times what is no number is no number." : ""}`);
  };
  for (const name of ["x", "guard"]) field(part, name).addEventListener("input", update);
  update();
}

// Which values the local partials read: the operands and results that occur in the rules of the table.
export function kept(numbers) {
  const { data } = numbers, found = new Set();
  for (const i of numbers.operations) {
    const rule = data.rules[data.keys[i]], given = [...data.nodes[i].operands, i], used = new Set(rule.outputs);
    for (const [, operands] of rule.nodes) operands.forEach((k) => used.add(k));
    given.forEach((node, k) => { if (used.has(k)) found.add(node); });
  }
  return found;
}

// 8. The reader ticks the values that the way back needs.
function saved(part, { worked }) {
  const numbers = new Numbers(worked), due = kept(numbers), place = part.querySelector(".choices");
  worked.nodes.forEach((node, i) => {
    if (i >= numbers.count && !node.operands.length) return;
    const label = document.createElement("label"), box = Object.assign(document.createElement("input"), { type: "checkbox", value: i });
    label.append(box, ` ${node.name}${node.operands.length ? ` = ${node.text}` : ""}`);
    place.append(label);
  });
  part.querySelector("button.check").addEventListener("click", () => {
    const got = new Set([...place.querySelectorAll("input:checked")].map((box) => Number(box.value)));
    const name = (i) => worked.nodes[i].name, missing = [...due].filter((i) => !got.has(i)), spare = [...got].filter((i) => !due.has(i));
    if (!missing.length && !spare.length) return say(part, "Right. Sums pass adjoints on without any value; products need their other operand, log and sin their operand.");
    return say(part, [missing.length ? `Still needed: ${missing.length}. Look at the rule of ${name(numbers.operations.find((k) => worked.nodes[k].operands.includes(missing[0])) ?? missing[0])}.` : "", spare.length ? `Not needed: ${spare.map(name).join(", ")}.` : ""].join(" "));
  });
}

// The gradient of the worked example as straight-line code: what a compiler makes of the list.
export function straight(x1, x2) {
  const v1 = x1 + x2, v2 = v1 * v1, v3 = x1 * x2, v4 = Math.sin(v3), v5 = v2 + v4, bar5 = 1 / v5;
  const bar3 = bar5 * Math.cos(v3), bar1 = bar5 * (2 * v1);
  return [bar1 + bar3 * x2, bar1 + bar3 * x1];
}

// 9. The list walked, and the same operations as straight-line code.
function jit(part, { worked }) {
  const numbers = new Numbers(worked), rounds = { walk: 4000, straight: 400000 }, took = {};
  const run = (name, act) => {
    const start = performance.now();
    let last = [];
    for (let k = 0; k < rounds[name]; k += 1) last = act(worked.point[0] + k * 1e-12, worked.point[1]);
    took[name] = (performance.now() - start) / rounds[name];
    const both = took.walk && took.straight ? ` Straight-line code takes 1/${Math.max(1, Math.round(took.walk / took.straight))} of the time here.` : "";
    say(part, `${name === "walk" ? "Walking the list" : "Straight-line code"}: gradient ${vector(last)}, ${shown(took[name] * 1000)} µs for each.${both}`);
  };
  part.querySelector("button.walk").addEventListener("click", () => run("walk", (x, y) => numbers.gradient([x, y])));
  part.querySelector("button.straight").addEventListener("click", () => run("straight", straight));
}

// 10. Somebody's gradient, checked along directions that the reader draws.
export const CANDIDATES = [
  ["A", (g, x) => [g[0], g[1]], ""],
  ["B", (g, x) => [g[0], -g[1]], "the sign of the second component is wrong"],
  ["C", (g, x) => [g[0], g[1] + 1e-3 * x[0]], "the second component is off by 0.001·x1: a small slip, and a slip none the less"],
];
function check(part, { worked }) {
  const numbers = new Numbers(worked), x = worked.point, exact = numbers.gradient(x);
  const place = part.querySelector(".choices"), mine = () => CANDIDATES[Number(field(part, "whose").value)];
  let tries = 0;
  place.append(button("check along a random direction", () => {
    const angle = 2 * Math.PI * Math.random(), v = [Math.cos(angle), Math.sin(angle)], h = 1e-5, [, wrong] = mine();
    const claimed = wrong(exact, x), left = claimed[0] * v[0] + claimed[1] * v[1];
    const right = (numbers.value(x.map((t, i) => t + h * v[i])) - numbers.value(x.map((t, i) => t - h * v[i]))) / (2 * h);
    tries += 1;
    say(part, `Direction ${vector(v)}: the gradient says ${left.toPrecision(9)}, the central difference says ${right.toPrecision(9)}; they differ by ${shown(Math.abs(left - right))}. Tries: ${tries}. Is this gradient right?`);
  }), ...["right", "wrong"].map((word) => button(word, () => {
    const [, , slip] = mine(), good = (word === "wrong") === Boolean(slip);
    say(part, `${good ? "So it is." : "No."} ${slip ? `In ${mine()[0]}, ${slip}.` : `${mine()[0]} is right.`} ${tries ? "" : "You guessed: check it along a direction. "}An error of a difference is about 1e−10 here; a slip is larger, and shows in almost every direction.`);
  })));
}

export function mountQuestions(root, data) {
  mountExplorers(root, data);
  const acts = { order, weights, symbolic, modes, nan, saved, jit, check };
  for (const [name, act] of Object.entries(acts)) act(root.getElementById(`q-${name}`), data);
  return { data, numbers: new Numbers(data.worked) };
}
