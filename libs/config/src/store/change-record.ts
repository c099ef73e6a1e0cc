import type { Etcd, EtcdEntry } from '@talaria/etcd';
import { SECRET } from '../live/applied-state.ts';
import { isSealed } from '../secrets.ts';
import { isRecord, jsonOf, type JsonValue } from './json.ts';
import type { Keys } from './names.ts';
import { targetOfPath, type Target } from './target.ts';

/** What a change did to one setting, as it stands in etcd: secrets are encrypted. What is absent was not there. */
export interface RecordedSetting {
  readonly name: string;
  readonly before?: JsonValue;
  readonly after?: JsonValue;
  /** The temporary value that ended with the change. */
  readonly ended?: JsonValue;
  readonly secret?: true;
  /** Something was there before that could not be kept: no JSON, or a secret that was not encrypted. */
  readonly unreadable?: true;
}

/** A change as it stands in etcd, below `history/`, written in the same transaction as the values. */
export interface ChangeRecord {
  readonly id: string;
  readonly at: string;
  readonly who: string;
  readonly why?: string;
  readonly target: string;
  /** The values end by themselves, after `for_ms` or when whoever made the change is gone. */
  readonly temporary?: true;
  readonly for_ms?: number;
  readonly rollback_of?: string;
  /** The same values, encrypted with another key. */
  readonly rekey?: true;
  readonly settings: readonly RecordedSetting[];
}

/** A record and where it stands. */
export interface HistoryEntry {
  readonly record: ChangeRecord;
  readonly target: Target;
  /** The store's revision when the change was made: that of its values, and the order of changes. */
  readonly revision: bigint;
  readonly entry: EtcdEntry;
}

/** What a change did to one setting. The values of secrets are `"[secret]"`. */
export interface SettingChange {
  readonly name: string;
  /** Absent: the target said nothing. */
  readonly before?: JsonValue;
  /** Absent: the target says nothing any more. */
  readonly after?: JsonValue;
  /** The temporary value that the change ended early. */
  readonly endedTemporary?: JsonValue;
  readonly secret?: true;
}

/** A change that was made: by whom, when, why, and what it did. */
export interface Change {
  readonly id: string;
  /** RFC 3339, by the clock of whoever made it; `revision` is what orders changes. */
  readonly at: string;
  readonly who: string;
  readonly why?: string;
  readonly target: Target;
  /** Its values end by themselves: after `forMs`, or without it when whoever made the change is gone. */
  readonly temporary?: true;
  /** How long its values hold, in ms. */
  readonly forMs?: number;
  /** The change that it took back. */
  readonly rollbackOf?: string;
  /** It encrypted the same values with another key. */
  readonly rekey?: true;
  /** The store's revision that it made. */
  readonly revision: bigint;
  readonly settings: readonly SettingChange[];
}

/** All records, the oldest first. What is none is left out. */
export async function readHistory(etcd: Etcd, keys: Keys): Promise<readonly HistoryEntry[]> {
  const { entries } = await etcd.list(keys.history);
  return entries.flatMap((entry) => historyEntryOf(keys, entry) ?? []).sort((a, b) => Number(a.revision - b.revision));
}

/** The record of an entry below `history/`; undefined if it is none. */
export function historyEntryOf(keys: Keys, entry: EtcdEntry): HistoryEntry | undefined {
  const json = jsonOf(entry.value.toString())?.json;
  if (!isRecord(json) || !Array.isArray(json['settings']) || typeof json['target'] !== 'string') return undefined;
  const record = json as unknown as ChangeRecord;
  const target = targetOfPath(record.target);
  if (!target || keys.record(record.id) !== entry.key || !record.settings.every((each) => isRecord(each) && typeof each.name === 'string')) return undefined;
  return { record, target, revision: entry.createRevision, entry };
}

/** A stored value as people may see it. */
export function shownValue(value: JsonValue, secret = false): JsonValue {
  return secret || isSealed(value) ? SECRET : value;
}

/** A record as people may see it. */
export function changeOf({ record, target, revision }: Pick<HistoryEntry, 'record' | 'target' | 'revision'>): Change {
  const { id, at, who, why, temporary, for_ms, rollback_of, rekey, settings } = record;
  return {
    id,
    at,
    who,
    ...(why === undefined ? {} : { why }),
    target,
    ...(temporary ? { temporary } : {}),
    ...(for_ms === undefined ? {} : { forMs: for_ms }),
    ...(rollback_of === undefined ? {} : { rollbackOf: rollback_of }),
    ...(rekey ? { rekey } : {}),
    revision,
    settings: settings.map(({ name, before, after, ended, secret }) => ({
      name,
      ...(before === undefined ? {} : { before: shownValue(before, secret) }),
      ...(after === undefined ? {} : { after: shownValue(after, secret) }),
      ...(ended === undefined ? {} : { endedTemporary: shownValue(ended, secret) }),
      ...(secret ? { secret } : {}),
    })),
  };
}
