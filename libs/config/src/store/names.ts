import { configKeys, isLiveSettingName, TEMPORARY_SUFFIX } from '../setting-names.ts';
import { ConfigStoreError } from './config-store-error.ts';
import { targetOfPath, targetPath, type Target } from './target.ts';

/** The name, if a setting may be called so; throws a `ConfigStoreError` otherwise. */
export function checkedName(name: string): string {
  if (isLiveSettingName(name)) return name;
  throw new ConfigStoreError('malformed', `${JSON.stringify(name.slice(0, 80))} is no name of a setting: it takes words of small letters, digits and "_" with dots between them, such as log.level.`);
}

/** Where everything stands in etcd. */
export interface Keys {
  /** All values. */
  readonly config: string;
  /** All change records. */
  readonly history: string;
  /** All published schemas. */
  readonly schemas: string;
  /** What each instance has applied. */
  readonly applied: string;
  value(target: Target, name: string): string;
  temporary(target: Target, name: string): string;
  record(changeId: string): string;
}

/** The keys of a namespace. */
export function keysOf(namespace: string): Keys {
  const base = `talaria/${namespace}`;
  const { target: folder } = configKeys(namespace);
  const value: Keys['value'] = (target, name) => `${folder(targetPath(target))}${name}`;
  return {
    config: `${base}/config/`,
    history: `${base}/history/`,
    schemas: `${base}/schemas/`,
    applied: `${base}/applied/`,
    value,
    temporary: (target, name) => `${value(target, name)}${TEMPORARY_SUFFIX}`,
    record: (changeId) => `${base}/history/${changeId}`,
  };
}

/** Which value a key below `config/` holds; undefined if nobody reads such a key. */
export function valueOfKey(keys: Keys, key: string): { readonly target: Target; readonly name: string; readonly temporary: boolean } | undefined {
  const rest = key.slice(keys.config.length);
  const at = rest.lastIndexOf('/');
  const target = targetOfPath(rest.slice(0, Math.max(at, 0)));
  const last = rest.slice(at + 1);
  const temporary = last.endsWith(TEMPORARY_SUFFIX);
  const name = temporary ? last.slice(0, -TEMPORARY_SUFFIX.length) : last;
  return target && isLiveSettingName(name) ? { target, name, temporary } : undefined;
}
