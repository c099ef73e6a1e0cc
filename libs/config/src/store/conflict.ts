import type { EtcdEntry } from '@talaria/etcd';
import { changeOf, type Change, type HistoryEntry } from './change-record.ts';
import { shown } from './check-value.ts';
import { ConfigStoreError } from './config-store-error.ts';
import { storedAt, type Snapshot, type Stored } from './snapshot.ts';
import { targetPath, targetText, type Target } from './target.ts';

/** What others did to settings of a target. */
interface Interference {
  readonly changes: readonly Change[];
  /** Settings that were written past the history. */
  readonly unrecorded: readonly string[];
}

/** What happened to settings of a target after a revision. Another key for the same value is no change. */
export function changesAfter(history: readonly HistoryEntry[], snapshot: Snapshot, target: Target, names: readonly string[], revision: bigint): Interference {
  const path = targetPath(target);
  const concerned = history.filter(({ record }) => record.target === path && record.settings.some(({ name }) => names.includes(name)));
  const recorded = new Set(concerned.map((each) => each.revision));
  const later = (entry: EtcdEntry | undefined): boolean => entry !== undefined && entry.modRevision > revision && !recorded.has(entry.modRevision);
  return {
    changes: concerned.filter((each) => each.revision > revision && !each.record.rekey).map(changeOf),
    unrecorded: names.filter((name) => {
      const { permanent, temporary } = storedAt(snapshot, target, name);
      return later(permanent) || later(temporary);
    }),
  };
}

/** Whether somebody wrote to a setting between two looks at it; that a temporary value ended by itself is nobody's doing. */
export function wasWritten(before: Stored, now: Stored): boolean {
  const ended = before.temporary !== undefined && now.temporary === undefined;
  return before.permanent?.modRevision !== now.permanent?.modRevision || (!ended && before.temporary?.modRevision !== now.temporary?.modRevision);
}

/** What a change did to some settings, in a sentence's words: who, when and why. */
function changeWords({ id, who, at, why, target, settings, temporary }: Change, names: readonly string[]): string {
  const did = settings
    .filter(({ name }) => names.includes(name))
    .map(({ name, after }) => (after === undefined ? `unset ${name}` : `set ${name} to ${shown(after)}${temporary ? ' for a while' : ''}`));
  return `${who} ${did.join(' and ')} (${targetText(target)}, ${id}) at ${at}${why === undefined ? '' : `, because "${why}"`}`;
}

/** Says who was faster. */
export function conflict({ changes, unrecorded }: Interference, target: Target, names: readonly string[], what: string): ConfigStoreError {
  const parts = [
    ...changes.map((change) => changeWords(change, names)),
    ...(unrecorded.length === 0 ? [] : [`somebody wrote ${unrecorded.join(', ')} of ${targetText(target)} to etcd without a record of it`]),
  ];
  return new ConfigStoreError('conflict', `${what}: ${parts.length === 0 ? 'somebody else has changed the same settings' : parts.join('; ')}.`);
}
