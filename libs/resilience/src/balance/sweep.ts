import { shareOf, volumeOf } from './decayed-share.ts';
import { clearSuspicion, isOut, type Instance } from './instance.ts';
import { verdictOf, type Judging, type Verdict } from './judge.ts';
import { advance, eject, OTHERS_ARE_BAD, probedBadly, probedWell, readmit } from './probation.ts';

/** So much is usual whoever is asked: nothing is without chance. */
const USUAL_FAILING = 0.01;
const USUAL_SLOW = 0.05;
/** The others may have had more of it than was seen, */
const MARGIN = 1.5;
/** above all where little was seen of them. */
const UNSEEN = 0.5;

/** Told of those that go and return. */
export interface SweepEvents {
  onEject(instance: Instance, verdict: Verdict, forMs: number): void;
  onReturn(instance: Instance): void;
}

/** What a sweep goes by. */
export interface SweepOptions extends Judging, SweepEvents {
  /** How long an instance that returned is on trial, in ms. */
  readonly trialMs: number;
}

function isUsable({ candidate: { endpoint, connection } }: Instance): boolean {
  return connection.state === 'ready' && endpoint.ready !== false && endpoint.weight !== 0;
}

/** Judges each instance by what is known of all of them. Tells whether anything changed. */
export function sweep(pool: readonly Instance[], options: SweepOptions): boolean {
  const { now, limits, trialMs } = options;
  if (!limits.enabled) return allIn(pool, options);
  const before = pool.map(({ phase }) => phase);
  compare(pool, now);
  for (const instance of pool) {
    advance(instance, now, trialMs);
    if (probedWell(instance)) back(instance, options);
    else if (probedBadly(instance)) out(instance, { reason: instance.reason, severity: 0, figures: {} }, options);
    // Where all fail, the fault is elsewhere: below them, or in what they are asked.
    else if (isOut(instance) && isFailure(instance) && instance.othersFailing >= OTHERS_ARE_BAD) back(instance, options);
  }
  const usable = pool.filter(isUsable);
  const most = Math.floor(usable.length / 2);
  releaseSurplus(usable, most, options);
  judge(usable, most, options);
  return pool.some(({ phase }, index) => phase !== before[index]);
}

function isFailure({ reason }: Instance): boolean {
  return reason === 'consecutive_failures' || reason === 'success_rate';
}

/** Works out, for each, how bad the others in rotation are. One with more samples says more. */
function compare(pool: readonly Instance[], now: number): void {
  let failing = 0;
  let failingVolume = 0;
  let slow = 0;
  let slowVolume = 0;
  for (const instance of pool) {
    if (isOut(instance)) continue;
    failing += shareOf(instance.failing) * volumeOf(instance.failing, now);
    failingVolume += volumeOf(instance.failing, now);
    slow += shareOf(instance.slow) * volumeOf(instance.slow, now);
    slowVolume += volumeOf(instance.slow, now);
  }
  for (const instance of pool) {
    const own = isOut(instance) ? 0 : 1;
    const ownFailing = own * volumeOf(instance.failing, now);
    const ownSlow = own * volumeOf(instance.slow, now);
    instance.othersFailing = others(failing, failingVolume, shareOf(instance.failing), ownFailing);
    instance.othersSlow = others(slow, slowVolume, shareOf(instance.slow), ownSlow);
    instance.usualFailing = usual(instance.othersFailing, failingVolume - ownFailing, USUAL_FAILING);
    instance.usualSlow = usual(instance.othersSlow, slowVolume - ownSlow, USUAL_SLOW);
  }
}

function others(sum: number, volume: number, share: number, own: number): number {
  // At least one sample's worth, so that next to nothing is not divided by next to nothing.
  return Math.max(0, sum - share * own) / Math.max(1, volume - own);
}

function usual(share: number, volume: number, least: number): number {
  return Math.max(least, share * MARGIN + UNSEEN / (1 + Math.max(0, volume)));
}

function out(instance: Instance, verdict: Verdict, options: SweepOptions): void {
  const forMs = eject(instance, verdict.reason, options.now, options.limits);
  options.onEject(instance, verdict, forMs);
}

function back(instance: Instance, options: SweepOptions): void {
  readmit(instance, options.now);
  options.onReturn(instance);
}

/** Never more than half is out, whatever it did: the others would not bear it, or the fault is elsewhere. */
function releaseSurplus(usable: readonly Instance[], most: number, options: SweepOptions): void {
  const outside = usable.filter(isOut);
  if (outside.length <= most) return;
  outside.sort((a, b) => a.outUntil - b.outUntil);
  for (const instance of outside.slice(0, outside.length - most)) back(instance, options);
}

function judge(usable: readonly Instance[], most: number, options: SweepOptions): void {
  // One alone cannot be compared.
  if (most === 0) return;
  const outside = usable.filter(isOut);
  for (const instance of usable) {
    if (isOut(instance)) continue;
    const verdict = verdictOf(instance, options);
    if (!verdict) continue;
    if (outside.length >= most) {
      // A slow one is better than one that does not answer.
      const lesser = outside.findIndex(({ reason }) => reason === 'latency');
      if (lesser < 0 || verdict.severity < 2) continue;
      back(outside.splice(lesser, 1)[0] as Instance, options);
    }
    out(instance, verdict, options);
    outside.push(instance);
  }
}

/** Ejection was switched off. */
function allIn(pool: readonly Instance[], { onReturn }: SweepOptions): boolean {
  let changed = false;
  for (const instance of pool) {
    if (isOut(instance)) onReturn(instance);
    if (instance.phase !== 'in') changed = true;
    instance.phase = 'in';
    if (changed) clearSuspicion(instance);
  }
  return changed;
}
