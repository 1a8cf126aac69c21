// Holm's step-down correction within one family (Holm 1979), as evaluate/multiple.py computes it. null stays.
function holm(values) {
  const known = values.map((p, place) => [p, place]).filter(([p]) => p !== null).sort((a, b) => a[0] - b[0]);
  const adjusted = values.map(() => null);
  let largest = 0;
  known.forEach(([p, place], before) => {
    largest = Math.max(largest, Math.min(1, (known.length - before) * p));
    adjusted[place] = largest;
  });
  return adjusted;
}
