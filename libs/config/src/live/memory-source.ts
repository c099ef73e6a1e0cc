import { TEMPORARY_SUFFIX, type ConfigReader, type TargetPath } from '../setting-names.ts';
import type { AppliedState } from './applied-state.ts';
import type { ConfigSource, RawChange, RawEntry, TargetListener } from './config-source.ts';
import type { PublishedSchema } from './published-schema.ts';

/** Live values in memory: for tests, and for programs without etcd. */
export interface MemoryConfigSource extends ConfigSource {
  /** Writes values, all in one revision; undefined removes one. `temporary` ones win until they are removed. Answers the revision. */
  set(target: TargetPath, values: Readonly<Record<string, unknown>>, options?: { readonly temporary?: boolean }): bigint;
  /** Writes texts as they are, which may be no JSON. */
  write(target: TargetPath, texts: Readonly<Record<string, string | Uint8Array | undefined>>): bigint;
  /** What instances have applied, by `<service>/<instance>`. */
  readonly applied: ReadonlyMap<string, AppliedState>;
  /** What was published, by `<service>@<version>`. */
  readonly schemas: ReadonlyMap<string, PublishedSchema>;
}

/** Makes a source, empty. Several services may share it. Who sets a value finds it applied when `set` returns. */
export function memoryConfigSource(): MemoryConfigSource {
  const targets = new Map<TargetPath, Map<string, RawEntry>>();
  const listeners = new Map<TargetPath, Set<TargetListener>>();
  const applied = new Map<string, AppliedState>();
  const schemas = new Map<string, PublishedSchema>();
  let revision = 1n;

  const entriesOf = (target: TargetPath): Map<string, RawEntry> => {
    const entries = targets.get(target) ?? new Map<string, RawEntry>();
    targets.set(target, entries);
    return entries;
  };
  const write: MemoryConfigSource['write'] = (target, texts) => {
    revision++;
    const entries = entriesOf(target);
    const changes: RawChange[] = [];
    for (const [name, text] of Object.entries(texts)) {
      const known = entries.get(name);
      const entry = text === undefined ? undefined : { value: Buffer.from(text), revision, createRevision: known?.createRevision ?? revision };
      if (entry) entries.set(name, entry);
      else if (!entries.delete(name)) continue;
      changes.push({ name, entry, revision });
    }
    if (changes.length > 0) for (const listener of [...(listeners.get(target) ?? [])]) listener.onChanges(changes);
    return revision;
  };

  return {
    name: 'memory',
    applied,
    schemas,
    keyOf: (target, name) => `config/${target}/${name}`,
    follow(target, listener) {
      const all = listeners.get(target) ?? new Set();
      listeners.set(target, all.add(listener));
      listener.onSnapshot(new Map(entriesOf(target)), revision);
      return () => void all.delete(listener);
    },
    join({ service, version, instance }: ConfigReader, schema, onPublished) {
      const key = `${service}/${instance}`;
      schemas.set(`${service}@${version}`, schema);
      onPublished();
      return {
        show: (state) => void applied.set(key, state),
        close: async () => void applied.delete(key),
      };
    },
    mark: async () => 'memory',
    set(target, values, { temporary = false } = {}) {
      const text = (value: unknown): string | undefined => (value === undefined ? undefined : JSON.stringify(value));
      return write(target, Object.fromEntries(Object.entries(values).map(([name, value]) => [temporary ? `${name}${TEMPORARY_SUFFIX}` : name, text(value)])));
    },
    write,
  };
}
