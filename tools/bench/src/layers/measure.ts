/** A way to make a call. */
export interface Variant {
  readonly name: string;
  call(): Promise<unknown>;
  close?(): Promise<void>;
}

/** Calls in one turn of the event loop. */
const BATCH = 1_000;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** One call after another; µs of CPU, of all threads of this process. */
async function cpuUs({ call }: Variant): Promise<number> {
  const before = process.cpuUsage();
  for (let at = 0; at < BATCH; at++) await call();
  await new Promise((resolve) => setImmediate(resolve));
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** µs of CPU that a variant takes more than another one. */
export type Difference = (name: string, than: string) => number;

/** In another order each time: or else the same variant would pay for all garbage. */
function shuffled<T>(all: readonly T[]): T[] {
  return all.map((one) => ({ one, at: Math.random() })).sort((a, b) => a.at - b.at).map(({ one }) => one);
}

/**
 * Measures variants in turns, a few calls each, so that whatever else this machine does hits all of them; the answer compares two of them
 * within each round: the median of the rounds.
 */
export async function measure(variants: readonly Variant[], rounds: number, calls: number): Promise<Difference> {
  const found = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  // The first rounds are for the compiler.
  for (let round = -2; round < rounds; round++) {
    const sums = new Map<string, number>();
    for (let batch = 0; batch < calls / BATCH; batch++) {
      for (const variant of shuffled(variants)) {
        sums.set(variant.name, (sums.get(variant.name) ?? 0) + (await cpuUs(variant)));
      }
    }
    if (round >= 0) for (const [name, us] of sums) found.get(name)?.push(us / calls);
  }
  return (name, than) => {
    const others = found.get(than) ?? [];
    return median((found.get(name) ?? []).map((us, round) => us - (others[round] ?? 0)));
  };
}
