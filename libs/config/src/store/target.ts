import type { TargetPath } from '../setting-names.ts';
import { ConfigStoreError } from './config-store-error.ts';

/** Whom a stored value is for. Later kinds win over earlier ones. */
export type Target =
  | { readonly kind: 'global' }
  | { readonly kind: 'service'; readonly service: string }
  | { readonly kind: 'version'; readonly service: string; readonly version: string }
  | { readonly kind: 'instance'; readonly instance: string };

const SERVICE = /^[A-Za-z][\w.-]*$/;
const VERSION = /^[\w.+-]+$/;
const INSTANCE = /^inst_[\w-]+$/;

/** The target that a person names: `global`, `service.account`, `service.account@1.2.0` or `inst_…`. Throws a `ConfigStoreError` for anything else. */
export function parseTarget(text: string): Target {
  if (text === 'global') return { kind: 'global' };
  if (INSTANCE.test(text)) return { kind: 'instance', instance: text };
  const [service = '', version] = text.split(/@(.*)/s, 2);
  if (SERVICE.test(service)) {
    if (version === undefined) return { kind: 'service', service };
    if (VERSION.test(version)) return { kind: 'version', service, version };
  }
  throw new ConfigStoreError('malformed', `"${text.slice(0, 80)}" is no target: write global, a service (service.account), one version of it (service.account@1.2.0) or the id of an instance (inst_…).`);
}

/** The target as people write it. */
export function targetText(target: Target): string {
  switch (target.kind) {
    case 'global':
      return 'global';
    case 'service':
      return target.service;
    case 'version':
      return `${target.service}@${target.version}`;
    case 'instance':
      return target.instance;
  }
}

/** The target as it stands in keys and in change records, such as `service/service.account`. */
export function targetPath(target: Target): TargetPath {
  return target.kind === 'global' ? 'global' : (`${target.kind}/${targetText(target)}` as TargetPath);
}

/** The target of such a path; undefined if it is none. */
export function targetOfPath(path: string): Target | undefined {
  const [kind = '', text = ''] = path.split(/\/(.*)/s, 2);
  try {
    const target = parseTarget(kind === 'global' && text === '' ? 'global' : text);
    return targetPath(target) === path ? target : undefined;
  } catch {
    return undefined;
  }
}
