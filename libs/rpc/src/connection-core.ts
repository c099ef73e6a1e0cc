import { Status } from 'nice-grpc-common';
import { LONGEST_MS } from './deadline.ts';
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
  /** Tells every call that has not heard so yet that its peer is going away. */
  leaving(): void;
  /**
   * Refuses new calls, waits up to `graceMs` (Infinity: as long as they take), ends the rest, and calls `release`. Called again it can
   * only make that sooner. Calls that will be cut are told.
   */
  close(graceMs: number, release: () => void): Promise<void>;
}

/** A call that is counted. */
export interface LiveCall {
  /** How `close` ends the call when its grace is over. */
  onClose: ((error: TransportError) => void) | undefined;
  /** How the call is told that its peer is going away; once. */
  onLeaving: (() => void) | undefined;
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
  const timers: NodeJS.Timeout[] = [];

  const setState = (next: ConnectionState): void => {
    if (next === state || state === 'closed' || (state === 'draining' && next !== 'closed')) return;
    state = next;
    for (const listener of [...listeners]) listener(next);
  };

  const leaving = (): void => {
    for (const call of [...live]) {
      const tell = call.onLeaving;
      call.onLeaving = undefined;
      tell?.();
    }
  };
  /** Ends the wait of `shut` after `graceMs` at the latest. */
  const hurry = (graceMs: number): void => {
    if (!onEmpty || graceMs > LONGEST_MS) return;
    if (graceMs <= 0) {
      onEmpty();
      return;
    }
    timers.push(setTimeout(onEmpty, graceMs));
    leaving();
  };

  const shut = async (graceMs: number, release: () => void): Promise<void> => {
    setState('draining');
    if (live.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      onEmpty = resolve;
      hurry(graceMs);
      await promise;
      for (const timer of timers) clearTimeout(timer);
    }
    onEmpty = undefined;
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
        onLeaving: undefined,
        leave() {
          if (live.delete(call) && live.size === 0) onEmpty?.();
        },
      };
      live.add(call);
      return call;
    },
    leaving,
    close(graceMs, release) {
      if (closing) hurry(graceMs);
      else closing = shut(graceMs, release);
      return closing;
    },
  };
}
