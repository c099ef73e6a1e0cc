import type { Logger } from '@talaria/base';
import type { EtcdEntry } from '@talaria/etcd';
import { fromValue } from './entry.ts';
import type { RegisteredEndpoint } from './registry.ts';

/** Reads instances' entries: key → endpoint. Each is parsed once; a broken one is left out, with one line in the log. */
export function createEntryReader(log: Logger): (entries: ReadonlyMap<string, EtcdEntry>) => Map<string, RegisteredEndpoint> {
  let known = new Map<EtcdEntry, RegisteredEndpoint | undefined>();
  /** Key → the revision that was complained about; listings make new entries of what has not changed. */
  const complained = new Map<string, bigint>();

  const parse = (entry: EtcdEntry): RegisteredEndpoint | undefined => {
    try {
      return fromValue(entry.value.toString());
    } catch (error) {
      if (complained.get(entry.key) !== entry.modRevision) {
        complained.set(entry.key, entry.modRevision);
        log.warn('an instance in etcd cannot be read: leaving it out', { key: entry.key, reason: (error as Error).message });
      }
      return undefined;
    }
  };

  return (entries) => {
    known = new Map([...entries.values()].map((entry) => [entry, known.has(entry) ? known.get(entry) : parse(entry)]));
    for (const key of complained.keys()) if (!entries.has(key)) complained.delete(key);
    return new Map([...known].flatMap(([{ key }, endpoint]) => (endpoint ? [[key, endpoint]] : [])));
  };
}
