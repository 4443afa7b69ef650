// Tables: sorting by a column, and the text that is copied.

export function sortBy(table, column) {
  const body = table.tBodies[0], rows = [...body.rows], down = table.dataset.sorted === String(column);
  table.dataset.sorted = down ? "" : String(column);
  [...table.tHead.rows[0].cells].forEach((cell, k) => cell.setAttribute("aria-sort", k !== column ? "none" : down ? "descending" : "ascending"));
  const value = (row) => {
    const text = row.cells[column].dataset.value ?? row.cells[column].textContent, number = Number(text);
    return text === "" ? -Infinity : Number.isNaN(number) ? text : number;
  };
  rows.sort((a, b) => {
    const x = value(a), y = value(b);
    const order = typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? -1 : 1;
    return down ? -order : order;
  });
  body.append(...rows);
}

const LATEX = { "&": "\\&", "%": "\\%", $: "\\$", "#": "\\#", _: "\\_", "{": "\\{", "}": "\\}", "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };

// rows: lists of cells, the heads first. `form` is "markdown", "csv" or "latex".
export function written(rows, form) {
  if (form === "csv") return rows.map((row) => row.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")).join("\n");
  if (form === "latex") {
    const line = (row) => `${row.map((cell) => cell.replace(/[&%$#_{}\\~^]/g, (sign) => LATEX[sign])).join(" & ")} \\\\`;
    return [`\\begin{tabular}{${"l".repeat(rows[0].length)}}`, "\\toprule", line(rows[0]), "\\midrule", ...rows.slice(1).map(line), "\\bottomrule", "\\end{tabular}"].join("\n");
  }
  const line = (row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|").replaceAll("*", "\\*")).join(" | ")} |`;
  return [line(rows[0]), `|${" --- |".repeat(rows[0].length)}`, ...rows.slice(1).map(line)].join("\n");
}

// The cells of a table. A number is copied with all its digits where the cell carries them.
export const cells = (table, full) => [...table.rows].map((row) => [...row.cells].map((cell) => ((full && cell.dataset.value) || cell.textContent).trim()));

// What a sentence rests on, as a text: "accuracy: reverse", "accuracy: forward, x1", "cost: reverse", "node v5", "truth".
export function rests(text) {
  const node = /^node (.*)$/.exec(text), row = /^(accuracy|swell|cost): (.*)$/.exec(text);
  if (node) return { node: node[1] };
  if (!row) return {};
  const [key, variable] = row[1] === "accuracy" ? row[2].split(/, (.*)/) : [row[2]];
  return { table: row[1], key, variable };
}
