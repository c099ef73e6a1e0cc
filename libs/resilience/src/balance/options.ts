import type { Clock, LiveSetting, Logger } from '@talaria/base';

/** When an instance is taken out of rotation, because of what this client saw of it. */
export interface EjectionOptions {
  /** Default true. False lets those that are out return at once. */
  readonly enabled?: boolean;
  /** So many failures in a row, more where others fail as well. Default 5, as Envoy and linkerd have it. */
  readonly consecutiveFailures?: number;
  /** Slow is what takes so many times as long as is typical for its method. Default 3. */
  readonly slowFactor?: number;
  /** Slow is only what takes at least so many ms more than is typical: less is noise of the machine. Default 20. */
  readonly slowByMs?: number;
  /** How long an instance may say nothing while others answer, in ms. Default 500: a pause of its garbage collection is shorter. */
  readonly silentMs?: number;
  /** How long it is out the first time, in ms; the second time twice as long, and so on. Default 1,000. */
  readonly baseMs?: number;
  /** How long it is out at most, in ms. Default 30,000. */
  readonly maxMs?: number;
}

/** How a balanced picker is made. All are optional. */
export interface BalanceOptions {
  /** Of which contract, for the log. */
  readonly contract?: string;
  /** Where this client stands: instances of the same zone are preferred as long as they are enough. Default: no preference. */
  readonly zone?: string | undefined;
  /** What this client's subset of many instances is made from. The same id gives the same subset. Default: a random one. */
  readonly clientId?: string;
  /** With more instances than this, a client talks to so many of them. Default 20. */
  readonly subsetSize?: number;
  /** How long an instance that has just started gets less than its share, in ms. Default 10,000; 0 switches it off. */
  readonly slowStartMs?: number;
  /** May change while the picker is in use. */
  readonly ejection?: EjectionOptions | LiveSetting<EjectionOptions>;
  /** Told of those that go and return. Default: nobody. */
  readonly log?: Logger;
  /** Default: the time of this machine. */
  readonly clock?: Clock | undefined;
  /** From 0 to below 1. Default `Math.random`. */
  readonly random?: () => number;
}

/** The options of ejection, complete. */
export type Limits = Required<EjectionOptions>;

const DEFAULTS: Limits = { enabled: true, consecutiveFailures: 5, slowFactor: 3, slowByMs: 20, silentMs: 500, baseMs: 1_000, maxMs: 30_000 };

/** What is not a sensible number counts as not said. */
function complete(given: EjectionOptions): Limits {
  const sensible = Object.entries(given).filter(([, value]) => typeof value === 'boolean' || (typeof value === 'number' && value > 0));
  return { ...DEFAULTS, ...Object.fromEntries(sensible) };
}

/** The options of ejection as they are now. */
export function liveLimits(given: BalanceOptions['ejection'] = {}): () => Limits {
  if (!('get' in given)) {
    const limits = complete(given);
    return () => limits;
  }
  let seen: EjectionOptions | undefined;
  let limits = DEFAULTS;
  return () => {
    const now = given.get();
    if (now !== seen) {
      seen = now;
      limits = complete(now);
    }
    return limits;
  };
}
