import type { Comparison, EtcdEntry, Operation } from '@talaria/etcd';
import { isSealed, type ConfigKeyring } from '../secrets.ts';
import { MAX_VALUE_BYTES } from '../setting-names.ts';
import type { ChangeRecord, RecordedSetting } from './change-record.ts';
import { ConfigStoreError } from './config-store-error.ts';
import { canonical, jsonOf, type JsonValue } from './json.ts';
import type { Keys } from './names.ts';
import type { SchemaEntry, Stored } from './snapshot.ts';
import { targetPath, targetText, type Target } from './target.ts';

/** What a target shall say of a setting. */
export interface Wanted {
  readonly stored: Stored;
  /** Undefined: nothing any more. Secrets are not encrypted yet. */
  readonly value: { readonly json: JsonValue } | undefined;
  readonly secret: boolean;
}

/** What becomes of one setting. */
interface Edit {
  readonly stored: Stored;
  /** The JSON text to put; undefined to delete what is there. */
  readonly put: string | undefined;
  readonly record: RecordedSetting;
}

/** One change, ready to be made. */
export interface Plan {
  readonly edits: readonly Edit[];
  /** What the change stands on besides the values themselves. */
  readonly compare: readonly Comparison[];
}

/** etcd's default for --max-txn-ops; comparisons and operations are counted apart. */
const MAX_OPERATIONS = 128;
/** etcd takes requests of 1.5 MiB by default. */
const MAX_TRANSACTION_BYTES = 1024 * 1024;

/** Encrypts and opens the values of a namespace. */
export interface Secrets {
  readonly namespace: string;
  readonly keyring: ConfigKeyring;
}

/** The value of an entry; undefined if it is no JSON. */
export const valueOf = (entry: EtcdEntry): JsonValue | undefined => jsonOf(entry.value.toString())?.json;

/** A value with its secret opened; throws a `ConfigStoreError` if that is not possible. */
export function opened({ namespace, keyring }: Secrets, { target, name }: Pick<Stored, 'target' | 'name'>, value: JsonValue): JsonValue {
  if (!isSealed(value)) return value;
  try {
    return keyring.open(value, { namespace, target: targetPath(target), name }) as JsonValue;
  } catch (error) {
    throw new ConfigStoreError('no_key', `The secret ${name} of ${targetText(target)} cannot be read: ${(error as Error).message}.`);
  }
}

/** A secret as it is stored; throws a `ConfigStoreError` without a key. */
export function sealed({ namespace, keyring }: Secrets, { target, name }: Pick<Stored, 'target' | 'name'>, value: JsonValue): JsonValue {
  if (keyring.ids.length === 0) {
    throw new ConfigStoreError('no_key', `${name} is a secret, and there is no key to encrypt it with: set TALARIA_CONFIG_KEYS to the keys that the services have, such as "k1:<base64 of 32 random bytes>".`);
  }
  return keyring.seal(value, { namespace, target: targetPath(target), name }) as unknown as JsonValue;
}

/** What is to be done for what is wanted; nothing for what is so already. */
export function planOf(secrets: Secrets, wanted: readonly Wanted[], schemas: readonly SchemaEntry[], compare: readonly Comparison[], temporary: boolean): Plan {
  const edits = wanted.flatMap(({ stored, value, secret }): Edit[] => {
    if (isSo(secrets, stored, value, secret, temporary)) return [];
    const kept = secret && value ? { json: sealed(secrets, stored, value.json) } : value;
    const put = kept && JSON.stringify(kept.json);
    if (put !== undefined && Buffer.byteLength(put) > MAX_VALUE_BYTES) {
      throw new ConfigStoreError('invalid_value', `${stored.name} would take ${Math.ceil(Buffer.byteLength(put) / 1024)} KiB, and a value may have ${MAX_VALUE_BYTES / 1024}: keep what is larger elsewhere, and store where it is.`);
    }
    return [{ stored, put, record: recordOf(stored, kept, secret, temporary) }];
  });
  // Each value was found valid by some schema: that one has to be there still.
  const relied = edits.flatMap(({ stored: { name }, put }) => (put === undefined ? [] : [schemas.find(({ settings }) => settings.has(name))])).filter((each) => each !== undefined);
  return { edits, compare: [...compare, ...new Set(relied)].map((each) => ('entry' in each ? { key: each.entry.key, modRevision: each.entry.modRevision } : each)) };
}

/** Whether the target says just that already. */
function isSo(secrets: Secrets, stored: Stored, value: Wanted['value'], secret: boolean, temporary: boolean): boolean {
  if (!value) return !stored.permanent && !stored.temporary;
  if (temporary || stored.temporary || !stored.permanent) return false;
  const now = valueOf(stored.permanent);
  if (now === undefined || isSealed(now) !== secret) return false;
  try {
    return canonical(opened(secrets, stored, now)) === canonical(value.json);
  } catch {
    return false;
  }
}

function recordOf({ name, permanent, temporary: ending }: Stored, kept: Wanted['value'], secret: boolean, temporary: boolean): RecordedSetting {
  const readable = (entry: EtcdEntry | undefined): JsonValue | undefined => {
    const value = entry && valueOf(entry);
    return value !== undefined && secret && !isSealed(value) ? undefined : value;
  };
  // A temporary value changes what the target said at that moment; it leaves the permanent one alone.
  const before = readable(temporary ? (ending ?? permanent) : permanent);
  const ended = temporary ? undefined : readable(ending);
  const lost = (permanent !== undefined && readable(permanent) === undefined) || (ending !== undefined && readable(ending) === undefined);
  return {
    name,
    ...(before === undefined ? {} : { before }),
    ...(kept ? { after: kept.json } : {}),
    ...(ended === undefined ? {} : { ended }),
    ...(secret ? { secret } : {}),
    ...(lost ? { unreadable: true } : {}),
  };
}

/** The transaction of a plan. Throws a `ConfigStoreError` for one that is more than etcd takes. */
export function transactionOf(keys: Keys, target: Target, { edits, compare }: Plan, record: ChangeRecord, lease: string | undefined): { readonly compare: Comparison[]; readonly success: Operation[] } {
  const success: Operation[] = [{ put: keys.record(record.id), value: JSON.stringify(record) }];
  const unchanged: Comparison[] = [{ key: keys.record(record.id), modRevision: 0n }];
  for (const { stored, put } of edits) {
    const [key, temporaryKey] = [keys.value(target, stored.name), keys.temporary(target, stored.name)];
    unchanged.push({ key, modRevision: stored.permanent?.modRevision ?? 0n }, { key: temporaryKey, modRevision: stored.temporary?.modRevision ?? 0n });
    if (lease !== undefined) {
      if (put !== undefined) success.push({ put: temporaryKey, value: put, lease });
      continue;
    }
    if (put !== undefined) success.push({ put: key, value: put });
    else if (stored.permanent) success.push({ delete: key });
    if (stored.temporary) success.push({ delete: temporaryKey });
  }
  const all = [...unchanged, ...compare];
  if (all.length > MAX_OPERATIONS || success.length > MAX_OPERATIONS) {
    throw new ConfigStoreError('invalid_value', `A change of ${edits.length} settings is more than etcd takes in one transaction (${MAX_OPERATIONS} operations): make it in several, of ${Math.floor((MAX_OPERATIONS - 1 - compare.length) / 2)} settings at most.`);
  }
  const bytes = success.reduce((sum, each) => sum + ('put' in each ? Buffer.byteLength(each.value) : 0), 0);
  if (bytes > MAX_TRANSACTION_BYTES) {
    throw new ConfigStoreError('invalid_value', `The change and its record would take ${Math.ceil(bytes / 1024)} KiB, and etcd takes ${MAX_TRANSACTION_BYTES / 1024} at once: make it in several changes.`);
  }
  return { compare: all, success };
}
