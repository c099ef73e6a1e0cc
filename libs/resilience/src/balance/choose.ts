import type { Alias } from './alias.ts';
import type { Instance } from './instance.ts';
import { rankOf } from './rank.ts';

/** Draws that may hit the first one again, before its neighbour is taken. */
const DRAWS = 3;

/** The attempts there of the same kind. */
function openOf({ unary, streams }: Instance, stream: boolean): number {
  return stream ? streams.length : unary.length;
}

/**
 * The better of two. A load is latency × (in flight + 1) / weight, where latency over weight is 1 / share: each should have as many in
 * flight as its share says, and the one that has at least one call too many against the other loses. If neither has, the one
 * whose turn it is gets the call, so that shares hold also where little is in flight.
 */
export function better(a: Instance, b: Instance, stream: boolean): Instance {
  const both = a.share + b.share;
  const surplus = (2 * (openOf(a, stream) * b.share - openOf(b, stream) * a.share)) / both;
  // Of calls that cannot be divided, the greater of two unequal shares has one too many, or too few, most of the time.
  const tooMany = 1 + Math.abs(a.share - b.share) / both;
  if (surplus >= tooMany) return b;
  if (surplus <= -tooMany) return a;
  return b.turn < a.turn ? b : a;
}

/** The better of two that are drawn by their shares (power of two choices). `members` is not empty. */
export function choose(members: readonly Instance[], alias: Alias, stream: boolean, random: () => number): Instance {
  const size = members.length;
  if (size === 1) return members[0] as Instance;
  const first = size === 2 ? 0 : alias.draw(random());
  let second = size === 2 ? 1 : first;
  for (let draw = 0; second === first && draw < DRAWS; draw++) second = alias.draw(random());
  if (second === first) second = (first + 1) % size;
  return better(members[first] as Instance, members[second] as Instance, stream);
}

/** The best for one more attempt of a call: of those in rotation that were not tried, then of all that were not, then of all. */
export function chooseUntried(members: readonly Instance[], all: readonly Instance[], isTried: (instance: Instance) => boolean, stream: boolean, random: () => number): Instance | undefined {
  let found: Instance | undefined;
  // From a random place on, so that ties do not all go to the first.
  const start = Math.floor(random() * members.length);
  for (let index = 0; index < members.length; index++) {
    const instance = members[(start + index) % members.length] as Instance;
    if (!isTried(instance)) found = found ? better(found, instance, stream) : instance;
  }
  if (found) return found;
  let rank = Infinity;
  for (const instance of all) {
    if (isTried(instance)) continue;
    const its = rankOf(instance);
    if (its > rank || (its === rank && found && openOf(found, stream) <= openOf(instance, stream))) continue;
    rank = its;
    found = instance;
  }
  return found;
}
