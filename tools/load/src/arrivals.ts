/** When calls arrive: `fixed`, at equal distances; `poisson`, independently of each other, as many users do. */
export type Arrivals = 'fixed' | 'poisson';

/**
 * The times of the calls, in milliseconds since the start, one after the other, until `durationMs`: `rate` a second on the
 * average. `random` (default `Math.random`) is asked for `poisson` only.
 */
export function* arrivalTimes(rate: number, durationMs: number, arrivals: Arrivals, random: () => number = Math.random): Generator<number, void> {
  const between = 1000 / rate;
  if (arrivals === 'fixed') {
    // A product and no sum: an hour of additions would drift.
    for (let n = 0; n * between < durationMs; n += 1) yield n * between;
    return;
  }
  for (let at = -Math.log(1 - random()) * between; at < durationMs; at += -Math.log(1 - random()) * between) yield at;
}
