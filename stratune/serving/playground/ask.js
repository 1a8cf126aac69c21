// Whatever comes of users and of models becomes text: `made` sets textContent, and nothing sets innerHTML.
const LABELS = 10; // shown of each answer, the likeliest first
const AT_ONCE = 4; // models that are asked where nobody has chosen
const ROWS = 200, CHARACTERS = 500000; // of one request for a file
const TRIES = 20; // for a text, while the queue of the server is full
const by = (id) => document.getElementById(id);
let models = [], key = "", asking = new AbortController();

function made(tag, name = "", text = null, ...inside) {
  const found = document.createElement(tag);
  if (name) found.className = name;
  if (text !== null) found.textContent = text;
  found.append(...inside);
  return found;
}

// -- the server

class Failure extends Error {
  constructor(message, status) { super(message); this.status = status; }
}

const pause = (seconds, signal) => new Promise((done, stop) => {
  const timer = setTimeout(done, 1000 * seconds);
  signal?.addEventListener("abort", () => { clearTimeout(timer); stop(signal.reason); }, { once: true });
});

/** The JSON at an address of this server. While its queue is full, it waits as long as the server says. */
async function ask(path, body, { signal, waits = () => {}, tries = TRIES } = {}) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const how = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  for (let turn = 1; ; turn++) {
    let response;
    try {
      response = await fetch(path, { ...how, headers, signal, cache: "no-store" });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Failure("the server does not answer", 0);
    }
    if (response.status === 429 && turn < tries) {
      const seconds = Number(response.headers.get("Retry-After")) || 1;
      waits(seconds);
      await pause(seconds, signal);
      continue;
    }
    const text = await response.text();
    let found;
    try { found = JSON.parse(text); } catch { throw new Failure(`${response.status}: no JSON came back`, response.status); }
    if (response.ok) return found;
    if (response.status === 401) askForKey();
    throw new Failure(found?.error?.message ?? `the server said ${response.status}`, response.status);
  }
}

function askForKey() {
  by("failed").textContent = key ? "The server does not take this key." : "";
  key = "";
  by("key-form").hidden = false;
  by("all").hidden = true;
  by("docs").hidden = true; // a link brings no key
  by("key").focus();
}

async function start() {
  try {
    models = (await ask("v1/models")).data;
    by("key-form").hidden = true;
    by("failed").textContent = "";
    by("all").hidden = false;
    setUp();
  } catch (error) {
    if (error.status !== 401) by("failed").textContent = error.message;
  }
  document.documentElement.dataset.ready = "yes";
}

// -- the form

function setUp() {
  by("models").replaceChildren(by("models").querySelector("legend"));
  by("table-model").replaceChildren();
  models.forEach((model, k) => {
    const box = made("input");
    Object.assign(box, { type: "checkbox", value: model.id, checked: k < AT_ONCE });
    box.addEventListener("change", fit);
    by("models").append(made("label", "check", null, box, model.id));
    const option = made("option", "", model.id);
    option.value = model.id;
    by("table-model").append(option);
  });
  by("models").hidden = by("table-model-field").hidden = models.length < 2;
  fit();
  needed();
  by("text").focus({ preventScroll: true });
}

function chosen() {
  const names = [...by("models").querySelectorAll("input:checked")].map((box) => box.value);
  return models.filter((model) => names.includes(model.id));
}

/** Fields that suit the models which are chosen, named as their columns. */
function fit() {
  const asked = chosen();
  for (const [k, id, name] of [[0, "text-label", "Text"], [1, "pair-label", "Second text"]]) {
    const names = [...new Set(asked.map((model) => model.columns[k]).filter(Boolean))];
    by(id).textContent = names.length === 1 && names[0] !== "text" ? `${name} (${names[0]})` : name;
  }
  by("pair-field").hidden = !asked.some((model) => model.pairs);
}

async function answer() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking, asked = chosen(), text = by("text").value;
  by("error").textContent = !asked.length ? "Choose a model." : text.trim() ? "" : "Type a text first.";
  if (by("error").textContent) return;
  by("cards").replaceChildren();
  by("announced").textContent = "";
  await Promise.all(asked.map((model) => {
    const card = new Card(model, { text, ...(model.pairs && { pair: by("pair").value }), model: model.id }, signal);
    by("cards").append(card.all);
    return card.fill();
  }));
  if (!signal.aborted) by("cards").dataset.done = String(Number(by("cards").dataset.done ?? 0) + 1);
}

// -- what is typed and clicked

by("ask").addEventListener("submit", (event) => { event.preventDefault(); answer(); });
by("ask").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); answer(); }
});
by("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key = by("key").value.trim();
  by("key").value = "";
  start();
});
