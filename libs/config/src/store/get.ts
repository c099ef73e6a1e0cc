import type { EtcdEntry } from '@talaria/etcd';
import { isSealed } from '../secrets.ts';
import { shownValue } from './change-record.ts';
import type { StoreContext } from './commit.ts';
import { schemasFor } from './concerned.ts';
import type { JsonValue } from './json.ts';
import { valueOf } from './plan.ts';
import { readSnapshot, type Snapshot, type Stored } from './snapshot.ts';
import { targetPath, type Target } from './target.ts';

/** A value that is stored. */
export interface StoredValue {
  /** `[secret]` for a secret; absent if what is there is no JSON. */
  readonly value?: JsonValue;
  readonly secret?: true;
  /** The store's revision when it was written. */
  readonly revision: bigint;
  /** Of a temporary value: how many seconds it still holds, by etcd's clock. */
  readonly secondsLeft?: number;
}

/** What a target says of a setting. */
export interface StoredSetting {
  readonly name: string;
  readonly permanent?: StoredValue;
  /** Wins while it is there. */
  readonly temporary?: StoredValue;
}

/** What a target says. */
export interface StoredTarget {
  /** The store's revision: for `ifRevision`. */
  readonly revision: bigint;
  /** By name. */
  readonly settings: readonly StoredSetting[];
}

/** Whether a setting is a secret to anybody whom the target concerns, or to anybody at all if that is nobody. */
export function isSecret(snapshot: Snapshot, target: Target, name: string): boolean {
  let schemas: readonly { readonly settings: ReadonlyMap<string, { readonly secret?: boolean }> }[] = snapshot.schemas;
  try {
    const concerned = schemasFor(snapshot, target).filter(({ settings }) => settings.has(name));
    if (concerned.length > 0) schemas = concerned;
  } catch {
    // Nobody knows the target (any more): all schemas are asked.
  }
  return schemas.some(({ settings }) => settings.get(name)?.secret);
}

/** An entry as people may see it. */
export async function storedValue({ etcd }: StoreContext, entry: EtcdEntry, secret: boolean): Promise<StoredValue> {
  const value = valueOf(entry);
  const hidden = secret || isSealed(value);
  const secondsLeft = entry.lease === '0' ? undefined : await etcd.leases.remaining(entry.lease);
  return {
    ...(value === undefined ? {} : { value: shownValue(value, hidden) }),
    ...(hidden ? { secret: true } : {}),
    revision: entry.modRevision,
    ...(secondsLeft === undefined ? {} : { secondsLeft }),
  };
}

/** What a target itself says, of all settings or one. */
export async function getStored(context: StoreContext, target: Target, name?: string): Promise<StoredTarget> {
  const snapshot = await readSnapshot(context.etcd, context.keys);
  const path = targetPath(target);
  const own = [...snapshot.stored.values()].filter((each) => targetPath(each.target) === path && (name === undefined || each.name === name));
  if (own.length === 0) schemasFor(snapshot, target);
  return { revision: snapshot.revision, settings: await Promise.all(own.map((each) => settingOf(context, snapshot, each))) };
}

/** What stands at one place, as people may see it. */
export async function settingOf(context: StoreContext, snapshot: Snapshot, { target, name, permanent, temporary }: Stored): Promise<StoredSetting> {
  const secret = isSecret(snapshot, target, name);
  return {
    name,
    ...(permanent ? { permanent: await storedValue(context, permanent, secret) } : {}),
    ...(temporary ? { temporary: await storedValue(context, temporary, secret) } : {}),
  };
}
