const NAME = /^[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*$/;
const MAX_NAME_CHARACTERS = 200;

/** The largest value, in bytes of its JSON text, that is written or applied. Larger ones belong elsewhere: every instance keeps each value in memory. */
export const MAX_VALUE_BYTES = 64 * 1024;

/** Ends the name of a temporary value in etcd, `log.level~`, which wins over the permanent one of the same target while it is there. */
export const TEMPORARY_SUFFIX = '~';

/** A layer of etcd, as it stands in keys: `global`, `service/service.account`, `version/service.account@1.2.0` or `instance/inst_…`. */
export type TargetPath = 'global' | `service/${string}` | `version/${string}@${string}` | `instance/${string}`;

/** Who reads configuration. */
export interface ConfigReader {
  /** Such as `service.account`. */
  readonly service: string;
  /** Such as `1.2.0`. */
  readonly version: string;
  /** The id of the instance, such as `inst_…`. */
  readonly instance: string;
}

/** Whether a live setting may be called so: words of small letters, digits and `_` with dots between them, as `log.level`; 200 characters at most. */
export function isLiveSettingName(name: string): boolean {
  return name.length <= MAX_NAME_CHARACTERS && NAME.test(name);
}

/** The variable of the environment that a live setting is read from unless it names another: `webhook.attempt_timeout` is WEBHOOK_ATTEMPT_TIMEOUT. */
export function environmentName(name: string): string {
  return name.replaceAll('.', '_').toUpperCase();
}

/** The layers of etcd that an instance reads; later ones win. */
export function targetsOf({ service, version, instance }: ConfigReader): readonly [global: TargetPath, service: TargetPath, version: TargetPath, instance: TargetPath] {
  return ['global', `service/${service}`, `version/${service}@${version}`, `instance/${instance}`];
}

/** Where configuration stands in etcd (docs/design.md, "Naming in etcd"). */
export interface ConfigKeys {
  /** All values of a target, with a `/` at the end, so that no other target's are below it. */
  target(target: TargetPath): string;
  /** The settings that a version of a service takes. */
  schema(service: string, version: string): string;
  /** What an instance has applied. */
  applied(service: string, instance: string): string;
}

/** The keys of a namespace. */
export function configKeys(namespace: string): ConfigKeys {
  const base = `talaria/${namespace}`;
  return {
    target: (target) => `${base}/config/${target}/`,
    schema: (service, version) => `${base}/schemas/${service}@${version}`,
    applied: (service, instance) => `${base}/applied/${service}/${instance}`,
  };
}
