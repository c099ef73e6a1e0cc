/** A way to make a call. */
export interface Variant {
  readonly name: string;
  call(): Promise<unknown>;
  close?(): Promise<void>;
}

/** Calls in one turn of the event loop. */
const BATCH = 500;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** One call after another; µs of CPU a call, of all threads of this process. */
async function cpuUs({ call }: Variant, calls: number): Promise<number> {
  const before = process.cpuUsage();
  for (let done = 0; done < calls; done += BATCH) {
    for (let at = 0; at < BATCH; at++) await call();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

/** µs of CPU that a variant takes more than another one. */
export type Difference = (name: string, than: string) => number;

/** Measures variants in turns; the answer compares two of them, each time within a round: the median of the rounds. */
export async function measure(variants: readonly Variant[], rounds: number, calls: number): Promise<Difference> {
  const found = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  // The first rounds are for the compiler.
  for (let round = -2; round < rounds; round++) {
    for (let at = 0; at < variants.length; at++) {
      const variant = variants[(at + Math.abs(round)) % variants.length] as Variant;
      const us = await cpuUs(variant, calls);
      if (round >= 0) found.get(variant.name)?.push(us);
    }
  }
  return (name, than) => {
    const others = found.get(than) ?? [];
    return median((found.get(name) ?? []).map((us, round) => us - (others[round] ?? 0)));
  };
}
