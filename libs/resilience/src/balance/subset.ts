import type { Instance } from './instance.ts';
import { BEST, rankOf, UNCONNECTED } from './rank.ts';
import { rendezvous } from './rendezvous.ts';

/** Many instances in the order in which a client would have them, those of its own zone apart. */
export interface Order {
  readonly own: readonly Instance[];
  readonly others: readonly Instance[];
}

/** Makes an order. */
export function orderFor(all: readonly Instance[], client: string, zone: string | undefined): Order {
  const sorted = rendezvous(all, client, ({ candidate }) => candidate.endpoint.id);
  const isOwn = ({ candidate }: Instance): boolean => zone !== undefined && candidate.endpoint.zone === zone;
  return { own: sorted.filter(isOwn), others: sorted.filter((one) => !isOwn(one)) };
}

/**
 * The first `size` of an order that calls may go to, and those passed over on the way, which may return. `local` is the share of
 * calls that stays in the own zone, which gets as many of the places.
 */
export function subsetOf({ own, others }: Order, size: number, local: number): readonly Instance[] {
  const most = Math.ceil(size * local);
  const inZone = take(own, most);
  const elsewhere = take(others, size - inZone.usable);
  // Too few elsewhere: more from the own zone.
  const rest = size - inZone.usable - elsewhere.usable;
  return rest > 0 ? [...take(own, inZone.usable + rest).taken, ...elsewhere.taken] : [...inZone.taken, ...elsewhere.taken];
}

function take(from: readonly Instance[], places: number): { readonly taken: readonly Instance[]; readonly usable: number } {
  const taken: Instance[] = [];
  let usable = 0;
  for (const instance of from) {
    if (usable >= places) break;
    taken.push(instance);
    const rank = rankOf(instance);
    if ((rank === BEST || rank === UNCONNECTED) && instance.candidate.endpoint.weight !== 0) usable++;
  }
  return { taken, usable };
}
