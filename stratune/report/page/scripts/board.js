// The leaderboard: sort by a column, best first at the first click; choose columns; intervals or not.
const SHOWN_DIFFERENCE = 0.05; // of an adjusted p: below it a difference counts as shown

function sortBoard(head) {
  const row = head.parentElement, column = [...row.cells].indexOf(head), first = head.dataset.best;
  const now = head.getAttribute("aria-sort");
  const order = now === first ? (first === "ascending" ? "descending" : "ascending") : first;
  for (const other of row.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const turn = order === "ascending" ? 1 : -1;
  const key = line => {
    const cell = line.cells[column], text = cell.dataset.value ?? cell.textContent.trim();
    return text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
  };
  const compare = (a, b) => {
    if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1; // what was not measured comes last
    return turn * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  };
  const body = find("board").tBodies[0];
  body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b))));
}

function showColumn(column, is) {
  for (const row of find("board").rows) row.cells[column].hidden = !is;
}

function showIntervals(is) {
  const board = find("board");
  board.classList.toggle("bare", !is);
  for (const cell of board.querySelectorAll("td[data-interval]")) {
    if (is) cell.removeAttribute("tabindex"); // it is in the cell
    else cell.tabIndex = 0; // focus shows it
  }
}

function startBoard() {
  const heads = [...find("board").tHead.rows[0].cells];
  for (const head of heads) head.querySelector("button").addEventListener("click", () => sortBoard(head));
  const boxes = heads.map((head, column) => {
    if (column < 2) return null; // rank and strategy stay
    const box = el("input", { type: "checkbox", change: () => showColumn(column, box.checked) });
    box.checked = !head.hidden;
    return el("label", {}, box, ` ${head.textContent.trim()}`);
  });
  find("columns").replaceChildren(...boxes.filter(Boolean));
  const box = find("intervals");
  box.checked = window.innerWidth > 800;
  box.addEventListener("change", () => showIntervals(box.checked));
  showIntervals(box.checked);
  shown("board-tools", true);
}
