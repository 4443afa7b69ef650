// The page's script: one graph, walked step by step. No rule of differentiation stands here: the rules come in the data as
// small graphs, and `partials` walks them. Names and formulas only ever become text nodes.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const operations = data.nodes.map((node, i) => i).filter((i) => data.nodes[i].operands.length);
const count = data.variables.length;
const output = data.outputs[0];

// --- the interpreter -------------------------------------------------------------------------------------------------

const wholePower = (a, n) => {
  let result = 1, base = a;
  for (let k = n; k > 0; k = Math.floor(k / 2)) { if (k % 2) result *= base; base *= base; }
  return result;
};
const truth = (holds) => (holds ? 1 : 0);
const sigmoid = (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a)));
const VALUES = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => (b === 0 ? NaN : a / b), neg: (a) => -a,
  powi: (a, n) => wholePower(a, n), powr: (a, n) => (a < 0 ? NaN : a ** n),
  pow: (a, b, n) => (a < 0 && b !== Math.floor(b) ? NaN : a ** (b + (n || 0))),
  sqrt: Math.sqrt, cbrt: (a) => (a < 0 ? NaN : Math.cbrt(a)), hypot: Math.hypot, exp: Math.exp,
  log: (a) => (a > 0 ? Math.log(a) : NaN), xlogy: (a, b) => (a === 0 && b === 0 ? 0 : b > 0 ? a * Math.log(b) : NaN),
  gauss: (a) => Math.exp(-a * a), growth: (a) => Math.exp(a * a), log1p: Math.log1p, expm1: Math.expm1, log2: Math.log2,
  exp2: (a) => 2 ** a, sigmoid, softplus: (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))),
  logaddexp: (a, b) => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b))),
  sin: Math.sin, cos: Math.cos, tan: Math.tan, sec: (a) => 1 / Math.cos(a), csc: (a) => 1 / Math.sin(a), cot: (a) => 1 / Math.tan(a),
  asin: Math.asin, acos: Math.acos, atan: Math.atan, atan2: Math.atan2, acot: (a) => Math.atan(1 / a),
  sinh: Math.sinh, cosh: Math.cosh, tanh: Math.tanh, sech: (a) => 1 / Math.cosh(a), csch: (a) => 1 / Math.sinh(a),
  coth: (a) => 1 / Math.tanh(a), asinh: Math.asinh, acosh: Math.acosh, atanh: Math.atanh,
  abs: Math.abs, sign: Math.sign, heaviside: (a, n) => (a > 0 ? 1 : a < 0 ? 0 : a === 0 ? n : NaN),
  floor: Math.floor, ceiling: Math.ceil, mod: (a, b) => a - b * Math.floor(a / b), min: Math.min, max: Math.max,
  lt: (a, b) => truth(a < b), le: (a, b) => truth(a <= b), gt: (a, b) => truth(a > b), ge: (a, b) => truth(a >= b),
  eq: (a, b) => truth(a === b), ne: (a, b) => truth(a !== b), and: (a, b) => truth(a && b), or: (a, b) => truth(a || b),
  not: (a) => 1 - a, select: (c, a, b) => (c === 0 ? b : a),
};

function apply(op, operands, parameter, round) {
  const found = parameter === null ? VALUES[op](...operands) : VALUES[op](...operands, parameter);
  return round(found);
}

// Every value of the graph at a point. `round` is the identity for float64 and Math.fround for float32.
function evaluate(point, round = (x) => x) {
  const values = [];
  data.nodes.forEach((node, i) => {
    if (i < count) values.push(round(point[i]));
    else if (!node.operands.length) values.push(round(node.value));
    else values.push(apply(node.op, node.operands.map((k) => values[k]), node.parameter, round));
  });
  return values;
}

// The local partials of one operation: its rule is a small graph, walked with the same functions.
function partials(i, values, round = (x) => x) {
  const node = data.nodes[i], rule = data.rules[data.keys[i]];
  if (!data.live) return node.slopes;
  if (broken.kind === "tanh" && node.op === "tanh") return [round(1 - values[i] * values[i])];
  const inside = [...node.operands.map((k) => values[k]), values[i]];
  for (const [op, operands, parameter] of rule.nodes) {
    inside.push(operands.length ? apply(op, operands.map((k) => inside[k]), parameter, round) : parameter);
  }
  return rule.outputs.map((k) => inside[k]);
}

// The reverse sweep as a list of contributions, in the order in which they arrive.
function contributions(values, round = (x) => x) {
  const adjoint = {}, found = [];
  adjoint[output] = 1;
  const order = [...operations].reverse();
  if (broken.kind === "order") order.splice(0, order.length, ...operations);
  for (const i of order) {
    if (!(i in adjoint) || !data.nodes[i].active) continue;
    const local = partials(i, values, round);
    data.nodes[i].operands.forEach((k, place) => {
      if (!data.nodes[k].active) return;
      let partial = local[place];
      if (broken.kind === "factor" && i === broken.node) partial = 1;
      const value = round(adjoint[i] * partial), before = k in adjoint ? adjoint[k] : null;
      const overwrites = broken.kind === "overwrite" && before !== null;
      const after = before === null || overwrites ? value : round(before + value);
      adjoint[k] = after;
      found.push({ from: i, to: k, place, bar: adjoint[i], partial, value, before: overwrites ? null : before, after });
    });
  }
  return { adjoint, found };
}

// The forward sweep: the tangent of every node for one direction.
function tangents(values, direction) {
  const tangent = {}, found = [];
  for (let i = 0; i < count; i += 1) if (i === direction) tangent[i] = 1;
  for (const i of operations) {
    const local = partials(i, values);
    data.nodes[i].operands.forEach((k, place) => {
      if (!(k in tangent)) return;
      const value = local[place] * tangent[k], before = i in tangent ? tangent[i] : null;
      tangent[i] = before === null ? value : before + value;
      found.push({ from: k, to: i, place, bar: tangent[k], partial: local[place], value, before, after: tangent[i] });
    });
  }
  return { tangent, found };
}

function gradient(point, round) {
  const { adjoint } = contributions(evaluate(point, round), round);
  return data.variables.map((_, i) => adjoint[i] ?? 0);
}

// --- the state, and the events that a reader steps through ---------------------------------------------------------------

const broken = { kind: "", node: null };
const state = { mode: "reverse", direction: 0, level: 0, step: 0, point: [...data.point], score: { right: 0, asked: 0 }, answers: {} };
let values = [], swept = { found: [] }, events = [], sound = null;

function recompute() {
  const kept = broken.kind;
  broken.kind = "";
  values = data.live ? evaluate(state.point) : data.nodes.map((node) => node.value);
  sound = contributions(values);
  broken.kind = kept;
  swept = state.mode === "reverse" ? contributions(values) : tangents(values, state.direction);
  events = state.mode === "reverse" ? reverseEvents() : forwardEvents();
  state.step = Math.min(state.step, events.length - 1);
}

// An event is a primal that is computed, the seed, one beat of one contribution, or the end.
function reverseEvents() {
  const list = [{ kind: "start" }];
  for (const i of operations) list.push({ kind: "primal", node: i });
  list.push({ kind: "seed", node: output });
  swept.found.forEach((c, index) => { for (let beat = 0; beat < 4; beat += 1) list.push({ kind: "beat", beat, index, c, node: c.from }); });
  list.push({ kind: "end" });
  return list;
}

function forwardEvents() {
  const list = [{ kind: "start" }, { kind: "seed", node: state.direction }];
  let index = 0;
  for (const i of operations) {
    list.push({ kind: "primal", node: i });
    for (; index < swept.found.length && swept.found[index].to === i; index += 1) {
      for (let beat = 0; beat < 4; beat += 1) list.push({ kind: "beat", beat, index, c: swept.found[index], node: i });
    }
  }
  list.push({ kind: "end" });
  return list;
}

const shown = (x) => {
  if (x === undefined || x === null) return "";
  if (Number.isNaN(x)) return "no value";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  const size = Math.abs(x);
  const text = x === 0 ? "0" : size >= 1e5 || size < 1e-3 ? x.toExponential(4) : String(Number(x.toPrecision(5)));
  return text.replace("-", "−");
};
const letter = (name, mark) => name.replace(/^([^\W\d])/u, `$1${mark}`);
const bar = (i) => letter(data.nodes[i].name, "\u0304");
const dot = (i) => letter(data.nodes[i].name, "\u0307");
const mark = (i) => (state.mode === "reverse" ? bar(i) : dot(i));
const partialOf = (i, place) => data.nodes[i].partials[place] ?? `∂${data.nodes[i].name}/∂${data.nodes[data.nodes[i].operands[place]].name}`;
const fraction = (c) => (state.mode === "reverse" ? `∂${data.nodes[c.from].name}/∂${data.nodes[c.to].name}` : `∂${data.nodes[c.to].name}/∂${data.nodes[c.from].name}`);
const ruleOf = (c) => (state.mode === "reverse" ? partialOf(c.from, c.place) : partialOf(c.to, c.place));

// What an event says: first in letters, then in numbers.
function said(event) {
  if (event.kind === "start") return ["Nothing is computed yet. Press Next, or the right arrow key.", ""];
  if (event.kind === "primal") {
    const node = data.nodes[event.node];
    const numbers = node.operands.map((k) => `${data.nodes[k].name} = ${shown(values[k])}`).join(", ");
    return [`Forward: ${node.name} = ${node.text}`, `${node.name} = ${shown(values[event.node])}   (${numbers})`];
  }
  if (event.kind === "seed") {
    const what = state.mode === "reverse"
      ? `The reverse sweep starts. ${bar(event.node)} = ∂${data.nodes[output].name}/∂${data.nodes[output].name} is the adjoint of the output.`
      : `The direction is ${data.nodes[event.node].name}: its tangent is ∂${data.nodes[event.node].name}/∂${data.nodes[event.node].name}.`;
    return [what, `${mark(event.node)} = 1`];
  }
  if (event.kind === "end") {
    if (state.mode === "reverse") return ["Done: every contribution has arrived.", data.variables.map((name, i) => `∂f/∂${name} = ${shown(swept.adjoint?.[i] ?? 0)}`).join(",  ")];
    return ["Done: the tangent of the output is the derivative in this direction.", `∂f/∂${data.variables[state.direction]} = ${shown(swept.tangent?.[output] ?? 0)}`];
  }
  const c = event.c, whose = state.mode === "reverse" ? "adjoint" : "tangent";
  if (event.beat === 0) return [`1 of 4. The ${whose} of ${data.nodes[c.from].name} is ready.`, `${mark(c.from)} = ${shown(c.bar)}`];
  if (event.beat === 1) return [`2 of 4. The local partial is ${fraction(c)} = ${ruleOf(c)}.`, `${fraction(c)} = ${shown(c.partial)}`];
  if (event.beat === 2) return [`3 of 4. The product travels along the edge: ${mark(c.from)} · ${fraction(c)}.`, `${shown(c.bar)} · ${shown(c.partial)} = ${shown(c.value)}`];
  const old = c.before === null ? "0" : shown(c.before);
  return [`4 of 4. It is added: ${mark(c.to)} += ${mark(c.from)} · ${fraction(c)}.`, `old sum ${old} + contribution ${shown(c.value)} = new sum ${shown(c.after)}`];
}

// What is known after the events up to now.
function known() {
  const primal = new Set(data.nodes.map((_, i) => i).filter((i) => i < count || !data.nodes[i].operands.length));
  const sums = {}, arrived = {};
  for (const event of events.slice(0, state.step + 1)) {
    if (event.kind === "primal") primal.add(event.node);
    if (event.kind === "seed") sums[event.node] = 1;
    if (event.kind === "beat" && event.beat === 3) { sums[event.c.to] = event.c.after; (arrived[event.c.to] ??= []).push(event.c); }
  }
  return { primal, sums, arrived };
}

// --- drawing the state --------------------------------------------------------------------------------------------------

function setText(element, text) { if (element && element.textContent !== text) element.textContent = text; }

function render() {
  const event = events[state.step], { primal, sums, arrived } = known();
  const [letters, numbers] = said(event);
  setText($("letters"), letters);
  setText($("numbers"), numbers);
  setText($("where"), `step ${state.step} of ${events.length - 1}`);
  $("slider").max = events.length - 1;
  $("slider").value = state.step;
  $("back").disabled = state.step === 0;
  $("next").disabled = state.step === events.length - 1;
  const c = event.kind === "beat" ? event.c : null;
  data.nodes.forEach((node, i) => {
    const row = $(`row${i}`);
    if (row) {
      const now = event.node === i || (c && event.beat >= 2 && (c.to === i || c.from === i));
      row.classList.toggle("now", Boolean(now));
      setText($(`primal${i}`), primal.has(i) ? shown(values[i]) : "");
      setText($(`adjoint${i}`), i in sums ? shown(sums[i]) : "");
      const terms = (arrived[i] ?? []).map((x) => `${x.value < 0 ? "−" : "+"} ${shown(Math.abs(x.value))} from ${data.nodes[x.from].name}`);
      setText($(`terms${i}`), terms.join("  "));
      row.classList.toggle("wrong", event.kind === "end" && off(i));
    }
    const box = $(`box${i}`);
    if (box) {
      box.classList.toggle("now", event.node === i || Boolean(c && event.beat === 3 && c.to === i));
      box.classList.toggle("lit", i in sums);
      setText($(`boxprimal${i}`), primal.has(i) ? shown(values[i]) : "");
      setText($(`boxadjoint${i}`), i in sums ? `${mark(i)} = ${shown(sums[i])}` : "");
      box.classList.toggle("wrong", event.kind === "end" && off(i));
    }
  });
  const user = c && (state.mode === "reverse" ? c.from : c.to), read = c && (state.mode === "reverse" ? c.to : c.from);
  for (const edge of document.querySelectorAll("#graph .edge")) {
    const here = c && Number(edge.dataset.to) === user && Number(edge.dataset.from) === read && Number(edge.dataset.operand) === c.place;
    edge.classList.toggle("now", Boolean(here && event.beat >= 1));
    edge.classList.toggle("travel", Boolean(here && event.beat === 2));
    edge.classList.toggle("backward", state.mode === "reverse");
  }
  setText($("head5"), state.mode === "reverse" ? "adjoint" : "tangent");
  const line = document.querySelectorAll("#program li");
  const done = events.slice(0, state.step + 1).filter((e) => e.kind === "primal" || (e.kind === "beat" && e.beat === 3)).length;
  const total = events.filter((e) => e.kind === "primal" || (e.kind === "beat" && e.beat === 3)).length || 1;
  line.forEach((item, k) => item.classList.toggle("now", k === Math.min(line.length - 1, Math.floor((done / total) * line.length)) && state.step > 0));
  setText($("score"), state.level ? `${state.score.right} of ${state.score.asked} answers right at the first try` : "");
  save();
}

const differs = (a, b) => !(Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b)));

// --- filling in -----------------------------------------------------------------------------------------------------------

// What is asked before an event is shown. Level 1 asks the local partials, then the products; level 2 also the sums and the order.
function question(event) {
  if (!state.level || event.kind !== "beat" || state.answers[key(event)]) return null;
  const c = event.c;
  if (event.beat === 0 && state.level >= 2 && state.mode === "reverse" && firstOf(event)) {
    return { ask: "Whose adjoint passes its contributions on next? Type the node's name.", name: data.nodes[c.from].name, c };
  }
  if (event.beat === 1) return { ask: `What is the local partial ${fraction(c)}, as a number?`, number: c.partial, c };
  if (event.beat === 2 && (state.level >= 2 || event.index >= swept.found.length / 3)) {
    return { ask: `What contribution travels along the edge to ${data.nodes[c.to].name}?`, number: c.value, c };
  }
  if (event.beat === 3 && state.level >= 2) return { ask: `What is ${mark(c.to)} now?`, number: c.after, c };
  return null;
}
const firstOf = (event) => event.index === 0 || swept.found[event.index - 1].from !== event.c.from;
const key = (event) => `${state.mode}${state.direction}.${event.index}.${event.beat}`;

// An answer counts as right to the digits that were typed, at least two.
function agrees(text, number) {
  const given = Number(text.replace("−", "-").replace(",", "."));
  if (text.trim() === "" || Number.isNaN(given)) return null;
  const digits = Math.max(2, text.replace(/e.*$/i, "").replace(/[^\d]/g, "").replace(/^0+/, "").length);
  return Math.abs(given - number) <= 0.51 * 10 ** (Math.floor(Math.log10(Math.abs(number) || 1)) + 1 - digits);
}

function diagnose(text, asked) {
  const given = Number(text.replace("−", "-")), c = asked.c, near = (x) => x !== null && x !== undefined && Math.abs(given - x) <= 6e-3 * Math.max(Math.abs(x), 1e-12);
  if (asked.name !== undefined) return "Not yet: all contributions to a node must have arrived before it passes them on. Take the last operation whose uses are all done.";
  if (near(-asked.number)) return "The sign is wrong.";
  if (near(2 * asked.number) || near(asked.number / 2)) return "A factor 2 is wrong.";
  if (asked.number === c.after && near(c.value)) return "You overwrote the sum. Add the contribution to what is there already.";
  if (asked.number === c.after && c.before !== null && near(c.before)) return "The contribution is missing: add it to the old sum.";
  if (asked.number === c.value && near(c.partial)) return "A factor is missing: multiply by what arrives.";
  if (asked.number === c.value && near(c.bar)) return "A factor is missing: multiply by the local partial.";
  if (asked.number === c.partial && near(c.value)) return "That is the product already. The local partial alone is asked.";
  const user = state.mode === "reverse" ? c.from : c.to;
  const others = partials(user, values).filter((_, k) => k !== c.place);
  if (asked.number === c.partial && others.some(near)) return "That is the partial by the other operand.";
  if (data.nodes[user].operands.some((k) => near(values[k])) && asked.number === c.partial) return "That is the operand's value, not the partial.";
  return "Not right. Look at the rule in the hint.";
}

const hints = (asked) => asked.name !== undefined
  ? ["The order is that of the list, from the bottom up.", `Its line is just above those that are done.`, asked.name]
  : [`In letters: ${fraction(asked.c)} = ${ruleOf(asked.c)}`, `In numbers: ${shown(asked.c.bar)} arrives, the partial is ${shown(asked.c.partial)}${asked.c.before === null ? "" : `, the old sum is ${shown(asked.c.before)}`}`, `The answer is ${shown(asked.number)}`];

let pending = null;
function ask(event, asked) {
  pending = { event, asked, tries: 0, hint: 0 };
  $("ask").hidden = false;
  setText($("question"), asked.ask);
  setText($("feedback"), "");
  $("answer").value = "";
  $("answer").focus();
}

function answer() {
  if (!pending) return;
  const { event, asked } = pending, text = $("answer").value;
  const right = asked.name !== undefined ? text.trim() === asked.name : agrees(text, asked.number);
  if (right === null) return setText($("feedback"), "Type a number, such as 0.1009 or −4.2e-2.");
  if (!right) { pending.tries += 1; return setText($("feedback"), diagnose(text, asked)); }
  state.score.asked += 1;
  if (!pending.tries && !pending.hint) state.score.right += 1;
  state.answers[key(event)] = text;
  pending = null;
  $("ask").hidden = true;
  advance();
  $("next").focus();
}

function hint() {
  if (!pending) return;
  const list = hints(pending.asked);
  setText($("feedback"), list[Math.min(pending.hint, list.length - 1)]);
  pending.hint += 1;
}

// --- moving ---------------------------------------------------------------------------------------------------------------

function advance() { state.step = Math.min(state.step + 1, events.length - 1); render(); }
function next() {
  if (state.step >= events.length - 1 || pending) return;
  const event = events[state.step + 1], asked = question(event);
  if (asked) ask(event, asked); else advance();
}
function back() { closeAsk(); state.step = Math.max(0, state.step - 1); render(); }
function closeAsk() { pending = null; $("ask").hidden = true; }
function restart() { closeAsk(); state.step = 0; recompute(); render(); live(); }
function jumpTo(i) {
  if (state.level) return;
  const place = events.findLastIndex((e) => (e.kind === "beat" && e.beat === 3 && e.c.to === i) || (e.kind === "seed" && e.node === i));
  state.step = place >= 0 ? place : Math.max(0, events.findIndex((e) => e.kind === "primal" && e.node === i));
  render();
}

function save() {
  const parts = new URLSearchParams({ step: state.step, mode: state.mode, level: state.level, right: state.score.right, asked: state.score.asked });
  history.replaceState(null, "", `#${parts}`);
}
function restore() {
  const parts = new URLSearchParams(location.hash.slice(1)), level = Number(parts.get("level")), step = Number(parts.get("step"));
  if (parts.get("mode") === "forward") state.mode = "forward";
  if ([1, 2].includes(level)) state.level = level;
  if (Number.isInteger(step) && step > 0 && !state.level) state.step = step;
}

// The answers of a reader as a file: the numbers of every node, as `adlab grade` reads them.
function download() {
  const { primal, sums } = known(), sheet = { formula: data.title, point: Object.fromEntries(data.variables.map((v, i) => [v, state.point[i]])), primal: {}, adjoint: {} };
  operations.forEach((i) => { if (primal.has(i)) sheet.primal[data.nodes[i].name] = values[i]; });
  data.nodes.forEach((node, i) => { if (i in sums) sheet.adjoint[node.name] = sums[i]; });
  sheet.answers = state.answers;
  sheet.score = state.score;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(sheet, null, 1)], { type: "application/json" }));
  link.download = "answers.json";
  link.click();
  URL.revokeObjectURL(link.href);
}

// --- live numbers: gradient, differences, float32 ---------------------------------------------------------------------------

function slope(point, i, h, scheme, round) {
  const at = (step) => { const moved = [...point]; moved[i] = round(moved[i] + step); return [evaluate(moved, round)[output], moved[i]]; };
  if (scheme === "forward") { const [above, x] = at(h), [here, y] = at(0); return round(above - here) / (x - y); }
  const [above, x] = at(h), [below, y] = at(-h);
  return round(above - below) / (x - y);
}

const SVG = "http://www.w3.org/2000/svg";
function draw(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [k, v] of Object.entries(attributes)) element.setAttribute(k, v);
  if (text !== undefined) element.textContent = text;
  parent.appendChild(element);
  return element;
}

// The error of differences against the step, on logarithmic axes; a marker that the reader drags with the slider.
function curve() {
  const holder = $("curve");
  holder.replaceChildren();
  const i = Number($("by").value), round = $("single").checked ? Math.fround : (x) => x;
  const exact = gradient(state.point)[i], floor = 1e-20, W = 640, H = 300, left = 60, bottom = 40, right = 12, top = 10;
  const X = (k) => left + ((k + 16) / 16) * (W - left - right), Y = (e) => top + ((2 - Math.max(-18, Math.min(2, Math.log10(e)))) / 20) * (H - top - bottom);
  for (let k = -16; k <= 0; k += 4) { draw(holder, "line", { x1: X(k), x2: X(k), y1: top, y2: H - bottom, class: "grid" }); draw(holder, "text", { x: X(k), y: H - bottom + 18, "text-anchor": "middle" }, `1e${k}`); }
  for (let e = -16; e <= 0; e += 4) { draw(holder, "line", { x1: left, x2: W - right, y1: Y(10 ** e), y2: Y(10 ** e), class: "grid" }); draw(holder, "text", { x: left - 6, y: Y(10 ** e) + 4, "text-anchor": "end" }, `1e${e}`); }
  draw(holder, "text", { x: (left + W) / 2, y: H - 6, "text-anchor": "middle" }, "step h");
  draw(holder, "text", { x: 14, y: (H - bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${(H - bottom) / 2})` }, "absolute error");
  for (const [scheme, look] of [["forward", "first"], ["central", "second"]]) {
    const points = [];
    for (let k = -16; k <= 0; k += 0.125) {
      const error = Math.abs(slope(state.point, i, 10 ** k, scheme, round) - exact);
      if (Number.isFinite(error)) points.push(`${X(k).toFixed(1)},${Y(error || floor).toFixed(1)}`);
    }
    draw(holder, "polyline", { points: points.join(" "), class: look });
    const [x, y] = (points[Math.floor(points.length * 0.9)] ?? "0,0").split(",").map(Number);
    draw(holder, "text", { x: x - 4, y: y - 8, class: `name ${look}`, "text-anchor": "end" }, scheme);
  }
  const k = Number($("h").value);
  draw(holder, "line", { x1: X(k), x2: X(k), y1: top, y2: H - bottom, class: "marker" });
  const errors = ["forward", "central"].map((s) => `${s} difference: ${shown(slope(state.point, i, 10 ** k, s, round))}, error ${shown(Math.abs(slope(state.point, i, 10 ** k, s, round) - exact))}`);
  setText($("atstep"), `h = 1e${k.toFixed(2)}.  ${errors.join(".  ")}.  Reverse mode: ${shown(exact)}.`);
}

function live() {
  if (!data.live) return;
  const { adjoint } = sound, list = data.variables.map((name, i) => `∂f/∂${name} = ${shown(adjoint[i] ?? 0)}`);
  const single = gradient(state.point, Math.fround).map(shown).join(", ");
  const bad = operations.find((i) => Number.isNaN(values[i]));
  setText($("now"), bad === undefined ? `f = ${shown(values[output])},  ${list.join(",  ")}   (float32: ${single})` : `f has no value here: ${data.nodes[bad].name} = ${data.nodes[bad].text} has none.`);
  if ($("curve") && $("predicted").dataset.done) curve();
}

// --- predictions -----------------------------------------------------------------------------------------------------------

function prediction(form) {
  const kind = form.dataset.kind, said = form.elements.guess.value, say = form.querySelector("output");
  const uses = data.nodes.map((_, i) => operations.flatMap((k) => data.nodes[k].operands).filter((x) => x === i).length);
  const busiest = uses.indexOf(Math.max(...uses));
  if (kind === "uses") setText(say, Number(said) === uses[busiest] ? `Right: ${data.nodes[busiest].name} is used ${uses[busiest]} times, so ${uses[busiest]} contributions arrive.` : `${data.nodes[busiest].name} is used ${uses[busiest]} times, so ${uses[busiest]} contributions arrive and are summed.`);
  if (kind === "swell") { const row = data.comparison?.tables[1].rows.find((r) => r[0] === "symbolic derivative"); setText(say, row ? `The tree of the symbolic derivative has ${row[1]} operations; the reverse-mode program has ${data.counts.reverse}.` : `The reverse-mode program has ${data.counts.reverse} operations.`); }
  if (kind === "cost") setText(say, `Counted: f ${data.counts.f}, reverse mode ${data.counts.reverse}, forward mode ${data.counts.forward || "not counted"} operations. Reverse mode needs one sweep for each output, forward mode one for each input.`);
  if (kind === "step") { $("predicted").dataset.done = "yes"; document.querySelectorAll(".aftersteps").forEach((e) => { e.hidden = false; }); $("h").value = String(Math.max(-16, Math.min(0, Math.log10(Math.abs(Number(said)) || 1e-8)))); curve(); setText(say, "Your step is the marker. Move it: where is the error smallest, and why not at the smallest step?"); }
}

// --- tables: sorting and copying -----------------------------------------------------------------------------------------------

function sortBy(table, column) {
  const body = table.tBodies[0], rows = [...body.rows], down = table.dataset.sorted === String(column);
  table.dataset.sorted = down ? "" : String(column);
  const value = (row) => { const text = row.cells[column].dataset.value ?? row.cells[column].textContent; const number = Number(text); return text === "" ? -Infinity : Number.isNaN(number) ? text : number; };
  rows.sort((a, b) => { const x = value(a), y = value(b); const order = typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? -1 : 1; return down ? -order : order; });
  body.append(...rows);
}

function copied(table, form) {
  const rows = [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
  if (form === "csv") return rows.map((row) => row.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")).join("\n");
  if (form === "latex") return [`\\begin{tabular}{${"l".repeat(rows[0].length)}}`, "\\toprule", ...rows.map((row, i) => row.map((cell) => cell.replace(/([&%$#_{}])/g, "\\$1")).join(" & ") + " \\\\" + (i ? "" : "\n\\midrule")), "\\bottomrule", "\\end{tabular}"].join("\n");
  const line = (row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|").replaceAll("*", "\\*")).join(" | ")} |`;
  return [line(rows[0]), `|${" --- |".repeat(rows[0].length)}`, ...rows.slice(1).map(line)].join("\n");
}

async function copy(button) {
  const text = copied(button.closest("section").querySelector("table"), button.dataset.form), area = $("clip");
  area.hidden = false;
  area.value = text;
  area.select();
  try { await navigator.clipboard.writeText(text); setText(button, "copied"); } catch { setText(button, "select and copy below"); }
}

// --- wiring ----------------------------------------------------------------------------------------------------------------

function wire() {
  document.body.classList.add("scripted");
  document.querySelectorAll(".needsscript").forEach((e) => { e.hidden = false; });
  $("next").addEventListener("click", next);
  $("back").addEventListener("click", back);
  $("slider").addEventListener("input", () => { if (state.level) { $("slider").value = state.step; return; } closeAsk(); state.step = Number($("slider").value); render(); });
  $("mode").addEventListener("change", () => { const [mode, i] = $("mode").value.split(":"); state.mode = mode; state.direction = Number(i ?? 0); restart(); });
  $("level").addEventListener("change", () => { state.level = Number($("level").value); state.answers = {}; state.score = { right: 0, asked: 0 }; restart(); });
  $("break").addEventListener("change", () => {
    [broken.kind] = $("break").value.split(":");
    broken.node = operations.find((i) => contributionsOf(i)) ?? operations[0];
    restart();
    state.step = broken.kind ? events.length - 1 : 0;
    render();
    setText($("damage"), damage());
  });
  $("check").addEventListener("click", answer);
  $("hint").addEventListener("click", hint);
  $("answer").addEventListener("keydown", (e) => { if (e.key === "Enter") { e.preventDefault(); answer(); } });
  $("download").addEventListener("click", download);
  document.addEventListener("keydown", (e) => {
    if (e.target.closest("input, select, textarea, button, summary, a") && !(e.target === $("next") && e.key !== " ")) return;
    if (e.key === "ArrowRight" || e.key === " ") { e.preventDefault(); next(); }
    if (e.key === "ArrowLeft") { e.preventDefault(); back(); }
  });
  document.querySelectorAll("#list button.node").forEach((b) => b.addEventListener("click", () => jumpTo(Number(b.dataset.node))));
  document.querySelectorAll("#graph .box").forEach((b) => b.addEventListener("click", () => jumpTo(Number(b.dataset.node))));
  document.querySelectorAll("input.live").forEach((box) => box.addEventListener("input", () => {
    const i = Number(box.dataset.variable), x = Number(box.value);
    if (box.value.trim() === "" || !Number.isFinite(x)) return;
    state.point[i] = x;
    document.querySelectorAll(`input.live[data-variable="${i}"]`).forEach((other) => { if (other !== box) other.value = box.value; });
    recompute(); render(); live();
  }));
  document.querySelectorAll("form.predict").forEach((form) => form.addEventListener("submit", (e) => { e.preventDefault(); prediction(form); }));
  for (const id of ["h", "by", "single"]) $(id)?.addEventListener("input", () => curve());
  document.querySelectorAll("th button.sort").forEach((b) => b.addEventListener("click", () => sortBy(b.closest("table"), b.closest("th").cellIndex)));
  document.querySelectorAll("button.copy").forEach((b) => b.addEventListener("click", () => copy(b)));
  document.querySelectorAll("#verdict button").forEach((b) => b.addEventListener("click", () => highlight(b)));
}

const contributionsOf = (i) => sound?.found.some((c) => c.from === i && c.partial !== 1);
const off = (i) => sound !== null && state.mode === "reverse" && differs(swept.adjoint?.[i] ?? 0, sound.adjoint[i] ?? 0);
function damage() {
  if (!broken.kind || state.mode !== "reverse") return "";
  const first = data.nodes.map((_, i) => i).filter((i) => i in sound.adjoint && off(i)).at(-1);
  if (first === undefined) return "Here the mistake changes nothing. Try another formula: that is why a wrong rule can hide.";
  const wrong = data.variables.filter((_, i) => off(i)), got = first in swept.adjoint ? shown(swept.adjoint[first]) : "nothing";
  return `The first wrong adjoint is ${bar(first)}: ${got} where ${shown(sound.adjoint[first])} is right. ${wrong.length ? `From there it reaches ∂f/∂${wrong.join(", ∂f/∂")}.` : "It reaches no input."}`;
}

function highlight(button) {
  const words = JSON.parse(button.dataset.because);
  document.querySelectorAll("#comparison tbody tr").forEach((row) => row.classList.toggle("because", words.some((w) => row.textContent.includes(w))));
  document.querySelectorAll("#list tr").forEach((row) => row.classList.toggle("because", words.includes(row.dataset.name)));
}

restore();
recompute();
wire();
if (!data.live) {
  document.querySelectorAll(".needslive").forEach((e) => { e.hidden = true; });
  const note = $("notlive");
  note.hidden = false;
}
$("mode").value = state.mode === "reverse" ? "reverse" : "forward:0";
$("level").value = String(state.level);
render();
live();
// For tests: what the interpreter computes.
window.adlab = { evaluate, gradient, contributions, state, events: () => events, data };
