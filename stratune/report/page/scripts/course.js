// A long text chunk by chunk: what the prediction would be if the text ended there, and what each chunk moved.
const HARDLY = 0.001; // a change that nobody would see

// The pieces (turns) of a row that share characters with [start, end): [from, name, speaker, seconds].
function piecesWithin(row, start, end) {
  const all = TEST.pieces?.[row] ?? [];
  return all.filter((piece, k) => piece[0] < end && (all[k + 1]?.[0] ?? Infinity) > start);
}

function clock(seconds) {
  const whole = Math.floor(seconds), hours = Math.floor(whole / 3600), two = value => String(value).padStart(2, "0");
  return `${hours ? `${hours}:${two(Math.floor(whole / 60) % 60)}` : Math.floor(whole / 60)}:${two(whole % 60)}`;
}

// When a chunk begins, in seconds; null without times.
function secondsOf(row, chunk) {
  const timed = piecesWithin(row, chunk[0], chunk[1]).find(piece => piece[3] !== null);
  return timed ? timed[3] : null;
}

function whereOf(row, chunk, number) {
  const pieces = piecesWithin(row, chunk[0], chunk[1]), seconds = secondsOf(row, chunk);
  const speakers = [...new Set(pieces.map(piece => piece[2]).filter(Boolean))];
  const named = speakers.length > 3 ? [...speakers.slice(0, 3), `${speakers.length - 3} more`] : speakers;
  return [`chunk ${number + 1}`, ...(seconds === null ? [] : [clock(seconds)]), ...(named.length ? [named.join(", ")] : [])].join(" \u00b7 ");
}

// What each speaker's words moved: a chunk's share goes to its speakers by their characters.
function bySpeaker(row, course) {
  const all = TEST.pieces?.[row] ?? [], sums = new Map();
  for (const [start, end, change] of course)
    all.forEach((piece, k) => {
      const inside = Math.min(end, all[k + 1]?.[0] ?? end) - Math.max(start, piece[0]);
      if (inside > 0 && piece[2]) sums.set(piece[2], (sums.get(piece[2]) ?? 0) + change * inside / (end - start));
    });
  return [...sums].sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
}

// The places of the `count` values that are farthest from 0.
function largest(values, count) {
  return values.map((_, k) => k).filter(k => values[k]).sort((a, b) => Math.abs(values[b]) - Math.abs(values[a])).slice(0, count);
}

function bar(change, most) {
  const made = el("span", { class: `moved ${change < 0 ? "against" : "for"}`, "aria-hidden": "true" }, el("i"));
  made.firstChild.style.width = `${most ? Math.round(100 * Math.abs(change) / most) : 0}%`;
  return made;
}

function drawCourse(holder, row, course, subject) {
  const seconds = course.map(chunk => secondsOf(row, chunk)), timed = seconds.every(one => one !== null);
  const x = timed ? seconds.map(one => one / 60) : course.map(chunk => chunk[1] / 1000);
  const rising = x.every((value, k) => k === 0 || value > x[k - 1]);
  const line = { label: subject, x: rising ? x : course.map((_, k) => k + 1), y: course.map(chunk => chunk[3]), color: "link", points: true };
  curve(holder, { title: "the prediction so far", xLabel: !rising ? "chunks" : timed ? "minutes" : "thousand characters", yLabel: subject, lines: [line] });
}

function chunkItem(row, chunk, number, most, strongest) {
  const text = TEST.texts?.[row] ?? "", inside = text.slice(chunk[0], chunk[1]);
  const said = inside === "" ? null : el(strongest ? "mark" : "span", {}, inside.trim());
  return el("li", { "data-chunk": number, class: strongest ? "strongest" : null },
    el("p", { class: "quiet small" }, el("bdi", {}, whereOf(row, chunk, number)), " ", bar(chunk[2], most), ` ${signed(chunk[2], 3)} \u00b7 so far ${score(chunk[3])}`),
    said && el("p", { class: "text", dir: "auto" }, said));
}

// The part of a card that opens; null where this strategy reads texts whole.
function courseOf(entry, row) {
  const course = TEST.entries[entry].course?.[row];
  if (!course || course.length < 2) return null;
  const said = TEST.entries[entry].said[row], subject = NUMERIC ? "predicted value" : `probability of ${named(said)}`;
  const made = el("details", { class: "course" }, el("summary", {}, "what moved the prediction, chunk by chunk"));
  made.addEventListener("toggle", () => { // built when asked for, and drawn at its real width
    if (made.childElementCount > 1) return;
    const holder = el("div", { class: "curve" }), most = Math.max(...course.map(chunk => Math.abs(chunk[2]))), alone = most >= HARDLY;
    const strongest = new Set(largest(alone ? course.map(chunk => chunk[2]) : course.map((chunk, k) => k ? chunk[3] - course[k - 1][3] : 0), 3));
    const speakers = bySpeaker(row, course);
    made.append(...[
      el("p", { class: "quiet small" }, `The curve: the ${NUMERIC ? "value" : "probability"} predicted if the text ended there. A chunk's number: what the prediction loses without it; below zero, the chunk speaks against it.`),
      alone ? null : el("p", { class: "small" }, "No chunk decides alone: without any one of them the prediction stays. Marked is where the curve moves most."),
      holder].filter(Boolean));
    if (speakers.length > 1 && alone) made.append(el("table", { class: "speakers" },
      el("caption", { class: "quiet" }, "By speaker: the chunks' numbers, shared by characters"),
      el("tbody", {}, ...speakers.slice(0, 12).map(([name, sum]) => el("tr", {}, el("th", { scope: "row", class: "words" }, el("bdi", {}, name)), el("td", {}, signed(sum)))))));
    made.append(el("ol", { class: "chunks" }, ...course.map((chunk, k) => chunkItem(row, chunk, k, alone ? most : 0, strongest.has(k)))));
    drawCourse(holder, row, course, subject);
  });
  return made;
}
