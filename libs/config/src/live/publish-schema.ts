import { newId, systemClock, type CancelTimer, type Logger } from '@talaria/base';
import type { Etcd, EtcdEntry } from '@talaria/etcd';
import type { PublishedSchema } from './published-schema.ts';
import { isSame } from './read-value.ts';

/** A publication that is made as soon as etcd can be reached, and again when etcd has lost it. */
export interface SchemaPublication {
  close(): void;
}

/** As it stands in etcd. `published` tells one store from another: who published it first there. */
interface StoredSchema extends PublishedSchema {
  readonly published: { readonly id: string; readonly at: string };
}

const RETRY_MS = 1_000;

function parse(entry: EtcdEntry | undefined): Partial<StoredSchema> | undefined {
  try {
    const value: unknown = entry && JSON.parse(entry.value.toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The mark that a published schema bears. */
export function markOf(entry: EtcdEntry | undefined): string | undefined {
  const id: unknown = parse(entry)?.published?.id;
  return typeof id === 'string' ? id : undefined;
}

/** Publishes what a version of a service takes. Never fails: while etcd is away, or refuses, it tries on. */
export function publishToEtcd(etcd: Etcd, key: string, schema: PublishedSchema, { log, onPublished }: { readonly log: Logger; readonly onPublished: () => void }): SchemaPublication {
  let cancelRetry: CancelTimer = () => {};
  let complained = '';
  let running = false;
  let closed = false;
  let again = false;

  const attempt = async (): Promise<boolean> => {
    const entry = await etcd.get(key);
    const known = parse(entry);
    const mark = markOf(entry);
    const published = mark === undefined ? { id: newId('schema'), at: new Date().toISOString() } : known?.published;
    // Through JSON, which leaves out what is undefined.
    const next: unknown = JSON.parse(JSON.stringify({ ...schema, published }));
    if (isSame(known, next)) return true;
    return etcd.compareAndSet(key, entry, JSON.stringify(next));
  };
  const publish = async (): Promise<void> => {
    again = true;
    if (running) return;
    running = true;
    cancelRetry();
    while (again && !closed) {
      again = false;
      try {
        again = !(await attempt());
        complained = '';
        if (!again && !closed) onPublished();
      } catch (error) {
        const reason = (error as Error).message;
        if (reason !== complained && etcd.state.get() === 'reachable') log.warn('the schema of the settings could not be published in etcd, trying on', { key, reason });
        complained = reason;
        if (!closed) cancelRetry = systemClock.after(RETRY_MS, () => void publish(), { background: true });
      }
    }
    running = false;
  };
  const stopListening = etcd.onDisturbance((what) => {
    if (what === 'back' || what === 'data_lost') void publish();
  });
  void publish();
  return {
    close() {
      closed = true;
      stopListening();
      cancelRetry();
    },
  };
}
