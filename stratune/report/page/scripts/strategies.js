// Curves of a strategy, drawn when its part is opened; copying; and opening everything for print.
function drawCurves(part) {
  const own = Number(part.dataset.entry), found = DATA.curves[own], name = BOARD.rows[own].name;
  const other = BOARD.rows.findIndex(row => row.winner), chosen = other >= 0 && other !== own ? DATA.curves[other] : null;
  const lines = key => [
    ...(chosen?.[key] ? [{ label: BOARD.rows[other].name, x: chosen[key].x, y: chosen[key].y, color: "quiet", dash: [6, 4] }] : []),
    { label: name, x: found[key].x, y: found[key].y, color: "link", points: key === "learning" || key === "reliability" },
  ];
  const kinds = {
    learning: { title: "Learning", xLabel: "epoch", yLabel: `validation ${BOARD.metric}` },
    roc: { title: "ROC", xLabel: "false positive rate", yLabel: "true positive rate", range: [0, 1], diagonal: true },
    pr: { title: "Precision and recall", xLabel: "recall", yLabel: "precision", range: [0, 1] },
    reliability: { title: "Reliability", xLabel: "confidence", yLabel: "share that is right", range: [0, 1], diagonal: true },
  };
  for (const holder of part.querySelectorAll("[data-curve]")) {
    if (holder.childElementCount) continue;
    const key = holder.dataset.curve;
    curve(holder, { ...kinds[key], title: `${kinds[key].title} of ${name}`, lines: lines(key) });
  }
}

function startStrategies() {
  for (const part of document.querySelectorAll("details[data-entry]")) {
    part.addEventListener("toggle", () => { if (part.open) drawCurves(part); });
    if (part.open) drawCurves(part);
  }
}

function copyable(button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = find(button.dataset.copy).textContent;
    let done = true;
    try { await navigator.clipboard.writeText(text); } catch { // an older browser, or a page from a file
      const range = document.createRange();
      range.selectNodeContents(find(button.dataset.copy));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "copied" : "press Ctrl+C";
    setTimeout(() => { button.textContent = "copy"; }, 2000);
  });
}

let closed = [];
window.addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details[data-entry]:not([open])")];
  for (const part of closed) { part.open = true; drawCurves(part); }
});
window.addEventListener("afterprint", () => closed.forEach(part => { part.open = false; }));

document.querySelectorAll("button[data-copy]").forEach(copyable);
for (const start of [startBoard, startDifferences, startCost, startExamples, startStrategies]) start();
document.documentElement.dataset.ready = "yes";
