import type { Logger } from '@talaria/base';
import { watchPrefix, type Etcd, type EtcdEntry } from '@talaria/etcd';
import { configKeys } from '../setting-names.ts';
import type { ConfigSource, RawChange, RawEntry } from './config-source.ts';
import { keepApplied } from './keep-applied.ts';
import { markOf, publishToEtcd } from './publish-schema.ts';

/** Where live values are in etcd. */
export interface EtcdConfigSourceOptions {
  readonly etcd: Etcd;
  readonly log: Logger;
  /** Default `default`. */
  readonly namespace?: string;
}

const rawEntry = ({ value, modRevision, createRevision }: EtcdEntry): RawEntry => ({ value, revision: modRevision, createRevision });

/**
 * Live values in etcd. One watch a target, each on a prefix that ends in `/`, so that a role can be limited to what an instance
 * reads: `config/global/`, `config/service/<name>/`, `config/version/<name>@<version>/`, `config/instance/<id>/`.
 */
export function etcdConfigSource({ etcd, log, namespace = 'default' }: EtcdConfigSourceOptions): ConfigSource {
  const keys = configKeys(namespace);
  return {
    name: 'etcd',
    keyOf: (target, name) => `${keys.target(target)}${name}`,
    follow(target, listener) {
      const prefix = keys.target(target);
      const nameOf = (key: string): string => key.slice(prefix.length);
      const watch = watchPrefix(etcd, prefix, {
        log,
        onSnapshot: (entries, revision) => listener.onSnapshot(new Map([...entries.values()].map((entry) => [nameOf(entry.key), rawEntry(entry)])), revision),
        onRefused: (reason) => listener.onRefused(reason),
        onEvents: (events) =>
          listener.onChanges(
            events.map((event): RawChange => {
              if (event.type === 'delete') return { name: nameOf(event.key), entry: undefined, revision: event.revision };
              return { name: nameOf(event.entry.key), entry: rawEntry(event.entry), revision: event.entry.modRevision };
            }),
          ),
      });
      return () => watch.close();
    },
    join({ service, version, instance }, schema, onPublished) {
      const publication = publishToEtcd(etcd, keys.schema(service, version), schema, { log, onPublished });
      const kept = keepApplied(etcd, keys.applied(service, instance), log);
      return {
        show: kept.show,
        async close() {
          publication.close();
          await kept.close();
        },
      };
    },
    async mark(service, version) {
      try {
        return markOf(await etcd.get(keys.schema(service, version)));
      } catch (error) {
        if (etcd.state.get() === 'unreachable') throw error;
        // Refused: then there is none that this instance may see.
        return undefined;
      }
    },
  };
}
