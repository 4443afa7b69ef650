// Curves: the error of differences against the step, drawn as SVG on logarithmic axes.
import { shown } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
export function draw(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [k, v] of Object.entries(attributes)) element.setAttribute(k, v);
  if (text !== undefined) element.textContent = text;
  parent.appendChild(element);
  return element;
}

// Axes on a 640 × 300 drawing. `xs` and `ys` are [low, high] powers of ten.
export function axes(holder, xs, ys, xlabel, ylabel, everyX = 4, everyY = 4, tick = (k) => `1e${k}`) {
  const W = 640, H = 300, left = 62, bottom = 44, right = 14, top = 12;
  holder.replaceChildren();
  const X = (k) => left + ((k - xs[0]) / (xs[1] - xs[0])) * (W - left - right);
  const Y = (k) => top + ((ys[1] - Math.max(ys[0], Math.min(ys[1], k))) / (ys[1] - ys[0])) * (H - top - bottom);
  for (let k = xs[0]; k <= xs[1]; k += everyX) {
    draw(holder, "line", { x1: X(k), x2: X(k), y1: top, y2: H - bottom, class: "grid" });
    draw(holder, "text", { x: X(k), y: H - bottom + 18, "text-anchor": "middle" }, tick(k));
  }
  for (let k = Math.ceil(ys[0] / everyY) * everyY; k <= ys[1]; k += everyY) {
    draw(holder, "line", { x1: left, x2: W - right, y1: Y(k), y2: Y(k), class: "grid" });
    draw(holder, "text", { x: left - 6, y: Y(k) + 4, "text-anchor": "end" }, `1e${k}`);
  }
  draw(holder, "text", { x: (left + W) / 2, y: H - 6, "text-anchor": "middle" }, xlabel);
  draw(holder, "text", { x: 14, y: (H - bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${(H - bottom) / 2})` }, ylabel);
  return { X, Y, top, bottom: H - bottom, left, right: W - right };
}

export const SCHEMES = [["forward", "first", 1], ["central", "second", 2]];

// The errors of one scheme at every step, as [power of ten, error].
export function errors(numbers, point, i, scheme, round) {
  const exact = numbers.gradient(point)[i], found = [];
  for (let k = -16; k <= 0; k += 0.125) {
    const error = Math.abs(numbers.slope(point, i, 10 ** k, scheme, round) - exact);
    if (Number.isFinite(error)) found.push([k, error]);
  }
  return found;
}

// Truncation error C·h^p: C is the median of error / hᵖ where truncation dominates. Roundoff error: a unit roundoff of f, over h.
export function branches(found, order, f, unit) {
  const large = found.filter(([k, e]) => k >= -2.5 && k <= -1 && e > 0).map(([k, e]) => e / 10 ** (order * k)).sort((a, b) => a - b);
  return { truncation: large.length ? large[Math.floor(large.length / 2)] : 0, roundoff: unit * Math.abs(f) };
}

// The best step of a scheme: the middle of the lowest half decade, since single errors scatter.
export function best(found) {
  let at = 0, least = Infinity;
  for (let j = 2; j + 2 < found.length; j += 1) {
    const around = Math.max(...found.slice(j - 2, j + 3).map(([, e]) => e));
    if (around < least) { least = around; at = found[j][0]; }
  }
  return [at, least];
}

// Draws it all. Returns the sentence for the step `k` (a power of ten).
export function errorCurve(holder, numbers, point, i, k, single) {
  const round = single ? Math.fround : (x) => x, unit = single ? 2 ** -24 : 2 ** -53, floor = 1e-20;
  const { X, Y, top, bottom } = axes(holder, [-16, 0], [-18, 2], "step h", "absolute error");
  const f = numbers.value(point), said = [];
  for (const [scheme, look, order] of SCHEMES) {
    const found = errors(numbers, point, i, scheme, round), { truncation, roundoff } = branches(found, order, f, unit);
    const line = (height, look2) => draw(holder, "polyline", { class: `branch ${look} ${look2}`,
      points: [-16, 0].map((p) => [p, height(p)]).map(([p, e]) => `${X(p).toFixed(1)},${Y(e).toFixed(1)}`).join(" ") });
    if (truncation) { const c = Math.log10(truncation), low = Math.max(-16, (-18 - c) / order); draw(holder, "polyline", { class: `branch ${look}`, points: `${X(low)},${Y(c + order * low)} ${X(0)},${Y(c)}` }); }
    if (roundoff && scheme === "forward") line((p) => Math.log10(roundoff) - p, "roundoff");
    draw(holder, "polyline", { points: found.map(([p, e]) => `${X(p).toFixed(1)},${Y(Math.log10(e || floor)).toFixed(1)}`).join(" "), class: look });
    const [p, e] = found[Math.floor(found.length * 0.9)] ?? [0, 1];
    draw(holder, "text", { x: X(p) - 4, y: Y(Math.log10(e || floor)) - 8, class: `name ${look}`, "text-anchor": "end" }, scheme);
    const slope = numbers.slope(point, i, 10 ** k, scheme, round);
    said.push(`${scheme} difference: ${shown(slope)}, error ${shown(Math.abs(slope - numbers.gradient(point)[i]))}`);
  }
  draw(holder, "text", { x: X(-11), y: Y(Math.log10(unit * Math.abs(f) || unit) + 11) - 16, class: "name quiet" }, "roundoff error, ε·|f|/h");
  draw(holder, "line", { x1: X(k), x2: X(k), y1: top, y2: bottom, class: "marker" });
  return `h = 1e${k.toFixed(2).replace("-", "−")}.  ${said.join(".  ")}.  Reverse mode: ${shown(numbers.gradient(point)[i])}.`;
}
