import { systemClock, type CancelTimer, type Logger } from '@talaria/base';
import { watchPrefix, type Etcd, type EtcdEntry } from '@talaria/etcd';

/** What is below a prefix, and was a moment ago. */
export interface HeldPrefix {
  /** Undefined before the first listing. */
  readonly entries: ReadonlyMap<string, EtcdEntry> | undefined;
  close(): void;
}

export interface HeldPrefixOptions {
  readonly log: Logger;
  /** How long an entry that a listing lacks is held, in ms. */
  readonly graceMs: number;
  /** Called after the first listing, and when `entries` changed. Not called any more once closed. */
  onChange(entries: ReadonlyMap<string, EtcdEntry>): void;
}

/** After a freeze etcd ends, in its first second, the leases whose time ran out meanwhile. */
const SUSPECT_MS = 2000;

/**
 * A watched prefix on which the loss of etcd's data does not show. When an entry is deleted under our eyes, it is gone at
 * once: somebody left. When it is merely absent from a new listing, or deleted just after etcd was away, etcd may have lost
 * it, or let its lease run out while it was frozen, and its owner is about to put it again: it is held for `graceMs`, and
 * for as long as etcd is away.
 */
export function holdPrefix(etcd: Etcd, prefix: string, { log, graceMs, onChange }: HeldPrefixOptions): HeldPrefix {
  let entries: Map<string, EtcdEntry> | undefined;
  const held = new Set<string>();
  let cancelTimer: CancelTimer = () => {};
  let suspectUntil = 0;
  let closed = false;

  const hold = (keys: Iterable<string>): void => {
    for (const key of keys) held.add(key);
    cancelTimer();
    if (held.size > 0) cancelTimer = systemClock.after(graceMs, letGo, { background: true });
  };

  const letGo = (): void => {
    if (closed || !entries) return;
    if (etcd.state.get() === 'unreachable') {
      hold([]);
      return;
    }
    for (const key of held) entries.delete(key);
    held.clear();
    onChange(entries);
  };

  const watch = watchPrefix(etcd, prefix, {
    log,
    onSnapshot(listed) {
      const next = new Map(listed);
      const missing = [...(entries ?? [])].filter(([key]) => !next.has(key));
      for (const [key, entry] of missing) next.set(key, entry);
      entries = next;
      held.clear();
      hold(missing.map(([key]) => key));
      if (missing.length > 0) log.warn('entries are missing in etcd: holding on to them for a moment', { prefix, missing: missing.length, graceMs });
      onChange(entries);
    },
    onEvents(events) {
      if (!entries) return;
      for (const event of events) {
        const key = event.type === 'put' ? event.entry.key : event.key;
        held.delete(key);
        if (event.type === 'put') entries.set(key, event.entry);
        else if (systemClock.monotonic() < suspectUntil && entries.has(key)) hold([key]);
        else entries.delete(key);
      }
      onChange(entries);
    },
  });

  const stopListening = etcd.onDisturbance((what) => {
    if (what === 'back' || what === 'data_lost') suspectUntil = systemClock.monotonic() + SUSPECT_MS;
  });

  return {
    get entries() {
      return entries;
    },
    close() {
      closed = true;
      stopListening();
      cancelTimer();
      watch.close();
    },
  };
}
