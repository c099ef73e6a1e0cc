import type { Logger } from '@talaria/base';
import { watchPrefix, type Etcd, type EtcdEntry, type Watch } from '@talaria/etcd';

/** Single keys in etcd, watched from the first interest in each on. */
export interface WatchedKeys {
  /** Calls `listener` whenever the key may have changed; the answer stops that. */
  onChange(key: string, listener: (entry: EtcdEntry | undefined) => unknown): () => void;
  close(): void;
}

/** Watches what is below `prefix`. */
export function watchKeys(etcd: Etcd, prefix: string, log: Logger): WatchedKeys {
  const listeners = new Map<string, Set<(entry: EtcdEntry | undefined) => unknown>>();
  let watch: Watch | undefined;
  const tell = (key: string, entry: EtcdEntry | undefined): void => {
    for (const listener of [...(listeners.get(key) ?? [])]) listener(entry);
  };
  return {
    onChange(key, listener) {
      watch ??= watchPrefix(etcd, prefix, {
        log,
        onSnapshot(entries) {
          for (const known of [...listeners.keys()]) tell(known, entries.get(known));
        },
        onEvents(events) {
          for (const event of events) tell(event.type === 'put' ? event.entry.key : event.key, event.type === 'put' ? event.entry : undefined);
        },
      });
      const mine = listeners.get(key) ?? new Set();
      listeners.set(key, mine.add(listener));
      return () => {
        mine.delete(listener);
        if (mine.size === 0 && listeners.get(key) === mine) listeners.delete(key);
      };
    },
    close: () => watch?.close(),
  };
}
