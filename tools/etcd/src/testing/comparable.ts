/** What rightly differs between two servers. */
const OWN = ['cluster_id', 'member_id', 'raft_term', 'TTL'];
/** Lists whose order means nothing; that of permissions for one key depends on etcd's sort, which is not stable. */
const UNORDERED = ['leases', 'keys', 'perm'];

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '0' || value === 0 || value === false || value === '') return true;
  return value instanceof Uint8Array && value.length === 0;
}

/**
 * An answer without what rightly differs: who answered, how much of a lease is left, whether zeros and empty values are spelled
 * out, the order of what has none, and the fields of `ownToo`.
 */
export function comparable(value: unknown, ownToo: readonly string[] = []): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (Array.isArray(value)) return value.map((one) => comparable(one, ownToo));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name, inner]) => !OWN.includes(name) && !ownToo.includes(name) && !isNothing(inner));
  kept.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    kept.map(([name, inner]) => {
      const made = comparable(inner, ownToo);
      return [name, UNORDERED.includes(name) && Array.isArray(made) ? made.map((one) => JSON.stringify(one)).sort() : made];
    }),
  );
}
