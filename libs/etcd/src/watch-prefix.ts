import { systemClock, type Logger } from '@talaria/base';
import { createComplaint } from './complaint.ts';
import type { Etcd } from './connect.ts';
import { isUnreachable } from './members.ts';
import { outside } from './outside.ts';
import type { EtcdEntry, WatchEvent } from './types.ts';
import { backoffMs, createWaker } from './waker.ts';
import type { WatchStream } from './watch-stream.ts';

/** What a watch tells, and to whom. Listeners run outside of every call; one that throws is logged and goes on to be told. */
export interface WatchOptions {
  readonly log: Logger;
  /** Everything below the prefix as of a revision of the store, after each listing: the first, and one after every break. What is missing now was deleted or lost meanwhile. */
  onSnapshot?(entries: ReadonlyMap<string, EtcdEntry>, revision: bigint): void;
  /** What changed since, in order; `entries` already holds it. */
  onEvents?(events: readonly WatchEvent[], entries: ReadonlyMap<string, EtcdEntry>): void;
  /** etcd answers and refuses, such as what this user may not read; it is asked again until it does not. Not called while etcd is away. */
  onRefused?(reason: string): void;
  /** How often everything is listed anew although nothing seemed wrong, in ms. Default 60,000. */
  readonly resyncMs?: number;
}

/** A prefix that is kept up to date until closed. */
export interface Watch {
  /** As last known, also while etcd is away; undefined before the first listing. */
  readonly entries: ReadonlyMap<string, EtcdEntry> | undefined;
  /** Resolves after the first listing. Never rejects; stays pending while etcd is away. */
  readonly ready: Promise<void>;
  close(): void;
}

const DEFAULT_RESYNC_MS = 60_000;

/**
 * Lists what is below `prefix`, then watches from the next revision on. Whatever happens to the watch (broken, compacted,
 * etcd gone, frozen, or with its data lost), it is thrown away and everything is listed again: the one way to be right
 * that does not depend on what exactly happened.
 */
export function watchPrefix(etcd: Etcd, prefix: string, options: WatchOptions): Watch {
  const { log, resyncMs = DEFAULT_RESYNC_MS } = options;
  const { promise: ready, resolve: setReady } = Promise.withResolvers<void>();
  const waker = createWaker();
  const complaint = createComplaint(etcd, log, 'a prefix in etcd could not be listed', { prefix });
  let entries: Map<string, EtcdEntry> | undefined;
  let stream: WatchStream | undefined;
  let endStream: (() => void) | undefined;
  let closed = false;

  const tell = (call: () => void): void => {
    try {
      call();
    } catch (err) {
      log.error('a listener of an etcd watch threw', { prefix, err });
    }
  };

  const apply = (events: readonly WatchEvent[]): void => {
    const known = entries;
    if (!known) return;
    for (const event of events) {
      if (event.type === 'put') known.set(event.entry.key, event.entry);
      else known.delete(event.key);
    }
    tell(() => options.onEvents?.(events, known));
  };

  /** Resolves when the stream is over; whether it ever had an answer is of no interest. */
  const watchFrom = (fromRevision: bigint): Promise<void> =>
    new Promise((resolve) => {
      const end = (reason: string): void => {
        cancelResync();
        stream?.close();
        stream = undefined;
        endStream = undefined;
        if (!closed) log.debug('an etcd watch ended: listing again', { prefix, reason });
        resolve();
      };
      const cancelResync = systemClock.after(resyncMs * (0.8 + Math.random() * 0.4), () => end('resync'));
      endStream = () => end('disturbed');
      stream = etcd.openWatchStream(prefix, { fromRevision, onEvents: apply, onEnd: end });
    });

  const run = async (): Promise<void> => {
    let failures = 0;
    while (!closed) {
      const startedAt = systemClock.monotonic();
      try {
        const listed = await etcd.list(prefix);
        if (closed) return;
        complaint.worked();
        const snapshot = new Map(listed.entries.map((entry) => [entry.key, entry]));
        entries = snapshot;
        tell(() => options.onSnapshot?.(snapshot, listed.revision));
        setReady();
        await watchFrom(listed.revision + 1n);
        if (closed) return;
        // A stream that lived is followed by the next listing at once; one that keeps ending is not retried in a tight loop.
        failures = systemClock.monotonic() - startedAt > 1000 ? 0 : failures + 1;
        if (failures <= 1) continue;
      } catch (error) {
        if (closed) return;
        failures++;
        complaint.failed(error);
        if (!isUnreachable(error)) tell(() => options.onRefused?.(error instanceof Error ? error.message : String(error)));
      }
      await waker.sleep(backoffMs(failures));
    }
  };

  const close = (): void => {
    closed = true;
    stopListening();
    endStream?.();
    waker.wake();
  };
  const stopListening = etcd.onDisturbance((what) => {
    if (what === 'closed') return close();
    endStream?.();
    if (what !== 'unreachable') waker.wake();
  });
  void outside(run);

  return {
    get entries() {
      return entries;
    },
    ready,
    close,
  };
}
