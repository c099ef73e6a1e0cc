import type { AppliedSetting } from '../live/applied-state.ts';
import type { PublishedSetting } from '../live/published-schema.ts';
import { isRecord, jsonOf } from './json.ts';

/** The settings of one version of a service, as it publishes them. */
export interface KnownSchema {
  readonly service: string;
  readonly version: string;
  readonly settings: ReadonlyMap<string, PublishedSetting>;
}

/** What a running instance has applied. */
export interface InstanceState {
  readonly service: string;
  readonly version: string;
  readonly instance: string;
  /** The newest revision of etcd that it has taken into account. */
  readonly revision: bigint;
  readonly settings: ReadonlyMap<string, AppliedSetting>;
}

/** Reads a published schema; undefined if it is none. What other programs publish is never trusted to be well-formed. */
export function schemaOf(text: string): KnownSchema | undefined {
  const json = jsonOf(text)?.json;
  if (!isRecord(json) || typeof json['service'] !== 'string' || typeof json['version'] !== 'string' || !isRecord(json['settings'])) return undefined;
  const settings = new Map<string, PublishedSetting>();
  for (const [name, each] of Object.entries(json['settings'])) {
    if (!isRecord(each) || !isRecord(each['schema'])) continue;
    const { description, env, live } = each;
    settings.set(name, { ...(each as unknown as PublishedSetting), description: typeof description === 'string' ? description : '', env: typeof env === 'string' ? env : '', live: live !== false });
  }
  return { service: json['service'], version: json['version'], settings };
}

/** Reads what an instance has applied; undefined if that cannot be told. */
export function appliedOf(text: string): InstanceState | undefined {
  const json = jsonOf(text)?.json;
  if (!isRecord(json) || typeof json['service'] !== 'string' || typeof json['instance'] !== 'string' || !isRecord(json['settings'])) return undefined;
  const settings = new Map<string, AppliedSetting>();
  for (const [name, each] of Object.entries(json['settings'])) {
    if (isRecord(each)) settings.set(name, { ...(each as unknown as AppliedSetting), layers: isRecord(each['layers']) ? each['layers'] : {} });
  }
  const revision = /^\d+$/.test(String(json['revision'])) ? BigInt(String(json['revision'])) : 0n;
  return { service: json['service'], version: String(json['version']), instance: json['instance'], revision, settings };
}
