import { mutableSetting, type LiveSetting, type Logger } from '@talaria/base';
import { watchPrefix, type Etcd } from '@talaria/etcd';

/** Where a live setting stands in etcd, and how it is read. */
export interface LiveSettingOptions<T> {
  readonly log: Logger;
  /** Where the value may stand in etcd: the first key that exists decides. */
  readonly keys: readonly string[];
  /** Makes a value of the text in etcd. Throws, saying what is expected, for one that is wrong. */
  readonly parse: (text: string) => T;
  /** The value while no key exists, and before etcd has answered. */
  readonly initial: T;
}

/** A live setting that is kept up to date from etcd until closed. */
export interface LiveEtcdSetting<T> extends LiveSetting<T> {
  /** Resolves when etcd has answered for the first time. Never rejects; stays pending while etcd is away. */
  readonly ready: Promise<void>;
  close(): void;
}

/**
 * A setting in etcd. While etcd is away the last known value stands; a value that is wrong changes nothing but is logged,
 * once. Runs outside of the call that happens to start it.
 */
export function liveSetting<T>(etcd: Etcd, { log, keys, parse, initial }: LiveSettingOptions<T>): LiveEtcdSetting<T> {
  const value = mutableSetting(initial);
  let complaint = '';

  const update = (): void => {
    // Not before all have answered, or a fallback would show for a moment.
    if (watches.length < keys.length || watches.some((watch) => watch.entries === undefined)) return;
    const entry = keys.map((key, at) => watches[at]?.entries?.get(key)).find((found) => found !== undefined);
    try {
      value.set(entry ? parse(entry.value.toString()) : initial);
      complaint = '';
    } catch (error) {
      const { message } = error as Error;
      if (complaint === `${entry?.key} ${message}`) return;
      complaint = `${entry?.key} ${message}`;
      log.warn(`a setting in etcd is wrong, going on with the last good value: ${message}`, { key: entry?.key });
    }
  };

  const watches = keys.map((key) => watchPrefix(etcd, key, { log, onSnapshot: update, onEvents: update }));
  const ready = Promise.all(watches.map((watch) => watch.ready)).then(() => {});
  return {
    get: value.get,
    onChange: value.onChange,
    ready,
    close() {
      for (const watch of watches) watch.close();
    },
  };
}
