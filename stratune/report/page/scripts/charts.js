// Curves with uPlot: lines of one x axis, colours of the page's theme, drawn when they are first seen.
const DRAWN = [];

// `lines`: {label, x, y, color, dash, points}; each has x of its own.
function curve(holder, { title, xLabel, yLabel, lines, range, diagonal }) {
  const make = () => {
    const width = Math.max(240, Math.min(holder.clientWidth || 380, 520)), ink = color("quiet"), faint = color("faint");
    const all = diagonal ? [{ label: "chance", x: [0, 1], y: [0, 1], color: "faint", dash: [4, 4] }, ...lines] : lines;
    const tables = all.map(line => [line.x, line.y]);
    const axis = label => ({ label, stroke: ink, grid: { stroke: faint, width: 1 }, ticks: { stroke: faint }, labelSize: 22, size: 44, font: "11px system-ui", labelFont: "12px system-ui" });
    const drawn = new uPlot({
      width, height: 250,
      scales: { x: { time: false, range: range ? () => range : undefined }, y: { range: range ? () => range : undefined } },
      axes: [{ ...axis(xLabel), size: 32 }, axis(yLabel)],
      cursor: { drag: { x: false, y: false } },
      series: [
        { label: xLabel, value: (_, value) => value === null ? NONE : score(value) },
        ...all.map(line => ({
          label: line.label, stroke: color(line.color), width: line.dash ? 1.5 : 2, dash: line.dash, spanGaps: true,
          points: { show: Boolean(line.points), size: 6 }, value: (_, value) => value === null || value === undefined ? NONE : score(value),
        })),
      ],
    }, all.length === 1 ? tables[0] : uPlot.join(tables), holder);
    const canvas = drawn.root.querySelector("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${title}: ${yLabel} by ${xLabel}`);
  };
  const again = () => { holder.replaceChildren(); make(); };
  DRAWN.push(again);
  again();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => DRAWN.forEach(again => again()));
