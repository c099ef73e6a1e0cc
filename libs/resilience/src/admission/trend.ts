/** Whether one quantity grows with another. */
export interface Trend {
  /** One more observation of both. */
  add(x: number, y: number): void;
  /** By how many percent `y` grows for each percent of `x`: about 0 where it does not, 1 where it does so in proportion. Undefined while `x` hardly differs. */
  readonly elasticity: number | undefined;
}

/** Remembers about the last `span` observations. */
export function trend(span: number): Trend {
  let weight = 0;
  let x1 = 0;
  let y1 = 0;
  let xx = 0;
  let xy = 0;
  return {
    add(x, y) {
      // The first ones count alike.
      weight = Math.min(weight + 1, span);
      const step = 1 / weight;
      x1 += (x - x1) * step;
      y1 += (y - y1) * step;
      xx += (x * x - xx) * step;
      xy += (x * y - xy) * step;
    },
    get elasticity() {
      const spread = xx - x1 * x1;
      if (weight < 3 || y1 <= 0 || spread < (0.05 * x1) ** 2) return undefined;
      return (((xy - x1 * y1) / spread) * x1) / y1;
    },
  };
}
