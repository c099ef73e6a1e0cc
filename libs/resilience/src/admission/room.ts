import type { Priority } from '@talaria/rpc';
import type { Callers, CallerLoad } from './callers.ts';

/**
 * How far beyond the limit calls are taken. Sheddable ones end where the limit is; those that matter more still find room there, which
 * the others cannot fill up. Critical calls only count each other: however much else is in flight it is they that are taken, and they
 * may be nearly all that a server does.
 */
const FACTORS: Readonly<Record<Priority, number>> = { critical: 1.5, default: 1.25, sheddable: 1 };
/** How much further a caller gets that has less than its share: what the noisy ones fill up ends before. */
const QUIET = 1.2;
/** Calls in flight, and how many of them there may be. */
export interface Crowd {
  readonly all: number;
  readonly critical: number;
  readonly limit: number;
  /** What the limit was a moment ago: it may have fallen below the critical calls that are in flight already. */
  readonly crest: number;
}

/** Whether there is room for one more call of a priority and a caller. */
export function hasRoom(priority: Priority, caller: CallerLoad, { fairShare }: Callers, { all, critical, limit, crest }: Crowd): boolean {
  if (all < limit) return true;
  const isCritical = priority === 'critical';
  const inFlight = isCritical ? critical : all;
  const most = (isCritical ? crest : limit) * FACTORS[priority];
  if (fairShare === Infinity) return inFlight < most;
  // By priority first: critical calls compete with the critical ones of others.
  const isQuiet = (isCritical ? caller.critical : caller.inFlight) < fairShare;
  return inFlight < (isQuiet ? most * QUIET : isCritical ? limit * FACTORS.default : limit);
}
