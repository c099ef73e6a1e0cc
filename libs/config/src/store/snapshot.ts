import type { Etcd, EtcdEntry } from '@talaria/etcd';
import { valueOfKey, type Keys } from './names.ts';
import { appliedOf, schemaOf, type InstanceState, type KnownSchema } from './published.ts';
import { targetPath, type Target } from './target.ts';

/** What a target says of one setting. */
export interface Stored {
  readonly target: Target;
  readonly name: string;
  readonly permanent?: EtcdEntry;
  /** Goes before the permanent one while its lease lasts. */
  readonly temporary?: EtcdEntry;
}

/** A published schema and where it stands. */
export interface SchemaEntry extends KnownSchema {
  readonly entry: EtcdEntry;
}

/** A running instance and where its state stands. */
export interface Instance extends InstanceState {
  readonly entry: EtcdEntry;
}

/** All that is stored, published and applied. */
export interface Snapshot {
  /** The store's revision when values were read. */
  readonly revision: bigint;
  /** The store's revision when schemas were read. */
  readonly schemasRevision: bigint;
  /** By target and name: see `storedAt`. */
  readonly stored: ReadonlyMap<string, Stored>;
  /** Keys below `config/` that nobody reads. */
  readonly odd: readonly EtcdEntry[];
  readonly schemas: readonly SchemaEntry[];
  readonly instances: readonly Instance[];
}

const storedKey = (target: Target, name: string): string => `${targetPath(target)} ${name}`;

/** What a target says of a setting. */
export function storedAt(snapshot: Snapshot, target: Target, name: string): Stored {
  return snapshot.stored.get(storedKey(target, name)) ?? { target, name };
}

/** Reads everything. */
export async function readSnapshot(etcd: Etcd, keys: Keys): Promise<Snapshot> {
  const [config, schemas, applied] = await Promise.all([etcd.list(keys.config), etcd.list(keys.schemas), etcd.list(keys.applied)]);
  return {
    revision: config.revision,
    schemasRevision: schemas.revision,
    ...sortedOut(keys, config.entries),
    schemas: schemas.entries.flatMap((entry) => {
      const schema = schemaOf(entry.value.toString());
      return schema && entry.key === `${keys.schemas}${schema.service}@${schema.version}` ? [{ ...schema, entry }] : [];
    }),
    instances: instancesOf(keys, applied.entries),
  };
}

/** The instances of the entries below `applied/`. */
export function instancesOf(keys: Keys, entries: Iterable<EtcdEntry>): readonly Instance[] {
  return [...entries].flatMap((entry) => {
    const state = appliedOf(entry.value.toString());
    return state && entry.key === `${keys.applied}${state.service}/${state.instance}` ? [{ ...state, entry }] : [];
  });
}

function sortedOut(keys: Keys, entries: readonly EtcdEntry[]): Pick<Snapshot, 'stored' | 'odd'> {
  const stored = new Map<string, Stored>();
  const odd: EtcdEntry[] = [];
  for (const entry of entries) {
    const found = valueOfKey(keys, entry.key);
    if (!found) {
      odd.push(entry);
      continue;
    }
    const { target, name, temporary } = found;
    const key = storedKey(target, name);
    stored.set(key, { ...(stored.get(key) ?? { target, name }), ...(temporary ? { temporary: entry } : { permanent: entry }) });
  }
  return { stored, odd };
}
