import type { Comparison } from '@talaria/etcd';
import { isSealed } from '../secrets.ts';
import type { Change } from './change-record.ts';
import { commit, type ChangeOptions, type StoreContext } from './commit.ts';
import { schemasFor, unknownSetting } from './concerned.ts';
import { ConfigStoreError } from './config-store-error.ts';
import { checkedName } from './names.ts';
import { planOf, valueOf, type Wanted } from './plan.ts';
import { resolveValue, type GivenValue } from './resolve-value.ts';
import { storedAt, type Instance, type SchemaEntry, type Snapshot } from './snapshot.ts';
import type { Target } from './target.ts';

/** How a change is made. */
export interface SetOptions extends ChangeOptions {
  /** The values end by themselves after this time, in ms, by etcd's clock; whole seconds, rounded up. Until then they win over the permanent ones of the target. */
  readonly forMs?: number | undefined;
  /** The values end with this lease of the caller's, which keeps it alive and revokes it; in place of `forMs`. */
  readonly lease?: string | undefined;
}

/** What came of `set`. */
export interface SetResult {
  /** Undefined: everything was so already, and nothing was written. */
  readonly change: Change | undefined;
  /** Settings that instances take at their next start. */
  readonly atNextStart: readonly string[];
}

/** etcd's own limit is thousands of years; nobody means that. */
const MAX_FOR_MS = 366 * 24 * 3_600_000;

/** Sets and unsets (undefined) settings of a target, all in one change or none. */
export async function setValues(context: StoreContext, target: Target, values: Readonly<Record<string, GivenValue | undefined>>, options: SetOptions): Promise<SetResult> {
  const names = Object.keys(values).map(checkedName);
  if (names.length === 0) throw new ConfigStoreError('malformed', 'There is nothing to change: name a setting and its value.');
  const { forMs, lease } = options;
  const temporary = forMs !== undefined || lease !== undefined;
  if (forMs !== undefined && !(forMs > 0 && forMs <= MAX_FOR_MS)) throw new ConfigStoreError('malformed', 'A temporary value holds for at least a second and at most 366 days.');
  if (temporary && names.some((name) => values[name] === undefined)) throw new ConfigStoreError('malformed', 'A setting cannot be unset for a while: set it to what it shall be meanwhile.');
  let atNextStart: readonly string[] = [];

  const plan = (snapshot: Snapshot) => {
    const sets = names.some((name) => values[name] !== undefined);
    const schemas = sets ? schemasFor(snapshot, target) : schemasIfAny(snapshot, target);
    const late: string[] = [];
    const wanted = names.map((name): Wanted => {
      const stored = storedAt(snapshot, target, name);
      const given = values[name];
      if (given === undefined) return unset(snapshot, target, stored, schemas);
      const { json, secret, live } = resolveValue(snapshot, target, name, given, schemas);
      if (!live) late.push(name);
      return { stored, value: { json }, secret };
    });
    atNextStart = late;
    return planOf(context.secrets, wanted, schemas, sets ? groundOf(context, snapshot, target) : [], temporary);
  };
  const change = await commit(context, target, names, plan, { ...options, temporary });
  return { change, atNextStart };
}

/** What was found valid must still be what services publish; an instance must still be there. */
export function groundOf({ keys }: StoreContext, { schemasRevision, instances }: Snapshot, target: Target): Comparison[] {
  const instance: Instance | undefined = target.kind === 'instance' ? instances.find((each) => each.instance === target.instance) : undefined;
  const prefix = target.kind === 'service' ? `${keys.schemas}${target.service}@` : keys.schemas;
  return [{ prefix, unchangedSince: schemasRevision }, ...(instance ? [{ key: instance.entry.key, lease: instance.entry.lease }] : [])];
}

/** What is stored for somebody who is gone can still be removed. */
function schemasIfAny(snapshot: Snapshot, target: Target): readonly SchemaEntry[] {
  try {
    return schemasFor(snapshot, target);
  } catch (error) {
    if ([...snapshot.stored.values()].some((each) => JSON.stringify(each.target) === JSON.stringify(target))) return [];
    throw error;
  }
}

function unset(snapshot: Snapshot, target: Target, stored: Wanted['stored'], schemas: readonly SchemaEntry[]): Wanted {
  const { name, permanent, temporary } = stored;
  const known = schemas.filter(({ settings }) => settings.has(name));
  if (!permanent && !temporary && known.length === 0) throw unknownSetting(snapshot, target, name, schemas);
  const isEncrypted = [permanent, temporary].some((entry) => entry !== undefined && isSealed(valueOf(entry)));
  return { stored, value: undefined, secret: isEncrypted || known.some(({ settings }) => settings.get(name)?.secret) };
}
