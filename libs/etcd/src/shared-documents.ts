import { mutableSetting, type Logger, type SharedDocument, type SharedDocuments } from '@talaria/base';
import type { Etcd } from './connect.ts';
import type { EtcdEntry } from './types.ts';
import { watchPrefix } from './watch-prefix.ts';

/** Where shared documents stand. */
export interface SharedDocumentsOptions {
  readonly etcd: Etcd;
  readonly log: Logger;
  /** Default `default`. */
  readonly namespace?: string;
}

/** Documents in etcd, at `talaria/<namespace>/<folder><name>`. They last no longer than `etcd`, which is not closed. */
export function etcdDocuments({ etcd, log, namespace = 'default' }: SharedDocumentsOptions): SharedDocuments {
  const reachable = mutableSetting(etcd.state.get() === 'reachable');
  etcd.state.onChange((state) => reachable.set(state === 'reachable'));

  return {
    reachable,
    watch(folder, listener) {
      const prefix = `talaria/${namespace}/${folder}`;
      const known = new Map<string, SharedDocument>();
      let newest = 0n;
      let dataLost = false;
      const read = ({ key, value, modRevision }: EtcdEntry): void => {
        const name = key.slice(prefix.length);
        known.set(name, { name, text: value.toString(), revision: modRevision });
        if (modRevision > newest) newest = modRevision;
      };
      const stopListening = etcd.onDisturbance((what) => {
        dataLost ||= what === 'data_lost';
      });
      const watch = watchPrefix(etcd, prefix, {
        log,
        onSnapshot(entries, revision) {
          // A store that is older than what we have from it was emptied, or is a backup: what it lacks nobody has deleted.
          const lost = dataLost || revision < newest;
          const missing = [...known.keys()].filter((name) => !entries.has(prefix + name));
          const held: string[] = [];
          for (const name of missing) {
            const document = known.get(name);
            if (document && (lost || document.lost)) held.push(name);
            else known.delete(name);
          }
          if (lost) newest = revision;
          dataLost = false;
          for (const name of held) known.set(name, { ...(known.get(name) as SharedDocument), lost: true });
          if (lost && held.length > 0) log.error('etcd has lost documents: going on with what was last known; write them again, or delete them', { prefix, documents: held });
          for (const entry of entries.values()) read(entry);
          listener(new Map(known));
        },
        onEvents(events) {
          for (const event of events) {
            if (event.type === 'put') read(event.entry);
            else {
              known.delete(event.key.slice(prefix.length));
              if (event.revision > newest) newest = event.revision;
            }
          }
          listener(new Map(known));
        },
      });
      return () => {
        stopListening();
        watch.close();
      };
    },
  };
}
