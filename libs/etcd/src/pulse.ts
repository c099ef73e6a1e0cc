import { mutableSetting, type LiveSetting, type Logger } from '@talaria/base';
import { outside } from './outside.ts';
import { backoffMs, createWaker } from './waker.ts';

/** What is known of etcd: `unknown` before the first answer. */
export type EtcdState = 'unknown' | 'reachable' | 'unreachable';

/** Why all that is known of etcd's content is in doubt; `closed`: the client was closed, and nothing more will be known. */
export type Disturbance = 'unreachable' | 'back' | 'data_lost' | 'closed';

/** Watches over etcd itself: tells when it goes away, comes back, or has lost its data. */
export interface Pulse {
  readonly state: LiveSetting<EtcdState>;
  /** Runs one request, and learns from its outcome. */
  observe<T extends { readonly header: { readonly revision: string } }>(request: () => Promise<T>): Promise<T>;
  /** Calls `listener` on each disturbance; the answer stops that. While there are listeners, etcd is asked every `pulseMs`. */
  onDisturbance(listener: (what: Disturbance) => void): () => void;
  /** Another member of the cluster is used from now on. */
  moved(): void;
  stop(): void;
}

export interface PulseOptions {
  readonly endpoints: readonly string[];
  readonly log: Logger;
  readonly pulseMs: number;
  /** A linearizable read. */
  readonly ask: () => Promise<{ readonly header: { readonly revision: string } }>;
  /** Whether the error says that etcd could not be reached (and not that it refused). */
  readonly isUnreachable: (error: unknown) => boolean;
}

/**
 * Why a pulse: a frozen etcd breaks no stream and no socket, and behind a proxy neither does one that was replaced by an
 * empty one. A linearizable read never answers with a revision lower than one seen before it was sent, unless data was lost.
 */
export function createPulse({ endpoints, log, pulseMs, ask, isUnreachable }: PulseOptions): Pulse {
  const state = mutableSetting<EtcdState>('unknown');
  const listeners = new Set<(what: Disturbance) => void>();
  const waker = createWaker();
  let highest = 0n;
  let running = false;
  let stopped = false;

  const tell = (what: Disturbance): void => {
    for (const listener of [...listeners]) listener(what);
  };

  const succeeded = (before: bigint, revision: bigint): void => {
    const was = state.get();
    state.set('reachable');
    const lost = revision < before;
    if (lost || revision > highest) highest = revision;
    if (was === 'unreachable') log.info('etcd is back', { endpoints });
    if (lost) {
      log.warn('etcd has lost its data: its revision went back. What hangs on it is put again', { endpoints, revision: String(revision), before: String(before) });
      tell('data_lost');
    } else if (was === 'unreachable') tell('back');
  };

  const failed = (error: unknown): void => {
    if (stopped || !isUnreachable(error) || state.get() === 'unreachable') return;
    state.set('unreachable');
    log.warn('etcd is unreachable: going on with what was last known, until it is back', { endpoints, reason: (error as Error).message });
    tell('unreachable');
  };

  const observe: Pulse['observe'] = (request) =>
    outside(async () => {
      const before = highest;
      try {
        const answer = await request();
        if (!stopped) succeeded(before, BigInt(answer.header.revision));
        return answer;
      } catch (error) {
        failed(error);
        throw error;
      }
    });

  const run = async (): Promise<void> => {
    let failures = 0;
    while (!stopped && listeners.size > 0) {
      await waker.sleep(failures === 0 ? pulseMs : Math.min(pulseMs, backoffMs(failures)));
      if (stopped || listeners.size === 0) break;
      await observe(ask).then(
        () => (failures = 0),
        () => failures++,
      );
    }
    running = false;
  };

  return {
    state,
    observe,
    onDisturbance(listener) {
      if (stopped) queueMicrotask(() => listener('closed'));
      else listeners.add(listener);
      if (!running && !stopped) {
        running = true;
        void outside(run);
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) waker.wake();
      };
    },
    moved() {
      // Streams to the member before may be dead without a sign. What is unreachable is told of when it is back.
      if (!stopped && state.get() === 'reachable') tell('back');
    },
    stop() {
      stopped = true;
      tell('closed');
      listeners.clear();
      waker.wake();
    },
  };
}
