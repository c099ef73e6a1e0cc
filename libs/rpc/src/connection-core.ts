import { Status } from 'nice-grpc-common';
import { TransportError } from './transport-error.ts';
import type { ConnectionState } from './transport.ts';

/** What every connection keeps: its state, who listens to it, and its calls. */
export interface ConnectionCore {
  readonly state: ConnectionState;
  setState(state: ConnectionState): void;
  onStateChange(listener: (state: ConnectionState) => void): () => void;
  readonly inFlight: number;
  /** Counts a call in; the answer counts it out. Throws a `TransportError` once `close` was called. */
  enter(path: string): LiveCall;
  /** Refuses new calls, waits up to `graceMs`, ends the rest, and calls `release`. */
  close(graceMs: number, release: () => void): Promise<void>;
}

/** A call that is counted. */
export interface LiveCall {
  /** How `close` ends the call when its grace is over. */
  onClose: ((error: TransportError) => void) | undefined;
  /** The call has ended. Harmless again. */
  leave(): void;
}

/** Makes one. */
export function connectionCore(): ConnectionCore {
  const listeners = new Set<(state: ConnectionState) => void>();
  const live = new Set<LiveCall>();
  let state: ConnectionState = 'idle';
  let closing: Promise<void> | undefined;
  let onEmpty: (() => void) | undefined;

  const setState = (next: ConnectionState): void => {
    if (next === state || state === 'closed' || (state === 'draining' && next !== 'closed')) return;
    state = next;
    for (const listener of [...listeners]) listener(next);
  };

  const shut = async (graceMs: number, release: () => void): Promise<void> => {
    setState('draining');
    if (live.size > 0 && graceMs > 0) {
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => {
          onEmpty = resolve;
        }),
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, graceMs);
        }),
      ]);
      clearTimeout(timer);
    }
    for (const call of [...live]) call.onClose?.(new TransportError('', Status.UNAVAILABLE, 'The connection was closed', 'maybe_executed'));
    setState('closed');
    release();
  };

  return {
    get state() {
      return state;
    },
    setState,
    onStateChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get inFlight() {
      return live.size;
    },
    enter(path) {
      if (closing) throw new TransportError(path, Status.UNAVAILABLE, 'The connection is closed', 'never_sent');
      const call: LiveCall = {
        onClose: undefined,
        leave() {
          if (live.delete(call) && live.size === 0) onEmpty?.();
        },
      };
      live.add(call);
      return call;
    },
    close(graceMs, release) {
      closing ??= shut(graceMs, release);
      return closing;
    },
  };
}
