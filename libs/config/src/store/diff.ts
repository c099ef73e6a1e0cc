import { readHistory, shownValue } from './change-record.ts';
import type { StoreContext } from './commit.ts';
import { schemasFor } from './concerned.ts';
import { ConfigStoreError } from './config-store-error.ts';
import { isSecret } from './get.ts';
import { canonical, type JsonValue } from './json.ts';
import { opened, valueOf } from './plan.ts';
import { findChange } from './rollback.ts';
import { readSnapshot, type Snapshot } from './snapshot.ts';
import { targetPath, type Target } from './target.ts';

/** One side of a comparison. */
export interface DiffSide {
  readonly target: Target;
  /** As it was right after this change; absent: as it is now. */
  readonly after?: string | undefined;
}

/** A setting of which two sides say different things. Permanent values only. */
export interface Difference {
  readonly name: string;
  /** Absent: this side says nothing. `[secret]` for a secret. */
  readonly a?: JsonValue;
  readonly b?: JsonValue;
  readonly secret?: true;
}

/** How what two targets themselves say differs, or one target now from what it said after a change. */
export async function diff(context: StoreContext, a: DiffSide, b: DiffSide): Promise<readonly Difference[]> {
  const snapshot = await readSnapshot(context.etcd, context.keys);
  const [left, right] = [await sideOf(context, snapshot, a), await sideOf(context, snapshot, b)];
  const plain = (side: DiffSide, name: string, value: JsonValue | undefined): string => (value === undefined ? '' : canonical(opened(context.secrets, { target: side.target, name }, value)));
  return [...new Set([...left.keys(), ...right.keys()])].sort().flatMap((name): Difference[] => {
    const [one, other] = [left.get(name), right.get(name)];
    if (plain(a, name, one) === plain(b, name, other)) return [];
    const secret = isSecret(snapshot, a.target, name) || isSecret(snapshot, b.target, name);
    return [{ name, ...(one === undefined ? {} : { a: shownValue(one, secret) }), ...(other === undefined ? {} : { b: shownValue(other, secret) }), ...(secret ? { secret } : {}) }];
  });
}

/** What a target says, by name: now, or now with all later changes undone. */
async function sideOf(context: StoreContext, snapshot: Snapshot, { target, after }: DiffSide): Promise<ReadonlyMap<string, JsonValue>> {
  const path = targetPath(target);
  const own = [...snapshot.stored.values()].filter((each) => targetPath(each.target) === path);
  if (own.length === 0 && after === undefined) schemasFor(snapshot, target);
  const values = new Map<string, JsonValue>(own.flatMap(({ name, permanent }) => (permanent ? [[name, valueOf(permanent) ?? permanent.value.toString()] as [string, JsonValue]] : [])));
  if (after === undefined) return values;
  const { found } = await findChange(context, after);
  if (found.record.target !== path) throw new ConfigStoreError('malformed', `The change ${after} is one of ${found.record.target.replace(/^\w+\//, '')}, and not of ${path.replace(/^\w+\//, '')}: give one of the same target.`);
  const history = await readHistory(context.etcd, context.keys);
  for (const { record, revision } of history.toReversed()) {
    if (record.target !== path || record.rekey || record.temporary || revision <= found.revision) continue;
    for (const { name, before } of record.settings) {
      if (before === undefined) values.delete(name);
      else values.set(name, before);
    }
  }
  return values;
}
