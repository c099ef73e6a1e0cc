import type { Cluster, Driver } from './cluster.ts';
import { failing, frozen, killed, missing, mute, rolling, slow, type Fault } from './faults.ts';
import { DRIVE, oneOfThree, type Bars, type Spans } from './one-of-three.ts';
import { pause } from './parent.ts';
import type { Row } from './row.ts';
import { etcdEmptied, etcdGone } from './steady.ts';
import { retryStorm } from './storm.ts';

/** Until the code that the calls run through is compiled, which would make healthy look bad. */
const WARM_UP_MS = 5_000;
const NOT_FOUND = ['not_found.degradation', '5'];

/** The faults of one of three instances, and what their callers may notice at most. */
const FAULTS: Readonly<Record<string, { readonly fault: Fault; readonly bars: Bars }>> = {
  kill: { fault: killed, bars: { ratio: 2, outMs: 200 } },
  stop: { fault: frozen, bars: { ratio: 2, outMs: 1_500 } },
  unavailable: { fault: failing, bars: { ratio: 2, outMs: 1_500 } },
  slow: { fault: slow, bars: { ratio: 2, outMs: 3_000 } },
  mute: { fault: mute(), bars: { ratio: 2, outMs: 1_500 } },
  'not-found': { fault: missing, bars: { ratio: 1.3, outMs: undefined, answers: NOT_FOUND } },
  rolling: { fault: rolling, bars: { ratio: 3, outMs: undefined } },
};

/** The rows of the table, in order; `overload` has a cluster of its own. */
export const ROWS = [...Object.keys(FAULTS), 'etcd-gone', 'etcd-emptied', 'overload', 'storm'] as const;

/** How long things are measured. */
export interface RowOptions extends Spans {
  readonly etcdGoneMs: number;
  readonly stormMs: number;
  readonly onRow: (name: string) => void;
}

/** Measures the rows that are wanted on one cluster. Without `plain` there is nothing to compare with. */
export async function measureRows(cluster: Cluster, wanted: readonly string[], { talaria, plain }: { readonly talaria: Driver; readonly plain: Driver | undefined }, options: RowOptions): Promise<Row[]> {
  const rows: Row[] = [];
  talaria.drive(DRIVE);
  // Neither its ids nor its executions are counted: it makes no calls that must not be made twice.
  plain?.drive({ ...DRIVE, writes: 0 });
  await pause(WARM_UP_MS);
  for (const [name, { fault, bars }] of Object.entries(FAULTS)) {
    if (!wanted.includes(name)) continue;
    options.onRow(name);
    rows.push(...(await oneOfThree(cluster, plain ? { talaria, plain } : { talaria }, fault, bars, options)));
  }
  await plain?.stop();
  if (wanted.includes('etcd-gone')) {
    options.onRow('etcd-gone');
    rows.push(await etcdGone(cluster, talaria, { healthyMs: 2 * options.healthyMs, goneMs: options.etcdGoneMs }));
  }
  if (wanted.includes('etcd-emptied')) {
    options.onRow('etcd-emptied');
    rows.push(await etcdEmptied(cluster, talaria, { healthyMs: 2 * options.healthyMs, windowMs: options.windowMs }));
  }
  if (wanted.includes('storm')) {
    options.onRow('storm');
    rows.push(await retryStorm(cluster, 'talaria', talaria, options));
    await talaria.stop();
    plain?.drive({ ...DRIVE, writes: 0 });
    if (plain) rows.push(await retryStorm(cluster, 'plain', plain, options));
    await plain?.stop();
  } else await talaria.stop();
  return rows;
}
