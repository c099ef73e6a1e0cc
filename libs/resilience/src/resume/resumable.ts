import { AsyncLocalStorage } from 'node:async_hooks';
import { sleep } from '@talaria/base';
import { currentClock, timeRemaining } from '@talaria/context';
import { cancelled, hasCode, ServiceError } from '@talaria/errors';
import { openSource, type Source, type ResumeCall } from './source.ts';

/** What tells where in a stream a message stands, such as its id or an offset. Compared with `===` only. */
export type Position = string | number | bigint;

/** How a stream is resumed. */
export interface ResumableOptions<T, P extends Position> {
  /** Where a message stands, which is what `open` gets to go on after it. Undefined for one that has no place of its own (a heartbeat), which may come twice. */
  readonly position: (message: T) => P | undefined;
  /** After which message to begin. Default: `open` gets undefined, and begins at the beginning. */
  readonly from?: P | undefined;
  /** Ends it. Default: it ends with the ambient call, or when its reader leaves. */
  readonly signal?: AbortSignal | undefined;
  /** After which failures it begins anew. Default: after `unavailable`. */
  readonly resumes?: ((error: unknown) => boolean) | undefined;
  /** How often in a row it may fail without a message before the error comes out. Default 10: about half a minute. */
  readonly attempts?: number | undefined;
  /** Told whenever it begins anew: from where, and after which error (absent where its server said in time that it leaves). */
  readonly onResume?: ((resume: { readonly from: P | undefined; readonly error?: unknown }) => void) | undefined;
}

/** Pauses between failures in a row, in ms: the first repeat goes at once, as it goes elsewhere; then up to twice as long each time, jittered. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const ATTEMPTS = 10;
/** A stream that was open for so long, in ms, was no failure to open one, even if nothing came. */
const SOUND_MS = 10_000;
/** How long the old stream is kept, in ms, while the new one has neither failed nor brought anything. Nothing is lost without it: the new one began after the last message that was taken. */
const HANDOVER_MS = 1_000;

function pauseBefore(failures: number, error: unknown): number {
  const asked = error instanceof ServiceError ? (error.retryAfterMs ?? 0) : 0;
  if (failures <= 1) return asked;
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 2), LONGEST_PAUSE_MS);
  return Math.max(asked, longest * (0.5 + Math.random() / 2));
}

/**
 * A stream that goes on where it left off. `open` begins it after the message at `from` (undefined: at the beginning), with the options
 * `call`, which belong into those of the client's call: `(from, call) => client.watch({ after: from ?? '' }, call)`.
 *
 * When its server says that it is going away, it is begun anew elsewhere before the old stream is let go; after UNAVAILABLE, with
 * pauses. Each message with a position comes once, as long as `open` keeps the order. It inherits the ambient call of where the iteration
 * begins, with its deadline, and ends like any stream: with its last message, an error, or when its reader leaves.
 */
export function resumable<T, P extends Position>(open: (from: P | undefined, call: ResumeCall) => AsyncIterable<T>, options: ResumableOptions<T, P>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const left = new AbortController();
      const inCall = AsyncLocalStorage.snapshot();
      const running = inCall(() => resumed(open, options, left.signal));
      return {
        next: () => inCall(() => running.next()),
        return() {
          left.abort();
          // Not awaited: it would wait for a `next()` that is pending, which ends by the signal.
          void running.return().catch(() => {});
          return Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}

async function* resumed<T, P extends Position>(open: (from: P | undefined, call: ResumeCall) => AsyncIterable<T>, options: ResumableOptions<T, P>, left: AbortSignal): AsyncGenerator<T, void, undefined> {
  const { position, signal, attempts = ATTEMPTS, resumes = (error) => hasCode(error, 'unavailable'), onResume } = options;
  const clock = currentClock();
  const ended = signal ? AbortSignal.any([signal, left]) : left;
  let from = options.from;
  let failures = 0;
  let changed = Promise.withResolvers<void>();
  const wake = (): void => changed.resolve();
  const begin = (): Source<T, P> => openSource((call) => open(from, call), clock.monotonic(), wake);
  let current = begin();
  let next: Source<T, P> | undefined;
  /** Of the present attempt to move. */
  let moving = new AbortController();
  let mayMove = true;

  const later = (ms: number, then: () => void): void => {
    sleep(ms, { clock, signal: moving.signal }).then(
      () => {
        then();
        wake();
      },
      () => {},
    );
  };
  /** Begins the new stream, while the old one goes on. */
  const move = (): void => {
    onResume?.({ from });
    const begun = begin();
    next = begun;
    later(HANDOVER_MS, () => {
      if (next === begun) handOver(begun);
    });
  };
  /** Lets the old stream go, with what it has not told yet: the new one will. */
  const handOver = (to: Source<T, P>): void => {
    moving.abort();
    moving = new AbortController();
    mayMove = true;
    current.drop();
    current = to;
    next = undefined;
  };
  /** The new stream failed before it brought anything: the old one is all there is, and another is tried after a pause. */
  const stay = (failed: Source<T, P>): void => {
    failed.drop();
    next = undefined;
    moving.abort();
    moving = new AbortController();
    mayMove = false;
    later(pauseBefore(++failures + 1, undefined), () => (mayMove = true));
  };
  /** Begins anew after the only stream failed, or throws why; does nothing if it ends meanwhile. */
  const again = async (error: unknown): Promise<void> => {
    if (ended.aborted || !resumes(error)) throw error;
    failures = clock.monotonic() - current.openedAt >= SOUND_MS ? 1 : failures + 1;
    const pause = pauseBefore(failures, error);
    // The deadline would end the pause: what went wrong says more.
    if (failures > attempts || pause >= (timeRemaining() ?? Infinity)) throw error;
    if (pause > 0) await sleep(pause, { clock, signal: ended }).catch(() => {});
    if (ended.aborted) return;
    onResume?.({ from, error });
    handOver(begin());
  };

  ended.addEventListener('abort', wake, { once: true });
  try {
    for (;;) {
      if (left.aborted) return;
      if (signal?.aborted) throw cancelled('caller', 'The stream was ended by its signal.', { cause: signal.reason });
      if (next?.event) {
        const { event, leaving } = next;
        if (event.kind === 'message') handOver(next);
        else if (event.kind === 'end' && !leaving) return;
        else if (event.kind === 'error' && !resumes(event.error)) throw event.error;
        else stay(next);
      } else if (current.event) {
        const { event } = current;
        current.event = undefined;
        if (event.kind === 'message') {
          const at = position(event.message);
          if (at !== undefined) {
            if (current.doubled.delete(at)) continue;
            next?.doubled.add(at);
            from = at;
          }
          failures = 0;
          yield event.message;
        } else if (next) handOver(next);
        else if (event.kind === 'error') await again(event.error);
        else if (!current.leaving) return;
        else {
          onResume?.({ from });
          handOver(begin());
        }
      } else {
        if (current.leaving && !next && mayMove) move();
        changed = Promise.withResolvers();
        current.pull();
        next?.pull();
        if (!current.event && !next?.event) await changed.promise;
      }
    }
  } finally {
    ended.removeEventListener('abort', wake);
    moving.abort();
    current.drop();
    next?.drop();
  }
}
