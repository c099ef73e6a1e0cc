/** Where a value goes. */
export interface Scale {
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** From `low` to `high` on `from` to `to`, with about `wanted` round ticks. */
export function linearScale(low: number, high: number, from: number, to: number, wanted: number): Scale {
  const rough = (high - low || 1) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let n = Math.ceil(low / step); n * step <= high + step / 1e6; n += 1) ticks.push(n * step);
  return { at: (value) => from + ((value - low) / (high - low || 1)) * (to - from), ticks };
}

/** The same with logarithms; `low` is above 0. Ticks are 1, 2 and 5 of each power of ten, or the powers alone where these are many. */
export function logScale(low: number, high: number, from: number, to: number): Scale {
  const bottom = Math.log10(low);
  const span = Math.max(Math.log10(high) - bottom, 0.1);
  const digits = span > 2 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(bottom); power <= bottom + span; power += 1) for (const digit of digits) ticks.push(digit * 10 ** power);
  return { at: (value) => from + ((Math.log10(Math.max(value, low)) - bottom) / span) * (to - from), ticks: ticks.filter((tick) => tick >= low * 0.999 && Math.log10(tick) <= bottom + span + 1e-9) };
}
