import type { Change, HistoryEntry, RecordedSetting } from './change-record.ts';
import { readHistory } from './change-record.ts';
import { commit, type ChangeOptions, type StoreContext } from './commit.ts';
import { schemasFor } from './concerned.ts';
import { ConfigStoreError } from './config-store-error.ts';
import { changesAfter, conflict } from './conflict.ts';
import { canonical, type JsonValue } from './json.ts';
import { opened, planOf, valueOf, type Wanted } from './plan.ts';
import { resolveValue } from './resolve-value.ts';
import { groundOf } from './set.ts';
import { storedAt, type Snapshot, type Stored } from './snapshot.ts';
import { targetText } from './target.ts';

/** The change with this id. Throws a `ConfigStoreError` if there is none. */
export async function findChange({ etcd, keys }: StoreContext, id: string): Promise<{ readonly found: HistoryEntry; readonly history: readonly HistoryEntry[] }> {
  const history = await readHistory(etcd, keys);
  const found = history.find(({ record }) => record.id === id);
  if (!found) throw new ConfigStoreError('unknown_change', `There is no change "${id.slice(0, 80)}" in the history, which keeps the last 1,000.`);
  return { found, history };
}

/** Takes one change back: what it set says again what it said before. Refuses, naming who, if any of it was changed since. */
export async function rollBack(context: StoreContext, id: string, options: ChangeOptions): Promise<Change> {
  const { found } = await findChange(context, id);
  const { record, target } = found;
  if (record.rekey) throw new ConfigStoreError('malformed', `${id} encrypted secrets with another key, and changed none of them: there is nothing to roll back.`);
  const lost = record.settings.find(({ unreadable }) => unreadable);
  if (lost) throw new ConfigStoreError('malformed', `What ${lost.name} was before ${id} was not kept, as it was no JSON or a secret that was not encrypted: set it to what it shall be.`);
  const names = record.settings.map(({ name }) => name);

  const plan = async (snapshot: Snapshot) => {
    // After the values, so that whatever changed them is in it.
    const changed = changedSince(context, snapshot, await readHistory(context.etcd, context.keys), found);
    if (changed.changes.length > 0 || changed.unrecorded.length > 0) throw conflict(changed, target, names, `${id} cannot be rolled back, as the same settings were changed since; roll those changes back first, the last one first, or set what you want`);
    const restores = !record.temporary && record.settings.some(({ before }) => before !== undefined);
    const schemas = restores ? schemasFor(snapshot, target) : [];
    const wanted = record.settings.map((each) => wantedFor(context, snapshot, found, each, schemas));
    return planOf(context.secrets, wanted, schemas, restores ? groundOf(context, snapshot, target) : [], false);
  };
  const why = options.why ?? `takes back ${id}${record.why === undefined ? '' : `: ${record.why}`}`;
  const change = await commit(context, target, names, plan, { ...options, why: why.slice(0, 2000), rollbackOf: id });
  if (!change) throw new ConfigStoreError('malformed', `${targetText(target)} says already what it said before ${id}: there is nothing to roll back.`);
  return change;
}

/** Who touched the settings of a change after it; also past the history, so that they do not say what it set. */
function changedSince(context: StoreContext, snapshot: Snapshot, history: readonly HistoryEntry[], { record, target, revision }: HistoryEntry): ReturnType<typeof changesAfter> {
  const names = record.settings.map(({ name }) => name);
  const isOver = ({ temporary, settings }: Change): boolean => temporary === true && settings.every(({ name }) => !storedAt(snapshot, target, name).temporary);
  const changes = stillStanding(changesAfter(history, snapshot, target, names, revision).changes).filter((each) => !isOver(each));
  const unrecorded = record.settings.filter((each) => changes.length === 0 && !saysStill(context, storedAt(snapshot, target, each.name), each, record.temporary)).map(({ name }) => name);
  return { changes, unrecorded };
}

/** Without what was taken back, and what took it back. */
function stillStanding(changes: readonly Change[]): readonly Change[] {
  const standing = new Map<string, Change>();
  for (const change of changes) if (change.rollbackOf === undefined || !standing.delete(change.rollbackOf)) standing.set(change.id, change);
  return [...standing.values()];
}

function saysStill({ secrets }: StoreContext, stored: Stored, { after }: RecordedSetting, temporary = false): boolean {
  const entry = temporary ? stored.temporary : stored.permanent;
  if (temporary && !entry) throw new ConfigStoreError('malformed', `The temporary value of ${stored.name} has ended by itself: there is nothing to roll back.`);
  if (!entry || after === undefined) return !entry && after === undefined;
  const now = valueOf(entry);
  return now !== undefined && canonical(opened(secrets, stored, now)) === canonical(opened(secrets, stored, after));
}

function wantedFor({ secrets }: StoreContext, snapshot: Snapshot, { record, target }: HistoryEntry, { name, before, secret: wasSecret }: RecordedSetting, schemas: ReturnType<typeof schemasFor>): Wanted {
  const stored = storedAt(snapshot, target, name);
  const secret = wasSecret === true;
  if (record.temporary) {
    // The permanent value was left alone, and stays.
    const permanent = stored.permanent && valueOf(stored.permanent);
    return { stored, value: permanent === undefined ? undefined : { json: opened(secrets, stored, permanent) }, secret };
  }
  if (before === undefined) return { stored, value: undefined, secret };
  const value: JsonValue = opened(secrets, stored, before);
  const resolved = resolveValue(snapshot, target, name, value, schemas);
  return { stored, value: { json: resolved.json }, secret: resolved.secret };
}
