import type { EtcdEntry } from '@talaria/etcd';
import { changeOf, readHistory, type Change, type HistoryEntry } from './change-record.ts';
import type { StoreContext } from './commit.ts';
import { instancesFor, schemasFor, unknownSetting } from './concerned.ts';
import { settingOf, type StoredSetting } from './get.ts';
import type { JsonValue } from './json.ts';
import { schemaWords } from './schema-words.ts';
import { readSnapshot, storedAt, type Instance, type SchemaEntry, type Snapshot, type Stored } from './snapshot.ts';
import { targetPath, type Target } from './target.ts';

/** What one target says of a setting, and who wrote it. */
export interface ExplainedLayer extends StoredSetting {
  readonly target: Target;
  /** The change that wrote the permanent value; absent if it was written past the history, or long ago. */
  readonly change?: Change;
  /** The change that wrote the temporary value. */
  readonly temporaryChange?: Change;
}

/**
 * Whether an instance goes by what is stored: `applied`; `behind`: it has not seen the last change yet; `refused`: it keeps its
 * last good value, for `problem`; `restart`: it takes the value at its next start.
 */
export type ApplicationState = 'applied' | 'behind' | 'refused' | 'restart';

/** A setting at one running instance. */
export interface ExplainedInstance {
  readonly instance: string;
  readonly service: string;
  readonly version: string;
  /** In effect; `[secret]` for a secret. */
  readonly value?: JsonValue;
  /** The layer that won: `default`, `file`, `environment`, `global`, `service`, `version` or `instance`. */
  readonly source?: string;
  readonly temporary?: boolean;
  /** What the layers below etcd say. */
  readonly layers: Readonly<Partial<Record<'default' | 'file' | 'environment', JsonValue>>>;
  readonly state: ApplicationState;
  readonly problem?: string;
  /** What it takes at its next start. */
  readonly pending?: JsonValue;
}

/** Where a setting comes from. */
export interface ExplainedSetting {
  readonly name: string;
  readonly description: string;
  readonly unit?: string;
  /** What it takes, in words: `a number from 0 to 1`. */
  readonly takes: string;
  readonly default?: JsonValue;
  readonly secret: boolean;
  /** Whether a change takes effect while instances run. */
  readonly live: boolean;
  /** The variable of the environment. */
  readonly env: string;
  /** The services (with their versions) that have it. */
  readonly known: readonly string[];
  /** What etcd says, the weakest layer first: what the target is below, itself, and what goes before it somewhere. */
  readonly layers: readonly ExplainedLayer[];
  readonly instances: readonly ExplainedInstance[];
  /** What is stored for versions and instances that do not run. */
  readonly elsewhere: readonly ExplainedLayer[];
}

/** Where the settings of a target come from. */
export interface Explanation {
  readonly target: Target;
  /** The store's revision: for `ifRevision`. */
  readonly revision: bigint;
  readonly settings: readonly ExplainedSetting[];
}

const ORDER: readonly Target['kind'][] = ['global', 'service', 'version', 'instance'];

/** What an instance reads, the weakest layer first. */
function layersOf({ service, version, instance }: Pick<Instance, 'service' | 'version' | 'instance'>): readonly Target[] {
  return [{ kind: 'global' }, { kind: 'service', service }, { kind: 'version', service, version }, { kind: 'instance', instance }];
}

/** Explains one setting of a target, or all. Throws a `ConfigStoreError` for what nobody knows. */
export async function explain(context: StoreContext, target: Target, name?: string): Promise<Explanation> {
  const [snapshot, history] = await Promise.all([readSnapshot(context.etcd, context.keys), readHistory(context.etcd, context.keys)]);
  const schemas = schemasFor(snapshot, target);
  const names = [...new Set(schemas.flatMap(({ settings }) => [...settings.keys()]))].sort();
  if (name !== undefined && !names.includes(name)) throw unknownSetting(snapshot, target, name, schemas);
  const wanted = name === undefined ? names : [name];
  return { target, revision: snapshot.revision, settings: await Promise.all(wanted.map((each) => explainOne(context, snapshot, history, target, each, schemas))) };
}

async function explainOne(context: StoreContext, snapshot: Snapshot, history: readonly HistoryEntry[], target: Target, name: string, schemas: readonly SchemaEntry[]): Promise<ExplainedSetting> {
  const knowing = schemas.filter(({ settings }) => settings.has(name));
  const setting = knowing[0]?.settings.get(name) as NonNullable<ReturnType<SchemaEntry['settings']['get']>>;
  const running = instancesFor(snapshot, target).filter(({ settings }) => settings.has(name));
  const read = new Map([...above(target), ...running.flatMap(layersOf)].map((each) => [targetPath(each), each]));
  const all = [...snapshot.stored.values()].filter((each) => each.name === name);
  const layer = async (stored: Stored): Promise<ExplainedLayer> => {
    const [change, temporaryChange] = [changeAt(history, stored, stored.permanent), changeAt(history, stored, stored.temporary)];
    return { target: stored.target, ...(await settingOf(context, snapshot, stored)), ...(change ? { change } : {}), ...(temporaryChange ? { temporaryChange } : {}) };
  };
  const byStrength = (a: Stored, b: Stored): number => ORDER.indexOf(a.target.kind) - ORDER.indexOf(b.target.kind) || (targetPath(a.target) < targetPath(b.target) ? -1 : 1);
  const { description, unit, default: byDefault, secret = false, live, env, schema } = setting;
  return {
    name,
    description,
    ...(unit === undefined ? {} : { unit }),
    takes: schemaWords(schema),
    ...(byDefault === undefined ? {} : { default: byDefault as JsonValue }),
    secret,
    live,
    env,
    known: knowing.map(({ service, version }) => `${service}@${version}`),
    layers: await Promise.all(all.filter((each) => read.has(targetPath(each.target))).sort(byStrength).map(layer)),
    instances: running.map((each) => instanceOf(snapshot, each, name)),
    elsewhere: await Promise.all(all.filter((each) => !read.has(targetPath(each.target)) && isBelow(snapshot, each.target, target)).sort(byStrength).map(layer)),
  };
}

/** The layers that a target stands on, and itself. */
function above(target: Target): readonly Target[] {
  if (target.kind === 'version') return [{ kind: 'global' }, { kind: 'service', service: target.service }, target];
  return target.kind === 'global' ? [target] : [{ kind: 'global' }, target];
}

/** Whether somebody who explains a target should know of another; nobody knows whose instance it was that is gone. */
function isBelow({ instances }: Snapshot, other: Target, target: Target): boolean {
  if (target.kind === 'global') return true;
  if (other.kind === 'instance') return target.kind === 'service' && !instances.some(({ instance }) => instance === other.instance);
  return target.kind === 'service' && other.kind === 'version' && other.service === target.service;
}

/** The change that wrote an entry: the last one that was no other key for the same value. */
function changeAt(history: readonly HistoryEntry[], { target, name }: Stored, entry: EtcdEntry | undefined): Change | undefined {
  if (!entry) return undefined;
  const path = targetPath(target);
  const of = history.filter(({ record, revision }) => record.target === path && revision <= entry.modRevision && record.settings.some((each) => each.name === name));
  if (of.at(-1)?.revision !== entry.modRevision) return undefined;
  const isTemporary = entry.lease !== '0';
  const found = of.findLast(({ record }) => !record.rekey && (record.temporary === true) === isTemporary);
  return found && changeOf(found);
}

function instanceOf(snapshot: Snapshot, state: Instance, name: string): ExplainedInstance {
  const { instance, service, version, revision, settings } = state;
  const applied = settings.get(name);
  const newest = layersOf(state)
    .flatMap((target) => {
      const { permanent, temporary } = storedAt(snapshot, target, name);
      return [permanent?.modRevision ?? 0n, temporary?.modRevision ?? 0n];
    })
    .reduce((a, b) => (a > b ? a : b), 0n);
  const { value, source, temporary, layers = {}, problem, pending } = applied ?? {};
  const reached: ApplicationState = problem !== undefined ? 'refused' : newest > revision ? 'behind' : pending !== undefined ? 'restart' : 'applied';
  return {
    instance,
    service,
    version,
    ...(value === undefined ? {} : { value: value as JsonValue }),
    ...(source === undefined ? {} : { source }),
    ...(temporary ? { temporary } : {}),
    layers: layers as ExplainedInstance['layers'],
    state: reached,
    ...(problem === undefined ? {} : { problem }),
    ...(pending === undefined ? {} : { pending: pending as JsonValue }),
  };
}
