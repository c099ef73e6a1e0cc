import type { Etcd } from '@talaria/etcd';
import type { ConfigKeyring } from '../secrets.ts';
import { watchApplying, type Applying } from './applying.ts';
import { changeOf, readHistory, type Change } from './change-record.ts';
import type { ChangeOptions, StoreContext } from './commit.ts';
import { knownTargets } from './concerned.ts';
import { diff, type Difference, type DiffSide } from './diff.ts';
import { explain, type Explanation } from './explain.ts';
import { getStored, type StoredTarget } from './get.ts';
import { keysOf } from './names.ts';
import type { KnownSchema } from './published.ts';
import { rekey, type RekeyResult } from './rekey.ts';
import type { GivenValue } from './resolve-value.ts';
import { findChange, rollBack } from './rollback.ts';
import { setValues, type SetOptions, type SetResult } from './set.ts';
import { readSnapshot } from './snapshot.ts';
import { targetPath, type Target } from './target.ts';
import { trimHistory } from './trim-history.ts';
import { settingsOfDocument, validateDocument, validateStored, type Validation } from './validate.ts';
import { watchChanges, type ChangesWatch, type WatchChangesOptions } from './watch.ts';

/** Where configuration is stored, and who works on it. */
export interface ConfigStoreOptions {
  readonly etcd: Etcd;
  /** Default `default`. */
  readonly namespace?: string;
  /** Encrypts and opens secrets; see `keyringOf`. */
  readonly keyring: ConfigKeyring;
  /** Stands in the record of each change. */
  readonly who: string;
}

/** Which changes. */
export interface HistoryOptions {
  readonly target?: Target | undefined;
  readonly name?: string | undefined;
  /** How many at most, the newest. Default: all that are kept, 1,000. */
  readonly last?: number | undefined;
}

/** What can be written, and to whom. */
export interface Known {
  readonly targets: readonly Target[];
  readonly schemas: readonly KnownSchema[];
  /** Those that run. */
  readonly instances: readonly { readonly service: string; readonly version: string; readonly instance: string }[];
}

/**
 * The operator's side of live configuration. Every change is one transaction in etcd of values and their record, on the condition that
 * nobody has changed them since they were read, and that the schemas that they were checked against still stand. What is refused
 * is a `ConfigStoreError`; while etcd is away everything rejects with its error. Secrets leave it as `[secret]` only.
 */
export interface ConfigStore {
  /** What a target itself says, of all settings or one. */
  get(target: Target, name?: string): Promise<StoredTarget>;
  /** Where the settings of a target, or one of them, come from: every layer, and every running instance. */
  explain(target: Target, name?: string): Promise<Explanation>;
  /** Sets and unsets (undefined) settings, all or none. A permanent value ends a temporary one of the same target. */
  set(target: Target, values: Readonly<Record<string, GivenValue | undefined>>, options?: SetOptions): Promise<SetResult>;
  /** Changes, the newest first. */
  history(options?: HistoryOptions): Promise<readonly Change[]>;
  /** One change. */
  change(id: string): Promise<Change>;
  /** Makes a change that takes another one back; refuses, naming who, if any of it was changed since. */
  rollback(changeId: string, options?: ChangeOptions): Promise<Change>;
  /** What two targets say differently, now or after some change. */
  diff(a: DiffSide, b: DiffSide): Promise<readonly Difference[]>;
  /** Follows all changes until closed. */
  watch(options: WatchChangesOptions): ChangesWatch;
  /** Checks what is stored. */
  validate(target?: Target): Promise<Validation>;
  /** Checks a document of settings for a target. */
  validateDocument(target: Target, document: unknown): Promise<Validation>;
  /** The settings of a document, nested or dotted, as `set` takes them. */
  settingsOf(target: Target, document: unknown): Promise<Readonly<Record<string, GivenValue>>>;
  /** Encrypts every secret, also in the history, with the first key. */
  rekey(options?: ChangeOptions): Promise<RekeyResult>;
  /** Watches what instances apply; begin before the change. */
  applying(target: Target): Applying;
  /** What there is to write, and to whom. */
  known(): Promise<Known>;
}

/** The configuration of a namespace, for whoever changes it. */
export function configStore({ etcd, namespace = 'default', keyring, who }: ConfigStoreOptions): ConfigStore {
  const context: StoreContext = { etcd, keys: keysOf(namespace), secrets: { namespace, keyring }, who };
  return {
    get: (target, name) => getStored(context, target, name),
    explain: (target, name) => explain(context, target, name),
    async set(target, values, options = {}) {
      const result = await setValues(context, target, values, options);
      if (result.change) await trimHistory(context);
      return result;
    },
    async history({ target, name, last } = {}) {
      const path = target && targetPath(target);
      const all = (await readHistory(etcd, context.keys)).map(changeOf);
      const wanted = all.filter((each) => (path === undefined || targetPath(each.target) === path) && (name === undefined || each.settings.some((setting) => setting.name === name)));
      return wanted.slice(last === undefined ? 0 : -last).reverse();
    },
    change: async (id) => changeOf((await findChange(context, id)).found),
    rollback: (changeId, options = {}) => rollBack(context, changeId, options),
    diff: (a, b) => diff(context, a, b),
    watch: (options) => watchChanges(context, options),
    validate: (target) => validateStored(context, target),
    validateDocument: (target, document) => validateDocument(context, target, document),
    settingsOf: (target, document) => settingsOfDocument(context, target, document),
    rekey: (options = {}) => rekey(context, options),
    applying: (target) => watchApplying(context, target),
    async known() {
      const snapshot = await readSnapshot(etcd, context.keys);
      return { targets: knownTargets(snapshot), schemas: snapshot.schemas, instances: snapshot.instances };
    },
  };
}
