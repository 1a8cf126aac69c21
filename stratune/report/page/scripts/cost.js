// Cost against quality: a point a row, the Pareto front, names that cover neither each other nor a point.
const SVG = "http://www.w3.org/2000/svg";
const UNITS = {
  train_seconds: value => value < 99.5 ? `${+value.toPrecision(2)} s` : value < 5970 ? `${+(value / 60).toPrecision(2)} min` : `${+(value / 3600).toPrecision(2)} h`,
  peak_bytes: bytes, artifact_bytes: bytes, trainable_params: value => scaled(value, ["", "k", "M", "G"]),
  predict_rows_per_second: value => scaled(value, ["", "k", "M"]),
};
const MORE_IS_CHEAPER = new Set(["predict_rows_per_second"]);
const SPOTS = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [1, -1], [-1, 1], [-1, -1]];

function bytes(value) { return scaled(value, ["B", "kB", "MB", "GB", "TB"]); }
function scaled(value, units) {
  let power = 0;
  while (Math.abs(value) >= 999.5 && power < units.length - 1) { value /= 1000; power += 1; }
  return `${+value.toPrecision(2)} ${units[power]}`.trim();
}

function svg(tag, attributes = {}, text = null) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== null) made.textContent = text;
  return made;
}

// Points that no other beats in one of cost and quality without losing in the other, cheapest first.
function paretoFront(points, cheaper, better) {
  const order = [...points].sort((a, b) => cheaper(a.cost, b.cost) || better(a.value, b.value));
  const front = [];
  for (const point of order) if (!front.length || better(point.value, front.at(-1).value) < 0) front.push(point);
  return front;
}

function ticks(low, high, count, log) {
  if (log) {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) found.push(10 ** power);
    return found.filter(value => value >= low * 0.999 && value <= high * 1.001);
  }
  const rough = (high - low) / count, size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(one => one * size).find(one => one >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) found.push(+value.toPrecision(12));
  return found;
}

function overlap(a, b) {
  return Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
}

// Each name in the first free spot around its point, else in the one that covers least.
function placeNames(picture, points, frame) {
  const taken = points.map(({ x, y }) => [x - 6, y - 6, x + 6, y + 6]);
  for (const point of [...points].sort((a, b) => b.y - a.y)) {
    const name = svg("text", { class: point.row.winner ? "name chosen" : "name" }, point.row.name);
    picture.append(name);
    const box = name.getBBox(), width = box.width + 2, height = 14;
    let best = null;
    for (const far of [1, 1.9, 3, 4.5]) {
      for (const [across, down] of SPOTS) {
        const left = point.x + (across > 0 ? 9 * far : across < 0 ? -9 * far - width : -width / 2);
        const top = point.y + (down === 0 ? -height / 2 : down > 0 ? 8 * far : -8 * far - height);
        const spot = [left, top, left + width, top + height];
        const outside = left < frame[0] || top < frame[1] || spot[2] > frame[2] || spot[3] > frame[3];
        const cover = taken.reduce((sum, other) => sum + overlap(spot, other), outside ? 1e6 : 0);
        if (best === null || cover < best.cover) best = { cover, spot, far };
      }
      if (best.cover === 0) break;
    }
    const [left, top, right, bottom] = best.spot;
    name.setAttribute("x", left);
    name.setAttribute("y", top + 11);
    if (best.far > 1.5) {
      const [endX, endY] = [Math.max(left, Math.min(point.x, right)), Math.max(top, Math.min(point.y, bottom))];
      picture.prepend(svg("line", { x1: point.x, y1: point.y, x2: endX, y2: endY, class: "lead" }));
    }
    taken.push(best.spot);
  }
}

function drawCost() {
  const cost = find("cost-axis").value, metric = find("cost-metric").value, logBase = cost === "train_seconds" ? 0.1 : 1;
  const points = BOARD.rows.filter(row => row.costs[cost] !== null && row.test[metric] !== undefined)
    .map(row => ({ row, cost: Math.max(row.costs[cost], logBase), value: row.test[metric] }));
  const holder = find("cost"), width = Math.max(300, Math.min(holder.clientWidth || 860, 1100)), height = width < 520 ? 320 : 400;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  holder.replaceChildren(picture);
  if (!points.length) return;
  const costs = points.map(point => point.cost), values = points.map(point => point.value);
  const [low, high] = [Math.min(...costs), Math.max(...costs)], log = high / low > 8;
  const move = log ? Math.log10 : value => value;
  const padX = (move(high) - move(low)) * 0.08 || 1, padY = (Math.max(...values) - Math.min(...values)) * 0.12 || 0.1;
  const [left, top, right, bottom] = [56, 12, width - 14, height - 44];
  const [x0, x1, y0, y1] = [move(low) - padX, move(high) + padX, Math.min(...values) - padY, Math.max(...values) + padY];
  const atX = value => left + (right - left) * (move(value) - x0) / (x1 - x0);
  const atY = value => bottom - (bottom - top) * (value - y0) / (y1 - y0);
  const back = log ? value => 10 ** value : value => value;
  for (const value of ticks(back(x0), back(x1), 5, log)) {
    picture.append(svg("line", { x1: atX(value), x2: atX(value), y1: top, y2: bottom, class: "grid" }),
      svg("text", { x: atX(value), y: bottom + 16, class: "tick", "text-anchor": "middle" }, UNITS[cost](value)));
  }
  for (const value of ticks(y0, y1, 5, false)) {
    picture.append(svg("line", { x1: left, x2: right, y1: atY(value), y2: atY(value), class: "grid" }),
      svg("text", { x: left - 7, y: atY(value) + 4, class: "tick", "text-anchor": "end" }, +value.toPrecision(6)));
  }
  const cheaper = MORE_IS_CHEAPER.has(cost) ? (a, b) => b - a : (a, b) => a - b;
  const better = BOARD.higher[metric] ? (a, b) => b - a : (a, b) => a - b;
  const front = paretoFront(points, cheaper, better);
  for (const point of points) Object.assign(point, { x: atX(point.cost), y: atY(point.value) });
  if (front.length > 1) {
    const path = front.map((point, k) => k ? `H${point.x}V${point.y}` : `M${point.x},${point.y}`).join("");
    picture.append(svg("path", { d: path, class: "front" }));
  }
  for (const { x, y, row } of points) {
    const on = front.some(point => point.row === row);
    picture.append(svg("circle", { cx: x, cy: y, r: on ? 6 : 5, class: `${on ? "on" : "off"}${row.winner ? " chosen" : ""}` }));
  }
  picture.append(svg("text", { x: (left + right) / 2, y: height - 6, class: "axis", "text-anchor": "middle" }, `${BOARD.costs[cost]}${log ? " (log scale)" : ""}`));
  placeNames(picture, points, [left, top, right, bottom]);
  const names = front.map(point => point.row.name).join(", ");
  picture.setAttribute("aria-label", `test ${metric} against ${BOARD.costs[cost]}; no row is both cheaper and better than: ${names}`);
  find("cost-said").textContent = `On the front (no row is both cheaper and better): ${names}.`;
}

function startCost() {
  const kinds = Object.keys(BOARD.costs).filter(key => BOARD.rows.filter(row => row.costs[key] !== null).length > 1);
  if (!kinds.length) return;
  shown("cost-part", true);
  choose(find("cost-axis"), kinds.map(key => [key, BOARD.costs[key]]), kinds[0]);
  choose(find("cost-metric"), BOARD.metrics.map(name => [name, name]));
  for (const id of ["cost-axis", "cost-metric"]) find(id).addEventListener("change", drawCost);
  window.addEventListener("resize", drawCost);
  drawCost();
}
