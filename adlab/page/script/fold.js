// Folding: a large graph as a few blocks of consecutive operations, each of which opens into smaller ones. It knows no document.
// Consecutive pieces of a Wengert list depend on each other in one direction only, so the folded graph has no circle either.

export const FEW = 12;      // pieces that a block opens into
export const LEAVES = 16;   // operations up to which a block opens into single boxes
export const UNFOLDED = 60; // operations up to which a graph is drawn box by box
const ACROSS = 3;           // boxes beside each other; a wider rank goes on below

// For each place between two nodes of the list: how many values are computed before it and used after it.
export function crossing(nodes, listed) {
  const place = new Map(listed.map((i, k) => [i, k])), change = new Array(listed.length + 2).fill(0), last = new Map();
  listed.forEach((i, k) => nodes[i].operands.forEach((j) => { if (place.has(j)) last.set(j, k); }));
  for (const [j, k] of last) { change[place.get(j) + 1] += 1; change[k + 1] -= 1; }
  let alive = 0;
  return change.map((c) => (alive += c));
}

// The tree of blocks over a list of nodes. Each cut stands where few values pass, near the place that makes equal pieces.
export function blocks(nodes, listed, name = "b") {
  const alive = crossing(nodes, listed);
  const split = (from, to, id) => {
    const size = to - from;
    if (size <= LEAVES) return { id, from, to, parts: listed.slice(from, to).map((node) => ({ node })) };
    const count = Math.min(FEW, Math.ceil(size / LEAVES)), cuts = [from];
    for (let k = 1; k < count; k += 1) {
      const ideal = from + Math.round((k * size) / count), room = Math.floor(size / count / 3);
      let at = ideal;
      for (let p = Math.max(cuts.at(-1) + 1, ideal - room); p <= Math.min(to - 1, ideal + room); p += 1) {
        if (alive[p] < alive[at] || (alive[p] === alive[at] && Math.abs(p - ideal) < Math.abs(at - ideal))) at = p;
      }
      cuts.push(at);
    }
    cuts.push(to);
    return { id, from, to, parts: cuts.slice(0, -1).map((start, k) => split(start, cuts[k + 1], `${id}.${k}`)) };
  };
  return split(0, listed.length, name);
}

export class Fold {
  constructor(data) {
    const inputs = data.variables.map((_, i) => i), operations = data.nodes.map((_, i) => i).filter((i) => data.nodes[i].operands.length);
    this.data = data;
    this.lists = { b: operations, i: inputs };
    this.whole = [blocks(data.nodes, operations)];
    this.inputs = inputs.length > FEW ? [blocks(data.nodes, inputs, "i")] : inputs.map((node) => ({ node }));
    this.open = new Set(["b"]);
    this.update();
  }

  // What is to be seen: single nodes and closed blocks; and for every node the piece that it is in.
  update() {
    this.pieces = [];
    this.inside = new Map();
    const show = (piece) => {
      if (piece.node === undefined && this.open.has(piece.id)) return piece.parts.forEach(show);
      const nodes = piece.node === undefined ? this.nodesOf(piece) : [piece.node];
      this.pieces.push({ ...piece, key: piece.node === undefined ? piece.id : String(piece.node), nodes });
      nodes.forEach((i) => this.inside.set(i, this.pieces.at(-1).key));
      return undefined;
    };
    [...this.inputs, ...this.whole].forEach(show);
    this.edges = this.between();
  }

  nodesOf(block) { return this.lists[block.id[0]].slice(block.from, block.to); }

  // One edge for each pair of pieces, and one for each operand between single nodes.
  between() {
    const found = new Map();
    for (const to of this.lists.b) {
      this.data.nodes[to].operands.forEach((from, k) => {
        const a = this.inside.get(from), b = this.inside.get(to);
        if (a === undefined || a === b) return;
        const single = a === String(from) && b === String(to), key = single ? `${a} ${b} ${k}` : `${a} ${b}`;
        const edge = found.get(key) ?? { from: a, to: b, operand: single ? String(k) : "", count: 0 };
        edge.count += 1;
        found.set(key, edge);
      });
    }
    return [...found.values()];
  }

  toggle(id) { if (this.open.has(id)) this.close(id); else this.open.add(id); this.update(); }

  close(id) { for (const other of [...this.open]) if (other === id || other.startsWith(`${id}.`)) this.open.delete(other); }

  // Opens every block around a node.
  reveal(node) {
    const walk = (piece) => {
      if (piece.node !== undefined) return piece.node === node;
      if (!this.nodesOf(piece).includes(node)) return false;
      this.open.add(piece.id);
      return piece.parts.some(walk);
    };
    [...this.inputs, ...this.whole].some(walk);
    this.update();
  }
}

// Layers: the rank of a piece is one more than the largest rank that it reads. Within a rank, pieces stand near what they read.
export function layered(pieces, edges, width, height, gapX, gapY) {
  const rank = new Map(pieces.map((p) => [p.key, 0])), reads = new Map(pieces.map((p) => [p.key, []]));
  edges.forEach((e) => reads.get(e.to).push(e.from));
  for (const p of pieces) for (const from of reads.get(p.key)) rank.set(p.key, Math.max(rank.get(p.key), rank.get(from) + 1));
  const ranks = [], place = new Map();
  pieces.forEach((p) => (ranks[rank.get(p.key)] ??= []).push(p));
  let k = 0;
  for (const whole of ranks) {
    const wanted = (p) => { const at = reads.get(p.key).map((q) => place.get(q)?.x).filter((x) => x !== undefined); return at.length ? at.reduce((a, b) => a + b) / at.length : 0; };
    if (whole.length <= ACROSS) whole.sort((a, b) => wanted(a) - wanted(b));
    for (let start = 0; start < whole.length; start += ACROSS, k += 1) {
      const row = whole.slice(start, start + ACROSS);
      row.forEach((p, i) => place.set(p.key, { x: (i - (row.length - 1) / 2) * (width + gapX), y: k * (height + gapY) }));
    }
  }
  const most = Math.min(ACROSS, Math.max(...ranks.map((row) => row.length))), w = most * (width + gapX), h = k * (height + gapY);
  for (const at of place.values()) { at.x += w / 2; at.y += (height + gapY) / 2; }
  return { place, width: w, height: h };
}
