import type { EtcdEntry, Operation } from '@talaria/etcd';
import { isSealed } from '../secrets.ts';
import { changeOf, readHistory, type Change, type HistoryEntry, type RecordedSetting } from './change-record.ts';
import { recordOf, transact, type ChangeOptions, type StoreContext } from './commit.ts';
import { ConfigStoreError } from './config-store-error.ts';
import type { JsonValue } from './json.ts';
import { opened, sealed, valueOf } from './plan.ts';
import { readSnapshot, type Stored } from './snapshot.ts';
import type { Target } from './target.ts';

/** What `rekey` did. */
export interface RekeyResult {
  /** The key that encrypts everything now. */
  readonly key: string;
  /** One for each target that had secrets under another key (several, for very many). */
  readonly changes: readonly Change[];
  /** How many records of the history were encrypted anew. */
  readonly records: number;
  /** What could not be, a sentence each: its key is missing, or somebody changed it meanwhile. */
  readonly problems: readonly string[];
}

/** Secrets of one transaction; each takes two operations at most, and etcd takes 128. */
const BATCH = 50;

/** A stored secret that is to be encrypted anew. */
interface Old {
  readonly stored: Stored;
  readonly entry: EtcdEntry;
  readonly fresh: JsonValue;
}

/** Encrypts every secret, and those in the history, with the first key. Throws a `ConfigStoreError` without a key. */
export async function rekey(context: StoreContext, options: ChangeOptions): Promise<RekeyResult> {
  const [key] = context.secrets.keyring.ids;
  if (key === undefined) throw new ConfigStoreError('no_key', 'There is no key to encrypt with: set TALARIA_CONFIG_KEYS to the new key and, after it, those that the secrets have now.');
  const problems: string[] = [];
  const changes: Change[] = [];
  const { stored } = await readSnapshot(context.etcd, context.keys);
  const old = [...stored.values()].flatMap((each) => [each.permanent, each.temporary].flatMap((entry) => (entry ? (anew(context, key, each, entry, problems) ?? []) : [])));
  for (const [, ofTarget] of Map.groupBy(old, ({ entry: { key: at } }) => at.slice(0, at.lastIndexOf('/')))) {
    for (let from = 0; from < ofTarget.length; from += BATCH) {
      const change = await rewrite(context, ofTarget.slice(from, from + BATCH), options);
      if (change) changes.push(change);
      else problems.push(`Somebody changed ${ofTarget.map(({ stored: { name } }) => name).join(', ')} meanwhile: run this again.`);
    }
  }
  let records = 0;
  for (const entry of await readHistory(context.etcd, context.keys)) if (await rewriteRecord(context, key, entry, problems)) records++;
  return { key, changes, records, problems };
}

/** A sealed value under the first key; undefined if it is so already, or is none, or cannot be opened. */
function resealed({ secrets }: StoreContext, key: string, place: Pick<Stored, 'target' | 'name'>, value: JsonValue | undefined): JsonValue | undefined {
  if (!isSealed(value) || value.$secret.key === key) return undefined;
  return sealed(secrets, place, opened(secrets, place, value as unknown as JsonValue));
}

function anew(context: StoreContext, key: string, stored: Stored, entry: EtcdEntry, problems: string[]): Old | undefined {
  try {
    const fresh = resealed(context, key, stored, valueOf(entry));
    return fresh === undefined ? undefined : { stored, entry, fresh };
  } catch (error) {
    problems.push((error as Error).message);
    return undefined;
  }
}

async function rewrite(context: StoreContext, batch: readonly Old[], options: ChangeOptions): Promise<Change | undefined> {
  const target = batch[0]?.stored.target as Target;
  const settings = batch.map(({ stored: { name }, fresh }): RecordedSetting => ({ name, before: fresh, after: fresh, secret: true }));
  const record = recordOf(context, target, settings, { ...options, rekey: true });
  const puts = batch.map(({ entry: { key, lease }, fresh }): Operation => ({ put: key, value: JSON.stringify(fresh), ...(lease === '0' ? {} : { lease }) }));
  const revision = await transact(context, record, {
    compare: [{ key: context.keys.record(record.id), modRevision: 0n }, ...batch.map(({ entry: { key, modRevision } }) => ({ key, modRevision }))],
    success: [{ put: context.keys.record(record.id), value: JSON.stringify(record) }, ...puts],
  });
  return revision === undefined ? undefined : changeOf({ record, target, revision });
}

/** A record keeps its place in the history, which goes by the revision that made its key. */
async function rewriteRecord(context: StoreContext, key: string, { record, target, entry }: HistoryEntry, problems: string[]): Promise<boolean> {
  let touched = false;
  const fresh = (setting: RecordedSetting): RecordedSetting => {
    const again: Record<string, unknown> = { ...setting };
    for (const part of ['before', 'after', 'ended'] as const) {
      const value = resealed(context, key, { target, name: setting.name }, setting[part]);
      if (value === undefined) continue;
      again[part] = value;
      touched = true;
    }
    return again as unknown as RecordedSetting;
  };
  try {
    const settings = record.settings.map(fresh);
    return touched && (await context.etcd.compareAndSet(entry.key, entry, JSON.stringify({ ...record, settings })));
  } catch (error) {
    if (!(error instanceof ConfigStoreError)) throw error;
    problems.push(`Of change ${record.id}: ${error.message}`);
    return false;
  }
}
