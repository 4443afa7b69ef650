// Other numbers: the reader changes the inputs, by typing, by sliding or in the plane; what is computed from them is shown.
import { errorCurve } from "./curves.js";
import { Plane } from "./plane.js";
import { rows } from "./schemes.js";
import { shown } from "./words.js";

const MOST = 20;  // partials that one line shows

export class Live {
  // `changed` is called when the reader's point has changed. `on` adds a listener that leaves with the page.
  constructor(root, walk, on, changed) {
    Object.assign(this, { root, walk, changed, numbers: walk.numbers });
    if (!walk.data.live) return;
    const $ = (id) => root.getElementById(id);
    root.querySelectorAll("input.live").forEach((box) => on(box, "input", () => this.typed(box)));
    for (const [id, event] of [["h", "input"], ["by", "change"], ["single", "input"]]) on($(id), event, () => this.curve());
    on($("differenced"), "change", () => this.differences());
    if ($("plane")) this.plane = new Plane($("plane"), walk.numbers, walk.data.variables.map((_, i) => this.range(i)), (point) => this.moved(point));
  }

  text(id, text) { this.root.getElementById(id).textContent = text; }

  range(i) { const box = this.root.querySelector(`input[type=range].live[data-variable="${i}"]`); return [Number(box.min), Number(box.max)]; }

  // The fields say what the point is.
  fields(but) {
    this.walk.point.forEach((x, i) => this.root.querySelectorAll(`input.live[data-variable="${i}"]`).forEach((box) => { if (box !== but) box.value = x; }));
  }

  typed(box) {
    const x = Number(box.value);
    if (box.value.trim() === "" || !Number.isFinite(x)) return;
    this.walk.point[Number(box.dataset.variable)] = x;
    this.fields(box);
    this.changed();
  }

  moved(point) {
    this.walk.point = point;
    this.fields();
    this.changed();
  }

  show() {
    const { walk, numbers } = this, { data } = walk;
    this.stale();
    if (!data.live) return;
    const f = walk.words.f(walk), bad = numbers.operations.find((i) => Number.isNaN(walk.values[i]) && i in walk.sound.sums);
    const list = data.variables.slice(0, MOST).map((name, i) => `∂${f}/∂${name} = ${shown(walk.sound.sums[i] ?? 0)}`);
    const single = numbers.gradient(walk.point, Math.fround).slice(0, MOST).map(shown).join(", ");
    this.text("now", bad === undefined ? `${f} = ${shown(walk.values[numbers.output])},  ${list.join(",  ")}   (float32: ${single})`
      : `${f} has no value here: ${data.nodes[bad].name} = ${data.nodes[bad].text} has none.`);
    if (this.plane) {
      if (this.drawn !== walk.output) { this.drawn = walk.output; this.plane.field(); }
      this.plane.show(walk.point, data.variables.map((_, i) => walk.sound.sums[i] ?? 0));
      this.text("plain", `The arrow shows where ${f} grows.${this.plane.outside ? " Where there is no colour, the formula has no value; the line is the edge of its domain." : ""}`);
    }
    if (this.root.getElementById("predicted").dataset.done) { this.curve(); this.differences(); }
  }

  // The comparison is Python's, for the point of the file. It says so where the reader has left that point.
  stale() {
    const note = this.root.getElementById("stale"), { point, data } = this.walk;
    if (note) note.hidden = point.every((x, i) => x === data.point[i]);
  }

  differences() {
    const { walk, numbers } = this, body = this.root.querySelector("#schemes tbody"), i = Number(this.root.getElementById("differenced").value);
    body.replaceChildren(...rows(numbers, walk.point, i, walk.data.schemes).map((row) => {
      const line = document.createElement("tr");
      [row.name, shown(row.h), shown(row.value), shown(row.error), shown(row.low), shown(row.lowError)].forEach((text, k) => {
        const cell = line.appendChild(document.createElement(k ? "td" : "th"));
        cell.textContent = text;
        if (!k) cell.scope = "row";
      });
      return line;
    }));
  }

  curve() {
    const $ = (id) => this.root.getElementById(id);
    this.text("atstep", errorCurve($("curve"), this.numbers, this.walk.point, Number($("by").value), Number($("h").value), $("single").checked));
  }
}
