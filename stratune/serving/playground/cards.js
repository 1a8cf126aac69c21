// -- a model's answer

const shown = (number) => (number === null ? "none" : Math.abs(number) >= 1000 ? number.toFixed(0) : Number(number.toPrecision(4)).toString());
const signed = (number) => (number === null ? "none" : (number > 0 ? "+" : number < 0 ? "\u2212" : "") + Math.abs(number).toFixed(3));

class Card {
  constructor(model, body, signal) {
    Object.assign(this, { model, body, signal });
    this.state = made("p", "quiet", "…");
    this.why = made("div");
    this.all = made("section", "card", null, made("h3", "model", model.id));
    const how = [model.strategy, model.backbone].filter((one) => one && one !== model.id).join(" · ");
    if (how) this.all.append(made("p", "how quiet", how));
    this.all.append(this.state);
    this.all.setAttribute("aria-label", model.id);
    this.waits = (seconds) => { this.state.textContent = `The server is busy; asked again in ${seconds} s.`; };
  }

  /** What `asking` gives; an error is a line on the card. */
  async tried(asking) {
    try { await asking(); } catch (error) {
      if (this.signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      this.state.className = "bad";
      this.state.textContent = error.message;
    }
  }

  ask(path) { return ask(path, this.body, { signal: this.signal, waits: this.waits }); }

  async fill() {
    await this.tried(async () => {
      const found = await this.ask("predict");
      this.state.textContent = "";
      this.all.append(...answered(found, this.model), this.why);
      const said = found.prediction === null || found.prediction === "" ? "no answer" : found.prediction;
      by("announced").textContent += `${this.model.id}: ${typeof said === "number" ? shown(said) : said}. `;
    });
    if (this.state.textContent || this.signal.aborted || !by("explain").checked) return;
    if (!this.model.paid) return this.explain();
    // each of up to 65 texts is asked of a server that is paid: not without a click
    const button = made("button", "", "Which words decided? (asks its server up to 65 texts)");
    button.type = "button";
    button.addEventListener("click", () => { button.remove(); this.explain(); });
    this.why.append(button);
  }

  async explain() {
    this.state.className = "quiet";
    this.state.textContent = "Which words decided…";
    await this.tried(async () => {
      const found = await this.ask("explain");
      this.why.append(...explained(found, this.body));
      this.state.textContent = "";
    });
  }
}

/** The answer, and a bar for each label. */
function answered(found, model) {
  const said = found.prediction, parts = [];
  const top = said === null || said === "" ? "(no answer)" : typeof said === "number" ? shown(said) : said;
  parts.push(made("p", "answer", top));
  const given = model.kind === "multilabel" ? String(said ?? "").split(",") : [said];
  const labels = model.labels.filter((label) => found.scores[label] !== null && found.scores[label] !== undefined);
  const first = (label) => (model.kind !== "multilabel" && given.includes(label) ? 1 : 0);
  labels.sort((a, b) => first(b) - first(a) || found.scores[b] - found.scores[a]);
  const bars = made("ol", "bars");
  for (const label of labels.slice(0, LABELS)) {
    const score = found.scores[label], is = given.includes(label), fill = made("i");
    fill.style.width = `${100 * Math.min(1, Math.max(0, score))}%`;
    const name = made("span", is ? "name given" : "name", is && model.kind === "multilabel" ? `\u2713 ${label}` : label);
    name.title = label;
    const track = made("span", "track", null, fill);
    track.setAttribute("aria-hidden", "true");
    bars.append(made("li", "", null, name, track, made("span", "number", score.toFixed(3))));
  }
  if (labels.length) parts.push(bars);
  if (labels.length > LABELS) parts.push(made("p", "quiet", `and ${labels.length - LABELS} labels more`));
  if (found.tokens_cut) parts.push(made("p", "warn", `${found.tokens_cut} tokens did not fit and were not read.`));
  if (found.answer !== undefined) parts.push(details("What the model wrote", made("pre", "", found.answer)));
  return parts;
}

function details(summary, inside) { return made("details", "", null, made("summary", "", summary), inside); }

const METHODS = {
  shapley: "Exact: Shapley values over all subsets of the words.",
  occlusion: "What the score loses without them (occlusion).",
};

/** The text with its words shaded, the same as numbers, the chunks that decided, and the prompt. */
function explained(found, body) {
  const parts = [], what = found.of === null ? "the value" : found.of;
  if (found.words.some((word) => word.change !== null)) {
    const most = Math.max(...found.words.map((word) => Math.abs(word.change ?? 0)), 1e-9);
    const legend = made("p", "legend quiet", "");
    legend.append(made("span", "for", `for ${what}`), " ", made("span", "against", found.of === null ? "lowers it" : "against it"), ` ${METHODS[found.method]}`);
    if (found.of === null) legend.querySelector(".for").textContent = "raises the value";
    parts.push(made("h4", "", "Which words decided"), legend);
    for (const column of ["text", "pair"]) {
      const words = found.words.filter((word) => (word.column ?? "text") === column);
      if (words.length) parts.push(shaded(body[column], words, most));
    }
    const order = [...found.words].sort((a, b) => Math.abs(b.change ?? 0) - Math.abs(a.change ?? 0));
    const rows = order.map((word) => made("tr", "", null, made("td", "", word.text), made("td", "", signed(word.change))));
    const head = made("tr", "", null, made("th", "", "Words"), made("th", "", found.of === null ? "Value" : "Probability"));
    parts.push(details("As numbers", made("table", "changes", null, made("thead", "", null, head), made("tbody", "", null, ...rows))));
  } else if (found.words.length) parts.push(made("p", "quiet", "The model gives no score that words could change."));
  if (found.chunks?.length) {
    const items = found.chunks.map((chunk) => made("li", "", null, made("p", "", chunk.text), made("span", "quiet", signed(chunk.score))));
    parts.push(made("h4", "", "Which chunks decided"), made("ol", "chunks", null, ...items));
  }
  if (found.prompt !== undefined) parts.push(details("The prompt that was asked", made("pre", "", found.prompt)));
  return parts;
}

function shaded(text, words, most) {
  const characters = Array.from(text); // the server counts code points, a string here UTF-16 units
  const read = made("p", "read"), cut = (from, to) => characters.slice(from, to).join("");
  let at = 0;
  for (const word of words) {
    read.append(cut(at, word.start));
    const share = Math.abs(word.change ?? 0) / most;
    const span = made("span", share < 0.02 ? "" : word.change > 0 ? "for" : "against", cut(word.start, word.end));
    if (span.className) span.style.setProperty("--share", share.toFixed(3));
    span.title = signed(word.change);
    read.append(span);
    at = word.end;
  }
  read.append(cut(at));
  read.tabIndex = 0; // it may scroll
  return read;
}
