// Differences on the same rows: all against one reference, and everyone against everyone.
const BOARD = DATA.standings;
const RANKED = BOARD.rows.filter(row => row.rank !== null);

function pairsOf(part, metric) { return (BOARD.pairs[part] ?? []).filter(pair => pair[2] === metric); }

// {rank, difference, low, high, p, adjusted} of every other row; difference = its value - the reference's.
function against(reference, part, metric) {
  const found = pairsOf(part, metric).filter(([a, b]) => a === reference || b === reference)
    .map(([a, b, , difference, low, high, p]) => a === reference
      ? { rank: b, difference: minus(difference), low: minus(high), high: minus(low), p }
      : { rank: a, difference, low, high, p });
  found.sort((one, other) => one.rank - other.rank);
  const adjusted = holm(found.map(one => one.p));
  return found.map((one, place) => ({ ...one, adjusted: adjusted[place] }));
}

function minus(value) { return value === null ? null : value === 0 ? 0 : -value; }

// "better", "worse" or "": of a difference that is shown.
function outcome(difference, adjusted, metric) {
  if (difference === null || adjusted === null || adjusted >= SHOWN_DIFFERENCE || difference === 0) return "";
  return difference > 0 === BOARD.higher[metric] ? "better" : "worse";
}

function whisker(one, widest) {
  const at = value => 50 + 50 * Math.max(-1, Math.min(1, value / widest));
  const line = el("i"), point = el("b"), [low, high] = [at(one.low), at(one.high)];
  line.style.left = `${low}%`;
  line.style.width = `${Math.max(high - low, 0.5)}%`;
  point.style.left = `${at(one.difference)}%`;
  return el("span", { class: "whisker", "aria-hidden": "true" }, line, point);
}

function drawDifferences() {
  const reference = Number(find("reference").value), part = find("difference-part").value;
  const metric = find("difference-metric").value;
  const found = against(reference, part, metric), names = new Map(RANKED.map(row => [row.rank, row.name]));
  const widest = Math.max(...found.flatMap(one => [Math.abs(one.low), Math.abs(one.high)]), 1e-9);
  const digits = decimals(widest);
  const lines = found.map(one => {
    const result = outcome(one.difference, one.adjusted, metric);
    return el("tr", { "data-rank": one.rank, class: result },
      el("td", { class: "words" }, names.get(one.rank)),
      el("td", {}, signed(one.difference, digits)),
      el("td", { class: "quiet" }, one.low === null ? NONE : `${signed(one.low, digits)} to ${signed(one.high, digits)}`),
      el("td", { class: "drawn" }, one.low === null ? "" : whisker(one, widest)),
      el("td", {}, chance(one.p)), el("td", {}, chance(one.adjusted)),
      el("td", { class: "words" }, result || "not shown"));
  });
  find("differences").tBodies[0].replaceChildren(...lines);
  const shownCount = found.filter(one => outcome(one.difference, one.adjusted, metric)).length;
  find("differences-said").textContent =
    `${shownCount} of ${found.length} rows are shown to differ from ${names.get(reference)} in ${part === "val" ? "validation" : part} ${metric}`;
}

function drawWins() {
  const part = find("wins-part").value, metric = find("wins-metric").value;
  const pairs = pairsOf(part, metric), adjusted = holm(pairs.map(pair => pair[6])), cells = new Map();
  pairs.forEach(([a, b, , difference], place) => {
    cells.set(`${a} ${b}`, [difference, adjusted[place]]);
    cells.set(`${b} ${a}`, [minus(difference), adjusted[place]]);
  });
  const digits = decimals(Math.max(...pairs.map(pair => Math.abs(pair[3])), 1e-9));
  const head = el("tr", {}, el("td"), ...RANKED.map(row => el("th", { scope: "col", class: "turned" }, el("span", {}, row.name))));
  const lines = RANKED.map(row => el("tr", {}, el("th", { scope: "row", class: "words" }, row.name),
    ...RANKED.map(other => {
      if (row === other) return el("td", { class: "self" });
      const [difference, p] = cells.get(`${row.rank} ${other.rank}`) ?? [null, null];
      const result = outcome(difference, p, metric);
      return el("td", { class: result, title: `${row.name} \u2212 ${other.name}: p after Holm ${chance(p)}` },
        signed(difference, digits), result ? el("span", { class: "said" }, ` ${result}`) : null);
    })));
  find("wins").replaceChildren(el("thead", {}, head), el("tbody", {}, ...lines));
}

function startDifferences() {
  const parts = Object.keys(BOARD.pairs).filter(part => BOARD.pairs[part].length);
  if (!parts.length || RANKED.length < 2) return;
  const usual = parts.includes("test") ? "test" : parts[0];
  const metrics = BOARD.metrics.filter(name => pairsOf(usual, name).length).map(name => [name, name]);
  const winner = RANKED.find(row => row.winner) ?? RANKED[0];
  choose(find("reference"), RANKED.map(row => [row.rank, row.name]), winner.rank);
  for (const name of ["difference", "wins"]) {
    choose(find(`${name}-part`), parts.map(part => [part, part === "val" ? "validation" : part]), usual);
    choose(find(`${name}-metric`), metrics, metrics[0][0]);
  }
  for (const id of ["reference", "difference-part", "difference-metric"]) find(id).addEventListener("change", drawDifferences);
  for (const id of ["wins-part", "wins-metric"]) find(id).addEventListener("change", drawWins);
  shown("pairs", true);
  drawDifferences();
  drawWins();
}
