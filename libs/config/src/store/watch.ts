import type { Logger } from '@talaria/base';
import { watchPrefix, type EtcdEntry } from '@talaria/etcd';
import { changeOf, readHistory, shownValue, type Change, type HistoryEntry } from './change-record.ts';
import type { StoreContext } from './commit.ts';
import { isSecret } from './get.ts';
import type { JsonValue } from './json.ts';
import { valueOfKey } from './names.ts';
import { valueOf } from './plan.ts';
import { readSnapshot, type Snapshot } from './snapshot.ts';
import { targetPath, type Target } from './target.ts';

/** Something that happened to what is stored. */
export type Observation =
  /** Somebody made a change. */
  | { readonly kind: 'change'; readonly change: Change }
  /** A temporary value ended by itself. */
  | { readonly kind: 'ended'; readonly target: Target; readonly name: string; readonly value?: JsonValue }
  /** Somebody wrote past the history. */
  | { readonly kind: 'unrecorded'; readonly target: Target; readonly name: string; readonly before?: JsonValue; readonly after?: JsonValue }
  /** etcd was emptied, or restored from a backup. */
  | { readonly kind: 'data_lost' };

/** What is watched, and who is told. */
export interface WatchChangesOptions {
  readonly log: Logger;
  /** Default: all. */
  readonly target?: Target | undefined;
  /** Default: all settings. */
  readonly name?: string | undefined;
  onObservation(observation: Observation): void;
}

/** Watches until closed, also while etcd is away: what happened meanwhile is told when it is back. */
export interface ChangesWatch {
  /** Resolves when it watches. Pending while etcd is away. */
  readonly ready: Promise<void>;
  close(): void;
}

/** One key that is not any more what it was. */
interface Raw {
  readonly key: string;
  readonly before: EtcdEntry | undefined;
  readonly after: EtcdEntry | undefined;
  /** Undefined: it was deleted, some time ago. */
  readonly revision: bigint | undefined;
}

/** Tells every change as it happens: those of the history, and what goes past it. */
export function watchChanges(context: StoreContext, { log, target, name, onObservation }: WatchChangesOptions): ChangesWatch {
  const { etcd, keys } = context;
  let known: ReadonlyMap<string, EtcdEntry> | undefined;
  /** Everything up to here was told. */
  let told = 0n;
  let pending: Raw[] = [];
  let upTo = 0n;
  let turn: Promise<void> = Promise.resolve();
  let closed = false;

  const wants = (at: Target, settings: readonly string[]): boolean => (!target || targetPath(at) === targetPath(target)) && (name === undefined || settings.includes(name));
  const tell = (): void => {
    turn = turn.then(async () => {
      if (closed || (pending.length === 0 && upTo <= told)) return;
      const [raws, end] = [pending, upTo];
      const [history, snapshot] = await Promise.all([readHistory(etcd, keys), readSnapshot(etcd, keys)]);
      if (closed) return;
      pending = pending.filter((each) => !raws.includes(each));
      const records = history.filter(({ revision }) => revision > told && revision <= end);
      const others = raws.flatMap((raw) => otherwise(raw, records, snapshot));
      const all = [...records.map((each) => ({ at: each.revision, what: { kind: 'change', change: changeOf(each) } as Observation })), ...others];
      told = end;
      for (const { what } of all.sort((a, b) => Number(a.at - b.at))) {
        if (what.kind === 'data_lost' || (what.kind === 'change' ? wants(what.change.target, what.change.settings.map((each) => each.name)) : wants(what.target, [what.name]))) onObservation(what);
      }
    });
    // etcd went away in between: what is pending is told after the next listing.
    turn = turn.catch(() => {});
  };

  /** What is behind a change of a key that no record explains. */
  const otherwise = ({ key, before, after, revision }: Raw, records: readonly HistoryEntry[], snapshot: Snapshot): readonly { readonly at: bigint; readonly what: Observation }[] => {
    const place = valueOfKey(keys, key);
    if (!place) return [];
    const { target: at, name: setting, temporary } = place;
    const touches = ({ record }: HistoryEntry): boolean => record.target === targetPath(at) && record.settings.some((each) => each.name === setting);
    if (records.some((each) => (revision === undefined || each.revision === revision) && touches(each))) return [];
    const secret = isSecret(snapshot, at, setting);
    const shown = (entry: EtcdEntry | undefined): JsonValue | undefined => {
      const value = entry && valueOf(entry);
      return value === undefined ? undefined : shownValue(value, secret);
    };
    const [was, is] = [shown(before), shown(after)];
    const what: Observation =
      temporary && !after
        ? { kind: 'ended', target: at, name: setting, ...(was === undefined ? {} : { value: was }) }
        : { kind: 'unrecorded', target: at, name: setting, ...(was === undefined ? {} : { before: was }), ...(is === undefined ? {} : { after: is }) };
    return [{ at: revision ?? upTo, what }];
  };

  const watch = watchPrefix(etcd, keys.config, {
    log,
    onSnapshot(entries, revision) {
      if (known && revision < upTo) {
        onObservation({ kind: 'data_lost' });
        pending = [];
        told = revision;
      } else if (known) {
        for (const [key, after] of entries) if (known.get(key)?.modRevision !== after.modRevision) pending.push({ key, before: known.get(key), after, revision: after.modRevision });
        for (const [key, before] of known) if (!entries.has(key)) pending.push({ key, before, after: undefined, revision: undefined });
      } else told = revision;
      upTo = revision;
      known = new Map(entries);
      tell();
    },
    onEvents(events, entries) {
      for (const event of events) {
        if (event.type === 'put') pending.push({ key: event.entry.key, before: known?.get(event.entry.key), after: event.entry, revision: event.entry.modRevision });
        else pending.push({ key: event.key, before: known?.get(event.key), after: undefined, revision: event.revision });
        const at = event.type === 'put' ? event.entry.modRevision : event.revision;
        if (at > upTo) upTo = at;
      }
      known = new Map(entries);
      tell();
    },
  });
  return {
    ready: watch.ready,
    close() {
      closed = true;
      watch.close();
    },
  };
}
