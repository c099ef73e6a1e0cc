/** Draws an index by weights in constant time. Source: M. D. Vose, A Linear Algorithm for Generating Random Numbers with a Given Distribution (1991). */
export interface Alias {
  /** `random` is from 0 to below 1. */
  draw(random: number): number;
}

/** Makes one for weights with a mean of 1. */
export function aliasOf(weights: readonly number[]): Alias {
  const size = weights.length;
  if (weights.every((weight) => weight === weights[0])) return { draw: (random) => Math.floor(random * size) };
  const left = Float64Array.from(weights);
  const keep = new Float64Array(size).fill(1);
  const other = new Uint32Array(size);
  const small: number[] = [];
  const large: number[] = [];
  for (let index = 0; index < size; index++) (weights[index] as number) < 1 ? small.push(index) : large.push(index);
  while (small.length > 0 && large.length > 0) {
    const less = small.pop() as number;
    const more = large.at(-1) as number;
    keep[less] = left[less] as number;
    other[less] = more;
    left[more] = (left[more] as number) - (1 - (left[less] as number));
    if ((left[more] as number) < 1) small.push(large.pop() as number);
  }
  return {
    draw(random) {
      const place = random * size;
      const index = Math.floor(place);
      return place - index < (keep[index] as number) ? index : (other[index] as number);
    },
  };
}
