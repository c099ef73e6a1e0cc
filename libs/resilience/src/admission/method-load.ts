/** How long calls of one method take on this server. */
export interface MethodLoad {
  /** `/account.v1.AccountService/GetAccount`. */
  readonly path: string;
  /** How many answered calls it knows of. */
  samples: number;
  /** How long a call takes when nothing waits: the mean while the server was not short of anything. */
  baseMs: number;
  /** How long a call took of late. */
  recentMs: number;
}

/** The first calls, of a process that is still cold, only say roughly what is usual. */
const FIRST = 10;
/** How much one call says of what is usual, while little is in flight and while much is. */
const LEARN = 1 / 32;
const LEARN_SLOWLY = 1 / 512;
/** How much one call says of late. */
const RECENT = 1 / 8;

/** What is known of a method that was never called. */
export function methodLoad(path: string): MethodLoad {
  return { path, samples: 0, baseMs: 0, recentMs: 0 };
}

/** Whether enough is known of a method to judge a call by it. */
export function isKnown(load: MethodLoad): boolean {
  return load.samples >= FIRST;
}

/** What kind of time a call was answered in: it teaches nothing new about what is usual in a `short` one, unless it was quicker. */
export type Times = 'easy' | 'busy' | 'short';

/** Takes in how long an answered call took. */
export function learn(load: MethodLoad, ms: number, times: Times): void {
  load.samples++;
  if (load.samples <= FIRST) {
    load.baseMs += (ms - load.baseMs) / load.samples;
    load.recentMs = load.baseMs;
    return;
  }
  load.recentMs += (ms - load.recentMs) * RECENT;
  if (times === 'short' && ms > load.baseMs) return;
  load.baseMs += (ms - load.baseMs) * (times === 'easy' ? LEARN : LEARN_SLOWLY);
}

/** Whether calls of it took longer of late than `tolerance` times as long as usual. */
export function isSlowOfLate(load: MethodLoad, tolerance: number): boolean {
  return isKnown(load) && load.recentMs > load.baseMs * tolerance;
}
