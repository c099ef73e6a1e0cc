import type { Instance } from './instance.ts';
import { rankOf, BEST, UNCONNECTED } from './rank.ts';

/** How much an instance can take: its weight. */
function capacityOf({ candidate: { endpoint } }: Instance): number {
  return endpoint.weight ?? 1;
}

/**
 * The share of calls that stays in the client's own zone. All of it, as long as the zone has its fair share of what is well (one of as
 * many parts as there are zones); otherwise as much as it can take, so that its instances do not get more than those elsewhere.
 * Assumes that each zone has as many clients. Undefined: there is no own zone, or nobody in it.
 */
export function localShare(all: readonly Instance[], zone: string | undefined): number | undefined {
  if (zone === undefined) return undefined;
  const zones = new Set<string>();
  let total = 0;
  let own = 0;
  for (const instance of all) {
    const theirs = instance.candidate.endpoint.zone;
    if (theirs !== undefined) zones.add(theirs);
    const rank = rankOf(instance);
    if (rank !== BEST && rank !== UNCONNECTED) continue;
    const capacity = capacityOf(instance);
    total += capacity;
    if (theirs === zone) own += capacity;
  }
  if (own === 0) return undefined;
  return Math.min(1, (own / total) * zones.size);
}
