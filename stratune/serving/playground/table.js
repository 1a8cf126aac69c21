// -- a file: parsed here, answered in parts, written here; the server stores nothing

/** Records of RFC 4180: quotes, line breaks in cells, CRLF. Raises Failure for a quote without an end. */
function parsed(text, delimiter, most = Infinity) {
  const records = [], ends = new RegExp(`[\\r\\n${delimiter}]`, "g");
  let at = 0, record = [];
  while (at < text.length && records.length < most) {
    let cell = "";
    if (text[at] === '"') {
      const opened = at++;
      for (;;) {
        const end = text.indexOf('"', at);
        if (end < 0) throw new Failure(`line ${text.slice(0, opened).split("\n").length}: a quote is opened and never closed`);
        cell += text.slice(at, end);
        at = end + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at++;
      }
    }
    ends.lastIndex = at;
    const end = ends.exec(text)?.index ?? text.length;
    record.push(cell + text.slice(at, end));
    at = end + 1;
    if (text[end] === delimiter && at < text.length) continue;
    if (text[end] === delimiter) record.push("");
    if (text[end] === "\r" && text[at] === "\n") at++;
    if (record.length > 1 || record[0] !== "") records.push(record); // blank lines are none
    record = [];
  }
  return records;
}

/** What stands most often between the names of the first record. */
function delimiterOf(text) {
  const counted = [",", ";", "\t"].map((one) => [parsed(text, one, 1)[0]?.length ?? 0, one]);
  return counted.reduce((best, one) => (one[0] > best[0] ? one : best))[1];
}

function decoded(bytes) {
  const wide = { "255,254": "utf-16le", "254,255": "utf-16be" }[String(bytes.subarray(0, 2))];
  const marked = wide !== undefined || String(bytes.subarray(0, 3)) === "239,187,191";
  try {
    return { text: new TextDecoder(wide ?? "utf-8", { fatal: true }).decode(bytes), marked };
  } catch { throw new Failure("this file is not UTF-8; save it as CSV UTF-8"); }
}

/** {header, rows, delimiter, line, marked}, with the columns that the model reads. Raises Failure. */
function tableOf(bytes, model) {
  const { text, marked } = decoded(bytes), delimiter = delimiterOf(text);
  const [header, ...rows] = parsed(text, delimiter);
  if (!header) throw new Failure("the file is empty");
  for (const name of model.columns) {
    const count = header.filter((one) => one === name).length;
    if (!count) throw new Failure(`no column "${name}"; the file has ${header.slice(0, 12).join(", ")}`);
    if (count > 1) throw new Failure(`the column "${name}" is there ${count} times`);
  }
  const there = added(model).find((name) => header.includes(name));
  if (there) throw new Failure(`the file has a column "${there}" already`);
  if (!rows.length) throw new Failure("the file has a header and no rows");
  rows.forEach((row, k) => {
    if (row.length !== header.length) throw new Failure(`row ${k + 1} has ${row.length} cells, and the header ${header.length}`);
  });
  return { header, rows, delimiter, line: /\r\n/.test(text) ? "\r\n" : "\n", marked };
}

const added = (model) => ["prediction", ...model.labels.map((label) => `score_${label}`)];

function written(table, model, answers) {
  const special = new RegExp(`["\\r\\n${table.delimiter}]`);
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return special.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const record = (cells) => cells.map(cell).join(table.delimiter) + table.line;
  const parts = [table.marked ? "\ufeff" : "", record([...table.header, ...added(model)])];
  table.rows.forEach((row, k) => {
    const { prediction, scores } = answers[k];
    parts.push(record([...row, prediction, ...model.labels.map((label) => scores[label])]));
  });
  return new Blob(parts, { type: "text/csv;charset=utf-8" });
}

/** (N,) answers. Parts that are too large for this server are halved. */
async function answersOf(table, model, { signal, progress, waits }) {
  const places = model.columns.map((name) => [name, table.header.indexOf(name)]);
  const rows = table.rows.map((row) => Object.fromEntries(places.map(([name, k]) => [name, row[k]])));
  const answers = [];
  let most = ROWS;
  while (answers.length < rows.length) {
    let end = answers.length, size = 0;
    do size += places.reduce((sum, [name]) => sum + rows[end][name].length, 0);
    while (++end < rows.length && end - answers.length < most && size < CHARACTERS);
    const part = rows.slice(answers.length, end);
    try {
      answers.push(...(await ask("predict", { rows: part, model: model.id }, { signal, waits, tries: Infinity })).answers);
    } catch (error) {
      if (error.status === 413 && part.length > 1) { most = Math.ceil(part.length / 2); continue; }
      if (error instanceof Failure && error.status === 400) error.message = `rows ${answers.length + 1} to ${end}: ${error.message}`;
      throw error;
    }
    progress(answers.length);
  }
  return answers;
}

let stopper = null, address = "";

async function answerFile(file) {
  stopper?.abort();
  const mine = (stopper = new AbortController()), { signal } = mine;
  const model = models.find((one) => one.id === by("table-model").value), state = by("table-state"), bar = by("progress");
  by("table-error").textContent = "";
  state.replaceChildren();
  try {
    const table = tableOf(new Uint8Array(await file.arrayBuffer()), model), count = table.rows.length;
    Object.assign(bar, { max: count, value: 0, hidden: false });
    by("stop").hidden = false;
    const progress = (done) => { bar.value = done; state.textContent = `${done.toLocaleString("en")} of ${count.toLocaleString("en")} rows`; };
    const waits = (seconds) => { state.textContent = `The server is busy; asked again in ${seconds} s.`; };
    progress(0);
    const answers = await answersOf(table, model, { signal, progress, waits });
    URL.revokeObjectURL(address);
    address = URL.createObjectURL(written(table, model, answers));
    const link = made("a", "download", `Download ${file.name.replace(/\.[^.]*$/, "")}-answered.csv`);
    Object.assign(link, { href: address, download: link.textContent.slice("Download ".length) });
    state.replaceChildren(made("span", "", `${count.toLocaleString("en")} rows are answered. `), link);
    link.click();
  } catch (error) {
    if (mine !== stopper) return; // another file was chosen meanwhile
    state.textContent = signal.aborted ? "Stopped." : "";
    if (!signal.aborted) {
      if (!(error instanceof Failure)) throw error;
      by("table-error").textContent = `${file.name}: ${error.message}`;
    }
  } finally {
    if (mine === stopper) by("stop").hidden = bar.hidden = true;
    by("csv").value = ""; // the same file can be chosen again
  }
}

function needed() {
  const model = models.find((one) => one.id === by("table-model").value);
  by("columns").replaceChildren(...model.columns.flatMap((name, k) => [k ? " and " : "a column ", made("code", "", name)]));
}

by("table-model").addEventListener("change", needed);
by("csv").addEventListener("change", () => { if (by("csv").files.length) answerFile(by("csv").files[0]); });
by("stop").addEventListener("click", () => stopper?.abort());
// a file that misses its place must not replace the page
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  by("table").addEventListener(kind, () => by("table").classList.toggle("over", kind === "dragenter" || kind === "dragover"));
}
by("table").addEventListener("drop", (event) => { if (event.dataTransfer.files.length) answerFile(event.dataTransfer.files[0]); });
