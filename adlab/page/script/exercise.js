// The exercise: what is asked before an event is shown, whether an answer is right, and what a wrong answer was.
import { shown } from "./words.js";

export const DIGITS = 3;   // significant digits that an answer needs, as in adlab.exercise
const NOTHING = 1e-9;      // part of the largest term of a sum that counts as 0

export const near = (answer, right, scale, relative) => Number.isFinite(right) && Math.abs(answer - right) <= relative * Math.abs(right) + NOTHING * scale;
export const read = (text) => (text.trim() === "" ? NaN : Number(text.trim().replaceAll("−", "-").replace(",", ".")));

// Fading. Level 1 asks one thing of each contribution: in the first quarter of the sweep the local partial, then the product, then
// the sum, and in the last quarter whose turn it is. Level 2 asks everything, the values too.
const FADES = ["partial", "product", "sum", "order"];

export function question(event, walk) {
  const { level, words, nodes } = walk;
  if (!level) return null;
  if (event.kind === "primal" && level >= 2 && Number.isFinite(walk.values[event.node])) {
    return { kind: "primal", ask: `What is ${nodes[event.node].name} = ${nodes[event.node].text}?`, number: walk.values[event.node], node: event.node };
  }
  if (event.kind !== "beat" || event.c.partial === null) return null;
  const c = event.c, found = walk.swept[c.mode].found;
  const first = c.mode === "reverse" && (event.index === 0 || found[event.index - 1].from !== c.from);
  const faded = FADES[Math.floor((4 * event.index) / found.length)], one = faded === "order" && !first ? "sum" : faded;
  const asks = (kind) => level >= 2 || kind === one;
  if (event.beat === 0 && first && asks("order")) {
    return { kind: "order", ask: "Whose adjoint passes its contributions on next? Type the node's name.", name: nodes[c.from].name, c };
  }
  if (event.beat === 1 && asks("partial")) return { kind: "partial", ask: `What is the local partial ${words.fraction(c)}, as a number?`, number: c.partial, c };
  if (event.beat === 2 && asks("product")) {
    return { kind: "product", ask: `What contribution travels along the edge to ${nodes[c.to].name}?`, number: c.value, c };
  }
  if (event.beat === 3 && asks("sum")) return { kind: "sum", ask: `What is ${words.mark(c.to, c.mode)} now?`, number: c.after, c };
  return null;
}

const sizeOf = ({ kind, number, c }) => Math.max(Math.abs(number), kind === "sum" ? Math.abs(c.value) : 0, kind === "sum" ? Math.abs(c.before ?? 0) : 0) || 1;

// true, false, or null where the text is no answer at all.
export function right(text, asked) {
  if (asked.name !== undefined) return text.trim() === asked.name;
  const given = read(text);
  return Number.isNaN(given) ? null : near(given, asked.number, sizeOf(asked), 0.5 * 10 ** (1 - DIGITS));
}

// Whether this node could pass its adjoint on just as well: all its contributions have arrived, and it has passed on none.
export function readyToo(text, asked, walk) {
  const i = walk.nodes.findIndex((node) => node.name === text.trim()), { found } = walk.swept.reverse, now = found.indexOf(asked.c);
  return asked.name !== undefined && text.trim() !== asked.name && found.some((c) => c.from === i) && found.every((c, k) => (c.from !== i || k > now) && (c.to !== i || k < now));
}

export function diagnose(text, asked, walk) {
  if (asked.name !== undefined) {
    const i = walk.nodes.findIndex((node) => node.name === text.trim()), now = walk.swept.reverse.found.indexOf(asked.c);
    if (i < 0) return `There is no node ${text.trim()}. The names stand in the first column of the list.`;
    if (i < walk.numbers.count) return `${text.trim()} is an input: it passes nothing on.`;
    if (walk.swept.reverse.found.some((c, k) => c.from === i && k < now)) return `${text.trim()} has passed its adjoint on already.`;
    return "Not yet: all contributions to a node must have arrived before it passes them on. Take the last operation whose uses are all done.";
  }
  const given = read(text), { c, kind, number } = asked;
  const like = (x) => x !== null && x !== undefined && near(given, x, sizeOf(asked), 0.5 * 10 ** (1 - DIGITS));
  if (kind === "sum" && like(c.value)) return "You overwrote the sum. Add the contribution to what is there already.";
  if (kind === "sum" && c.before !== null && like(c.before)) return "The contribution is missing: add it to the old sum.";
  if (kind === "sum" && c.before !== null && like(c.before - c.value)) return "The contribution has the wrong sign.";
  if (like(-number)) return "The sign is wrong.";
  if (kind === "product" && like(c.partial)) return "A factor is missing: multiply by what arrives.";
  if (kind === "product" && like(c.bar)) return "A factor is missing: multiply by the local partial.";
  if (kind === "product" && like(c.bar + c.partial)) return "You added. Multiply what arrives by the local partial.";
  if (kind === "partial") {
    const [user] = walk.words.ends(c), operands = walk.nodes[user].operands;
    if (like(c.value)) return "That is the product already. The local partial alone is asked.";
    if (walk.numbers.partials(user, walk.values).some((x, k) => k !== c.place && x !== null && like(x))) return "That is the partial by the other operand.";
    if (like(1 / number)) return "That is upside down.";
    if (operands.some((k) => like(walk.values[k]))) return "That is the operand's value, not the partial.";
  }
  if (kind === "primal") {
    const other = walk.nodes[asked.node].operands.find((k) => like(walk.values[k]));
    if (other !== undefined) return `That is the value of ${walk.nodes[other].name}: apply the operation to it.`;
    if (walk.numbers.data.live && /^(sin|cos|tan)$/.test(walk.nodes[asked.node].op) && like(Math[walk.nodes[asked.node].op](walk.values[walk.nodes[asked.node].operands[0]] * Math.PI / 180))) {
      return "That takes degrees; the angle is in radians.";
    }
  }
  for (const factor of [2, 0.5, 3, 1 / 3, 4, 0.25, 10, 0.1]) if (like(factor * number)) return `A factor is wrong: yours is off by the factor ${shown(factor)}.`;
  return "Not right. Look at the rule in the hint.";
}

// In letters, then in numbers, then the answer.
export function hints(asked, walk) {
  if (asked.kind === "order") return ["The order is that of the list, from the bottom up.", "Its line is just above those that are done.", asked.name];
  if (asked.kind === "primal") {
    const node = walk.nodes[asked.node];
    return [`In letters: ${node.name} = ${node.text}`, `In numbers: ${node.operands.map((k) => `${walk.nodes[k].name} = ${shown(walk.values[k])}`).join(", ")}`, `The answer is ${shown(asked.number)}`];
  }
  const { c } = asked, from = walk.words.mark(c.from, c.mode), to = walk.words.mark(c.to, c.mode), fraction = walk.words.fraction(c);
  const letters = { partial: `${fraction} = ${walk.words.rule(c)}`, product: `${from} · ${fraction}`, sum: `${to} + ${from} · ${fraction}` }[asked.kind];
  const [user] = walk.words.ends(c), inside = [...walk.nodes[user].operands, user].map((k) => `${walk.nodes[k].name} = ${shown(walk.values[k])}`).join(", ");
  const figures = { partial: inside, product: `${shown(c.bar)} · ${shown(c.partial)}`, sum: `${shown(c.before ?? 0)} + ${shown(c.value)}` }[asked.kind];
  return [`In letters: ${letters}`, `In numbers: ${figures}`, `The answer is ${shown(asked.number)}`];
}

// --- what a reader has answered, as text for the address and as a file -----------------------------------------------------

// answers: event → {first, last, hinted}. `first` is what was typed first; after a hint it no longer counts as own.
export const packed = (answers) => Object.entries(answers).map(([k, a]) => `${k}_${a.hinted ? "h" : ""}${encodeURIComponent(a.first)}${a.last === a.first ? "" : `_${encodeURIComponent(a.last)}`}`).join("~");

export function unpacked(text) {
  const answers = {};
  for (const part of (text ?? "").split("~")) {
    const match = /^(\d+)_(h?)([^_]*)(?:_([^_]*))?$/.exec(part);
    try {
      if (match) answers[match[1]] = { hinted: match[2] === "h", first: decodeURIComponent(match[3]), last: decodeURIComponent(match[4] ?? match[3]) };
    } catch { /* an address that someone has cut: that answer is left out */ }
  }
  return answers;
}

// The score is computed from the answers, so an address cannot claim more than its answers are worth.
export function score(walk) {
  let good = 0, asked = 0;
  for (const [k, answer] of Object.entries(walk.answers)) {
    const event = walk.events[k], due = event && question(event, walk);
    if (!due) continue;
    asked += 1;
    if (!answer.hinted && right(answer.first, due)) good += 1;
  }
  return { right: good, asked };
}

// The file that `adlab grade` reads: first answers, in the columns of adlab.exercise. What was not answered, or was answered after
// a hint, is left out and counts as missing. What the page shows and does not ask is given: the seeds, the partials that no sweep
// uses, and 0 as the adjoint, or tangent, of what nothing reaches.
export function sheet(walk) {
  const { nodes, numbers } = walk, modes = walk.mode === "both" ? ["forward", "reverse"] : [walk.mode], named = { reverse: "adjoint", forward: "tangent" };
  const columns = { primal: {}, partials: {}, ...Object.fromEntries(modes.map((mode) => [named[mode], {}])) };
  const swept = { reverse: walk.sound, forward: walk.swept.forward };
  const asked = new Set(modes.flatMap((mode) => swept[mode].found.map((c) => `${walk.words.ends(c)[0]}.${c.place}`)));
  const slopes = (i) => numbers.partials(i, walk.values).map((x, k) => (asked.has(`${i}.${k}`) ? null : x ?? 0));
  const number = (answer) => (answer.hinted || Number.isNaN(read(answer.first)) ? null : read(answer.first));
  for (const [k, answer] of Object.entries(walk.answers)) {
    const event = walk.events[k], due = event && question(event, walk);
    if (!due) continue;
    if (due.kind === "primal") columns.primal[nodes[due.node].name] = number(answer);
    if (due.kind === "sum") columns[named[due.c.mode]][nodes[due.c.to].name] = number(answer);  // the last sum is the whole
    if (due.kind === "partial") {
      const [user] = walk.words.ends(due.c);
      (columns.partials[nodes[user].name] ??= slopes(user))[due.c.place] = number(answer);
    }
  }
  const whole = walk.level >= 2 && walk.step === walk.last;
  const given = (column, i, what) => { if (whole || Object.keys(columns[column]).length) columns[column][nodes[i].name] ??= what; };
  nodes.forEach((node, i) => {
    if (i >= numbers.count && !node.operands.length) return;
    for (const mode of modes) {
      const seed = i === (mode === "reverse" ? numbers.output : walk.direction) ? 1 : 0;
      if (!swept[mode].found.some((c) => c.to === i)) given(named[mode], i, seed);
    }
    if (node.operands.length && slopes(i).every(Number.isFinite)) given("partials", i, slopes(i));
  });
  const point = numbers.data.variables.map((name, i) => `${name}=${walk.point[i]}`).join(", ");
  const tangent = walk.mode === "reverse" ? {} : { tangent: numbers.data.variables.map((_, i) => (i === walk.direction ? 1 : 0)) };
  return { student: walk.student || "page", formula: numbers.data.formula, output: walk.output, point, ...tangent, columns: Object.keys(columns), digits: DIGITS, answers: columns, score: score(walk) };
}
