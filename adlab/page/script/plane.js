// The plane of a function of two variables: how high f is, where it has a value, the domain's edge, and the reader's point on it.
import { draw } from "./curves.js";
import { shown } from "./words.js";

const FINE = 48, COARSE = 12, WORK = 2e6;  // cells beside each other, and the operations that the picture may take
const SIZE = 336, LEFT = 56, BOTTOM = 40, LEVELS = 6;

export class Plane {
  // `moved` is called with the point that the reader has chosen.
  constructor(svg, numbers, ranges, moved) {
    const cells = Math.min(FINE, Math.max(COARSE, Math.floor(Math.sqrt(WORK / numbers.operations.length))));
    Object.assign(this, { svg, numbers, ranges, moved, cells });
    svg.setAttribute("viewBox", `0 0 ${LEFT + SIZE + 8} ${SIZE + BOTTOM}`);
    svg.addEventListener("pointerdown", (e) => { svg.setPointerCapture?.(e.pointerId); this.pick(e); });
    svg.addEventListener("pointermove", (e) => { if (e.buttons) this.pick(e); });
    svg.addEventListener("keydown", (e) => this.key(e));
    this.field();
  }

  X(x) { const [low, high] = this.ranges[0]; return LEFT + SIZE * ((x - low) / (high - low)); }

  Y(y) { const [low, high] = this.ranges[1]; return SIZE - SIZE * ((y - low) / (high - low)); }

  at(i, j) { return [i, j].map((k, axis) => { const [low, high] = this.ranges[axis]; return low + ((k + 0.5) / this.cells) * (high - low); }); }

  // The picture without the point: a shade for each level of f, nothing outside the domain, and a line at its edge.
  field() {
    const { svg, numbers, cells } = this, values = [], cell = SIZE / cells;
    for (let i = 0; i < cells; i += 1) values.push(Array.from({ length: cells }, (_, j) => numbers.value(this.at(i, j))));
    const known = values.flat().filter(Number.isFinite).sort((a, b) => a - b), levels = Array.from({ length: LEVELS - 1 }, (_, k) => known[Math.floor(((k + 1) * known.length) / LEVELS)]);
    const paths = Array(LEVELS).fill(""), edge = [], inside = (i, j) => Number.isFinite(values[i]?.[j]);
    this.outside = cells * cells - known.length;
    for (let i = 0; i < cells; i += 1) {
      for (let j = 0; j < cells; j += 1) {
        const x = (LEFT + i * cell).toFixed(1), y = (SIZE - (j + 1) * cell).toFixed(1);
        if (inside(i, j)) paths[levels.filter((l) => values[i][j] >= l).length] += `M${x} ${y}h${cell}v${cell}h${-cell}z`;
        if (i + 1 < cells && inside(i, j) !== inside(i + 1, j)) edge.push(`M${(LEFT + (i + 1) * cell).toFixed(1)} ${y}v${cell}`);
        if (j + 1 < cells && inside(i, j) !== inside(i, j + 1)) edge.push(`M${x} ${y}h${cell}`);
      }
    }
    svg.replaceChildren();
    paths.forEach((d, k) => { if (d) draw(svg, "path", { d, class: "level", "fill-opacity": (0.06 + (0.6 * k) / (LEVELS - 1)).toFixed(2) }); });
    draw(svg, "rect", { x: LEFT, y: 0, width: SIZE, height: SIZE, class: "frame" });
    if (edge.length) draw(svg, "path", { d: edge.join(""), class: "domain" });
    const [[a, b], [c, d]] = this.ranges, [x, y] = numbers.data.variables;
    for (const [text, px, py, anchor] of [[shown(a), LEFT, SIZE + 16, "start"], [x, LEFT + SIZE / 2, SIZE + 32, "middle"], [shown(b), LEFT + SIZE, SIZE + 16, "end"], [shown(c), LEFT - 6, SIZE, "end"], [y, LEFT - 6, SIZE / 2, "end"], [shown(d), LEFT - 6, 12, "end"]]) draw(svg, "text", { x: px, y: py, "text-anchor": anchor }, text);
    this.slope = draw(svg, "path", { class: "slope" });
    this.dot = draw(svg, "circle", { r: 6, class: "dot" });
  }

  // The point, and an arrow in the direction in which f grows.
  show(point, gradient) {
    this.point = [...point];
    const [x, y] = [this.X(point[0]), this.Y(point[1])], seen = x >= LEFT && x <= LEFT + SIZE && y >= 0 && y <= SIZE;
    this.dot.setAttribute("cx", x);
    this.dot.setAttribute("cy", y);
    this.dot.setAttribute("visibility", seen ? "visible" : "hidden");
    const largest = Math.max(...gradient.map(Math.abs)), [dx, dy] = gradient.map((g, k) => (k ? -1 : 1) * (g / largest) / (this.ranges[k][1] - this.ranges[k][0]));
    const size = Math.hypot(dx, dy);
    const [u, v] = [30 * (dx / size), 30 * (dy / size)];
    this.slope.setAttribute("d", seen && size > 0 && Number.isFinite(size) ? `M${x} ${y}l${u} ${v}m${-0.3 * u - 0.2 * v} ${-0.3 * v + 0.2 * u}l${0.3 * u + 0.2 * v} ${0.3 * v - 0.2 * u}l${-0.3 * u + 0.2 * v} ${-0.3 * v - 0.2 * u}` : "");
  }

  pick(e) {
    const box = this.svg.getBoundingClientRect(), scale = (LEFT + SIZE + 8) / box.width;
    this.choose((e.clientX - box.left) * scale, (e.clientY - box.top) * scale);
  }

  choose(px, py) {
    const part = (k) => Math.min(1, Math.max(0, k / SIZE)), [[a, b], [c, d]] = this.ranges;
    this.moved([a + part(px - LEFT) * (b - a), c + part(SIZE - py) * (d - c)].map((x) => Number(x.toPrecision(4))));
  }

  key(e) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
    if (!step) return;
    e.preventDefault();
    e.stopPropagation();
    const cell = SIZE / this.cells;
    this.choose(this.X(this.point[0]) + step[0] * cell, this.Y(this.point[1]) - step[1] * cell);
  }
}
