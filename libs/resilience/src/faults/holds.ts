import { systemClock, type CancelTimer } from '@talaria/base';
import { Status, TransportError, type WireCallOptions } from '@talaria/rpc';

/** The calls of a connection that a fault holds up. */
export interface Holds {
  readonly count: number;
  /** Waits `ms` (`Infinity`: for ever). Rejects with what the call fails with if its deadline, its caller or the end of the connection comes first. */
  wait(ms: number, path: string, options: WireCallOptions): Promise<void>;
  /** Waits up to `graceMs` (Infinity: as long as they take) for those that are held, then ends them. Again it can only make the end come sooner. */
  close(graceMs: number): Promise<void>;
}

/** None so far. */
export function createHolds(): Holds {
  const held = new Set<(error: TransportError) => void>();
  const onEmpty = new Set<() => void>();
  return {
    get count() {
      return held.size;
    },
    wait: (ms, path, { clock = systemClock, deadline = Infinity, signal }) =>
      new Promise((resolve, reject) => {
        let cancel: CancelTimer | undefined;
        const settle = (end: () => void): void => {
          cancel?.();
          signal?.removeEventListener('abort', onAbort);
          held.delete(fail);
          end();
          if (held.size === 0) for (const tell of [...onEmpty]) tell();
        };
        const fail = (error: TransportError): void => settle(() => reject(error));
        // What a fault does to a request its caller cannot know: it may have been executed.
        const late = (): void => fail(new TransportError(path, Status.DEADLINE_EXCEEDED, 'The deadline of the call has passed', 'maybe_executed'));
        const onAbort = (): void => fail(new TransportError(path, Status.CANCELLED, 'The call was cancelled by its caller', 'maybe_executed'));
        const left = deadline - clock.monotonic();
        held.add(fail);
        if (signal?.aborted) {
          onAbort();
          return;
        }
        signal?.addEventListener('abort', onAbort, { once: true });
        const first = Math.min(ms, left);
        if (first < Infinity) cancel = clock.after(first, left <= ms ? late : () => settle(resolve));
      }),
    async close(graceMs) {
      if (held.size > 0 && graceMs > 0) {
        await new Promise<void>((resolve) => {
          const cancel = graceMs === Infinity ? undefined : systemClock.after(graceMs, () => done());
          const done = (): void => {
            cancel?.();
            onEmpty.delete(done);
            resolve();
          };
          onEmpty.add(done);
        });
      }
      for (const fail of [...held]) fail(new TransportError('', Status.UNAVAILABLE, 'The connection was closed', 'maybe_executed'));
    },
  };
}
