import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '@talaria/base';
import type { FlagDocuments } from './source.ts';

/** The documents that a service last knew, on disk, for a start while etcd is away. */
export interface LastKnownGood {
  /** Undefined if there are none, or none that can be read. */
  read(): Promise<FlagDocuments | undefined>;
  /** Keeps them. What is asked for while the last is being written is written after it, the newest only. Never rejects. */
  write(documents: FlagDocuments): Promise<void>;
}

/** Keeps them in `<stateDir>/flags/<service>.json`, which all instances of a service on a machine share. Without a folder nothing is kept. */
export function lastKnownGood(stateDir: string | undefined, service: string, log: Logger): LastKnownGood {
  const file = stateDir === undefined || stateDir === '' ? undefined : join(stateDir, 'flags', `${service}.json`);
  let next: FlagDocuments | undefined;
  let writing: Promise<void> | undefined;
  let complained = false;

  const writeNow = async (path: string): Promise<void> => {
    while (next) {
      const { flags, experiments } = next;
      next = undefined;
      const temporary = `${path}.${randomUUID()}`;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeFile(temporary, JSON.stringify({ flags: Object.fromEntries(flags), experiments: Object.fromEntries(experiments) }), { mode: 0o600 });
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => {});
        if (!complained) log.warn('flags cannot be kept on disk: a start while etcd is away will have none (TALARIA_STATE_DIR)', { file: path, reason: (error as Error).message });
        complained = true;
      }
    }
    writing = undefined;
  };

  return {
    async read() {
      if (file === undefined) return undefined;
      try {
        const kept = JSON.parse(await readFile(file, 'utf8')) as Record<'flags' | 'experiments', Record<string, string>>;
        const texts = (all: Record<string, string>): Map<string, string> => new Map(Object.entries(all).filter(([, text]) => typeof text === 'string'));
        return { flags: texts(kept.flags), experiments: texts(kept.experiments) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') log.warn('the flags kept on disk cannot be read', { file, reason: (error as Error).message });
        return undefined;
      }
    },
    async write(documents) {
      if (file === undefined) return;
      next = documents;
      await (writing ??= writeNow(file));
    },
  };
}
