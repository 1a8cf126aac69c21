// Words that mark the errors: log odds with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008).
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}'\u2019-]*/gu;
const PRIOR = 500; // words: what all rows together say, before wrong and right are compared

function wordsOf(row) {
  const text = TEST.pairs ? `${TEST.texts[row]} ${TEST.pairs[row]}` : TEST.texts[row];
  return new Set(text.toLowerCase().match(WORD) ?? []); // rows that have it: one row that repeats it counts once
}

function counted(rows) {
  const counts = new Map();
  for (const row of rows) for (const word of wordsOf(row)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

// [{word, wrong, right, z}], the strongest mark first; z of the difference of log odds.
function marks(wrongRows, rightRows) {
  const wrong = counted(wrongRows), right = counted(rightRows);
  const sum = counts => [...counts.values()].reduce((total, count) => total + count, 0);
  const wrongSum = sum(wrong), rightSum = sum(right), total = wrongSum + rightSum, found = [];
  for (const [word, inWrong] of wrong) {
    const inRight = right.get(word) ?? 0, prior = PRIOR * (inWrong + inRight) / total;
    if (inWrong < 2) continue;
    const odds = (count, all) => Math.log((count + prior) / (all + PRIOR - count - prior));
    const z = (odds(inWrong, wrongSum) - odds(inRight, rightSum)) / Math.sqrt(1 / (inWrong + prior) + 1 / (inRight + prior));
    found.push({ word, wrong: inWrong, right: inRight, z });
  }
  return found.sort((a, b) => b.z - a.z || (a.word < b.word ? -1 : 1));
}
