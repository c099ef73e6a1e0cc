/** How many single letters have to be changed, added or left out to make one word of the other, regardless of case. */
function distance(from: string, to: string): number {
  const [a, b] = [from.toLowerCase(), to.toLowerCase()];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) current.push(Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** What of `known` may be meant by `word`: one that ends with it or begins with it, else the one closest to it; undefined if none is close. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  if (lower === '') return undefined;
  const parts = known.filter((each) => each.toLowerCase().endsWith(lower) || each.toLowerCase().startsWith(lower));
  if (parts.length === 1) return parts[0];
  const ranked = known.map((each) => ({ each, cost: distance(word, each) })).sort((a, b) => a.cost - b.cost);
  const [best] = ranked;
  return best && best.cost <= Math.max(2, Math.floor(word.length / 3)) ? best.each : undefined;
}

/** ` Did you mean "…"?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? '' : ` Did you mean "${near}"?`;
}
