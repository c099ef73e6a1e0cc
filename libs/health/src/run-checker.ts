import type { CancelTimer, Checker, CheckPriority, CheckResult, Clock } from '@talaria/base';

/** What a checker found last. */
export type CheckOutcome = {
  readonly name: string;
  /** Whether the instance should get no calls while it fails: its priority is `critical`. */
  readonly critical: boolean;
  readonly priority: CheckPriority;
  /** How long the check took, in ms. */
  readonly durationMs: number;
  /** Since when it has been well, or has failed: RFC 3339. */
  readonly since: string;
} & (
  | { readonly ok: true; /** What it tells the reader. */ readonly data: CheckResult }
  | { readonly ok: false; /** Why it failed, in a sentence. */ readonly error: string }
);

/** What one check found; since when it is so, whoever remembers the one before knows. */
export type Found = { readonly ok: true; readonly data: CheckResult; readonly durationMs: number } | { readonly ok: false; readonly error: string; readonly durationMs: number };

/** The priority of a checker. */
export function priorityOf({ critical = false, priority = critical ? 'critical' : 'warning' }: Checker): CheckPriority {
  return critical ? 'critical' : priority;
}

/** A limit that ends this much too late, in ms, was held up by this process itself, and so was the check. */
const HELD_UP_MS = 250;

/** Runs a checker, for `timeoutMs` at most. Never rejects. */
export async function runChecker(checker: Checker, timeoutMs: number, clock: Clock): Promise<Found> {
  const startedAt = clock.monotonic();
  const tooLong = new AbortController();
  const durationMs = (): number => Math.round(clock.monotonic() - startedAt);
  let cancel: CancelTimer | undefined;
  // Raced, because a checker that hangs may well not heed its signal.
  const limit = new Promise<never>((_resolve, reject) => {
    const fail = (): void => {
      const error = new Error(`no answer within ${timeoutMs} ms`);
      tooLong.abort(error);
      reject(error);
    };
    cancel = clock.after(timeoutMs, () => {
      // A process that was stopped, or very busy, first reads what has arrived meanwhile: it says nothing about what is checked.
      if (clock.monotonic() - startedAt > timeoutMs + HELD_UP_MS) cancel = clock.after(timeoutMs, fail);
      else fail();
    });
  });
  try {
    const data = await Promise.race([(async () => checker.check(tooLong.signal))(), limit]);
    return { ok: true, data, durationMs: durationMs() };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error), durationMs: durationMs() };
  } finally {
    cancel?.();
  }
}
