import { silentLogger } from '@talaria/base';
import { keyringOf } from '@talaria/config';
import { configStore, parseTarget, shown, targetPath, targetText, type ConfigStore, type Known, type Target } from '@talaria/config/store';
import { connectEtcd, credentialsFrom } from '@talaria/etcd';
import { findPlatform } from '@talaria/service/platform-file';
import { fromEtcd } from '../from-etcd.ts';
import { timeLimitMs } from '../time-limit.ts';

type Env = Readonly<Record<string, string | undefined>>;
type Candidates = readonly { readonly value: string; readonly about: string }[];

/** What the arguments of a command are, in their order. */
export type ArgumentsKind = 'target name' | 'target names' | 'target pairs' | 'targets' | 'change';

/** A person who pressed Tab waits no longer. */
const LIMIT = '1s';
/** As many as a person looks through. */
const MAX_CHANGES = 30;

/** What may stand after `given` among targets, settings, their values and changes. Rejects where no platform answers within TALARIA_COMPLETION_TIMEOUT (default 1s). */
export async function configured(kind: ArgumentsKind, given: readonly string[], env: Env, signal: AbortSignal): Promise<Candidates> {
  const { endpoints, user } = findPlatform(env);
  const etcd = connectEtcd({ endpoints, log: silentLogger, credentials: credentialsFrom(user) });
  const namespace = env['TALARIA_NAMESPACE'];
  const store = configStore({ etcd, keyring: keyringOf({}), who: '', ...(namespace ? { namespace } : {}) });
  try {
    return await fromEtcd(endpoints, candidates(kind, given, store), { signal, limitMs: timeLimitMs(env['TALARIA_COMPLETION_TIMEOUT'] || LIMIT) });
  } finally {
    etcd.close();
  }
}

async function candidates(kind: ArgumentsKind, given: readonly string[], store: ConfigStore): Promise<Candidates> {
  if (kind === 'change') return given.length === 0 ? changes(store) : [];
  const known = await store.known();
  const [first] = given;
  if (first === undefined || kind === 'targets') return known.targets.map((target) => ({ value: targetText(target), about: ABOUT[target.kind] }));
  if (kind === 'target name' && given.length > 1) return [];
  const target = parseTarget(first);
  if (kind === 'target names') return stored(store, target, given.slice(1));
  const settings = settingsOf(known, target);
  const isValue = kind === 'target pairs' && given.length % 2 === 0;
  if (isValue) return valuesOf(settings.get(given.at(-1) ?? '')?.schema);
  return [...settings].filter(([name]) => !given.slice(1).includes(name)).map(([value, { description }]) => ({ value, about: description }));
}

const ABOUT: Readonly<Record<Target['kind'], string>> = { global: 'every service', service: 'a service', version: 'one version', instance: 'a running instance' };

async function changes(store: ConfigStore): Promise<Candidates> {
  return (await store.history({ last: MAX_CHANGES })).map(({ id, who, target, settings }) => ({ value: id, about: `${who}: ${settings.map(({ name }) => name).join(', ')} of ${targetText(target)}` }));
}

async function stored(store: ConfigStore, target: Target, given: readonly string[]): Promise<Candidates> {
  const { settings } = await store.get(target);
  return settings.filter(({ name }) => !given.includes(name)).map(({ name, permanent, temporary }) => ({ value: name, about: `now ${shown((temporary ?? permanent)?.value)}` }));
}

/** What a target can set. */
function settingsOf({ schemas, instances }: Known, target: Target): ReadonlyMap<string, { readonly description: string; readonly schema: Readonly<Record<string, unknown>> }> {
  const at = target.kind === 'instance' ? instances.find(({ instance }) => instance === target.instance) : undefined;
  const wanted = schemas.filter(({ service, version }) => {
    if (target.kind === 'global') return true;
    if (target.kind === 'instance') return service === at?.service && version === at.version;
    return service === target.service && (target.kind === 'service' || targetPath(target).endsWith(`@${version}`));
  });
  return new Map(wanted.flatMap(({ settings }) => [...settings]).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The values of a setting that has few of them. */
function valuesOf(schema: Readonly<Record<string, unknown>> | undefined): Candidates {
  const values = Array.isArray(schema?.['enum']) ? (schema['enum'] as readonly unknown[]) : schema?.['type'] === 'boolean' ? [true, false] : [];
  return values.map((each) => ({ value: String(each), about: '' }));
}
