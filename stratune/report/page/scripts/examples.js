// The error browser: rows that fit, as cards; words that mark errors; two strategies side by side.
const PAGE = 20; // rows at a time
let listed = [], shownRows = 0;

function answerOf(entry, row, caption) {
  const { said, sure } = TEST.entries[entry], right = isRight(entry, row);
  const certain = sure && sure[row] !== null ? ` ${percent(sure[row])}` : "";
  const verdict = NUMERIC ? `off by ${score(off(entry, row))}` : right ? "right" : "wrong";
  return el("span", { class: `answer ${right ? "is-right" : "is-wrong"}` },
    el("span", { class: "quiet" }, `${caption} `), el("bdi", {}, said[row] === null ? NONE : named(said[row])), certain, ` (${verdict})`);
}

// The text with the chunk that decided marked, where it is within what the page has.
function textOf(text, chunk) {
  const holder = el("p", { class: "text", dir: "auto" });
  if (!chunk || chunk[0] >= text.length) holder.append(text);
  else holder.append(text.slice(0, chunk[0]), el("mark", {}, text.slice(chunk[0], chunk[1])), text.slice(chunk[1]));
  return holder;
}

function card(row, ask) {
  const made = el("li", { class: "example", "data-row": row });
  const facts = [el("span", {}, el("span", { class: "quiet" }, "truth "), el("b", {}, el("bdi", {}, named(TEST.truth[row])))), answerOf(ask.entry, row, TEST.entries[ask.entry].name)];
  if (ask.other !== null) facts.push(answerOf(ask.other, row, TEST.entries[ask.other].name));
  if (!NUMERIC) facts.push(el("span", { class: "quiet" }, `${rightCount(row)} of ${TEST.entries.length} right`));
  made.append(el("div", { class: "facts-line" }, ...facts));
  const chunks = TEST.entries[ask.entry].chunks?.[row], chunk = chunks?.[0];
  if (TEST.texts) {
    made.append(textOf(TEST.texts[row], chunk));
    if (TEST.pairs) made.append(textOf(TEST.pairs[row], null));
    if (chunk && chunk[2] !== null) made.append(el("p", { class: "quiet small" }, Math.abs(chunk[2]) < HARDLY ? "Marked: the chunk that mattered most. The prediction hardly changes without it." : `Marked: the chunk that decided. Without it the prediction changes by ${score(chunk[2])}.`));
  }
  const about = [`row ${TEST.ids[row]}`];
  if (TEST.groups) about.push(TEST.groups[row]);
  if (TEST.words) about.push(`${TEST.words[row].toLocaleString("en")} words`);
  const cut = TEST.texts && TEST.characters[row] > TEST.texts[row].length + (TEST.pairs ? TEST.pairs[row].length + 1 : 0);
  if (cut) about.push(`cut from ${TEST.characters[row].toLocaleString("en")} characters`);
  const all = el("details", {}, el("summary", {}, "all strategies"));
  all.addEventListener("toggle", () => { // built when asked for: fourteen answers to each of thousands of rows
    if (all.childElementCount === 1) all.append(el("div", { class: "facts-line" }, ...TEST.entries.map((entry, k) => answerOf(k, row, entry.name))));
  });
  made.append(el("p", { class: "quiet small about" }, el("bdi", {}, about.join(" \u00b7 "))));
  const course = courseOf(ask.entry, row);
  if (course) made.append(course);
  made.append(all);
  return made;
}

function more() {
  const ask = asked(), next = listed.slice(shownRows, shownRows + PAGE);
  find("examples").append(...next.map(row => card(row, ask)));
  shownRows += next.length;
  shown("more", shownRows < listed.length);
}

function drawMarks(rows, ask) {
  shown("marks-part", TEST.texts !== null);
  if (TEST.texts === null) return;
  const right = rows.filter(row => isRight(ask.entry, row)), wrong = rows.filter(row => !isRight(ask.entry, row));
  const found = marks(wrong, right).filter(mark => mark.z > 1.3).slice(0, 14);
  const chips = found.map(mark => el("button", {
    type: "button", class: "chip", "data-word": mark.word, title: `z ${mark.z.toFixed(1)}`,
    click: () => { find("f-search").value = mark.word; draw(); },
  }, el("bdi", {}, mark.word), el("span", {}, ` ${mark.wrong} wrong, ${mark.right} right`)));
  find("marks").replaceChildren(...(chips.length ? chips : [el("span", { class: "quiet" }, "No word stands out in these rows.")]));
}

function drawBoth(rows, ask) {
  shown("both", ask.other !== null);
  if (ask.other === null) return;
  const names = [ask.entry, ask.other].map(k => TEST.entries[k].name);
  const cell = (name, text) => {
    const count = rows.filter(row => BOTH[name](isRight(ask.entry, row), isRight(ask.other, row))).length;
    return el("button", { type: "button", class: "cell", "data-cell": name, "aria-pressed": String(ask.result === name),
      click: () => { find("f-result").value = name; draw(); } }, el("b", {}, count.toLocaleString("en")), ` ${text}`);
  };
  find("both").replaceChildren(
    cell("both_right", "both right"), cell("only_first", `only ${names[0]} right`),
    cell("only_second", `only ${names[1]} right`), cell("both_wrong", "both wrong"));
}

function draw() {
  if (find("f-other").value === "" && find("f-result").value in BOTH) find("f-result").value = "any";
  const ask = asked();
  for (const option of find("f-result").options) if (option.value in BOTH) option.hidden = option.disabled = ask.other === null;
  const rows = TEST.ids.map((_, row) => row).filter(row => fits(ask, row));
  listed = ordered(rows.filter(row => passes(ask, row)), ask);
  shownRows = 0;
  find("examples").replaceChildren();
  find("found").textContent = `${listed.length.toLocaleString("en")} of ${size().toLocaleString("en")} rows`;
  drawMarks(rows, ask);
  drawBoth(rows, ask);
  more();
}

function startExamples() {
  if (!size() || !TEST.entries.length) return;
  const entries = TEST.entries.map((entry, k) => [k, entry.name]);
  const winner = Math.max(0, BOARD.rows.findIndex(row => row.winner));
  const labels = [["", "any"], ...LABELS.map((label, k) => [k, label])];
  choose(find("f-strategy"), entries, winner);
  choose(find("f-other"), [["", "nobody"], ...entries]);
  for (const name of ["truth", "said"]) choose(find(`f-${name}`), labels);
  if (TEST.groups) choose(find("f-group"), [["", "any"], ...[...new Set(TEST.groups)].sort().map(name => [name, name || "(none)"])]);
  else choose(find("f-group"), [["", "any"]]);
  for (const [field, is] of [["truth", !NUMERIC], ["said", !NUMERIC], ["group", TEST.groups !== null], ["words-from", TEST.words !== null], ["sure-from", !NUMERIC]])
    find(`f-${field}`).closest(".field").hidden = !is;
  const form = find("filters");
  form.addEventListener("input", event => { if (event.target.type === "search" || event.target.type === "number") draw(); });
  form.addEventListener("change", draw);
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { find("f-strategy").value = winner; draw(); }));
  find("more").addEventListener("click", more);
  find("f-result").value = "wrong";
  shown("errors-part", true);
  draw();
}
