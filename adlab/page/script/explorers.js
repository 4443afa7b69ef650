// The two explorers of a course: the error of differences against the step, and how fast a derivative grows as a formula.
import { Numbers } from "./numbers.js";
import { axes, best, draw, errorCurve, errors } from "./curves.js";
import { shown } from "./words.js";

const whole = (n) => Math.round(n).toLocaleString("en").replaceAll(",", "\u202f");

// One family at every depth up to `depth`, on a logarithmic axis. Returns the sentence for that depth.
export function swellCurve(holder, family, depth) {
  const rows = family.rows.filter((row) => row.depth <= depth), most = family.rows.at(-1);
  const low = family.rows[0].depth, high = Math.ceil(Math.log10(most.tree) + 0.2);
  const { X, Y } = axes(holder, [low, most.depth], [0, high], "depth", "operations", 1, 1, (k) => String(k));
  let free = 0;  // names stand below each other
  for (const [what, look, name] of [["tree", "second", "derivative as one formula"], ["program", "first", "reverse-mode program"], ["f", "third", "f itself"]]) {
    const points = rows.map((row) => [X(row.depth), Y(Math.log10(Math.max(1, row[what])))]);
    draw(holder, "polyline", { class: look, points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ") });
    points.forEach(([cx, cy]) => draw(holder, "circle", { cx, cy, r: 3, class: look }));
    const [x, y] = points.at(-1), end = x > 380;
    free = Math.max(y - 6, free + 15);
    draw(holder, "text", { x: end ? x - 8 : x + 8, y: free, class: `name ${look}`, "text-anchor": end ? "end" : "start" }, name);
  }
  const row = rows.at(-1);
  return `Depth ${row.depth}: f has ${whole(row.f)} operations. Its derivative written out as one formula has ${whole(row.tree)}, the reverse-mode program ${whole(row.program)}.`;
}

const tell = (element, text) => { element.textContent = text; };

export function mountErrors(part, data) {
  const get = (name) => part.querySelector(`[name="${name}"]`), curve = part.querySelector("svg"), shows = part.querySelector(".shows");
  let numbers = null, point = [];
  const update = () => {
    if (!part.dataset.done) return;
    const i = Math.min(Number(get("by").value), point.length - 1);
    point[i] = Number.isFinite(Number(get("at").value)) && get("at").value.trim() ? Number(get("at").value) : point[i];
    tell(shows, errorCurve(curve, numbers, point, i, Number(get("h").value), get("single").checked));
  };
  const choose = () => {
    const facts = data.functions[Number(get("f").value)];
    numbers = new Numbers(facts);
    point = [...facts.point];
    get("by").replaceChildren(...facts.variables.map((name, i) => Object.assign(document.createElement("option"), { value: i, textContent: name })));
    get("at").value = point[0];
    update();
  };
  get("f").addEventListener("change", choose);
  get("by").addEventListener("change", () => { get("at").value = point[Number(get("by").value)]; update(); });
  for (const name of ["at", "h", "single"]) get(name).addEventListener("input", update);
  part.querySelector("button").addEventListener("click", () => {
    const first = !part.dataset.done, said = Number(get("h").value);
    part.dataset.done = "yes";
    part.querySelector(".after").hidden = false;
    update();
    const [at, least] = best(errors(numbers, point, Math.min(Number(get("by").value), point.length - 1), "central", (x) => x));
    if (first) tell(part.querySelector(".verdict"), `You said 1e${said}. The central difference is best near h = 1e${at.toFixed(1)}, with an error of about ${shown(least)}.`.replaceAll("1e-", "1e−"));
  });
  choose();
}

export function mountSwell(part, data) {
  const get = (name) => part.querySelector(`[name="${name}"]`), curve = part.querySelector("svg"), shows = part.querySelector(".shows");
  const update = () => {
    const family = data.families[Number(get("family").value)], last = family.rows.at(-1).depth;
    Object.assign(get("depth"), { min: family.rows[0].depth, max: part.dataset.done ? last : Math.min(last, 4) });
    tell(shows, swellCurve(curve, family, Number(get("depth").value)));
  };
  get("family").addEventListener("change", update);
  get("depth").addEventListener("input", update);
  part.querySelector("form").addEventListener("submit", (e) => {
    e.preventDefault();
    const family = data.families[Number(get("family").value)], due = family.rows.find((row) => row.depth === 8) ?? family.rows.at(-1);
    part.dataset.done = "yes";
    get("depth").max = due.depth;
    get("depth").value = due.depth;
    update();
    const guess = Number(get("guess").value), close = guess >= due.tree / 3 && guess <= 3 * due.tree;
    tell(part.querySelector("output"), `${close ? "Well estimated" : "Counted"}: ${whole(due.tree)} operations at depth ${due.depth}, where the program has ${whole(due.program)}. Each level multiplies the formula, and adds a few lines to the program.`);
  });
  update();
}

export function mountExplorers(root, data) {
  root.querySelectorAll(".needsscript").forEach((e) => { e.hidden = false; });
  root.querySelectorAll(".errors").forEach((part) => mountErrors(part, data));
  root.querySelectorAll(".swell").forEach((part) => mountSwell(part, data));
}
