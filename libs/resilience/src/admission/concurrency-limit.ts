import { systemClock, type Clock } from '@talaria/base';
import { detached } from '@talaria/context';
import { isKnown, learn, type MethodLoad } from './method-load.ts';
import { trend } from './trend.ts';

/** Between which bounds a limit moves, and by what. */
export interface LimitBounds {
  /** The least it falls to. */
  readonly min: number;
  /** The most it rises to, and what it is while nothing is short. */
  readonly max: number;
  /** A call is slow that took so many times as long as usual … */
  readonly tolerance: number;
  /** … and so much longer, in ms. */
  readonly slack: number;
}

/** A call as it was admitted: what its end says about the limit depends on that. */
export interface Admitted {
  readonly load: MethodLoad;
  /** How many were in flight. */
  readonly among: number;
  /** Which limit was in force. */
  readonly era: number;
  /** The tick by which it should have ended, as `began` answered. */
  readonly dueTick: number;
}

/**
 * How a call ended. `answered`: it took as long as such calls take; `late`: it was given up at its deadline, `cut`: before that, so
 * that it would have taken longer; `failed`: it says nothing.
 */
export type Ending = 'answered' | 'late' | 'cut' | 'failed';

/** How many calls may be in flight at once, as what happens to them shows. */
export interface ConcurrencyLimit {
  /** The limit now. */
  readonly limit: number;
  /** What the limit was: it falls with it, but slowly. */
  readonly crest: number;
  /** Calls that were admitted and have not ended. */
  readonly inFlight: number;
  /** Changes with the limit. */
  readonly era: number;
  /** Whether the server is short of something, so that the limit counts. */
  readonly isShort: boolean;
  /** How long a call of a method would take now, in ms, as far as one can tell from calls of late and from how many are in flight; 0 if too little is known. */
  expectedMs(load: MethodLoad): number;
  /** After how long a refused call had better come again, in ms: longer the more calls come for each one that ends. */
  readonly retryMs: number;
  /** A call was admitted; answers by which tick it should have ended, 0 if that is not known. */
  began(load: MethodLoad): number;
  /** A call was refused since too many are in flight. */
  refused(): void;
  /** A call is over; `left` follows. */
  ended(call: Admitted, ms: number, how: Ending): void;
  /** It is not in flight any more: nothing works on it. */
  left(call: Admitted): void;
}

/** How a limit is made. */
export interface ConcurrencyLimitOptions {
  /** Asked often; may answer something else each time. */
  readonly bounds: () => LimitBounds;
  /** Called every 25 ms while calls come. */
  readonly onTick?: (() => void) | undefined;
  /** Default: the time of this machine. */
  readonly clock?: Clock | undefined;
}

const TICK_MS = 25;
/** It is known of so many ticks which calls should have ended by them; a power of two. */
const AHEAD = 64;
/** How much a tick remembers of those before. */
const KEEP = 0.87;
/** Whether more comes than ends is seen over so many ticks. */
const LOOK_BACK = 6;
/** A server is short of something when that has been seen for so many ticks in a row, … */
const STREAK = 3;
/** … and by so many calls, over or overdue. One stall, of a collection of garbage or of the machine, is neither. */
const WITNESSES = 8;
/** A turn of the event loop of this many ms is slow. */
const SLOW_TURN_MS = 100;
/** So many calls have to tell of a limit before it is changed again, … */
const VERDICT = 40;
/** … or fewer, if that takes longer than so many ms. */
const HASTY_VERDICT = 10;
const PATIENCE_MS = 500;
/** After so many ms in which nobody was refused, the server is not short any more. */
const FORGET_MS = 10_000;
/** The least limit is tried to be too low after so many ms. */
const PROBE_MS = 5_000;
/** The longest that a refused client is asked to wait. */
const MOST_RETRY_MS = 5_000;
/** What a tick leaves of the crest: half of it in a second. */
const SUBSIDE = 0.985;
const STEP_UP = 1.25;
const STEP_DOWN = 0.5;
/** Enough to see whether it helps. */
const FIRST_STEP_DOWN = 0.75;
/** Nearly in proportion: no doubt that calls wait for their turn. */
const CLEAR = 0.7;
/** How far two observations have to lie apart to be compared, and for how long they can be, in ms. */
const APART = 1.3;
const COMPARABLE_MS = 3_000;
/** Whether calls are slower the more there are is seen over so many ticks with slow ones; … */
const CROWDING_TICKS = 12;
/** … slow calls that are so many ms apart have nothing to do with each other. */
const APART_MS = 1_000;
/** Calls wait for their turn if they are slower by so many percent for each percent more of them. */
const PROPORTION = 0.3;

/** How slow calls were (1: at the bounds), among how many. */
interface Observation {
  readonly slowness: number;
  readonly among: number;
  readonly at: number;
}

/** How long a call may take that is not slow, in ms. */
function usualMs({ baseMs }: MethodLoad, { tolerance, slack }: LimitBounds): number {
  return Math.max(baseMs * tolerance, baseMs + slack);
}

/**
 * Finds how many calls a server can work on at once. There is no limit to speak of while the server is not short of anything,
 * that is: while calls end as fast as they come, however long they take. When more come than end, and most are slower than
 * usual, the limit falls to what is in flight, and from there, once a round trip, by as much as calls are slower than the bounds
 * (the gradient of Netflix's Gradient2); it rises again when they are not. One thing looks the same and is not: a dependency
 * that became slow, of which this server could wait for any number of calls at once. There, fewer calls in flight are
 * not quicker; that is seen after the first step down, and is what is usual from then on.
 */
export function concurrencyLimit({ bounds, onTick, clock = systemClock }: ConcurrencyLimitOptions): ConcurrencyLimit {
  const loads = new Set<MethodLoad>();
  let limit = Infinity;
  let crest = Infinity;
  let isShort = false;
  let era = 0;
  let inFlight = 0;

  // Since the last tick.
  let arrivals = 0;
  let ends = 0;
  let refusals = 0;
  // Of calls that were answered since then.
  let told = 0;
  let toldSlower = 0;
  let toldAmong = 0;
  let toldTimes = 0;
  // Of the last ticks.
  let came = 0;
  let went = 0;
  let growing = false;
  const inFlightAt: number[] = [];
  let streak = 0;
  let witnesses = 0;
  // Of the calls in flight: how many should have ended by which tick, and how many by those before.
  const due = new Int32Array(AHEAD);
  let tickNumber = 1;
  let overdue = 0;
  // Of the last calls: the share of slow ones, how slow they were, among how many.
  let slowShare = 0;
  let slowness = 0;
  let among = 0;
  let lateShare = 0;
  let crowding = trend(CROWDING_TICKS);
  let crowdedAt = -Infinity;
  // Of this era.
  let eraAt = 0;
  let calls = 0;
  let slownessOf = 0;
  let amongOf = 0;
  let cutOf = 0;
  let refusedOf = 0;
  let before: Observation | undefined;
  let lastRefusal = -Infinity;
  let lowSince = Infinity;
  let censoredAt = -Infinity;

  let ticking = false;
  let tickAt = 0;

  const setLimit = (next: number, now: number): void => {
    const { min, max } = bounds();
    limit = Math.min(Math.max(next, min), max);
    if (limit > min) lowSince = Infinity;
    else lowSince = Math.min(lowSince, now);
    era++;
    eraAt = now;
    calls = slownessOf = amongOf = cutOf = refusedOf = 0;
  };

  const becomeShort = (now: number): void => {
    isShort = true;
    crest = inFlight;
    lastRefusal = now;
    before = { slowness, among, at: now };
    setLimit(inFlight * ((crowding.elasticity ?? 0) > CLEAR ? STEP_DOWN : FIRST_STEP_DOWN), now);
  };

  const relax = (): void => {
    isShort = false;
    limit = crest = bounds().max;
    streak = witnesses = 0;
    before = undefined;
    lowSince = Infinity;
  };

  /**
   * Whether calls among fewer others are hardly quicker, or among more hardly slower: nothing waits for its turn here. Only asked
   * after a large step, since small differences happen by chance.
   */
  const isElsewhere = (seen: Observation): boolean => {
    if (!before) return false;
    const crowd = seen.among / before.among;
    if (crowd < APART && crowd > 1 / APART) {
      if (seen.at - before.at > COMPARABLE_MS) before = undefined;
      return false;
    }
    const elasticity = Math.log(seen.slowness / before.slowness) / Math.log(crowd);
    before = undefined;
    return elasticity < PROPORTION;
  };

  const judge = (now: number): void => {
    // What was given up says only that it took at least so long; if that is most of it, it is too slow whatever is usual.
    const isCensored = cutOf > 0.05 * calls;
    const seen = { slowness: Math.max(slownessOf / calls, cutOf > calls / 2 ? 2 : 0), among: amongOf / calls, at: now };
    const wasRefusing = refusedOf > 0;
    if (isCensored) censoredAt = now;
    if (now - censoredAt < COMPARABLE_MS) before = undefined;
    if (isElsewhere(seen) && seen.slowness > 1) {
      for (const load of loads) load.baseMs = Math.max(load.baseMs, load.recentMs);
      relax();
      return;
    }
    const was = limit;
    if (seen.slowness <= 1) setLimit(wasRefusing ? limit * Math.min(STEP_UP, 1 / seen.slowness) : limit, now);
    else if (now - lowSince > PROBE_MS) setLimit(limit * 2, now);
    else if (wasRefusing || growing) setLimit(Math.min(limit, seen.among) * Math.max(STEP_DOWN, 1 / seen.slowness), now);
    if (now - censoredAt >= COMPARABLE_MS && (limit >= was * APART || limit <= was / APART)) before = seen;
  };

  const tick = (): void => {
    const now = clock.monotonic();
    const late = now - tickAt;
    const slot = ++tickNumber % AHEAD;
    overdue += due[slot] as number;
    due[slot] = 0;
    came = came * KEEP + arrivals + refusals;
    went = went * KEEP + ends;
    if (toldSlower > told / 2) {
      if (now - crowdedAt > APART_MS) crowding = trend(CROWDING_TICKS);
      crowding.add(toldAmong / told, toldTimes / told);
      crowdedAt = now;
    }
    told = toldSlower = toldAmong = toldTimes = 0;
    if (inFlightAt.push(inFlight) > LOOK_BACK + 1) inFlightAt.shift();
    growing = refusals > 0 || inFlight - (inFlightAt[0] as number) > 0.05 * went + 1;
    if (isShort) {
      if (now - lastRefusal > FORGET_MS) relax();
      else if (calls >= VERDICT || (calls >= HASTY_VERDICT && now - eraAt >= PATIENCE_MS)) judge(now);
      crest = Math.max(limit, crest * SUBSIDE);
    } else {
      const { min, max } = bounds();
      limit = crest = max;
      const isCrowded = growing && (overdue >= WITNESSES || slowShare > 0.5 || late > SLOW_TURN_MS) && (crowding.elasticity ?? 0) > PROPORTION;
      const evident = inFlight > min && (isCrowded || lateShare > 0.6);
      if (!evident) {
        streak = Math.max(0, streak - 1);
        if (streak === 0) witnesses = 0;
      }
      else if (++streak >= STREAK && witnesses + overdue >= WITNESSES) becomeShort(now);
    }
    onTick?.();
    if (arrivals === 0 && refusals === 0 && inFlight === 0) ticking = false;
    else next(now);
    arrivals = ends = refusals = 0;
  };
  const next = (now: number): void => {
    ticking = true;
    tickAt = now + TICK_MS;
    detached(() => clock.after(TICK_MS, tick, { background: true }));
  };

  relax();
  return {
    // The bounds may change at any time.
    get limit() {
      return isShort ? Math.min(limit, bounds().max) : bounds().max;
    },
    get crest() {
      return isShort ? crest : bounds().max;
    },
    get inFlight() {
      return inFlight;
    },
    get era() {
      return era;
    },
    get isShort() {
      return isShort;
    },
    expectedMs(load) {
      if (!isKnown(load)) return 0;
      const crowd = inFlight / Math.max(among, 1);
      return crowd <= 1 ? load.recentMs : load.recentMs * crowd ** Math.min(Math.max(crowding.elasticity ?? 0, 0), 1);
    },
    get retryMs() {
      return Math.min(50 * (came / Math.max(went, 1)) ** 2, MOST_RETRY_MS);
    },
    began(load) {
      inFlight++;
      arrivals++;
      if (!ticking) next(clock.monotonic());
      if (!isKnown(load)) return 0;
      // A part of the tick that runs is over already.
      const ticks = Math.ceil(usualMs(load, bounds()) / TICK_MS) + 1;
      if (ticks >= AHEAD) return 0;
      const dueTick = tickNumber + ticks;
      due[dueTick % AHEAD]!++;
      return dueTick;
    },
    refused() {
      refusals++;
      refusedOf++;
      lastRefusal = clock.monotonic();
      if (!ticking) next(lastRefusal);
    },
    left({ dueTick }) {
      inFlight--;
      ends++;
      if (dueTick > tickNumber) due[dueTick % AHEAD]!--;
      else if (dueTick > 0) overdue--;
    },
    ended(call, ms, how) {
      if (how === 'failed') return;
      const { load } = call;
      const { min } = bounds();
      const times = isKnown(load) ? ms / usualMs(load, bounds()) : 0;
      if (how === 'cut' && times <= 1) return;
      const isSlow = times > 1 || how === 'late';
      witnesses++;
      slowShare += ((isSlow ? 1 : 0) - slowShare) / 16;
      slowness += (times - slowness) / 16;
      among += (call.among - among) / 16;
      lateShare += ((how === 'late' ? 1 : 0) - lateShare) / 64;
      if (call.era === era) {
        calls++;
        slownessOf += times;
        amongOf += call.among;
        if (how !== 'answered') cutOf++;
      }
      if (how !== 'answered') {
        load.recentMs = Math.max(load.recentMs, ms);
        return;
      }
      told++;
      // Long before it is slow it shows whether it is the others that it waits for.
      toldSlower += ms > (load.baseMs + usualMs(load, bounds())) / 2 ? 1 : 0;
      toldAmong += call.among;
      toldTimes += times;
      if (load.samples === 0) loads.add(load);
      learn(load, ms, inFlight < min ? 'easy' : isShort || growing || lateShare > 0.1 ? 'short' : 'busy');
    },
  };
}
