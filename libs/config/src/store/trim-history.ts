import { readHistory } from './change-record.ts';
import type { StoreContext } from './commit.ts';

/** How many changes are kept. */
export const MAX_HISTORY = 1000;
/** As many as one transaction takes. */
const BATCH = 100;

/** Removes the oldest records of the history beyond the last 1,000. Never fails: the next change tries again. */
export async function trimHistory({ etcd, keys }: StoreContext): Promise<void> {
  try {
    const history = await readHistory(etcd, keys);
    const old = history.slice(0, Math.max(0, history.length - MAX_HISTORY)).slice(0, BATCH);
    if (old.length > 0) await etcd.transaction({ compare: [], success: old.map(({ entry }) => ({ delete: entry.key })) });
  } catch {
    // A few records too many harm nobody.
  }
}
