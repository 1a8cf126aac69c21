// The rows of test as the data block has them, in columns; and what can be asked of one row.
const TEST = DATA.examples;
const NUMERIC = TEST.answers === null;
const LABELS = DATA.labels;
TEST.entries.forEach((entry, k) => { entry.name = BOARD.rows[k].name; });
const MANY_OFF = 0.75; // values have no right and wrong: the quarter with the largest errors counts as wrong

function size() { return TEST.ids.length; }

function labelsOf(answer) { return answer < 0 ? null : TEST.answers[answer]; }

function named(answer) {
  if (NUMERIC) return score(answer);
  const labels = labelsOf(answer);
  return labels === null ? "(no label)" : labels.length ? labels.map(label => LABELS[label]).join(", ") : "(none)";
}

function off(entry, row) {
  const said = TEST.entries[entry].said[row];
  return said === null ? Number.MAX_VALUE : Math.abs(said - TEST.truth[row]);
}

const LIMITS = new Map();
function limit(entry) { // the error above which a value counts as wrong
  if (!LIMITS.has(entry)) {
    const errors = TEST.ids.map((_, row) => off(entry, row)).sort((a, b) => a - b);
    LIMITS.set(entry, errors[Math.min(errors.length - 1, Math.floor(MANY_OFF * errors.length))]);
  }
  return LIMITS.get(entry);
}

function isRight(entry, row) {
  return NUMERIC ? off(entry, row) < limit(entry) : TEST.entries[entry].said[row] === TEST.truth[row];
}

function rightCount(row) { return TEST.entries.reduce((sum, _, entry) => sum + isRight(entry, row), 0); }

function disagree(row) { return TEST.entries.some(entry => entry.said[row] !== TEST.entries[0].said[row]); }
