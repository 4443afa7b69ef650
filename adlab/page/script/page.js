// The page: what a reader does, and what then changes in the document. Names and formulas only ever become text nodes.
import { apply } from "./numbers.js";
import { Walk } from "./walk.js";
import { shown } from "./words.js";
import { diagnose, hints, readyToo, right, score, sheet } from "./exercise.js";
import { best, errors } from "./curves.js";
import { Live } from "./live.js";
import { cells, rests, sortBy, written } from "./tables.js";
import { Picture } from "./picture.js";
import { Rows } from "./rows.js";

// Scrolls what holds an element until it is seen. The page itself stays where the reader has put it.
function intoView(element) {
  const holder = element?.closest(".scroll");
  if (!holder) return;
  const outer = holder.getBoundingClientRect(), inner = element.getBoundingClientRect();
  if (inner.top < outer.top + 40 || inner.bottom > outer.bottom) holder.scrollTop += inner.top + inner.height / 2 - outer.top - outer.height / 2;
  if (inner.left < outer.left || inner.right > outer.right) holder.scrollLeft += inner.left - outer.left - (outer.width - Math.min(inner.width, outer.width)) / 2;
}

const setText = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };

// Brings a page to life. `root` is the document, or the shadow root of a notebook cell. Returns what tests and notebooks use.
export function mount(root, data) {
  const walk = new Walk(data), { numbers, words, nodes } = walk;
  const $ = (id) => root.getElementById(id), all = (selector) => root.querySelectorAll(selector);
  const alone = root === document, stop = new AbortController();
  const on = (element, event, act) => element?.addEventListener(event, act, { signal: stop.signal });
  const rows = new Rows(root, data, jump), picture = new Picture(root, data, jump, render);
  const numbersNow = new Live(root, walk, on, changed);
  let pending = null, playing = null;
  rows.moved = () => render(false);

  // --- drawing the state ------------------------------------------------------------------------------------------------

  function render(follow = true) {
    const { event } = walk;
    if (follow && event.node !== undefined) rows.show(event.node);
    const known = walk.known(), c = event.kind === "beat" ? event.c : null;
    const mode = event.mode ?? (walk.mode === "reverse" ? "reverse" : "forward");
    const [letters, figures] = words.said(event, walk);
    setText($("letters"), letters);
    setText($("numbers"), figures);
    setText($("where"), `step ${walk.step} of ${walk.last}`);
    Object.assign($("slider"), { max: walk.last, value: walk.step });
    $("back").disabled = walk.step === 0;
    $("next").disabled = walk.step === walk.last;
    nodes.forEach((_, i) => { row(i, event, c, known); box(i, event, c, known, mode); });
    picture.show(event, c ? words.ends(c) : [], known.primal, known.sums[mode], mode === "reverse");
    root.querySelector("#list")?.classList.toggle("forward", walk.mode === "forward");
    root.querySelector("#list")?.classList.toggle("both", walk.mode === "both");
    const line = programLine(event);
    all("#program li").forEach((item, k) => item.classList.toggle("now", k === line));
    const at = event.node ?? c?.to;
    for (const element of [root.querySelector("#program li.now"), $(`row${at}`), root.querySelector("#graph .box.now, #graph .edge.now")]) intoView(element);
    setText($("spent"), walk.step ? walk.cost() : "");
    const { right: good, asked } = score(walk);
    all(".filling").forEach((e) => { e.hidden = !walk.level || !data.formula; });
    setText($("score"), walk.level ? `${good} of ${asked} right at the first try` : "");
    save();
  }

  const shownWrong = (i, event) => event.kind === "end" && (walk.mode !== "forward" || walk.quotients !== null) && walk.off(i);

  function row(i, event, c, { primal, sums, arrived, ruled }) {
    const element = $(`row${i}`);
    if (!element) return;
    element.classList.toggle("now", event.node === i || Boolean(c && event.beat >= 2 && (c.to === i || c.from === i)));
    element.classList.toggle("wrong", shownWrong(i, event));
    setText($(`primal${i}`), primal.has(i) ? shown(walk.values[i]) : "");
    setText($(`partials${i}`), walk.level && !ruled.has(i) ? "" : nodes[i].partials.filter((_, k) => nodes[nodes[i].operands[k]].active).join(", "));
    const quotient = walk.quotients && event.kind === "end" ? `, by the step ${shown(walk.quotients[i])}` : "";
    setText($(`tangent${i}`), i in sums.forward ? shown(sums.forward[i]) + quotient : "");
    setText($(`adjoint${i}`), i in sums.reverse ? shown(sums.reverse[i]) : "");
    const terms = [...(arrived.forward[i] ?? []), ...(arrived.reverse[i] ?? [])];
    setText($(`terms${i}`), terms.map((x) => `${x.value < 0 ? "−" : "+"} ${shown(Math.abs(x.value))} from ${nodes[x.from].name}`).join("  "));
  }

  function box(i, event, c, { primal, sums }, mode) {
    const element = $(`box${i}`);
    if (!element) return;
    const sum = sums[mode];
    element.classList.toggle("now", event.node === i || Boolean(c && event.beat === 3 && c.to === i));
    element.classList.toggle("lit", i in sum);
    element.classList.toggle("wrong", shownWrong(i, event));
    setText($(`boxprimal${i}`), primal.has(i) ? shown(walk.values[i]) : "");
    setText($(`boxadjoint${i}`), i in sum ? `${words.mark(i, mode)} = ${shown(sum[i])}` : "");
  }

  const program = () => data.programs[walk.output];

  // The program of another output takes the place of the one that stands there.
  function list() {
    $("program").replaceChildren(...program().lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
  }

  // The line of the reverse-mode program that does what this event shows.
  function programLine(event) {
    if (event.kind === "primal") return program().primal[event.node] ?? -1;
    if (event.kind !== "beat" || event.mode !== "reverse") return -1;
    const at = program().edges[`${event.c.from}.${event.c.place}`];
    return at ? at[Math.max(0, event.beat - 1)] ?? -1 : -1;
  }

  function save() {
    if (!alone) return;
    try { history.replaceState(null, "", walk.address()); } catch { /* a page inside a frame has no address of its own */ }
  }

  // --- moving -----------------------------------------------------------------------------------------------------------

  // On paper a reader who watches gets all numbers; one who fills in gets the sheet as it is.
  function onPaper() {
    const here = walk.step;
    if (walk.level) return;
    walk.step = walk.last;
    render(false);
    window.addEventListener("afterprint", () => { walk.step = here; render(false); }, { once: true });
  }

  const advance = () => { walk.step = Math.min(walk.step + 1, walk.last); render(); };
  const closeAsk = () => { pending = null; $("ask").hidden = true; };
  const restart = () => { closeAsk(); pause(); walk.restart(); render(); live(); };
  function next() {
    if (walk.step >= walk.last || pending) return;
    const asked = walk.asked();
    if (asked) ask(asked); else advance();
  }
  function back() { closeAsk(); walk.step = Math.max(0, walk.step - 1); render(); }
  function jump(i) {
    picture.reveal(i);
    if (!walk.level) walk.step = walk.place(i);
    render();
  }
  function pause() { clearInterval(playing); playing = null; setText($("play"), "Play"); }
  function play() {
    if (playing) return pause();
    setText($("play"), "Pause");
    playing = setInterval(() => { if (walk.step >= walk.last || pending || !root.isConnected) pause(); else next(); }, 1500);
    return next();
  }

  // --- answering ----------------------------------------------------------------------------------------------------------

  function ask(asked) {
    pending = { asked, hint: 0, first: null };
    $("ask").hidden = false;
    setText($("question"), asked.ask);
    setText($("feedback"), "");
    Object.assign($("answer"), { value: "", placeholder: asked.name === undefined ? "3 digits are enough" : "a name" });
    $("answer").setAttribute("aria-invalid", "false");
    $("answer").focus();
  }

  function answer() {
    if (!pending) return;
    const { asked } = pending, text = $("answer").value.trim(), good = text && right(text, asked);
    if (!text || good === null) return void setText($("feedback"), asked.name === undefined ? "Type a number, such as 0.1009 or −4.2e-2." : "Type the name of a node.");
    if (readyToo(text, asked, walk)) return void setText($("feedback"), `${text} is ready, too. This page takes the last line of the list first: which is that?`);
    pending.first ??= { text, hinted: pending.hint > 0 };
    $("answer").setAttribute("aria-invalid", String(!good));
    if (!good) return void setText($("feedback"), diagnose(text, asked, walk));
    walk.answers[walk.step + 1] = { first: pending.first.text, hinted: pending.first.hinted, last: text };
    closeAsk();
    advance();
    ($("next").disabled ? $("back") : $("next")).focus();
  }

  function hint() {
    if (!pending) return;
    const list = hints(pending.asked, walk);
    setText($("feedback"), list[Math.min(pending.hint, list.length - 1)]);
    pending.hint += 1;
    $("answer").focus();
  }

  function download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(sheet(walk), null, 1)], { type: "application/json" }));
    link.download = "answers.json";
    link.click();
    URL.revokeObjectURL(link.href);
  }

  // --- other numbers --------------------------------------------------------------------------------------------------------

  const live = () => numbersNow.show();
  function changed() {
    if (walk.level) restart(); else { walk.recompute(); render(); live(); setText($("damage"), walk.damage()); }
  }

  // --- predictions ------------------------------------------------------------------------------------------------------------

  function predicted(kind, guess) {
    if (kind === "uses") {
      const uses = nodes.map((_, i) => numbers.operations.reduce((n, k) => n + nodes[k].operands.filter((x) => x === i).length, 0));
      const most = uses.indexOf(Math.max(...uses));
      const verdict = Number(guess) === uses[most] ? "Right: " : guess.trim() ? "Not so: " : "";
      return `${verdict}${nodes[most].name} is used ${uses[most]} times, so ${uses[most]} contributions arrive and are summed.`;
    }
    if (kind === "swell") {
      const found = data.comparison?.tables[1].rows.find((r) => r[0] === "symbolic derivative")?.[1];
      if (!found) return `The reverse-mode program has ${data.counts.reverse} operations.`;
      const close = Number(guess) >= found / 2 && Number(guess) <= 2 * found;
      return `${close ? "Well estimated: the" : "The"} tree of the symbolic derivative has ${found} operations; the reverse-mode program has ${data.counts.reverse}.`;
    }
    if (kind === "cost") {
      const good = /^\s*r/i.test(guess) ? "Right. " : /^\s*f/i.test(guess) ? "Not so. " : "";
      return `${good}Reverse mode needs one sweep for each output, here 1; forward mode one for each input, 100. Counted for this formula: f ${data.counts.f}, reverse mode ${data.counts.reverse}, forward mode ${data.counts.forward || "not counted"} operations.`;
    }
    $("predicted").dataset.done = "yes";
    all(".aftersteps").forEach((e) => { e.hidden = false; });
    $("h").value = guess;
    live();
    const i = Number($("by").value), [at, least] = best(errors(numbers, walk.point, i, "central", (x) => x));
    return `You said h = 1e${guess}. The central difference is best near h = 1e${at.toFixed(1)}, with an error of about ${shown(least)}. Move the marker: why is the smallest step not the best?`;
  }

  // --- the comparison ---------------------------------------------------------------------------------------------------------

  async function copy(button) {
    const form = button.dataset.form, area = $("clip"), table = button.closest("section").querySelector("table");
    area.closest("label").hidden = false;
    area.value = written(cells(table, form === "csv"), form).replaceAll(" ↕", "");
    area.select();
    try { await navigator.clipboard.writeText(area.value); setText(button, "copied"); } catch { setText(button, "select and copy below"); }
  }

  function highlight(button) {
    const was = button.getAttribute("aria-pressed") === "true", found = was ? [] : JSON.parse(button.dataset.because).map(rests);
    all("#verdict button").forEach((b) => b.setAttribute("aria-pressed", String(b === button && !was)));
    all("#comparison section").forEach((section) => section.querySelectorAll("tbody tr").forEach((tr) => {
      const [first, second] = [...tr.cells].map((cell) => cell.textContent);
      tr.classList.toggle("because", found.some((r) => r.table === section.dataset.table && r.key === first && (!r.variable || r.variable === second)));
    }));
    const names = found.map((r) => r.node), named = nodes.findIndex((node) => names.includes(node.name));
    if (named >= 0) { picture.reveal(named); rows.show(named); render(false); }
    all("#list tr[data-name]").forEach((r) => r.classList.toggle("because", names.includes(r.dataset.name)));
    all("#graph .box").forEach((b) => b.classList.toggle("because", names.includes(nodes[Number(b.dataset.node)]?.name)));
    root.querySelector(".because")?.scrollIntoView({ block: "nearest" });
  }

  // --- wiring -----------------------------------------------------------------------------------------------------------------

  function wire() {
    const shownNow = (e) => { e.hidden = e.classList.contains("needslive") && !data.live; };
    all(".needsscript").forEach(shownNow);
    $("notlive").hidden = data.live;
    for (const [id, act] of [["next", next], ["back", back], ["play", play], ["check", answer], ["hint", hint], ["download", download]]) on($(id), "click", act);
    on($("slider"), "input", () => { if (walk.level) { $("slider").value = walk.step; return; } closeAsk(); walk.step = Number($("slider").value); render(); });
    on($("mode"), "change", () => { const [mode, i] = $("mode").value.split(":"); if (walk.quotients && mode !== "forward") walk.breakIt(""); Object.assign(walk, { mode, direction: Number(i ?? 0) }); restart(); synced(); });
    on($("output"), "change", () => { walk.output = Number($("output").value); restart(); synced(); });
    on($("level"), "change", () => { if (walk.broken.kind) walk.breakIt(""); walk.level = Number($("level").value); restart(); synced(); });
    on($("break"), "change", () => { closeAsk(); walk.breakIt($("break").value); render(); synced(); });
    on($("student"), "input", () => { walk.student = $("student").value.trim(); save(); });
    on($("answer"), "keydown", (e) => { if (e.key === "Enter") { e.preventDefault(); answer(); } });
    on(root, "keydown", (e) => {
      // Arrows belong to a field, to a select and to what scrolls; the space bar presses a button.
      const at = e.target, scrolls = at.matches?.(".scroll") && at.scrollWidth > at.clientWidth;
      if (e.altKey || e.ctrlKey || e.metaKey || scrolls || at.closest?.("input, select, textarea, .plane")) return;
      if (e.key === " " && at.closest?.("button, summary, a, [role=button]")) return;
      if (e.key === "ArrowRight" || e.key === " ") { e.preventDefault(); next(); }
      if (e.key === "ArrowLeft") { e.preventDefault(); back(); }
    });
    if (!rows.windowed) all("#list button.node").forEach((b) => on(b, "click", () => jump(Number(b.dataset.node))));
    all("form.predict").forEach((form) => on(form, "submit", (e) => { e.preventDefault(); setText(form.querySelector("output"), predicted(form.dataset.kind, form.elements.guess.value)); }));
    all('form.predict input[type="range"]').forEach((b) => on(b, "input", () => setText(b.nextElementSibling, b.value.replace("-", "−"))));
    all("th button.sort").forEach((b) => on(b, "click", () => sortBy(b.closest("table"), b.closest("th").cellIndex)));
    all("button.copy").forEach((b) => on(b, "click", () => copy(b)));
    all("#verdict button").forEach((b) => on(b, "click", () => highlight(b)));
  }

  // The controls say what the walk says.
  function synced() {
    $("mode").value = walk.mode === "reverse" ? "reverse" : `${walk.mode}:${walk.direction}`;
    $("level").value = String(walk.level);
    $("break").value = walk.broken.kind;
    if ($("output")) { $("output").value = String(walk.output); list(); }
    setText($("damage"), walk.damage());
  }

  if (alone) { walk.restore(location.hash); on(window, "beforeprint", onPaper); }
  wire();
  synced();
  $("student").value = walk.student;
  numbersNow.fields();
  render();
  live();
  return { walk, numbers, picture, apply, sheet: () => sheet(walk), close: () => { stop.abort(); pause(); } };
}
