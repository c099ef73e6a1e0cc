import { newId } from '@talaria/base';
import type { Etcd, Transaction } from '@talaria/etcd';
import { changeOf, historyEntryOf, readHistory, type Change, type ChangeRecord, type RecordedSetting } from './change-record.ts';
import { ConfigStoreError } from './config-store-error.ts';
import { changesAfter, conflict, wasWritten } from './conflict.ts';
import type { Keys } from './names.ts';
import { transactionOf, type Plan, type Secrets } from './plan.ts';
import { readSnapshot, storedAt, type Snapshot } from './snapshot.ts';
import { targetPath, type Target } from './target.ts';

/** What changes are made with. */
export interface StoreContext {
  readonly etcd: Etcd;
  readonly keys: Keys;
  readonly secrets: Secrets;
  /** Who makes them. */
  readonly who: string;
}

/** What is said of a change. */
export interface ChangeOptions {
  /** Kept with the change. */
  readonly why?: string | undefined;
  /** The settings must not have been changed after this revision of the store, as `get` and `explain` tell it. */
  readonly ifRevision?: bigint | undefined;
}

/** What the record of a change says besides. */
export interface Terms extends ChangeOptions {
  readonly temporary?: boolean;
  readonly forMs?: number | undefined;
  /** The lease that temporary values hang on, if it is the caller's. */
  readonly lease?: string | undefined;
  readonly rollbackOf?: string;
  readonly rekey?: true;
}

/** How often a change is planned anew because a service published its settings meanwhile. */
const MAX_ATTEMPTS = 5;
const MAX_WHY_CHARACTERS = 2000;

/**
 * Makes one change: values and record in one transaction, which fails if anything that the plan stands on was changed since it
 * was read. Undefined if there is nothing to do. Throws a `ConfigStoreError` that says who was faster.
 */
export async function commit(context: StoreContext, target: Target, names: readonly string[], plan: (snapshot: Snapshot) => Plan | Promise<Plan>, terms: Terms): Promise<Change | undefined> {
  const { etcd, keys } = context;
  if ((terms.why?.length ?? 0) > MAX_WHY_CHARACTERS) throw new ConfigStoreError('malformed', `The reason has ${terms.why?.length} characters, and may have ${MAX_WHY_CHARACTERS}: say it shorter.`);
  let first: Snapshot | undefined;
  let lease: string | undefined;
  let made = false;
  try {
    for (let attempt = 1; ; attempt++) {
      const snapshot = await readSnapshot(etcd, keys);
      if (first) await refuseIfWritten(context, target, names, first, snapshot);
      else if (terms.ifRevision !== undefined) await refuseIfChanged(context, target, names, snapshot, terms.ifRevision);
      first ??= snapshot;
      const planned = await plan(snapshot);
      if (planned.edits.length === 0) return undefined;
      if (terms.forMs !== undefined && terms.lease === undefined) lease ??= (await etcd.leases.grant(Math.max(1, Math.ceil(terms.forMs / 1000)))).id;
      const record = recordOf(context, target, planned.edits.map((each) => each.record), terms);
      const result = await transact(context, record, transactionOf(keys, target, planned, record, terms.lease ?? lease));
      if (result !== undefined) {
        made = true;
        return changeOf({ record, target, revision: result });
      }
      if (attempt === MAX_ATTEMPTS) throw new ConfigStoreError('conflict', 'Services publish other settings all the time, so that nothing could be checked against them: try again.');
    }
  } finally {
    // A change that may still arrive finds no lease, and fails.
    if (lease !== undefined && !made) await etcd.leases.revoke(lease).catch(() => {});
  }
}

/** Makes a change whose record is part of it. The revision of the change; undefined if its comparisons did not hold. */
export async function transact({ etcd, keys }: StoreContext, record: ChangeRecord, transaction: Transaction): Promise<bigint | undefined> {
  try {
    const { succeeded, revision } = await etcd.transaction(transaction);
    return succeeded ? revision : undefined;
  } catch (error) {
    // The answer may have been lost, and not the change.
    const entry = await etcd.get(keys.record(record.id)).catch(() => {
      throw new ConfigStoreError('outcome_unknown', `etcd did not answer, so it is not known whether the change ${record.id} was made: look for it in the history before you make it again.`, { cause: error });
    });
    if (entry && historyEntryOf(keys, entry)) return entry.createRevision;
    throw error;
  }
}

/** The record of a change that is about to be made. */
export function recordOf({ who }: StoreContext, target: Target, settings: readonly RecordedSetting[], { why, temporary, forMs, rollbackOf, rekey }: Terms): ChangeRecord {
  return {
    id: newId('chg'),
    at: new Date().toISOString(),
    who,
    ...(why === undefined || why === '' ? {} : { why }),
    target: targetPath(target),
    ...(temporary ? { temporary } : {}),
    ...(forMs === undefined ? {} : { for_ms: forMs }),
    ...(rollbackOf === undefined ? {} : { rollback_of: rollbackOf }),
    ...(rekey ? { rekey } : {}),
    settings,
  };
}

async function refuseIfChanged({ etcd, keys }: StoreContext, target: Target, names: readonly string[], snapshot: Snapshot, revision: bigint): Promise<void> {
  if (revision > snapshot.revision) {
    throw new ConfigStoreError('conflict', `There is no revision ${revision} yet, for etcd is at ${snapshot.revision}: it was restored or emptied since you looked, so look again.`);
  }
  const found = changesAfter(await readHistory(etcd, keys), snapshot, target, names, revision);
  if (found.changes.length > 0 || found.unrecorded.length > 0) throw conflict(found, target, names, `Nothing was changed, as it is not any more what it was at revision ${revision}`);
}

async function refuseIfWritten({ etcd, keys }: StoreContext, target: Target, names: readonly string[], before: Snapshot, now: Snapshot): Promise<void> {
  const written = names.filter((name) => wasWritten(storedAt(before, target, name), storedAt(now, target, name)));
  if (written.length === 0) return;
  throw conflict(changesAfter(await readHistory(etcd, keys), now, target, written, before.revision), target, written, 'Nothing was changed, as somebody was faster');
}
