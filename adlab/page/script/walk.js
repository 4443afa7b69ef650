// The walk: where a reader is, what is known there, what was answered, and which mistake is built in. It knows of no document.
import { Numbers } from "./numbers.js";
import { Words, bar, forwardEvents, reverseEvents, shown } from "./words.js";
import { packed, question, unpacked } from "./exercise.js";
import { FAULTS, damage, quotients } from "./faults.js";

export const differs = (a, b) => !(Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b)));
const LONGEST_ADDRESS = 16000;  // characters of answers that an address may carry; the saved file has no limit

export class Walk {
  constructor(data) {
    Object.assign(this, { data, nodes: data.nodes, numbers: new Numbers(data), words: new Words(data) });
    Object.assign(this, { mode: "reverse", output: 0, direction: 0, level: 0, step: 0, point: [...data.point], answers: {}, broken: { kind: "", node: null }, student: "" });
    this.recompute();
  }

  recompute() {
    this.numbers.choose(this.output);
    this.values = this.numbers.evaluate(this.point);
    this.sound = this.numbers.reverse(this.values);
    this.swept = { reverse: this.broken.kind ? this.numbers.reverse(this.values, undefined, this.broken) : this.sound };
    if (this.data.recorded) this.mode = "reverse";
    else if (this.broken.kind === "step") this.mode = "forward";
    this.quotients = this.broken.kind === "step" ? quotients(this) : null;
    if (this.mode !== "reverse") this.swept.forward = this.numbers.forward(this.values, this.direction);
    const forward = this.mode === "reverse" ? [] : forwardEvents(this.numbers, this.swept.forward, this.direction);
    if (this.mode === "forward") this.events = forward;
    else this.events = [...forward, ...reverseEvents(this.numbers, this.swept.reverse, this.mode === "reverse")];
    this.step = Math.min(this.step, this.last);
  }

  get last() { return this.events.length - 1; }
  get event() { return this.events[this.step]; }

  // The question before the next event; null where nothing is asked, or it has been answered.
  asked(step = this.step + 1) { return step in this.answers || step > this.last ? null : question(this.events[step], this); }

  restart() { this.step = 0; this.answers = {}; this.recompute(); }

  // What is known after the events up to now: primals, sums of both sweeps, the contributions that have arrived, rules that were used.
  known() {
    const primal = new Set(this.nodes.map((_, i) => i).filter((i) => i < this.numbers.count || !this.nodes[i].operands.length));
    const sums = { reverse: {}, forward: {} }, arrived = { reverse: {}, forward: {} }, ruled = new Set();
    for (let k = 0; k <= this.step; k += 1) {
      const event = this.events[k];
      if (event.kind === "primal") primal.add(event.node);
      if (event.kind === "seed") sums[event.mode][event.node] = 1;
      if (event.kind === "beat" && event.beat === 1) ruled.add(this.words.ends(event.c)[0]);
      if (event.kind === "beat" && event.beat === 3) {
        sums[event.mode][event.c.to] = event.c.after;
        (arrived[event.mode][event.c.to] ??= []).push(event.c);
      }
    }
    return { primal, sums, arrived, ruled };
  }

  // Products and sums of both sweeps up to now.
  cost() {
    const count = (mode) => {
      const done = this.events.slice(0, this.step + 1).filter((e) => e.kind === "beat" && e.mode === mode);
      return [done.filter((e) => e.beat === 2).length, done.filter((e) => e.beat === 3 && e.c.before !== null).length];
    };
    const said = (mode, whom) => { const [products, sums] = count(mode); return `${mode} mode ${products} products and ${sums} sums, for ${whom}`; };
    const parts = [];
    if (this.mode !== "reverse") parts.push(said("forward", "one direction"));
    if (this.mode !== "forward") parts.push(said("reverse", "all inputs"));
    return `Counted so far: ${parts.join("; ")}.`;
  }

  // Where an event is about this node: its last sum, else its primal.
  place(i) {
    const found = this.events.findLastIndex((e) => (e.kind === "beat" && e.beat === 3 && e.c.to === i) || (e.kind === "seed" && e.node === i));
    return found >= 0 ? found : Math.max(0, this.events.findIndex((e) => e.kind === "primal" && e.node === i));
  }

  // --- broken ---------------------------------------------------------------------------------------------------------

  // A broken sweep is watched, not filled in: its numbers are wrong.
  breakIt(kind) {
    if (this.broken.kind === "step" && kind !== "step") this.mode = "reverse";
    if (kind) this.level = 0;
    const links = this.sound.found.filter((c) => c.partial !== 1).map((c) => c.from);
    this.broken = { kind, node: links.length ? Math.min(...links) : this.numbers.operations[0] };  // the factor that is forgotten
    this.restart();
    if (kind) this.step = this.last;
  }

  // Whether the mistake made the number of this node wrong: its adjoint, or its difference quotient.
  off(i) {
    const [got, due] = this.quotients ? [this.quotients[i] ?? 0, this.swept.forward.sums[i] ?? 0] : [this.swept.reverse.sums[i] ?? 0, this.sound.sums[i] ?? 0];
    return this.quotients ? Math.abs(got - due) > 1e-3 * Math.abs(due) : differs(got, due);
  }

  damage() { return damage(this); }

  // --- the address ------------------------------------------------------------------------------------------------------

  address() {
    const parts = new URLSearchParams({ step: this.step, mode: this.mode, direction: this.direction, level: this.level });
    if (this.output) parts.set("output", this.output);
    if (this.point.some((x, i) => x !== this.data.point[i])) parts.set("at", this.point.join(","));
    if (this.broken.kind) parts.set("break", this.broken.kind);
    if (this.student) parts.set("student", this.student);
    const answers = packed(this.answers);
    if (answers && answers.length <= LONGEST_ADDRESS) parts.set("answers", answers);
    return `#${parts}`;
  }

  restore(hash) {
    const parts = new URLSearchParams(hash.slice(1)), whole = (name, most) => { const n = Number(parts.get(name)); return Number.isInteger(n) && n >= 0 && n <= most ? n : 0; };
    if (["forward", "both"].includes(parts.get("mode"))) this.mode = parts.get("mode");
    this.direction = whole("direction", this.numbers.count - 1);
    this.level = whole("level", 2);
    this.output = whole("output", this.data.programs.length - 1);
    this.student = parts.get("student") ?? "";
    const point = (parts.get("at") ?? "").split(",").map(Number);
    if (this.data.live && point.length === this.point.length && parts.get("at") && point.every(Number.isFinite)) this.point = point;
    if (FAULTS.includes(parts.get("break"))) { this.recompute(); this.breakIt(parts.get("break")); }
    this.recompute();
    this.answers = unpacked(parts.get("answers"));
    this.step = Math.min(whole("step", 1e9), this.last);
    if (this.level) {  // no further than the first question without an answer
      let k = 0;
      while (k < this.step && !this.asked(k + 1)) k += 1;
      this.step = k;
    }
  }
}
