// The picture of the graph. A small graph is drawn already, by Python. A large one is drawn here, folded.
import { Fold, UNFOLDED, layered } from "./fold.js";
import { draw } from "./curves.js";

const WIDTH = 154, HEIGHT = 59;

// `holder` takes the drawing. `jump` is called with a node that was clicked, `changed` after a block has opened or closed.
export class Picture {
  constructor(root, data, jump, changed) {
    Object.assign(this, { root, data, jump, changed });
    this.svg = root.getElementById("graph");
    const count = data.nodes.filter((node) => node.operands.length).length;
    this.fold = count > UNFOLDED ? new Fold(data) : null;
    if (this.fold) this.redraw();
    else this.svg?.querySelectorAll(".box").forEach((box) => box.addEventListener("click", () => jump(Number(box.dataset.node))));
  }

  // The piece of the picture that shows a node: itself, or the block around it.
  key(node) { return this.fold ? this.fold.inside.get(node) : String(node); }

  redraw(focus = null) {
    const { fold, svg } = this, { place, width, height } = layered(fold.pieces, fold.edges, WIDTH, HEIGHT, 14, 34);
    svg.replaceChildren();
    svg.setAttribute("viewBox", `-4 -4 ${width + 8} ${height + 8}`);
    svg.setAttribute("width", Math.round(width));
    svg.classList.add("folded");
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", "The computational graph, folded into blocks. Enter opens a block. The table has the same facts.");
    for (const edge of fold.edges) {
      const a = place.get(edge.from), b = place.get(edge.to), top = a.y + HEIGHT / 2, end = b.y - HEIGHT / 2, bend = (end - top) / 2;
      const group = draw(svg, "g", { class: edge.count > 1 ? "edge many" : "edge", "data-from": edge.from, "data-to": edge.to, "data-operand": edge.operand });
      draw(group, "path", { d: `M${a.x} ${top} C${a.x} ${top + bend} ${b.x} ${end - bend} ${b.x} ${end}` });
    }
    for (const piece of fold.pieces) this.box(piece, place.get(piece.key));
    this.openBlocks(focus);
  }

  box(piece, { x, y }) {
    const { data, svg } = this, single = piece.node !== undefined, i = piece.node;
    const kind = !single ? "block" : i < data.variables.length ? "input" : data.outputs.includes(i) ? "output" : "operation";
    const group = draw(svg, "g", { class: `box ${kind}`, id: single ? `box${i}` : `block-${piece.id}`, ...(single ? { "data-node": i } : { "data-block": piece.id }) });
    draw(group, "rect", { x: x - WIDTH / 2, y: y - HEIGHT / 2, width: WIDTH, height: HEIGHT, rx: kind === "input" ? 14 : 4 });
    const first = data.nodes[piece.nodes[0]].name, last = data.nodes[piece.nodes.at(-1)].name;
    const node = data.nodes[i], label = !single ? `${first} … ${last}` : node.text === node.name ? node.name : `${node.name} = ${node.text}`;
    draw(group, "text", { class: "name", x, y: y - 12 }, label.length > 17 ? `${label.slice(0, 16)}…` : label);
    if (single) {
      draw(group, "text", { id: `boxprimal${i}`, x, y: y + 5 }, "");
      draw(group, "text", { class: "adjoint", id: `boxadjoint${i}`, x, y: y + 22 }, "");
      group.addEventListener("click", () => this.jump(i));
      return;
    }
    const what = piece.id[0] === "i" ? "inputs" : "operations";
    draw(group, "text", { x, y: y + 5 }, `${piece.nodes.length} ${what}`);
    draw(group, "text", { class: "done", id: `done-${piece.id}`, x, y: y + 22 }, "");
    Object.entries({ tabindex: 0, role: "button", "aria-label": `open ${first} to ${last}, ${piece.nodes.length} ${what}` }).forEach(([k, v]) => group.setAttribute(k, v));
    group.addEventListener("click", () => this.toggle(piece.id));
    group.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); e.stopPropagation(); this.toggle(piece.id); } });
  }

  // A button for each open block, which closes it.
  openBlocks(focus) {
    const holder = this.root.getElementById("folds"), { fold } = this;
    holder.replaceChildren();
    for (const id of [...fold.open].filter((open) => open !== "b").sort()) {
      const [from, to] = this.ends(id), made = document.createElement("button");
      Object.assign(made, { type: "button", textContent: `close ${from} … ${to}` });
      made.dataset.close = id;
      made.addEventListener("click", () => this.toggle(id));
      holder.append(made);
      if (id === focus) made.focus();
    }
  }

  ends(id) {
    const find = (piece) => (piece.id === id ? piece : (piece.parts ?? []).map(find).find(Boolean));
    const nodes = this.fold.nodesOf([...this.fold.inputs, ...this.fold.whole].map(find).find(Boolean));
    return [this.data.nodes[nodes[0]].name, this.data.nodes[nodes.at(-1)].name];
  }

  toggle(id) { this.fold.toggle(id); this.redraw(id); this.changed(); }

  reveal(node) { if (this.fold && this.key(node) !== String(node)) { this.fold.reveal(node); this.redraw(); } }

  // Lights up what an event is about. `sums` are the adjoints, or tangents, that are known.
  show(event, ends, primal, sums, backward) {
    if (!this.svg) return;
    const c = event.kind === "beat" ? event.c : null, [user, operand] = (c ? ends : []).map((i) => this.key(i));
    for (const edge of this.svg.querySelectorAll(".edge")) {
      const { from, to, operand: k } = edge.dataset, here = Boolean(c) && to === user && from === operand && (k === "" || Number(k) === c.place);
      edge.classList.toggle("now", here && event.beat >= 1);
      edge.classList.toggle("travel", here && event.beat === 2);
      edge.classList.toggle("backward", backward);
    }
    if (!this.fold) return;
    const now = event.node === undefined ? null : this.key(event.node), arrives = c && event.beat === 3 ? this.key(c.to) : null;
    for (const piece of this.fold.pieces.filter((p) => p.node === undefined)) {
      const box = this.root.getElementById(`block-${piece.id}`), summed = piece.nodes.filter((i) => i in sums).length;
      box.classList.toggle("now", piece.key === now || piece.key === arrives);
      box.classList.toggle("lit", summed > 0);
      const done = this.root.getElementById(`done-${piece.id}`), computed = piece.nodes.filter((i) => primal.has(i)).length;
      done.textContent = summed ? `${summed} sums` : computed ? `${computed} computed` : "";
    }
  }
}
