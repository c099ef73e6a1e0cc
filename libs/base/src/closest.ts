/** How many letters have to be inserted, removed, replaced or swapped with the next one to make `a` of `b`, case aside (Damerau's distance). */
function distance(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let least = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last.at(-1) ?? 0;
}

/** The one of `names` that `name` was most likely meant to be: it differs in a third of its letters at most. Undefined if none is near. */
export function closest(name: string, names: Iterable<string>): string | undefined {
  let best: { readonly name: string; readonly far: number } | undefined;
  for (const candidate of names) {
    const far = distance(name, candidate);
    if (far <= Math.max(name.length, candidate.length) / 3 && (!best || far < best.far)) best = { name: candidate, far };
  }
  return best?.name;
}
