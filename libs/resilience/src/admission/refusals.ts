import { rateLimited, toWire } from '@talaria/errors';
import { REFUSED_KEY, type Refusal } from '@talaria/rpc';

/** Why a call is refused: what stands behind `rate_limited.` in its error. */
export type RefusalReason = 'overload' | 'deadline' | 'concurrency' | 'caller' | 'method';

const SENTENCES: Readonly<Record<RefusalReason, string>> = {
  overload: 'The server has more to do than it can: call again later, or another instance',
  deadline: 'The server has so much to do that this call would not end in time: give it more time, or call another instance',
  concurrency: 'The server runs as many calls of this method as it may at once: call again later, or another instance',
  caller: 'The caller makes more calls of this method than it may: call more slowly',
  method: 'The server gets more calls of this method than it may take: call again later, or another instance',
};

/** After how long a refused call may be made again, in ms. Few, so that each refusal is made once for all calls. */
const DELAYS_MS = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000] as const;

/** Makes the function that answers refusals: each is made once. The delay is at least `retryAfterMs`, in coarse steps, a minute at most. */
export function refusals(): (reason: RefusalReason, retryAfterMs: number) => Refusal {
  const made = new Map<RefusalReason, Refusal[]>();
  return (reason, retryAfterMs) => {
    let step = 0;
    while (step < DELAYS_MS.length - 1 && (DELAYS_MS[step] as number) < retryAfterMs) step++;
    const known = made.get(reason) ?? [];
    made.set(reason, known);
    return (known[step] ??= refusal(reason, DELAYS_MS[step] as number));
  };
}

function refusal(reason: RefusalReason, retryAfterMs: number): Refusal {
  const { status, message, trailer } = toWire(rateLimited(reason, `${SENTENCES[reason]}.`, { retryAfterMs }));
  trailer.set(REFUSED_KEY, reason);
  return { refusal: { status, details: message, trailer } };
}
