// What the form of the error browser asks for: a test of one row, and an order.
const FIELDS = ["strategy", "other", "result", "truth", "said", "group", "spread", "sure-from", "sure-to", "words-from", "words-to", "search", "order"];

function asked() {
  const value = Object.fromEntries(FIELDS.map(name => [name, find(`f-${name}`).value]));
  const number = (name, none) => value[name] === "" ? none : Number(value[name]);
  return {
    entry: Number(value.strategy),
    other: value.other === "" ? null : Number(value.other),
    result: value.result,
    truth: value.truth === "" ? null : Number(value.truth),
    said: value.said === "" ? null : Number(value.said),
    group: value.group === "" ? null : value.group,
    spread: value.spread,
    sure: [number("sure-from", 0), number("sure-to", 1)],
    words: [number("words-from", 0), number("words-to", Infinity)],
    search: value.search.trim().toLowerCase(),
    order: value.order,
  };
}

const RESULTS = {
  any: () => true,
  wrong: (entry, row) => !isRight(entry, row),
  right: (entry, row) => isRight(entry, row),
  invalid: (entry, row) => TEST.entries[entry].said[row] === (NUMERIC ? null : -1),
};
const SPREADS = {
  any: () => true,
  some: (entry, row) => disagree(row),
  none: (entry, row) => !disagree(row),
  all_wrong: (entry, row) => rightCount(row) === 0,
  only_wrong: (entry, row) => !isRight(entry, row) && rightCount(row) === TEST.entries.length - 1,
  only_right: (entry, row) => isRight(entry, row) && rightCount(row) === 1,
};
const BOTH = {
  both_right: (a, b) => a && b, only_first: (a, b) => a && !b, only_second: (a, b) => !a && b, both_wrong: (a, b) => !a && !b,
};

// All but right and wrong, which words and counts are compared by.
function fits(ask, row) {
  const { said, sure } = TEST.entries[ask.entry];
  if (ask.truth !== null && !labelsOf(TEST.truth[row])?.includes(ask.truth)) return false;
  if (ask.said !== null && !labelsOf(said[row])?.includes(ask.said)) return false;
  if (ask.group !== null && TEST.groups[row] !== ask.group) return false;
  if (sure !== null && (ask.sure[0] > 0 || ask.sure[1] < 1) && (sure[row] === null || sure[row] < ask.sure[0] || sure[row] > ask.sure[1])) return false;
  if (TEST.words !== null && (TEST.words[row] < ask.words[0] || TEST.words[row] > ask.words[1])) return false;
  if (ask.search && !searched(row).includes(ask.search)) return false;
  return SPREADS[ask.spread](ask.entry, row);
}

function searched(row) {
  return `${TEST.ids[row]}\n${TEST.texts ? TEST.texts[row] : ""}\n${TEST.pairs ? TEST.pairs[row] : ""}`.toLowerCase();
}

function passes(ask, row) {
  if (ask.result in BOTH) return ask.other !== null && BOTH[ask.result](isRight(ask.entry, row), isRight(ask.other, row));
  return RESULTS[ask.result](ask.entry, row);
}

function ordered(rows, ask) {
  const sure = TEST.entries[ask.entry].sure;
  const keys = {
    sure: row => -(sure ? sure[row] ?? -1 : off(ask.entry, row)),
    unsure: row => sure ? sure[row] ?? -1 : off(ask.entry, row),
    hard: row => rightCount(row),
    long: row => TEST.words ? -TEST.words[row] : 0,
    file: row => row,
  };
  const key = keys[ask.order];
  return rows.map(row => [key(row), row]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(pair => pair[1]);
}
