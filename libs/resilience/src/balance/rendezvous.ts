/** FNV-1a of 32 bits, with a last mix, since names that differ in their last letters only have to get far apart. Source: the finalizer of MurmurHash3. */
function hash(text: string, seed: number): number {
  let value = seed;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/**
 * Sorts by how well each suits this client (highest random weight first): every client has another order, and one that comes or goes
 * moves nobody else. Source: Thaler and Ravishankar, A Name-Based Mapping Scheme for Rendezvous (1996).
 */
export function rendezvous<T>(all: readonly T[], client: string, nameOf: (one: T) => string): readonly T[] {
  const seed = hash(client, 0x811c9dc5);
  return all
    .map((one) => ({ one, name: nameOf(one), weight: hash(nameOf(one), seed) }))
    .sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1))
    .map(({ one }) => one);
}
