import { readFileSync, statSync } from 'node:fs';
import { mutableSetting, systemClock, type Logger } from '@talaria/base';
import type { FlagDocuments, FlagSource } from './source.ts';

/** How often the file is looked at, in ms. Not by inotify, which editors and mounted secrets replace files behind the back of. */
const LOOK_EVERY_MS = 500;

/** The flags of one file, a document as flagd has it; without experiments. A change is seen within half a second. */
export function fileFlagSource(file: string, log: Logger): FlagSource {
  const reachable = mutableSetting(true);
  return {
    name: file,
    reachable,
    watch(listener) {
      let seen = '';
      let stopped = false;
      let cancel = (): void => {};
      const look = (): void => {
        try {
          const { mtimeMs, size, ino } = statSync(file);
          const stamp = `${mtimeMs}/${size}/${ino}`;
          if (stamp !== seen) {
            const documents: FlagDocuments = { flags: new Map([['file', readFileSync(file, 'utf8')]]), experiments: new Map() };
            seen = stamp;
            reachable.set(true);
            listener(documents);
          }
        } catch (error) {
          if (reachable.get()) log.warn('the file of flags cannot be read: going on with what was last known (TALARIA_FLAGS_FILE)', { file, reason: (error as Error).message });
          seen = '';
          reachable.set(false);
        }
        if (!stopped) cancel = systemClock.after(LOOK_EVERY_MS, look, { background: true });
      };
      look();
      return () => {
        stopped = true;
        cancel();
      };
    },
  };
}
