import { silentLogger } from '@talaria/base';
import { watchPrefix, type EtcdEntry } from '@talaria/etcd';
import type { StoreContext } from './commit.ts';
import { instancesFor } from './concerned.ts';
import { instancesOf, type Instance } from './snapshot.ts';
import type { Target } from './target.ts';

/** What became of a change at one instance. */
export interface Application {
  readonly instance: string;
  readonly service: string;
  readonly version: string;
  /** How many ms after the change it said so; undefined if it has not. */
  readonly afterMs: number | undefined;
  /** Why it keeps the last good value. */
  readonly problem?: string;
  /** Settings for which another layer goes before the target: by name, `version` or `instance`. */
  readonly overridden: Readonly<Record<string, string>>;
}

/** The layers of etcd, the weakest first. */
const LAYERS: readonly string[] = ['global', 'service', 'version', 'instance'];

/** Watches what instances apply, from before a change on. */
export interface Applying {
  /** Resolves when it watches. Pending while etcd is away. */
  readonly ready: Promise<void>;
  /** Call this when a change was made. Resolves when every running instance that reads the target and knows the settings has applied it, or after `limitMs`. */
  applied(revision: bigint, names: readonly string[], limitMs: number): Promise<readonly Application[]>;
  close(): void;
}

/** Starts to watch the instances that read a target. */
export function watchApplying({ etcd, keys }: StoreContext, target: Target): Applying {
  let current: readonly Instance[] = [];
  let listener = (): void => {};
  const onChange = (entries: ReadonlyMap<string, EtcdEntry>): void => {
    current = instancesFor({ instances: instancesOf(keys, entries.values()) }, target);
    listener();
  };
  const prefix = target.kind === 'service' || target.kind === 'version' ? `${keys.applied}${target.service}/` : keys.applied;
  const watch = watchPrefix(etcd, prefix, { log: silentLogger, onSnapshot: onChange, onEvents: (_events, entries) => onChange(entries) });
  return {
    ready: watch.ready,
    close: () => watch.close(),
    applied(revision, names, limitMs) {
      const startedAt = performance.now();
      const times = new Map<string, number>();
      return new Promise((resolve) => {
        const finish = (): void => {
          clearTimeout(limit);
          listener = () => {};
          resolve(concerned().map((each) => applicationOf(target, each, names, times.get(each.instance))));
        };
        const concerned = (): readonly Instance[] => current.filter(({ settings }) => names.some((name) => settings.has(name)));
        listener = () => {
          for (const each of concerned()) if (each.revision >= revision && !times.has(each.instance)) times.set(each.instance, performance.now() - startedAt);
          if (concerned().every(({ instance }) => times.has(instance))) finish();
        };
        const limit = setTimeout(finish, limitMs);
        listener();
      });
    },
  };
}

function applicationOf({ kind }: Target, { instance, service, version, settings }: Instance, names: readonly string[], afterMs: number | undefined): Application {
  const problem = names.map((name) => settings.get(name)?.problem).find((each) => each !== undefined);
  const overridden = names.flatMap((name) => {
    const source = settings.get(name)?.source;
    return source !== undefined && LAYERS.indexOf(source) > LAYERS.indexOf(kind) ? [[name, source] as const] : [];
  });
  return { instance, service, version, afterMs, overridden: Object.fromEntries(overridden), ...(problem === undefined ? {} : { problem }) };
}

