import { closest } from '@talaria/base';
import { ConfigStoreError } from './config-store-error.ts';
import type { Instance, SchemaEntry, Snapshot } from './snapshot.ts';
import { targetText, type Target } from './target.ts';

/** The running instances that read what is stored for a target. */
export function instancesFor({ instances }: Pick<Snapshot, 'instances'>, target: Target): readonly Instance[] {
  switch (target.kind) {
    case 'global':
      return instances;
    case 'service':
      return instances.filter(({ service }) => service === target.service);
    case 'version':
      return instances.filter(({ service, version }) => service === target.service && version === target.version);
    case 'instance':
      return instances.filter(({ instance }) => instance === target.instance);
  }
}

/**
 * The schemas that a value for a target has to fit: those of the versions that run, or of the one that was published last where
 * none does. Throws a `ConfigStoreError` for a target that nobody knows.
 */
export function schemasFor(snapshot: Snapshot, target: Target): readonly SchemaEntry[] {
  const { schemas, instances } = snapshot;
  const ofService = (service: string): readonly SchemaEntry[] => {
    const published = schemas.filter((each) => each.service === service);
    const running = published.filter(({ version }) => instances.some((each) => each.service === service && each.version === version));
    return running.length > 0 ? running : published.toSorted((a, b) => Number(b.entry.modRevision - a.entry.modRevision)).slice(0, 1);
  };
  switch (target.kind) {
    case 'global':
      return [...new Set(schemas.map(({ service }) => service))].flatMap(ofService);
    case 'service':
      return found(ofService(target.service), () => unknownService(snapshot, target.service));
    case 'version':
      return found(
        schemas.filter(({ service, version }) => service === target.service && version === target.version),
        () => unknownVersion(snapshot, target.service, target.version),
      );
    case 'instance': {
      const [instance] = instancesFor(snapshot, target);
      if (!instance) throw new ConfigStoreError('unknown_target', `No instance ${target.instance} runs: "talaria services" lists those that do.`);
      return found(
        schemas.filter(({ service, version }) => service === instance.service && version === instance.version),
        () => `${instance.service}@${instance.version}, which ${target.instance} runs, has published no settings: start it again.`,
      );
    }
  }
}

function found(schemas: readonly SchemaEntry[], complaint: () => string): readonly SchemaEntry[] {
  if (schemas.length > 0) return schemas;
  throw new ConfigStoreError('unknown_target', complaint());
}

const listed = (names: readonly string[]): string => (names.length === 0 ? 'none yet' : names.join(', '));

function unknownService({ schemas }: Snapshot, service: string): string {
  const known = [...new Set(schemas.map((each) => each.service))].sort();
  const near = closest(service, known);
  return `No service "${service}" has published its settings.${near === undefined ? '' : ` Did you mean "${near}"?`} Published: ${listed(known)}.`;
}

function unknownVersion(snapshot: Snapshot, service: string, version: string): string {
  const versions = snapshot.schemas.filter((each) => each.service === service).map((each) => each.version);
  if (versions.length === 0) return unknownService(snapshot, service);
  return `No version "${version}" of ${service} has published its settings: ${listed(versions)} ${versions.length === 1 ? 'has' : 'have'}.`;
}

/** Every target that can be written to now, for completion. */
export function knownTargets({ schemas, instances }: Snapshot): readonly Target[] {
  const services = [...new Set(schemas.map(({ service }) => service))].sort();
  return [
    { kind: 'global' },
    ...services.map((service): Target => ({ kind: 'service', service })),
    ...schemas.map(({ service, version }): Target => ({ kind: 'version', service, version })),
    ...instances.map(({ instance }): Target => ({ kind: 'instance', instance })),
  ];
}

/** Refuses, naming those that there are. */
export function unknownSetting(snapshot: Snapshot, target: Target, name: string, schemas: readonly SchemaEntry[]): ConfigStoreError {
  const known = [...new Set(schemas.flatMap(({ settings }) => [...settings.keys()]))].sort();
  const near = closest(name, known);
  const elsewhere = [...new Set(snapshot.schemas.filter(({ settings }) => settings.has(name)).map(({ service, version }) => `${service}@${version}`))];
  const who = target.kind === 'global' ? 'No service has' : `${targetText(target)} has`;
  const no = target.kind === 'global' ? 'a' : 'no';
  const hint = near !== undefined ? ` Did you mean "${near}"?` : elsewhere.length > 0 ? ` ${elsewhere.join(', ')} ${elsewhere.length === 1 ? 'has' : 'have'} it.` : '';
  return new ConfigStoreError('unknown_setting', `${who} ${no} setting "${name}".${hint} Known: ${listed(known)}.`);
}
