// Difference quotients at the reader's point: each scheme of adlab with its own step, in double and in single precision.
const FINEST = 8;  // ulps of x that a step has at least

export const ulp = (x) => { const size = Math.abs(x); return size < 2 ** -1022 ? 2 ** -1074 : 2 ** (Math.floor(Math.log2(size)) - 52); };

// The step at |x| = 1, scaled to x by a power of two, as in adlab.
export const stepAt = (x, relative) => (x === 0 ? relative : Math.max(relative * 2 ** Math.round(Math.log2(Math.abs(x))), FINEST * ulp(x)));

// Σ w f(x + o h) / h over the nodes that rounding leaves, in the arithmetic of `round`.
export function quotient(numbers, point, i, { offsets, weights }, h, round = (x) => x) {
  const at = (o) => { const moved = [...point]; moved[i] = round(round(moved[i]) + round(o * h)); return numbers.value(moved, round); };
  return round(round(offsets.reduce((sum, o, k) => round(sum + round(weights[k] * at(o))), 0)) / round(h));
}

// Central differences at h, h/2, h/4, … extrapolated to h = 0 (Ridders): the entry of the table that agrees best with its neighbours.
export function richardson(numbers, point, i, h, round) {
  const central = { offsets: [-1, 1], weights: [-0.5, 0.5] };
  let before = [], least = Infinity, best = NaN;
  for (let row = 0; row < 14; row += 1) {
    const line = [quotient(numbers, point, i, central, h / 2 ** row, round)];
    before.forEach((old, j) => {
      line.push(round(line[j] + round(line[j] - old) / (4 ** (j + 1) - 1)));
      const differs = Math.max(Math.abs(line[j + 1] - line[j]), Math.abs(line[j + 1] - old));
      if (differs < least) { least = differs; best = line[j + 1]; }
    });
    if (row && Math.abs(line[row] - before[row - 1]) > 2 * least) break;
    before = line;
  }
  return best;
}

// A row for each scheme: its step, the quotient, and its distance from reverse mode; then the quotient with float32.
export function rows(numbers, point, i, schemes) {
  const exact = numbers.gradient(point)[i], step = (order, digits) => stepAt(point[i], 2 ** -Math.round(digits / (order + 1))), first = stepAt(point[i], 19 / 64);
  const found = (name, h, value, low) => ({ name, h, value, error: Math.abs(value - exact), low, lowError: Math.abs(low - exact) });
  return [
    ...schemes.map(({ name, order, ...scheme }) => found(name, step(order, 53), quotient(numbers, point, i, scheme, step(order, 53)),
      quotient(numbers, point, i, scheme, step(order, 24), Math.fround))),
    found("richardson", first, richardson(numbers, point, i, first, (x) => x), richardson(numbers, point, i, first, Math.fround)),
  ];
}
