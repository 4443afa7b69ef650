// The Wengert list of a large graph: a window of rows, which follows the walk. A small list is written out by Python.

const WINDOW = 30;  // rows of the window
const cell = (row, name, attributes = {}, text = "") => {
  const made = row.appendChild(document.createElement(name));
  Object.entries(attributes).forEach(([k, v]) => made.setAttribute(k, v));
  made.textContent = text;
  return made;
};

export class Rows {
  constructor(root, data, jump) {
    Object.assign(this, { root, data, jump });
    this.listed = data.nodes.map((_, i) => i).filter((i) => i < data.variables.length || data.nodes[i].operands.length);
    this.body = root.querySelector("#list tbody");
    this.windowed = this.body.rows.length < this.listed.length;
    this.place = new Map(this.listed.map((i, k) => [i, k]));
    if (!this.windowed) return;
    const buttons = root.getElementById("window");
    buttons.hidden = false;
    buttons.querySelector(".earlier").addEventListener("click", () => { this.fill(this.start - WINDOW); this.moved(); });
    buttons.querySelector(".later").addEventListener("click", () => { this.fill(this.start + WINDOW); this.moved(); });
    this.fill(0);
  }

  moved() {}  // the page sets it: draws the numbers of the rows that came in

  // Makes sure that the row of a node is there.
  show(node) {
    const k = this.place.get(node);
    if (this.windowed && k !== undefined && (k < this.start || k >= this.start + WINDOW)) this.fill(k - Math.floor(WINDOW / 2));
  }

  fill(start) {
    this.start = Math.max(0, Math.min(start, this.listed.length - WINDOW));
    this.body.replaceChildren(...this.listed.slice(this.start, this.start + WINDOW).map((i) => this.row(i)));
    const shown = this.root.querySelector("#window span");
    shown.textContent = `lines ${this.start + 1} to ${Math.min(this.listed.length, this.start + WINDOW)} of ${this.listed.length}`;
  }

  row(i) {
    const node = this.data.nodes[i], row = document.createElement("tr");
    row.id = `row${i}`;
    row.dataset.name = node.name;
    const button = cell(cell(row, "th", { scope: "row" }), "button", { type: "button", class: "node", "data-node": i }, node.name);
    button.addEventListener("click", () => this.jump(i));
    cell(row, "td", {}, node.operands.length ? node.text : "input");
    for (const name of ["primal", "partials", "tangent", "terms", "adjoint"]) cell(row, "td", { id: `${name}${i}`, ...(name === "tangent" || name === "adjoint" ? { class: name } : {}) });
    return row;
  }
}
