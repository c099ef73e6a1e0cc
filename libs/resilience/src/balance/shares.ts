import { fadeSlowness } from './latency.ts';
import type { Instance } from './instance.ts';

/** An instance that starts, or returns, gets this much of its share at first. */
const RAMP_FROM = 0.1;
/** Up to so many times the others' latency is noise, and counts as theirs. */
const NOISE = 1.5;
/** However slow, an instance gets this much of its share, so that it is noticed when it is well again. */
const LEAST = 0.05;
/** One may be behind its turn, or ahead of it, by so many calls of its own: not more, or it would be flooded, or starve, later. */
const FURTHEST = 5;

/** What shares depend on besides the instances. */
export interface ShareOptions {
  readonly now: number;
  readonly slowStartMs: number;
  readonly zone: string | undefined;
  /** The share of calls that stays in the own zone. Undefined: no preference. */
  readonly local: number | undefined;
}

/** From 0.1 to 1, while an instance starts. */
export function rampOf({ rampFrom }: Instance, now: number, slowStartMs: number): number {
  const part = slowStartMs > 0 ? (now - rampFrom) / slowStartMs : 1;
  return part >= 1 ? 1 : RAMP_FROM + (1 - RAMP_FROM) * Math.max(0, part);
}

/** The lower median. */
function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[(values.length - 1) >> 1] ?? 0;
}

/**
 * Works out the share of each: its weight, less while it starts, and less the slower it is than the others. Answers those that get
 * a share at all.
 */
export function assignShares(members: readonly Instance[], options: ShareOptions): readonly Instance[] {
  const { now, slowStartMs } = options;
  for (const instance of members) fadeSlowness(instance, now);
  const usual = median(members.map(({ slowness }) => slowness));
  const weighty = members.some(({ candidate }) => candidate.endpoint.weight !== 0);
  for (const instance of members) {
    const weight = weighty ? (instance.candidate.endpoint.weight ?? 1) : 1;
    const slower = Math.exp(instance.slowness - usual);
    instance.share = weight * rampOf(instance, now, slowStartMs) * Math.min(1, Math.max(LEAST, NOISE / slower));
  }
  preferZone(members, options);
  const chosen = members.some(({ share }) => share === 0) ? members.filter(({ share }) => share > 0) : members;
  const mean = chosen.reduce((sum, { share }) => sum + share, 0) / chosen.length;
  for (const instance of chosen) instance.share /= mean;
  alignTurns(chosen);
  return chosen;
}

function preferZone(members: readonly Instance[], { zone, local }: ShareOptions): void {
  if (local === undefined) return;
  const isOwn = ({ candidate }: Instance): boolean => candidate.endpoint.zone === zone;
  let own = 0;
  let others = 0;
  for (const instance of members) {
    if (isOwn(instance)) own += instance.share;
    else others += instance.share;
  }
  if (own === 0 || others === 0) return;
  // Not less than what they would get without a preference.
  const share = Math.max(local, own / (own + others));
  for (const instance of members) instance.share *= isOwn(instance) ? share / own : (1 - share) / others;
}

/** Starts the count of turns anew: around 0, newcomers at it. */
function alignTurns(members: readonly Instance[]): void {
  let sum = 0;
  let known = 0;
  for (const { turn } of members) {
    if (Number.isNaN(turn)) continue;
    sum += turn;
    known++;
  }
  const mean = known > 0 ? sum / known : 0;
  for (const instance of members) {
    const furthest = FURTHEST / instance.share;
    const turn = Number.isNaN(instance.turn) ? 0 : instance.turn - mean;
    instance.turn = Math.min(furthest, Math.max(-furthest, turn));
  }
}
